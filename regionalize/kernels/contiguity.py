"""Which pairs of units share a vertex, or an edge, coordinate for coordinate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ContactSearch = Callable[[IntArray, IntArray], BoolArray]

COMPILED_VERTICES = 1_500_000
"""Vertices from which the compiled search is used: below, NumPy ends before the compiler is loaded."""

LOCAL_BITS = 24
"""Low bits of a search key: the vertex's place in its unit. The rest is a hash of the coordinates."""


def contact_search(coords: FloatArray, offsets: IntArray, ring: IntArray | None = None) -> ContactSearch:
    """Make ready to say of pairs of units whether they have a vertex, or an edge, exactly in common.

    Parameters
    ----------
    coords : (N, 2) float64
        Vertices of all units, unit after unit.
    offsets : (n + 1,) int64
        Unit i's vertices are ``coords[offsets[i]:offsets[i + 1]]``.
    ring : (N,) int64, optional
        Number of the ring each vertex belongs to. When given, an edge of positive length must be shared
        (in either direction); else a vertex is enough.

    Returns
    -------
    callable
        Takes ``first`` and ``second``, (m,) int64 unit numbers with ``first < second``, and returns
        (m,) bool.

    Examples
    --------
    Two unit squares side by side and a third that touches the second at a corner.

    >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
    >>> coords = np.vstack([square, square + [1, 0], square + [2, 1]])
    >>> offsets, ring = np.array([0, 5, 10, 15]), np.repeat(np.arange(3), 5)
    >>> first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    >>> contact_search(coords, offsets)(first, second).tolist()
    [True, False, True]
    >>> contact_search(coords, offsets, ring)(first, second).tolist()
    [True, False, False]
    """
    coords = coords + 0.0  # -0.0 becomes 0.0: equal numbers, equal bits
    count = np.diff(offsets)
    if len(coords) < COMPILED_VERTICES or count.max() >= 1 << LOCAL_BITS:
        unit = np.repeat(np.arange(len(count)), count)
        known = pairs_by_sorting(coords, unit, len(count), ring)
        return lambda first, second: _contains(known, first * len(count) + second)
    from regionalize.kernels.compiler import compiled

    keys = search_keys(coords, offsets)
    compiled(sort_slices)(keys, offsets)
    rings = np.empty(0, dtype=np.int64) if ring is None else ring
    search = compiled(search_pairs)
    return lambda first, second: search(keys, coords, offsets, np.stack([first, second]), rings)


def _contains(known: IntArray, asked: IntArray) -> BoolArray:
    """Say which of `asked` are in `known`, sorted."""
    place = np.searchsorted(known, asked)
    inside = place < len(known)
    inside[inside] = known[place[inside]] == asked[inside]
    return inside


def hash_coordinates(coords: FloatArray) -> NDArray[np.uint64]:
    """Mix the bits of x and y into 64; equal coordinates give equal hashes."""
    bits = np.ascontiguousarray(coords.T).view(np.uint64)
    h: NDArray[np.uint64] = bits[0] * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(32)
    h += bits[1]
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return h


def pairs_by_sorting(coords: FloatArray, unit: IntArray, n: int, ring: IntArray | None) -> IntArray:
    """Sort all vertices (or edges) at once, so that equal ones become neighbours in the order.

    Returns ``i * n + j``, sorted, of every pair of units i < j in contact.
    """
    bits = np.uint64(len(coords).bit_length())
    keys = hash_coordinates(coords) >> bits << bits  # the low bits carry the vertex through the sort
    keys |= np.arange(len(coords), dtype=np.uint64)
    keys.sort()
    order = (keys & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    same = np.zeros(len(order), dtype=np.bool_)
    same[1:] = keys[1:] >> bits == keys[:-1] >> bits
    repeated = np.flatnonzero(same)  # equal hashes are not yet equal coordinates
    here, before = order[repeated], order[repeated - 1]
    points = np.ascontiguousarray(coords).view(np.complex128)[:, 0]  # x and y in one, for one look each
    same[repeated] = points[here] == points[before]
    if ring is not None:
        vertex = np.empty(len(order), dtype=np.int64)
        vertex[order] = np.cumsum(~same)
        edge = np.flatnonzero((ring[1:] == ring[:-1]) & (vertex[1:] != vertex[:-1]))
        ends = vertex[edge], vertex[edge + 1]
        sides = np.minimum(*ends) * (len(order) + 1) + np.maximum(*ends)
        unit, order = unit[edge], np.argsort(sides)
        sides = sides[order]
        same = np.zeros(len(order), dtype=np.bool_)
        same[1:] = sides[1:] == sides[:-1]
    return _pairs_in_runs(same, order, unit, n)


def _pairs_in_runs(same: BoolArray, order: IntArray, unit: IntArray, n: int) -> IntArray:
    """Return ``i * n + j``, sorted, for all units i < j that meet in a run of equal elements.

    Elements are ``order``; those marked `same` equal the one before. ``unit`` is of elements as numbered.
    """
    place = np.arange(len(same))
    rank = place - np.maximum.accumulate(np.where(same, 0, place))
    later = np.zeros(len(unit), dtype=np.int64)
    repeated = np.flatnonzero(same)
    later[order[repeated]] = repeated
    later = later[later > 0]  # as numbered: along a border one pair follows itself, and is soon one
    rank, unit = rank[later], unit[order]
    found = [np.empty(0, dtype=np.int64)]
    lag = 1
    while len(later):
        a, b = unit[later], unit[later - lag]
        pairs = np.minimum(a, b) * n + np.maximum(a, b)
        found.append(_once(pairs[a != b]))
        lag += 1
        later, rank = later[rank >= lag], rank[rank >= lag]
    return _once(np.sort(np.concatenate(found)))


def _once(pairs: IntArray) -> IntArray:
    """Drop what equals the one before."""
    return np.asarray(pairs[np.diff(pairs, prepend=-1) != 0])


def search_keys(coords: FloatArray, offsets: IntArray) -> IntArray:
    """Return a key per vertex: a hash of its coordinates above its place in its unit."""
    local = np.arange(len(coords)) - np.repeat(offsets[:-1], np.diff(offsets))
    high = (hash_coordinates(coords) >> np.uint64(LOCAL_BITS + 1)).astype(np.int64)
    return (high << LOCAL_BITS) | local


def sort_slices(keys: IntArray, offsets: IntArray) -> None:
    """Sort each unit's keys in place."""
    for i in range(len(offsets) - 1):
        keys[offsets[i] : offsets[i + 1]].sort()


def search_pairs(
    keys: IntArray, coords: FloatArray, offsets: IntArray, pairs: IntArray, ring: IntArray
) -> BoolArray:
    """Walk the sorted keys of both units of each pair side by side (for the compiler).

    The walk gallops through the longer list, so that a small unit beside a large one is cheap. An empty
    `ring` asks for a vertex, else for an edge.
    """
    low_bits = (1 << LOCAL_BITS) - 1
    found = np.zeros(pairs.shape[1], dtype=np.bool_)
    for pair in range(pairs.shape[1]):
        i, j = pairs[0, pair], pairs[1, pair]
        if offsets[i + 1] - offsets[i] > offsets[j + 1] - offsets[j]:
            i, j = j, i
        place, end = offsets[j], offsets[j + 1]
        for source in range(offsets[i], offsets[i + 1]):
            wanted = keys[source] & ~low_bits
            if place < end and keys[place] < wanted:
                step = 1
                while place + step < end and keys[place + step] < wanted:
                    place += step
                    step *= 2
                upper = min(place + step, end)
                place += 1
                while place < upper:
                    middle = (place + upper) // 2
                    if keys[middle] < wanted:
                        place = middle + 1
                    else:
                        upper = middle
            if place == end:
                break
            a = offsets[i] + (keys[source] & low_bits)
            candidate = place
            while candidate < end and (keys[candidate] & ~low_bits) == wanted:
                b = offsets[j] + (keys[candidate] & low_bits)
                candidate += 1
                if coords[a, 0] != coords[b, 0] or coords[a, 1] != coords[b, 1]:
                    continue
                if len(ring) == 0:
                    found[pair] = True
                    break
                after = a + 1  # the edge that leaves a; does one at b go the same way, or come back?
                if after == len(coords) or ring[after] != ring[a]:
                    continue
                x, y = coords[after, 0], coords[after, 1]
                if x == coords[a, 0] and y == coords[a, 1]:
                    continue
                for other in (b - 1, b + 1):
                    if 0 <= other < len(coords) and ring[other] == ring[b]:
                        found[pair] |= coords[other, 0] == x and coords[other, 1] == y
                if found[pair]:
                    break
            if found[pair]:
                break
    return found
