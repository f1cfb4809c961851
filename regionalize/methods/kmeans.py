"""K-means: the partition into k clusters with the least within sum of squares."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods.bounded import search_within_bounds
from regionalize.methods.finish import MIDDLE, TOLERANCE, centers_of, fill_empty, finish_start, within_sum
from regionalize.methods.lloyd import FloatArray, IntArray, Rows, converge, to_unit_scale
from regionalize.methods.population import search_population
from regionalize.methods.seeding import draw_centers
from regionalize.model.bounds import Bound
from regionalize.model.job import DEFAULT_SEED

SAMPLE = 6000
"""Above this many rows the search runs on random samples of so many; their best are finished on all."""
SAMPLES = 2
"""How many samples are searched: the best of one need not be good on all rows."""
SAMPLE_PATIENCE = 8
SAMPLE_FINALISTS = 8
"""Effort spent on a sample: less than on data that are all there, since it only gives starts."""
FULL_FINALISTS = 2
"""How many of each sample's best are finished on more rows."""
START_CELLS = 1 << 22
"""Distances held while starts are drawn together."""

Progress = Callable[[int, int], None]


def kmeans(
    X: NDArray[np.floating],
    k: int,
    *,
    seed: int = DEFAULT_SEED,
    search: str = "swap",
    init: str = "k-means++",
    n_init: int = 150,
    max_iter: int = 1000,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Group rows by k-means.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of clusters, 1 … the number of distinct rows.
    seed : int
        Seed of every random draw.
    search : {"swap", "starts"}
        ``"swap"``: a population of solutions recombined, each child with one centre swapped, improved by
        Lloyd's steps and single-unit moves until the best few agree. ``"starts"``: the best of `n_init`
        plain starts.
    init : {"k-means++", "random"}
        How first centres are drawn (``search="starts"``).
    n_init, max_iter : int
        Number of starts; most Lloyd iterations of one.
    bounds : sequence of Bound
        What every cluster must hold at least or at most.
    jobs : int, optional
        Threads for large data (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called with (done, total) while starts run.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 … k - 1, none empty.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        Fewer than k distinct rows, or no partition found within the bounds.

    References
    ----------
    Lloyd (1982), Least squares quantization in PCM. Arthur and Vassilvitskii (2007), k-means++.
    Hartigan (1975), Clustering Algorithms. Fränti (2018), Efficiency of random swap clustering.
    Gribel and Vidal (2019), HG-means.

    Examples
    --------
    >>> kmeans(np.array([[0.0], [0.1], [5.0], [5.1]]), 2).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    True
    """
    check_k(X, k)
    for bound in bounds:
        bound.check_possible(k)
    rng = np.random.default_rng(seed)
    with _one_blas_thread(), ThreadPoolExecutor(jobs or os.cpu_count() or 1) as threads:
        rows = Rows.centred(to_unit_scale(X))
        if search == "starts":
            found = [run_starts(rows, k, rng, init, n_init, max_iter, threads, progress)]
        else:
            found = run_search(rows, k, rng, max_iter, threads)
        if bounds:
            found = search_within_bounds(rows, k, rng, bounds, found, max_iter)
            if not found:
                raise no_solution(k, bounds)
        labels, _ = min(found, key=lambda solution: solution[1])
    return labels.astype(np.int64)


def check_k(X: NDArray[np.floating], k: int) -> None:
    """Refuse a k that the rows cannot give."""
    if k < 1:
        raise UsageError(f"k is {k}; it must be at least 1")
    if k > len(X):
        raise UsageError(
            f"k is {k}, but there are only {len(X)} rows to group", advice="ask for fewer clusters"
        )
    few = X[: max(1000, 20 * k)]
    if len(np.unique(few, axis=0)) >= k:
        return
    distinct = len(np.unique(X, axis=0))
    if distinct < k:
        raise InfeasibleError(
            f"k is {k}, but the {len(X)} rows hold only {distinct} distinct combinations of values",
            advice=f"ask for at most {distinct} clusters or add a variable",
        )


def run_search(
    rows: Rows, k: int, rng: np.random.Generator, max_iter: int, threads: Executor
) -> list[tuple[IntArray, float]]:
    """Run the population search, on a sample when there are many rows."""
    if len(rows) <= SAMPLE:
        return search_population(rows, k, rng, partial(finish_start, rows, max_iter=max_iter), threads)
    starts = [start for _ in range(SAMPLES) for start in search_sample(rows, k, rng, max_iter, threads)]
    if len(rows) <= MIDDLE:
        return [finish_start(rows, start, max_iter, threads) for start in starts]
    middle = draw_sample(rows, max(MIDDLE, 50 * k), rng)
    reached = [converge(middle, start, max_iter, threads, TOLERANCE)[1] for start in starts]
    best = min(reached, key=lambda labels: within_sum(middle, labels, k))
    return [finish_start(rows, centers_of(middle, best, k), max_iter, threads)]


def search_sample(
    rows: Rows, k: int, rng: np.random.Generator, max_iter: int, threads: Executor
) -> list[FloatArray]:
    """Search a random sample, and return the centres of its best few."""
    sample = draw_sample(rows, max(SAMPLE, 50 * k), rng)
    if len(np.unique(sample.X, axis=0)) < k:  # mostly repeated rows: only all of them hold k kinds
        distinct = np.unique(rows.X, axis=0)
        return [distinct[rng.choice(len(distinct), size=k, replace=False)]]
    finish = partial(finish_start, sample, max_iter=max_iter)
    found = search_population(
        sample, k, rng, finish, threads, patience=SAMPLE_PATIENCE, finalists=SAMPLE_FINALISTS
    )
    return [centers_of(sample, labels, k) for labels, _ in found[:FULL_FINALISTS]]


def draw_sample(rows: Rows, size: int, rng: np.random.Generator) -> Rows:
    """Draw rows without replacement, in their order; all of them if there are no more."""
    return rows.take(np.sort(rng.choice(len(rows), size=min(size, len(rows)), replace=False)))


def run_starts(
    rows: Rows,
    k: int,
    rng: np.random.Generator,
    init: str,
    n_init: int,
    max_iter: int,
    threads: Executor,
    progress: Progress | None,
) -> tuple[IntArray, float]:
    """Run plain starts to convergence and return the best by within sum of squares."""
    trials = 2 + int(np.log(k))
    at_once = int(np.clip(START_CELLS // (len(rows) * trials), 1, n_init))
    best: tuple[IntArray, float] | None = None
    for first in range(0, n_init, at_once):
        starts = draw_centers(rows, k, min(at_once, n_init - first), rng, init=init, trials=trials)
        for number, start in enumerate(starts, first + 1):
            _, labels = converge(rows, start, max_iter, threads)
            labels = fill_empty(rows, labels, k)
            within = within_sum(rows, labels, k)
            if best is None or within < best[1]:
                best = labels, within
            if progress is not None:
                progress(number, n_init)
    assert best is not None
    return best


def no_solution(k: int, bounds: Sequence[Bound]) -> InfeasibleError:
    """Say which bounds no partition was found for."""
    limits = [f"at least {bound.lower:g} {bound.name}" for bound in bounds if np.isfinite(bound.lower)]
    limits += [f"at most {bound.upper:g} {bound.name}" for bound in bounds if np.isfinite(bound.upper)]
    return InfeasibleError(
        f"no partition into {k} clusters with {' and '.join(limits)} in each was found",
        advice="loosen the bound or ask for fewer clusters",
    )


def _one_blas_thread() -> AbstractContextManager[Any]:
    """Keep BLAS to one thread: small products are slower on many, and their sums depend on the number."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits
