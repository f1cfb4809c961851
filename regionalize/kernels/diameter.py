"""Exact diameters of connected clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

COMPILED_WORK = 500_000
"""Work from which the compiled search is used, a cluster's being its links times the root of its size:
below, plain Python ends before the compiler is loaded (0.2 s)."""

SWEEPS = 6
"""Searches from far ends and from the middle between them, before the proof starts (an even number)."""


def cluster_diameters(
    indptr: IntArray, indices: IntArray, members: IntArray, starts: IntArray, budget: int
) -> IntArray:
    """Find the longest shortest path, in steps, of each cluster.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Row pointers of the links that stay inside clusters; every link has its reverse.
    indices : (m,) int64
        Other end of each link.
    members : (u,) int64
        Rows, cluster after cluster; each cluster is connected.
    starts : (c + 1,) int64
        Cluster j is ``members[starts[j]:starts[j + 1]]``.
    budget : int
        Most links to follow, over all clusters in the order given.

    Returns
    -------
    (c,) int64
        Diameter of each cluster, -1 where the budget ran out first.

    Examples
    --------
    >>> path = np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2])
    >>> cluster_diameters(*path, np.arange(4), np.array([0, 4]), 1000).tolist()
    [3]
    """
    search = search_outwards
    sizes = np.diff(starts)
    if np.diff(indptr)[members] @ np.repeat(np.sqrt(sizes), sizes) >= COMPILED_WORK:
        from regionalize.kernels.compiler import compiled

        search = compiled(search_outwards)
    return search(indptr, indices, members, starts, budget)


def search_outwards(
    indptr: IntArray, indices: IntArray, members: IntArray, starts: IntArray, budget: int
) -> IntArray:
    """Do what :func:`cluster_diameters` does (for the compiler).

    A few breadth-first searches find far ends, hence a long path, and the middle of the cluster. The
    rest is proof that no path is longer: units are searched from the outermost inwards until twice
    the remaining radius is no longer than the path (iFUB: Crescenzi, Grossi, Habib, Lanzi and Marino
    2013). Each search also settles the units near its source: if every unit still open lies within s
    of the source, a unit within t of it reaches none of them in more than s + t steps.
    """
    n = len(indptr) - 1
    diameters = np.full(len(starts) - 1, -1, dtype=np.int64)
    distance = np.full(n, -1, dtype=np.int32)
    queue = np.empty(n, dtype=np.int64)
    settled = np.zeros(n, dtype=np.bool_)  # no path from here is longer than the longest known
    farthest = np.zeros(n, dtype=np.int32)  # distance to the farthest source so far
    total = np.zeros(n, dtype=np.int64)  # sum of distances to the sources so far
    outwards = np.empty(n, dtype=np.int64)  # units by rising distance from the middle
    radius = np.zeros(n, dtype=np.int32)  # that distance
    spent = 0
    for cluster in range(len(starts) - 1):
        first, last = starts[cluster], starts[cluster + 1]
        links = 0
        for place in range(first, last):
            links += indptr[members[place] + 1] - indptr[members[place]]
        longest = 0
        searches = 0
        outer = last - first - 1
        source = members[first]
        while True:
            spent += links
            if spent > budget:
                return diameters
            distance[source] = 0
            queue[0] = source
            head, tail = 0, 1
            while head < tail:
                unit = queue[head]
                step = distance[unit] + 1
                head += 1
                for link in range(indptr[unit], indptr[unit + 1]):
                    other = indices[link]
                    if distance[other] < 0:
                        distance[other] = step
                        queue[tail] = other
                        tail += 1
            end = queue[tail - 1]
            longest = max(longest, distance[end])
            settled[source] = True
            place = tail - 1
            while place > 0 and settled[queue[place]]:
                place -= 1
            open_within = distance[queue[place]]
            middle = source
            for place in range(tail):
                unit = queue[place]
                away = distance[unit]
                distance[unit] = -1
                if open_within + away <= longest:
                    settled[unit] = True
                if searches <= SWEEPS:
                    farthest[unit] = max(farthest[unit], away)
                    total[unit] += away
                    if farthest[unit] < farthest[middle] or (
                        farthest[unit] == farthest[middle] and total[unit] < total[middle]
                    ):
                        middle = unit
                    if searches == SWEEPS:
                        outwards[place] = unit
                        radius[unit] = away
            searches += 1
            if searches <= SWEEPS:
                source = end if searches % 2 == 1 else middle
                continue
            while outer > 0 and settled[outwards[outer]]:
                outer -= 1
            if longest >= 2 * radius[outwards[outer]]:
                diameters[cluster] = longest
                break
            source = outwards[outer]
    return diameters
