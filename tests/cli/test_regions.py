"""Methods that make contiguous regions, through the whole command."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from regionalize.run import solve

METHODS = ("skater", "schc", "redcap")
SHARED = {
    "nyc": "messy/nyc",
    "nyc_tracts": "messy/nyc_tracts",
    "scotlip": "messy/scotlip",
    "tokyo": "messy/tokyo",
    "liverpool": "messy/liverpool",
}

every_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def checked(cli, tmp_path):
    """Run a method, let `validate` judge the file it wrote, and return the report."""

    def run(*args, columns="a,b", min_size=1):
        target = tmp_path / "regions.gpkg"
        found = cli("-q", *args, "--columns", columns, "-o", target, "--overwrite", "--json")
        assert found.code == 0, found.err
        require = f"contiguous,min-size={min_size}"
        weights = [part for part in pairwise(args) if part[0] in {"--weights", "--snap"}]
        judged = cli("-q", "validate", target, "--columns", columns, "--require", require, *sum(weights, ()))
        assert judged.code == 0, judged.err
        return json.loads(found.out)

    return run


@every_method
@pytest.mark.parametrize("weights", ["queen", "rook", "knn:4"])
@pytest.mark.parametrize("k", [1, 2, 7, 25])
def test_k_regions_each_in_one_piece(method, weights, k, squares, checked):
    report = checked(method, squares, "--k", k, "--weights", weights)
    assert report["k"] == k
    assert sum(report["sizes"]) == 25


@every_method
def test_bounds(method, squares, checked):
    report = checked(method, squares, "--k", 4, "--min-size", 4, "--max-size", 9, min_size=4)
    assert max(report["sizes"]) <= 9


@every_method
def test_points(method, grid, save, checked):
    frame = grid()
    source = save(frame.set_geometry(frame.centroid))
    assert checked(method, source, "--k", 5, "--weights", "knn:6")["k"] == 5


@every_method
def test_rows_left_out_are_not_passed_through(method, grid, save, cli):
    """A column of units without values parts the grid in two."""
    frame = grid()
    x = frame.centroid.x
    frame.loc[x == x.median(), "a"] = np.nan
    source = save(frame)
    said = cli(method, source, "--columns", "a", "--missing", "drop", "--k", 1)
    assert said.code == 1
    assert "2 components, which no region can span" in said.err
    found = cli("-q", method, source, "--columns", "a", "--missing", "drop", "--k", 2, "--json")
    assert json.loads(found.out)["sizes"] == [10, 10]


@every_method
def test_a_table_needs_a_weights_file(method, tmp_path, refused):
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,2\n3,5\n4,4\n")
    refused(method, source, "--columns", "a,b", "--k", 2, says="needs to know who is whose neighbour")


@every_method
def test_automatic_centroid_weight_has_nothing_to_look_for(method, squares, refused):
    refused(method, squares, "--k", 3, "--centroid-weight", "auto", code=2, says="always are")


@every_method
def test_a_wrong_answer_is_never_written(method, squares, cli, tmp_path, monkeypatch):
    """The check after the method is independent of it."""
    corners = np.isin(np.arange(25), [0, 24]).astype(np.int64)
    monkeypatch.setattr(solve, "group", lambda *_: corners)
    with pytest.raises(AssertionError, match="pieces"):
        cli(method, squares, "--columns", "a,b", "--k", 2, "-o", tmp_path / "x.gpkg")
    assert not (tmp_path / "x.gpkg").exists()


@every_method
@pytest.mark.parametrize("name", SHARED)
def test_messy_layers(method, name, shared_data, checked, cli):
    folder = shared_data(SHARED[name])
    source = sorted(path for ending in ("*.gpkg", "*.shp", "*.geojson") for path in folder.rglob(ending))[0]
    about = json.loads(cli("info", source, "--json").out)
    columns = [column["name"] for column in about["columns"] if column["left_out"] is None][-3:]
    components = len(json.loads(cli("weights", source, "--json").out)["components"])
    assert len(columns) == 3
    report = checked(method, source, "--k", components + 5, "--missing", "mean", columns=",".join(columns))
    assert report["k"] == components + 5
