"""A layer is the same in any format, in memory and in batches, for every method of the catalog."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
from country import COLUMNS, asked, same_groups

import regionalize as rz
from regionalize.model.catalog import METHODS
from regionalize.model.layer import Layer
from regionalize.run.options import make_job
from regionalize.run.solve import solve

every_method = pytest.mark.parametrize("method", METHODS)

FORMATS = {
    "gpkg": lambda frame, path: frame.to_file(path),
    "shp": lambda frame, path: frame.to_file(path),
    "geojson": lambda frame, path: frame.to_file(path, RFC7946="NO", COORDINATE_PRECISION=15),
    "fgb": lambda frame, path: frame.to_file(path, SPATIAL_INDEX="NO"),
    "parquet": lambda frame, path: frame.to_parquet(path),
}
"""Written by geopandas, every digit of the coordinates kept."""


@pytest.fixture(scope="module")
def layers(small, tmp_path_factory):
    """The small layer as read from each format."""
    folder = tmp_path_factory.mktemp("formats")
    for ending, write in FORMATS.items():
        write(small, folder / f"layer.{ending}")
    return {ending: rz.read_layer(folder / f"layer.{ending}") for ending in FORMATS}


@every_method
def test_labels_are_those_of_the_frame(method, small, layers):
    job = make_job(method, asked(method, len(small)))
    expected = solve(Layer.from_frame(small), job).partition.labels
    for layer in layers.values():
        assert np.array_equal(solve(layer, job).partition.labels, expected)


def test_a_spatial_index_puts_rows_in_another_order_and_ids_tell_which(small, tmp_path):
    """FlatGeobuf as it is by default: the rows are sorted by place."""
    small.to_file(tmp_path / "sorted.fgb")
    ids = geopandas.read_file(tmp_path / "sorted.fgb")["id"]
    assert ids.tolist() != small["id"].tolist()
    job = make_job("schc", asked("schc", len(small)))
    labels = solve(rz.read_layer(tmp_path / "sorted.fgb"), job).partition.labels
    expected = solve(Layer.from_frame(small), job).partition.labels
    row = small.set_index("id").index.get_indexer(ids)
    assert same_groups(labels, expected[row])


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.large])
@pytest.mark.parametrize("batch", [20, 64, 1000])
def test_batches_of_rows_are_the_whole(method, batch, small, tmp_path):
    """As long as what the search starts from holds all rows; with less, see tests/run/stream."""
    small.to_parquet(tmp_path / "in.parquet")
    options = asked(method, len(small))
    expected = rz.regionalize(small, method, **options).labels
    rz.regionalize_file(
        tmp_path / "in.parquet", method, **options, batch_size=batch, output=tmp_path / "out.parquet"
    )
    found = geopandas.read_parquet(tmp_path / "out.parquet")
    assert np.array_equal(found["cluster"], expected)
    assert np.array_equal(found[COLUMNS], small[COLUMNS])
