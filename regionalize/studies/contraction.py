"""Neighbours among some of the units, when the others join them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


def join_nearest(weights: Weights, kept: IntArray) -> IntArray:
    """Let every unit join the kept one that is fewest steps away.

    Parameters
    ----------
    weights : Weights
        n units; a link counts in both directions.
    kept : (m,) int64
        Rows of the units that others join.

    Returns
    -------
    (n,) int64
        The row each unit joins, a kept one itself; of several equally near the first. -1 where none can be
        reached.

    Examples
    --------
    >>> path = Weights.from_links(5, np.arange(4), np.arange(1, 5), kind="example")
    >>> join_nearest(path, np.array([0, 3])).tolist()
    [0, 0, 3, 3, 3]
    """
    n = len(weights)
    owner = np.full(n, -1, dtype=np.int64)
    owner[kept] = kept
    here = np.concatenate([weights.row, weights.indices])
    there = np.concatenate([weights.indices, weights.row])
    while True:  # one step farther each time
        open_ = owner[here] < 0
        here, there = here[open_], there[open_]
        reached = owner[there] >= 0
        if not reached.any():
            return owner
        first = np.full(n, n)
        np.minimum.at(first, here[reached], owner[there[reached]])
        owner = np.where(first < n, first, owner)


def contract(weights: Weights, kept: IntArray) -> tuple[IntArray, Weights]:
    """Merge every unit into the kept one it joins, so that what hung together still does.

    Parameters
    ----------
    weights : Weights
        n units.
    kept : (m,) int64
        Rows of the units that stay.

    Returns
    -------
    owner : (n,) int64
        As `join_nearest` returns it.
    contracted : Weights
        Of n rows: two kept units are neighbours if a unit of the one is a neighbour of a unit of the other.
        The rows of the others have no neighbours.

    Examples
    --------
    >>> path = Weights.from_links(4, np.arange(3), np.arange(1, 4), kind="example")
    >>> contracted = contract(path, np.array([0, 3]))[1]
    >>> contracted.row.tolist(), contracted.indices.tolist()
    ([0], [3])
    """
    owner = join_nearest(weights, kept)
    row, neighbor = owner[weights.row], owner[weights.indices]
    linked = row >= 0  # then its neighbour has been reached, too
    return owner, Weights.from_links(len(weights), row[linked], neighbor[linked], kind=weights.kind)
