"""K-means of rows that lie in parts on workers: the search of `regionalize.methods.kmeans`, by reductions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.compiler import compiled
from regionalize.kernels.lloyd import move_units
from regionalize.kernels.threads import one_blas_thread, side_by_side
from regionalize.methods.hartigan import GAIN, MAX_ROUNDS
from regionalize.methods.kmeans import (
    PARALLEL,
    check_distinct,
    check_number,
    first_rows,
    kmeans,
)
from regionalize.methods.lloyd import STILL, Rows, between_sums, means
from regionalize.methods.parallel_seeding import count_nearest, draw_in_parallel, draw_rows, nearer
from regionalize.methods.population import improve_by
from regionalize.methods.race import race_starts
from regionalize.run.dask import rows as work

if TYPE_CHECKING:
    from distributed import Client, Future

    from regionalize.model.progress import Told

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class PartedLabels:
    """Labels (candidates, n), a part of them with every part of the rows, and what they sum up to.

    Attributes
    ----------
    parts : list of Future
        (candidates before, rows of the part).
    sums : (candidates, k, p + 1) float64
        Sums and counts of the clusters.
    order : list of int or None
        Which of the candidates before these are.
    """

    parts: list[Future]
    sums: NDArray[np.float64]
    order: list[int] | None = None

    def __getitem__(self, chosen: IntArray) -> PartedLabels:
        """Return some of the candidates."""
        before = range(len(self.sums)) if self.order is None else self.order
        return replace(self, sums=self.sums[chosen], order=[before[int(one)] for one in chosen])


class PartedRows:
    """Rows in parts, with what a search asks of all of them.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    parts : list of Future
        Rows (m, p) of each part, centred as `regionalize.methods.lloyd.Rows` are.
    counts : sequence of int
        Rows in each part.
    dtype : dtype
        Of the rows.
    """

    def __init__(
        self, client: Client, parts: list[Future], counts: Sequence[int], dtype: Any = np.float64
    ) -> None:
        self.client, self.parts, self.dtype = client, parts, np.dtype(dtype)
        self.counts_of_parts = list(counts)
        self.first = np.concatenate([[0], np.cumsum(self.counts_of_parts)])

    def __len__(self) -> int:
        return int(self.first[-1])

    def each(self, function: Callable[..., Any], *given: Sequence[Any], **same: Any) -> list[Future]:
        """Call a function of every part, and of what is given for each, on the worker that has it."""
        return list(self.client.map(function, self.parts, *given, **same))

    def told(self, function: Callable[..., Any], *given: Sequence[Any], **same: Any) -> list[Any]:
        """Return what a function of every part comes to."""
        return list(self.client.gather(self.each(function, *given, **same)))

    def single(self) -> PartedRows:
        """Return the rows in single precision."""
        return PartedRows(self.client, self.each(work.single), self.counts_of_parts, np.float32)

    def total(self) -> float:
        """Return the total sum of squares."""
        return fsum(self.told(work.squares))

    def take(self, rows: IntArray) -> Rows:
        """Return some of the rows, by number."""
        part = np.searchsorted(self.first, rows, side="right") - 1
        asked = np.unique(part)
        found = self.client.gather(
            [
                self.client.submit(work.rows_at, self.parts[one], rows[part == one] - self.first[one])
                for one in asked.tolist()
            ]
        )
        taken = np.empty((len(rows), found[0].shape[1]), self.dtype)
        for one, values in zip(asked.tolist(), found, strict=True):
            taken[part == one] = values
        return Rows(taken)

    def distinct(self) -> FloatArray:
        """Return each row once, in rising order."""
        found: FloatArray = np.unique(np.concatenate(self.told(work.distinct_rows)), axis=0)
        return found

    def iterate(
        self, centers: FloatArray, steps: int, labels: PartedLabels | None = None, still: int | None = None
    ) -> tuple[FloatArray, FloatArray, PartedLabels]:
        """Run steps on every candidate, as `regionalize.methods.lloyd.iterate` does."""
        still = int(STILL * len(self)) if still is None else still
        current = np.array(centers, self.dtype)
        count, k, p = current.shape
        by_moves = labels is not None
        sums = np.zeros((count, k, p + 1)) if labels is None else labels.sums.copy()
        active = list(range(count))
        for at in range(steps):
            if at:
                current[active] = means(sums[active], current[active])
            counts = sums[:, :, -1] if by_moves else None
            moved = self.step(labels, current, counts, active)
            sums[active] = moved.sums[active]
            active = [one for one in active if moved.changed[one] > still]
            labels = PartedLabels(moved.labels, sums)
            if not active:
                break
        assert labels is not None
        labels = replace(labels, parts=list(self.client.map(_first, labels.parts)))
        after = means(sums, current)
        return after.astype(self.dtype), between_sums(sums, after), labels

    def step(
        self, labels: PartedLabels | None, centers: FloatArray, counts: FloatArray | None, active: list[int]
    ) -> _Moved:
        """Move every row once."""
        before = [None] * len(self.parts) if labels is None else labels.parts
        order = None if labels is None else labels.order
        found = self.each(work.step, before, centers=centers, counts=counts, active=active, order=order)
        told = self.client.gather(self.client.map(_second, found))
        return _Moved(found, summed(told), sum(one.changed for one in told))

    def sums(self, parts: list[Future], k: int) -> NDArray[np.float64]:
        """Return sums and counts (1, k, p + 1) of the labels of one candidate."""
        return summed(self.told(work.add_up, parts, k=k))

    def finish(self, centers: FloatArray, max_iter: int, *, moves: bool = True) -> tuple[PartedLabels, float]:
        """Take one candidate (k, p) to a local optimum of Lloyd's iteration, and of single-unit moves."""
        _, _, labels = self.iterate(centers[None], max_iter, still=0)
        labels = self.fill_empty(labels)
        if moves:
            labels = self.improve_by_moves(labels)
        means_of = labels.sums[0, :, :-1] / np.maximum(labels.sums[0, :, -1:], 1.0)
        return labels, fsum(self.told(work.within, labels.parts, centers=means_of))

    def fill_empty(self, labels: PartedLabels) -> PartedLabels:
        """Do what `regionalize.methods.finish.fill_empty` does."""
        k = labels.sums.shape[1]
        for cluster in np.flatnonzero(labels.sums[0, :, -1] == 0).tolist():
            counts = labels.sums[0, :, -1]
            centers = labels.sums[0, :, :-1] / np.maximum(counts[:, None], 1.0)
            found = self.told(work.farthest, labels.parts, centers=centers, counts=counts)
            part = int(np.argmax([distance for distance, *_ in found]))
            _, place, row, own = found[part]
            same = self.told(work.equal_rows, labels.parts, row=row, cluster=own)
            if sum(map(len, same)) == counts[own]:  # equal rows only: rounding, not distance
                same = [np.array([place] if at == part else [], np.int64) for at in range(len(same))]
            parts = self.relabel(labels.parts, same, [np.full(len(at), cluster) for at in same])
            labels = PartedLabels(parts, self.sums(parts, k))
        return labels

    def improve_by_moves(self, labels: PartedLabels) -> PartedLabels:
        """Do what `regionalize.methods.hartigan.improve_by_moves` does."""
        least = -GAIN * max(self.total(), np.finfo(np.float64).tiny)
        k = labels.sums.shape[1]
        for _ in range(MAX_ROUNDS):
            sums = labels.sums
            centers = sums[:, :, :-1] / sums[:, :, -1:]
            found = self.told(work.movers, labels.parts, centers=centers, counts=sums[:, :, -1])
            X = np.concatenate([one.X for one in found])
            before = np.concatenate([one.labels for one in found])
            after = before.copy()
            if not compiled(move_units)(X, np.arange(len(X)), after, sums[0].copy(), least):
                break
            ends = np.cumsum([len(one.at) for one in found])[:-1]
            changed = np.split(after != before, ends)
            at = [one.at[moved] for one, moved in zip(found, changed, strict=True)]
            new = [values[moved] for values, moved in zip(np.split(after, ends), changed, strict=True)]
            parts = self.relabel(labels.parts, at, new)
            labels = PartedLabels(parts, self.sums(parts, k))
        return labels

    def relabel(self, parts: list[Future], at: list[IntArray], new: list[IntArray]) -> list[Future]:
        """Give rows in some places of every part other labels."""
        return [
            self.client.submit(work.relabelled, part, where, values) if len(where) else part
            for part, where, values in zip(parts, at, new, strict=True)
        ]

    def nearest(self, centers: FloatArray, before: list[Future] | None = None) -> tuple[list[Future], float]:
        """Return squared distances to the nearest centre, or to that before, and their sum."""
        found = self.each(_nearer, [None] * len(self.parts) if before is None else before, centers=centers)
        return found, fsum(self.client.gather(self.client.map(_sum, found)))

    def drawn(self, distance: list[Future], rate: float, key: Sequence[int]) -> IntArray:
        """Return rows drawn each with probability `rate` times its distance, rising."""
        first = self.first[:-1].tolist()
        found = self.client.gather(
            [
                self.client.submit(draw_rows, part, rate, tuple(key), at)
                for part, at in zip(distance, first, strict=True)
            ]
        )
        return np.concatenate(found)

    def counts(self, centers: FloatArray) -> IntArray:
        """Return how many rows are nearest to each centre."""
        found: IntArray = np.sum(self.told(count_nearest, centers=centers), axis=0)
        return found


@dataclass(frozen=True)
class _Moved:
    """A step: labels of every part with what it told, sums, and rows changed."""

    labels: list[Future]
    sums: NDArray[np.float64]
    changed: IntArray


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _second(pair: tuple[Any, Any]) -> Any:
    return pair[1]


def _sum(values: FloatArray) -> float:
    return fsum(values.tolist())


def _nearer(X: FloatArray, before: FloatArray | None, centers: FloatArray) -> FloatArray:
    return nearer(X, centers, before)


def summed(told: Sequence[work.Told]) -> NDArray[np.float64]:
    """Add the sums of all parts, so that it does not matter in which parts the rows are."""
    total, rest = np.zeros_like(told[0].sums), np.zeros_like(told[0].sums)
    for one in told:
        before, total = total, total + one.sums
        taken = total - before
        rest += (before - (total - taken)) + (one.sums - taken) + one.rest
    found: NDArray[np.float64] = total + rest
    return found


def kmeans_in_parts(
    rows: PartedRows,
    k: int,
    *,
    seed: int,
    search: str = "swap",
    init: str = "k-means++",
    n_init: int = 150,
    max_iter: int = 1000,
    jobs: int | None = None,
    progress: Told | None = None,
) -> list[Future]:
    """Group rows by k-means: the answer of `regionalize.methods.kmeans.kmeans` on many rows.

    Parameters
    ----------
    rows : PartedRows
        n rows, n above `regionalize.methods.kmeans.MANY_ROWS`, on unit scale.
    k, seed, search, init, n_init, max_iter, jobs, progress
        As there.

    Returns
    -------
    list of Future
        Labels (1, m) of each part, 0 … k - 1.

    Raises
    ------
    UsageError
        k is not between 1 and n; k-means++ on all rows, which would pass over them k times a start.
    InfeasibleError
        Fewer than k distinct rows.
    """
    check_number(k, len(rows))
    head = rows.take(np.arange(min(first_rows(k), len(rows))))
    if len(head.distinct()) < k:
        check_distinct(k, len(rows), len(rows.distinct()))
    rng = np.random.default_rng(seed)
    with one_blas_thread(), side_by_side(jobs or os.cpu_count() or 1) as run:
        if search == "starts":
            return best_start(rows, k, rng, init, n_init, max_iter, progress)

        def finish(centers: FloatArray) -> list[tuple[PartedLabels, float]]:
            return list(run(partial(rows.finish, max_iter=max_iter), centers))

        single = rows.single()
        heat = partial(improve_by, single.iterate)
        found = race_starts(single, k, rng, heat, finish, run, progress)
    return min(found, key=lambda solution: solution[1])[0].parts


def kmeans_of_few(rows: PartedRows, k: int, **given: Any) -> list[IntArray]:
    """Group few rows of many, the others being left out, as one machine groups few.

    Parameters
    ----------
    rows : PartedRows
        n rows, n up to `regionalize.methods.kmeans.MANY_ROWS`, on unit scale.
    k, given
        As `regionalize.methods.kmeans.kmeans` takes them.

    Returns
    -------
    list of (1, m) int64
        Labels of each part, 0 … k - 1.
    """
    labels = kmeans(np.concatenate(rows.client.gather(rows.parts)), k, **given)
    return [part[None] for part in np.split(labels, rows.first[1:-1])]


def best_start(
    rows: PartedRows,
    k: int,
    rng: np.random.Generator,
    init: str,
    n_init: int,
    max_iter: int,
    progress: Told | None,
) -> list[Future]:
    """Run plain starts to convergence and return the labels of the best."""
    if init == "k-means++":
        raise UsageError(
            "--init k-means++ draws one centre after the other, each from all rows",
            advice="use --init 'k-means||', or --search swap",
        )
    key = rng.integers(1 << 62, size=2).tolist() if init == PARALLEL else []
    best: list[Future] = []
    least = np.inf
    for number in range(n_init):
        if init == PARALLEL:
            start = draw_in_parallel(rows, k, (*key, number))
        else:
            start = rows.take(rng.choice(len(rows), size=k, replace=False)).X
        labels, value = rows.finish(start, max_iter, moves=False)
        if value < least:
            best, least = labels.parts, value
        if progress is not None:
            progress(number + 1, n_init)
    return best
