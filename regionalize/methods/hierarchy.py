"""Hierarchies of contiguous clusters: joins in their order, which SCHC undoes and REDCAP makes a tree of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.agglomerate import agglomerate, join_in_order
from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.components import components_of_links
from regionalize.kernels.linkage import AVERAGE, COMPLETE, SINGLE, WARD
from regionalize.kernels.regions import SLACK
from regionalize.model.bounds import Bound

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LINKAGES = {"ward": WARD, "single": SINGLE, "complete": COMPLETE, "average": AVERAGE}

COMPILED_LINKS = 5000
"""Links from which the compiled kernel is used where a join takes a few steps …"""
COMPILED_UNITS = 400
"""… and units from which it is used where every two units are compared."""


@dataclass(frozen=True)
class Hierarchy:
    """Clusters joined two by two.

    Attributes
    ----------
    n : int
        Units.
    pairs : (j, 2) int64
        Nodes joined: units are 0 … n - 1, and join i makes node n + i.
    height : (j,) float64
        How different the two were. Not always rising: two clusters may become less different by what joins
        them in between, or become neighbours late.
    links : (j, 2) int64
        The shortest link between neighbouring units of the two; all of them together are a spanning forest.
    """

    n: int
    pairs: IntArray
    height: FloatArray
    links: IntArray

    @property
    def merges(self) -> FloatArray:
        """Nodes and height of each join, shape (j, 3), as `Findings` keeps them."""
        return np.column_stack([self.pairs.astype(np.float64), self.height])

    def regions(self, k: int) -> IntArray:
        """Undo the last joins until there are k regions; number them 0 … k - 1 by their first units."""
        return components_of_links(self.n, *self.links[: self.n - k].T)


def full_order(
    X: FloatArray,
    first: IntArray,
    second: IntArray,
    linkage: str,
    *,
    bounds: Sequence[Bound] = (),
    regions: IntArray | None = None,
) -> Hierarchy:
    """Join the neighbouring clusters that differ least over all pairs of units across.

    Parameters
    ----------
    X : (n, p) float64
        Variables.
    first, second : (m,) int64
        Pairs of neighbouring units (`contiguous_links`).
    linkage : {"ward", "single", "complete", "average"}
        Ward's criterion, or the least, the greatest, or the mean distance of two units across.
    bounds : sequence of Bound
        Nothing is joined that would hold more than an upper bound. Lower bounds are not looked at.
    regions : (n,) int64, optional
        Contiguous regions 0 … r - 1 to keep whole: first the units within each are joined, then the regions.

    Returns
    -------
    Hierarchy
        Joins until nothing more may be joined. Heights are distances; Ward's is the root of twice the rise of
        the within sum of squares, which is the distance where two units are joined.

    References
    ----------
    Guo (2008), the full-order constraint; Lance and Williams (1967); Ward (1963).

    Examples
    --------
    >>> row = np.arange(3)
    >>> found = full_order(np.array([[0.0], [1], [5], [7]]), row, row + 1, "average")
    >>> found.merges.tolist()
    [[0.0, 1.0, 1.0], [2.0, 3.0, 2.0], [4.0, 5.0, 5.5]]
    >>> found.regions(2).tolist()
    [0, 0, 1, 1]
    """
    by_length = np.argsort(_lengths(X, first, second), kind="stable")
    first, second = first[by_length], second[by_length]
    if regions is None:
        return _agglomerate(X, first, second, linkage, bounds)
    within = regions[first] == regions[second]
    inside = _agglomerate(X, first[within], second[within], linkage)
    across = _agglomerate(X, first[~within], second[~within], linkage, bounds, regions)
    n, made = len(X), len(inside.pairs)
    root = np.zeros(len(X) - made, dtype=np.int64)  # the node that each region has become
    root[regions] = np.arange(n)
    root[regions[inside.links[:, 0]]] = n + np.arange(made)  # the last join of a region comes last
    nodes = np.concatenate([root, n + made + np.arange(len(across.pairs))])
    return Hierarchy(
        n,
        np.concatenate([inside.pairs, np.sort(nodes[across.pairs], axis=1)]),
        np.concatenate([inside.height, across.height]),
        np.concatenate([inside.links, across.links]),
    )


def first_order(X: FloatArray, first: IntArray, second: IntArray, linkage: str) -> Hierarchy:
    """Join the neighbouring clusters that differ least over the links between neighbouring units alone.

    Parameters
    ----------
    X : (n, p) float64
        Variables.
    first, second : (m,) int64
        Pairs of neighbouring units (`contiguous_links`).
    linkage : {"ward", "single", "complete", "average"}
        The shortest, the longest or the mean length of the links between two clusters; or Ward's criterion,
        with the mean squared length of these links for the squared distance of the centroids. For two units
        all four are their distance.

    Returns
    -------
    Hierarchy
        Joins until no cluster has a neighbour. With single linkage the links are those of the minimum
        spanning forest.

    References
    ----------
    Guo (2008), the first-order constraint.

    Examples
    --------
    Of four units in a row, those in the middle differ most.

    >>> row = np.arange(3)
    >>> first_order(np.array([[0.0], [1], [5], [7]]), row, row + 1, "average").merges.tolist()
    [[0.0, 1.0, 1.0], [2.0, 3.0, 2.0], [4.0, 5.0, 4.0]]
    """
    length = _lengths(X, first, second)
    by_length = np.argsort(length, kind="stable")
    first, second, length = first[by_length], second[by_length], length[by_length]
    fast = len(first) >= COMPILED_LINKS and compiles()
    if linkage == "single":
        in_order = compiled(join_in_order) if fast else join_in_order
        pairs, link = in_order(first, second, len(X))
        height = length[link]
    else:
        run = compiled(agglomerate) if fast else agglomerate
        gap = length**2 if linkage == "ward" else length
        no_values, no_bounds = np.zeros((X.shape[1], 0)), (np.zeros((len(X), 0)), np.zeros(0))
        start, ones = np.arange(len(X) + 1), np.ones(len(gap))
        pairs, height, link = run(
            no_values, start, first, second, gap, ones, LINKAGES[linkage], True, *no_bounds
        )
        if linkage == "ward":
            height = np.sqrt(height)
    return Hierarchy(len(X), pairs, height, np.stack([first[link], second[link]], axis=1))


def _agglomerate(
    X: FloatArray,
    first: IntArray,
    second: IntArray,
    linkage: str,
    bounds: Sequence[Bound] = (),
    regions: IntArray | None = None,
) -> Hierarchy:
    """Join units, or regions, whose links come in the order in which they win a tie."""
    shift = np.rint(X.mean(axis=0)) if len(X) else 0.0  # exact, so that what is equal remains equal
    g, start, values = len(X), np.arange(len(X) + 1), X - shift
    amount = [bound.amount for bound in bounds if np.isfinite(bound.upper)]
    one, other = first, second
    if regions is not None:
        by_region = np.argsort(regions, kind="stable")
        start = np.searchsorted(regions[by_region], np.arange(regions.max(initial=-1) + 2))
        g, values = len(start) - 1, values[by_region]
        amount = [np.bincount(regions, each, minlength=g).astype(np.float64) for each in amount]
        one, other = regions[first], regions[second]
        key = np.minimum(one, other) * max(g, 1) + np.maximum(one, other)
        kept = np.sort(np.unique(key, return_index=True)[1])  # the first link of each pair of regions
        first, second, one, other = first[kept], second[kept], one[kept], other[kept]
    most = [bound.upper * (1 + SLACK) for bound in bounds if np.isfinite(bound.upper)]
    large = len(one) >= COMPILED_LINKS or (linkage != "ward" and len(X) >= COMPILED_UNITS)
    run = compiled(agglomerate) if large and compiles() else agglomerate
    unused = np.zeros(len(one))
    pairs, difference, link = run(
        np.ascontiguousarray(values.T),
        start,
        one,
        other,
        unused,
        unused,
        LINKAGES[linkage],
        False,
        np.array(amount, dtype=np.float64).reshape(-1, g).T.copy(),
        np.array(most, dtype=np.float64),
    )
    height = difference if linkage == "average" else np.sqrt(difference)
    return Hierarchy(g, pairs, height, np.stack([first[link], second[link]], axis=1))


def _lengths(X: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    difference = X[first] - X[second]
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)))
