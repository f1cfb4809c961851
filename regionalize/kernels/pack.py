"""As many regions as lower bounds allow: two at a time are packed anew along a random tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.draws import draw
from regionalize.kernels.random_trees import Tree, gather, grow, room_for_tree
from regionalize.kernels.regions import EXACT, Graph, Limits, Units, missed_by

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def close(found: int, units: Units, limits: Limits, tree: Tree) -> int:
    """Close regions from the leaves of a tree up, each as soon as it holds enough; return how many.

    `size` becomes the number of each position's region, 0, 1, … What is left at the root goes to a region
    that hangs on it, so that all slack lies together. 0 if the whole tree holds too little.
    """
    bounds = units.amount.shape[1]
    for position in range(found):
        unit = tree.members[tree.order[position]]
        tree.size[position] = -1
        for bound in range(bounds):
            tree.under[position, bound] = units.amount[unit, bound]
    closed = 0
    for position in range(found - 1, -1, -1):
        enough = True
        for bound in range(bounds):
            enough = enough and missed_by(tree.under[position, bound], limits.lower[bound], np.inf) == 0.0
        if enough:
            tree.size[position] = closed
            closed += 1
        elif position > 0:
            for bound in range(bounds):
                tree.under[tree.parent[position], bound] += tree.under[position, bound]
    if closed == 0:
        return 0
    if tree.size[0] < 0:  # the root and what is open with it join the last region closed: it hangs on them
        last = 0
        while tree.size[last] != closed - 1:
            last += 1
        tree.size[0] = closed - 1
        for bound in range(bounds):
            tree.under[last, bound] += tree.under[0, bound]
            tree.under[0, bound] = tree.under[last, bound]
    for position in range(1, found):
        if tree.size[position] < 0:
            tree.size[position] = tree.size[tree.parent[position]]
    return closed


def too_much(found: int, a: int, b: int, labels: IntArray, units: Units, limits: Limits, tree: Tree) -> float:
    """Sum what regions a and b, which are the members, hold above the upper bounds."""
    total = 0.0
    for bound in range(units.amount.shape[1]):
        if limits.upper[bound] < np.inf:
            held, other = 0.0, 0.0
            for member in range(found):
                unit = tree.members[member]
                if labels[unit] == a:
                    held += units.amount[unit, bound]
                else:
                    other += units.amount[unit, bound]
            total += missed_by(held, 0.0, limits.upper[bound]) + missed_by(other, 0.0, limits.upper[bound])
    return total


def pack(
    labels: IntArray,
    count: int,
    most: int,
    state: IntArray,
    moves: int,
    units: Units,
    graph: Graph,
    limits: Limits,
) -> int:
    """Make more regions that all keep the bounds out of those there are.

    A move takes the regions of two neighbours drawn, or the one that both are of, grows a random tree over
    them, and closes regions along it. It is kept if they are no fewer than before, nor larger in excess of
    upper bounds.

    Parameters
    ----------
    labels : (n,) int64
        Regions 0 … count - 1, each connected; changed in place.
    count : int
        Number of regions.
    most : int
        Stop when there are as many.
    state : (2,) int64
        Of the random numbers.
    moves : int
        How many to make.
    units, graph, limits
        What is grouped; only amounts and lower and upper bounds matter.

    Returns
    -------
    int
        Number of regions.

    Examples
    --------
    A path of six units, two to a region.

    >>> units = Units(np.zeros((6, 1)), np.ones((6, 1)), np.zeros(6, dtype=bool))
    >>> graph = Graph(np.array([0, 1, 3, 5, 7, 9, 10]), np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 4]))
    >>> limits = Limits(np.array([2.0]), np.array([np.inf]), 1.0)
    >>> labels = np.zeros(6, dtype=np.int64)
    >>> pack(labels, 1, 3, np.array([1, 2]), 100, units, graph, limits)
    3
    """
    n, bounds = len(labels), units.amount.shape[1]
    tree = room_for_tree(units, graph)
    for _ in range(moves):
        if count == most:
            break
        unit = int(draw(state) * n)
        a = b = labels[unit]
        degree = graph.indptr[unit + 1] - graph.indptr[unit]
        if degree > 0:
            b = labels[graph.indices[graph.indptr[unit] + int(draw(state) * degree)]]
        found = gather(unit, a, b, labels, graph, tree)
        grow(found, graph, tree, state)
        for member in range(found):
            tree.place[tree.members[member]] = -1
        excess = too_much(found, a, b, labels, units, limits, tree)
        closed = close(found, units, limits, tree)
        before = 1 if a == b else 2
        fits = closed >= before and count + closed - before <= most
        for position in range(found):
            if position == 0 or tree.size[position] != tree.size[tree.parent[position]]:
                for bound in range(bounds):
                    excess -= missed_by(tree.under[position, bound], 0.0, limits.upper[bound])
        if not fits or excess < -EXACT:
            continue
        for position in range(found):
            region = tree.size[position]
            name = count + region - before
            if region == 0:
                name = a
            elif region == 1 and before == 2:
                name = b
            labels[tree.members[tree.order[position]]] = name
        count += closed - before
    return count
