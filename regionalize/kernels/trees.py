"""Spanning forests, and their units in an order in which every subtree is one run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.components import find_root

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def spanning_forest(first: IntArray, second: IntArray, n: int) -> BoolArray:
    """Choose the links that join two trees, in the order given (Kruskal 1956).

    Parameters
    ----------
    first, second : (m,) int64
        Ends of each link, the best link first.
    n : int
        Number of units.

    Returns
    -------
    (m,) bool
        Whether each link is of the forest.

    Examples
    --------
    >>> spanning_forest(np.array([0, 1, 0]), np.array([1, 2, 2]), 4).tolist()
    [True, True, False]
    """
    parent = np.arange(n)
    chosen = np.zeros(len(first), dtype=np.bool_)
    for link in range(len(first)):
        a, b = find_root(first[link], parent), find_root(second[link], parent)
        if a != b:
            parent[max(a, b)] = min(a, b)
            chosen[link] = True
    return chosen


def lay_out(indptr: IntArray, indices: IntArray) -> tuple[IntArray, IntArray]:
    """Put a forest's units in an order in which every subtree is one run.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Unit i's neighbours in the forest are ``indices[indptr[i]:indptr[i + 1]]``, both ways.
    indices : (m,) int64
        Neighbours.

    Returns
    -------
    units : (n,) int64
        Tree after tree, each from its first unit, parents before children.
    size : (n,) int64
        Units in the subtree below and with each of `units`.

    Examples
    --------
    The tree 1 - 0 - 2 and unit 3 alone.

    >>> [found.tolist() for found in lay_out(np.array([0, 2, 3, 4, 4]), np.array([1, 2, 0, 0]))]
    [[0, 2, 1, 3], [3, 1, 1, 1]]
    """
    n = len(indptr) - 1
    units = np.empty(n, dtype=np.int64)
    above = np.full(n, -1)  # position of each unit's parent in the order
    seen = np.zeros(n, dtype=np.bool_)
    waiting = np.empty(n, dtype=np.int64)
    placed = 0
    for root in range(n):
        if seen[root]:
            continue
        seen[root] = True
        waiting[0] = root
        count = 1
        while count > 0:
            count -= 1
            unit = waiting[count]
            units[placed] = unit
            for link in range(indptr[unit], indptr[unit + 1]):
                other = indices[link]
                if not seen[other]:
                    seen[other] = True
                    above[other] = placed
                    waiting[count] = other
                    count += 1
            placed += 1
    size = np.ones(n, dtype=np.int64)
    for place in range(n - 1, -1, -1):
        if above[units[place]] >= 0:
            size[above[units[place]]] += size[place]
    return units, size


def room_in_subtrees(size: IntArray, amount: FloatArray, least: FloatArray) -> tuple[IntArray, IntArray]:
    """Count the regions that fit below every link of a tree, and in the rest of the tree.

    From the leaves up, a subtree is closed as a region as soon as it holds enough; with one bound no other
    way makes more regions.

    Parameters
    ----------
    size : (m,) int64
        The tree, laid out (`lay_out`).
    amount : (m, b) float64
        What each unit adds to b bounds.
    least : (b,) float64
        What a region must hold of each.

    Returns
    -------
    inside, outside : (m,) int64
        Regions in each subtree, and in the tree without it (0 for the whole tree).

    Examples
    --------
    A path of four units, two to a region.

    >>> size, ones = np.array([4, 3, 2, 1]), np.ones((4, 1))
    >>> [found.tolist() for found in room_in_subtrees(size, ones, np.array([2.0]))]
    [[2, 1, 1, 0], [0, 0, 1, 1]]
    """
    m, b = amount.shape
    parent = np.full(m, -1)
    for place in range(1, m):
        above = place - 1
        while above + size[above] <= place:
            above = parent[above]
        parent[place] = above
    open_inside, open_outside = amount.copy(), np.zeros((m, b))  # what is not yet of a closed region
    inside, outside = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    whole, below = np.zeros((m, b)), np.zeros(m, dtype=np.int64)  # the same before a unit's own is closed
    for place in range(m - 1, -1, -1):
        below[place] = inside[place]
        enough = True
        for bound in range(b):
            whole[place, bound] = open_inside[place, bound]
            enough = enough and open_inside[place, bound] >= least[bound]
        if enough:
            inside[place] += 1
            open_inside[place] = 0
        if place > 0:
            inside[parent[place]] += inside[place]
            for bound in range(b):
                open_inside[parent[place], bound] += open_inside[place, bound]
    for place in range(1, m):
        above = parent[place]
        outside[place] = below[above] - inside[place] + outside[above]
        enough = True
        for bound in range(b):
            open_outside[place, bound] = (
                whole[above, bound] - open_inside[place, bound] + open_outside[above, bound]
            )
            enough = enough and open_outside[place, bound] >= least[bound]
        if enough:
            outside[place] += 1
            open_outside[place] = 0
    return inside, outside
