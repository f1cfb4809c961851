"""Methods that make contiguous regions, through the whole command."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from regionalize.model.catalog import METHODS as CATALOG
from regionalize.run import task

METHODS = [name for name, row in CATALOG.items() if row.contiguous]
TOLD_K = [name for name in METHODS if CATALOG[name].takes_k]
SHARED = {
    "nyc": "messy/nyc",
    "nyc_tracts": "messy/nyc_tracts",
    "scotlip": "messy/scotlip",
    "tokyo": "messy/tokyo",
    "liverpool": "messy/liverpool",
}

every_method = pytest.mark.parametrize("method", METHODS)
every_method_told_k = pytest.mark.parametrize("method", TOLD_K)


def regions(method, k, units=25):
    """Ask for k regions, or where the method finds k, for regions as large as k of them can be."""
    options = ("--k", k) if CATALOG[method].takes_k else ("--min-size", max(units // k, 1))
    searches = any(param.name == "iterations" for param in CATALOG[method].params)
    return (*options, "--iterations", 100) if searches else options


@pytest.fixture
def checked(cli, tmp_path):
    """Run a method, let `validate` judge the file it wrote, and return the report."""

    def run(*args, columns="a,b", min_size=1):
        target = tmp_path / "regions.gpkg"
        found = cli("-q", *args, "--columns", columns, "-o", target, "--overwrite", "--json")
        assert found.code == 0, found.err
        require = f"contiguous,min-size={min_size}"
        weights = [part for part in pairwise(args) if part[0] in {"--weights", "--snap", "--islands"}]
        judged = cli("-q", "validate", target, "--columns", columns, "--require", require, *sum(weights, ()))
        assert judged.code == 0, judged.err
        return json.loads(found.out)

    return run


@every_method
@pytest.mark.parametrize("weights", ["queen", "rook", "knn:4"])
@pytest.mark.parametrize("k", [1, 2, 7, 25])
def test_k_regions_each_in_one_piece(method, weights, k, squares, checked):
    """Where k is found, a snake through the grid shows that as many as sums allow can be made."""
    report = checked(method, squares, *regions(method, k), "--weights", weights)
    assert report["k"] == (k if method in TOLD_K else 25 // (25 // k))
    assert sum(report["sizes"]) == 25


@every_method
def test_bounds(method, squares, checked):
    number = ("--k", 4) if method in TOLD_K else ()
    report = checked(method, squares, *number, "--min-size", 4, "--max-size", 9, min_size=4)
    assert max(report["sizes"]) <= 9


@every_method
def test_points(method, grid, save, checked):
    frame = grid()
    source = save(frame.set_geometry(frame.centroid))
    assert checked(method, source, *regions(method, 5), "--weights", "knn:6")["k"] == 5


@pytest.fixture
def parted(grid, save):
    """Return a grid of which a column of units without values makes two components of ten."""
    frame = grid()
    x = frame.centroid.x
    frame.loc[x == x.median(), "a"] = np.nan
    return save(frame)


@every_method
def test_rows_left_out_are_not_passed_through(method, parted, cli):
    options = regions(method, 2, units=20)
    found = cli("-q", method, parted, "--columns", "a", "--missing", "drop", *options, "--json")
    assert json.loads(found.out)["sizes"] == [10, 10]


@every_method_told_k
def test_fewer_regions_than_components(method, parted, refused):
    said = "2 components, which no region can span"
    refused(method, parted, "--columns", "a", "--missing", "drop", "--k", 1, says=said)


@every_method
def test_an_island_is_too_small_for_a_bound(method, grid, save, refused, cli):
    frame = grid()
    frame.loc[24, "geometry"] = frame.geometry[24].centroid.buffer(9).envelope
    options = (save(frame), "--columns", "a,b", *(("--k", 3) if method in TOLD_K else ()), "--min-size", 3)
    said = ("the component of unit 25 (1 unit)", "less than the minimum", "--islands nearest")
    refused(method, *options, says=said)
    found = cli("-q", method, *options, "--islands", "nearest", "--json")
    assert min(json.loads(found.out)["sizes"]) >= 3


@every_method
def test_a_table_needs_a_weights_file(method, tmp_path, refused, cli):
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,2\n3,5\n4,4\n")
    options = (*regions(method, 2, units=3), "--columns", "a,b", "--compactness", 0)
    refused(method, source, *options, says="needs to know who is whose neighbour")
    links = tmp_path / "in.gal"
    links.write_text("3\n1 1\n2\n2 2\n1 3\n3 1\n2\n")
    found = cli("-q", method, source, *options, "--weights", links, "--json")
    assert json.loads(found.out)["k"] == (2 if method in TOLD_K else 3)


@every_method
def test_automatic_centroid_weight_has_nothing_to_look_for(method, squares, refused):
    refused(method, squares, *regions(method, 3), "--centroid-weight", "auto", code=2, says="always are")


@every_method
def test_a_wrong_answer_is_never_written(method, squares, cli, tmp_path, monkeypatch):
    """The check after the method is independent of it."""
    corners = np.isin(np.arange(25), [0, 24]).astype(np.int64)
    monkeypatch.setattr(task, "call_method", lambda *_: corners)
    number = ("--k", 2) if method in TOLD_K else ("--min-size", 2)
    with pytest.raises(AssertionError, match="pieces"):
        cli(method, squares, "--columns", "a,b", *number, "-o", tmp_path / "x.gpkg")
    assert not (tmp_path / "x.gpkg").exists()


@every_method
@pytest.mark.parametrize("name", SHARED)
def test_messy_layers(method, name, shared_data, checked, cli):
    """Islands are regions of their own, but where regions must be of some size they are joined."""
    folder = shared_data(SHARED[name])
    source = sorted(path for ending in ("*.gpkg", "*.shp", "*.geojson") for path in folder.rglob(ending))[0]
    about = json.loads(cli("info", source, "--json").out)
    columns = [column["name"] for column in about["columns"] if column["left_out"] is None][-3:]
    components = len(json.loads(cli("weights", source, "--json").out)["components"])
    assert len(columns) == 3
    k = components + 5
    options = regions(method, k, about["rows"])
    if method in {"balance", "maxp"}:
        options += ("--islands", "nearest", "--compactness", 0)
    report = checked(method, source, *options, "--missing", "mean", columns=",".join(columns))
    if method in TOLD_K:
        assert report["k"] == k
    else:
        assert 1 < report["k"] <= about["rows"] // (about["rows"] // k)
    if method == "balance":
        mean = about["rows"] / k
        assert max(abs(size - mean) for size in report["sizes"]) <= max(1, 0.05 * mean)
