"""Recombination in cycles of annealing, each twice as long as the last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled
from regionalize.kernels.draws import initial_state
from regionalize.kernels.recombine import recombine
from regionalize.kernels.regions import EXACT, SLACK, Graph, is_better
from regionalize.kernels.zoning import sweep
from regionalize.methods.search import CHUNK_UNITS, TOLERANCE, Problem, in_bounds

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

CYCLES = 6
"""Cycles of the default number of iterations: each is twice as long as the one before."""
FIRST_CYCLE = 5
"""Iterations for each unit that the first cycle has at most."""
SWEEP_SHARE = 1 / 6
"""Share of a cycle's iterations that sweep over all units; it takes about half of the time."""
SWEEP_HEAT = 1.5, 0.1
"""Temperature of the first and the last sweep of a cycle, in a unit's mean share of the within sum."""
HOT, COLD, LEAST_FALL = 0.06, 0.1, 16.0
"""The same for recombination: shares of a region's mean within sum and of a unit's, and their least ratio."""
LONG_CYCLE, HOTTER = 0.5, 0.5
"""Cycles longer than a share of the default iterations begin hotter, by a power of how much longer."""
ROUND, ROUND_SHARE = 2500, 60
"""Times that a round of cycles looks at every unit, at most, and per unit: what is not found then is found
from elsewhere."""
MOST_TO_BOUNDS = 20_000
"""Iterations after which bounds that are not kept count as impossible to keep."""


class Recombination:
    """Annealing of single units and recombination of regions in turn; the best seen is kept.

    A cycle begins at the best of its round. Single units are annealed in sweeps over all of them; then, from
    the best again, regions are merged and split, at a temperature of their own. The next cycle is twice as
    long. After a long round another begins at the start: small layers have several in a default search.

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
        self.best, self.standing = self.labels.copy(), np.array([np.inf, np.inf])
        self.lead, self.lead_standing = self.best.copy(), self.standing.copy()  # the best of the round
        self.first, self.first_standing = self.best.copy(), self.standing.copy()  # where rounds begin
        self.state = initial_state(seed)
        self.sweep_share = SWEEP_SHARE if sweeps else 0.0
        self.done = 0
        self.round = 0
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
            self.first[:], self.first_standing[:] = self.lead, self.lead_standing
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
        self.lead[:], self.lead_standing[:] = self.best, self.standing
        self._recombine(self.best.copy(), np.empty(0))

    def _begin_cycle(self) -> None:
        """Go back to the best of the round for twice as long as before, or to the start for a new round."""
        n, problem, length = len(self.labels), self.problem, 2 * (self.stop - self.start)
        looks = (self.done - self.round) * problem.unit_share / n
        if length == 0 or looks >= min(ROUND, ROUND_SHARE * n):
            length = min(-(-problem.default_iterations // ((1 << CYCLES) - 1)), FIRST_CYCLE * n)
            self.round = self.done
            self.lead[:], self.lead_standing[:] = self.first, self.first_standing
        self.start, self.stop = self.done, self.done + length
        self.middle = self.start + int(length * self.sweep_share)
        self.labels[:] = self.lead

    def _sweep(self) -> None:
        """Try to move every unit once, at a temperature that falls through the sweeps of the cycle."""
        hot, cold = SWEEP_HEAT
        heat = hot * (cold / hot) ** ((self.done - self.start) / (self.middle - self.start))
        broken, cost = compiled(sweep)(
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
        if is_better(broken, cost, self.lead_standing):
            self._recombine(self.labels.copy(), np.empty(0))

    def _heat(self) -> None:
        """Go back to the best of the round, and find the temperatures at which it will be recombined."""
        self.labels[:] = self.lead
        within = 1.0 + self.lead_standing[1]
        longer = (self.stop - self.start) / (LONG_CYCLE * self.problem.default_iterations)
        self.cold = max(COLD * within / len(self.labels), 0.0)
        self.hot = max(HOT * within / self.problem.k, LEAST_FALL * self.cold) * max(longer, 1.0) ** HOTTER

    def _temperatures(self, last: int) -> FloatArray:
        """Return those up to an iteration: falling evenly, on a logarithmic scale, through the cycle."""
        if self.cold <= 0.0:
            return np.zeros(last - self.done)
        into = (np.arange(self.done, last) - self.middle) / (self.stop - self.middle)
        falling: FloatArray = self.hot * (self.cold / self.hot) ** into
        return falling

    def _recombine(self, labels: IntArray, temperatures: FloatArray, stop_at_bounds: bool = False) -> int:
        """Make one iteration per temperature; without any, move single units as long as one gains."""
        moves: int = compiled(recombine)(
            labels,
            self.lead,
            self.lead_standing,
            self.state,
            temperatures,
            TOLERANCE,
            stop_at_bounds,
            self.problem.units,
            self.problem.graph,
            self.problem.limits,
            self.problem.k,
        )
        if is_better(self.lead_standing[0], self.lead_standing[1], self.standing):
            self.best[:], self.standing[:] = self.lead, self.lead_standing
        return moves


def has_borders(labels: IntArray, graph: Graph) -> bool:
    """Whether two neighbours are of different regions."""
    row = np.repeat(np.arange(len(labels)), np.diff(graph.indptr))
    return bool((labels[row] != labels[graph.indices]).any())


def keep_bounds(problem: Problem, labels: IntArray, seed: Sequence[int]) -> tuple[IntArray, float]:
    """Change regions until they keep the bounds, or that takes too long.

    Returns
    -------
    labels : (n,) int64
        The very regions that were given if they keep the bounds.
    broken : float
        What they still lack or exceed, in fair shares of a region: 0 if they keep the bounds.
    """
    if not breaches(problem, labels):
        return labels, 0.0
    search = Recombination(problem, labels, seed, sweeps=False)
    search.run(min(problem.default_iterations, MOST_TO_BOUNDS), stop_at_bounds=True)
    return search.best, 0.0 if in_bounds(search) else float(search.standing[0])


def breaches(problem: Problem, labels: IntArray) -> bool:
    """Whether a region breaches a bound."""
    amount, limits = problem.units.amount, problem.limits
    for bound, each in enumerate(amount.T):
        held = np.bincount(labels, each, minlength=problem.k)
        lower, upper = limits.lower[bound], limits.upper[bound]
        if (lower - held > SLACK * lower).any() or (held - upper > SLACK * upper).any():
            return True
    return False
