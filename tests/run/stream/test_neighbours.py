"""Neighbours of rows that come in batches against those of the layer in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError, UsageError
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches
from regionalize.model.layer import Layer
from regionalize.model.tile_links import joined_links
from regionalize.run.stream import neighbours
from regionalize.run.stream.neighbours import links_by_tiles
from regionalize.weights import build_weights


def layer_of(geometry, crs=None):
    table = pa.table({"row": range(len(geometry))})
    return Layer(table, None, crs, shapes=np.asarray(geometry, dtype=object))


def in_batches(layer, rows):
    return [
        layer.take(np.arange(first, min(first + rows, len(layer)))) for first in range(0, len(layer), rows)
    ]


def whole(links):
    with links:
        return joined_links([links.read(0, len(links))], links.kind)


def assert_same(found, expected):
    assert found.kind == expected.kind
    assert found.indptr.tolist() == expected.indptr.tolist()
    assert found.indices.tolist() == expected.indices.tolist()
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-12)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 80),
    st.integers(1, 90),
    st.sampled_from(["queen", "rook", "queen snap", "knn:1", "knn:4", "kernel:quartic:3"]),
    st.sampled_from([2, 16, 1024]),
)
def test_links_by_tiles_are_those_of_the_layer(seed, n, rows, spec, grid):
    rng = np.random.default_rng(seed)
    spec, _, snapped = spec.partition(" ")
    snap = 0.5 if snapped else 0.0
    x, y = rng.integers(0, 9, (2, n)) * rng.choice([1.0, 1.25])
    geometry = shapely.box(x, y, x + rng.choice([1, 1, 2.5], n), y + 1).astype(object)
    if n > 8:
        geometry[rng.integers(0, n, 2)] = None, shapely.Polygon()
    if rng.random() < 0.2:
        geometry[0] = shapely.box(1e9, 1e9, 1e9 + 1, 1e9 + 1)  # all others in one square of the grid
    layer = layer_of(geometry)
    k = int(spec.split(":")[-1]) if ":" in spec else 0
    if k >= np.count_nonzero(~shapely.is_missing(geometry) & ~shapely.is_empty(geometry)):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "GRID", grid)
        links = links_by_tiles(in_batches(layer, 13), spec, snap=snap, rows_at_once=rows)
        assert_same(whole(links), build_weights(layer, spec, snap=snap))


@pytest.mark.parametrize("spec", ["queen", "rook", "knn:6", "kernel:gaussian:4"])
@pytest.mark.parametrize(
    "path", ["guerry/Guerry.shp", "brazil/municipalities.gpkg", "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp"]
)
def test_real_layers(shared_data, path, spec):
    layer = read_layer(shared_data(path))
    expected = build_weights(layer, spec)
    assert_same(
        whole(links_by_tiles(RowBatches(shared_data(path), rows=500), spec, rows_at_once=700)), expected
    )


def test_england_out_of_order(shared_data):
    layer = read_layer(shared_data("england/lsoa_imd2019.gpkg"))
    layer = layer.take(np.random.default_rng(0).permutation(len(layer)))
    links = links_by_tiles(in_batches(layer, 4000), "queen", rows_at_once=4000)
    assert_same(whole(links), build_weights(layer, "queen"))


def test_what_cannot_be_is_refused():
    points = layer_of(shapely.points(np.arange(10.0).reshape(5, 2)))
    with pytest.raises(DataError, match="need polygons"):
        links_by_tiles([points], "queen")
    with pytest.raises(DataError, match="5 neighbours each cannot be found among 5 units; use at most 4"):
        links_by_tiles([points], "knn:5")
    with pytest.raises(UsageError, match="use queen, rook, or the nearest"):
        links_by_tiles([points], "distance:5km")
    for spec in ("rook", "knn:1"):
        with pytest.raises(DataError, match="no row has a geometry"):
            links_by_tiles([layer_of([None, shapely.Polygon(), None])], spec)


LIMITED = """
import resource, sys
import numpy as np
import pyarrow as pa
import scipy.spatial
import shapely
from regionalize.model.layer import Layer
from regionalize.run.stream.neighbours import links_by_tiles

n, spec, limit, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), 2048
def batches():  # squares of a grid, in an order that jumps about
    side = int(n ** 0.5)
    for first in range(0, side * side, size):
        row = np.arange(first, min(first + size, side * side)) * 104729 % (side * side)
        x, y = row % side, row // side
        yield Layer(pa.table({"row": row}), None, None, shapes=shapely.box(x, y, x + 1, y + 1))
def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
links_by_tiles([next(batches())], spec, rows_at_once=size).__exit__(None, None, None)  # what loads late
resource.setrlimit(resource.RLIMIT_AS, (used() + limit,) * 2)
with links_by_tiles(batches(), spec, rows_at_once=size) as links:
    print(len(links), links.n_links)
"""


@pytest.mark.unix
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to know its address space")
@pytest.mark.parametrize("spec", ["queen", "knn:4"])
def test_memory_does_not_grow_with_the_rows(spec):
    for n in (10_000, 102_400):
        found = subprocess.run(
            [sys.executable, "-c", LIMITED, str(n), spec, str(48 * 2**20)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        side = int(n**0.5)
        links = 4 * n if spec == "knn:4" else 8 * n - 12 * side + 4
        assert found.stdout.split() == [str(n), str(links)]
