"""Into how many clusters a hierarchy falls when it is cut at a height."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SHOWN = 12
"""Rows of the table that are shown where it is read by people."""


def reached(heights: FloatArray) -> FloatArray:
    """Return the height from which on each join is part of a cluster: its own, or that of one before it.

    Two clusters may differ less than those joined before (centroid and median linkage). A cut below the
    height of the earlier join then undoes both.

    Examples
    --------
    >>> reached(np.array([1.0, 3.0, 2.5])).tolist()
    [1.0, 3.0, 3.0]
    """
    found: FloatArray = np.maximum.accumulate(heights) if len(heights) else heights
    return found


def clusters_at(heights: FloatArray, cut: float) -> int:
    """Return the number of clusters of which no two units are joined above a height.

    Examples
    --------
    >>> clusters_at(np.array([1.0, 3.0, 2.5]), 2.7), clusters_at(np.array([1.0, 3.0, 2.5]), 3.0)
    (3, 1)
    """
    return len(heights) + 1 - int(np.searchsorted(reached(heights), cut, side="right"))


def thresholds(heights: FloatArray) -> list[dict[str, Any]]:
    """List what cuts lead to how many clusters, fewest first.

    Parameters
    ----------
    heights : (n - 1,) float64
        Heights of the joins, in their order.

    Returns
    -------
    list of dict
        ``clusters``; ``from``, the least cut that gives so many; ``to``, the least that gives fewer (None for
        one cluster); ``gap``, what lies between; ``largest_gap``, true for the one row of 2 … n - 1 clusters
        with the largest. Numbers that no cut gives, because joins are equally high, are not there.

    Examples
    --------
    >>> [tuple(row.values()) for row in thresholds(np.array([1.0, 1.0, 5.0]))]
    [(1, 5.0, None, None, False), (2, 1.0, 5.0, 4.0, True), (4, 0.0, 1.0, 1.0, False)]
    """
    least, n = reached(heights), len(heights) + 1
    bottom = np.concatenate([[0.0], least])  # bottom[j] is where j joins are made
    rows: list[dict[str, Any]] = []
    for clusters in range(1, n + 1):
        joins = n - clusters
        begin = float(bottom[joins])
        end = float(least[joins]) if joins < n - 1 else None
        if end is None or end > begin:
            gap = None if end is None else end - begin
            rows.append({"clusters": clusters, "from": begin, "to": end, "gap": gap, "largest_gap": False})
    grouped = [row for row in rows if 1 < row["clusters"] < n]
    if grouped:
        max(grouped, key=lambda row: row["gap"])["largest_gap"] = True
    return rows


def nearest_the_top(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows of fewest clusters, and the one of the largest gap if it is not among them."""
    listed = list(rows)
    rest = (row for row in listed[SHOWN:] if row["largest_gap"])
    return [*listed[:SHOWN], *rest]
