"""Searches for better regions: what they work on, how they are run, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.regions import EXACT, Graph, Limits, Units
from regionalize.kernels.threads import threads
from regionalize.methods.contiguous_links import both_ways
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.progress import Told
from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

PENALTY = 1e4
"""Cost of missing a bound by a whole region's fair share, in total sums of squares: bounds come first."""
LEAST_ITERATIONS, MOST_ITERATIONS = 500, 200_000
"""Of a search by default, however large or small the layer."""
UNITS_SEEN = 1_800_000
"""Units that the iterations of a search by default look at, in all."""
USUAL_NEIGHBORS = 6
"""Of a unit on a map."""
CHUNK_UNITS = 200_000
"""Units looked at between two looks at the clock."""
TOLERANCE = -np.log((np.arange(1024) + 0.5) / 1024)
"""Quantiles of the exponential distribution: what times temperature annealing lets a move cost."""


@dataclass(frozen=True)
class Problem:
    """What a search works on, ready for the kernels.

    Attributes
    ----------
    units, graph, limits : Units, Graph, Limits
        Variables centred, and scaled to a sum of squares of 1; bounds in fair shares of a region.
    k : int
        Number of regions.
    """

    units: Units
    graph: Graph
    limits: Limits
    k: int

    @property
    def unit_share(self) -> float:
        """Units in two regions on average, which an iteration looks at; more if they have many neighbours."""
        return max(2.0 * max(len(self.units.X), len(self.graph.indices) / USUAL_NEIGHBORS) / self.k, 2.0)

    @property
    def default_iterations(self) -> int:
        """Iterations that take about a second or two, more in large layers."""
        return min(max(LEAST_ITERATIONS, int(UNITS_SEEN / self.unit_share)), MOST_ITERATIONS)


def make_problem(
    X: NDArray[np.floating[Any]],
    k: int,
    weights: Weights,
    bounds: Sequence[Bound] = (),
    fixed: NDArray[np.bool_] | None = None,
) -> Problem:
    """Bring data to the form that kernels take.

    Parameters
    ----------
    X : (n, p) float
        Variables.
    k : int
        Number of regions.
    weights : Weights
        Neighbours; a link counts in both directions.
    bounds : sequence of Bound
        What every region must hold.
    fixed : (n,) bool, optional
        Units that keep their region.
    """
    values = np.asarray(X, dtype=np.float64)
    values = values - values.mean(axis=0)
    total = float(np.einsum("ij,ij->", values, values))
    values = np.ascontiguousarray(values / np.sqrt(total) if total > 0 else values)
    amounts, lower, upper = [], [], []
    for bound in bounds:
        share = max(float(bound.amount.sum()) / k, np.finfo(float).tiny)
        amounts.append(np.asarray(bound.amount, dtype=np.float64) / share)
        lower.append(bound.lower / share)
        upper.append(bound.upper / share)
    n, links = len(values), both_ways(weights)
    return Problem(
        Units(
            values,
            np.ascontiguousarray(np.stack(amounts, axis=1)) if amounts else np.empty((n, 0)),
            np.zeros(n, dtype=np.bool_) if fixed is None else np.asarray(fixed, dtype=np.bool_),
        ),
        Graph(links.indptr, links.indices),
        Limits(np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64), PENALTY),
        k,
    )


class Search(Protocol):
    """What can be run on: `best` labels so far, their breach of bounds and cost in `standing`.

    `done` counts iterations, `still` tells that there is nothing more to find.
    """

    best: IntArray
    standing: FloatArray
    done: int
    still: bool

    @property
    def chunk(self) -> int:
        """Iterations that take a fraction of a second."""

    def run(self, iterations: int) -> None:
        """Make more iterations; where that leads depends on their number alone, not on how it is reached."""

    def finish(self) -> None:
        """Move single units of the best found as long as one gains; the search is over."""


def check_lengths(restarts: int, iterations: int | None, time_limit: float | None) -> None:
    """Refuse searches that would not begin.

    Raises
    ------
    UsageError
        No searches, no iterations, or a time limit that is none.
    """
    if restarts < 1:
        raise UsageError(f"restarts is {restarts}; it must be at least 1")
    if iterations is not None and iterations < 1:
        raise UsageError(f"iterations is {iterations}; it must be at least 1")
    if time_limit is not None and not time_limit >= 0:
        raise UsageError(f"time_limit is {time_limit}; it must be a number of seconds")


def run_searches(
    searches: Sequence[Search],
    *,
    iterations: int | None,
    time_limit: float | None = None,
    jobs: int | None = None,
    progress: Told | None = None,
) -> tuple[Search, int, bool]:
    """Run searches side by side, all for the same number of iterations, and return the best.

    Parameters
    ----------
    searches : sequence of Search
        One or more, each by itself.
    iterations : int or None
        Of each search; None: until none finds anything more, or time is up.
    time_limit : float, optional
        Seconds after which they stop.
    jobs : int, optional
        Threads for several searches; the answer does not depend on it.
    progress : callable, optional
        Called with (done, total), in thousandths.

    Returns
    -------
    best : Search
        Of equally good ones, the first.
    iterations : int
        How many each has made, but for those that ended before: as many again lead to the same answer.
    cut_short : bool
        Whether time was up before they were made, and before the searches ended.
    """
    began = perf_counter()
    done = 0
    with ThreadPoolExecutor(min(len(searches), threads(jobs))) as pool:
        while True:
            step = searches[0].chunk
            step = step if iterations is None else min(step, iterations - done)
            list(pool.map(lambda search, count: search.run(count), searches, [step] * len(searches)))
            done += step
            spent = perf_counter() - began
            if progress is not None:
                share = 0.0 if iterations is None else done / iterations
                share = share if time_limit is None else max(share, spent / time_limit)
                progress(min(int(1000 * share), 1000), 1000)
            ended = done == iterations or all(search.still for search in searches)
            over = time_limit is not None and spent >= time_limit
            if ended or over:
                break
    done = max(search.done for search in searches)
    for search in searches:
        search.finish()
    best = min(searches, key=lambda search: (max(search.standing[0], EXACT), search.standing[1]))
    return best, done, not ended


def in_bounds(search: Search) -> bool:
    """Whether the best found breaches no bound."""
    return bool(search.standing[0] <= EXACT)


def tell(
    findings: Findings | None,
    problem: Problem,
    starts: Sequence[IntArray],
    best: Search,
    done: int,
    stopped_at: float | None,
) -> None:
    """Leave word of a search for the report; `stopped_at` is the time limit that cut it short."""
    if findings is None:
        return
    findings.facts["search"] = {
        "iterations": done,
        "bss_tss_start": max(bss_tss(problem, labels) for labels in starts),
        "bss_tss": bss_tss(problem, best.best),
    }
    if stopped_at is not None:
        findings.notes.append(
            f"stopped by --time-limit {stopped_at:g} after {done} iterations; "
            f"--iterations {done} repeats this"
        )


def bss_tss(problem: Problem, labels: IntArray) -> float:
    """Return the share of all variation that lies between regions."""
    sums = np.stack(
        [np.bincount(labels, column, minlength=problem.k) for column in problem.units.X.T], axis=1
    )
    return float((np.einsum("ij,ij->i", sums, sums) / np.bincount(labels, minlength=problem.k)).sum())


def in_order_of_units(labels: IntArray) -> IntArray:
    """Give regions their numbers in the order of their first units."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    renamed: IntArray = rank[inverse]
    return renamed
