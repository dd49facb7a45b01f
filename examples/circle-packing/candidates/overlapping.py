"""The filled grid with its last circle one percent too large: a better sum, and wrong."""

import math


def pack():
    circles = [(0.1 + 0.2 * i, 0.1 + 0.2 * j, 0.1) for i in range(5) for j in range(5)]
    circles.append((0.2, 0.2, 0.1 * (math.sqrt(2) - 1) * 1.01))
    return [(x, y, r * (1 - 1e-12)) for x, y, r in circles]
