"""Take centres to a local optimum with k clusters, none empty."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from regionalize.methods.hartigan import improve_by_moves
from regionalize.methods.lloyd import FloatArray, IntArray, Rows, cluster_sums, converge

MIDDLE = 60_000
"""Above this many rows the samples' best are first taken on so many, where a step is cheap. Single-unit
moves end here too: on more rows they gain nothing that could be seen, one by one."""
TOLERANCE = 1e-7
"""On more than `MIDDLE` rows, Lloyd ends when a step gains less than this share of the total."""


def finish_start(
    rows: Rows, centers: FloatArray, max_iter: int, threads: Executor | None = None
) -> tuple[IntArray, float]:
    """Take centres to a local optimum of Lloyd's iteration and of single-unit moves."""
    k, many = len(centers), len(rows) > MIDDLE
    _, labels = converge(rows, centers, max_iter, threads, TOLERANCE if many else 0.0)
    labels = fill_empty(rows, labels, k)
    return (labels, within_sum(rows, labels, k)) if many else improve_by_moves(rows, labels, k)


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
    sums = cluster_sums(rows, labels[:, None], k)[0]
    centers: FloatArray = sums[:, :-1] / np.maximum(sums[:, -1:], 1.0)
    return centers


def within_sum(rows: Rows, labels: IntArray, k: int) -> float:
    """Within sum of squares."""
    difference = rows.X - centers_of(rows, labels, k)[labels]
    return float(np.einsum("ij,ij->", difference, difference))
