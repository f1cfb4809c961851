"""Centres found on a sample, carried over to all rows, of which it may have missed what matters most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.methods.finish import fill_empty
from regionalize.methods.lloyd import Rows
from regionalize.methods.minibatch import gains_of_places, nearest_centers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Table = NDArray[np.floating[Any]]

STILL = 1e-4
"""Share of the sum of squares that a step of Lloyd's must take off it for another to follow."""
STEPS = 30
"""Most steps in a row."""
SWAPS_EACH = 2
"""Most swaps for each centre."""
DRAWS = 16
"""Rows looked at as another place for a centre."""


def carry_over(X: Table, centers: FloatArray, rng: np.random.Generator) -> IntArray:
    """Improve centres on all rows, as far as few passes do, and return the nearest of every row.

    Steps of Lloyd's come first. A sample tells little of rows that are rare and far from all others, and a
    centre to themselves may be worth more than any other thing; so then, as long as that lowers the sum of
    squares, the centre that is missed least moves to a row drawn among all, the farther the likelier
    (Fränti's swap, tried before it is made).

    Parameters
    ----------
    X : (n, p) float
        All rows.
    centers : (k, p) float64
        Found on a sample of them.
    rng : numpy.random.Generator
        Source of every draw.

    Returns
    -------
    (n,) int64
        0 … k - 1, none empty if there are as many distinct rows.

    References
    ----------
    Fränti (2018), Efficiency of random swap clustering.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [90.0]])
    >>> labels = carry_over(X, np.array([[0.0], [1.5]]), np.random.default_rng(0))
    >>> (labels == labels[0]).tolist()
    [True, True, True, False]
    """
    k = len(centers)
    centers, labels, squared = settled(X, np.asarray(centers, dtype=np.float64))
    for _ in range(SWAPS_EACH * k):
        swapped = swap_one(X, centers, labels, squared, rng)
        if swapped is None:
            break
        centers, labels, squared = settled(X, swapped)
    return labels if len(np.unique(labels)) == k else fill_empty(Rows.centred(X), labels, k).astype(np.int64)


def settled(X: Table, centers: FloatArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """Make steps of Lloyd's; return the centres, the nearest of every row, and its distance squared."""
    labels, squared = nearest_centers(X, centers)
    within = float(squared.sum())
    for _ in range(STEPS):
        centers = means_of(X, labels, centers)
        labels, squared = nearest_centers(X, centers)
        before, within = within, float(squared.sum())
        if within >= (1.0 - STILL) * before:
            break
    return centers, labels, squared


def means_of(X: Table, labels: IntArray, centers: FloatArray) -> FloatArray:
    """Return the means of clusters, shape (k, p); of one without rows the centre it has.

    Differences from the centres are averaged, so that a large common offset costs no digits.

    Examples
    --------
    >>> means_of(np.array([[1.0], [3.0]]), np.array([0, 0]), np.array([[0.0], [9.0]])).tolist()
    [[2.0], [9.0]]
    """
    k = len(centers)
    counts = np.maximum(np.bincount(labels, minlength=k), 1)
    found = np.empty(centers.shape)
    for column in range(centers.shape[1]):
        apart = X[:, column] - centers[labels, column]
        found[:, column] = centers[:, column] + np.bincount(labels, apart, minlength=k) / counts
    return found


def swap_one(
    X: Table, centers: FloatArray, labels: IntArray, squared: FloatArray, rng: np.random.Generator
) -> FloatArray | None:
    """Return the centres with one of them moved, None where no move tried lowers the sum of squares."""
    k = len(centers)
    reached = np.cumsum(squared)
    if k == 1 or not reached[-1] > 0:
        return None
    drawn = np.searchsorted(reached, rng.random(DRAWS) * reached[-1], side="right")
    places = X[np.minimum(drawn, len(X) - 1)].astype(np.float64)
    gains = gains_of_places(X, squared, places)
    best = int(np.argmax(gains))
    costs = np.empty(k)
    for cluster in range(k):
        members = labels == cluster
        _, elsewhere = nearest_centers(X[members], np.delete(centers, cluster, axis=0))
        costs[cluster] = float((elsewhere - squared[members]).sum())
    least = int(np.argmin(costs))
    if not gains[best] > costs[least]:
        return None
    swapped = centers.copy()
    swapped[least] = places[best]
    return swapped
