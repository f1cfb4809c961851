"""How different two clusters are: the linkages, and their computation over all pairs of units across."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WARD, SINGLE, COMPLETE, AVERAGE = 0, 1, 2, 3
"""What the difference of two clusters is."""
ROUNDED_UP = 1.0 + 1e-9
"""Keeps rounding from passing over what is equal."""


def compare_runs(
    pool: FloatArray,
    one: int,
    ones: int,
    other: int,
    others: int,
    linkage: int,
    known: float,
    reach: float,
) -> float:
    """Compare every unit of one run with every unit of another.

    Variables are taken by fours, and units of the longer run by strips, which the processor goes through
    several at a time; what is added to what does not depend on how many.

    Parameters
    ----------
    pool : (p + 1, m) float64
        Variables in rows, p a multiple of four (filled up with zeros), and below them how far each unit is
        from the origin; a run of units is a run of columns.
    one, other : int
        Where the runs begin.
    ones, others : int
        Their units.
    linkage : int
        `SINGLE`, `COMPLETE` or `AVERAGE`.
    known : float
        The least or the greatest squared distance, or the sum of distances, of pairs compared before.
    reach : float
        How far any unit of the two runs is from the origin at most: for the greatest distance, units that
        even from there cannot be farther apart than is known are passed over.

    Returns
    -------
    float
        The same with these pairs.

    Examples
    --------
    Units at 0 and 1 against one at 4.

    >>> none = [0.0, 0.0, 0.0]
    >>> pool = np.array([[0.0, 1.0, 4.0], none, none, none, [0.0, 1.0, 4.0]])
    >>> [float(compare_runs(pool, 0, 2, 2, 1, linkage, 0.0, 4.0)) for linkage in (SINGLE, COMPLETE, AVERAGE)]
    [0.0, 16.0, 7.0]
    """
    if ones > others:
        one, ones, other, others = other, others, one, ones
    width = min(others, 256)
    square, found = np.empty(width), np.empty(width)
    for strip in range(other, other + others, width):
        wide = min(width, other + others - strip)
        found[:wide] = known if linkage == SINGLE else 0.0
        for unit in range(one, one + ones):
            if linkage == COMPLETE and (pool[-1, unit] + reach) ** 2 * ROUNDED_UP < known:
                continue
            square[:wide] = 0.0
            for j in range(0, len(pool) - 1, 4):
                # slices, because places counted from `strip` would be gone through one by one
                own_0, across_0 = pool[j, unit], pool[j, strip : strip + wide]
                own_1, across_1 = pool[j + 1, unit], pool[j + 1, strip : strip + wide]
                own_2, across_2 = pool[j + 2, unit], pool[j + 2, strip : strip + wide]
                own_3, across_3 = pool[j + 3, unit], pool[j + 3, strip : strip + wide]
                for i in range(wide):
                    apart_0, apart_1 = across_0[i] - own_0, across_1[i] - own_1
                    apart_2, apart_3 = across_2[i] - own_2, across_3[i] - own_3
                    square[i] += apart_0 * apart_0 + apart_1 * apart_1 + apart_2 * apart_2 + apart_3 * apart_3
            if linkage == AVERAGE:
                for i in range(wide):
                    found[i] += np.sqrt(square[i])
            elif linkage == SINGLE:
                for i in range(wide):
                    found[i] = min(found[i], square[i])
            else:
                for i in range(wide):
                    found[i] = max(found[i], square[i])
        for i in range(wide):
            if linkage == AVERAGE:
                known += found[i]
            elif linkage == SINGLE:
                known = min(known, found[i])
            else:
                known = max(known, found[i])
    return known


def compare_units(rows: FloatArray, one: int, other: int, linkage: int, known: float) -> float:
    """Do what :func:`compare_runs` does for a single pair of units, to the last bit.

    Most calls by far are such where a cluster grows by single units: they cost little more than two rows.

    Parameters
    ----------
    rows : (n, p) float64
        Variables, p a multiple of four (filled up with zeros).
    one, other : int
        Their rows.
    linkage, known
        As in :func:`compare_runs`.

    Examples
    --------
    >>> rows = np.array([[0.0, 1, 0, 0], [0, 4, 0, 0]])
    >>> float(compare_units(rows, 0, 1, COMPLETE, 0.0))
    9.0
    """
    square = 0.0
    for j in range(0, rows.shape[1], 4):
        apart_0, apart_1 = rows[other, j] - rows[one, j], rows[other, j + 1] - rows[one, j + 1]
        apart_2, apart_3 = rows[other, j + 2] - rows[one, j + 2], rows[other, j + 3] - rows[one, j + 3]
        square += apart_0 * apart_0 + apart_1 * apart_1 + apart_2 * apart_2 + apart_3 * apart_3
        if linkage == SINGLE and square >= known:
            return known
    if linkage == AVERAGE:
        return known + float(np.sqrt(square))
    return square if linkage == SINGLE else max(known, square)
