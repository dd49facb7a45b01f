"""An evaluator that imports NumPy and does next to nothing with it.

Where a file `hold` is beside its results dir, it says `held` there and waits until that file is not
locked any more, so that it can be looked at.
"""

import argparse
import fcntl
import json
import os

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--program_path", required=True)
parser.add_argument("--results_dir", required=True)
args = parser.parse_args()

score = float(np.arange(26).sum())

hold = os.path.join(os.path.dirname(args.results_dir), "hold")
if os.path.exists(hold):
    with open(hold) as file:
        open(os.path.join(args.results_dir, "held"), "w").close()
        fcntl.flock(file, fcntl.LOCK_SH)

with open(os.path.join(args.results_dir, "metrics.json"), "w") as file:
    json.dump({"combined_score": score, "public": {"circles": 26}}, file)
with open(os.path.join(args.results_dir, "correct.json"), "w") as file:
    json.dump({"correct": True, "error": None}, file)
