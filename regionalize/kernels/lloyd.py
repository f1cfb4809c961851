"""Steps of k-means over one candidate solution: rows to centres, centres to means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

BLOCK = 256
"""Rows whose distances are held at once: few enough for the nearest cache."""


def lloyd_steps(
    X: FloatArray,
    columns: FloatArray,
    centers: FloatArray,
    labels: NDArray[np.int32],
    sums: NDArray[np.float64],
    steps: int,
    by_moves: bool,
    still: int,
) -> int:
    """Run steps: every row to its nearest centre, then every centre to the mean of its rows.

    Parameters
    ----------
    X : (n, p) float
        The data.
    columns : (p, n) float
        The same, a variable per row: where the innermost loop is over units.
    centers : (k, p) float, as `X`
        Replaced by the means before every step but the first; an empty cluster keeps its own.
    labels : (n,) int32
        Cluster of each row, -1 for none yet; updated.
    sums : (k, p + 1) float64
        Sums and counts by `labels`; updated for the rows that change cluster.
    steps : int
        Most steps, at least 1.
    by_moves : bool
        Weigh distances by Hartigan's criterion: to the row's own cluster ``n / (n - 1)``, to another
        ``n / (n + 1)``. No label may then be -1, and `centers` must be the means.
    still : int
        End early when no more rows than these change cluster.

    Returns
    -------
    int
        How many rows changed cluster in the last step.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> centers, sums = np.array([[0.0], [1.0]]), np.zeros((2, 2))
    >>> labels = np.full(4, -1, np.int32)
    >>> int(lloyd_steps(X, X.T, centers, labels, sums, 10, False, 0))
    0
    >>> labels.tolist(), sums.tolist()
    ([0, 0, 1, 1], [[1.0, 2.0], [21.0, 2.0]])
    """
    n, k, p = len(X), len(centers), X.shape[1]
    join = np.ones(k, columns.dtype)
    stay = np.ones(k, columns.dtype)
    distance = np.empty(BLOCK, columns.dtype)
    least = np.empty(BLOCK, columns.dtype)
    nearest = np.empty(BLOCK, np.int32)
    changed = 0
    for step in range(steps):
        if step > 0:
            for cluster in range(k):
                if sums[cluster, p] > 0:
                    for variable in range(p):
                        centers[cluster, variable] = sums[cluster, variable] / sums[cluster, p]
        if by_moves:
            for cluster in range(k):
                count = sums[cluster, p]
                join[cluster] = count / (count + 1)
                stay[cluster] = count / max(count - 1, 0.5)
        changed = 0
        for first in range(0, n, BLOCK):
            size = min(BLOCK, n - first)
            own = labels[first : first + size]
            least[:] = np.inf
            nearest[:] = 0
            for cluster in range(k):
                distance[:] = 0
                for variable in range(p):
                    center = centers[cluster, variable]
                    values = columns[variable, first : first + size]
                    for row in range(size):
                        difference = values[row] - center
                        distance[row] += difference * difference
                for row in range(size):
                    weighed = distance[row] * (stay[cluster] if own[row] == cluster else join[cluster])
                    if weighed < least[row]:
                        least[row] = weighed
                        nearest[row] = cluster
            for row in range(size):
                old, new = own[row], nearest[row]
                if old == new:
                    continue
                changed += 1
                own[row] = new
                sums[new, p] += 1
                for variable in range(p):
                    sums[new, variable] += X[first + row, variable]
                if old >= 0:
                    sums[old, p] -= 1
                    for variable in range(p):
                        sums[old, variable] -= X[first + row, variable]
        if changed <= still:
            break
    return changed


def add_rows(X: FloatArray, labels: NDArray[np.integer[Any]], sums: NDArray[np.float64]) -> None:
    """Add every row and its count of one to the sums (k, p + 1) of its cluster.

    Examples
    --------
    >>> sums = np.zeros((2, 2))
    >>> add_rows(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 1]), sums)
    >>> sums.tolist()
    [[1.0, 1.0], [6.0, 2.0]]
    """
    p = X.shape[1]
    for row in range(len(X)):
        own = labels[row]
        sums[own, p] += 1
        for variable in range(p):
            sums[own, variable] += X[row, variable]


def move_units(
    X: FloatArray,
    units: NDArray[np.int64],
    labels: NDArray[np.integer[Any]],
    sums: FloatArray,
    least: float,
) -> int:
    """Make the best move of each unit in turn, if it changes the within sum of squares by less than `least`.

    Parameters
    ----------
    X : (n, p) float
        The data.
    units : (m,) int64
        Rows to try, in this order.
    labels : (n,) int
        Clusters; updated. The last member of a cluster stays.
    sums : (k, p + 1) float64
        Sums and counts of the clusters; updated.
    least : float
        A negative number: a change not below it is taken for rounding.

    Returns
    -------
    int
        How many units moved.

    Examples
    --------
    >>> X, labels = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 0, 1, 1])
    >>> sums = np.array([[1.0, 2.0], [11.0, 2.0]])
    >>> move_units(X, np.arange(4), labels, sums, -1e-12), labels.tolist()
    (1, [0, 0, 0, 1])
    """
    p = X.shape[1]
    moved = 0
    for unit in units:
        own = labels[unit]
        if sums[own, p] <= 1:
            continue
        counts = sums[:, p].copy()
        difference = sums[:, :p] / counts.reshape(-1, 1) - X[unit]
        distance = (difference * difference).sum(axis=1)
        leave = distance[own] * counts[own] / (counts[own] - 1)
        distance *= counts / (counts + 1)
        distance[own] = np.inf
        target = distance.argmin()
        if distance[target] - leave < least:
            sums[own, :p] -= X[unit]
            sums[target, :p] += X[unit]
            sums[own, p] -= 1
            sums[target, p] += 1
            labels[unit] = target
            moved += 1
    return moved
