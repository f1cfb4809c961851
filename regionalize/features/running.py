"""What is known of rows that come in pieces: statistics of columns, a random sample, a random share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError, nearest
from regionalize.features.transforms import TRANSFORMS, Scaling, constant_columns, refuse_extreme
from regionalize.kernels.row_keys import SAMPLE, SPLIT, keys, uniform

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Rows = NDArray[np.floating[Any]]

PIECE = 1 << 13
"""Rows looked at together."""
NOTHING = np.int32(-10_000)
"""Power of two of what is zero: below all others."""
UNSTREAMED = {
    "mad": "the mean deviation from a mean that only the last row settles",
    "robust": "the median and the quartiles of all rows",
}
"""Transforms that running statistics do not tell, and what they would need."""
STREAMED = tuple(how for how in TRANSFORMS if how not in UNSTREAMED)


class RunningStatistics:
    """Count, mean, standard deviation and range of columns, of all rows seen so far.

    Pieces are merged as Chan, Golub and LeVeque (1979) do, means and sums of squares held in two numbers
    each, so that neither a large offset nor the number of pieces costs digits. Missing values (NaN) are left
    out, column by column.

    Parameters
    ----------
    p : int
        Number of columns: that of the first rows, unless given.

    Attributes
    ----------
    count : (p,) int64
        Values that are not missing.
    low, high : (p,) float64
        Least and greatest, NaN where there is no value.

    Examples
    --------
    >>> seen = RunningStatistics()
    >>> seen.update(np.array([[1.0, 5.0], [2.0, np.nan]]))
    >>> seen.update(np.array([[6.0, 7.0]]))
    >>> seen.count.tolist(), seen.mean.tolist(), seen.sd.round(4).tolist()
    ([3, 2], [3.0, 6.0], [2.6458, 1.4142])
    """

    def __init__(self, p: int = 0) -> None:
        self.count = np.zeros(p, dtype=np.int64)
        self.low, self.high = np.full(p, np.nan), np.full(p, np.nan)
        self._fraction = np.full(p, np.nan)  # some value of the column that is no whole number
        self._mean, self._rest = np.zeros(p), np.zeros(p)
        self._power = np.full(p, NOTHING)  # sums of squares are in units of 4^power
        self._squares, self._squares_rest = np.zeros(p), np.zeros(p)

    @property
    def mean(self) -> FloatArray:
        """Means (p,), NaN where there is no value."""
        return np.where(self.count > 0, self._mean, np.nan)

    @property
    def sd(self) -> FloatArray:
        """Standard deviations (p,) with divisor n - 1, NaN where there are fewer than two values."""
        variance = self._squares / np.where(self.count > 1, self.count - 1, np.nan)
        sd: FloatArray = np.ldexp(np.sqrt(variance), self._power)
        return sd

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which columns (p,) hold one value only, as `constant_columns` tells it of all rows."""
        witness = np.where(np.isnan(self._fraction), self.low, self._fraction)
        one: NDArray[np.bool_] = constant_columns(np.stack([self.low, self.high, witness]))
        one |= self.count == 0
        return one

    def update(self, X: Rows) -> None:
        """Take in rows (m, p), finite but for what is missing."""
        values = np.asarray(X)
        if values.ndim != 2:
            raise ValueError(f"rows of shape {values.shape}")
        self._begin(values.shape[1])
        for first in range(0, len(values), PIECE):
            self.merge(_seen(np.array(values[first : first + PIECE].T, dtype=np.float64, order="C")))

    def merge(self, other: RunningStatistics) -> None:
        """Take in what others have seen."""
        self._begin(len(other.count))
        both = (self.count > 0) & (other.count > 0)
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        apart = np.where(both, (other._mean - self._mean) + (other._rest - self._rest), 0.0)
        unseen = self.count == 0
        mean, rest = np.where(unseen, other._mean, self._mean), np.where(unseen, other._rest, self._rest)
        power = np.maximum.reduce([self._power, other._power, _exponent(apart)])
        parts = (
            *(np.ldexp(part, 2 * (self._power - power)) for part in (self._squares, self._squares_rest)),
            *(np.ldexp(part, 2 * (other._power - power)) for part in (other._squares, other._squares_rest)),
            np.ldexp(apart, -power) ** 2 * (self.count * share),
        )
        self._mean, self._rest = _added(mean, rest, apart * share)
        self._squares, self._squares_rest = _added(*parts)
        self._power, self.count = power, count
        self.low, self.high = np.fmin(self.low, other.low), np.fmax(self.high, other.high)
        self._fraction = np.where(np.isnan(self._fraction), other._fraction, self._fraction)

    def _begin(self, p: int) -> None:
        """Have p columns from now on, or refuse another number than before."""
        if not len(self.count):
            vars(self).update(vars(RunningStatistics(p)))
        if len(self.count) != p:
            raise ValueError(f"{p} columns, and {len(self.count)} before")


def _seen(columns: FloatArray) -> RunningStatistics:
    """Return the statistics of columns (p, m), a variable per row; what the array holds is lost."""
    seen = RunningStatistics(len(columns))
    seen.low, seen.high = (extreme.reduce(columns, axis=1) for extreme in (np.fmin, np.fmax))
    missing = np.isnan(columns)
    seen.count = columns.shape[1] - np.count_nonzero(missing, axis=1)
    columns[missing] = 0.0
    broken = columns != np.floor(columns)
    line, at = np.arange(len(columns)), broken.argmax(axis=1)
    seen._fraction = np.where(broken[line, at], columns[line, at], np.nan)
    size = _exponent(np.abs(columns).max(axis=1))
    apart = np.ldexp(columns, -size[:, None])  # exact: within ±1
    mean = apart.sum(axis=1) / np.maximum(seen.count, 1)
    apart -= mean[:, None]
    apart[missing] = 0.0
    rest = apart.sum(axis=1) / np.maximum(seen.count, 1)
    apart -= rest[:, None]
    apart[missing] = 0.0
    seen._mean, seen._rest = (np.ldexp(part, size) for part in _added(mean, rest))
    spread = _exponent(np.abs(apart).max(axis=1))
    apart = np.ldexp(apart, -spread[:, None])  # so that no square vanishes
    seen._squares = np.einsum("ij,ij->i", apart, apart)
    seen._power = np.where(seen._squares > 0, size + spread, NOTHING)
    return seen


def _exponent(values: FloatArray) -> NDArray[np.int32]:
    """Return the powers of two that values lie below, `NOTHING` for zero."""
    power: NDArray[np.int32] = np.where(values == 0, NOTHING, np.frexp(values)[1])
    return power


def _added(*parts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add numbers, and return the sum with what it lacks (Knuth's sum of two, one after the other)."""
    total, lacking = parts[0], np.zeros_like(parts[0])
    for part in parts[1:]:
        more = total + part
        back = more - total
        lacking = lacking + ((total - (more - back)) + (part - back))
        total = more
    final = total + lacking
    return final, lacking - (final - total)


def scaling(statistics: RunningStatistics, how: str = "z") -> Scaling:
    """Return what a transform comes to on all the rows that running statistics have seen.

    Parameters
    ----------
    statistics : RunningStatistics
        Of all rows.
    how : str
        A transform of `regionalize.features.transforms.transform`.

    Raises
    ------
    UsageError
        An unknown transform, or one that running statistics do not tell.
    DataError
        Values so large or so small that squared differences leave the range of floating point.

    Examples
    --------
    >>> seen = RunningStatistics()
    >>> seen.update(np.array([[1.0], [2.0], [5.0]]))
    >>> scaling(seen, "range-standardize").apply(np.array([[3.0]])).tolist()
    [[0.5]]
    """
    check_streamed(how)
    p = len(statistics.count)
    width = statistics.high - statistics.low
    offset, scale = np.zeros(p), np.ones(p)
    if how in {"z", "demean"}:
        offset = statistics.mean
    elif how == "range-standardize":
        offset = statistics.low
    if how == "z":
        scale = statistics.sd
    elif how in {"range-standardize", "range-adjust"}:
        scale = width
    constant = statistics.constant
    found = Scaling(np.where(constant, 0.0, offset), np.where(constant, np.inf, scale))
    ends = found.apply(np.where(constant, 0.0, np.stack([statistics.low, statistics.high])))
    refuse_extreme(float(np.abs(ends).max(initial=0.0)), how)
    return found


def scaled(X: Rows, statistics: RunningStatistics, how: str = "z") -> FloatArray:
    """Transform some rows as `regionalize.features.transforms.transform` does all of them together.

    Parameters
    ----------
    X : (m, p) float
        Some of the rows; what is missing stays so.
    statistics : RunningStatistics
        Of all rows.
    how : str
        A transform of that function, but for ``mad`` and ``robust``, which need all rows at once.

    Returns
    -------
    (m, p) float64
        Constant columns are zeros.

    Raises
    ------
    UsageError, DataError
        As `scaling`.

    Examples
    --------
    >>> seen = RunningStatistics()
    >>> seen.update(np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]]))
    >>> scaled(np.array([[3.0, 7.0]]), seen, "z").tolist()
    [[1.0, 0.0]]
    """
    by = scaling(statistics, how)
    out = np.asarray(X, dtype=np.float64) - by.offset
    if how in {"z", "demean"}:
        out -= np.where(np.isinf(by.scale), 0.0, statistics._rest)
    out /= by.scale
    return out


def check_streamed(how: str) -> None:
    """Refuse a transform that is unknown, or needs all rows at once."""
    if how in UNSTREAMED:
        raise UsageError(
            f"--transform {how} needs {UNSTREAMED[how]}, and rows come in batches",
            advice=f"use {', '.join(STREAMED)}, or leave out --batch-size",
        )
    if how not in TRANSFORMS:
        raise UsageError(
            f"unknown transform '{how}'", advice=nearest(how, STREAMED) or f"use {', '.join(STREAMED)}"
        )


class Reservoir:
    """A random sample of rows without replacement, each equally likely, of a number nobody knows beforehand.

    Every row has a random key by its number, and those with the least keys are kept. So the sample depends
    on the seed alone, and not on where the rows are cut or in which order they come.

    Parameters
    ----------
    size : int
        Most rows kept.
    seed : int
        Of the keys.

    Attributes
    ----------
    seen : int
        Rows seen so far.
    numbers : (m,) int64
        Numbers of the rows kept, rising.

    Examples
    --------
    >>> sample = Reservoir(3, seed=1)
    >>> sample.update(np.arange(10.0)[:, None])
    >>> sample.update(np.arange(10.0, 50.0)[:, None])
    >>> bool((sample.rows[:, 0] == sample.numbers).all()), len(sample.rows), sample.seen
    (True, 3, 50)
    """

    def __init__(self, size: int, seed: int) -> None:
        if size < 1:
            raise ValueError(f"a sample of {size} rows")
        self.size, self.seed, self.seen = size, seed, 0
        self._keys = np.zeros(0, dtype=np.uint64)
        self.numbers = np.zeros(0, dtype=np.int64)
        self._X: FloatArray | None = None

    def update(self, X: Rows, numbers: IntArray | None = None) -> None:
        """Look at rows (m, p); `numbers` (m,) are those they have in all, the next ones unless given."""
        if numbers is None:
            numbers = np.arange(self.seen, self.seen + len(X))
        if len(numbers) != len(X):
            raise ValueError(f"{len(numbers)} numbers for {len(X)} rows")
        self.seen += len(X)
        drawn = keys(numbers, self.seed, SAMPLE)
        few = np.flatnonzero(drawn <= self._keys.max()) if len(self._keys) == self.size else slice(None)
        self._keep(drawn[few], numbers[few], np.asarray(X, dtype=np.float64)[few])

    def merge(self, other: Reservoir) -> None:
        """Take in the sample of other rows, drawn with the same seed."""
        self.seen += other.seen
        if other._X is not None:
            self._keep(other._keys, other.numbers, other._X)

    @property
    def rows(self) -> FloatArray:
        """The rows kept, shape (m, p), in the order of their numbers."""
        return np.zeros((0, 0)) if self._X is None else self._X.copy()

    def _keep(self, drawn: NDArray[np.uint64], numbers: IntArray, X: FloatArray) -> None:
        if self._X is not None:
            drawn, numbers = np.concatenate([self._keys, drawn]), np.concatenate([self.numbers, numbers])
            X = np.concatenate([self._X, X])
        least = np.lexsort((numbers, drawn))[: self.size]
        kept = least[np.argsort(numbers[least])]
        self._keys, self.numbers, self._X = drawn[kept], numbers[kept], X[kept]


def split_rows(first: int, count: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Tell which of some rows are of the test share: each by itself, by its number and the seed.

    Parameters
    ----------
    first, count : int
        Number of the first row, and how many there are.
    share : float
        Probability of a row to be of the test share, 0 … 1.
    seed : int
        Of the draws.

    Returns
    -------
    (count,) bool

    Examples
    --------
    >>> bool((split_rows(0, 9, 0.2, 1)[4:] == split_rows(4, 5, 0.2, 1)).all())
    True
    """
    return uniform(np.arange(first, first + count), seed, SPLIT) < share
