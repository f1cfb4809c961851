"""Put variables on a common scale, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from regionalize.errors import DataError, UsageError, nearest
from regionalize.model.job import CHOICES

FloatArray = NDArray[np.float64]

TRANSFORMS = CHOICES["transform"]
NORMAL_IQR = 1.3489795003921634
"""Interquartile range of a normal variable of standard deviation one."""
_ROUNDING = 8 * np.finfo(np.float64).eps
_EXACT = 2.0**53
_LARGEST, _SMALLEST = 1e150, 1e-150
"""Beyond these a squared difference overflows, or vanishes."""


def transform(values: NDArray[np.floating], how: str = "z", kind: DTypeLike = np.float64) -> NDArray[Any]:
    """Transform every column.

    ==================  =======================================================================
    z                   (x − mean) / sd, sd with divisor n − 1
    mad                 (x − mean) / mean |x − mean|, the deviation about the mean with divisor n
    range-standardize   (x − min) / (max − min)
    range-adjust        x / (max − min)
    demean              x − mean
    robust              (x − median) / (upper − lower quartile), quartiles interpolated linearly
    raw                 x
    ==================  =======================================================================

    A constant column, exactly or up to rounding, becomes all zeros. Where the quartiles coincide though
    the column varies (more than half of the values tied), `robust` divides by 1.349 sd instead, which
    is the interquartile range of a normal variable of that sd.

    Parameters
    ----------
    values : (n, p) float
        Finite values, original units.
    how : str
        One of the names above.
    kind : dtype
        Type of the answer. All is computed in float64, a column at a time.

    Returns
    -------
    (n, p) of `kind`

    Raises
    ------
    UsageError
        An unknown transform.
    DataError
        Values so large or so small that squared differences leave the range of floating point (demean,
        raw, range-adjust).

    Notes
    -----
    Columns are scaled by a power of two and moved to their first value before anything is summed, so
    neither a large offset nor a large or small unit costs digits.

    Examples
    --------
    >>> transform(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]), "z").tolist()
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    if how not in TRANSFORMS:
        raise UsageError(
            f"unknown transform '{how}'", advice=nearest(how, TRANSFORMS) or f"use {', '.join(TRANSFORMS)}"
        )
    table = np.asarray(values, dtype=np.float64)
    out = np.zeros(table.shape, dtype=kind)
    for j in np.flatnonzero(~constant_columns(table)):
        out[:, j] = _column(np.ascontiguousarray(table[:, j]), how)
    refuse_extreme(max(float(out.max(initial=0.0)), -float(out.min(initial=0.0))), how)
    return out


def refuse_extreme(largest: float, how: str) -> None:
    """Refuse transformed values whose squares would overflow, or vanish, by the largest of them."""
    if not largest <= _LARGEST or 0 < largest < _SMALLEST:
        size = "large" if largest > 1 else "small"
        raise DataError(
            f"values are too {size} to square under --transform {how}", advice="use --transform z"
        )


def constant_columns(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell which columns hold one value only.

    Whole numbers are compared exactly. Others that differ by no more than a few units in the last place
    are the same value computed along different paths, and scaling them up would make a variable of it.

    Parameters
    ----------
    values : (n, p) float
        Finite values.

    Returns
    -------
    (p,) bool

    Examples
    --------
    >>> constant_columns(np.array([[0.3, 1.0], [0.1 + 0.2, 2.0]])).tolist()
    [True, False]
    """
    table = np.asarray(values, dtype=np.float64)
    low, high = table.min(axis=0), table.max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    same: NDArray[np.bool_] = low == high
    with np.errstate(over="ignore"):  # an infinite range is not close
        close = (high - low <= _ROUNDING * size) & ~same
    for j in np.flatnonzero(close):
        whole = size[j] <= _EXACT and bool(np.all(table[:, j] == np.floor(table[:, j])))
        same[j] = not whole
    return same


def _column(x: FloatArray, how: str) -> FloatArray:
    """Transform one column that varies."""
    power = int(np.frexp(np.abs(x).max())[1])
    scaled = np.ldexp(x, -power)  # exact: within ±1
    apart = scaled - scaled[0]
    spread = apart.max() - apart.min()
    out: FloatArray
    if how == "raw":
        return x
    if how == "range-adjust":
        out = scaled / spread
    elif how == "range-standardize":
        out = (apart - apart.min()) / spread
    elif how == "robust":
        lower, median, upper = np.quantile(apart, (0.25, 0.5, 0.75))
        width = upper - lower
        if width <= _ROUNDING * spread:
            width = NORMAL_IQR * np.std(apart / spread, ddof=1) * spread
        out = (apart - median) / width
    else:
        unit = apart / spread  # so that no square vanishes
        centred = unit - unit.mean()
        centred -= centred.mean()
        if how == "z":
            out = centred / np.sqrt(np.sum(centred * centred) / (len(x) - 1))
        elif how == "mad":
            out = centred / np.abs(centred).mean()
        else:
            with np.errstate(over="ignore", under="ignore"):  # `transform` refuses what is too large or small
                out = np.ldexp(centred * spread, power)
    return out


@dataclass(frozen=True)
class Scaling:
    """What a transform came to on some rows, ready for others: every one is ``(x - offset) / scale``.

    Attributes
    ----------
    offset, scale : (p,) float64
        In the units of the columns. Of a constant column the scale is infinite, so that it becomes zero.
    """

    offset: FloatArray
    scale: FloatArray

    @staticmethod
    def between(values: NDArray[np.floating], transformed: NDArray[np.floating]) -> Scaling:
        """Read the scaling off the rows it was fitted on: two of each column, far apart, settle it.

        Parameters
        ----------
        values : (n, p) float
            Original units.
        transformed : (n, p) float
            The same, transformed column by column.

        Raises
        ------
        DataError
            Numbers so far apart that their difference leaves the range of floating point.

        Examples
        --------
        >>> x = np.array([[1.0], [2.0], [3.0], [6.0]])
        >>> Scaling.between(x, transform(x, "range-standardize")).apply(np.array([[1.0], [11.0]])).tolist()
        [[0.0], [2.0]]
        """
        column = np.arange(values.shape[1])
        low, high = transformed.argmin(axis=0), transformed.argmax(axis=0)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # refused below
            width = transformed[high, column] - transformed[low, column]
            scale = np.where(width > 0, (values[high, column] - values[low, column]) / width, np.inf)
            offset = np.where(width > 0, values[low, column] - transformed[low, column] * scale, 0.0)
        if not np.isfinite(offset).all() or np.isinf(scale[width > 0]).any():
            raise DataError("values are too large to be scaled alike elsewhere", advice="use smaller units")
        return Scaling(offset.astype(np.float64), scale.astype(np.float64))

    def apply(self, values: NDArray[np.floating]) -> FloatArray:
        """Scale rows, shape (n, p), in the same way."""
        scaled: FloatArray = (np.asarray(values, dtype=np.float64) - self.offset) / self.scale
        return scaled
