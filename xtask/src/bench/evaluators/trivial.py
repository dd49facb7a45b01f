"""A trivial Python evaluator: finds every candidate correct."""

import argparse
import json
import os

parser = argparse.ArgumentParser()
parser.add_argument("--program_path", required=True)
parser.add_argument("--results_dir", required=True)
args = parser.parse_args()
with open(os.path.join(args.results_dir, "metrics.json"), "w") as file:
    json.dump({"combined_score": 1.0, "public": {"circles": 26}}, file)
with open(os.path.join(args.results_dir, "correct.json"), "w") as file:
    json.dump({"correct": True, "error": None}, file)
