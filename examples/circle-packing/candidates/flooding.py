"""Writes to standard output without end."""


def pack():
    while True:
        print("still improving the packing " * 40)
