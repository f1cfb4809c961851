"""Lloyd's iteration for many candidate solutions at once, in plain NumPy.

Small problems run a whole population per matrix product; large ones run one candidate over blocks of
rows on several threads. Block borders do not depend on the number of threads and partial sums are added
in block order, so neither does the answer.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]

BLOCK = 1 << 16
"""Distances held per block of rows: half a megabyte, so that a block stays in cache."""
ONE_HOT_CLUSTERS = 40
"""Up to here cluster sums are a product with a 0/1 matrix; beyond, counting per column is faster."""


def to_unit_scale(X: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Centre X and multiply it by a power of two, so that its largest value is near 1.

    A power of two changes no digit, so no answer; squares then neither overflow nor vanish, in single
    precision either.
    """
    values = np.asarray(X, dtype=np.float64)
    values = np.ldexp(values, -np.frexp(np.abs(values).max(initial=0.0))[1])
    values = values - values.mean(axis=0)
    scaled: NDArray[np.float64] = np.ldexp(values, -np.frexp(np.abs(values).max(initial=0.0))[1])
    return scaled


@dataclass(frozen=True)
class Rows:
    """The data, centred, with the products that every iteration needs."""

    X: FloatArray

    @staticmethod
    def centred(X: NDArray[np.floating]) -> Rows:
        """Subtract the mean, so that distances by inner products lose no digits to an offset."""
        values = np.asarray(X, dtype=np.float64)
        return Rows(np.ascontiguousarray(values - values.mean(axis=0)))

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def product(self) -> FloatArray:
        """[-2X | 1]: times [c | c·c] it gives the squared distance less the row's own norm."""
        return np.concatenate([-2.0 * self.X, np.ones((len(self), 1), self.X.dtype)], axis=1)

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
        return float(self.norms.sum())

    def single(self) -> Rows:
        """Return the rows in single precision: half the memory traffic, for searching only."""
        return Rows(self.X.astype(np.float32))

    def take(self, rows: IntArray) -> Rows:
        """Return some of the rows, centred as the whole is."""
        return Rows(np.ascontiguousarray(self.X[rows]))


def relative_distances(rows: Rows, centers: FloatArray, block: slice = slice(None)) -> FloatArray:
    """Squared distances to every centre less the row's own norm, shape (n, candidates, k)."""
    count, k, p = centers.shape
    lengths = np.einsum("bkp,bkp->bk", centers, centers)[:, :, None]
    factors = np.concatenate([centers, lengths], axis=2).reshape(count * k, p + 1)
    distance: FloatArray = (rows.product[block] @ factors.T).reshape(-1, count, k)
    return distance


def assign(rows: Rows, centers: FloatArray) -> IntArray:
    """Index of each row's nearest centre in each candidate, shape (n, candidates); ties to the first."""
    nearest: IntArray = relative_distances(rows, centers).argmin(axis=2)
    return nearest


def cluster_sums(rows: Rows, labels: IntArray, k: int, block: slice = slice(None)) -> FloatArray:
    """Return sums and counts, shape (candidates, k, p + 1), of rows labelled (n, candidates)."""
    values = rows.sums[block]
    count = labels.shape[1]
    if k <= ONE_HOT_CLUSTERS:
        member = (labels.T[:, None, :] == np.arange(k)[None, :, None]).astype(values.dtype)
        sums: FloatArray = (member.reshape(count * k, -1) @ values).reshape(count, k, -1)
        return sums
    cell = (labels + np.arange(count) * k).T.ravel()
    columns = [np.bincount(cell, np.tile(column, count), minlength=count * k) for column in values.T]
    return np.stack(columns, axis=-1).astype(values.dtype).reshape(count, k, -1)


def means(sums: FloatArray, previous: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means, between sums of squares (candidates,) and counts; an empty cluster keeps its old centre."""
    counts = sums[:, :, -1]
    centers = sums[:, :, :-1] / np.maximum(counts, 1)[:, :, None]
    empty = counts == 0
    if empty.any():
        centers[empty] = previous[empty]
    between = np.einsum("bkp,bkp,bk->b", centers, centers, counts)
    return centers, between, counts


def iterate(
    rows: Rows, centers: FloatArray, steps: int, labels: IntArray | None = None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Run a number of steps on every candidate.

    Without `labels` they are Lloyd's: every row goes to its nearest centre. With the `labels` (n, candidates)
    of which `centers` are the means, they follow Hartigan's criterion instead: the distance to another
    cluster counts ``n / (n + 1)``, to the row's own ``n / (n - 1)``, which is what moving that row alone
    would change. All rows move at once, so a step may fail to improve; as a search step it reaches
    further than Lloyd's for nearly the same price.

    Returns
    -------
    centers : (candidates, k, p)
        Means after the last step.
    between : (candidates,)
        Between sums of squares of the last labels.
    labels : (n, candidates)
        The last labels.
    """
    k = centers.shape[1]
    by_moves = labels is not None
    if labels is None:
        labels = assign(rows, centers)
        centers, between, counts = means(cluster_sums(rows, labels, k), centers)
        steps -= 1
    else:
        counts = np.stack([np.bincount(column, minlength=k) for column in labels.T]).astype(centers.dtype)
        between = np.zeros(len(centers))
    cell = np.arange(len(rows) * len(centers)).reshape(len(rows), -1) * k
    for _ in range(steps):
        distance = relative_distances(rows, centers)
        if by_moves:
            distance += rows.norms[:, None, None]
            flat, own = distance.ravel(), cell + labels
            stay = (
                flat[own]
                * (counts / np.maximum(counts - 1, 0.5)).ravel()[labels + np.arange(len(centers)) * k]
            )
            distance *= counts / (counts + 1)
            flat[own] = stay
        labels = distance.argmin(axis=2)
        centers, between, counts = means(cluster_sums(rows, labels, k), centers)
    return centers, between, labels


def converge(
    rows: Rows, centers: FloatArray, max_iter: int, threads: Executor | None = None, tolerance: float = 0.0
) -> tuple[FloatArray, IntArray]:
    """Run Lloyd on one candidate (k, p) until no row changes cluster.

    With a `tolerance` it also ends when a step gains less than that share of the total sum of squares.

    Returns
    -------
    centers : (k, p)
        Means of the final clusters.
    labels : (n,)
        Nearest centre of each row.
    """
    k = len(centers)
    size = max(256, BLOCK // k)
    blocks = [slice(start, start + size) for start in range(0, len(rows), size)]
    labels = np.full(len(rows), -1, dtype=np.int64)
    _ = rows.product, rows.sums  # computed once, before threads ask for them

    def step(block: slice, current: FloatArray) -> tuple[bool, FloatArray]:
        nearest = relative_distances(rows, current[None], block).argmin(axis=2)
        changed = not np.array_equal(nearest[:, 0], labels[block])
        labels[block] = nearest[:, 0]
        return changed, cluster_sums(rows, nearest, k, block)[0]

    reached = -np.inf
    run = map if threads is None or len(blocks) == 1 else threads.map
    for _ in range(max_iter):
        done = list(run(step, blocks, [centers] * len(blocks)))
        moved, between, _ = means(np.sum([sums for _, sums in done], axis=0)[None], centers[None])
        centers = moved[0]
        if not any(changed for changed, _ in done) or between[0] - reached < tolerance * rows.total:
            break
        reached = between[0]
    return centers, labels
