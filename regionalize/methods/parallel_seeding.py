"""First centres by k-means||: many rows drawn in each of a few passes, wherever the rows are.

Every draw is keyed by a row's number, so that rows in memory and rows on many machines give the same centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from regionalize.kernels.row_keys import uniform
from regionalize.methods.lloyd import FloatArray, IntArray, Rows
from regionalize.methods.nearest_center import nearest_center

PASS = 2
"""What random numbers of rows are drawn for here, beside the purposes of `regionalize.kernels.row_keys`."""
PASSES = 5
"""Passes that draw; more only as long as there are fewer than k different rows."""
DRAWN = 2
"""Rows drawn in a pass, on average, for each of the k centres."""
STARTS = 10
"""Starts on the rows drawn."""
STEPS = 100
"""Most steps of one."""


class Seeded(Protocol):
    """Rows that centres are drawn from, in memory or not."""

    def __len__(self) -> int:
        """Return their number."""

    def take(self, rows: IntArray) -> Rows:
        """Return some of them, by number."""

    def nearest(self, centers: FloatArray, before: Any = None) -> tuple[Any, float]:
        """Return squared distances to the nearest centre, or to that before, and their sum."""

    def drawn(self, distance: Any, rate: float, key: Sequence[int]) -> IntArray:
        """Return rows drawn each with probability `rate` times its distance, rising."""

    def counts(self, centers: FloatArray) -> IntArray:
        """Return how many rows are nearest to each centre."""


class InMemory:
    """What draws ask of rows in memory."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.take = rows, rows.take

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, centers: FloatArray, before: Any = None) -> tuple[FloatArray, float]:
        """Return squared distances to the nearest centre, or to that before, and their sum."""
        distance = nearer(self.rows.X, centers, before)
        return distance, float(distance.sum())

    def drawn(self, distance: FloatArray, rate: float, key: Sequence[int]) -> IntArray:
        """Return rows drawn each with probability `rate` times its distance, rising."""
        return draw_rows(distance, rate, key)

    def counts(self, centers: FloatArray) -> IntArray:
        """Return how many rows are nearest to each centre."""
        return count_nearest(self.rows.X, centers)


def draw_in_parallel(rows: Seeded, k: int, key: Sequence[int]) -> FloatArray:
    """Draw first centres, shape (k, p).

    A pass draws every row with probability in proportion to its squared distance from the rows drawn so far,
    about 2 k in all; after a few passes the rows drawn, each counted as often as rows are nearest to it, are
    grouped themselves.

    Parameters
    ----------
    rows : Seeded
        The data, at least k different rows.
    k : int
        Number of centres.
    key : sequence of int
        Seed of every draw.

    References
    ----------
    Bahmani, Moseley, Vattani, Kumar and Vassilvitskii (2012), Scalable k-means++.

    Examples
    --------
    >>> rows = InMemory(Rows(np.repeat([[0.0], [7.0], [9.0]], 5, axis=0)))
    >>> np.sort(draw_in_parallel(rows, 3, (1,)).ravel()).tolist()
    [0.0, 7.0, 9.0]
    """
    rng = np.random.default_rng([*key, len(rows)])
    points = rows.take(rng.integers(len(rows), size=1)).X
    distance, total = rows.nearest(points)
    done = 0
    while total > 0 and (done < PASSES or len(points) < k):
        found = rows.drawn(distance, DRAWN * k / total, (*key, done))
        if len(found):
            fresh = np.unique(rows.take(found).X, axis=0)
            points = np.unique(np.concatenate([points, fresh]), axis=0)
            distance, total = rows.nearest(fresh, distance)
        done += 1
    return group_points(points, rows.counts(points), k, rng)


def nearer(X: FloatArray, centers: FloatArray, before: FloatArray | None = None) -> FloatArray:
    """Return squared distances (n,) to the nearest of some centres, or those before where they are less."""
    distance = nearest_center(X, centers)[1] ** 2
    return distance if before is None else np.minimum(distance, before)


def draw_rows(distance: FloatArray, rate: float, key: Sequence[int], first: int = 0) -> IntArray:
    """Draw rows each with probability `rate` times its distance; the rows are numbered from `first`."""
    seed = int(np.random.SeedSequence([int(part) for part in key]).generate_state(1, np.uint64)[0])
    number = uniform(np.arange(first, first + len(distance)), seed, PASS)
    return np.flatnonzero(number < rate * distance) + first


def count_nearest(X: FloatArray, centers: FloatArray) -> IntArray:
    """Return how many rows are nearest to each centre, shape (k,)."""
    return np.bincount(nearest_center(X, centers)[0], minlength=len(centers))


def group_points(points: FloatArray, weights: IntArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Group weighted points by k-means, the best of a few starts; return the centres (k, p)."""
    best, least = points[:k], np.inf
    for _ in range(STARTS):
        centers = _draw_points(points, weights, k, rng)
        labels = np.full(len(points), -1)
        for _ in range(STEPS):
            before, (labels, distance) = labels, nearest_center(points, centers)
            if np.array_equal(labels, before):
                break
            mass = np.bincount(labels, weights, minlength=k)
            sums = [np.bincount(labels, column * weights, minlength=k) for column in points.T]
            present = mass > 0
            centers[present] = (np.stack(sums, axis=1) / np.maximum(mass, 1)[:, None])[present]
        value = float(weights @ distance**2)
        if value < least:
            best, least = centers, value
    return best


def _draw_points(points: FloatArray, weights: IntArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Draw k points one after the other, by weight times squared distance from those before."""
    chosen = [int(rng.choice(len(points), p=weights / weights.sum()))]
    distance = nearer(points, points[chosen])
    while len(chosen) < k:
        mass = np.cumsum(weights * distance)
        at = int(np.searchsorted(mass, rng.random() * mass[-1], side="right"))
        chosen.append(min(at, len(points) - 1))
        distance = nearer(points, points[chosen[-1:]], distance)
    return points[chosen].copy()
