"""Rows in batches become the same numbers as all rows at once."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from regionalize.errors import DataError, UsageError
from regionalize.features.build import build_features
from regionalize.features.running import RunningStatistics
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.run.stream.variables import choose_variables, scale_of


def layer_of(n=300, crs="EPSG:3035", seed=1, **columns):
    rng = np.random.default_rng(seed)
    xy = rng.uniform([4e6, 3e6], [4.1e6, 3.05e6], size=(n, 2))
    if crs == "EPSG:4326":
        xy = rng.uniform([10, 45], [13, 47], size=(n, 2))
    table = {
        "name": [f"unit {i}" for i in range(n)],
        "a": rng.normal(50, 9, n),
        "b": rng.lognormal(3, 1, n),
        "c": np.full(n, 7.5),
        **columns,
    }
    return Layer(pa.table(table), None, crs, shapes=shapely.buffer(shapely.points(xy), 0.01, quad_segs=2))


def in_batches(layer, rows=37):
    return [layer.take(np.arange(at, min(at + rows, len(layer)))) for at in range(0, len(layer), rows)]


def clustered(layer, job):
    """Return what is clustered, rows in batches of 37."""
    batches = in_batches(layer)
    variables = choose_variables(layer, batches, job)
    values = [variables.read(batch, job, 37 * at) for at, batch in enumerate(batches)]
    statistics = RunningStatistics()
    for part in values:
        statistics.update(part)
    scale = scale_of(statistics, variables, job)
    return np.concatenate([variables.clustered(part, scale) for part in values]), variables


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:4326"])
@pytest.mark.parametrize("transform", ["z", "demean", "range-standardize", "range-adjust", "raw"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"with_centroids": True},
        {"with_centroids": True, "centroid_scale": "isotropic"},
        {"with_centroids": True, "centroid_weight": 0.3, "column_weights": (("a", 2.0),)},
        {"column_weights": (("b", 0.25),)},
    ],
    ids=["attributes", "centroids", "isotropic", "weighed", "weights"],
)
def test_batches_are_scaled_as_the_whole(crs, transform, asked):
    layer = layer_of(crs=crs)
    job = Job(columns=("a", "b", "c"), transform=transform, **asked)
    found, variables = clustered(layer, job)
    expected = build_features(layer, job)
    assert variables.names == expected.names
    assert found == pytest.approx(expected.X, rel=1e-9, abs=1e-9)
    assert variables.share == pytest.approx(expected.coordinate_share)
    assert variables.apart == expected.attributes_only


def test_a_layer_without_reference_system_keeps_its_coordinates_where_told_to():
    layer = layer_of(crs=None)
    with pytest.raises(DataError, match="no coordinate reference system, so its centroids cannot be placed"):
        clustered(layer, Job(columns=("a",), with_centroids=True))
    job = Job(columns=("a",), with_centroids=True, project="none")
    found, variables = clustered(layer, job)
    assert found == pytest.approx(build_features(layer, job).X, rel=1e-9)
    assert any("no coordinate reference system" in note for note in variables.notes)


def test_wrong_columns_are_refused_as_ever():
    with pytest.raises(UsageError, match="no column 'nope'"):
        clustered(layer_of(), Job(columns=("nope",)))
    table = Layer(pa.table({"a": [1.0, 2.0]}), None, None)
    with pytest.raises(DataError, match="no geometry"):
        clustered(table, Job(columns=("a",), with_centroids=True))
