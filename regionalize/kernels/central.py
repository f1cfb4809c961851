"""What lies in the middle of units: their medoid, their medians, their geometric median."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled
from regionalize.kernels.medoids import find_central_unit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEW_UNITS = 400
"""Up to here all distances are one NumPy table, and no compiler is loaded."""
MOST_CELLS = 4_000_000_000
"""Values read at most in search of the most central unit."""
ROUNDING = 1e-9
"""Relative rounding allowed between sums of distances."""
STEPS = 1000
LOOK_ROUND = 10
"""Steps after which it is asked whether a geometric median is one of the units."""
STILL = 1e-12
"""Shift, relative to the data, at which the geometric median has been found."""


def distances_to(X: NDArray[np.floating[Any]], points: FloatArray, euclidean: bool) -> FloatArray:
    """Return the distances of n units to m points, shape (n, m): Euclidean (not squared) or Manhattan.

    Examples
    --------
    >>> distances_to(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]]), False).tolist()
    [[0.0], [7.0]]
    """
    distance = np.zeros((len(X), len(points)))
    for column, at in zip(X.T, points.T, strict=True):
        difference = np.subtract.outer(column, at)
        distance += difference * difference if euclidean else np.abs(difference)
    return np.sqrt(distance) if euclidean else distance


def central_unit(X: NDArray[np.floating[Any]], euclidean: bool) -> tuple[int, float, bool]:
    """Return the medoid of all units: the row with the least summed distance to the others.

    Parameters
    ----------
    X : (n, p) float
        At least one unit.
    euclidean : bool
        Euclidean distances; Manhattan distances otherwise.

    Returns
    -------
    unit : int
        Its row; of equal ones the first.
    total : float
        Its summed distance.
    exact : bool
        False when there are too many units for all to be ruled out.

    Examples
    --------
    >>> central_unit(np.array([[0.0], [1.0], [2.0], [9.0]]), False)
    (1, 10.0, True)
    """
    n, p = X.shape
    if n <= FEW_UNITS:
        totals = distances_to(X, np.asarray(X, dtype=np.float64), euclidean).sum(axis=0)
        unit = int(totals.argmin())
        return unit, float(totals[unit]), True
    values = np.asarray(X, dtype=np.float64)
    order = np.argsort(distances_to(values, np.median(values, axis=0)[None], euclidean)[:, 0], kind="stable")
    most = max(MOST_CELLS // (n * max(p, 1)), 1)
    columns = np.ascontiguousarray(values.T)
    unit, total, exact = compiled(find_central_unit)(columns, order, euclidean, ROUNDING, most)
    return int(unit), float(total), bool(exact)


def central_units(X: NDArray[np.floating[Any]], labels: IntArray, k: int, euclidean: bool) -> IntArray:
    """Return the medoid of each cluster 0 … k - 1, as rows of X, shape (k,).

    Examples
    --------
    >>> central_units(np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 0, 0, 1]), 2, False).tolist()
    [1, 3]
    """
    members = [np.flatnonzero(labels == cluster) for cluster in range(k)]
    return np.array([units[central_unit(X[units], euclidean)[0]] for units in members], dtype=np.int64)


def medians(
    X: NDArray[np.floating[Any]], labels: IntArray, k: int, order: IntArray | None = None
) -> FloatArray:
    """Return the median of each variable over each cluster 0 … k - 1, none of them empty, shape (k, p).

    Of an even number of units it is the mean of the two in the middle. `order` (p, n) holds the rows by each
    variable, rising, and spares sorting them when medians of the same units are asked for again and again.

    Examples
    --------
    >>> medians(np.array([[0.0], [1.0], [8.0], [3.0]]), np.array([0, 0, 0, 1]), 2).tolist()
    [[1.0], [3.0]]
    """
    columns = np.asarray(X, dtype=np.float64).T
    order = np.argsort(columns, axis=1, kind="stable") if order is None else order
    cluster = labels.astype(np.min_scalar_type(k))[order]  # the fewest bytes are sorted fastest
    rows = np.take_along_axis(order, np.argsort(cluster, axis=1, kind="stable"), axis=1)
    count = np.bincount(labels, minlength=k)
    first = np.cumsum(count) - count
    low = np.take_along_axis(columns, rows[:, first + (count - 1) // 2], axis=1)
    high = np.take_along_axis(columns, rows[:, first + count // 2], axis=1)
    middle: FloatArray = ((low + high) / 2.0).T
    return middle


def geometric_medians(
    X: NDArray[np.floating[Any]],
    labels: IntArray,
    k: int,
    start: FloatArray | None = None,
    steps: int = STEPS,
) -> FloatArray:
    """Return the point of each cluster with the least summed Euclidean distance to its units, shape (k, p).

    Weiszfeld's (1937) iteration: a mean in which every unit weighs one over its distance; with the step of
    Vardi and Zhang (2000) where the point meets a unit.

    Parameters
    ----------
    X : (n, p) float
        Units.
    labels : (n,) int64
        Clusters 0 … k - 1, none empty.
    k : int
        Number of clusters.
    start : (k, p) float64, optional
        Where to begin: the medians of the variables unless given.
    steps : int
        Most steps; fewer when the points stand still.

    References
    ----------
    Weiszfeld (1937), Sur le point pour lequel la somme des distances de n points donnés est minimum.
    Vardi and Zhang (2000), The multivariate L1-median and associated data depth.

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> geometric_medians(corners, np.zeros(4, int), 1).tolist()
    [[1.0, 1.0]]
    """
    values = np.asarray(X, dtype=np.float64)
    points = medians(values, labels, k) if start is None else start.copy()
    scale = float(np.abs(values - values[:1]).max(initial=0.0))
    for step in range(1, steps + 1):
        pull, weight, met, mean = pulls(values, labels, points, k, scale * STILL)
        length = np.sqrt(np.einsum("kp,kp->k", pull, pull))
        held = np.divide(met, length, out=np.ones(k), where=length > 0)
        share = np.clip(1.0 - held, 0.0, 1.0)[:, None]
        moved = np.where(weight[:, None] > 0, share * mean + (1.0 - share) * points, points)
        shift = float(np.abs(moved - points).max(initial=0.0))
        points = moved
        if shift <= scale * STILL:
            break
        if step % LOOK_ROUND == 0:
            points = at_units(values, labels, points, k, scale)
    return points


def pulls(
    X: FloatArray, labels: IntArray, points: FloatArray, k: int, near: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return what units do to the point of their cluster.

    That is the sum of their unit vectors (k, p) and of one over their distances (k,), how many are met (k,),
    and the mean they draw the point to (k, p).
    """
    difference = X - points[labels]
    distance = np.sqrt(np.einsum("np,np->n", difference, difference))
    there = distance <= near
    weight = np.divide(1.0, distance, out=np.zeros(len(X)), where=~there)
    total: FloatArray = np.bincount(labels, weight, minlength=k).astype(np.float64)
    met: FloatArray = np.bincount(labels, there, minlength=k).astype(np.float64)
    columns = [np.bincount(labels, weight * column, minlength=k) for column in difference.T]
    pull: FloatArray = np.stack(columns, axis=1).astype(np.float64)
    mean = points + pull / np.where(total > 0, total, 1.0)[:, None]
    return pull, total, met, mean


def at_units(X: FloatArray, labels: IntArray, points: FloatArray, k: int, scale: float) -> FloatArray:
    """Put a point on the unit nearest to it where that unit is the geometric median.

    The iteration comes ever nearer to such a unit, but does not reach it; once there, it stays.
    """
    difference = X - points[labels]
    distance = np.einsum("np,np->n", difference, difference)
    order = np.lexsort((distance, labels))
    nearest = order[np.searchsorted(labels[order], np.arange(k))]
    pull, _, met, _ = pulls(X, labels, X[nearest], k, scale * STILL)
    best = np.sqrt(np.einsum("kp,kp->k", pull, pull)) <= met * (1.0 + ROUNDING)
    return np.where(best[:, None], X[nearest], points)
