"""Make clusters contiguous at little cost: their pieces are joined by how alike they are, then improved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.methods.azp import azp
from regionalize.methods.contiguous_links import both_ways, contiguous_links
from regionalize.methods.hierarchy import full_order
from regionalize.methods.make_contiguous import pieces_in_order, refuse_too_few
from regionalize.model.bounds import Bound
from regionalize.model.job import DEFAULT_SEED
from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]

MOST_MATCHED = 2_000
"""Regions up to which labels are given out so that most units keep theirs; with more, pair by pair."""


def mend(
    X: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    weights: Weights,
    *,
    bounds: Sequence[Bound] = (),
    iterations: int | None = None,
    seed: int = DEFAULT_SEED,
    progress: Callable[[int, int], None] | None = None,
) -> IntArray:
    """Make every cluster one piece, as many as before, with the within sum of squares kept low.

    All connected pieces of all clusters are joined with neighbouring ones, each time the two whose joining
    raises the within sum of squares least (Ward 1963), until as many are left as there were clusters: which
    piece is a cluster's core is decided by that too. The search of `azp` then improves the regions. Each gets
    the label it shares most units with, all labels once.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    labels : (n,) int
        Cluster of each unit, any whole numbers.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    bounds : sequence of Bound
        What every region must hold.
    iterations, seed, progress
        Of the search, as for `azp`.

    Returns
    -------
    (n,) int64
        As many different labels as before, each on connected units.

    Raises
    ------
    UsageError
        X, labels and weights are of different numbers of units.
    InfeasibleError
        There are fewer clusters than components, or the bounds cannot be kept.

    References
    ----------
    Ward (1963), Hierarchical grouping to optimize an objective function. Hartigan (1975), Clustering
    Algorithms.

    Examples
    --------
    The single 0 at the end is more like the 1 beside it than like the long row of 0.

    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(6, np.arange(5), np.arange(1, 6), kind="example")
    >>> X = np.array([[0.0], [0], [1], [8], [9], [7]])
    >>> mend(X, np.array([0, 0, 0, 1, 1, 0]), path).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    values = np.asarray(X, dtype=np.float64)
    labels = np.asarray(labels, dtype=np.int64)
    if not len(values) == len(labels) == len(weights):
        raise UsageError(
            f"there are {len(labels)} labels and {len(values)} rows of variables, "
            f"but the weights are of {len(weights)} units"
        )
    if not len(labels):
        return np.empty(0, dtype=np.int64)
    links = both_ways(weights)
    found, code = np.unique(labels, return_inverse=True)
    refuse_too_few(len(found), links)
    piece, _ = pieces_in_order(links, code)
    joins = full_order(values, *contiguous_links(links), "ward", regions=piece)
    region = joins.regions(len(found))
    if region.max() < piece.max() or bounds:  # otherwise everything was contiguous, and nothing is changed
        region = azp(
            values,
            len(found),
            weights=links,
            start=region,
            iterations=iterations,
            bounds=bounds,
            seed=seed,
            progress=progress,
        )
    return np.asarray(found[most_shared(region, code)[region]], dtype=np.int64)


def most_shared(region: IntArray, code: IntArray) -> IntArray:
    """Give every region a cluster, all clusters once, so that most units keep theirs.

    Returns
    -------
    (k,) int64
        Cluster of each region.
    """
    k = int(region.max()) + 1
    if k <= MOST_MATCHED:
        from scipy.optimize import linear_sum_assignment

        shared = np.bincount(region * k + code, minlength=k * k).reshape(k, k)
        return np.asarray(linear_sum_assignment(shared, maximize=True)[1], dtype=np.int64)
    pairs, count = np.unique(region * k + code, return_counts=True)
    cluster, free = np.full(k, -1), np.ones(k, dtype=np.bool_)
    for pair in pairs[np.argsort(-count, kind="stable")].tolist():  # the pair that shares most first
        one, other = divmod(pair, k)
        if cluster[one] < 0 and free[other]:
            cluster[one], free[other] = other, False
    cluster[cluster < 0] = np.flatnonzero(free)
    return cluster
