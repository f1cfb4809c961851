"""Take centres to a local optimum with k clusters, none empty."""

from __future__ import annotations

import numpy as np

from regionalize.methods.hartigan import improve_by_moves
from regionalize.methods.lloyd import FloatArray, IntArray, Rows, cluster_sums, converge


def finish_start(rows: Rows, centers: FloatArray, max_iter: int) -> tuple[IntArray, float]:
    """Take centres to a local optimum of Lloyd's iteration and of single-unit moves."""
    k = len(centers)
    _, labels = converge(rows, centers, max_iter)
    return improve_by_moves(rows, fill_empty(rows, labels, k), k)


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
    """Within sum of squares."""
    difference = rows.X - centers_of(rows, labels, k)[labels]
    return float(np.einsum("ij,ij->", difference, difference))
