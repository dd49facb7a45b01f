"""Random centres: each circle in turn grows until it touches a wall or a neighbour."""

import math
import random


def room(x, y, circles):
    """The radius of the largest circle at (x, y) that fits."""
    walls = [x, 1 - x, y, 1 - y]
    return min(walls + [math.hypot(x - a, y - b) - r for a, b, r in circles])


def pack():
    rng = random.Random(26)
    circles = []
    while len(circles) < 26:
        # The best of a few throws: enough to avoid slivers, not enough to be good.
        throws = [(rng.random(), rng.random()) for _ in range(60)]
        x, y = max(throws, key=lambda throw: room(*throw, circles))
        circles.append((x, y, min(room(x, y, circles), 0.11) * (1 - 1e-12)))
    return circles
