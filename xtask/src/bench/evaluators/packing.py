"""A candidate: 25 circles in a grid and one in a gap between four of them."""

import numpy as np


def run_packing():
    places = np.linspace(0.1, 0.9, 5)
    centres = [(x, y) for x in places for y in places] + [(0.2, 0.2)]
    radii = [0.1] * 25 + [0.1 * (2**0.5 - 1)]
    return np.array(centres), np.array(radii)
