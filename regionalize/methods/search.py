"""The search for better regions: recombination in cycles of annealing, each twice as long as the last."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.recombine import recombine
from regionalize.kernels.regions import EXACT, Graph, Limits, Units, is_better
from regionalize.kernels.zoning import sweep
from regionalize.model.bounds import Bound
from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

CYCLES = 6
"""Cycles of the default number of iterations."""
SWEEP_SHARE = 1 / 6
"""Share of a cycle's iterations that sweep over all units; it takes about half of the time."""
SWEEP_HEAT = 1.5, 0.1
"""Temperature of the first and the last sweep of a cycle, in a unit's mean share of the within sum."""
HOT, COLD, LEAST_FALL = 0.06, 0.4, 4.0
"""The same for recombination: shares of a region's mean within sum and of a unit's, and their least ratio."""
PENALTY = 1e4
"""Cost of missing a bound by a whole region's fair share, in total sums of squares: bounds come first."""
LEAST_ITERATIONS, MOST_ITERATIONS = 500, 200_000
"""Of a search by default, however large or small the layer."""
UNITS_SEEN = 1_800_000
"""Units that the iterations of a search by default look at, in all."""
USUAL_NEIGHBORS = 6
"""Of a unit on a map."""
MOST_TO_BOUNDS = 20_000
"""Iterations after which bounds that are not kept count as impossible to keep."""
CHUNK_UNITS = 200_000
"""The same between two looks at the clock."""
TOLERANCE = -np.log((np.arange(1024) + 0.5) / 1024)
"""Quantiles of the exponential distribution: what times temperature annealing lets a move cost."""
SLACK = 1e-9


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

    @property
    def first_cycle(self) -> int:
        """Iterations of the first cycle: each is twice as long as the one before."""
        return -(-self.default_iterations // ((1 << CYCLES) - 1))


def keep_bounds(problem: Problem, labels: IntArray, seed: Sequence[int]) -> Recombination:
    """Change regions until they keep the bounds, or that takes too long; see `in_bounds`.

    Those that keep them are left as they are.
    """
    search = Recombination(problem, labels, seed, sweeps=False)
    if breaches(problem, labels):
        search.run(min(problem.default_iterations, MOST_TO_BOUNDS), stop_at_bounds=True)
    else:
        search.standing[:] = 0.0, -bss_tss(problem, labels)
    return search


def breaches(problem: Problem, labels: IntArray) -> bool:
    """Whether a region breaches a bound."""
    amount, limits = problem.units.amount, problem.limits
    for bound, each in enumerate(amount.T):
        held = np.bincount(labels, each, minlength=problem.k)
        if (held < limits.lower[bound]).any() or (held > limits.upper[bound]).any():
            return True
    return False


def in_bounds(search: Search) -> bool:
    """Whether the best found breaches no bound."""
    return bool(search.standing[0] <= EXACT)


def bss_tss(problem: Problem, labels: IntArray) -> float:
    """Return the share of all variation that lies between regions."""
    sums = np.stack(
        [np.bincount(labels, column, minlength=problem.k) for column in problem.units.X.T], axis=1
    )
    return float((np.einsum("ij,ij->i", sums, sums) / np.bincount(labels, minlength=problem.k)).sum())


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
        lower.append(bound.lower / share * (1 - SLACK))
        upper.append(bound.upper / share * (1 + SLACK))
    n = len(values)
    both = Weights.from_links(
        n, np.r_[weights.row, weights.indices], np.r_[weights.indices, weights.row], kind=weights.kind
    )
    return Problem(
        Units(
            values,
            np.ascontiguousarray(np.stack(amounts, axis=1)) if amounts else np.empty((n, 0)),
            np.zeros(n, dtype=np.bool_) if fixed is None else np.asarray(fixed, dtype=np.bool_),
        ),
        Graph(both.indptr, both.indices),
        Limits(np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64), PENALTY),
        k,
    )


class Search(Protocol):
    """What can be run on: `best` labels so far, their breach of bounds and cost in `standing`.

    `done` counts iterations, `still` tells that there is nothing more to find, `chunk` how many iterations
    take a fraction of a second.
    """

    best: IntArray
    standing: FloatArray
    done: int
    still: bool

    @property
    def chunk(self) -> int: ...  # noqa: D102

    def run(self, iterations: int) -> None: ...  # noqa: D102

    def finish(self) -> None: ...  # noqa: D102


class Recombination:
    """Annealing of single units and recombination of regions in turn; the best seen is kept.

    A cycle begins at the best so far. Single units are annealed in sweeps over all of them; then, from the
    best again, regions are merged and split, at a temperature of their own. The next cycle is twice as long.

    Parameters
    ----------
    problem : Problem
        What is grouped.
    labels : (n,) int64
        Where to start: k regions, every one connected.
    seed : sequence of int
        Of the random numbers.
    sweeps : bool
        Whether single units are annealed.
    """

    def __init__(
        self, problem: Problem, labels: IntArray, seed: Sequence[int], *, sweeps: bool = True
    ) -> None:
        self.problem = problem
        self.labels = np.array(labels, dtype=np.int64)
        self.best = self.labels.copy()
        self.standing = np.array([np.inf, np.inf])
        self.state = np.random.default_rng(seed).integers(1, 2147483399, size=2)
        self.sweep_share = SWEEP_SHARE if sweeps else 0.0
        self.done = 0
        self.start, self.middle, self.stop = 0, 0, 0  # of the cycle: sweeps up to its middle
        self.hot = self.cold = 0.0
        self.still = False
        self._begin_cycle()

    @property
    def chunk(self) -> int:
        """Iterations up to the next look at the clock: few sweeps over all units, or many recombinations."""
        if self.done < self.middle:
            return min(max(1, CHUNK_UNITS // len(self.labels)), self.middle - self.done)
        return self._recombined_together()

    def _recombined_together(self) -> int:
        """Return how many recombinations are left of those that one call of the kernel makes."""
        together = max(1, int(CHUNK_UNITS / self.problem.unit_share))
        return min(together - (self.done - self.middle) % together, self.stop - self.done)

    def run(self, iterations: int, *, stop_at_bounds: bool = False) -> None:
        """Make more iterations; where that leads depends on their number alone, not on how it is reached."""
        goal = self.done + iterations
        if self.done == 0:
            self._recombine(self.labels, np.empty(0))  # where the start stands
            self.still = not has_borders(self.labels, self.problem.graph) or self.problem.k == len(
                self.labels
            )
        while self.done < goal and not self.still:
            if self.done < self.middle:
                self._sweep()
                self.done += 1
                continue
            if self.done == self.middle:
                self._heat()
            last = min(goal, self.done + self._recombined_together())
            made = self._recombine(self.labels, self._temperatures(last), stop_at_bounds)
            self.still = made < last - self.done
            self.done += made
            if self.done == self.stop:
                self._begin_cycle()

    def finish(self) -> None:
        """Move single units of the best found as long as one gains; the search is over."""
        self._recombine(self.best.copy(), np.empty(0))

    def _begin_cycle(self) -> None:
        """Go back to the best, for twice as long as before."""
        length = 2 * (self.stop - self.start) or self.problem.first_cycle
        self.start, self.stop = self.done, self.done + length
        self.middle = self.start + int(length * self.sweep_share)
        self.labels[:] = self.best

    def _sweep(self) -> None:
        """Try to move every unit once, at a temperature that falls through the sweeps of the cycle."""
        hot, cold = SWEEP_HEAT
        heat = hot * (cold / hot) ** ((self.done - self.start) / (self.middle - self.start))
        move = compiled(sweep) if compiles() else sweep
        broken, cost = move(
            self.labels,
            self.state,
            heat / len(self.labels),
            EXACT,
            TOLERANCE,
            self.problem.units,
            self.problem.graph,
            self.problem.limits,
            self.problem.k,
        )
        if is_better(broken, cost, self.standing):
            self._recombine(self.labels.copy(), np.empty(0))

    def _heat(self) -> None:
        """Go back to the best, and find the temperatures at which it will be recombined."""
        self.labels[:] = self.best
        within = 1.0 + self.standing[1]
        self.cold = max(COLD * within / len(self.labels), 0.0)
        self.hot = max(HOT * within / self.problem.k, LEAST_FALL * self.cold)

    def _temperatures(self, last: int) -> FloatArray:
        """Return those up to an iteration: falling evenly, on a logarithmic scale, through the cycle."""
        if self.cold <= 0.0:
            return np.zeros(last - self.done)
        into = (np.arange(self.done, last) - self.middle) / (self.stop - self.middle)
        falling: FloatArray = self.hot * (self.cold / self.hot) ** into
        return falling

    def _recombine(self, labels: IntArray, temperatures: FloatArray, stop_at_bounds: bool = False) -> int:
        """Make one iteration per temperature; without any, move single units as long as one gains."""
        search = compiled(recombine) if compiles() else recombine
        return search(
            labels,
            self.best,
            self.standing,
            self.state,
            temperatures,
            TOLERANCE,
            stop_at_bounds,
            self.problem.units,
            self.problem.graph,
            self.problem.limits,
            self.problem.k,
        )


def has_borders(labels: IntArray, graph: Graph) -> bool:
    """Whether two neighbours are of different regions."""
    row = np.repeat(np.arange(len(labels)), np.diff(graph.indptr))
    return bool((labels[row] != labels[graph.indices]).any())


def run_searches(
    searches: Sequence[Search],
    *,
    iterations: int | None,
    time_limit: float | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
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
    with ThreadPoolExecutor(min(len(searches), jobs or os.cpu_count() or 1)) as pool:
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
