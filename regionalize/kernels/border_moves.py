"""Move units across the borders of regions while that makes the regions more alike inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def move_borders(
    indptr: IntArray,
    indices: IntArray,
    values: FloatArray,
    region: IntArray,
    sums: FloatArray,
    size: IntArray,
    least_gain: float,
    most_sweeps: int,
) -> int:
    """Move single units to neighbouring regions, each time to where the within sum of squares falls most.

    A unit moves only when those it leaves still hang together. What a move changes is counted on both sides
    (Hartigan 1975): with n members, leaving takes n / (n - 1) times the squared distance to the mean off, and
    joining adds n / (n + 1) times that.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Unit i's neighbours are ``indices[indptr[i]:indptr[i + 1]]``, both ways.
    indices : (m,) int64
        Neighbours.
    values : (n, p) float64
        Variables.
    region : (n,) int64
        Region 0 … k - 1 of each unit, every region connected; changed in place.
    sums : (k, p) float64
        Sum of the variables over each region; changed in place.
    size : (k,) int64
        Members of each region; changed in place.
    least_gain : float
        What a move must take off at least.
    most_sweeps : int
        Rounds over all units; fewer when a round moves nothing.

    Returns
    -------
    int
        Moves made.

    Examples
    --------
    >>> indptr, indices = np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2])
    >>> region, values = np.array([0, 0, 0, 1]), np.array([[0.0], [0], [9], [9]])
    >>> move_borders(indptr, indices, values, region, np.array([[9.0], [9]]), np.array([3, 1]), 1e-9, 10)
    1
    >>> region.tolist()
    [0, 0, 1, 1]
    """
    n, p = values.shape
    mark = np.zeros(n, dtype=np.int64)
    front = np.empty(n, dtype=np.int64)
    following = np.empty(n, dtype=np.int64)
    most_near = 1
    for unit in range(n):
        most_near = max(most_near, indptr[unit + 1] - indptr[unit])
    joined = np.empty(most_near, dtype=np.int64)
    head = np.empty(most_near, dtype=np.int64)
    tail = np.empty(most_near, dtype=np.int64)
    stamp = 0
    moves = 0
    for _ in range(most_sweeps):
        before = moves
        for unit in range(n):
            here = region[unit]
            if size[here] == 1:
                continue
            border = False
            for link in range(indptr[unit], indptr[unit + 1]):
                if region[indices[link]] != here:
                    border = True
                    break
            if not border:
                continue
            off = 0.0
            for j in range(p):
                off += (values[unit, j] - sums[here, j] / size[here]) ** 2
            off *= size[here] / (size[here] - 1.0)
            best, there = off - least_gain, -1
            last = here
            for link in range(indptr[unit], indptr[unit + 1]):
                other = region[indices[link]]
                if other in (here, last):
                    continue
                last = other
                on = 0.0
                for j in range(p):
                    on += (values[unit, j] - sums[other, j] / size[other]) ** 2
                on *= size[other] / (size[other] + 1.0)
                if on < best:
                    best, there = on, other
            if there < 0:
                continue
            # Do those it leaves hang together? From each of its neighbours among them a front goes out, all
            # in step; fronts that meet go on as one. When one is left they do; when one runs dry they do
            # not, and that takes no longer than twice walking the part cut off.
            stamp += 1
            mark[unit] = stamp
            fronts = 0
            for link in range(indptr[unit], indptr[unit + 1]):
                near = indices[link]
                if region[near] == here and mark[near] != stamp:
                    mark[near] = stamp
                    front[near] = fronts
                    joined[fronts] = fronts
                    head[fronts] = tail[fronts] = near
                    following[near] = -1
                    fronts += 1
            left, dry = fronts, False
            while left > 1 and not dry:
                for f in range(fronts):
                    if joined[f] != f or left == 1:
                        continue
                    at = head[f]
                    if at < 0:
                        dry = True
                        break
                    for link in range(indptr[at], indptr[at + 1]):
                        near = indices[link]
                        if region[near] != here:
                            continue
                        if mark[near] != stamp:
                            mark[near] = stamp
                            front[near] = f
                            following[near] = -1
                            following[tail[f]] = near
                            tail[f] = near
                        elif near != unit:
                            met = front[near]
                            while joined[met] != met:
                                met = joined[met]
                            if met != f:
                                joined[met] = f
                                left -= 1
                                if head[met] >= 0:
                                    following[tail[f]] = head[met]
                                    tail[f] = tail[met]
                    head[f] = following[at]
            if dry:
                continue
            region[unit] = there
            size[here] -= 1
            size[there] += 1
            for j in range(p):
                sums[here, j] -= values[unit, j]
                sums[there, j] += values[unit, j]
            moves += 1
        if moves == before:
            break
    return moves
