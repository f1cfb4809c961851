"""K-means on many rows: starts from several random samples, raced on all rows.

On large tables a few steps tell little of where a start ends, and one sample prefers its own optimum to
that of the whole. So starts run nearly to convergence on several small samples, and the best of each race
on all rows: after every heat the better half goes on, for twice as many steps.
"""

from __future__ import annotations

from math import ceil, log2

import numpy as np

from regionalize.methods.lloyd import FloatArray, IntArray, Rows, Run
from regionalize.methods.population import Finish, Population, improve
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


def race_starts(
    rows: Rows,
    k: int,
    rng: np.random.Generator,
    finish: Finish,
    run: Run,
    progress: Told | None = None,
) -> list[tuple[IntArray, float]]:
    """Search for the best partition of many rows.

    Parameters
    ----------
    rows : Rows
        The data.
    k : int
        Number of clusters, at most the number of distinct rows.
    rng : numpy.random.Generator
        Source of every draw.
    finish : callable
        Takes centres (k, p) to the labels and within sum of squares of a local optimum.
    run : callable
        `map`, or that of an executor, for candidates side by side.
    progress : callable, optional
        Called with (done, total): samples, heats and the finish.

    Returns
    -------
    list of (labels, within)
        Finished solutions.
    """
    single = rows.single()
    heats = ceil(log2(KEPT * SAMPLES / FINALISTS))

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, SAMPLES + heats + 1)

    found = []
    for number in range(SAMPLES):
        tell(number)
        found.append(starts_from_sample(single, k, rng, run))
    racing = np.concatenate(found)
    heat, steps = 0, FIRST_HEAT
    while len(racing) > FINALISTS:
        tell(SAMPLES + heat)
        racing = best_of(improve(single, racing, run, steps), max(FINALISTS, len(racing) // 2))
        heat, steps = heat + 1, 2 * steps
    tell(SAMPLES + heats)
    return list(run(finish, list(racing.astype(np.float64))))


def starts_from_sample(rows: Rows, k: int, rng: np.random.Generator, run: Run) -> FloatArray:
    """Draw a sample and return the centres of its best few starts, shape (m, k, p)."""
    size = min(max(SAMPLE, ROWS_PER_CLUSTER * k), len(rows))
    sample = rows.take(np.sort(rng.choice(len(rows), size=size, replace=False)))
    if len(np.unique(sample.X, axis=0)) < k:  # mostly repeated rows: only all of them hold k kinds
        distinct = np.unique(rows.X, axis=0)
        drawn: FloatArray = distinct[rng.permutation(len(distinct))[:k]][None]
        return drawn
    starts = draw_centers(sample, k, STARTS, rng)
    return best_of(improve(sample, starts, run, STEPS_ON_SAMPLE), KEPT)


def best_of(candidates: Population, most: int) -> FloatArray:
    """Centres of the best candidates."""
    centers, between = candidates
    best: FloatArray = centers[np.argsort(-between, kind="stable")[:most]]
    return best
