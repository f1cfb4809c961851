"""Means and standard deviations of clusters, step by step, missing values left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Steps:
    """Clusters (rows) over steps (columns).

    Attributes
    ----------
    labels : (g,) int64
        Clusters from 1, rising, then noise (0), where there is some.
    units : (g,) int64
        Their units.
    counts : (g, t) int64
        Values present.
    means, deviations : (g, t) float64
        Of these; NaN for the mean of none, and for the standard deviation of fewer than two.
    of_all : (t,) float64
        Mean of all units in clusters.
    """

    labels: IntArray
    units: IntArray
    counts: IntArray
    means: FloatArray
    deviations: FloatArray
    of_all: FloatArray


def measure_steps(values: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> Steps:
    """Measure every step over each cluster.

    Standard deviations are those of a sample, with one less than the values present as divisor.

    Parameters
    ----------
    values : (n, t) float
        NaN where a value is missing.
    labels : (n,) int
        Clusters from 1; 0 for noise, a group of its own; rows of negative labels take no part.

    Examples
    --------
    >>> found = measure_steps(np.array([[1.0], [3.0], [np.nan], [5.0]]), np.array([1, 1, 1, 2]))
    >>> found.counts.tolist(), found.means.tolist(), found.deviations[0].round(3).tolist()
    ([[2], [1]], [[2.0], [5.0]], [1.414])
    """
    present = np.unique(labels[labels >= 0])
    order = [*present[present > 0].tolist(), *present[present == 0].tolist()]
    shape = len(order), values.shape[1]
    counts, means, deviations = (
        np.zeros(shape, dtype=np.int64),
        np.full(shape, np.nan),
        np.full(shape, np.nan),
    )
    for place, label in enumerate(order):
        counts[place], means[place], deviations[place] = _of_rows(values[labels == label])
    return Steps(
        labels=np.array(order, dtype=np.int64),
        units=np.array([np.count_nonzero(labels == label) for label in order], dtype=np.int64),
        counts=counts,
        means=means,
        deviations=deviations,
        of_all=_of_rows(values[labels > 0])[1],
    )


def _of_rows(values: NDArray[np.floating[Any]]) -> tuple[IntArray, FloatArray, FloatArray]:
    """Count, mean and standard deviation of every column."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):  # of no values there is no mean
        mean = np.where(there, values, 0.0).sum(axis=0) / count
        away = np.where(there, values - mean, 0.0)
        peak = np.maximum(np.abs(away).max(axis=0, initial=0.0), np.finfo(np.float64).tiny)
        squares = ((away / peak) ** 2).sum(axis=0)  # of what is at most 1, however large values are
        deviation = peak * np.sqrt(squares / np.where(count > 1, count - 1, np.nan))
    return count.astype(np.int64), mean, deviation
