"""Judges a packing of circles by the reference's own `run_shinka_eval`, as its example does.

The candidate is a Python file with a function `run_packing()` that returns centres and radii.
"""

import argparse

import numpy as np
from shinka.core import run_shinka_eval


def validate(packing):
    """Whether all circles lie in the unit square and none overlap, and what is wrong if not."""
    centres, radii = packing
    if np.any(centres - radii[:, None] < 0) or np.any(centres + radii[:, None] > 1):
        return False, "a circle leaves the unit square"
    between = np.linalg.norm(centres[:, None] - centres[None, :], axis=-1)
    overlap = (between < radii[:, None] + radii[None, :] - 1e-9) & ~np.eye(len(radii), dtype=bool)
    return not overlap.any(), "two circles overlap" if overlap.any() else None


def aggregate(packings):
    centres, radii = packings[0]
    return {"combined_score": float(radii.sum()), "public": {"circles": len(centres)}}


def main(program_path, results_dir):
    _, correct, error = run_shinka_eval(
        program_path=program_path,
        results_dir=results_dir,
        experiment_fn_name="run_packing",
        num_runs=1,
        get_experiment_kwargs=lambda run: {},
        validate_fn=validate,
        aggregate_metrics_fn=aggregate,
    )
    print("correct" if correct else f"not correct: {error}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program_path", required=True)
    parser.add_argument("--results_dir", required=True)
    args = parser.parse_args()
    main(args.program_path, args.results_dir)
