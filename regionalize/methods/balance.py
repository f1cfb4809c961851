"""Balanced regions: k of them, contiguous, and nearly equal in units or in what a column sums to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods.contiguous_links import check_regions
from regionalize.methods.feasible import check_bounds, not_found
from regionalize.methods.recombination import Recombination, keep_bounds
from regionalize.methods.search import (
    check_lengths,
    in_order_of_units,
    make_problem,
    run_searches,
    tell,
)
from regionalize.methods.starts import starts_of
from regionalize.model.bounds import Bound, plain
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def balance(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    weights: Weights,
    balance: str | Bound = "units",
    tolerance: float = 0.05,
    start: str | IntArray = "schc",
    locked: NDArray[np.bool_] | None = None,
    restarts: int = 1,
    iterations: int | None = None,
    time_limit: float | None = None,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    findings: Findings | None = None,
) -> IntArray:
    """Group units into k contiguous regions of nearly equal size, with the best fit found.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of regions: at least the number of connected components, at most n.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    balance : "units" or Bound
        What every region is to hold alike: units, or the amount of a bound, whose limits do not matter.
    tolerance : float
        How far a region may be from the mean of all, as a share of it. Counts of units are at least the
        mean rounded down and at most the mean rounded up whatever the tolerance.
    start, locked, restarts, iterations, time_limit, seed, jobs, progress, findings
        As for `azp`. The search first makes the regions of `start` equal, then improves their fit.
    bounds : sequence of Bound
        What every region must hold besides.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    UsageError
        k is not between 1 and n, or there is no such amount.
    InfeasibleError
        Fewer regions than components, or regions so nearly equal that none were found; tells how near the
        search came.

    References
    ----------
    DeFord, Duchin and Solomon (2021), Recombination: a family of Markov chains for redistricting.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(5)
    >>> path = Weights.from_links(6, row, row + 1, kind="example")
    >>> X = np.array([[0.0], [9], [9], [9], [9], [9]])
    >>> balance(X, 2, weights=path).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    check_lengths(restarts, iterations, time_limit)
    check_regions(len(X), k, weights)
    if isinstance(balance, str) and balance != "units":
        raise UsageError(f"'{balance}' cannot be balanced", advice="give a Bound, or units")
    amount = Bound("units", np.ones(len(X))) if isinstance(balance, str) else balance
    even = even_bound(amount, k, tolerance)
    bounds = (even, *bounds)
    check_even(even, k)
    check_bounds(k, weights, bounds)
    problem = make_problem(X, k, weights, bounds, locked)
    starts = starts_of(start, X, k, weights, seed, restarts)
    evened = [keep_bounds(problem, labels, (seed, number, 1)) for number, labels in enumerate(starts)]
    even_starts = [labels for labels, broken in evened if not broken]
    if not even_starts:
        raise not_even(min(evened, key=lambda one: one[1])[0], even, bounds)
    searches = [
        Recombination(problem, labels, (seed, number))
        for number, (labels, broken) in enumerate(evened)
        if not broken
    ]
    if iterations is None and time_limit is None:
        iterations = problem.default_iterations
    best, done, cut_short = run_searches(
        searches, iterations=iterations, time_limit=time_limit, jobs=jobs, progress=progress
    )
    tell(findings, problem, even_starts, best, done, time_limit if cut_short else None)
    if findings is not None:
        held = np.bincount(best.best, even.amount)
        findings.facts["balance"] = {
            "of": even.name,
            "mean": float(held.mean()),
            "least": float(held.min()),
            "most": float(held.max()),
        }
    return in_order_of_units(best.best)


def even_bound(amount: Bound, k: int, tolerance: float) -> Bound:
    """Bound regions to within a tolerance of the mean; whole units at least to its two neighbours."""
    mean = float(amount.amount.sum()) / k
    lower, upper = mean * (1 - tolerance), mean * (1 + tolerance)
    if amount.name == "units":
        lower, upper = min(lower, floor(mean)), max(upper, ceil(mean))
    return Bound(amount.name, amount.amount, max(lower, 0.0), upper)


def check_even(even: Bound, k: int) -> None:
    """Refuse to share out evenly what lies in one unit."""
    largest, mean = float(even.amount.max()), float(even.amount.sum()) / k
    if largest > even.upper:
        raise InfeasibleError(
            f"one unit alone holds {plain(largest)} {even.name}, and {k} even regions {plain(mean)} each",
            advice=f"use --tolerance {ceil(100 * (largest / mean - 1))}%, or fewer regions",
        )


def not_even(labels: IntArray, even: Bound, bounds: Sequence[Bound]) -> InfeasibleError:
    """Say how near to even regions the search came."""
    held = np.bincount(labels, even.amount)
    mean = float(held.mean())
    off = float(np.abs(held - mean).max() / mean)
    if len(bounds) > 1 and even.lower <= held.min() and held.max() <= even.upper:
        return not_found(len(held), bounds, "make")
    return InfeasibleError(
        f"no {len(held)} regions were found that all hold {plain(even.lower)} to {plain(even.upper)} "
        f"{even.name}; the nearest hold {plain(held.min())} to {plain(held.max())}",
        advice=f"use --tolerance {ceil(off * 100)}%, another number of regions, or finer units",
    )
