"""Join neighbouring clusters, the least different pair first, until nothing more may be joined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.components import find_root
from regionalize.kernels.heap import rise, sink
from regionalize.kernels.linkage import AVERAGE, COMPLETE, SINGLE, WARD, compare_runs, compare_units

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def agglomerate(
    values: FloatArray,
    start: IntArray,
    first: IntArray,
    second: IntArray,
    gap: FloatArray,
    count: FloatArray,
    linkage: int,
    bordering: bool,
    amount: FloatArray,
    most: FloatArray,
) -> tuple[IntArray, FloatArray, IntArray]:
    """Join the pair of neighbouring clusters that differs least, again and again.

    After a join its neighbours are those of both, and its differences from them are measured over all pairs
    of units across, neighbours or not. Between equal differences the pair with the first link wins.

    Every two units are compared at most once: what is known of two pairs of clusters is put together when
    they become one, and only what was never compared is computed. The heap holds each pair of neighbouring
    clusters once, under a key that is never above its difference; a pair that has become more different is
    put in its place only when it comes to the top.

    Parameters
    ----------
    values : (p, n) float64
        Variables of the units; those of a cluster to start from are one run of columns.
    start : (g + 1,) int64
        Where each run begins: cluster c holds the units ``start[c]`` … ``start[c + 1] - 1``.
    first, second : (m,) int64
        Pairs of neighbouring clusters, each once, the link that wins a tie first.
    gap, count : (m,) float64
        With `bordering`, the length of each pair's link (squared for Ward's linkage), and ones. Else not
        looked at.
    linkage : int
        `WARD`, `SINGLE`, `COMPLETE` or `AVERAGE`.
    bordering : bool
        Measure differences over the given links only, not over all pairs of units.
    amount : (g, b) float64
        What each cluster adds to b bounds.
    most : (b,) float64
        What no join may exceed.

    Returns
    -------
    pairs : (j, 2) int64
        Nodes joined: clusters are 0 … g - 1, and join i makes node g + i. The lower node first.
    difference : (j,) float64
        Squared for Ward's, single and complete linkage of all pairs; Ward's is twice the rise of the within
        sum of squares.
    link : (j,) int64
        The first link, in the order given, between the two.

    Examples
    --------
    Three units in a row at 0, 1 and 5; complete linkage.

    >>> values, ends, none = np.array([[0.0, 1.0, 5.0]]), np.arange(3), np.zeros(2)
    >>> bounds = np.zeros((3, 0)), np.zeros(0)
    >>> pairs, difference, link = agglomerate(
    ...     values, np.arange(4), ends[:2], ends[1:], none, none, COMPLETE, False, *bounds
    ... )
    >>> pairs.tolist(), np.sqrt(difference).tolist(), link.tolist()
    ([[0, 1], [2, 3]], [1.0, 5.0], [0, 1])
    """
    p, n = values.shape
    g, m = len(start) - 1, len(first)
    compares = linkage != WARD and not bordering  # units are compared one by one
    node = np.arange(g)
    held = amount.copy()
    size = np.empty(g, dtype=np.int64)
    center = np.zeros((g if linkage == WARD and not bordering else 0, p))
    for c in range(g):
        size[c] = start[c + 1] - start[c]
        if linkage == WARD and not bordering:
            for j in range(p):
                for unit in range(start[c], start[c + 1]):
                    center[c, j] += values[j, unit]
                center[c, j] /= size[c]

    # each cluster's units are one run of the pool, with room to grow behind it
    four = (p + 3) // 4 * 4  # variables are compared by fours, the last filled up with zeros
    pool = np.zeros((four + 1, 4 * n if compares else 0))
    begin, room = start[:-1].copy(), size.copy()
    pool_end = n
    rows = np.zeros((n if compares else 0, four))
    reach = np.zeros(g)
    if compares:
        pool[:p, :n] = values
        pool[four, :n] = np.sqrt((values**2).sum(axis=0))
        rows[:, :p] = values.T
        for c in range(g):
            reach[c] = pool[four, start[c] : start[c + 1]].max()

    # half-link h is in the list of cluster end[h]; its other half, h ^ 1, in the list of the neighbour
    end = np.empty(2 * m, dtype=np.int64)
    head = np.full(g, -1)
    after, before = np.full(2 * m, -1), np.full(2 * m, -1)
    for h in range(2 * m):
        c = first[h >> 1] if h & 1 == 0 else second[h >> 1]
        end[h] = c
        after[h] = head[c]
        if head[c] >= 0:
            before[head[c]] = h
        head[c] = h

    known = gap.copy()  # over the pairs compared: the least, the greatest or the sum
    links = count.copy()
    if compares:
        for link in range(m):
            known[link] = np.inf if linkage == SINGLE else 0.0
    difference = np.zeros(m)
    key = np.zeros(m)
    gone = np.zeros(m, dtype=np.bool_)
    heap, place = np.empty(m, dtype=np.int64), np.empty(m, dtype=np.int64)
    waiting = 0

    # links whose difference is to be computed, and the clusters to compare for it (-1: none)
    todo, left, right = np.arange(max(m, 1)), np.full(max(m, 1), -1), np.full(max(m, 1), -1)
    tasks = m
    for link in range(m):
        left[link], right[link] = first[link], second[link]
    side, half_of = np.zeros(g, dtype=np.int64), np.zeros(g, dtype=np.int64)

    pairs = np.empty((max(g - 1, 0), 2), dtype=np.int64)
    height, chosen = np.empty(max(g - 1, 0)), np.empty(max(g - 1, 0), dtype=np.int64)
    a = b = -1  # the clusters just joined, and how many units the first had alone
    alone = joins = 0
    while True:
        for task in range(tasks):
            link = todo[task]
            u, v = end[2 * link], end[2 * link + 1]
            if compares and left[task] >= 0:
                one, other = left[task], right[task]
                ones = alone if one == a else size[one]
                if ones == 1 and size[other] == 1:  # still where they started
                    known[link] = compare_units(rows, start[one], start[other], linkage, known[link])
                else:
                    known[link] = compare_runs(
                        pool,
                        begin[one],
                        ones,
                        begin[other],
                        size[other],
                        linkage,
                        known[link],
                        max(reach[one], reach[other]),
                    )
            if bordering:
                new = known[link]
                if linkage == AVERAGE:
                    new /= links[link]
                elif linkage == WARD:
                    new *= 2.0 * size[u] * size[v] / (size[u] + size[v]) / links[link]
            elif linkage == WARD:
                new = 0.0
                for j in range(p):
                    apart = center[u, j] - center[v, j]
                    new += apart * apart
                new *= 2.0 * size[u] * size[v] / (size[u] + size[v])
            elif linkage == AVERAGE:
                new = known[link] / (float(size[u]) * float(size[v]))
            else:
                new = known[link]
            difference[link] = new

            if a < 0:
                rise(key, heap, place, link, link, new)
                waiting += 1
            elif place[link] >= 0 and new < key[place[link]]:
                rise(key, heap, place, place[link], link, new)

        if a >= 0 and compares:
            joined = size[a]
            if joined > room[a]:
                if pool_end + 2 * joined > pool.shape[1]:  # close the gaps
                    closed = np.zeros_like(pool)
                    pool_end = 0
                    for c in range(g):
                        if node[c] < 0 and c != b:
                            continue
                        units = alone if c == a else size[c]
                        for j in range(four + 1):
                            for i in range(units):
                                closed[j, pool_end + i] = pool[j, begin[c] + i]
                        begin[c] = pool_end
                        room[c] = units
                        pool_end += units
                    pool = closed
                for j in range(four + 1):
                    for i in range(alone):
                        pool[j, pool_end + i] = pool[j, begin[a] + i]
                begin[a] = pool_end
                room[a] = 2 * joined
                pool_end += room[a]
            for j in range(four + 1):
                for i in range(size[b]):
                    pool[j, begin[a] + alone + i] = pool[j, begin[b] + i]

        # the least different pair: what is above the others under an old key is put where it belongs now
        top = -1
        while waiting > 0:
            top = heap[0]
            allowed = not gone[top]
            if allowed:
                for bound in range(len(most)):
                    together = held[end[2 * top], bound] + held[end[2 * top + 1], bound]
                    allowed = allowed and together <= most[bound]
            if allowed and key[0] == difference[top]:
                break
            if allowed:
                sink(key, heap, place, waiting, top, difference[top])
            else:
                place[top] = -1
                waiting -= 1
                if waiting > 0:
                    sink(key, heap, place, waiting, heap[waiting], key[waiting])
        if waiting == 0:
            break

        a, b = end[2 * top], end[2 * top + 1]
        if size[a] < size[b]:
            a, b = b, a
        pairs[joins, 0], pairs[joins, 1] = min(node[a], node[b]), max(node[a], node[b])
        height[joins], chosen[joins] = difference[top], top
        node[a], node[b] = g + joins, -1
        joins += 1
        gone[top] = True
        take_out(2 * top, end, head, after, before)
        take_out(2 * top + 1, end, head, after, before)
        for bound in range(len(most)):
            held[a, bound] += held[b, bound]
        if linkage == WARD and not bordering:
            for j in range(p):
                center[a, j] = (size[a] * center[a, j] + size[b] * center[b, j]) / (size[a] + size[b])

        # a's list is gone through once, since it may be long: b is the smaller
        h = head[b]
        while h >= 0:
            side[end[h ^ 1]], half_of[end[h ^ 1]] = 1, h
            h = after[h]
        tasks = 0
        h = head[a]
        while h >= 0:
            following = after[h]
            c = end[h ^ 1]
            kept = h
            if side[c] == 0:
                left[tasks], right[tasks] = b, c
            else:  # a neighbour of both: the earlier of the two links stays, and knows of both
                left[tasks] = -1
                kept, dropped = min(h, half_of[c]), max(h, half_of[c])
                one, other = kept >> 1, dropped >> 1
                if linkage == SINGLE:
                    known[one] = min(known[one], known[other])
                elif linkage == COMPLETE:
                    known[one] = max(known[one], known[other])
                else:
                    known[one] += known[other]
                links[one] += links[other]
                gone[other] = True
                take_out(dropped ^ 1, end, head, after, before)
                side[c] = 2
                if dropped == h:
                    take_out(h, end, head, after, before)
                    side[c] = 3
            todo[tasks] = kept >> 1
            tasks += 1
            h = following
        h = head[b]
        while h >= 0:
            following = after[h]
            c = end[h ^ 1]
            end[h] = a
            if side[c] == 1:
                todo[tasks], left[tasks], right[tasks] = h >> 1, a, c
                tasks += 1
            if side[c] != 2:
                before[h], after[h] = -1, head[a]
                if head[a] >= 0:
                    before[head[a]] = h
                head[a] = h
            side[c] = 0
            h = following
        reach[a] = max(reach[a], reach[b])
        alone = size[a]
        size[a] += size[b]
    return pairs[:joins], height[:joins], chosen[:joins]


def join_in_order(first: IntArray, second: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Join the clusters at the ends of each link, in the order given, unless they are one already.

    That is single linkage over the links alone, for links from the shortest to the longest (Kruskal 1956).

    Parameters
    ----------
    first, second : (m,) int64
        Ends of each link.
    n : int
        Units.

    Returns
    -------
    pairs : (j, 2) int64
        Nodes joined: units are 0 … n - 1, and join i makes node n + i. The lower node first.
    link : (j,) int64
        By which link.

    Examples
    --------
    >>> pairs, link = join_in_order(np.array([0, 1, 0]), np.array([1, 2, 2]), 4)
    >>> pairs.tolist(), link.tolist()
    ([[0, 1], [2, 4]], [0, 1])
    """
    parent, node = np.arange(n), np.arange(n)
    pairs, chosen = np.empty((n, 2), dtype=np.int64), np.empty(n, dtype=np.int64)
    joins = 0
    for link in range(len(first)):
        a, b = find_root(first[link], parent), find_root(second[link], parent)
        if a != b:
            pairs[joins, 0], pairs[joins, 1] = min(node[a], node[b]), max(node[a], node[b])
            chosen[joins] = link
            parent[max(a, b)] = min(a, b)
            node[min(a, b)] = n + joins
            joins += 1
    return pairs[:joins], chosen[:joins]


def take_out(h: int, end: IntArray, head: IntArray, after: IntArray, before: IntArray) -> None:
    """Take half-link h out of the list of its cluster."""
    if before[h] >= 0:
        after[before[h]] = after[h]
    else:
        head[end[h]] = after[h]
    if after[h] >= 0:
        before[after[h]] = before[h]
