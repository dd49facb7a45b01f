"""Circles that push each other apart while they grow, from the hexagonal packing.

Climbs the sum of radii less a penalty on every overlap, ever steeper; what overlap is left at the
end is taken off the radii.
"""

import math
import random

STEPS = 8000


def start(rng):
    """Six hexagonal rows, a little disturbed, so that the circles need not stay equal."""
    places = [(row, column) for row in range(6) for column in range(5 - row % 2)]
    return [
        [
            0.1 + 0.1 * (row % 2) + 0.2 * column + rng.gauss(0, 0.02),
            0.1 + 0.16 * row + rng.gauss(0, 0.02),
            0.07,
        ]
        for row, column in places[:26]
    ]


def climb(circles, steepness, step):
    """One step up the gradient."""
    push = [[0.0, 0.0, 1.0] for _ in circles]
    for i, (x, y, r) in enumerate(circles):
        for axis, value in ((0, x), (1, y)):
            low, high = max(r - value, 0.0), max(value + r - 1, 0.0)
            push[i][axis] += steepness * (low - high)
            push[i][2] -= steepness * (low + high)
        for j in range(i):
            dx, dy = x - circles[j][0], y - circles[j][1]
            reach = r + circles[j][2]
            if dx * dx + dy * dy < reach * reach:
                distance = math.hypot(dx, dy) or 1e-9
                force = steepness * (reach - distance)
                for k, sign in ((i, 1), (j, -1)):
                    push[k][0] += sign * force * dx / distance
                    push[k][1] += sign * force * dy / distance
                    push[k][2] -= force
    for circle, change in zip(circles, push):
        for axis in range(3):
            circle[axis] += step * change[axis]


def shrunk(circles):
    """The same circles, the larger of two that overlap made smaller, and all inside the square."""
    for i, circle in enumerate(circles):
        x, y, r = circle
        circle[2] = min(r, x, 1 - x, y, 1 - y)
        for other in circles[:i]:
            overlap = circle[2] + other[2] - math.dist(circle[:2], other[:2])
            if overlap > 0:
                larger = max(circle, other, key=lambda c: c[2])
                larger[2] -= overlap
    return [(x, y, r * (1 - 1e-12)) for x, y, r in circles]


def pack():
    circles = start(random.Random(2))
    for i in range(STEPS):
        steepness = 20 * 1000 ** (i / STEPS)
        climb(circles, steepness, 0.15 / steepness)
    return shrunk(circles)
