"""Fit and profiles of clusters whose rows come in batches, from means and spreads kept up to date."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.measure.fit import plain_rows, pseudo_f
from regionalize.model.report import Fit, Profiles

FloatArray = NDArray[np.float64]


class Groups:
    """Number, mean and sum of squares about it, of every column in every cluster.

    Parameters
    ----------
    k, p : int
        Clusters, columns.

    Attributes
    ----------
    counts : (k,) float64
    squares : (k, p) float64
        Sums of squares about the means.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance: how parts are put together.

    Examples
    --------
    >>> groups = Groups(2, 1)
    >>> groups.update(np.array([[0.0], [2.0]]), np.array([0, 0]))
    >>> groups.update(np.array([[4.0], [9.0]]), np.array([0, 1]))
    >>> groups.means.tolist(), groups.squares.tolist()
    ([[2.0], [9.0]], [[8.0], [0.0]])
    """

    def __init__(self, k: int, p: int, origin: FloatArray | None = None) -> None:
        self.origin = origin  # what is taken off all values, so that a large mean costs no digits
        self.counts = np.zeros(k)
        self.apart = np.zeros((k, p))  # means less the origin
        self.squares = np.zeros((k, p))

    @property
    def means(self) -> FloatArray:
        """Means of the clusters, (k, p)."""
        return self.apart if self.origin is None else self.apart + self.origin

    def update(self, values: NDArray[np.floating[Any]], codes: NDArray[np.integer[Any]]) -> None:
        """Add rows (m, p) that are in clusters (m,), 0 … k - 1; those below 0 are in none."""
        if self.origin is None and len(values):
            self.origin = np.array(values[0], dtype=np.float64)
        for code in np.unique(codes[codes >= 0]).tolist():
            rows = values[codes == code] - self.origin
            middle = rows.mean(axis=0)
            middle += (rows - middle).mean(axis=0)  # what the rounding of the mean left
            squares = np.square(rows - middle).sum(axis=0)
            self._merge(code, len(rows), middle, squares)

    def _merge(self, code: int, count: int, middle: FloatArray, squares: FloatArray) -> None:
        total = self.counts[code] + count
        away = middle - self.apart[code]
        self.squares[code] += squares + away**2 * (self.counts[code] * count / total)
        self.apart[code] += away * (count / total)
        self.counts[code] = total

    def merge(self, other: Groups) -> None:
        """Add the rows that others were given, counted from the same origin."""
        for code in np.flatnonzero(other.counts).tolist():
            self._merge(code, int(other.counts[code]), other.apart[code], other.squares[code])

    def only(self, columns: slice) -> Groups:
        """Return some of the columns."""
        found = Groups(len(self.counts), 0, None if self.origin is None else self.origin[columns])
        found.counts, found.apart, found.squares = (
            self.counts,
            self.apart[:, columns],
            self.squares[:, columns],
        )
        return found

    def ordered(self, order: NDArray[np.integer[Any]]) -> Groups:
        """Return the clusters in another order."""
        found = Groups(len(order), self.apart.shape[1], self.origin)
        found.counts, found.apart, found.squares = self.counts[order], self.apart[order], self.squares[order]
        return found

    def times(self, factors: FloatArray) -> Groups:
        """Return the same of columns that are multiplied by `factors` (p,) and moved."""
        found = Groups(len(self.counts), len(factors), np.zeros(len(factors)))
        found.counts = self.counts
        found.apart, found.squares = self.apart * factors, self.squares * factors**2
        return found

    def of_all(self) -> Groups:
        """Return all rows together, as one cluster."""
        whole = Groups(1, self.apart.shape[1], self.origin)
        for code in np.flatnonzero(self.counts):
            whole._merge(0, self.counts[code], self.apart[code], self.squares[code])
        return whole


def fit_of_groups(groups: Groups, columns: slice = slice(None)) -> Fit:
    """Return the fit of clusters over some of the columns, as `regionalize.measure.fit.measure_fit` has it.

    The mean distance to the cluster's mean is not known: it is None.
    """
    whole = groups.of_all()
    wss = groups.squares[:, columns].sum(axis=1)
    tss, within = float(whole.squares[0, columns].sum()), float(wss.sum())
    k = int(np.count_nonzero(groups.counts))
    between = max(tss - within, 0.0) if k > 1 else 0.0
    return Fit(
        tss=tss,
        wss=within,
        bss=between,
        ratio=between / tss if tss > 0 else None,
        wss_by_cluster=tuple(wss.tolist()),
        pseudo_f=pseudo_f(between, within, int(whole.counts[0]), k),
        mean_distance=None,
    )


def r_squared_of_groups(groups: Groups) -> tuple[float | None, ...]:
    """Return the share of each column's sum of squares that lies between clusters; None if it is constant."""
    total = groups.of_all().squares[0]
    within = groups.squares.sum(axis=0)
    return tuple(
        max(1.0 - float(w) / float(t), 0.0) if t > 0 else None for w, t in zip(within, total, strict=True)
    )


def profiles_of_groups(groups: Groups) -> Profiles:
    """Return means and standard deviations, as `regionalize.measure.fit.measure_profiles` has them."""
    whole = groups.of_all()
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(groups.squares / (groups.counts[:, None] - 1.0))
        spread = np.sqrt(whole.squares[0] / (whole.counts[0] - 1.0))
        z = (groups.apart - whole.apart[0]) / spread
    sd[groups.counts < 2] = np.nan
    return Profiles(
        plain_rows(groups.means),
        plain_rows(sd),
        plain_rows(z),
        *plain_rows(np.stack([whole.means[0], spread])),
    )
