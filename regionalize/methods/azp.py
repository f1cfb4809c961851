"""AZP, the automatic zoning procedure: from k contiguous regions to better ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.methods.contiguous_links import check_regions
from regionalize.methods.feasible import check_bounds, not_found
from regionalize.methods.search import Recombination, bss_tss, in_bounds, make_problem, run_searches
from regionalize.methods.starts import start_regions
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    from regionalize.methods.search import Problem, Search
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


def azp(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    weights: Weights,
    search: str = "recombine",
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
    """Group units into k contiguous regions by searching on from a first solution.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of regions: at least the number of connected components, at most n.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    search : {"recombine"}
        ``"recombine"``: two adjacent regions are merged, and they or another region split at the best cut of
        a random spanning tree; single units move as long as one gains; annealing decides what is kept.
    start : {"schc", "skater", "redcap", "random"} or (n,) int64
        Where the search starts: a method, random regions, or a plan, -1 for units without a region.
    locked : (n,) bool, optional
        Units that keep the region they have at the start.
    restarts : int
        Searches with random numbers of their own, the best of which is kept.
    iterations : int, optional
        Of each search; by default what takes a second or two.
    time_limit : float, optional
        Seconds after which the search stops, if it has not made the iterations.
    seed : int
        Of all random numbers.
    bounds : sequence of Bound
        What every region must hold at least or at most; k is kept.
    jobs : int, optional
        Threads for several searches (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called with (done, total).
    findings : Findings, optional
        Told the iterations made, and BSS/TSS at the start and the end.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        Fewer regions than components, a start plan that is not contiguous or not of k regions, or bounds
        that cannot be, or were not, met.

    References
    ----------
    Openshaw (1977), A geographical solution to scale and aggregation problems in region-building.
    DeFord, Duchin and Solomon (2021), Recombination: a family of Markov chains for redistricting.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(5)
    >>> path = Weights.from_links(6, row, row + 1, kind="example")
    >>> X = np.array([[0.0], [1], [2], [9], [10], [11]])
    >>> azp(X, 2, weights=path, start="random", iterations=20).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    check_regions(len(X), k, weights)
    check_bounds(k, weights, bounds)
    problem = make_problem(X, k, weights, bounds, locked)
    starts = [start_regions(start, X, k, weights, (seed, number)) for number in range(restarts)]
    searches = [Recombination(problem, labels, (seed, number)) for number, labels in enumerate(starts)]
    if iterations is None and time_limit is None:
        iterations = problem.default_iterations
    best, done = run_searches(
        searches, iterations=iterations, time_limit=time_limit, jobs=jobs, progress=progress
    )
    tell(findings, problem, starts, best, done, iterations, time_limit)
    if not in_bounds(best):
        raise not_found(k, bounds, "make")
    return in_order_of_units(best.best)


def tell(
    findings: Findings | None,
    problem: Problem,
    starts: Sequence[IntArray],
    best: Search,
    done: int,
    iterations: int | None,
    time_limit: float | None,
) -> None:
    """Leave word of a search for the report."""
    if findings is None:
        return
    findings.facts["search"] = {
        "iterations": done,
        "bss_tss_start": max(bss_tss(problem, labels) for labels in starts),
        "bss_tss": bss_tss(problem, best.best),
    }
    if time_limit is not None and done != iterations and not best.still:
        findings.notes.append(
            f"stopped by --time-limit {time_limit:g} after {done} iterations; "
            f"--iterations {done} repeats this"
        )


def in_order_of_units(labels: IntArray) -> IntArray:
    """Give regions their numbers in the order of their first units."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    renamed: IntArray = rank[inverse]
    return renamed
