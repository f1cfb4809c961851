"""AZP, the automatic zoning procedure: from k contiguous regions to better ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.methods.contiguous_links import check_regions
from regionalize.methods.feasible import check_bounds, not_found
from regionalize.methods.recombination import Recombination, keep_bounds
from regionalize.methods.search import (
    Search,
    check_lengths,
    in_bounds,
    in_order_of_units,
    make_problem,
    run_searches,
    tell,
)
from regionalize.methods.starts import starts_of
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
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
    tabu_length: int = 10,
    cooling: float = 0.85,
    sweeps: int = 1,
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
    search : {"recombine", "greedy", "tabu", "annealing"}
        ``"recombine"``: two adjacent regions are merged, and they or another region split at the best cut of
        a random spanning tree; single units move as long as one gains; annealing decides what is kept. The
        others move single units: where that gains, to the best of all with a way back closed for
        `tabu_length` moves, or at a falling temperature.
    start : {"schc", "skater", "redcap", "random"} or (n,) int64
        Where the search starts: a method, random regions, or a plan, -1 for units without a region.
    locked : (n,) bool, optional
        Units that keep the region they have at the start.
    restarts : int
        Searches with random numbers of their own, the best of which is kept.
    iterations : int, optional
        Of each search: recombinations (by default what takes a second or two), sweeps of the greedy search,
        moves with a tabu list, or steps of annealing (by default until nothing is gained any more).
    time_limit : float, optional
        Seconds after which the search stops, if it has not made the iterations.
    tabu_length : int
        Moves for which a unit may not go back.
    cooling : float
        What the temperature of annealing is multiplied by after each step, between 0 and 1.
    sweeps : int
        Times that annealing tries all units at a temperature.
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
        k is not between 1 and n, there is no such search, or the temperature would not fall.
    InfeasibleError
        Fewer regions than components, a start plan that is not contiguous or not of k regions, or bounds
        that cannot be, or were not, met.

    References
    ----------
    Openshaw (1977), A geographical solution to scale and aggregation problems in region-building.
    Openshaw and Rao (1995), Algorithms for reengineering 1991 Census geography.
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
    make = searches_by_name(tabu_length, cooling, sweeps)
    if search not in make:
        raise UsageError(f"there is no search '{search}'", advice=f"use one of {', '.join(make)}")
    check_lengths(restarts, iterations, time_limit)
    check_regions(len(X), k, weights)
    check_bounds(k, weights, bounds)
    problem = make_problem(X, k, weights, bounds, locked)
    starts = starts_of(start, X, k, weights, seed, restarts)
    begin = [keep_bounds(problem, labels, (seed, number, 1))[0] for number, labels in enumerate(starts)]
    searches = [make[search](problem, labels, (seed, number)) for number, labels in enumerate(begin)]
    if iterations is None and time_limit is None and search == "recombine":
        iterations = problem.default_iterations
    best, done, cut_short = run_searches(
        searches, iterations=iterations, time_limit=time_limit, jobs=jobs, progress=progress
    )
    tell(findings, problem, starts, best, done, time_limit if cut_short else None)
    if not in_bounds(best):
        raise not_found(k, bounds, "make")
    return in_order_of_units(best.best)


def searches_by_name(tabu_length: int, cooling: float, sweeps: int) -> dict[str, Callable[..., Search]]:
    """Return what makes a search of a problem, labels and a seed, by its name."""
    from regionalize.methods.zoning import Annealing, Greedy, TabuSearch

    return {
        "recombine": Recombination,
        "greedy": Greedy,
        "tabu": partial(TabuSearch, length=tabu_length),
        "annealing": partial(Annealing, cooling=cooling, sweeps=sweeps),
    }
