"""Merge the fragments of clusters into their neighbours until every cluster is one piece."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def merge_fragments(
    indptr: IntArray,
    indices: IntArray,
    piece: IntArray,
    cluster: IntArray,
    core: IntArray,
    component: IntArray,
) -> IntArray:
    """Merge every piece that is not the core of its cluster into a neighbouring piece.

    Single units inside another cluster go first. Then, turn by turn, of the clusters that have a fragment of
    the least size there is, the one with the smallest core gives away all its fragments of that size. A
    fragment joins the largest piece it touches, the first met where several are; a piece that outgrows the
    core of its cluster takes its place.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Unit i's neighbours are ``indices[indptr[i]:indptr[i + 1]]``, both ways.
    indices : (m,) int64
        Neighbours.
    piece : (n,) int64
        Piece 0 … q - 1 of each unit: connected units of one cluster.
    cluster : (q,) int64
        Cluster 0 … k - 1 of each piece; of two with equally small cores the lower number has its turn first.
    core : (k,) int64
        The piece that stays, of each cluster.
    component : (q,) int64
        Connected component of the graph each piece is in. Every component must hold a core; none loses its
        last one.

    Returns
    -------
    (n,) int64
        Cluster of each unit.

    Examples
    --------
    A path of five units, the fourth of another cluster and far from its core.

    >>> path = np.array([0, 1, 3, 5, 7, 8]), np.array([1, 0, 2, 1, 3, 2, 4, 3])
    >>> start = np.array([0, 1, 1, 2, 3]), np.array([0, 1, 0, 1])
    >>> merge_fragments(*path, *start, np.array([0, 1]), np.zeros(4, dtype=np.int64)).tolist()
    [0, 1, 1, 1, 1]
    """
    n, q = len(piece), len(cluster)
    own = piece.copy()
    core = core.copy()
    size = np.zeros(q, dtype=np.int64)  # 0 when a piece has gone into another
    first = np.full(q, -1)
    last = np.full(q, -1)
    following = np.full(n, -1)  # units of a piece, in the order in which they were met
    seen = np.zeros(n, dtype=np.bool_)
    for start in range(n):
        if seen[start]:
            continue
        p = own[start]
        first[p] = last[p] = start
        seen[start] = True
        unit = start
        while unit >= 0:  # from neighbour to neighbour: the list is its own queue
            size[p] += 1
            for link in range(indptr[unit], indptr[unit + 1]):
                near = indices[link]
                if own[near] == p and not seen[near]:
                    seen[near] = True
                    following[last[p]] = near
                    last[p] = near
            unit = following[unit]
    cores_in = np.zeros(q, dtype=np.int64)
    for c in range(len(core)):
        cores_in[component[core[c]]] += 1
    # size, size of the cluster's core, cluster, piece. Cores only grow, so what is out of date comes too
    # early, never too late, and is put back: a turn's fragments are then next to each other
    waiting = [(size[p], size[core[cluster[p]]], cluster[p], p) for p in range(q) if core[cluster[p]] != p]
    heapify(waiting)
    turn = [p for p in range(q) if size[p] == 1 and core[cluster[p]] != p]
    least = 1
    surrounded_only = True
    while True:
        for p in turn:
            if size[p] != least or core[cluster[p]] == p:
                continue
            target, around, surrounded = -1, -1, True
            unit = first[p]
            while unit >= 0:
                for link in range(indptr[unit], indptr[unit + 1]):
                    other = own[indices[link]]
                    if other == p:
                        continue
                    if around >= 0 and cluster[other] != around:
                        surrounded = False
                    around = cluster[other]
                    if target < 0 or size[other] > size[target]:
                        target = other
                unit = following[unit]
            if target < 0 or (surrounded_only and not surrounded):
                continue
            unit = first[p]
            while unit >= 0:
                own[unit] = target
                unit = following[unit]
            following[last[target]] = first[p]
            last[target] = last[p]
            size[target] += size[p]
            size[p] = 0
            c = cluster[target]
            old = core[c]
            if target == old:
                continue
            here, there = component[target], component[old]
            if size[target] > size[old] and (here == there or cores_in[there] > 1):
                core[c] = target
                cores_in[there] -= 1
                cores_in[here] += 1
                heappush(waiting, (size[old], size[target], c, old))
            else:
                heappush(waiting, (size[target], size[old], c, target))
        surrounded_only = False
        turn.clear()
        whose = -1
        while len(waiting) > 0:
            held, core_size, c, p = waiting[0]
            if size[p] != held or core[c] == p:
                heappop(waiting)
            elif whose >= 0 and (c != whose or held != least):
                break
            elif size[core[c]] != core_size:
                heappop(waiting)
                heappush(waiting, (held, size[core[c]], c, p))
            else:
                heappop(waiting)
                turn.append(p)
                whose, least = c, held
        if whose < 0:
            break
    return cluster[own]
