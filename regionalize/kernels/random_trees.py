"""Random spanning trees over the units of a region or two, and where to cut them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.draws import draw
from regionalize.kernels.regions import Graph, Limits, Units, missed_by

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ANY_CUT = 0.1
"""Share of the moves that cut the tree anywhere: where trees are few, the best cut is always the same."""


class Tree(NamedTuple):
    """Room for a random tree over some units, its members, and sums over its subtrees.

    `members` lists units, `place` tells where each stands (-1 elsewhere); `order` lists places as they join,
    `parent` the position in it that each hangs on; `below`, `under`, `size` and `fixed` (of two regions) sum
    over what hangs on each position, itself included.
    """

    members: IntArray
    place: IntArray
    order: IntArray
    parent: IntArray
    joined: BoolArray
    edge_from: IntArray
    edge_to: IntArray
    below: FloatArray
    under: FloatArray
    size: IntArray
    fixed: IntArray


def room_for_tree(units: Units, graph: Graph) -> Tree:
    """Make room for a tree over all units."""
    n, p = units.X.shape
    return Tree(
        np.empty(n, dtype=np.int64),
        np.full(n, -1),
        np.empty(n, dtype=np.int64),
        np.empty(n, dtype=np.int64),
        np.empty(n, dtype=np.bool_),
        np.empty(len(graph.indices), dtype=np.int64),
        np.empty(len(graph.indices), dtype=np.int64),
        np.empty((n, p)),
        np.empty((n, units.amount.shape[1])),
        np.empty(n, dtype=np.int64),
        np.empty((n, 2), dtype=np.int64),
    )


def gather(start: int, a: int, b: int, labels: IntArray, graph: Graph, tree: Tree) -> int:
    """List the units of regions a and b, adjacent or the same, from one of them on."""
    tree.members[0] = start
    tree.place[start] = 0
    found, seen = 1, 0
    while seen < found:
        unit = tree.members[seen]
        seen += 1
        for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
            other = graph.indices[link]
            if tree.place[other] < 0 and (labels[other] == a or labels[other] == b):
                tree.place[other] = found
                tree.members[found] = other
                found += 1
    return found


def grow(found: int, graph: Graph, tree: Tree, state: IntArray) -> None:
    """Grow a spanning tree of the members, each time by a link drawn among those that lead out of it.

    Trees along like units, as SKATER's, were tried: they vary less, and the search found less.
    """
    for member in range(found):
        tree.joined[member] = False
    newest = int(draw(state) * found)
    tree.joined[newest] = True
    tree.order[0], tree.parent[0] = newest, -1
    grown, edges = 1, 0
    while grown < found:
        unit = tree.members[newest]
        for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
            other = tree.place[graph.indices[link]]
            if other >= 0 and not tree.joined[other]:
                tree.edge_from[edges], tree.edge_to[edges] = grown - 1, other
                edges += 1
        above = -1
        while above < 0:
            chosen = int(draw(state) * edges)
            newest = tree.edge_to[chosen]
            if not tree.joined[newest]:
                above = tree.edge_from[chosen]
            edges -= 1
            tree.edge_from[chosen], tree.edge_to[chosen] = tree.edge_from[edges], tree.edge_to[edges]
        tree.joined[newest] = True
        tree.order[grown], tree.parent[grown] = newest, above
        grown += 1


def sum_subtrees(found: int, a: int, b: int, labels: IntArray, units: Units, tree: Tree) -> None:
    """Sum variables, amounts, units and fixed units over all subtrees."""
    for position in range(found):
        unit = tree.members[tree.order[position]]
        for variable in range(units.X.shape[1]):
            tree.below[position, variable] = units.X[unit, variable]
        for bound in range(units.amount.shape[1]):
            tree.under[position, bound] = units.amount[unit, bound]
        tree.size[position] = 1
        tree.fixed[position, 0] = int(units.fixed[unit] and labels[unit] == a)
        tree.fixed[position, 1] = int(units.fixed[unit] and labels[unit] == b and a != b)
    for position in range(found - 1, 0, -1):
        above = tree.parent[position]
        for variable in range(units.X.shape[1]):
            tree.below[above, variable] += tree.below[position, variable]
        for bound in range(units.amount.shape[1]):
            tree.under[above, bound] += tree.under[position, bound]
        tree.size[above] += tree.size[position]
        tree.fixed[above, 0] += tree.fixed[position, 0]
        tree.fixed[above, 1] += tree.fixed[position, 1]


def choose_cut(found: int, tree: Tree, limits: Limits, state: IntArray) -> int:
    """Return the position whose subtree is best cut off, seldom any; -1 if fixed units allow none.

    Fixed units of one region stay on one side, those of two regions on two.
    """
    best, least = -1, np.inf
    anywhere = draw(state) < ANY_CUT
    seen = 0
    all_first, all_second = tree.fixed[0, 0], tree.fixed[0, 1]
    for position in range(1, found):
        first, second = tree.fixed[position, 0], tree.fixed[position, 1]
        if (first not in (0, all_first)) or (second not in (0, all_second)):
            continue
        if all_first > 0 and all_second > 0 and (first > 0) == (second > 0):
            continue
        if anywhere:
            seen += 1
            if draw(state) * seen < 1.0:
                best = position
            continue
        inside, outside, short = 0.0, 0.0, 0.0
        for variable in range(tree.below.shape[1]):
            own = tree.below[position, variable]
            rest = tree.below[0, variable] - own
            inside += own * own
            outside += rest * rest
        for bound in range(tree.under.shape[1]):
            own = tree.under[position, bound]
            rest = tree.under[0, bound] - own
            short += missed_by(own, limits.lower[bound], limits.upper[bound])
            short += missed_by(rest, limits.lower[bound], limits.upper[bound])
        size = tree.size[position]
        cost = limits.penalty * short - inside / size - outside / (found - size)
        if cost < least:
            best, least = position, cost
    return best
