"""K-means on many rows: starts from several random samples, raced on all rows.

On large tables a few steps tell little of where a start ends, and one sample prefers its own optimum to
that of the whole. So starts run nearly to convergence on several small samples, and the best of each race
on all rows: after every heat the better half goes on, for twice as many steps.
"""

from __future__ import annotations

from math import ceil, log2
from typing import Protocol

import numpy as np

from regionalize.kernels.threads import Run
from regionalize.methods.lloyd import FloatArray, IntArray, Rows
from regionalize.methods.population import Finish, Population, Solution, improve
from regionalize.methods.seeding import draw_centers
from regionalize.model.progress import Told

SAMPLE = 5000
"""Rows of a sample, or `ROWS_PER_CLUSTER` a cluster where that is more."""
ROWS_PER_CLUSTER = 50
SAMPLES = 8
STARTS = 10
"""Starts on every sample."""
STEPS_ON_SAMPLE = 100
KEPT = 3
"""How many of a sample's starts race on all rows."""
FIRST_HEAT = 12
"""Steps of the first heat."""
FINALISTS = 2
"""How many are finished."""


class Drawn(Protocol):
    """Rows that samples are drawn from, in memory or not."""

    def __len__(self) -> int:
        """Return their number."""

    def take(self, rows: IntArray) -> Rows:
        """Return some of them, by number."""

    def distinct(self) -> FloatArray:
        """Return each once, in rising order."""


class Heat(Protocol):
    """Steps on all rows."""

    def __call__(self, centers: FloatArray, *, steps: int) -> Population:
        """Improve candidates (candidates, k, p) by so many steps."""


def race_starts(
    rows: Drawn,
    k: int,
    rng: np.random.Generator,
    heat: Heat,
    finish: Finish[Solution],
    run: Run,
    progress: Told | None = None,
) -> list[Solution]:
    """Search for the best partition of many rows.

    Parameters
    ----------
    rows : Drawn
        The data, in single precision.
    k : int
        Number of clusters, at most the number of distinct rows.
    rng : numpy.random.Generator
        Source of every draw.
    heat : callable
        Improves centres by steps on all rows, wherever these are.
    finish : callable
        Takes centres (candidates, k, p) to the labels and within sums of squares of local optima.
    run : callable
        `map`, or that of an executor, for candidates side by side.
    progress : callable, optional
        Called with (done, total): samples, heats and the finish.

    Returns
    -------
    list
        Finished solutions, as `finish` returns them.
    """
    heats = ceil(log2(KEPT * SAMPLES / FINALISTS))

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, SAMPLES + heats + 1)

    found = []
    for number in range(SAMPLES):
        tell(number)
        found.append(starts_from_sample(rows, k, rng, run))
    racing = np.concatenate(found)
    number, steps = 0, FIRST_HEAT
    while len(racing) > FINALISTS:
        tell(SAMPLES + number)
        racing = best_of(heat(racing, steps=steps), max(FINALISTS, len(racing) // 2))
        number, steps = number + 1, 2 * steps
    tell(SAMPLES + heats)
    return finish(racing.astype(np.float64))


def starts_from_sample(rows: Drawn, k: int, rng: np.random.Generator, run: Run) -> FloatArray:
    """Draw a sample and return the centres of its best few starts, shape (m, k, p)."""
    size = min(max(SAMPLE, ROWS_PER_CLUSTER * k), len(rows))
    sample = rows.take(np.sort(rng.choice(len(rows), size=size, replace=False)))
    if len(np.unique(sample.X, axis=0)) < k:  # mostly repeated rows: only all of them hold k kinds
        distinct = rows.distinct()
        drawn: FloatArray = distinct[rng.permutation(len(distinct))[:k]][None]
        return drawn
    starts = draw_centers(sample, k, STARTS, rng)
    return best_of(improve(sample, starts, run, STEPS_ON_SAMPLE), KEPT)


def best_of(candidates: Population, most: int) -> FloatArray:
    """Centres of the best candidates."""
    centers, between = candidates
    best: FloatArray = centers[np.argsort(-between, kind="stable")[:most]]
    return best
