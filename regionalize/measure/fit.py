"""How close the units of a cluster are to each other in the variables."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.model.report import Fit, Profiles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDING = 1e-25
"""Spread within clusters, as a share of that between them, that is left by rounding alone."""


def measure_fit(Z: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> Fit:
    """Split the total sum of squares into within and between clusters.

    Sums are about the mean of each column, added over columns, in float64 whatever the type of `Z`.
    Every column is centred before it is squared, so a large mean costs no digits, and a column is copied
    only while it is worked on.

    Parameters
    ----------
    Z : (m, p) float
        Transformed variables.
    labels : (m,) int
        Clusters 1 … k; rows of noise (0) and rows left out (-1) count nowhere.

    Returns
    -------
    Fit
        Its ratio is None when the units do not differ at all.

    Raises
    ------
    DataError
        When `Z` and `labels` differ in length.

    References
    ----------
    Caliński and Harabasz (1974), A dendrite method for cluster analysis: the pseudo-F.

    Examples
    --------
    >>> fit = measure_fit(np.array([[0.0], [2.0], [10.0]]), np.array([1, 1, 2]))
    >>> fit.wss_by_cluster, round(fit.pseudo_f, 6), round(fit.mean_distance, 6)
    ((2.0, 0.0), 27.0, 0.666667)
    """
    members = _Members(Z, labels)
    tss = 0.0
    wss = np.zeros(members.k)
    squared = np.zeros(len(members.cluster))
    for column in members.columns():
        total, parts, residual = members.split(column)
        tss += total
        wss += parts
        squared += residual * residual
    within = float(wss.sum())
    several = np.count_nonzero(members.sizes) > 1  # of one cluster, the difference is rounding alone
    between = max(tss - within, 0.0) if several else 0.0
    return Fit(
        tss=tss,
        wss=within,
        bss=between,
        ratio=between / tss if tss > 0 else None,
        wss_by_cluster=tuple(wss.tolist()),
        pseudo_f=pseudo_f(between, within, len(squared), int(np.count_nonzero(members.sizes))),
        mean_distance=float(np.sqrt(squared).mean()) if len(squared) else None,
    )


def pseudo_f(bss: float, wss: float, n: int, k: int) -> float | None:
    """Caliński and Harabasz's index of k clusters of n units in all."""
    if not 1 < k < n or wss <= _ROUNDING * bss:
        return None
    return (bss / (k - 1)) / (wss / (n - k))


def r_squared(Z: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> FloatArray:
    """Return the share of each column's sum of squares that lies between clusters.

    The R² of a regression of the variable on the clusters: moving or scaling a column changes nothing.

    Parameters
    ----------
    Z : (m, p) float
        Variables.
    labels : (m,) int
        Clusters 1 … k; 0 and below are left out.

    Returns
    -------
    (p,) float64
        0 … 1; NaN for a column that does not vary over the units in clusters.

    Raises
    ------
    DataError
        When `Z` and `labels` differ in length.

    Examples
    --------
    >>> r_squared(np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), np.array([1, 1, 2])).tolist()
    [0.75, nan]
    """
    members = _Members(Z, labels)
    shares = np.full(Z.shape[1], np.nan)
    for j, column in enumerate(members.columns()):
        total, parts, _ = members.split(column)
        if total > 0:
            shares[j] = max(1 - parts.sum() / total, 0.0)
    return shares


def cluster_means(raw: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> FloatArray:
    """Average each column over each cluster, in the units of `raw`.

    Parameters
    ----------
    raw : (m, p) float
        Variables in original units.
    labels : (m,) int
        Clusters 1 … k; 0 and below are left out.

    Returns
    -------
    (k, p) float64
        Cluster 1 first; NaN for a number no unit bears.

    Examples
    --------
    >>> cluster_means(np.array([[0.0, 1.0], [2.0, 1.0], [10.0, 5.0]]), np.array([1, 1, 2])).tolist()
    [[1.0, 1.0], [10.0, 5.0]]
    """
    members = _Members(raw, labels)
    means = np.empty((members.k, raw.shape[1]))
    for j, column in enumerate(members.columns()):
        means[:, j] = members.means(column) + members.origin[j]
    return means


def measure_profiles(raw: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> Profiles:
    """Measure mean and standard deviation of each column over each cluster, in the units of `raw`.

    Parameters
    ----------
    raw : (m, p) float
        Variables in original units.
    labels : (m,) int
        Clusters 1 … k; 0 and below are left out.

    Returns
    -------
    Profiles
        Standard deviations divide by one less than the units.

    Raises
    ------
    DataError
        When `raw` and `labels` differ in length.

    Examples
    --------
    >>> found = measure_profiles(np.array([[1.0], [3.0], [5.0]]), np.array([1, 1, 2]))
    >>> found.mean, found.sd, found.z
    (((2.0,), (5.0,)), ((1.4142135623730951,), (None,)), ((-0.5,), (1.0,)))
    """
    members = _Members(raw, labels)
    n, p = len(members.cluster), raw.shape[1]
    mean, sd, z = (np.full((members.k, p), np.nan) for _ in range(3))
    mean_of_all, sd_of_all = np.full(p, np.nan), np.full(p, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        for j, away in enumerate(members.columns()):
            _, power = np.frexp(np.abs(away).max(initial=0.0))
            column = np.ldexp(away, -power)  # exact, and squares of values such as 1e200 do not overflow
            total, within, _ = members.split(column)
            middle = column.mean() if n else np.nan
            means = members.means(column)
            spread = np.sqrt(total / (n - 1.0)) if n > 1 else np.nan
            mean[:, j] = np.ldexp(means, power) + members.origin[j]
            mean_of_all[j] = np.ldexp(middle, power) + members.origin[j]
            sd[:, j] = np.ldexp(np.sqrt(np.maximum(within, 0.0) / (members.sizes - 1.0)), power)
            sd_of_all[j] = np.ldexp(spread, power)
            z[:, j] = (means - middle) / spread
    sd[members.sizes < 2] = np.nan
    return Profiles(
        plain_rows(mean), plain_rows(sd), plain_rows(z), *plain_rows(np.stack([mean_of_all, sd_of_all]))
    )


def plain_rows(values: FloatArray) -> tuple[tuple[float | None, ...], ...]:
    """Return an array as plain rows, None for what is no number."""
    return tuple(tuple(x if isfinite(x) else None for x in row) for row in values.tolist())


def cluster_medians(raw: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> FloatArray:
    """Return the median of each column over each cluster, in the units of `raw`.

    Parameters
    ----------
    raw : (m, p) float
        Variables in original units.
    labels : (m,) int
        Clusters 1 … k; 0 and below are left out.

    Returns
    -------
    (k, p) float64
        Cluster 1 first; of an even number of units the mean of the two middle ones. NaN for a number no unit
        bears.

    Examples
    --------
    >>> cluster_medians(np.array([[0.0], [1.0], [8.0], [3.0]]), np.array([1, 1, 1, 2])).tolist()
    [[1.0], [3.0]]
    """
    if len(raw) != len(labels):
        raise DataError(f"there are {len(labels)} labels for {len(raw)} rows")
    k = int(labels.max(initial=0))
    medians = np.full((k, raw.shape[1]), np.nan)
    for label in np.unique(labels[labels > 0]).tolist():
        medians[label - 1] = np.median(raw[labels == label], axis=0)
    return medians


class _Members:
    """The rows in clusters, handed out a column at a time to spare memory.

    Columns count from their first value, not from zero: a large mean then costs no digits, and a
    constant column is exactly zero.
    """

    def __init__(self, Z: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> None:
        if len(Z) != len(labels):
            raise DataError(f"there are {len(labels)} labels for {len(Z)} rows")
        used = labels > 0
        self._matrix, self._used = Z, None if used.all() else used
        self.cluster: IntArray = labels[used].astype(np.int64) - 1
        self.k = int(self.cluster.max(initial=-1)) + 1
        self.sizes = np.bincount(self.cluster, minlength=self.k)
        self.origin = np.zeros(Z.shape[1])

    def columns(self) -> Iterator[FloatArray]:
        for j in range(self._matrix.shape[1]):
            values = self._matrix[:, j] if self._used is None else self._matrix[self._used, j]
            column: FloatArray = np.array(values, dtype=np.float64)
            if len(column):
                self.origin[j] = column[0]
                column -= column[0]
            yield column

    def split(self, column: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Return the sum of squares in all and within each cluster, and what is left of every unit."""
        centered = column - (column.mean() if len(column) else 0.0)
        residual = centered - self.means(centered)[self.cluster]
        # the second term is what the rounding of the mean added (Chan, Golub and LeVeque 1983)
        within = self.sums(residual * residual) - self.sums(residual) ** 2 / np.maximum(self.sizes, 1)
        return float(centered @ centered), within, residual

    def sums(self, values: FloatArray) -> FloatArray:
        sums: FloatArray = np.bincount(self.cluster, weights=values, minlength=self.k).astype(np.float64)
        return sums

    def means(self, column: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):  # a number that no unit bears has no mean: NaN
            means: FloatArray = self.sums(column) / self.sizes
        return means
