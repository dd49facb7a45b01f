"""The grid with radii one percent too large: a better sum, and wrong."""


def pack():
    r = 1 / 12
    circles = [((2 * i + 1) * r, (2 * j + 1) * r, r * 1.01) for j in range(5) for i in range(6)]
    return circles[:26]
