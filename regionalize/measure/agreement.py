"""How alike two groupings of the same units are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Labels = NDArray[np.integer[Any]]

_TAIL = 140.0
"""Counts of a shared cell are left out of its expectation that are less likely than exp(-70), 4e-31."""


@dataclass(frozen=True)
class Agreement:
    """How alike two labelings are (`docs/formulas.md`); natural logarithms.

    Attributes
    ----------
    units : int
        Units compared: those in a cluster of both.
    adjusted_rand : float
        1 for the same clusters, about 0 for chance; can be negative.
    adjusted_mutual_information : float
        The same scale, from information instead of pairs, over the mean of both entropies.
    normalized_mutual_information : float
        Over the mean of both entropies, 0 … 1; not corrected for chance. 1 where neither has two clusters.
    normalized_information_distance : float
        ``1 - I / max(H(a), H(b))``: 0 for the same clusters, 1 for independent ones; a metric.
    mutual_information : float
    entropies : tuple of float
        Of the clusters of each.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions.

    Vinh, Epps and Bailey (2010), Information theoretic measures for clusterings comparison: variants,
    properties, normalization and correction for chance.
    """

    units: int
    adjusted_rand: float
    adjusted_mutual_information: float
    normalized_mutual_information: float
    normalized_information_distance: float
    mutual_information: float
    entropies: tuple[float, float]


def measure_agreement(a: Labels, b: Labels) -> Agreement:
    """Compare two labelings of the same units by every measure.

    Parameters
    ----------
    a, b : (n,) int
        Clusters 1 … k; units with 0 (noise) or below (left out) in either are not compared.

    Raises
    ------
    DataError
        When lengths differ, or no unit is in a cluster of both.

    Examples
    --------
    >>> found = measure_agreement(np.array([1, 1, 2, 2, 0]), np.array([2, 2, 1, 1, 1]))
    >>> found.units, found.adjusted_rand, found.normalized_information_distance
    (4, 1.0, 0.0)
    """
    shared = _Shared(a, b)
    return Agreement(
        units=shared.n,
        adjusted_rand=shared.adjusted_rand,
        adjusted_mutual_information=shared.adjusted_mutual_information,
        normalized_mutual_information=shared.normalized_mutual_information,
        normalized_information_distance=shared.normalized_information_distance,
        mutual_information=shared.mutual_information,
        entropies=shared.entropies,
    )


def contingency(a: Labels, b: Labels) -> IntArray:
    """Count the units that each cluster of `a` shares with each of `b`.

    Parameters
    ----------
    a, b : (n,) int
        Clusters 1 … k; units with 0 or below in either are not counted.

    Returns
    -------
    (k_a, k_b) int64
        Cluster 1 first, with a row of zeros for a number no unit bears.

    Examples
    --------
    >>> contingency(np.array([1, 1, 2, 2]), np.array([1, 2, 2, 2])).tolist()
    [[1, 1], [0, 2]]
    """
    _same_length(a, b)
    both = (a > 0) & (b > 0)
    k_a, k_b = int(a.max(initial=0)), int(b.max(initial=0))
    cell = (a[both].astype(np.int64) - 1) * k_b + b[both] - 1
    return np.bincount(cell, minlength=k_a * k_b).reshape(k_a, k_b)


def entropy(labels: Labels) -> float:
    """Return the entropy of cluster sizes, natural logarithm: 0 for one cluster, ln k for k equal ones.

    Parameters
    ----------
    labels : (n,) int
        Clusters 1 … k; 0 and below are left out.

    Examples
    --------
    >>> round(entropy(np.array([1, 1, 2, 2])), 6)
    0.693147
    """
    _, sizes = _without_gaps(labels[labels > 0])
    return _entropy(sizes, int(sizes.sum()))


def adjusted_rand(a: Labels, b: Labels) -> float:
    """Share of pairs of units on which two labelings agree, corrected for chance (Hubert and Arabie 1985).

    Pairs are counted in whole numbers of any size. Parameters and errors as in `measure_agreement`, which
    takes longer: expected information is what costs.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions.

    Examples
    --------
    >>> round(adjusted_rand(np.array([1, 1, 2, 2]), np.array([1, 1, 2, 3])), 6)
    0.571429
    """
    return _Shared(a, b).adjusted_rand


def match_labels(reference: Labels, labels: Labels) -> IntArray:
    """Give clusters the numbers of those of a reference that they share most units with.

    Pairs are chosen so that the units shared are as many as possible in all (Kuhn 1955). A cluster without a
    partner, or whose partner shares no unit with it, gets a number after those of the reference, larger
    clusters first.

    Parameters
    ----------
    reference, labels : (n,) int
        Clusters 1 … k; 0 and below take no part, and are kept.

    Returns
    -------
    (n,) int64
        The clusters of `labels` under their new numbers.

    References
    ----------
    Kuhn (1955), The Hungarian method for the assignment problem.

    Examples
    --------
    >>> match_labels(np.array([1, 1, 2, 2, 2]), np.array([2, 2, 1, 1, 3])).tolist()
    [1, 1, 2, 2, 3]
    """
    from scipy.optimize import linear_sum_assignment

    table = contingency(reference, labels)
    number = np.zeros(table.shape[1] + 1, dtype=np.int64)
    partner, cluster = linear_sum_assignment(table, maximize=True)
    shares = table[partner, cluster] > 0
    number[cluster[shares] + 1] = partner[shares] + 1
    sizes = np.bincount(labels[labels > 0], minlength=len(number))
    left = np.flatnonzero((number == 0) & (sizes > 0))
    left = left[np.argsort(-sizes[left], kind="stable")]
    number[left] = table.shape[0] + 1 + np.arange(len(left))
    matched: IntArray = np.where(labels > 0, number[np.maximum(labels, 0)], labels)
    return matched


class _Shared:
    """The units two labelings share: cells of the contingency table that hold any, and both sizes."""

    def __init__(self, a: Labels, b: Labels) -> None:
        _same_length(a, b)
        both = (a > 0) & (b > 0)
        self.n = int(np.count_nonzero(both))
        if not self.n:
            raise DataError(
                "no unit is in a cluster of both labelings", advice="compare labels of the same rows"
            )
        row, self.a = _without_gaps(a[both])
        column, self.b = _without_gaps(b[both])
        cells, self.cells = _count(row * len(self.b) + column, len(self.a) * len(self.b))
        self.row, self.column = np.divmod(cells, len(self.b))

    @cached_property
    def same(self) -> bool:
        """Whether both are the same clusters, however numbered."""
        return len(self.cells) == len(self.a) == len(self.b)

    @cached_property
    def entropies(self) -> tuple[float, float]:
        return _entropy(self.a, self.n), _entropy(self.b, self.n)

    @cached_property
    def mutual_information(self) -> float:
        if self.same:
            return self.entropies[0]
        cells = self.cells / self.n
        expected = (self.a[self.row] / self.n) * (self.b[self.column] / self.n)
        return max(math.fsum((cells * np.log(cells / expected)).tolist()), 0.0)

    @property
    def adjusted_rand(self) -> float:
        if self.same:
            return 1.0
        both, first, second, all_pairs = (_pairs(sizes) for sizes in (self.cells, self.a, self.b, [self.n]))
        # whole numbers up to the one division: (both - chance) / (mean - chance), all times 2 all_pairs
        chance = 2 * first * second
        return (2 * both * all_pairs - chance) / ((first + second) * all_pairs - chance)

    @property
    def adjusted_mutual_information(self) -> float:
        if self.same:
            return 1.0
        chance = _expected_information(self.a, self.b, self.n)
        return (self.mutual_information - chance) / (sum(self.entropies) / 2 - chance)

    @property
    def normalized_mutual_information(self) -> float:
        return 1.0 if self.same else min(2 * self.mutual_information / sum(self.entropies), 1.0)

    @property
    def normalized_information_distance(self) -> float:
        return 0.0 if self.same else max(1 - self.mutual_information / max(self.entropies), 0.0)


def _same_length(a: Labels, b: Labels) -> None:
    if len(a) != len(b):
        raise DataError(f"there are {len(a)} labels to compare with {len(b)}")


def _without_gaps(labels: Labels) -> tuple[IntArray, IntArray]:
    """Return labels as numbers from 0 without gaps, and how many units bear each."""
    sizes = np.bincount(labels)
    number = np.cumsum(sizes > 0) - 1
    return number[labels], sizes[sizes > 0]


def _count(cells: IntArray, places: int) -> tuple[IntArray, IntArray]:
    """Return the distinct cells, rising, and how often each occurs, of `places` there are."""
    if places > 4 * len(cells):  # mostly empty: sorting takes less room
        return np.unique(cells, return_counts=True)
    counts = np.bincount(cells)
    held = np.flatnonzero(counts)
    return held, counts[held]


def _entropy(sizes: IntArray, n: int) -> float:
    share = sizes / n
    return max(0.0, -math.fsum((share * np.log(share)).tolist()))


def _pairs(sizes: Any) -> int:
    """Pairs of units within clusters of these sizes, exactly."""
    return sum(size * (size - 1) // 2 for size in np.asarray(sizes).tolist())


def _expected_information(a: IntArray, b: IntArray, n: int) -> float:
    """Mutual information expected of two random labelings with these cluster sizes.

    A cell is hypergeometric. Clusters of equal size are computed once, and counts that cannot matter are left
    out by Bernstein's inequality, which holds for drawing without replacement (Hoeffding 1963).
    """
    from scipy.special import gammaln

    sizes_b, times_b = np.unique(b, return_counts=True)
    total = 0.0
    for size_a, times_a in zip(*(one.tolist() for one in np.unique(a, return_counts=True)), strict=True):
        mean = size_a * (sizes_b / n)
        variance = mean * (1 - size_a / n)
        reach = _TAIL / 6 + np.sqrt((_TAIL / 6) ** 2 + _TAIL * variance)
        low = np.maximum(np.maximum(size_a + sizes_b - n, 1), np.floor(mean - reach)).astype(np.int64)
        high = np.minimum(np.minimum(size_a, sizes_b), np.ceil(mean + reach)).astype(np.int64)
        counts = np.maximum(high - low + 1, 0)
        at = np.repeat(np.arange(len(sizes_b)), counts)
        shared = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + low[at]
        size_b = sizes_b[at]
        log_chance = (
            gammaln(size_a + 1) + gammaln(size_b + 1) + gammaln(n - size_a + 1) + gammaln(n - size_b + 1)
        ) - (
            gammaln(n + 1)
            + gammaln(shared + 1)
            + gammaln(size_a - shared + 1)
            + gammaln(size_b - shared + 1)
            + gammaln(n - size_a - size_b + shared + 1)
        )
        information = shared / n * (np.log(shared / size_a) + np.log(n / size_b))
        total += times_a * float((information * np.exp(log_chance) * times_b[at]).sum())
    return total
