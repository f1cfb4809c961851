"""Sums that come out the same in whatever order, or in however many parts, rows are added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


def add_rows_exactly(
    X: FloatArray, labels: NDArray[np.integer[Any]], sums: NDArray[np.float64], rest: NDArray[np.float64]
) -> None:
    """Add every row, and its count of one, to the sums of its cluster, and what rounding lost to the rest.

    Sums and rest together hold about twice the digits of either (Knuth's two-sum; Ogita, Rump and Oishi
    2005), so that the order in which rows are added is not seen in what they come to.

    Parameters
    ----------
    X : (n, p) float
        Rows.
    labels : (n,) int
        Cluster of each row, 0 … k - 1; a row below 0 counts nowhere.
    sums, rest : (k, p + 1) float64
        Updated.

    Examples
    --------
    >>> sums, rest = np.zeros((1, 2)), np.zeros((1, 2))
    >>> add_rows_exactly(np.array([[1.0], [1e17], [1.0], [-1e17]]), np.zeros(4, int), sums, rest)
    >>> (sums + rest).tolist()
    [[2.0, 4.0]]
    """
    p = X.shape[1]
    for row in range(len(X)):
        own = labels[row]
        if own < 0:
            continue
        sums[own, p] += 1
        for variable in range(p):
            value = np.float64(X[row, variable])
            before = sums[own, variable]
            total = before + value
            taken = total - before
            rest[own, variable] += (before - (total - taken)) + (value - taken)
            sums[own, variable] = total
