"""Neighbours over Dask against those of the whole layer in one process."""

from __future__ import annotations

import os
import signal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
import shapely

from regionalize.errors import DataError, UsageError
from regionalize.io.read import read_layer
from regionalize.model.layer import Layer
from regionalize.model.tile_links import joined_links
from regionalize.run.dask import tiles
from regionalize.run.dask.neighbours import weights_in_parts
from regionalize.weights import build_weights


def part(wkb, start, stop):
    """Cut a part out, on a worker: it can be done again where the worker dies."""
    return wkb.slice(start, stop - start)


def sent(client, layer, cuts):
    """Return the geometry in parts, and their counts."""
    ends = [0, *cuts, len(layer)]
    pairs = list(pairwise(ends))
    return [client.submit(part, layer.wkb, *ends) for ends in pairs], [stop - start for start, stop in pairs]


def layer_of(geometry, crs=None):
    wkb = pa.chunked_array([pa.array(shapely.to_wkb(np.asarray(geometry, dtype=object)), pa.binary())])
    return Layer(pa.table({"row": range(len(geometry))}), wkb, crs)


def squares(seed=0, n=200):
    """Squares that touch, overlap, or are missing; those of one row anywhere."""
    rng = np.random.default_rng(seed)
    x, y = rng.permutation(400)[:n] % 20, rng.integers(0, 20, n)
    geometry = shapely.box(x, y, x + rng.choice([1, 1, 1, 2.5], n), y + 1).astype(object)
    geometry[rng.integers(0, n, 5)] = None
    return geometry


def assert_same(found, whole):
    assert found.indptr.tolist() == whole.indptr.tolist()
    assert found.indices.tolist() == whole.indices.tolist()
    np.testing.assert_allclose(found.values, whole.values, rtol=1e-12)


@pytest.mark.parametrize(
    ("covered", "cuts"),
    [(1e9, []), (0.0, [0, 1, 1, 199]), (1e9, [0, 1, 1, 199]), (0.0, [60, 90, 150]), (1e9, [60, 90, 150])],
)
@pytest.mark.parametrize(
    ("spec", "snap"), [("queen", 0), ("rook", 0), ("queen", 0.6), ("knn:5", 0), ("kernel:triangular:3", 0)]
)
def test_weights_in_parts_are_those_of_the_layer(client, monkeypatch, spec, snap, cuts, covered):
    monkeypatch.setattr(tiles, "COVERED", covered)  # asked here, not on the workers
    layer = layer_of(squares())
    geometry, counts = sent(client, layer, cuts)
    links = client.gather(weights_in_parts(client, geometry, counts, spec, snap=snap))
    assert_same(joined_links(links, spec), build_weights(layer, spec, snap=snap))


@pytest.mark.parametrize("spec", ["queen", "rook", "knn:6", "kernel:gaussian:4"])
@pytest.mark.parametrize("path", ["natregimes/natregimes.shp", "messy/tokyo/tokyomet262a.shp"])
def test_real_layers(client, shared_data, monkeypatch, path, spec):
    layer = read_layer(shared_data(path))
    rows = np.random.default_rng(1).permutation(len(layer))  # not sorted in space
    for one, covered in ((layer, 1e9), (layer.take(rows), 0.0)):
        monkeypatch.setattr(tiles, "COVERED", covered)
        geometry, counts = sent(client, one, [100, 180])
        links = weights_in_parts(client, geometry, counts, spec, geographic=one.is_geographic)
        assert_same(joined_links(client.gather(links), spec), build_weights(one, spec))


def test_what_crowds_in_one_place_stays_in_its_parts(client, monkeypatch):
    """All but one unit lie in one square of the grid: together they would be more than a worker may hold."""
    monkeypatch.setattr(tiles, "COVERED", 0.0)
    geometry = squares(6)
    geometry[7] = shapely.box(1e9, 1e9, 1e9 + 1, 1e9 + 1)
    layer = layer_of(geometry)
    sent_parts, counts = sent(client, layer, [40, 80, 120, 160])
    links = client.gather(weights_in_parts(client, sent_parts, counts, "queen"))
    assert_same(joined_links(links, "queen"), build_weights(layer, "queen"))
    centers = [client.submit(np.ones, (40, 2)) for _ in counts]
    extents = np.repeat(np.array([[[0.0, 0.0], [1e9, 1e9]]]), len(counts), axis=0)
    parts, themselves = tiles.by_place(client, sent_parts, centers, extents)
    assert parts == sent_parts
    assert themselves == [[0], [1], [2], [3], [4]]


@pytest.mark.slow  # a new worker takes seconds; test_forest and test_kmeans have one that dies
def test_a_worker_that_dies_changes_nothing(client):
    layer = layer_of(squares(3))
    geometry, counts = sent(client, layer, [50, 100, 150])
    links = weights_in_parts(client, geometry, counts, "queen")
    pid = next(iter(client.run(os.getpid).values()))
    os.kill(pid, signal.SIGKILL)
    assert_same(joined_links(client.gather(links), "queen"), build_weights(layer, "queen"))
    client.wait_for_workers(2)


def test_what_cannot_be_is_refused_as_in_one_process(client):
    points = layer_of(shapely.points(np.arange(10.0).reshape(5, 2)))
    geometry, counts = sent(client, points, [2])
    with pytest.raises(DataError, match="need polygons"):
        client.gather(weights_in_parts(client, geometry, counts, "queen"))
    with pytest.raises(DataError, match="5 neighbours each cannot be found among 5 units; use at most 4"):
        weights_in_parts(client, geometry, counts, "knn:5")
    with pytest.raises(UsageError, match="use queen, rook, or the nearest"):
        weights_in_parts(client, geometry, counts, "distance:5km")
    nowhere, counts = sent(client, layer_of([None, shapely.Polygon(), None]), [1])
    for spec in ("rook", "knn:1"):
        with pytest.raises(DataError, match="no row has a geometry"):
            weights_in_parts(client, nowhere, counts, spec)
