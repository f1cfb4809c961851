"""The best of all ways to cut a small graph into connected regions, found by trying every region.

A region is a number whose bits are its units. A partition is built region by region: the next region is the
one that holds the first unit not yet covered, so every partition comes up exactly once. What may be
a region is a yes or no for each of the 2**n sets of units: contiguity, bounds and locked units ask no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def members(n: int) -> np.ndarray:
    """Which units each set holds, shape (2**n, n), bool."""
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)


def connected(n: int, links: Sequence[tuple[int, int]]) -> np.ndarray:
    """Which sets hang together, shape (2**n,): all units are reached from the first; the empty set: no."""
    sets = np.arange(1 << n)
    reached = sets & -sets
    for _ in range(n):
        for a, b in links:
            reached |= np.where(reached >> a & 1, 1 << b, 0) & sets
            reached |= np.where(reached >> b & 1, 1 << a, 0) & sets
    return (reached == sets) & (sets > 0)


def holding(amount: np.ndarray, lower: float = -np.inf, upper: float = np.inf) -> np.ndarray:
    """Which sets keep a bound, but for rounding."""
    held = members(len(amount)) @ amount
    slack = 1e-9 * np.abs(held)
    return (held >= lower - slack) & (held <= upper + slack)


def unbroken(plan: np.ndarray, locked: np.ndarray) -> np.ndarray:
    """Which sets hold all or none of the locked units of each region of a plan, and those of one at most."""
    inside = members(len(plan))
    whole, some = np.ones(len(inside), dtype=bool), np.zeros(len(inside), dtype=int)
    for region in np.unique(plan[locked]):
        kept = inside[:, locked & (plan == region)]
        whole &= kept.all(axis=1) | ~kept.any(axis=1)
        some += kept.any(axis=1)
    return whole & (some <= 1)


def costs(X: np.ndarray) -> np.ndarray:
    """Sum of squared distances to the mean of each set, shape (2**n,)."""
    X = X - X.mean(axis=0)
    inside = members(len(X)).astype(float)
    size = np.maximum(inside.sum(axis=1), 1)
    sums = inside @ X
    return inside @ (X**2).sum(axis=1) - (sums**2).sum(axis=1) / size


def first_regions(n: int, allowed: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield every allowed region, with all sets of later units that it may stand before in a partition.

    Those that begin with the last unit come first. Before the first unit nothing is covered, so regions that
    begin with it stand before all others at once.
    """
    everything = (1 << n) - 1
    for unit in range(n - 1, -1, -1):
        later = np.arange(1 << (n - 1 - unit)) << (unit + 1)
        for rest in later[allowed[later | 1 << unit]].tolist():
            region = rest | 1 << unit
            yield region, later[later & region == 0] if unit else np.array([everything ^ region])


def count_partitions(n: int, allowed: np.ndarray) -> np.ndarray:
    """Return how many partitions into 0, 1, … n allowed regions there are, shape (n + 1,)."""
    ways = np.zeros((1 << n, n + 1), dtype=np.int64)
    ways[0, 0] = 1
    for region, rest in first_regions(n, allowed):
        ways[rest | region, 1:] += ways[rest, :-1]
    return ways[-1]


def least_within(X: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return the least within sum of squares of 0, 1, … n allowed regions, inf for none, shape (n + 1,)."""
    n, cost = len(X), costs(X)
    least = np.full((1 << n, n + 1), np.inf)
    least[0, 0] = 0.0
    for region, rest in first_regions(n, allowed):
        covered = rest | region
        least[covered, 1:] = np.minimum(least[covered, 1:], least[rest, :-1] + cost[region])
    return least[-1]
