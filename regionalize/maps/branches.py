"""What of a hierarchy fits on a page: its last joins, the leaves they start from, and where each is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAVES = 40
"""Branches that are drawn where no more are asked for …"""
MOST_LEAVES = 200
"""… and the most that fit on a page."""
LEAST_STEP = 0.003
"""Share of the axis by which each join is drawn above the one before, at least."""


@dataclass(frozen=True)
class Leaf:
    """A branch whose own joins are not drawn.

    Attributes
    ----------
    node : int
        Its node: a unit's row number, or n + i for join i.
    units : int
        Units below it.
    height : float
        Of its last join; 0 for a unit.
    cluster : int
        Cluster, from 1 by falling size as on the map; 0 where it holds several.
    """

    node: int
    units: int
    height: float
    cluster: int


@dataclass(frozen=True)
class Join:
    """Two branches that meet.

    Attributes
    ----------
    low, high : float
        Places of the two, in leaves from the first.
    low_height, high_height : float
        Heights at which the two begin.
    height : float
        Where they meet.
    cluster : int
        Cluster that both are of; 0 above the cut.
    """

    low: float
    high: float
    low_height: float
    high_height: float
    height: float
    cluster: int


@dataclass(frozen=True)
class Stem:
    """The top of a cluster, as far as the cut.

    Attributes
    ----------
    place : float
        In leaves from the first.
    begin, end : float
        Heights.
    cluster : int
        Its cluster.
    """

    place: float
    begin: float
    end: float
    cluster: int


@dataclass(frozen=True)
class Branches:
    """Everything to be drawn.

    Attributes
    ----------
    leaves : list of Leaf
        In their order on the page; those of a cluster, and of a component, side by side.
    joins : list of Join
        In the order in which they were made.
    stems : list of Stem
        One for each cluster, where the cut is drawn.
    cut : float or None
        A height that crosses as many branches as there are clusters; None where the joins it would have to
        go through are not drawn.
    sizes : list of int
        Units of cluster 1, 2, …
    falling : int
        Drawn joins of clusters less different than those of a join before.
    left_out : int
        Components that are not drawn.
    """

    leaves: list[Leaf]
    joins: list[Join]
    stems: list[Stem]
    cut: float | None
    sizes: list[int]
    falling: int
    left_out: int


def select_branches(merges: FloatArray, n: int, k: int) -> Branches:
    """Choose the last joins of a hierarchy and place them.

    Joins are drawn in their order, each a little above the one before at least, whether it is higher or not:
    so a branch never runs backwards, and a straight line cuts any number of clusters off.

    Parameters
    ----------
    merges : (m, 3) float64
        Two nodes and a height of each join, as `regionalize.model.findings.Findings` has them.
    n : int
        Units.
    k : int
        Clusters, at least n - m.

    Examples
    --------
    >>> found = select_branches(np.array([[0.0, 1, 1], [2, 3, 4]]), 3, 2)
    >>> [leaf.node for leaf in found.leaves], [leaf.cluster for leaf in found.leaves], found.cut
    ([0, 1, 2], [1, 1, 2], 2.5)
    """
    pairs, height = merges[:, :2].astype(np.int64), merges[:, 2]
    m, roots = len(merges), n - len(merges)
    count, first = _measure(pairs, n)
    shown = min(max(LEAVES, k), n, max(MOST_LEAVES, roots))
    start = n - shown  # the first join that is drawn
    step = LEAST_STEP * (float(height.max()) or 1.0)
    drawn = np.maximum.accumulate(height)
    falling = int((height[start + 1 :] < drawn[start:-1]).sum()) if start < m else 0
    before = float(drawn[start - 1]) if start else 0.0
    for join in range(start, m):
        before = drawn[join] = max(float(height[join]), before + step)

    above = np.full(n + m, -1)
    above[pairs.ravel()] = n + np.repeat(np.arange(m), 2)
    of_cluster, whole, sizes = _clusters(above, count, first, n, k)
    below = float(drawn[n - k - 1]) if k < n else 0.0
    cut = None
    if k == roots:
        cut = below * 1.03
    elif k <= shown:
        cut = (below + float(drawn[n - k])) / 2

    tops = np.flatnonzero(above < 0)
    tops = tops[np.lexsort((first[tops], -count[tops]))]
    leaves: list[Leaf] = []
    place, gone = np.zeros(n + m), np.zeros(n + m, dtype=bool)
    for top in tops.tolist():
        waiting, ours = [top], []
        while waiting:
            node = waiting.pop()
            if node < n + start:
                ours.append(node)
            else:  # the larger branch first
                low, high = sorted(pairs[node - n].tolist(), key=lambda one: (-count[one], first[one]))
                waiting += [high, low]
        if leaves and len(leaves) + len(ours) > MOST_LEAVES:
            gone[top] = True
            continue
        for node in ours:
            place[node] = len(leaves)
            own = float(drawn[node - n]) if node >= n else 0.0
            leaves.append(Leaf(node, int(count[node]), own, int(of_cluster[node])))

    left_out, joins = int(gone.sum()), []
    for node in range(n + m - 1, n - 1, -1):
        gone[pairs[node - n]] |= gone[node]
    stems = []
    starts = np.concatenate([np.zeros(n), drawn])
    if cut is not None:
        starts[whole] = cut
    for join in range(start, m):
        if gone[n + join]:
            continue
        low, high = sorted(pairs[join].tolist(), key=lambda one: place[one])
        place[n + join] = (place[low] + place[high]) / 2
        joins.append(
            Join(
                float(place[low]),
                float(place[high]),
                float(starts[low]),
                float(starts[high]),
                float(drawn[join]),
                int(of_cluster[n + join]),
            )
        )
    for node in whole[~gone[whole]].tolist() if cut is not None else ():
        begin = float(drawn[node - n]) if node >= n else 0.0
        stems.append(Stem(float(place[node]), begin, float(starts[node]), int(of_cluster[node])))
    return Branches(leaves, joins, stems, cut, sizes, falling, left_out)


def _measure(pairs: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Count the units of every node (n + m,), and find their first."""
    count, first = [1] * n, list(range(n))
    for a, b in pairs.tolist():
        count.append(count[a] + count[b])
        first.append(min(first[a], first[b]))
    return np.array(count), np.array(first)


def _clusters(
    above: IntArray, count: IntArray, first: IntArray, n: int, k: int
) -> tuple[IntArray, IntArray, list[int]]:
    """Give every node the cluster it is of (0: of several); and the nodes that are clusters, and their sizes.

    Clusters are numbered by falling size.
    """
    made = n + (n - k)  # nodes when there were k
    tops = np.flatnonzero((above[:made] < 0) | (above[:made] >= made))
    tops = tops[np.lexsort((first[tops], -count[tops]))]
    of_cluster = np.zeros(len(above), dtype=np.int64)
    of_cluster[tops] = np.arange(1, k + 1)
    for node in range(made - 1, -1, -1):
        if not of_cluster[node]:
            of_cluster[node] = of_cluster[above[node]]
    return of_cluster, tops, count[tops].tolist()
