"""Bring clusters within bounds, where what counts is the distance of each unit to the centre."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.methods.bounded import MAX_ROUNDS, Totals, drain, fill
from regionalize.methods.kmeans import no_solution
from regionalize.model.bounds import Bound

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROUNDING = 1e-12
"""Changes below this share of the summed distance are taken for rounding."""


def bound_centers(
    labels: IntArray,
    k: int,
    bounds: Sequence[Bound],
    centers_of: Callable[[IntArray], Any],
    distances_to: Callable[[Any], FloatArray],
) -> IntArray:
    """Move units until every bound holds; then centres and units in turn, as long as units come nearer.

    Parameters
    ----------
    labels : (n,) int64
        Clusters 0 … k - 1, none empty, as they are best without bounds.
    k : int
        Number of clusters.
    bounds : sequence of Bound
        What must hold.
    centers_of : callable
        Labels to the centres of the clusters.
    distances_to : callable
        Centres to the distance of each unit to each of them, shape (n, k).

    Returns
    -------
    (n,) int64
        Clusters within the bounds, none empty.

    Raises
    ------
    InfeasibleError
        Some bound is still broken when no further unit can be moved.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 9.0])
    >>> def middle(labels):
    ...     return np.array([np.median(x[labels == 0]), np.median(x[labels == 1])])
    >>> pairs = Bound("units", np.ones(4), lower=2)
    >>> bound_centers(np.array([0, 0, 0, 1]), 2, [pairs], middle, lambda at: abs(x[:, None] - at)).tolist()
    [0, 0, 1, 1]
    """
    totals = Totals(bounds, labels, k)
    labels = labels.copy()
    distance = distances_to(centers_of(labels))
    if not meet_bounds(distance, labels, k, totals):
        raise no_solution(k, bounds)
    best, least = labels.copy(), np.inf
    for _ in range(MAX_ROUNDS):
        distance = distances_to(centers_of(labels))
        improve_within(distance, labels, k, totals)
        total = float(distance[np.arange(len(labels)), labels].sum())
        if total >= least * (1.0 - ROUNDING):
            break
        best, least = labels.copy(), total
    return best


def change_of_moves(distance: FloatArray, labels: IntArray, k: int) -> FloatArray:
    """Change in the summed distance if each unit alone went to each cluster, shape (n, k)."""
    line = np.arange(len(labels))
    change = distance - distance[line, labels][:, None]
    change[line, labels] = np.inf
    change[np.bincount(labels, minlength=k)[labels] <= 1] = np.inf  # a cluster never loses its last member
    return change


def meet_bounds(distance: FloatArray, labels: IntArray, k: int, totals: Totals) -> bool:
    """Move units, the cheapest first, until every bound holds; tell whether that was possible."""
    for _ in range(50 * k + len(labels)):
        short, over = totals.short(), totals.over()
        if not short.any() and not over.any():
            return True
        change = change_of_moves(distance, labels, k)
        moved = fill(change, labels, totals, short) if short.any() else drain(change, labels, totals, over)
        if not moved:
            return False
    return False


def improve_within(distance: FloatArray, labels: IntArray, k: int, totals: Totals) -> None:
    """Move single units, or let two change places where a bound stands in the way, while that is nearer."""
    least = -ROUNDING * float(distance[np.arange(len(labels)), labels].sum())
    for _ in range(MAX_ROUNDS):
        gain = change_of_moves(distance, labels, k).min(axis=1)
        wanted = np.flatnonzero(gain < least)
        wanted = wanted[np.argsort(gain[wanted], kind="stable")]
        if not sum(move_or_swap(distance, int(unit), labels, totals, least) for unit in wanted):
            break


def move_or_swap(distance: FloatArray, unit: int, labels: IntArray, totals: Totals, least: float) -> bool:
    """Make the best allowed move of one unit, or else its best exchange; say whether there was one."""
    source = int(labels[unit])
    change = distance[unit] - distance[unit, source]
    alone = int((labels == source).sum()) == 1
    for target in np.argsort(change, kind="stable"):
        if change[target] >= least:
            return False
        here = np.array([unit]), np.array([source]), np.array([target])
        if not alone and totals.may_move(*here)[0]:
            totals.move(unit, source, target)
            labels[unit] = target
            return True
        members = np.flatnonzero(labels == target)
        members = members[totals.may_swap(unit, members, source, target)]
        if not len(members):
            continue
        both = change[target] + distance[members, source] - distance[members, target]
        one = int(both.argmin())
        if both[one] < least:
            partner = int(members[one])
            totals.move(unit, source, target)
            totals.move(partner, target, source)
            labels[unit], labels[partner] = target, source
            return True
    return False
