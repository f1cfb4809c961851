"""SCHC: agglomerative clustering in which only neighbouring clusters may be joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.regions import SLACK
from regionalize.methods.contiguous_links import check_regions, contiguous_links
from regionalize.methods.hierarchy import LINKAGES, Hierarchy, full_order
from regionalize.methods.mended_cuts import cut_within
from regionalize.methods.tree_cuts import spanning_trees
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    from regionalize.model.weights import Weights


def schc(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    weights: Weights,
    linkage: str = "ward",
    levels: Sequence[int] = (),
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Any = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Group units into k contiguous regions by joining the least different neighbours first.

    Regions of the hierarchy are joined until k are left; a join may not exceed an upper bound. Where k cannot
    be reached so, or a region breaks a lower bound, the hierarchy's tree (the shortest link between the two
    sides of each join) is cut into k regions within the bounds instead, as REDCAP cuts it.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of regions: at least the number of connected components, at most n.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    linkage : {"ward", "single", "complete", "average"}
        How the difference of two clusters is measured: Ward's criterion, or the least, the greatest or the
        mean distance over all pairs of units across, neighbours or not.
    levels : sequence of int
        Other numbers of regions wanted of the same hierarchy. With bounds that make it necessary to cut the
        tree, that is done for the most regions asked for, and these are joined further.
    seed : int
        Of the search for regions within the bounds, asked where no cuts of the tree keep them.
    jobs, progress
        Taken for the sake of the other methods.
    bounds : sequence of Bound
        What every region must hold at least or at most, of every level.
    findings : Findings, optional
        Told the joins (`merges`) and the regions of each of `levels`. Heights are distances; Ward's is the
        root of twice the rise of the within sum of squares.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    UsageError
        A number of regions is not between 1 and n, or there is no such linkage.
    InfeasibleError
        Fewer regions than components, or bounds that cannot be kept.

    References
    ----------
    Murtagh (1985), A survey of algorithms for contiguity-constrained clustering and related problems.
    Ward (1963), Hierarchical grouping to optimize an objective function.

    Examples
    --------
    Six units in a row; the third and fourth differ most.

    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(5)
    >>> path = Weights.from_links(6, row, row + 1, kind="example")
    >>> found = Findings()
    >>> X = np.array([[0.0], [1], [2], [9], [10], [13]])
    >>> schc(X, 2, weights=path, levels=(3,), findings=found).tolist()
    [0, 0, 0, 1, 1, 1]
    >>> found.levels[3].tolist()
    [0, 0, 0, 1, 1, 2]
    """
    if linkage not in LINKAGES:
        raise UsageError(f"there is no linkage '{linkage}'", advice=f"use one of {', '.join(LINKAGES)}")
    asked = sorted({k, *levels})
    for number in asked:
        check_regions(len(X), number, weights)
        for bound in bounds:
            bound.check_possible(number)
    values = np.asarray(X, dtype=np.float64)
    first, second = contiguous_links(weights)
    hierarchy = full_order(values, first, second, linkage, bounds=bounds)
    if not _within(hierarchy, asked, bounds):
        plain = full_order(values, first, second, linkage)
        units, size, _ = spanning_trees(len(values), plain.links[:, 0], plain.links[:, 1], plain.height)
        regions = cut_within(
            values, units, size, asked[-1], weights=weights, bounds=bounds, seed=seed, findings=findings
        )
        hierarchy = full_order(values, first, second, linkage, bounds=bounds, regions=regions)
        _refuse_stuck(hierarchy, asked)
    if findings is not None:
        findings.merges = hierarchy.merges
        findings.levels.update({number: hierarchy.regions(number) for number in levels})
    return hierarchy.regions(k)


def _within(hierarchy: Hierarchy, asked: Sequence[int], bounds: Sequence[Bound]) -> bool:
    """Tell whether the hierarchy reaches all numbers of regions within lower bounds (upper ones it keeps)."""
    if hierarchy.n - len(hierarchy.pairs) > asked[0]:
        return False
    lower = [bound for bound in bounds if np.isfinite(bound.lower)]
    if not lower:
        return True
    finest = hierarchy.regions(asked[-1])  # what holds enough still does when it is joined
    return all(np.bincount(finest, bound.amount).min() >= bound.lower * (1 - SLACK) for bound in lower)


def _refuse_stuck(hierarchy: Hierarchy, asked: Sequence[int]) -> None:
    """Refuse levels that regions within the bounds cannot be joined to."""
    fewest = hierarchy.n - len(hierarchy.pairs)
    if fewest > asked[0]:
        raise InfeasibleError(
            f"{asked[-1]} regions within the bounds were found, but joining them within the bounds ends at "
            f"{fewest}, not {asked[0]}",
            advice=f"raise the maximum, or ask for {asked[0]} regions alone",
        )
