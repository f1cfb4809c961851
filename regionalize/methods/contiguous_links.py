"""What every method that makes contiguous regions asks of the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


def contiguous_links(weights: Weights) -> tuple[IntArray, IntArray]:
    """Return every pair of neighbours once, ``first < second``, in ascending order.

    A link counts in both directions, even if only one is listed.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> one_way = Weights.from_links(3, np.array([2, 0]), np.array([0, 1]), kind="example")
    >>> [ends.tolist() for ends in contiguous_links(one_way)]
    [[0, 0], [1, 2]]
    """
    n = max(len(weights), 1)
    key = np.minimum(weights.row, weights.indices) * n + np.maximum(weights.row, weights.indices)
    key.sort()
    key = key[np.diff(key, prepend=-1) != 0]
    return key // n, key % n


def both_ways(weights: Weights) -> Weights:
    """Return the neighbours with every link in both directions, ascending within a row."""
    first, second = contiguous_links(weights)
    return Weights.from_links(
        len(weights), np.concatenate([first, second]), np.concatenate([second, first]), kind=weights.kind
    )


def check_regions(n: int, k: int, weights: Weights) -> None:
    """Refuse a k that cannot be had.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        There are more connected components than k, and no region can span two.
    """
    if k < 1:
        raise UsageError(f"k is {k}; it must be at least 1")
    if k > n:
        raise UsageError(f"k is {k}, but there are only {n} rows to group", advice="ask for fewer regions")
    apart = weights.n_components
    if k < apart:
        alone = len(weights.islands)
        islands = f" ({alone} of them single units without neighbours)" if alone else ""
        raise InfeasibleError(
            f"k is {k}, but the units fall into {apart} components{islands}, which no region can span",
            advice=f"ask for at least {apart} regions, or join them with --islands nearest",
        )
