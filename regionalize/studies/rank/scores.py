"""Scores of items: proximity, an attribute, weights of zones, and what they are normalized to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def proximity(km: FloatArray, how: str = "exp", scale: FloatArray | None = None) -> FloatArray:
    """Score distances from 1 down to 0, the nearer the higher.

    - exp: exp(-d / scale)
    - linear: 1 - d / (the user's farthest)
    - rank: 1 - (number of nearer items) / n

    Parameters
    ----------
    km : (u, n) float64
    how : {"exp", "linear", "rank"}
    scale : (u,) float64, optional
        For ``"exp"``, such as `regionalize.studies.rank.distances.typical_km`.

    Returns
    -------
    (u, n) float64

    Examples
    --------
    >>> proximity(np.array([[3.0, 1.0, 4.0]]), "linear").tolist()
    [[0.25, 0.75, 0.0]]
    >>> proximity(np.array([[3.0, 1.0, 3.0, 8.0]]), "rank").tolist()
    [[0.75, 1.0, 0.75, 0.25]]
    """
    if how == "exp":
        assert scale is not None
        found = km / -scale[:, None]
        return np.asarray(np.exp(found, out=found))
    if not km.size:
        return np.zeros(km.shape)
    if how == "linear":
        farthest = km.max(axis=1, keepdims=True)
        return np.asarray(1 - km / np.where(farthest > 0, farthest, 1.0))
    return np.asarray(1 - nearer(km) / km.shape[1])


def nearer(km: FloatArray) -> FloatArray:
    """Return how many of a user's items are nearer than each, shape (u, n)."""
    order = np.argsort(km, axis=1)
    rising = np.take_along_axis(km, order, axis=1)
    place = np.broadcast_to(np.arange(km.shape[1], dtype=np.float64), km.shape).copy()
    place[:, 1:][rising[:, 1:] == rising[:, :-1]] = 0
    np.maximum.accumulate(place, axis=1, out=place)
    found = np.empty_like(place)
    np.put_along_axis(found, order, place, axis=1)
    return found


def falling_weights(away: FloatArray, scale: FloatArray) -> FloatArray:
    """Return weights of zones that fall with their distance: 1 / (1 + d / scale).

    Parameters
    ----------
    away : (u, K) float64
        From users to zones, in kilometres.
    scale : (u,) float64
    """
    return np.asarray(1 / (1 + away / scale[:, None]))


def weighted_sum(memberships: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the sum of memberships, shape (…, K), times weights of zones, shape (K,).

    Row by row: a matrix product would round by how many rows there are.

    Examples
    --------
    >>> weighted_sum(np.array([[0.25, 0.75]]), np.array([4.0, 0.0])).tolist()
    [1.0]
    """
    return np.asarray((memberships * weights).sum(axis=-1))


def scaled(attribute: FloatArray) -> FloatArray:
    """Bring an attribute to 0 … 1 by its least and greatest; 0.5 where all are alike, 0 where not known.

    Examples
    --------
    >>> scaled(np.array([2.0, 6.0, np.nan, 3.0])).tolist()
    [0.0, 1.0, 0.0, 0.25]
    """
    known = np.isfinite(attribute)
    found = np.zeros(len(attribute))
    if known.any():
        low, high = attribute[known].min(), attribute[known].max()
        found[known] = (attribute[known] - low) / (high - low) if high > low else 0.5
    return found


def hybrid(near: FloatArray, attribute: FloatArray, weight: float) -> FloatArray:
    """Mix proximity (u, n) with a scaled attribute (n,): weight 0 is the first alone, 1 the second."""
    return np.asarray((1 - weight) * near + weight * attribute)


def normalized(scores: FloatArray, how: str = "none") -> FloatArray:
    """Normalize the scores of every user; sums are of sorted scores, so that the order of items is no matter.

    - minmax: 0 … 1; 0.5 where all are alike
    - softmax: shares that sum to 1
    - zscore: mean 0 and standard deviation 1; 0 where all are alike

    Parameters
    ----------
    scores : (u, n) float64
    how : {"none", "minmax", "softmax", "zscore"}

    Examples
    --------
    >>> normalized(np.array([[1.0, 2.0, 5.0], [7.0, 7.0, 7.0]]), "minmax").tolist()
    [[0.0, 0.25, 1.0], [0.5, 0.5, 0.5]]
    """
    if how == "none" or not scores.size:
        return scores
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    if how == "softmax":
        found = np.exp(scores - high)
        return np.asarray(found / np.sort(found, axis=1).sum(axis=1, keepdims=True))
    alike = high == low
    if how == "minmax":
        return np.where(alike, 0.5, (scores - low) / np.where(alike, 1.0, high - low))
    rising = np.sort(scores, axis=1)
    mean, deviation = rising.mean(axis=1, keepdims=True), rising.std(axis=1, keepdims=True)
    some = ~alike & (deviation > 0)
    return np.where(some, (scores - mean) / np.where(some, deviation, 1.0), 0.0)
