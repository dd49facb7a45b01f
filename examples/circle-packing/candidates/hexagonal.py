"""A hexagonal packing: six rows of five and four circles in turn, each in the gaps of the last."""

import math


def pack():
    r = 1 / (2 + 5 * math.sqrt(3))  # six rows fill the height
    circles = []
    for row in range(6):
        for column in range(5 - row % 2):
            x = r * (1 + row % 2 + 2 * column)
            y = r * (1 + math.sqrt(3) * row)
            circles.append((x, y, r * (1 - 1e-12)))
    return circles[:26]
