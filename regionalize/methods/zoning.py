"""The classic searches of automatic zoning: greedy, annealing, and with a tabu list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.compiler import compiled
from regionalize.kernels.draws import initial_state
from regionalize.kernels.regions import EXACT, count_up, is_better, measure, room_to_walk
from regionalize.kernels.zoning import Border, Tabu, Tally, move_with_tabu, sweep
from regionalize.methods.search import CHUNK_UNITS, TOLERANCE, Problem

IntArray = NDArray[np.int64]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])

PLAIN_UNITS = 5000
"""Units that a search looks at before its kernels are compiled: loading the compiler takes longer."""
FEWEST_SWEEPS = 4
"""Looks at all units that any search takes, so that a large one compiles from the beginning."""
LEAST_PATIENCE = 10
"""Moves without a new best after which the tabu search stops, if regions have no more units than that."""
IDLE_STEPS, IDLE_COOLING = 3, 0.85
"""Annealing stops after so many steps without a new lowest cost, more if it cools more slowly than this."""


class Zoning:
    """One search by moves of single units: where it is, and the best it has seen.

    Parameters
    ----------
    problem : Problem
        What is grouped.
    labels : (n,) int64
        Where to start: k regions, every one connected.
    seed : sequence of int
        Of the random numbers.

    Attributes
    ----------
    best : (n,) int64
        The best regions so far.
    standing : (2,) float64
        Their breach of bounds, and their cost: the within sum of squares less the total, which counts as 1.
    done : int
        Iterations made. Where the search is depends on their number alone, not on the calls of `run`.
    still : bool
        Whether the search has come to its end.
    """

    def __init__(self, problem: Problem, labels: IntArray, seed: Sequence[int]) -> None:
        self.problem = problem
        self.labels = np.array(labels, dtype=np.int64)
        self.best = self.labels.copy()
        self.seen: float = FEWEST_SWEEPS * len(self.labels)
        rate = self.kernel(measure, len(self.labels))
        self.standing = np.array(rate(self.labels, problem.units, problem.limits, problem.k))
        self.state = initial_state(seed)
        self.done = 0
        self.still = False

    @property
    def chunk(self) -> int:
        """Iterations between two looks at the clock."""
        return max(1, CHUNK_UNITS // len(self.labels))

    def kernel(self, kernel: Kernel, units: float) -> Kernel:
        """Return a kernel that is to look at more units, compiled once that pays: the answer is the same."""
        self.seen += units
        return compiled(kernel) if self.seen > PLAIN_UNITS else kernel

    def run(self, iterations: int) -> None:
        """Make more iterations, fewer where the search comes to its end."""
        for _ in range(iterations):
            if self.still:
                return
            self.step()
            self.done += 1

    def step(self) -> None:
        """Make one iteration."""
        raise NotImplementedError

    def finish(self) -> None:
        """Move single units of the best found as long as one gains; the search is over."""
        self.still = True
        self.labels[:] = self.best
        before, cost = np.inf, self.sweep(slack=-EXACT)
        while cost < before - EXACT:
            before, cost = cost, self.sweep(slack=-EXACT)

    def sweep(self, heat: float = 0.0, slack: float = EXACT) -> float:
        """Try to move each unit once; keep what is better than the best. Return the cost with its penalty."""
        problem = self.problem
        broken, cost = self.kernel(sweep, len(self.labels))(
            self.labels,
            self.state,
            heat,
            slack,
            TOLERANCE,
            problem.units,
            problem.graph,
            problem.limits,
            problem.k,
        )
        if is_better(broken, cost, self.standing):
            self.standing[:] = broken, cost
            self.best[:] = self.labels
        return cost + problem.limits.penalty * broken


class Greedy(Zoning):
    """Sweeps of moves that do not cost, until a whole sweep brings nothing.

    Moves that change nothing are made too, as they may open a way; once a sweep of such moves has brought
    nothing, only true gains count, so that the search ends, and ends where no single move gains.

    References
    ----------
    Openshaw (1977), A geographical solution to scale and aggregation problems in region-building,
    partitioning and spatial modelling.

    Examples
    --------
    >>> from regionalize.methods.search import make_problem
    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(6, np.arange(5), np.arange(1, 6), kind="path")
    >>> problem = make_problem(np.array([[0.0], [0], [0], [9], [9], [9]]), 2, path)
    >>> search = Greedy(problem, np.array([0, 1, 1, 1, 1, 1]), (1,))
    >>> search.run(100)
    >>> search.best.tolist(), search.still
    ([0, 0, 0, 1, 1, 1], True)
    """

    def __init__(self, problem: Problem, labels: IntArray, seed: Sequence[int]) -> None:
        super().__init__(problem, labels, seed)
        self.strict = False

    def step(self) -> None:
        """Make a sweep."""
        before = self.standing.copy()
        self.sweep(slack=-EXACT if self.strict else EXACT)
        if np.array_equal(self.standing, before):
            self.still, self.strict = self.strict, True


class Annealing(Zoning):
    """Sweeps that let units move at a cost, at a falling temperature.

    A move that raises the within sum of squares by a share r of itself is made with probability
    exp(-r n / T). The temperature T begins at 1 and is multiplied by `cooling` after each step. Annealing
    stops when three steps in a row have brought no new lowest cost, or more than three where it cools more
    slowly than by 0.85, as cost then wavers more than it falls. What counts is the lowest since T was 1: a
    good start is worse at once, and would otherwise be returned as it is.

    Parameters
    ----------
    problem, labels, seed
        As for all searches.
    cooling : float
        Factor of the temperature, above 0 and below 1.
    sweeps : int
        Sweeps of a step.

    Raises
    ------
    UsageError
        The temperature would not fall.

    References
    ----------
    Openshaw and Rao (1995), Algorithms for reengineering 1991 Census geography.
    """

    def __init__(
        self,
        problem: Problem,
        labels: IntArray,
        seed: Sequence[int],
        *,
        cooling: float = 0.85,
        sweeps: int = 1,
    ) -> None:
        if not 0.0 < cooling < 1.0:
            raise UsageError(
                f"annealing multiplies the temperature by {cooling:g} after each step",
                advice="give a factor above 0 and below 1, such as 0.85",
            )
        super().__init__(problem, labels, seed)
        self.cooling, self.sweeps = cooling, sweeps
        self.patience = max(IDLE_STEPS, round(IDLE_STEPS * np.log(IDLE_COOLING) / np.log(cooling)))
        self.temperature = 1.0
        self.lowest, self.idle = np.inf, 0

    @property
    def chunk(self) -> int:
        """Iterations between two looks at the clock."""
        return max(1, super().chunk // self.sweeps)

    def step(self) -> None:
        """Make the sweeps of one temperature."""
        heat = self.temperature / len(self.labels)
        cost = min(self.sweep(heat) for _ in range(self.sweeps))
        self.temperature *= self.cooling
        self.idle = 0 if cost < self.lowest - EXACT else self.idle + 1
        self.lowest = min(self.lowest, cost)
        self.still = self.idle == self.patience


class TabuSearch(Zoning):
    """The cheapest of all single moves, gain or not, but none back to where a unit has just been.

    The move back is tabu for `length` moves, unless it leads to the best so far. Nothing is drawn.

    Parameters
    ----------
    problem, labels, seed
        As for all searches.
    length : int
        Moves for which the way back is closed.
    patience : int, optional
        Moves without a new best after which the search stops; by default the mean number of units of a
        region, at least 10.

    References
    ----------
    Openshaw and Rao (1995), Algorithms for reengineering 1991 Census geography.
    """

    def __init__(
        self,
        problem: Problem,
        labels: IntArray,
        seed: Sequence[int],
        *,
        length: int = 10,
        patience: int | None = None,
    ) -> None:
        super().__init__(problem, labels, seed)
        n, k = len(self.labels), problem.k
        self.patience = max(LEAST_PATIENCE, n // k) if patience is None else patience
        self.current = self.standing.copy()
        self.regions = self.kernel(count_up, 0)(self.labels, problem.units, k)
        self.labels = self.regions.labels
        self.walk = self.kernel(room_to_walk, n)(problem.graph)
        self.border = Border(
            units=np.empty(n, dtype=np.int64),
            place=np.full(n, -1),
            target=np.full(n, -1),
            rise=np.empty(n),
            relief=np.empty(n),
            holds=np.empty(n, dtype=np.bool_),
            known=np.full(n, -1),
            changed=np.zeros(k, dtype=np.int64),
        )
        self.tabu = Tabu(np.full(length, -1), np.full(length, -1), np.zeros(n, dtype=np.int64))
        self.tally = Tally(*np.zeros((3, 1), dtype=np.int64))

    @property
    def chunk(self) -> int:
        """Moves between two looks at the clock."""
        return max(1, int(CHUNK_UNITS / self.problem.unit_share))

    def run(self, iterations: int) -> None:
        """Make more moves, fewer where the search comes to its end."""
        problem, goal = self.problem, self.done + iterations
        few = max(1, int(PLAIN_UNITS / 4 / problem.unit_share))
        while self.done < goal and not self.still:
            moves = min(goal - self.done, few if self.seen < PLAIN_UNITS else self.chunk)
            self.still = self.kernel(move_with_tabu, moves * problem.unit_share)(
                moves,
                self.patience,
                self.best,
                self.standing,
                self.current,
                problem.units,
                problem.graph,
                problem.limits,
                self.regions,
                self.border,
                self.tabu,
                self.tally,
                self.walk,
            )
            self.done = int(self.tally.moves[0])
