"""Smoothing by tiles against the smoothing of the whole layer, which is held against dense matrices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.features.smoothing import SMOOTH_MODES, restricted, smooth
from regionalize.features.tile_smoothing import smooth_tile, tile_length, tile_mixing
from regionalize.model.tile_links import TileLinks
from regionalize.model.weights import Weights


def random_weights(n, rng, kind="test"):
    """Make links at random, one way or both, some rows islands and some in one hop's reach of all."""
    linked = rng.random((n, n)) < rng.choice([0.02, 0.1, 0.5])
    lonely = rng.random(n) < 0.1
    linked[lonely] = linked[:, lonely] = False
    row, neighbor = np.nonzero(linked)
    return Weights.from_links(n, row, neighbor, rng.uniform(0.1, 5, len(row)), kind=kind)


def cut(weights, starts):
    """Cut a layer's weights into runs of rows."""
    tiles = []
    for start, stop in pairwise(starts):
        indptr = weights.indptr[start : stop + 1]
        links = slice(indptr[0], indptr[-1])
        tiles.append(TileLinks(indptr - indptr[0], weights.indices[links], weights.values[links]))
    return tiles


def by_tiles(values, weights, starts, hops, alpha, mode, coordinates=None, sphere=False, used=None):
    """Smooth tile by tile, each hop from nothing but own values and those of the halo."""
    ready, total, count = [], 0.0, 0
    tiles = cut(weights, starts)
    for start, tile in zip(starts, tiles, strict=False):
        halo = tile.beyond(start)
        rows = np.concatenate([np.arange(start, start + len(tile)), halo])
        where = None if coordinates is None else coordinates[rows]
        ready.append((rows, halo, where, None if used is None else used[rows]))
        if where is not None:
            length, links = tile_length(tile, start, halo, where, sphere=sphere, used=ready[-1][3])
            total, count = total + length, count + links
    x = values
    for _ in range(hops):
        smoothed = []
        for start, tile, (rows, halo, where, takes_part) in zip(starts, tiles, ready, strict=False):
            mixed = tile_mixing(
                tile,
                start,
                halo,
                alpha=alpha,
                mode=mode,
                kind=weights.kind,
                coordinates=where,
                sphere=sphere,
                mean_length=total / max(count, 1),
                used=takes_part,
            )
            own = x[rows[: len(tile)]]
            smoothed.append(smooth_tile(own, x[halo], mixed))
        x = np.concatenate(smoothed)
    return x


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.lists(st.integers(0, 60), max_size=5),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from(SMOOTH_MODES),
    st.booleans(),
    st.booleans(),
)
def test_hops_by_tiles_are_hops_of_the_layer(seed, n, cuts, hops, alpha, mode, sphere, some_left_out):
    rng = np.random.default_rng(seed)
    weights = random_weights(n, rng)
    starts = np.sort(np.minimum([0, *cuts, n], n))  # equal cuts make empty tiles
    values = rng.normal(size=(n, 3))
    points = rng.uniform([-180, -85], [180, 85], (n, 2))
    points[rng.integers(0, n, n // 4)] = points[0]  # neighbours at one place
    used = rng.random(n) < 0.8 if some_left_out else np.ones(n, dtype=bool)
    values[~used] = np.nan
    rows = np.flatnonzero(used)
    expected = values.copy()
    expected[rows] = smooth(
        values[rows], restricted(weights, rows), hops, alpha, mode, coordinates=points[rows], sphere=sphere
    )
    asked = used if some_left_out else None
    found = by_tiles(values, weights, starts, hops, alpha, mode, points, sphere, asked)
    scale = np.nanmax(np.abs(expected), initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * scale)


def test_an_island_keeps_its_values_to_the_bit():
    values = np.array([[1 / 3], [2.0], [4.0]])
    weights = Weights.from_links(3, np.array([1, 2]), np.array([2, 1]), kind="test")
    found = by_tiles(values, weights, [0, 1, 3], 7, 0.3, "mean")
    assert found[0, 0] == 1 / 3
    assert found[1, 0] != 2.0


def test_numbers_of_a_gwt_file_are_distances_in_tiles_too():
    rng = np.random.default_rng(2)
    weights = random_weights(30, rng, kind="roads.gwt")
    values = rng.normal(size=(30, 2))
    expected = smooth(values, weights, 2, 0.5, "mean")
    np.testing.assert_allclose(by_tiles(values, weights, [0, 11, 30], 2, 0.5, "mean"), expected, rtol=1e-12)


def test_single_precision_stays_single():
    rng = np.random.default_rng(3)
    weights = random_weights(50, rng)
    values = rng.normal(size=(50, 2)).astype(np.float32)
    found = by_tiles(values, weights, [0, 20, 50], 3, 0.5, "mean")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, smooth(values, weights, 3, 0.5), rtol=1e-5, atol=1e-6)


def test_values_given_stay_as_they_are():
    values, halo = np.ones((1, 1)), np.zeros((1, 1))
    mixed = tile_mixing(TileLinks(np.array([0, 1]), np.array([9])), 0, np.array([9]), alpha=0.5, mode="mean")
    assert smooth_tile(values, halo, mixed).tolist() == [[0.5]]
    assert values.tolist() == [[1.0]]


def test_distances_need_coordinates():
    with pytest.raises(ValueError, match="coordinates"):
        tile_mixing(TileLinks(np.array([0, 1]), np.array([9])), 0, np.array([9]), alpha=0.5, mode="idw")
