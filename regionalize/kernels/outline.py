"""Which edges of polygons are not those of two of them, once either way round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Keys = NDArray[np.uint64]

NONE = 0
"""Key of what is no edge: the end of a ring, and a vertex that is drawn twice."""


def edge_keys(points: NDArray[np.float64], bits: Keys, starts: IntArray, hole: NDArray[np.bool_]) -> Keys:
    """Give every edge a key: but for the last bit, that of the same edge the other way round.

    Edges run with the inside to their left, however the rings run.

    Parameters
    ----------
    points : (N, 2) float64
        Vertices, ring after ring; none is -0.0.
    bits : (N, 2) uint64
        The same memory.
    starts : (r + 1,) int64
        Ring i is ``points[starts[i]:starts[i + 1]]``, its last vertex the first.
    hole : (r,) bool
        Which rings bound a hole.

    Returns
    -------
    (N,) uint64
        Of the edge that leaves each vertex; `NONE` where there is none.
    """
    keys = np.zeros(len(points), dtype=np.uint64)
    one, half = np.uint64(1), np.uint64(32)
    first, second, third = (
        np.uint64(0x9E3779B97F4A7C15),
        np.uint64(0xD6E8FEB86659FD93),
        np.uint64(0xBF58476D1CE4E5B9),
    )
    for ring in range(len(hole)):
        low, high = starts[ring], starts[ring + 1]
        turn = 0.0
        x, y = points[low, 0], points[low, 1]
        for place in range(low, high - 1):
            turn += (points[place, 0] - x) * (points[place + 1, 1] - y)
            turn -= (points[place, 1] - y) * (points[place + 1, 0] - x)
        forwards = (turn > 0) != hole[ring]
        before = np.uint64(0)
        for place in range(low, high):
            mixed = bits[place, 0] * first
            mixed ^= mixed >> half
            mixed += bits[place, 1]
            mixed *= second
            mixed ^= mixed >> half
            if place > low and mixed != before:
                key = (before + mixed) * third
                key ^= key >> half
                key = key >> one << one
                if forwards == (before < mixed):
                    key |= one
                keys[place - 1] = key
            before = mixed
    return keys


def unpaired(keys: Keys) -> Keys:
    """Return the keys, each once and rising, that are not there exactly once either way round.

    Parameters
    ----------
    keys : (N,) uint64
        Sorted.

    Examples
    --------
    >>> unpaired(np.array([0, 0, 4, 5, 6, 8, 8, 9], dtype=np.uint64)).tolist()
    [6, 8, 9]
    """
    one = np.uint64(1)
    found = np.empty(len(keys), dtype=np.uint64)
    count, place = 0, 0
    while place < len(keys) and keys[place] == NONE:
        place += 1
    while place < len(keys):
        pair = keys[place] >> one
        even, odd = 0, 0
        while place < len(keys) and keys[place] >> one == pair:
            if keys[place] & one == one:
                odd += 1
            else:
                even += 1
            place += 1
        if even != 1 or odd != 1:
            for way, times in ((np.uint64(0), even), (one, odd)):
                if times > 0:
                    found[count] = (pair << one) | way
                    count += 1
    return found[:count]
