"""Divide a map into cells that hold few units each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def divided(counts: IntArray, most: int) -> IntArray:
    """Divide the squares of a grid into rectangular cells, by halves until none holds too many.

    Parameters
    ----------
    counts : (rows, columns) int64
        Units in each square.
    most : int
        How many a cell may hold, 1 or more. A single square may hold more.

    Returns
    -------
    (rows, columns) int64
        Cell of each square, 0 … number of cells - 1.

    References
    ----------
    Bentley (1975), Multidimensional binary search trees used for associative searching.

    Examples
    --------
    >>> divided(np.array([[2, 0, 0, 3], [1, 0, 4, 0]]), 4).tolist()
    [[0, 1, 1, 2], [0, 1, 1, 2]]
    """
    cells = np.zeros(counts.shape, dtype=np.int64)
    waiting = [(0, counts.shape[0], 0, counts.shape[1])]
    number = 0
    while waiting:
        top, bottom, left, right = waiting.pop()
        within = counts[top:bottom, left:right]
        height, width = within.shape
        if within.sum() <= most or height * width == 1:
            cells[top:bottom, left:right] = number
            number += 1
            continue
        along = within.sum(axis=0 if width >= height else 1)
        below = np.cumsum(along)[:-1]
        half = int(np.abs(2 * below - along.sum()).argmin()) + 1
        if width >= height:
            waiting += [(top, bottom, left + half, right), (top, bottom, left, left + half)]
        else:
            waiting += [(top + half, bottom, left, right), (top, top + half, left, right)]
    return cells
