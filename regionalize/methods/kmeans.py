"""K-means: the partition into k clusters with the least within sum of squares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.threads import Run, one_blas_thread, side_by_side, threads
from regionalize.methods.bounded import search_within_bounds
from regionalize.methods.finish import fill_empty, finish_starts, within_sum
from regionalize.methods.lloyd import FloatArray, IntArray, Rows, converge, to_unit_scale
from regionalize.methods.parallel_seeding import InMemory, draw_in_parallel
from regionalize.methods.population import improve, search_population
from regionalize.methods.race import race_starts
from regionalize.methods.seeding import draw_centers
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED
from regionalize.model.progress import Told

MANY_ROWS = 10_000
"""Above this many rows starts are raced; a whole population would cost too many steps."""
PARALLEL = "k-means||"
"""The way to draw first centres that needs but a few passes over the rows."""
START_CELLS = 1 << 22
"""Distances held while starts are drawn together."""


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
    progress: Told | None = None,
    findings: Findings | None = None,
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
    init : {"k-means++", "random", "k-means||"}
        How first centres are drawn (``search="starts"``): one after the other, plainly at random, or many in
        each of a few passes.
    n_init, max_iter : int
        Number of starts; most Lloyd iterations of one.
    bounds : sequence of Bound
        What every cluster must hold at least or at most.
    jobs : int, optional
        Threads for large data (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called with (done, total) while starts run.
    findings : Findings, optional
        Taken for the sake of the other methods: there is nothing else to tell.

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
    Bahmani et al. (2012), Scalable k-means++. Hartigan (1975), Clustering Algorithms.
    Fränti (2018), Efficiency of random swap clustering.
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
    with one_blas_thread(), side_by_side(threads(jobs)) as run:
        rows = Rows.centred(to_unit_scale(X))
        if search == "starts":
            found = [run_starts(rows, k, rng, init, n_init, max_iter, run, progress)]
        else:
            finish = partial(finish_starts, rows, max_iter=max_iter, run=run)
            if len(rows) > MANY_ROWS:
                single = rows.single()
                heat = partial(improve, single, run=run)
                found = race_starts(single, k, rng, heat, finish, run, progress)
            else:
                found = search_population(rows, k, rng, finish, run)
        if bounds:
            found = search_within_bounds(rows, k, rng, bounds, found, max_iter)
            if not found:
                raise no_solution(k, bounds)
        labels, _ = min(found, key=lambda solution: solution[1])
    return labels.astype(np.int64)


def check_k(X: NDArray[np.floating], k: int) -> None:
    """Refuse a k that the rows cannot give."""
    check_number(k, len(X))
    if len(np.unique(X[: first_rows(k)], axis=0)) < k:
        check_distinct(k, len(X), len(np.unique(X, axis=0)))


def check_number(k: int, n: int) -> None:
    """Refuse a k that is none, or of which there are too few rows."""
    if k < 1:
        raise UsageError(f"k is {k}; it must be at least 1")
    if k > n:
        raise UsageError(f"k is {k}, but there are only {n} rows to group", advice="ask for fewer clusters")


def first_rows(k: int) -> int:
    """Return how many rows are looked at before all are."""
    return max(1000, 20 * k)


def check_distinct(k: int, n: int, distinct: int) -> None:
    """Refuse a k above the number of distinct rows."""
    if distinct < k:
        raise InfeasibleError(
            f"k is {k}, but the {n} rows hold only {distinct} distinct combinations of values",
            advice=f"ask for at most {distinct} clusters or add a variable",
        )


def run_starts(
    rows: Rows,
    k: int,
    rng: np.random.Generator,
    init: str,
    n_init: int,
    max_iter: int,
    run: Run,
    progress: Told | None,
) -> tuple[IntArray, float]:
    """Run plain starts to convergence and return the best by within sum of squares."""
    trials = 2 + int(np.log(k))
    at_once = int(np.clip(START_CELLS // (len(rows) * trials), 1, n_init))

    def solve(start: FloatArray) -> tuple[IntArray, float]:
        labels = fill_empty(rows, converge(rows, start[None], max_iter)[1][0], k)
        return labels, within_sum(rows, labels, k)

    best: tuple[IntArray, float] | None = None
    key = rng.integers(1 << 62, size=2).tolist() if init == PARALLEL else []
    for first in range(0, n_init, at_once):
        last = min(first + at_once, n_init)
        if init == PARALLEL:
            starts = np.stack([draw_in_parallel(InMemory(rows), k, (*key, at)) for at in range(first, last)])
        else:
            starts = draw_centers(rows, k, last - first, rng, init=init, trials=trials)
        for number, found in enumerate(run(solve, starts), first + 1):
            best = found if best is None or found[1] < best[1] else best
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
