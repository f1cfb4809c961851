"""Lloyd's iteration for many candidate solutions at once.

Small problems run a whole population per matrix product, in NumPy, and end before a compiler is loaded;
large ones run the compiled kernel, candidates side by side on threads.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.lloyd import add_rows, lloyd_steps
from regionalize.kernels.threads import Run
from regionalize.methods.masks import Masks

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

COMPILED = 1 << 14
"""Rows times clusters from which the compiled kernel is used, if there is a compiler."""
STILL = 1e-3
"""Share of rows that may still change cluster when steps of the search end early."""
ONE_HOT_CLUSTERS = 40
"""Up to here cluster sums are a product with a 0/1 matrix; beyond, counting per column is faster."""


def to_unit_scale(X: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """Centre X and multiply it by a power of two, so that its largest value is near 1.

    A power of two changes no digit, so no answer; squares then neither overflow nor vanish, in single
    precision either. What comes in single precision stays so.
    """
    values = np.array(X, dtype=kind_of(X), order="C")
    np.ldexp(values, -power_of(values), out=values)
    values -= values.mean(axis=0, dtype=np.float64).astype(values.dtype)
    np.ldexp(values, -power_of(values), out=values)
    return values


def kind_of(X: NDArray[Any]) -> np.dtype[Any]:
    """Return the type that X is computed in: its own if that is single precision, else double."""
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)


def power_of(values: FloatArray) -> int:
    """Return the power of two next above the largest value, whatever its sign."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return int(np.frexp(largest)[1])


@dataclass(frozen=True)
class Rows:
    """The data, centred, with the products that every iteration needs."""

    X: FloatArray
    compiled_from: int = COMPILED
    """Rows times clusters from which the compiled kernel is used."""
    memory: threading.local = field(default_factory=threading.local, repr=False, compare=False)
    """What steps in NumPy work in: of each thread its own."""

    @staticmethod
    def centred(X: NDArray[np.floating]) -> Rows:
        """Subtract the mean, so that distances by inner products lose no digits to an offset."""
        values = np.asarray(X, dtype=kind_of(X))
        mean = values.mean(axis=0, dtype=np.float64).astype(values.dtype)
        return Rows(np.ascontiguousarray(values - mean))

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def columns(self) -> FloatArray:
        """X a variable per row, as the compiled kernel reads it."""
        return np.ascontiguousarray(self.X.T)

    @cached_property
    def factors(self) -> FloatArray:
        """[-2X | 1 | x·x] a column per row: [c | c·c | 1] times it gives squared distances."""
        ones = np.ones(len(self), self.X.dtype)
        return np.concatenate([-2.0 * self.X.T, [ones], [self.norms]], dtype=self.X.dtype)

    @cached_property
    def sums(self) -> FloatArray:
        """[X | 1]: summed over a cluster it gives the cluster's sum and count."""
        return np.concatenate([self.X, np.ones((len(self), 1), self.X.dtype)], axis=1)

    @cached_property
    def norms(self) -> FloatArray:
        """Squared length of each row."""
        norms: FloatArray = np.einsum("ij,ij->i", self.X, self.X)
        return norms

    @cached_property
    def total(self) -> float:
        """Total sum of squares."""
        return float(self.norms.sum(dtype=np.float64))

    def single(self) -> Rows:
        """Return the rows in single precision: half the memory traffic, for searching only."""
        return self if self.X.dtype == np.float32 else Rows(self.X.astype(np.float32), self.compiled_from)

    def masks(self, candidates: int, k: int) -> Masks:
        """Return memory for steps of so many candidates: the same for every call of a thread."""
        known: dict[tuple[int, int], Masks] = self.memory.__dict__.setdefault("masks", {})
        if (candidates, k) not in known:
            known[candidates, k] = Masks(candidates, k, self.factors, self.sums)
        return known[candidates, k]

    def take(self, rows: IntArray) -> Rows:
        """Return some of the rows, centred as the whole is."""
        return Rows(np.ascontiguousarray(self.X[rows]), self.compiled_from)

    def distinct(self) -> FloatArray:
        """Return each row once, in rising order."""
        return np.unique(self.X, axis=0)


def quiet() -> np.errstate:
    """Keep BLAS from warning of invalid values, of which there are none.

    It also computes on what lies beyond the last column of a small matrix, and that may be no number at all:
    it never reaches the product, but now and then raises a flag.
    """
    return np.errstate(invalid="ignore")


def relative_distances(rows: Rows, centers: FloatArray, few: IntArray | None = None) -> FloatArray:
    """Squared distances of rows, or a few, to centres, less the row's own norm: (candidates, k, n)."""
    count, k, p = centers.shape
    lengths = np.einsum("bkp,bkp->bk", centers, centers)[:, :, None]
    left = np.concatenate([centers, lengths], axis=2).reshape(count * k, p + 1)
    factors = rows.factors[:-1] if few is None else rows.factors[:-1, few]
    with quiet():
        product: FloatArray = left @ factors
    return product.reshape(count, k, -1)


def cluster_sums(rows: Rows, labels: IntArray, k: int) -> FloatArray:
    """Return sums and counts, shape (candidates, k, p + 1), of rows labelled (candidates, n)."""
    count = len(labels)
    if uses_kernel(rows, k):
        sums = np.zeros((count, k, rows.X.shape[1] + 1))
        for one in range(count):
            compiled(add_rows)(rows.X, labels[one].astype(np.int32), sums[one])
        return sums
    if k <= ONE_HOT_CLUSTERS:
        masks = rows.masks(count, k)
        masks.put(labels)
        with quiet():
            return masks.sums()
    cell = (labels + np.arange(count)[:, None] * k).ravel()
    columns = [np.bincount(cell, np.tile(column, count), minlength=count * k) for column in rows.sums.T]
    return np.stack(columns, axis=-1).astype(rows.X.dtype).reshape(count, k, -1)


def means(sums: FloatArray, previous: FloatArray) -> FloatArray:
    """Means of clusters (candidates, k, p) by sums and counts; an empty cluster keeps its old centre."""
    counts = sums[:, :, -1]
    centers: FloatArray = sums[:, :, :-1] / np.maximum(counts, 1)[:, :, None]
    if not counts.all():
        centers[counts == 0] = previous[counts == 0]
    return centers


def between_sums(sums: FloatArray, centers: FloatArray) -> FloatArray:
    """Between sums of squares (candidates,) of clusters with these sums and means."""
    between: FloatArray = np.einsum("bkp,bkp->b", centers, sums[:, :, :-1])
    return between


def uses_kernel(rows: Rows, k: int) -> bool:
    """Tell whether the compiled kernel does the work."""
    return len(rows) * k >= rows.compiled_from and compiles()


def iterate(
    rows: Rows, centers: FloatArray, steps: int, labels: IntArray | None = None, run: Run = map
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Run a number of steps on every candidate.

    Without `labels` they are Lloyd's: every row goes to its nearest centre. With the `labels` (candidates, n)
    of which `centers` are the means, they follow Hartigan's criterion instead: the distance to another
    cluster counts ``n / (n + 1)``, to the row's own ``n / (n - 1)``, which is what moving that row alone
    would change. All rows move at once, so a step may fail to improve; as a search step it reaches
    further than Lloyd's for nearly the same price. `run` may spread the candidates over threads.

    Returns
    -------
    centers : (candidates, k, p)
        Means after the last step.
    between : (candidates,)
        Between sums of squares of the last labels.
    labels : (candidates, n)
        The last labels.
    """
    count, k, _ = centers.shape
    if uses_kernel(rows, k):
        return iterate_compiled(rows, centers, steps, labels, run)
    masks = rows.masks(count, k)
    with quiet():
        counts = None
        if labels is not None:
            masks.put(labels)
            counts = masks.counts()
        for _ in range(steps):
            if counts is None:
                masks.compare_distances(centers)
            else:
                masks.compare_moves(centers, counts)
            sums = masks.join_nearest()
            centers = means(sums, centers)
            counts = None if labels is None else sums[:, :, -1]
    return centers, between_sums(sums, centers), masks.labels()


def iterate_compiled(
    rows: Rows, centers: FloatArray, steps: int, labels: IntArray | None, run: Run
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Do what `iterate` does by the compiled kernel."""
    step, still = compiled(lloyd_steps), int(STILL * len(rows))
    count, k, p = centers.shape
    columns, by_moves = rows.columns, labels is not None
    current = np.array(centers, rows.X.dtype)
    found = np.full((count, len(rows)), -1, dtype=np.int32)
    sums = np.zeros((count, k, p + 1))
    if labels is not None:
        found[:] = labels

    def work(one: int) -> None:
        if by_moves:
            compiled(add_rows)(rows.X, found[one], sums[one])
        step(rows.X, columns, current[one], found[one], sums[one], steps, by_moves, still)

    list(run(work, range(count)))
    after = means(sums, current)
    return after.astype(columns.dtype), between_sums(sums, after), found


def converge(rows: Rows, centers: FloatArray, max_iter: int, still: int = 0) -> tuple[FloatArray, IntArray]:
    """Run Lloyd on every candidate until in none of them more than `still` rows change cluster.

    Returns
    -------
    centers : (candidates, k, p)
        Means of the final clusters.
    labels : (candidates, n)
        Clusters after the last step.
    """
    count, k, _ = centers.shape
    if uses_kernel(rows, k):
        found = [converge_compiled(rows, one, max_iter, still) for one in centers]
        return np.stack([after for after, _ in found]), np.stack([labels for _, labels in found])
    masks, previous = rows.masks(count, k), np.zeros((count, k, len(rows)), dtype=bool)
    with quiet():
        for _ in range(max_iter):
            masks.compare_distances(centers)
            centers = means(masks.join_nearest(), centers)
            if np.count_nonzero(previous < masks.inside, axis=(1, 2)).max() <= still:
                break
            previous[:] = masks.inside
    return centers, masks.labels()


def converge_compiled(
    rows: Rows, centers: FloatArray, max_iter: int, still: int
) -> tuple[FloatArray, IntArray]:
    """Do what `converge` does for one candidate (k, p) by the compiled kernel."""
    k, p = centers.shape
    current = np.array(centers, rows.X.dtype)
    labels, sums = np.full(len(rows), -1, dtype=np.int32), np.zeros((k, p + 1))
    compiled(lloyd_steps)(rows.X, rows.columns, current, labels, sums, max_iter, False, still)
    return means(sums[None], current[None])[0], labels.astype(np.int64)
