"""Columns that are steps of a series, put into fewer variables: components, a trend, a season."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.features.transforms import transform
from regionalize.kernels.principal import principal_components
from regionalize.model.series import read_embedding

FloatArray = NDArray[np.float64]

_ROUNDING = 64 * np.finfo(np.float64).eps
"""Differences between units that are no larger than this share of the values are rounding."""


@dataclass(frozen=True)
class Embedding:
    """What is clustered in the place of columns.

    Attributes
    ----------
    names : tuple of str
        Of the q new variables.
    values : (m, q) float64
        Of the m units.
    stands_for : float
        How many columns the new variables weigh together as.
    notes : tuple of str
        What was made of what, for the person.
    """

    names: tuple[str, ...]
    values: FloatArray
    stands_for: float
    notes: tuple[str, ...]


def embed(values: NDArray[np.floating], how: str, columns: Sequence[str]) -> Embedding:
    """Put a series per row into fewer variables.

    Parameters
    ----------
    values : (m, p) float
        Transformed columns, in the order of time.
    how : str
        ``pca:Q``: the first Q principal components, as they are, so that distances are those of the best
        approximation of rank Q. ``trend``, ``season:P``: `series_features`, each scaled to sd 1.
    columns : (p,) sequence of str
        Names, for messages.

    Returns
    -------
    Embedding

    Raises
    ------
    UsageError
        More components than columns, or too few columns for a trend or a period.

    Examples
    --------
    >>> line = embed(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), "pca:1", ["d1", "d2"])
    >>> line.values.round(9).tolist(), line.notes
    ([[-5.0], [0.0], [5.0]], ('pca:1: of 2 columns 1 component, with 100.0 % of their variance',))
    """
    p = len(columns)
    kind, number = read_embedding(how)
    if kind != "pca":
        names, found = series_features(values, how)
        floor = _ROUNDING * float(np.abs(values).max(initial=0.0))
        found[:, np.ptp(found, axis=0) <= floor] = 0.0
        said = f"{how}: {', '.join(names)} of a series of {p} columns, {columns[0]} to {columns[-1]}"
        return Embedding(names, transform(found, "z"), float(len(names)), (said,))
    count = int(number)
    if count > p:
        raise UsageError(
            f"--embed {how} asks for {count} components of {_counted(p, 'column')}",
            advice=f"give at most pca:{p}",
        )
    components = principal_components(values, count)
    said = f"{how}: of {_counted(p, 'column')} {_counted(count, 'component')}"
    said += f", with {100 * components.shares.sum():.1f} % of their variance"
    names = tuple(f"component {place}" for place in range(1, count + 1))
    away = np.asarray(values, dtype=np.float64) - components.middle
    return Embedding(names, _combined(away, components.loadings), float(p), (said,))


def series_features(values: NDArray[np.floating], how: str) -> tuple[tuple[str, ...], FloatArray]:
    """Fit a line, or a line and a wave, to each row by least squares.

    Parameters
    ----------
    values : (m, p) float
        A series per row; steps are of length 1, and counted from 0.
    how : str
        ``trend`` or ``season:P``, P in steps.

    Returns
    -------
    names : tuple of str
        ``mean, slope, spread``, or ``mean, slope, amplitude, cosine, sine``.
    features : (m, 3) or (m, 5) float64
        Height of the line at the middle of the series, slope per step; the standard deviation of what the
        line leaves, with divisor p − 2, or the wave ``cosine · cos(2πt / P) + sine · sin(2πt / P)`` and its
        amplitude.

    Raises
    ------
    UsageError
        Less than 3 columns, or less than 4 or one period.

    Examples
    --------
    >>> series_features(np.array([[1.0, 3.0, 5.0, 7.0]]), "trend")[1].round(9).tolist()
    [[4.0, 2.0, 0.0]]
    """
    kind, period = read_embedding(how)
    series = np.asarray(values, dtype=np.float64)
    p = series.shape[1]
    least = 3 if kind == "trend" else max(4, int(np.ceil(period)))
    if p < least:
        raise UsageError(
            f"--embed {how} needs at least {least} columns, and there {'is' if p == 1 else 'are'} {p}",
            advice="name more steps with --columns",
        )
    step = np.arange(p)
    terms = [np.ones(p), step - step.mean()]
    if kind == "season":
        terms += [np.cos(2 * np.pi * step / period), np.sin(2 * np.pi * step / period)]
    design = np.stack(terms, axis=1)
    middle = series.mean(axis=1)
    away = series - middle[:, None]  # so that a large mean costs no digits
    found = _combined(away, np.linalg.pinv(design))
    level, slope = middle + found[:, 0], found[:, 1]
    if kind == "season":
        cosine, sine = found[:, 2:].T
        wave = np.hypot(cosine, sine)
        return ("mean", "slope", "amplitude", "cosine", "sine"), np.stack(
            [level, slope, wave, cosine, sine], axis=1
        )
    left = away - _combined(found, design)
    spread = np.sqrt(np.sum(left**2, axis=1) / (p - 2))
    return ("mean", "slope", "spread"), np.stack([level, slope, spread], axis=1)


def _combined(rows: FloatArray, loadings: FloatArray) -> FloatArray:
    """Return rows (m, p) times loadings (q, p), transposed, summed in one order: equal rows stay equal."""
    out = np.zeros((len(loadings), len(rows)))
    for column, shares in zip(rows.T, loadings.T, strict=True):
        values = np.ascontiguousarray(column)
        for at, share in enumerate(shares):
            out[at] += share * values
    return np.ascontiguousarray(out.T)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
