"""Check a result once more, by other code than made it, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.components import components_within

if TYPE_CHECKING:
    from regionalize.model.bounds import Bound
    from regionalize.model.partition import Partition
    from regionalize.model.weights import Weights

SLACK = 1e-9
"""Relative rounding allowed when sums are compared with a bound."""


def verify(
    partition: Partition,
    k: int,
    bounds: Sequence[Bound],
    rows: NDArray[np.int64],
    weights: Weights | None,
    upper: NDArray[np.int64] | None = None,
) -> None:
    """Make sure that there are k regions, each contiguous, within the bounds and within one upper unit.

    Parameters
    ----------
    partition : Partition
        Labels of all n rows.
    k : int
        Regions asked for.
    bounds : sequence of Bound
        Amounts of the rows used.
    rows : (m,) int64
        Rows used.
    weights : Weights
        Neighbours of the n rows; a link counts in both directions.
    upper : (n,) int64, optional
        Upper unit of each row, which no region may cross.

    Raises
    ------
    AssertionError
        The method is wrong: not a fault of the data.

    Examples
    --------
    >>> from regionalize.model.partition import Partition
    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(3, np.array([0, 1]), np.array([1, 2]), kind="example")
    >>> verify(Partition.canonical(np.array([0, 0, 1])), 2, (), np.arange(3), path)
    >>> verify(Partition.canonical(np.array([0, 1, 0])), 2, (), np.arange(3), path)
    Traceback (most recent call last):
    AssertionError: region 1 is in 2 pieces
    """
    labels = partition.labels
    found = np.unique(labels[rows])
    if found.tolist() != list(range(1, k + 1)):
        raise AssertionError(f"{len(found)} regions were made, not {k}")
    for bound in bounds:
        held = np.bincount(labels[rows], bound.amount, minlength=k + 1)[1:]
        slack = SLACK * max(float(bound.amount.sum()), 1.0)
        for region in np.flatnonzero((held < bound.lower - slack) | (held > bound.upper + slack)):
            raise AssertionError(f"region {region + 1} holds {held[region]:g} {bound.name}")
    if weights is not None:
        piece = components_within(weights.indptr, weights.indices, labels)
        pieces = np.bincount(np.unique(np.stack([labels[rows], piece[rows]]), axis=1)[0], minlength=k + 1)
        for region in np.flatnonzero(pieces > 1):
            raise AssertionError(f"region {region} is in {pieces[region]} pieces")
    if upper is not None:
        crossings = np.unique(np.stack([labels[rows], upper[rows]]), axis=1)[0]
        for region in np.flatnonzero(np.bincount(crossings, minlength=k + 1) > 1):
            raise AssertionError(f"region {region} crosses upper units")


def verify_even(labels: NDArray[np.int64], amount: NDArray[np.float64] | None, tolerance: float) -> None:
    """Make sure that regions hold nearly the same.

    Parameters
    ----------
    labels : (m,) int64
        Region of each row used, from 1.
    amount : (m,) float64 or None
        What each row holds; None: units are counted, and may always be as even as whole numbers can.
    tolerance : float
        How far a region may be from the mean, as a share of it.

    Examples
    --------
    >>> verify_even(np.array([1, 1, 2]), None, 0.0)
    >>> verify_even(np.array([1, 1, 2]), np.array([1.0, 2, 2]), 0.1)
    Traceback (most recent call last):
    AssertionError: region 1 holds 3, and 2.5 on average
    """
    held = np.bincount(labels, amount)[1:]
    mean = float(held.mean())
    free = mean * tolerance + SLACK * max(float(held.sum()), 1.0)
    for region in np.flatnonzero(np.abs(held - mean) > free):
        if amount is not None or abs(held[region] - mean) >= 1:
            raise AssertionError(f"region {region + 1} holds {held[region]:g}, and {mean:g} on average")


def verify_nested(partitions: Sequence[Partition]) -> None:
    """Make sure that every region lies in one region of the partition before it, which is coarser.

    Examples
    --------
    >>> from regionalize.model.partition import Partition
    >>> verify_nested([Partition(np.array([1, 1, 2])), Partition(np.array([1, 2, 2]))])
    Traceback (most recent call last):
    AssertionError: region 2 of 2 lies in 2 of the 2 coarser ones
    """
    for coarse, fine in pairwise(partitions):
        inside = np.unique(np.stack([fine.labels, coarse.labels]), axis=1)[0]
        for region, count in zip(*np.unique(inside[inside > 0], return_counts=True), strict=True):
            if count > 1:
                raise AssertionError(
                    f"region {region} of {fine.k} lies in {count} of the {coarse.k} coarser ones"
                )


def verify_locked(
    labels: NDArray[np.int64], plan: NDArray[np.int64] | None, locked: NDArray[np.bool_] | None
) -> None:
    """Make sure that locked units are together where the plan has them together, and apart where it has not.

    Parameters
    ----------
    labels, plan : (m,) int64
        Regions found, and regions of the plan, numbered each in its own way.
    locked : (m,) bool or None

    Examples
    --------
    >>> plan, locked = np.array([0, 0, 1]), np.array([True, True, False])
    >>> verify_locked(np.array([3, 3, 3]), plan, locked)
    >>> verify_locked(np.array([3, 1, 3]), plan, locked)
    Traceback (most recent call last):
    AssertionError: locked units of region 0 of the plan did not keep it
    """
    if plan is None or locked is None:
        return
    pairs = np.unique(np.stack([plan[locked], labels[locked]]), axis=1)
    for side, name in zip(pairs, ("plan", "result"), strict=True):
        regions, counts = np.unique(side, return_counts=True)
        for region in regions[counts > 1]:
            raise AssertionError(f"locked units of region {region} of the {name} did not keep it")
