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
"""Share of the axis by which a join that is no higher than one before is drawn above it, …"""
MOST_RAISED = 0.03
"""… and the most for all of them together: they share it where they are many."""


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
    held : list of float
        Heights of all its joins, none for a unit.
    """

    node: int
    units: int
    height: float
    cluster: int
    held: list[float]


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
    own : float or None
        How different the two are, where that is less than some joined before, and so less than `height`.
    """

    low: float
    high: float
    low_height: float
    high_height: float
    height: float
    cluster: int
    own: float | None


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
    beyond : bool
        The cut that was asked for is too far above all joins to be drawn where it is.
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
    beyond: bool
    sizes: list[int]
    falling: int
    left_out: int


def select_branches(
    merges: FloatArray, n: int, k: int, *, cut: float | None = None, most: int | None = None
) -> Branches:
    """Choose the last joins of a hierarchy and place them.

    Joins are drawn at their heights, in their order. One that is no higher than one before is drawn a little
    above it, and so is the first above the cut where the two are as good as equal: so a branch never runs
    backwards, and a straight line cuts any number of clusters off.

    Parameters
    ----------
    merges : (m, 3) float64
        Two nodes and a height of each join, as `regionalize.model.findings.Findings` has them.
    n : int
        Units.
    k : int
        Clusters, at least n - m.
    cut : float, optional
        The height that leaves k clusters. The line is there, or as near as drawn heights allow; without it,
        halfway between two joins.
    most : int, optional
        Branches to draw, in place of `LEAVES`, but no fewer than k and no more than `MOST_LEAVES`.

    Examples
    --------
    >>> found = select_branches(np.array([[0.0, 1, 1], [2, 3, 4]]), 3, 2)
    >>> [leaf.node for leaf in found.leaves], [leaf.cluster for leaf in found.leaves], found.cut
    ([0, 1, 2], [1, 1, 2], 2.5)
    """
    pairs, height = merges[:, :2].astype(np.int64), merges[:, 2]
    m, roots = len(merges), n - len(merges)
    count, first = _measure(pairs, n)
    shown = min(max(LEAVES if most is None else most, k, roots), n, max(MOST_LEAVES, roots))
    start = n - shown  # the first join that is drawn
    drawn = np.maximum.accumulate(height)
    falls = np.zeros(m, dtype=bool)
    falls[start + 1 :] = height[start + 1 :] < drawn[start:-1]
    before = float(drawn[start - 1]) if start else 0.0
    raised = np.zeros(m, dtype=bool)
    raised[start + 1 :] = height[start + 1 :] <= drawn[start:-1]
    raised[n - k : n - k + 1] = True
    step = (float(height.max()) or 1.0) * min(LEAST_STEP, MOST_RAISED / max(int(raised.sum()), 1))
    for join in range(start, m):
        least = before + (step if raised[join] else step / 1000)
        before = drawn[join] = max(float(height[join]), least)

    above = np.full(n + m, -1)
    above[pairs.ravel()] = n + np.repeat(np.arange(m), 2)
    of_cluster, whole, sizes = _clusters(above, count, first, n, k)
    below = float(drawn[n - k - 1]) if k < n else 0.0
    line = None
    if k == roots:
        line = float(np.clip(below if cut is None else cut, below * 1.03, below * 1.25))
    elif k <= shown:
        line = _between(below, float(drawn[n - k]), cut)

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
            held = _held(node, pairs, drawn, n)
            leaves.append(Leaf(node, int(count[node]), max(held, default=0.0), int(of_cluster[node]), held))

    left_out, joins = int(gone.sum()), []
    for node in range(n + m - 1, n - 1, -1):
        gone[pairs[node - n]] |= gone[node]
    stems = []
    starts = np.concatenate([np.zeros(n), drawn])
    if line is not None:
        starts[whole] = line
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
                float(height[join]) if falls[join] else None,
            )
        )
    for node in whole[~gone[whole]].tolist() if line is not None else ():
        begin = float(drawn[node - n]) if node >= n else 0.0
        stems.append(Stem(float(place[node]), begin, float(starts[node]), int(of_cluster[node])))
    beyond = k == roots and cut is not None and line is not None and cut > line
    return Branches(leaves, joins, stems, line, beyond, sizes, int(falls.sum()), left_out)


def _between(low: float, high: float, wanted: float | None) -> float:
    """Return a height between two joins: halfway, or the one that is wanted, but not at the very joins."""
    if wanted is None:
        return (low + high) / 2
    margin = (high - low) / 20
    return float(np.clip(wanted, low + margin, high - margin))


def _held(node: int, pairs: IntArray, drawn: FloatArray, n: int) -> list[float]:
    """List the heights of all joins below a node, its own among them."""
    found, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        if node >= n:
            found.append(float(drawn[node - n]))
            waiting += pairs[node - n].tolist()
    return found


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
