"""Neighbours by distance between places: nearest ones, a band, a kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SMALL = 700
"""Units up to which all distances at once cost less than loading SciPy's tree."""

MOST_LINKS = 300_000_000
"""Links of a distance band beyond which memory would run out."""

ROUNDING = 1e-12
"""Relative width within which two distances from different formulas may be one."""


def nearest_links(
    points: FloatArray, k: int, *, asked: IntArray | None = None, threads: int = -1
) -> tuple[IntArray, IntArray, FloatArray]:
    """Link every unit to its k nearest others.

    Parameters
    ----------
    points : (n, 2) or (n, 3) float64
        Places, in the plane or on the unit sphere.
    k : int
        ``0 < k < n``.
    asked : (a,) int64, optional
        Rows whose neighbours are wanted, ascending; all by default.
    threads : int
        For the search among many units; -1 takes all processors.

    Returns
    -------
    row, neighbor : (n k,) int64
        Directed links; each unit's by rising distance, equal distances by row number.
    distance : (n k,) float64
        Straight-line distance of each.

    Examples
    --------
    >>> row, neighbor, distance = nearest_links(np.array([[0.0, 0], [1, 0], [2, 0], [5, 0]]), 1)
    >>> neighbor.tolist(), distance.tolist()
    ([1, 0, 1, 2], [1.0, 1.0, 1.0, 3.0])
    """
    n = len(points)
    everyone = np.arange(n)
    asked = everyone if asked is None else asked
    if n <= SMALL:
        table = _distance(points, np.repeat(asked, n), np.tile(everyone, len(asked))).reshape(-1, n)
        table[np.arange(len(asked)), asked] = np.inf
        near = np.argsort(table, axis=1, kind="stable")[:, :k]  # stable: equal distances stay in row order
        return np.repeat(asked, k), near.ravel(), np.take_along_axis(table, near, axis=1).ravel()
    from scipy.spatial import KDTree

    # Nobody needs more than k + 1 units of one and the same place, so crowded places cannot swamp the search.
    kept = _first_of_each_place(points, k + 1)
    tree = KDTree(points[kept])
    distance, near = (np.asarray(found) for found in tree.query(points[asked], k=k + 2, workers=threads))
    last, limit = distance[:, -1], distance[:, -2] * (1 + ROUNDING)
    row = np.repeat(asked, k + 2)
    candidate = near.ravel()
    real = candidate < len(kept)  # the tree fills up with its size where there are too few
    row, other = row[real], kept[candidate[real]]
    # Where the list ends within a tie, or may not hold the unit itself, fetch all that are as near.
    itself = np.zeros(n, dtype=np.bool_)
    itself[row[row == other]] = True
    cut = np.flatnonzero((last <= limit) | ~itself[asked])
    if len(cut):
        radius = distance[cut, -1] * (1 + ROUNDING)
        balls = tree.query_ball_point(points[asked[cut]], radius, workers=threads)
        sizes = np.fromiter(map(len, balls), dtype=np.int64, count=len(balls))
        row = np.concatenate([row, np.repeat(asked[cut], sizes)])
        other = np.concatenate(
            [other, kept[np.concatenate([np.asarray(ball, dtype=np.int64) for ball in balls])]]
        )
        row, other = np.divmod(np.unique(row * n + other), n)
    return _closest(points, row, other, k)


def band_links(points: FloatArray, radius: float) -> tuple[IntArray, IntArray]:
    """Link all units at most `radius` apart.

    Returns
    -------
    first, second : (m,) int64
        Each pair once, ``first < second``.

    Raises
    ------
    DataError
        When the links would not fit in memory.
    """
    n = len(points)
    if n <= SMALL:
        first, second = np.triu_indices(n, 1)
    else:
        from scipy.spatial import KDTree

        tree = KDTree(points)
        links = int(tree.count_neighbors(tree, radius)) - n
        if links > MOST_LINKS:
            raise DataError(
                f"at this distance the {n} units have {links / n:.0f} neighbours each, {links} links in all",
                advice="use a shorter distance or --weights knn:6",
            )
        pairs = tree.query_pairs(radius * (1 + ROUNDING), output_type="ndarray")
        first, second = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
    near = _distance(points, first, second) <= radius
    return first[near], second[near]


def kernel_values(distance: FloatArray, k: int, function: str) -> FloatArray:
    """Weigh the links of :func:`nearest_links` by a kernel of adaptive bandwidth.

    With h the distance from a unit to its k-th nearest neighbour and z = d / h, the weight is

    - gaussian: exp(-z^2 / 2) / sqrt(2 pi)
    - triangular: 1 - z
    - uniform: 1 / 2
    - quadratic (Epanechnikov): 3/4 (1 - z^2)
    - quartic (biweight): 15/16 (1 - z^2)^2

    h is widened by a ten-millionth so that the k-th neighbour itself keeps a weight above zero. Where all k
    neighbours share the unit's place, z is 0.

    Parameters
    ----------
    distance : (n k,) float64
        Rising within each unit's k links.

    Examples
    --------
    >>> kernel_values(np.array([1.0, 2.0]), 2, "triangular").round(3).tolist()
    [0.5, 0.0]
    """
    h = distance.reshape(-1, k)[:, -1] * 1.0000001
    z = distance / np.repeat(np.where(h > 0, h, 1.0), k)
    shapes = {
        "gaussian": lambda z: np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
        "triangular": lambda z: 1 - z,
        "uniform": lambda z: np.full_like(z, 0.5),
        "quadratic": lambda z: 0.75 * (1 - z**2),
        "quartic": lambda z: 15 / 16 * (1 - z**2) ** 2,
    }
    return np.asarray(shapes[function](z), dtype=np.float64)


def _closest(
    points: FloatArray, row: IntArray, other: IntArray, k: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Keep each unit's k nearest among candidate links; equal distances go by row number."""
    apart = row != other
    row, other = row[apart], other[apart]
    distance = _distance(points, row, other)
    order = np.lexsort((other, distance, row))
    row, other, distance = row[order], other[order], distance[order]
    start = np.searchsorted(row, np.arange(len(points)))
    kept = np.arange(len(row)) - start[row] < k
    return row[kept], other[kept], distance[kept]


def _distance(points: FloatArray, row: IntArray, other: IntArray) -> FloatArray:
    """Return straight-line distances; the same two places give the same number, whoever asks."""
    square = np.zeros(len(row))
    for axis in points.T:
        square += (axis[row] - axis[other]) ** 2
    return np.sqrt(square)


def _first_of_each_place(points: FloatArray, count: int) -> IntArray:
    """Return the rows of the first `count` units of every place, ascending."""
    order = np.lexsort(points.T)  # stable: equal places stay in row order
    moved = (np.diff(points[order], axis=0) != 0).any(axis=1)
    starts = np.concatenate([[0], np.flatnonzero(moved) + 1])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return np.sort(order[rank < count])
