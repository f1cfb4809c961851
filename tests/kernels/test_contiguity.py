"""Exact contacts against sets of coordinates, by sorting, searching and the compiler."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.kernels import contiguity
from regionalize.kernels.contiguity import (
    contact_search,
    pairs_by_sorting,
    search_keys,
    search_pairs,
    sort_slices,
)


@st.composite
def ring_layers(draw):
    """Rings on a tiny lattice, so that vertices and edges meet often, repeated points and -0.0 included."""
    number = st.sampled_from([-1.0, -0.0, 0.0, 1.0, 2.0, 0.1])
    points = st.lists(st.tuples(number, number), min_size=2, max_size=6)
    units = draw(st.lists(st.lists(points, max_size=2), max_size=5))
    coords, unit, ring = [], [], []
    for i, rings in enumerate(units):
        for points in rings:
            closed = [*points, points[0]]
            ring += [len(set(ring))] * len(closed)
            coords += closed
            unit += [i] * len(closed)
    offsets = np.searchsorted(unit, np.arange(len(units) + 1))
    coords = np.array(coords, dtype=float).reshape(-1, 2)
    return coords, offsets.astype(np.int64), np.array(ring, dtype=np.int64)


def by_sets(coords, offsets, ring, first, second):
    def vertices(i):
        return {tuple(coords[v] + 0.0) for v in range(offsets[i], offsets[i + 1])}

    def edges(i):
        steps = [v for v in range(offsets[i], offsets[i + 1] - 1) if ring[v] == ring[v + 1]]
        ends = [frozenset((tuple(coords[v] + 0.0), tuple(coords[v + 1] + 0.0))) for v in steps]
        return {edge for edge in ends if len(edge) == 2}

    pairs = list(zip(first, second, strict=True))
    return [bool(vertices(i) & vertices(j)) for i, j in pairs], [bool(edges(i) & edges(j)) for i, j in pairs]


@given(ring_layers())
def test_sorting_and_searching_equal_sets(layer):
    coords, offsets, ring = layer
    first, second = np.triu_indices(len(offsets) - 1, 1)
    by_vertex, by_edge = by_sets(coords, offsets, ring, first, second)
    units = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    once = (first * (len(offsets) - 1) + second)[by_vertex].tolist()
    assert pairs_by_sorting(coords + 0.0, units, len(offsets) - 1, None).tolist() == once
    assert contact_search(coords, offsets)(first, second).tolist() == by_vertex
    assert contact_search(coords, offsets, ring)(first, second).tolist() == by_edge
    keys = search_keys(coords + 0.0, offsets)
    sort_slices(keys, offsets)
    pairs = np.stack([first, second])
    assert search_pairs(keys, coords, offsets, pairs, ring[:0]).tolist() == by_vertex
    assert search_pairs(keys, coords, offsets, pairs, ring).tolist() == (by_edge if len(ring) else by_vertex)


@pytest.mark.parametrize("edges", [False, True])
def test_the_compiled_search_agrees_with_sorting(monkeypatch, edges):
    rng = np.random.default_rng(2)
    coords, offsets = rng.integers(0, 60, (6000, 2)).astype(float), np.unique(rng.integers(0, 6000, 200))
    offsets = np.concatenate([[0], offsets, [6000, 6000]])
    ring = np.repeat(np.arange(1500), 4) if edges else None
    first, second = np.triu_indices(len(offsets) - 1, 1)
    sorted_answer = contact_search(coords, offsets, ring)(first, second)
    monkeypatch.setattr(contiguity, "COMPILED_VERTICES", 0)
    np.testing.assert_array_equal(contact_search(coords, offsets, ring)(first, second), sorted_answer)
    assert 0 < sorted_answer.sum() < len(first)


def test_colliding_hashes_are_told_apart(monkeypatch):
    """Were all hashes equal, coordinates would still decide."""
    monkeypatch.setattr(contiguity, "hash_coordinates", lambda coords: np.zeros(len(coords), dtype=np.uint64))
    coords, offsets = np.array([[0.0, 0], [1, 1], [2, 2], [1, 1]]), np.array([0, 2, 3, 4])
    first, second = np.triu_indices(3, 1)
    assert not contact_search(coords, offsets)(first, second)[[0, 2]].any()
    keys = search_keys(coords, offsets)
    sort_slices(keys, offsets)
    found = search_pairs(keys, coords, offsets, np.stack([first, second]), np.empty(0, dtype=np.int64))
    assert found.tolist() == [False, True, False]
