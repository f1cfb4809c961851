"""REDCAP: a tree of neighbouring units by hierarchical joining, cut where it helps most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.methods.contiguous_links import check_regions, contiguous_links
from regionalize.methods.hierarchy import LINKAGES, first_order, full_order
from regionalize.methods.mended_cuts import cut_within
from regionalize.methods.tree_cuts import spanning_trees
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

ORDERS = {"first": first_order, "full": full_order}


def redcap(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    weights: Weights,
    order: str = "full",
    linkage: str = "ward",
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Any = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Group units into k contiguous regions by joining neighbours to a tree and cutting it.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of regions: at least the number of connected components, at most n.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    order : {"full", "first"}
        What two neighbouring clusters' difference is measured over: all pairs of units across, or the links
        between neighbouring units alone.
    linkage : {"ward", "single", "complete", "average"}
        How it is measured: Ward's criterion, the least, the greatest or the mean distance. Ward's of first
        order has the mean squared length of the links in the place of the centroids' squared distance.
        First-order single linkage is SKATER.
    seed : int
        Of the search for regions within the bounds, asked where no cuts of the tree keep them.
    jobs, progress
        Taken for the sake of the other methods.
    bounds : sequence of Bound
        What every region must hold at least or at most.
    findings : Findings, optional
        Told the joins (`merges`; heights are distances) and the links of the tree.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    UsageError
        k is not between 1 and n, or there is no such order or linkage.
    InfeasibleError
        Fewer regions than components, or bounds that cannot be kept.

    References
    ----------
    Guo (2008), Regionalization with dynamically constrained agglomerative clustering and partitioning.
    Guo and Wang (2011), Automatic region building for spatial analysis (Ward's linkage).

    Examples
    --------
    Six units in a row; the third and fourth differ most.

    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(5)
    >>> path = Weights.from_links(6, row, row + 1, kind="example")
    >>> redcap(np.array([[0.0], [1], [2], [9], [10], [11]]), 2, weights=path).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if order not in ORDERS:
        raise UsageError(f"there is no order '{order}'", advice=f"use one of {', '.join(ORDERS)}")
    if linkage not in LINKAGES:
        raise UsageError(f"there is no linkage '{linkage}'", advice=f"use one of {', '.join(LINKAGES)}")
    check_regions(len(X), k, weights)
    for bound in bounds:
        bound.check_possible(k)
    values = np.asarray(X, dtype=np.float64)
    hierarchy = ORDERS[order](values, *contiguous_links(weights), linkage)
    if findings is not None:
        findings.merges, findings.tree = hierarchy.merges, hierarchy.links
    ends = hierarchy.links.T
    units, size, _ = spanning_trees(len(values), ends[0], ends[1], hierarchy.height)
    return cut_within(values, units, size, k, weights=weights, bounds=bounds, seed=seed, findings=findings)
