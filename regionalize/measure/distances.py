"""How far units are from what stands for their cluster: a median or a medoid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.central import central_unit, distances_to, geometric_medians, medians
from regionalize.model.report import Distances

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def measure_distances(
    X: NDArray[np.floating[Any]], labels: IntArray, *, euclidean: bool, medoids: IntArray | None = None
) -> Distances:
    """Sum the distances of units to the centre of their cluster, and to that of all units.

    Parameters
    ----------
    X : (m, p) float
        What was clustered.
    labels : (m,) int64
        Clusters 1 … k; rows of 0 and below count nowhere.
    euclidean : bool
        Euclidean distances, not squared; Manhattan distances otherwise.
    medoids : (k,) int64, optional
        The row that stands for each cluster, cluster 1 first. Without it, medians do: those of the variables,
        or with Euclidean distances the geometric medians.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> found = measure_distances(X, np.array([1, 1, 1, 2]), euclidean=False)
    >>> found.total, found.within, found.within_by_cluster, found.ratio
    (10.0, 2.0, (2.0, 0.0), 0.2)
    """
    used = np.flatnonzero(labels > 0)
    values, cluster = np.asarray(X, dtype=np.float64)[used], labels[used].astype(np.int64) - 1
    k = int(cluster.max(initial=-1)) + 1
    one = np.zeros(len(used), dtype=np.int64)
    exact = True
    if medoids is not None:
        centers = np.asarray(X, dtype=np.float64)[medoids]
        total, exact = central_unit(values, euclidean)[1:]
    else:
        middle = geometric_medians if euclidean else medians
        centers = middle(values, cluster, k)
        total = float(distances_to(values, middle(values, one, 1), euclidean).sum())
    own = np.zeros(len(used))
    for number in range(k):
        members = cluster == number
        own[members] = distances_to(values[members], centers[[number]], euclidean)[:, 0]
    within = np.bincount(cluster, own, minlength=k)
    return Distances(
        metric="euclidean" if euclidean else "manhattan",
        center="median" if medoids is None else "medoid",
        total=total,
        exact=exact,
        within=float(within.sum()),
        ratio=float(within.sum()) / total if total > 0 else None,
        within_by_cluster=tuple(within.tolist()),
        mean_by_cluster=tuple((within / np.bincount(cluster, minlength=k)).tolist()),
    )


def geometric_shares(X: NDArray[np.floating[Any]], labels: IntArray) -> FloatArray:
    """Return what each unit counts in the geometric median of its cluster, shape (m,), in each 1 in all.

    The geometric median is a mean of units weighted so, and stays one when variables are given other units.

    Parameters
    ----------
    X : (m, p) float
        What was clustered.
    labels : (m,) int64
        Clusters 1 … k; rows of 0 and below count 0.

    Examples
    --------
    >>> geometric_shares(np.array([[0.0], [1.0], [4.0], [9.0]]), np.array([1, 1, 1, 2])).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    shares = np.zeros(len(X))
    used = np.flatnonzero(labels > 0)
    values, cluster = np.asarray(X, dtype=np.float64)[used], labels[used].astype(np.int64) - 1
    k = int(cluster.max(initial=-1)) + 1
    centers = geometric_medians(values, cluster, k)
    for number in range(k):
        members = cluster == number
        distance = distances_to(values[members], centers[[number]], True)[:, 0]
        there = distance == 0
        weight = there.astype(np.float64) if there.any() else 1.0 / np.where(there, 1.0, distance)
        shares[used[members]] = weight / weight.sum()
    return shares
