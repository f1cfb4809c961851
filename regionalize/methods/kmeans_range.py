"""K-means for several numbers of clusters at once: what one number finds helps the search for the next.

Every number has a population of solutions (`regionalize.methods.population`). On the way up, those of
one number with centres added are where the next begins; on the way down, those with centres merged join
the population of the number below; and then up once more. So a few generations reach what a population
that begins with nothing needs many for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.threads import Run, one_blas_thread, side_by_side, threads
from regionalize.methods.finish import centers_of, finish_starts
from regionalize.methods.kmeans import MANY_ROWS, check_k
from regionalize.methods.lloyd import FloatArray, Rows, iterate, to_unit_scale, uses_kernel
from regionalize.methods.population import (
    CHILDREN,
    MORE_STEPS,
    SAME,
    Population,
    improve,
    recombine,
    select,
    swap_one,
)
from regionalize.methods.race import FIRST_HEAT, ROWS_PER_CLUSTER, SAMPLE, best_of
from regionalize.methods.seeding import draw_by_distance, draw_centers, squared_distances
from regionalize.model.job import DEFAULT_SEED
from regionalize.model.progress import Told, part

IntArray = NDArray[np.int64]
Solution = tuple[NDArray[np.integer[Any]], float]
"""Labels and within sum of squares."""

FIRST_DRAWN = 12
"""Solutions that begin with nothing, for every number …"""
PASSED_ON = 12
"""… beside those made of a neighbouring number's best."""
PATIENCE = 2
"""Generations without a better best before the next number's turn …"""
FEW_ROWS, MORE_PATIENCE = 1000, 4
"""… and up to so many rows, where a generation costs next to nothing."""
SWEEPS = 3
"""Up, down, and up again."""
FINISHED = 6
"""How many of the best of each number are finished."""
SAMPLES = 4
"""Samples of many rows that are searched one by one."""
KEPT = 3
"""How many of a sample's best go on to all rows."""
FINALISTS = 2
"""How many of those are finished."""


def kmeans_range(
    X: NDArray[np.floating],
    ks: Sequence[int],
    *,
    seed: int = DEFAULT_SEED,
    max_iter: int = 1000,
    jobs: int | None = None,
    progress: Told | None = None,
) -> dict[int, IntArray]:
    """Group rows by k-means into several numbers of clusters.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    ks : sequence of int
        Numbers of clusters, each 1 … the number of distinct rows.
    seed : int
        Seed of every random draw.
    max_iter : int
        Most Lloyd iterations when a solution is finished.
    jobs : int, optional
        Threads for large data (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called with (done, total) as numbers are searched.

    Returns
    -------
    dict of int to (n,) int64
        Cluster of each row, 0 … k - 1, none empty, by k rising. The within sum of squares never rises with k.

    Raises
    ------
    UsageError
        A k is not between 1 and n.
    InfeasibleError
        Fewer than k distinct rows.

    References
    ----------
    Fränti (2018), Efficiency of random swap clustering. Gribel and Vidal (2019), HG-means. Likas, Vlassis and
    Verbeek (2003), The global k-means clustering algorithm: solutions of k - 1 centres lead to those of k.

    Examples
    --------
    >>> found = kmeans_range(np.array([[0.0], [0.1], [5.0], [9.0]]), [2, 3])
    >>> [len(np.unique(labels)) for labels in found.values()]
    [2, 3]
    """
    ks = sorted(set(ks))
    for k in ks:
        check_k(X, k)
    rng = np.random.default_rng(seed)
    with one_blas_thread(), side_by_side(threads(jobs)) as run:
        rows = Rows.centred(to_unit_scale(X))
        if uses_kernel(rows, ks[-1]):  # it is loaded for the largest number, and then serves them all
            rows = replace(rows, compiled_from=0)
        finish = partial(finish_starts, rows, max_iter=max_iter, run=run)
        search = search_samples if len(rows) > MANY_ROWS else search_numbers
        starts = search(rows.single(), ks, rng, run, progress)
        best: dict[int, Solution] = {}
        for before, k in pairwise([0, *ks]):
            best[k] = min(finish(starts[k].astype(np.float64)), key=lambda solution: solution[1])
            if before and best[k][1] > best[before][1]:  # with centres added, it cannot be more
                centers = centers_of(rows, best[before][0], before)
                best[k] = finish(with_centers_added(rows, centers[None], k, rng))[0]
    return {k: labels.astype(np.int64) for k, (labels, _) in best.items()}


def search_numbers(
    rows: Rows,
    ks: Sequence[int],
    rng: np.random.Generator,
    run: Run,
    progress: Told | None = None,
    kept: int = FINISHED,
) -> dict[int, FloatArray]:
    """Search up through the numbers, down, and up again.

    Parameters
    ----------
    rows : Rows
        The data, in single precision.
    ks : sequence of int
        Numbers of clusters, rising, at most the number of distinct rows.
    rng : numpy.random.Generator
        Source of every draw.
    run : callable
        `map`, or that of an executor, for candidates side by side.
    progress : callable, optional
        Called with (done, total).
    kept : int
        How many of the best of each number are returned.

    Returns
    -------
    dict of int to (at most kept, k, p)
        Centres, best first.
    """
    found: dict[int, Population] = {}
    for sweep in range(SWEEPS):
        order = ks if sweep % 2 == 0 else ks[::-1]
        for step, k in enumerate(order):
            # small steps are done as one product, which threads would only slow down
            side = run if uses_kernel(rows, k) else map
            groups = [found[k]] if k in found else []
            drawn = [] if k in found else [draw_centers(rows, k, FIRST_DRAWN, rng)]
            if step:
                near = found[order[step - 1]][0][:PASSED_ON]
                up = near.shape[1] < k
                drawn.append(
                    with_centers_added(rows, near, k, rng) if up else with_centers_merged(rows, near, k)
                )
            groups += [improve(rows, centers, side, MORE_STEPS) for centers in drawn]
            found[k] = evolve(rows, groups, rng, side)
            if progress is not None:
                progress(sweep * len(ks) + step + 1, SWEEPS * len(ks))
    return {k: centers[:kept] for k, (centers, _) in found.items()}


def evolve(rows: Rows, groups: Sequence[Population], rng: np.random.Generator, run: Run) -> Population:
    """Let generations follow until the best has not changed for a few."""
    population = select(groups)
    patience = MORE_PATIENCE if len(rows) <= FEW_ROWS else PATIENCE
    stale = 0
    while stale < patience:
        champion = population[1][0]
        children = swap_one(rows, recombine(population[0], CHILDREN, rng), rng)
        population = select([population, improve(rows, children, run, MORE_STEPS, CHILDREN // 2)])
        stale = 0 if population[1][0] > champion + SAME * rows.total else stale + 1
    return population


def with_centers_added(rows: Rows, centers: FloatArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Add rows far from the centres of each solution (m, less than k, p) until there are k: (m, k, p).

    They are drawn as k-means++ draws: with probability proportional to the squared distance from the nearest
    centre so far.
    """
    nearest = np.stack([squared_distances(rows, one).min(axis=0) for one in centers])
    line = np.arange(len(centers))
    while centers.shape[1] < k:
        added = rows.X[draw_by_distance(nearest, rng, 1)[line, 0]]
        nearest = np.minimum(nearest, squared_distances(rows, added))
        centers = np.concatenate([centers, added[:, None]], axis=1)
    return centers


def with_centers_merged(rows: Rows, centers: FloatArray, k: int) -> FloatArray:
    """Merge centres of each solution (m, more than k, p) until there are k: (m, k, p).

    Always the two whose clusters differ least by Ward's criterion (1963): the rise of the within sum of
    squares when they become one.
    """
    labels = iterate(rows, centers, 1)[2]
    count = np.stack([np.bincount(one, minlength=centers.shape[1]) for one in labels]).astype(float)
    line = np.arange(len(centers))
    while centers.shape[1] > k:
        more = centers.shape[1]
        apart = centers[:, :, None] - centers[:, None]
        together = count[:, :, None] + count[:, None]
        rise = np.einsum("mabp,mabp->mab", apart, apart) * count[:, :, None] * count[:, None]
        rise /= np.maximum(together, 1.0)
        rise[:, np.arange(more), np.arange(more)] = np.inf
        low, high = np.divmod(rise.reshape(len(centers), -1).argmin(axis=1), more)
        share = count[line, high] / np.maximum(together[line, low, high], 1.0)
        centers = centers.copy()
        centers[line, low] += share[:, None] * (centers[line, high] - centers[line, low])
        count[line, low] += count[line, high]
        left = np.arange(more) != high[:, None]
        centers, count = centers[left].reshape(len(line), more - 1, -1), count[left].reshape(len(line), -1)
    return centers


def search_samples(
    rows: Rows,
    ks: Sequence[int],
    rng: np.random.Generator,
    run: Run,
    progress: Told | None = None,
) -> dict[int, FloatArray]:
    """Search several small samples of many rows; the best of each number are improved on all of them."""
    found: list[dict[int, FloatArray]] = []
    size = min(max(SAMPLE, ROWS_PER_CLUSTER * ks[-1]), len(rows))
    for number in range(SAMPLES):
        search = part(progress, number, SAMPLES + 1)
        sample = rows.take(np.sort(rng.choice(len(rows), size=size, replace=False)))
        if len(np.unique(sample.X, axis=0)) < ks[-1]:  # mostly repeated rows: only all of them hold enough
            distinct = np.unique(rows.X, axis=0)
            order = rng.permutation(len(distinct))
            found.append({k: distinct[order[:k]][None] for k in ks})
        else:
            found.append(search_numbers(sample, ks, rng, run, search, kept=KEPT))
    best = {}
    search = part(progress, SAMPLES, SAMPLES + 1)
    for step, k in enumerate(ks, 1):
        racing = np.concatenate([one[k] for one in found])
        best[k] = best_of(improve(rows, racing, run, FIRST_HEAT), FINALISTS)
        if search is not None:
            search(step, 2 * len(ks))  # what is left is finished in about as long
    return best
