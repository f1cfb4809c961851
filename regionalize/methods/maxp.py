"""Max-p: the most contiguous regions that each hold enough, and of these the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.compiler import compiled
from regionalize.kernels.draws import initial_state
from regionalize.kernels.pack import pack
from regionalize.methods.feasible import least_and_most, limits_in_words
from regionalize.methods.recombination import Recombination, keep_bounds
from regionalize.methods.search import (
    LEAST_ITERATIONS,
    Problem,
    check_lengths,
    in_order_of_units,
    make_problem,
    run_searches,
    tell,
)
from regionalize.methods.starts import start_regions
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]

UNITS_PACKED = 700_000, 30_000_000
"""Units that packing looks at in all, at least and at most."""
MOVES_PER_REGION = 200
"""Moves of packing for each region there can be, between the two."""
FIT_SHARE = 12
"""Part of the default iterations that goes into the fit: the number of regions comes first."""


def maxp(
    X: NDArray[np.floating[Any]],
    k: int | None = None,
    *,
    weights: Weights,
    restarts: int = 1,
    iterations: int | None = None,
    time_limit: float | None = None,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    findings: Findings | None = None,
) -> IntArray:
    """Group units into the most contiguous regions that keep the bounds, with the best fit found.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : None
        Found, not given.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    restarts : int
        Packings with random numbers of their own: the one with most regions is kept, and improved.
    iterations : int, optional
        Of the search that improves the fit (`azp`).
    time_limit : float, optional
        Seconds after which that search stops.
    seed : int
        Of all random numbers.
    bounds : sequence of Bound
        What every region must hold: at least one of them has a minimum.
    jobs, progress, findings
        As for `azp`; findings are told the number of regions, and the most there could be.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … p - 1.

    Raises
    ------
    UsageError
        No lower bound, or a k.
    InfeasibleError
        A component holds too little for one region, or no regions within the bounds were found.

    References
    ----------
    Duque, Anselin and Rey (2012), The max-p-regions problem.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(6)
    >>> path = Weights.from_links(7, row, row + 1, kind="example")
    >>> two = Bound("units", np.ones(7), lower=2)
    >>> maxp(np.array([[0.0], [1], [9], [9], [9], [5], [5]]), weights=path, bounds=(two,)).tolist()
    [0, 0, 1, 1, 1, 2, 2]
    """
    check_lengths(restarts, iterations, time_limit)
    if k is not None:
        raise UsageError("maxp finds the number of regions", advice="leave k out, or use azp with the bounds")
    if not any(bound.lower > 0 for bound in bounds):
        raise UsageError(
            "maxp needs a minimum that every region must hold",
            advice="give --min-size or --min-bound, such as --min-bound pop=10%",
        )
    need, room = least_and_most(weights, bounds)
    fewest, most = int(need.sum()), int(room.sum())
    labels = max(
        (most_packed(X, weights, bounds, most, (seed, number)) for number in range(restarts)),
        key=lambda found: found.max(),
    )
    problem, labels = within_upper_bounds(X, weights, bounds, labels, most, fewest, seed)
    search = Recombination(problem, labels, (seed, 0))
    if iterations is None and time_limit is None:
        iterations = max(problem.default_iterations // FIT_SHARE, LEAST_ITERATIONS // 2)
    best, done, cut_short = run_searches(
        [search], iterations=iterations, time_limit=time_limit, jobs=jobs, progress=progress
    )
    tell(findings, problem, [labels], best, done, time_limit if cut_short else None)
    if findings is not None:
        findings.facts["regions"] = problem.k
        findings.facts["most_regions"] = most
    return in_order_of_units(best.best)


def most_packed(
    X: NDArray[np.floating[Any]],
    weights: Weights,
    bounds: Sequence[Bound],
    most: int,
    seed: tuple[int, ...],
) -> IntArray:
    """Pack regions that hold enough, from whole components on."""
    problem = make_problem(X, most, weights, bounds)
    labels = weights.component.copy()
    least, last = (int(units / problem.unit_share) for units in UNITS_PACKED)
    moves = min(max(least, MOVES_PER_REGION * most), last)
    compiled(pack)(
        labels,
        weights.n_components,
        most,
        initial_state(seed),
        moves,
        problem.units,
        problem.graph,
        problem.limits,
    )
    return labels


def within_upper_bounds(
    X: NDArray[np.floating[Any]],
    weights: Weights,
    bounds: Sequence[Bound],
    labels: IntArray,
    most: int,
    fewest: int,
    seed: int,
) -> tuple[Problem, IntArray]:
    """Return the problem of the most regions for which some were found that keep upper bounds too.

    Raises
    ------
    InfeasibleError
        None were found.
    """
    packed = int(labels.max()) + 1
    problem = make_problem(X, packed, weights, bounds)
    if not any(np.isfinite(bound.upper) for bound in bounds):
        return problem, labels
    for k in range(most, fewest - 1, -1):
        problem = make_problem(X, k, weights, bounds)
        start = labels if k == packed else start_regions("skater", X, k, weights, (seed,))
        found, broken = keep_bounds(problem, start, (seed, k, 2))
        if not broken:
            return problem, found
    raise InfeasibleError(
        f"no way was found to make regions of {limits_in_words(bounds)}", advice="loosen a bound"
    )
