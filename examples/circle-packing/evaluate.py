"""Judges a packing of 26 circles in the unit square; the score is the sum of their radii.

A candidate is a Python file with a function `pack()` that returns 26 circles `(x, y, r)`.
"""

import argparse
import importlib.util
import itertools
import json
import math
import os
from fractions import Fraction

COUNT = 26


def load(path):
    """The candidate's module, from wherever it is."""
    spec = importlib.util.spec_from_file_location("candidate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exact(value):
    """The number that a float stands for, so that no rounding decides whether circles overlap.

    NaN stays as it is. Every comparison with NaN is false, so it slips through the checks below,
    as it does in many evaluators: what runs this one has to notice that the score is no number.
    """
    value = float(value)
    if math.isinf(value):
        raise ValueError("not finite: %r" % value)
    return value if math.isnan(value) else Fraction(value)


def check(circles):
    """Raises ValueError unless these are 26 circles inside the unit square, none overlapping."""
    if len(circles) != COUNT:
        raise ValueError("%d circles, not %d" % (len(circles), COUNT))
    for i, (x, y, r) in enumerate(circles):
        if r <= 0:
            raise ValueError("circle %d has no size: r = %g" % (i, r))
        if x - r < 0 or x + r > 1 or y - r < 0 or y + r > 1:
            raise ValueError("circle %d leaves the unit square" % i)
    for (i, (ax, ay, ar)), (j, (bx, by, br)) in itertools.combinations(enumerate(circles), 2):
        if (ax - bx) ** 2 + (ay - by) ** 2 < (ar + br) ** 2:
            raise ValueError("circles %d and %d overlap" % (i, j))


def evaluate(program_path):
    """Runs the candidate; its score, its radii, and what is wrong with it (None if nothing)."""
    try:
        circles = [tuple(map(exact, circle)) for circle in load(program_path).pack()]
        check(circles)
    except Exception as error:  # whatever a candidate does, short of ending the process
        return 0.0, [], "%s: %s" % (type(error).__name__, error)
    radii = [r for _, _, r in circles]
    return float(sum(radii)), [float(r) for r in radii], None


def write(results_dir, name, value):
    with open(os.path.join(results_dir, name), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=4)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program_path", required=True)
    parser.add_argument("--results_dir", required=True)
    args = parser.parse_args()

    score, radii, error = evaluate(args.program_path)
    print("candidate: %s" % args.program_path)
    print("sum of radii: %r" % score)
    print("verdict: %s" % (error or "correct"))

    public = {"circles": len(radii), "smallest_radius": min(radii) if radii else None}
    os.makedirs(args.results_dir, exist_ok=True)
    write(args.results_dir, "metrics.json", {"combined_score": score, "public": public})
    write(args.results_dir, "correct.json", {"correct": error is None, "error": error})


if __name__ == "__main__":
    main()
