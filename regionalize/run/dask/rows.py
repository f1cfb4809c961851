"""What is done to the rows of one part: pure functions of arrays, which workers call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled
from regionalize.kernels.lloyd import lloyd_steps
from regionalize.kernels.sums import add_rows_exactly

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


class Told(NamedTuple):
    """What a part tells of a step: sums (candidates, k, p + 1), what rounding lost of them, rows changed."""

    sums: NDArray[np.float64]
    rest: NDArray[np.float64]
    changed: IntArray


class Movers(NamedTuple):
    """Rows of a part that a step would move: places in the part (m,), values (m, p), clusters (m,)."""

    at: IntArray
    X: FloatArray
    labels: IntArray


def step(
    X: FloatArray,
    labels: IntArray | tuple[IntArray, Told] | None,
    centers: FloatArray,
    counts: FloatArray | None,
    active: Sequence[int],
    order: Sequence[int] | None = None,
) -> tuple[IntArray, Told]:
    """Move every row once, as `regionalize.kernels.lloyd.lloyd_steps` does.

    Parameters
    ----------
    X : (m, p) float
        Rows.
    labels : (candidates, m) int, what a step returned, or None
        Clusters before.
    centers : (candidates, k, p) float
        Where rows go.
    counts : (candidates, k) float or None
        Rows of every cluster in all parts: the step then follows Hartigan's criterion.
    active : sequence of int
        Candidates that still move; the labels of the others stay.
    order : sequence of int, optional
        Which of the candidates before go on, as what.

    Returns
    -------
    labels : (candidates, m) int
    told : Told
    """
    count, k, p = centers.shape
    found = np.full((count, len(X)), -1, dtype=np.int32)
    if isinstance(labels, tuple):
        labels = labels[0]
    if labels is not None:
        found[:] = labels if order is None else labels[list(order)]
    told = Told(np.zeros((count, k, p + 1)), np.zeros((count, k, p + 1)), np.zeros(count, np.int64))
    columns = np.ascontiguousarray(X.T)
    for one in active:
        scratch = np.zeros((k, p + 1))
        if counts is not None:
            scratch[:, p] = counts[one]
        places = np.array(centers[one], X.dtype)
        told.changed[one] = compiled(lloyd_steps)(
            X, columns, places, found[one], scratch, 1, counts is not None, -1
        )
        compiled(add_rows_exactly)(X, found[one], told.sums[one], told.rest[one])
    return found.astype(small_type(k)), told


def small_type(k: int) -> np.dtype[Any]:
    """Return the smallest type that holds k labels."""
    return np.min_scalar_type(k)


def add_up(X: FloatArray, labels: IntArray, k: int) -> Told:
    """Return sums and counts of the clusters of one candidate's labels (1, m)."""
    sums, rest = np.zeros((1, k, X.shape[1] + 1)), np.zeros((1, k, X.shape[1] + 1))
    compiled(add_rows_exactly)(X, labels[0].astype(np.int32), sums[0], rest[0])
    return Told(sums, rest, np.zeros(1, np.int64))


def movers(X: FloatArray, labels: IntArray, centers: FloatArray, counts: FloatArray) -> Movers:
    """Return the rows that Hartigan's criterion would move, each by itself."""
    moved, _ = step(X, labels, centers, counts, [0])
    at = np.flatnonzero(moved[0] != labels[0])
    return Movers(at, X[at], labels[0, at].astype(np.int64))


def relabelled(labels: IntArray, at: IntArray, new: IntArray) -> IntArray:
    """Return labels (1, m) with others in some places."""
    found = labels.copy()
    found[0, at] = new
    return found


def farthest(
    X: FloatArray, labels: IntArray, centers: FloatArray, counts: FloatArray
) -> tuple[float, int, FloatArray, int]:
    """Return the row farthest from the centre of its cluster: squared distance, place, values, cluster.

    A row alone in its cluster is none: its distance is -1.
    """
    if not len(X):
        return -2.0, -1, np.empty(X.shape[1]), -1
    own = labels[0]
    difference = X - centers[own]
    distance = np.einsum("ij,ij->i", difference, difference)
    distance[counts[own] == 1] = -1.0
    at = int(distance.argmax())
    return float(distance[at]), at, X[at], int(own[at])


def equal_rows(X: FloatArray, labels: IntArray, row: FloatArray, cluster: int) -> IntArray:
    """Return the places of the rows of a cluster that equal a row."""
    return np.flatnonzero((row == X).all(axis=1) & (labels[0] == cluster))


def within(X: FloatArray, labels: IntArray, centers: FloatArray) -> float:
    """Return the sum of squared distances to the centres of clusters."""
    difference = X - centers[labels[0]]
    return float(np.einsum("ij,ij->", difference, difference))


def first_rows(labels: IntArray, k: int) -> IntArray:
    """Return the first place of every label (1, m), or m where there is none: shape (k,)."""
    found = np.full(k, labels.shape[1])
    values, at = np.unique(labels[0], return_index=True)
    found[values] = at
    return found


def squares(X: FloatArray) -> float:
    """Return the sum of squares."""
    return float(np.einsum("ij,ij->", X, X))


def single(X: FloatArray) -> FloatArray:
    """Return rows in single precision."""
    return X.astype(np.float32)


def rows_at(X: FloatArray, at: IntArray) -> FloatArray:
    """Return some rows."""
    return X[at]


def distinct_rows(X: FloatArray) -> FloatArray:
    """Return each row once, in rising order."""
    return np.unique(X, axis=0)


def to_unit(X: FloatArray, power: int, mean: FloatArray, again: int) -> FloatArray:
    """Do to rows what `regionalize.methods.lloyd.to_unit_scale` does to all: by powers of two, about 0."""
    found: FloatArray = np.ldexp(np.ldexp(np.asarray(X, np.float64), -power) - mean, -again)
    return np.ascontiguousarray(found)


def extent(X: FloatArray, power: int) -> tuple[FloatArray, Told]:
    """Return least and greatest of each column, shape (2, p), and sums after division by a power of two."""
    values = np.ldexp(np.asarray(X, dtype=np.float64), -power)
    none = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    ends = np.stack([values.min(axis=0), values.max(axis=0)] if len(X) else none)
    return ends, add_up(values, np.zeros((1, len(X)), np.int32), 1)


def largest(X: FloatArray) -> float:
    """Return the greatest absolute value."""
    return float(np.abs(X).max(initial=0.0))


def sizes(labels: IntArray, k: int) -> IntArray:
    """Return how many rows have each label (1, m), shape (k,)."""
    return np.bincount(labels[0], minlength=k)
