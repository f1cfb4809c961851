"""First centres for k-means: k-means++ and plain random draws, for many candidates at once."""

from __future__ import annotations

import numpy as np

from regionalize.methods.lloyd import FloatArray, IntArray, Rows, quiet

FEW = 256
"""Rows among which all are looked at, rather than searched one draw after the other."""


def draw_centers(
    rows: Rows, k: int, candidates: int, rng: np.random.Generator, *, init: str = "k-means++", trials: int = 1
) -> FloatArray:
    """Draw first centres, shape (candidates, k, p).

    Parameters
    ----------
    rows : Rows
        The data.
    k, candidates : int
        Centres per candidate; number of candidates.
    rng : numpy.random.Generator
        Source of every draw.
    init : {"k-means++", "random"}
        k-means++ (Arthur and Vassilvitskii 2007) draws each further centre with probability proportional
        to the squared distance from the nearest one so far; random draws k different rows.
    trials : int
        Draws per centre, of which the one that lowers the sum of distances most is kept (greedy
        k-means++).
    """
    n = len(rows)
    if init == "random":
        return np.stack([rows.X[rng.choice(n, size=k, replace=False)] for _ in range(candidates)])
    chosen = rng.integers(n, size=candidates)
    centers = np.empty((candidates, k, rows.X.shape[1]), rows.X.dtype)
    centers[:, 0] = rows.X[chosen]
    nearest = squared_distances(rows, centers[:, 0])
    for position in range(1, k):
        drawn = draw_by_distance(nearest, rng, trials)
        distances = squared_distances(rows, rows.X[drawn.ravel()]).reshape(candidates, trials, n)
        np.minimum(distances, nearest[:, None, :], out=distances)
        best = distances.sum(axis=2).argmin(axis=1)
        nearest = distances[np.arange(candidates), best]
        centers[:, position] = rows.X[drawn[np.arange(candidates), best]]
    return centers


def draw_by_distance(distance: FloatArray, rng: np.random.Generator, trials: int) -> IntArray:
    """Draw row numbers with probability proportional to `distance` (candidates, n): (candidates, trials)."""
    cumulated = np.cumsum(distance, axis=1)
    target = rng.random((len(distance), trials)) * cumulated[:, -1:]
    if distance.shape[1] <= FEW:
        drawn = np.count_nonzero(cumulated[:, None, :] <= target[:, :, None], axis=2)
    else:
        found = [np.searchsorted(row, at, side="right") for row, at in zip(cumulated, target, strict=True)]
        drawn = np.stack(found)
    rows: IntArray = np.minimum(drawn, distance.shape[1] - 1)
    return rows


def squared_distances(rows: Rows, points: FloatArray) -> FloatArray:
    """Squared distances from every row to some points (m, p), shape (m, n)."""
    lengths, ones = np.einsum("mp,mp->m", points, points), np.ones(len(points), points.dtype)
    with quiet():
        distances = np.column_stack([points, lengths, ones]) @ rows.factors
    return np.maximum(distances, 0.0, out=distances)
