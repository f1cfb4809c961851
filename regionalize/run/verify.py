"""Check a result once more, by other code than made it, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
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
) -> None:
    """Make sure that there are k regions, each contiguous and within the bounds.

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
