"""A plain grid: 26 equal circles in the first cells of six by five."""


def pack():
    r = 1 / 12
    circles = [((2 * i + 1) * r, (2 * j + 1) * r, r * (1 - 1e-12)) for j in range(5) for i in range(6)]
    return circles[:26]
