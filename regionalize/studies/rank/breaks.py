"""Distance bands: k-means of numbers on a line, which has a best solution that can be found."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from regionalize.studies.rank.distances import RADIUS_KM, great_circle_km, rough_km, sphere_points

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ALL = 1 << 22
"""Pairs up to which every distance is kept."""
_BINS = 1 << 22
"""Else a distance stands for those within 5 m: so many bins on half the globe's circumference."""
_FEWEST, _MOST = 128, 1024
"""Places at which breaks are searched; then they are moved among all."""
_FEW_GROUPS = 8
_ROUNDS = 100


def distance_values(
    users: FloatArray, items: FloatArray, block: int = 1 << 20, km: FloatArray | None = None
) -> tuple[FloatArray, IntArray]:
    """Return the distances of all users and items, rising, each once, and how often they occur.

    Of more than four million pairs the least of every 5 m stands for the others there: the same whatever the
    order of the items and the size of the blocks. Distances that are known already are `km`, shape (u, n).
    """
    pairs = len(users) * len(items)
    if pairs <= _ALL:
        km = great_circle_km(users, items) if km is None else km
        values, counts = np.unique(km, return_counts=True)
        return values, counts
    least, total = np.full(_BINS + 1, np.inf), np.zeros(_BINS + 1, dtype=np.int64)
    points, goods = sphere_points(users), sphere_points(items)
    step = max(1, block // min(len(items), block))
    for first in range(0, len(users), step):
        for start in range(0, len(items), block):
            km = rough_km(points[:, first : first + step], goods[:, start : start + block]).ravel()
            km.sort()
            bins = (km * (_BINS / (math.pi * RADIUS_KM))).astype(np.int64)
            firsts = np.flatnonzero(np.concatenate([[True], bins[1:] != bins[:-1]]))
            found = bins[firsts]
            least[found] = np.minimum(least[found], km[firsts])
            total[found] += np.diff(np.append(firsts, len(km)))
    used = total > 0
    return least[used], total[used]


def best_breaks(values: FloatArray, counts: IntArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Group numbers on a line into k groups of least sum of squares.

    Of up to 128 values (or eight per group) the best solution there is, by dynamic programming (Wang and
    Song, 2011); of more, the best with breaks at so many places, moved by Lloyd's steps.

    Parameters
    ----------
    values : (n,) float64
        Rising, each once.
    counts : (n,) int64
        How often each occurs.
    k : int
        ``1 <= k <= n``.

    Returns
    -------
    centers : (k,) float64
        Means of the groups, rising.
    edges : (k - 1,) float64
        The upper end of every group but the last, midway between centres. No group is empty.

    Examples
    --------
    >>> centers, edges = best_breaks(np.array([1.0, 2.0, 10.0]), np.array([1, 1, 1]), 2)
    >>> centers.tolist(), edges.tolist()
    ([1.5, 10.0], [5.75])
    """
    line = _Line(values, counts.astype(np.float64))
    size = min(max(_FEWEST, 8 * k), _MOST)
    starts = line.settled(_best_starts(line, _cells(line, size), k))
    # where groups are many, breaks at other places, more of them where groups are, may be better still
    while k > _FEW_GROUPS and len(values) > size:
        other = line.settled(_best_starts(line, _cells_within(line, starts, size), k))
        if not line.squares(other) < 0.999 * line.squares(starts):
            break
        starts = other
    centers = line.means(starts)
    return centers, (centers[1:] + centers[:-1]) / 2


class _Line:
    """Numbers on a line, and the running sums that tell of any stretch of them."""

    def __init__(self, values: FloatArray, weights: FloatArray) -> None:
        self.values = values
        self.weights = weights
        self.middle = float(np.average(values, weights=weights))
        centered = values - self.middle
        self.mass, self.first, self.second = (
            np.concatenate([[0.0], np.cumsum(weights * centered**power)]) for power in (0, 1, 2)
        )

    def means(self, starts: IntArray) -> FloatArray:
        """Return the mean of every group, kept within the group against rounding."""
        ends = np.append(starts[1:], len(self.values))
        means = self.middle + (self.first[ends] - self.first[starts]) / (self.mass[ends] - self.mass[starts])
        return np.asarray(np.clip(means, self.values[starts], self.values[ends - 1]))

    def squares(self, starts: IntArray) -> float:
        """Return the sum of squares within groups."""
        at = np.append(starts, len(self.values))
        mass, first, second = (np.diff(sums[at]) for sums in (self.mass, self.first, self.second))
        return float(np.maximum(second - first**2 / mass, 0.0).sum())

    def settled(self, starts: IntArray) -> IntArray:
        """Move groups by Lloyd's steps: everything to the nearest mean, equals to the lower."""
        for _ in range(_ROUNDS):
            centers = self.means(starts)
            moved = np.searchsorted(self.values, (centers[1:] + centers[:-1]) / 2, side="right")
            moved = np.concatenate([[0], moved])
            if (moved == starts).all() or (np.diff(np.append(moved, len(self.values))) < 1).any():
                break
            starts = moved
        return starts


def shares(spread: FloatArray, distinct: IntArray, total: int) -> IntArray:
    """Share out `total` groups among bands: one each, then in proportion to their spread.

    Parameters
    ----------
    spread : (b,) float64
        Sum of squares within every band. Split into m it falls with the square of m, so the next group goes
        where sum of squares over m squared is largest.
    distinct : (b,) int64
        The most groups that each can have.
    total : int
        ``b <= total <= distinct.sum()``.

    Examples
    --------
    >>> shares(np.array([1.0, 16.0]), np.array([9, 9]), 5).tolist()
    [1, 4]
    """
    number = np.ones(len(spread), dtype=np.int64)
    for _ in range(total - len(spread)):
        need = np.where(number < distinct, spread / number**2, -1.0)
        number[np.argmax(need)] += 1
    return number


def _cells(line: _Line, size: int) -> IntArray:
    """Return where at most `size` cells of the values start: everywhere, if there are no more values.

    Spread evenly over what occurs, over the distinct values, and over their range, so that rare ones are
    heard too.
    """
    values, n, third = line.values, len(line.values), size // 3
    if n <= size:
        return np.arange(n)
    crowd = np.searchsorted(line.mass[1:], np.arange(third) * (line.mass[-1] / third))
    spread = np.searchsorted(values, np.linspace(values[0], values[-1], third))
    even = np.arange(third) * n // third
    return np.unique(np.concatenate([crowd, spread, even]))


def _cells_within(line: _Line, starts: IntArray, size: int) -> IntArray:
    """Return where cells start that are spread evenly over every group: over its values and its range."""
    values, share = line.values, np.arange(size // (2 * len(starts))) / (size // (2 * len(starts)))
    ends = np.append(starts[1:], len(values))
    low, high = values[starts], values[ends - 1]
    even = (starts[:, None] + (ends - starts)[:, None] * share).astype(np.int64)
    spread = np.searchsorted(values, (low[:, None] + (high - low)[:, None] * share).ravel())
    return np.unique(np.concatenate([starts, even.ravel(), spread]))


def _best_starts(line: _Line, cells: IntArray, k: int) -> IntArray:
    """Return where each of the k groups of whole cells with the least sum of squares starts."""
    n = len(cells)
    if k == 1:
        return np.zeros(1, dtype=np.int64)
    if k == n:
        return cells
    at = np.append(cells, len(line.values))
    mass, first, second = (sums[at] for sums in (line.mass, line.first, line.second))
    # cost[i, j]: the sum of squares of cells i … j - 1
    heft = mass[None, :] - mass[:, None]
    empty = np.tri(n + 1, dtype=np.bool_)
    heft[empty] = 1.0
    cost = np.maximum(second[None, :] - second[:, None] - (first[None, :] - first[:, None]) ** 2 / heft, 0.0)
    cost[empty] = np.inf
    best = cost[0]
    origins = np.zeros((k, n + 1), dtype=np.int64)
    for group in range(1, k):
        table = best[:, None] + cost
        origins[group] = np.argmin(table, axis=0)
        best = np.take_along_axis(table, origins[group][None, :], axis=0)[0]
    starts, end = np.zeros(k, dtype=np.int64), n
    for group in range(k - 1, 0, -1):
        end = starts[group] = origins[group, end]
    return cells[starts]
