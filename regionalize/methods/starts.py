"""Where searches start: k contiguous regions from a word, or from a plan that is completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.components import components_of_links, components_within
from regionalize.methods.contiguous_links import contiguous_links
from regionalize.methods.tree_cuts import spanning_trees

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]

STARTS = ("schc", "skater", "redcap", "random")


def start_regions(
    start: str | IntArray, X: NDArray[np.floating[Any]], k: int, weights: Weights, seed: tuple[int, ...]
) -> IntArray:
    """Make the k regions that a search starts from.

    Parameters
    ----------
    start : {"schc", "skater", "redcap", "random"} or (n,) int64
        A method, with its own defaults; random cuts of a random tree; or a plan, 0, 1, … with -1 for units
        that have no region yet.
    X : (n, p) float
        Variables.
    k : int
        Number of regions, at least that of the components.
    weights : Weights
        Neighbours; a link counts in both directions.
    seed : tuple of int
        Of a random start.

    Returns
    -------
    (n,) int64
        Regions 0 … k - 1, each connected.

    Raises
    ------
    UsageError
        No such word.
    InfeasibleError
        A plan of another number of regions, or one that is not contiguous.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(4, np.arange(3), np.arange(1, 4), kind="example")
    >>> start_regions(np.array([0, -1, -1, 1]), np.zeros((4, 1)), 2, path, (1,)).tolist()
    [0, 0, 1, 1]
    """
    if not isinstance(start, str):
        return completed(np.asarray(start, dtype=np.int64), k, weights)
    if start == "random":
        return random_regions(k, weights, seed)
    if start == "schc":
        from regionalize.methods.schc import schc

        return schc(X, k, weights=weights)
    if start == "skater":
        from regionalize.methods.skater import skater

        return skater(X, k, weights=weights)
    if start == "redcap":
        from regionalize.methods.redcap import redcap

        return redcap(X, k, weights=weights)
    raise UsageError(f"there is no start '{start}'", advice=f"use {', '.join(STARTS)}, or a column")


def starts_of(
    start: str | IntArray,
    X: NDArray[np.floating[Any]],
    k: int,
    weights: Weights,
    seed: int,
    count: int,
) -> list[IntArray]:
    """Return where each of several searches starts: all alike, unless regions are random."""
    if isinstance(start, str) and start == "random":
        return [start_regions(start, X, k, weights, (seed, number)) for number in range(count)]
    return [start_regions(start, X, k, weights, (seed,))] * count


def random_regions(k: int, weights: Weights, seed: tuple[int, ...]) -> IntArray:
    """Cut a random spanning forest at random links into k regions."""
    rng = np.random.default_rng(seed)
    first, second = contiguous_links(weights)
    n = len(weights)
    links = spanning_trees(n, first, second, rng.random(len(first)))[2]
    kept = rng.permutation(links)[: n - k]
    return components_of_links(n, first[kept], second[kept])


def completed(plan: IntArray, k: int, weights: Weights) -> IntArray:
    """Give units without a region that of a neighbour, nearest first, and check the plan.

    Raises
    ------
    UsageError
        The plan is of another number of units.
    InfeasibleError
        The plan has not k regions, one of them is not contiguous, or units lie where it has none.
    """
    if plan.shape != (len(weights),):
        raise UsageError(f"the start plan is of {len(plan)} units, but there are {len(weights)}")
    named = np.unique(plan[plan >= 0])
    found = len(named)
    if found != k:
        raise InfeasibleError(
            f"the start plan has {found} regions, not {k}", advice=f"ask for {found} regions, or change it"
        )
    labels = np.where(plan >= 0, np.searchsorted(named, plan), -1)
    first, second = contiguous_links(weights)
    ends, others = np.r_[first, second], np.r_[second, first]
    while (open_ := (labels[ends] < 0) & (labels[others] >= 0)).any():
        np.maximum.at(labels, ends[open_], labels[others[open_]])
    if (labels < 0).any():
        units = np.flatnonzero(labels < 0)
        raise InfeasibleError(
            f"the start plan has no region in the component of unit {units[0] + 1} ({len(units)} units "
            "are out of its reach)",
            advice="give some of them a region, or join what lies apart with --islands nearest",
        )
    pieces = components_within(weights.indptr, weights.indices, labels)
    count = np.bincount(np.unique(np.stack([labels, pieces]), axis=1)[0], minlength=k)
    if (count > 1).any():
        broken = count[count > 1]
        which = "1 region of the start plan is not contiguous: it"
        if len(broken) > 1:
            which = f"{len(broken)} regions of the start plan are not contiguous: the first"
        raise InfeasibleError(
            f"{which} is in {broken[0]} pieces",
            advice="make it contiguous first: regionalize contiguous",
        )
    return labels
