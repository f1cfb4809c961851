"""Take centres to a local optimum with k clusters, none empty."""

from __future__ import annotations

from functools import partial

import numpy as np

from regionalize.kernels.threads import Run
from regionalize.methods.hartigan import improve_by_moves
from regionalize.methods.lloyd import FloatArray, IntArray, Rows, cluster_sums, converge, uses_kernel

Solution = tuple[IntArray, float]
"""Labels (n,) and their within sum of squares."""
TOGETHER = 1 << 19
"""Rows times clusters times candidates that go together in NumPy."""
BLOCK = 1 << 16
"""Rows whose distances from their centres are held at one time."""


def finish_starts(rows: Rows, centers: FloatArray, max_iter: int, run: Run = map) -> list[Solution]:
    """Take candidates (candidates, k, p) to local optima of Lloyd's iteration and of single-unit moves.

    `run` may spread them over threads where the compiled kernel does the work.
    """
    count, k, _ = centers.shape
    if uses_kernel(rows, k):
        groups = run(partial(_finish, rows, max_iter=max_iter), centers[:, None])
    else:
        size = max(1, TOGETHER // (len(rows) * k))
        groups = (_finish(rows, centers[at : at + size], max_iter) for at in range(0, count, size))
    return [solution for group in groups for solution in group]


def _finish(rows: Rows, centers: FloatArray, max_iter: int) -> list[Solution]:
    k = centers.shape[1]
    _, labels = converge(rows, centers.astype(rows.X.dtype, copy=False), max_iter)
    filled = np.stack([fill_empty(rows, each, k) for each in labels])
    return [(moved, within_sum(rows, moved, k)) for moved in improve_by_moves(rows, filled, k)]


def fill_empty(rows: Rows, labels: IntArray, k: int) -> IntArray:
    """Give every empty cluster the row farthest from its own centre, one after the other."""
    empty = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
    if not len(empty):
        return labels
    labels = labels.copy()
    for cluster in empty:
        counts = np.bincount(labels, minlength=k)
        difference = rows.X - centers_of(rows, labels, k)[labels]
        distance = np.einsum("ij,ij->i", difference, difference)
        distance[counts[labels] == 1] = -1.0
        far = rows.X[distance.argmax()]
        same = (far == rows.X).all(axis=1) & (labels == labels[distance.argmax()])
        if same.sum() == counts[labels[distance.argmax()]]:  # equal rows only: rounding, not distance
            same = np.arange(len(rows)) == distance.argmax()
        labels[same] = cluster
    return labels


def centers_of(rows: Rows, labels: IntArray, k: int) -> FloatArray:
    """Means of the clusters, shape (k, p); zero for an empty one."""
    sums = cluster_sums(rows, labels[None], k)[0]
    centers: FloatArray = sums[:, :-1] / np.maximum(sums[:, -1:], 1.0)
    return centers


def within_sum(rows: Rows, labels: IntArray, k: int) -> float:
    """Within sum of squares, in double precision."""
    centers, within = centers_of(rows, labels, k).astype(np.float64), 0.0
    for start in range(0, len(rows), BLOCK):
        difference = rows.X[start : start + BLOCK] - centers[labels[start : start + BLOCK]]
        within += float(np.einsum("ij,ij->", difference, difference))
    return within
