"""Medoids: units that stand for clusters, exchanged for others as long as that brings units nearer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BLOCK = 512
"""Units whose distances are held at once: few enough for the nearest cache."""


def sum_differences(
    columns: FloatArray, point: FloatArray, squared: bool, first: int, out: FloatArray
) -> None:
    """Sum up the differences of a point from the units `first`, `first` + 1, …, and write them into `out`.

    Four variables are taken at a time, and slices begin at the block: a compiler makes vectors of such loops.

    Parameters
    ----------
    columns : (p, n) float64
        The data, a variable per row: where the innermost loop is over units.
    point : (p,) float64
        From where.
    squared : bool
        Sums of squared differences, the squares of Euclidean distances; Manhattan distances otherwise.
    first : int
        First unit.
    out : (m,) float64
        Filled with as many sums as it holds.

    Examples
    --------
    >>> out = np.empty(2)
    >>> sum_differences(np.array([[0.0, 3.0, 6.0], [0.0, 4.0, 8.0]]), np.zeros(2), True, 1, out)
    >>> out.tolist()
    [25.0, 100.0]
    """
    p, m = len(columns), len(out)
    last = first + m
    for unit in range(m):
        out[unit] = 0.0
    variable = 0
    while variable + 4 <= p:
        x0, x1, x2, x3 = point[variable], point[variable + 1], point[variable + 2], point[variable + 3]
        row0, row1 = columns[variable, first:last], columns[variable + 1, first:last]
        row2, row3 = columns[variable + 2, first:last], columns[variable + 3, first:last]
        if squared:
            for unit in range(m):
                d0, d1, d2, d3 = row0[unit] - x0, row1[unit] - x1, row2[unit] - x2, row3[unit] - x3
                out[unit] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        else:
            for unit in range(m):
                d0, d1, d2, d3 = row0[unit] - x0, row1[unit] - x1, row2[unit] - x2, row3[unit] - x3
                out[unit] += (abs(d0) + abs(d1)) + (abs(d2) + abs(d3))
        variable += 4
    while variable < p:
        x0, row0 = point[variable], columns[variable, first:last]
        if squared:
            for unit in range(m):
                d0 = row0[unit] - x0
                out[unit] += d0 * d0
        else:
            for unit in range(m):
                out[unit] += abs(row0[unit] - x0)
        variable += 1


def distances_from(
    columns: FloatArray, point: FloatArray, euclidean: bool, first: int, out: FloatArray
) -> None:
    """Write the distances of a point to the units `first`, `first` + 1, … into `out`.

    Parameters
    ----------
    columns, point, first, out
        As in `sum_differences`.
    euclidean : bool
        Euclidean distances, not squared; Manhattan distances otherwise.

    Examples
    --------
    >>> out = np.empty(2)
    >>> distances_from(np.array([[0.0, 3.0, 6.0], [0.0, 4.0, 8.0]]), np.zeros(2), True, 1, out)
    >>> out.tolist()
    [5.0, 10.0]
    """
    sum_differences(columns, point, euclidean, first, out)
    if euclidean:
        out[:] = np.sqrt(out)


def rank_medoids(
    table: FloatArray,
    unit: int,
    first: IntArray,
    second: IntArray,
    nearest: FloatArray,
    further: FloatArray,
) -> None:
    """Find the nearest and the second nearest medoid of a unit; of equally near ones the first.

    Parameters
    ----------
    table : (k, n) float64
        Distances of every medoid to every unit; k is at least 2.
    unit : int
        Which unit.
    first, second : (n,) int64
        Places of the two medoids among the k; those of the unit are written.
    nearest, further : (n,) float64
        Their distances; likewise.

    Examples
    --------
    >>> first, second, nearest, further = np.zeros(1, int), np.zeros(1, int), np.zeros(1), np.zeros(1)
    >>> rank_medoids(np.array([[3.0], [1.0], [2.0]]), 0, first, second, nearest, further)
    >>> int(first[0]), int(second[0]), float(nearest[0]), float(further[0])
    (1, 2, 1.0, 2.0)
    """
    one, two = 0, -1
    for place in range(1, len(table)):
        distance = table[place, unit]
        if distance < table[one, unit]:
            one, two = place, one
        elif two < 0 or distance < table[two, unit]:
            two = place
    first[unit], second[unit] = one, two
    nearest[unit], further[unit] = table[one, unit], table[two, unit]


def search_swaps(
    columns: FloatArray, medoids: IntArray, candidates: IntArray, euclidean: bool, least: float
) -> float:
    """Let candidates take the places of medoids until none of them brings units nearer.

    FasterPAM (Schubert and Rousseeuw 2021). The nearest and second nearest medoid of every unit are kept, and
    with them what it would cost to take each medoid away. One pass over the units then tells what a candidate
    changes in the place of *every* medoid, and where that is a gain, it takes the best place at once.

    Distances are computed anew in every pass: for some dozen variables that is about as fast as reading them
    from a table, and memory stays linear in n.

    Parameters
    ----------
    columns : (p, n) float64
        The data, a variable per row.
    medoids : (k,) int64
        Different units, at least 2; updated.
    candidates : (m,) int64
        Units that may become medoids, in the order in which they are tried.
    euclidean : bool
        Euclidean distances; Manhattan distances otherwise.
    least : float
        Not negative: a gain not above it is taken for rounding.

    Returns
    -------
    float
        Sum of the distances of all units to their nearest medoid.

    References
    ----------
    Schubert and Rousseeuw (2021), Fast and eager k-medoids clustering.

    Examples
    --------
    >>> medoids = np.array([0, 1])
    >>> float(search_swaps(np.array([[0.0, 1.0, 2.0, 9.0, 10.0]]), medoids, np.arange(5), False, 1e-12))
    3.0
    >>> sorted(medoids.tolist())
    [1, 3]
    """
    n, k = columns.shape[1], len(medoids)
    table = np.empty((k, n))
    first, second = np.zeros(n, np.int64), np.zeros(n, np.int64)
    nearest, further, limit = np.empty(n), np.empty(n), np.empty(n)
    taken = np.zeros(n, np.bool_)
    change, removal = np.empty(k), np.zeros(k)
    sums, near_ones = np.empty(BLOCK), np.empty(BLOCK, np.int64)
    for place in range(k):
        taken[medoids[place]] = True
        distances_from(columns, columns[:, medoids[place]].copy(), euclidean, 0, table[place])
    for unit in range(n):
        rank_medoids(table, unit, first, second, nearest, further)
        removal[first[unit]] += further[unit] - nearest[unit]
        limit[unit] = further[unit] * further[unit] if euclidean else further[unit]
    at, tried = 0, 0
    while tried < len(candidates):
        candidate = candidates[at]
        at = at + 1 if at + 1 < len(candidates) else 0
        tried += 1
        if taken[candidate]:
            continue
        point = columns[:, candidate].copy()
        change[:] = removal
        gain = 0.0
        for start in range(0, n, BLOCK):
            end = min(start + BLOCK, n)
            summed, most = sums[: end - start], limit[start:end]
            sum_differences(columns, point, euclidean, start, summed)
            # most units are farther than their second medoid, and nothing to a candidate: sifted without a
            # branch, which nobody could foretell
            count = 0
            for unit in range(end - start):
                near_ones[count] = unit
                count += summed[unit] < most[unit]
            near, far, own = nearest[start:end], further[start:end], first[start:end]
            for one in range(count):
                near_one = near_ones[one]
                distance = np.sqrt(summed[near_one]) if euclidean else summed[near_one]
                nearer = min(distance - near[near_one], 0.0)  # it goes there, whichever medoid leaves
                gain += nearer
                change[own[near_one]] += distance - far[near_one] - nearer  # … or if its own medoid leaves
        place = int(change.argmin())
        if change[place] + gain >= -least:
            continue
        taken[medoids[place]] = False
        taken[candidate] = True
        medoids[place] = candidate
        row = table[place]
        distances_from(columns, point, euclidean, 0, row)
        removal[:] = 0.0
        for unit in range(n):
            if first[unit] == place or second[unit] == place or row[unit] < further[unit]:
                rank_medoids(table, unit, first, second, nearest, further)
                limit[unit] = further[unit] * further[unit] if euclidean else further[unit]
            removal[first[unit]] += further[unit] - nearest[unit]
        tried = 0
    return float(nearest.sum())


def find_central_unit(
    columns: FloatArray, order: IntArray, euclidean: bool, slack: float, most: int
) -> tuple[int, float, bool]:
    """Find the unit with the least summed distance to all others, without measuring most of them.

    By the triangle inequality, units at a distance d from a measured one cannot have a sum that differs from
    its by more than n d (Newling and Fleuret 2017): whoever cannot be below the least so far is passed over.

    Parameters
    ----------
    columns : (p, n) float64
        The data, a variable per row.
    order : (n,) int64
        In which order units are measured: good ones first spare most of the others.
    euclidean : bool
        Euclidean distances; Manhattan distances otherwise.
    slack : float
        Relative rounding allowed before a unit is passed over.
    most : int
        Most units measured, at least 1.

    Returns
    -------
    unit : int
        Of equal ones the first row.
    total : float
        Its summed distance.
    exact : bool
        False when units were left that could have been better.

    References
    ----------
    Newling and Fleuret (2017), A sub-quadratic exact medoid algorithm.

    Examples
    --------
    >>> columns = np.array([[0.0, 1.0, 2.0, 9.0]])
    >>> unit, total, exact = find_central_unit(columns, np.arange(4), False, 0.0, 4)
    >>> int(unit), float(total), bool(exact)
    (1, 10.0, True)
    """
    n = columns.shape[1]
    row, bound = np.empty(n), np.zeros(n)
    best, least, measured = -1, np.inf, 0
    for unit in order:
        if bound[unit] > least * (1.0 + slack):
            continue
        if measured == most:
            return best, least, False
        measured += 1
        distances_from(columns, columns[:, unit].copy(), euclidean, 0, row)
        total = row.sum()
        if total < least or (total == least and unit < best):
            best, least = unit, total
        for other in range(n):
            bound[other] = max(bound[other], abs(total - n * row[other]))
    return best, least, True
