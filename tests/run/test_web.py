"""What an interactive map tells of units, and the pages that Python writes."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

import regionalize as rz
from regionalize.errors import UsageError
from regionalize.model.layer import Layer
from regionalize.run.web import name_column, told_units, units_of


def data_of(path):
    """Return what a page holds, and its text."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1]), text


def table(**columns) -> Layer:
    return Layer(pa.table(columns), None, None)


NAMES = ["north", "south", "west"]


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"fips": ["01", "02", "03"], "name": NAMES}, "name"),  # names before codes
        ({"fips": ["01", "02", "03"], "name": ["a", "a", "b"]}, "fips"),  # a name twice names nobody
        ({"fips": [1, 2, 3], "name": ["a", None, "b"]}, "fips"),
        ({"name": ["a", "", "b"], "people": [1, 2, 3]}, None),
        ({"share": [0.1, 0.2, 0.3]}, None),
        ({"first": NAMES, "second": NAMES}, "first"),
    ],
)
def test_units_are_named_by_the_first_column_that_tells_them_apart(columns, wanted):
    assert name_column(table(**columns)) == wanted


def test_rows_are_counted_where_nothing_names_them():
    units = units_of(table(share=[0.1, 0.2]), None, ["share"])
    assert (list(units.ids), units.title, dict(units.columns)) == (
        ["no. 1", "no. 2"],
        "row",
        {"share": [0.1, 0.2]},
    )


def test_columns_that_are_not_the_layers_are_passed_over_and_the_name_is_told_once():
    layer = table(name=["a", "b"], share=[0.1, None])
    units = units_of(layer, None, ["X", "name", "share"], {"kept": [1.0, None]})
    assert list(units.columns) == ["kept", "share"]
    assert units.columns["share"] == [0.1, None]


def test_a_map_of_a_column_tells_the_variables_or_what_is_named():
    layer = table(name=NAMES, zone=[1, 2, 1], a=[1.0, 2.0, 3.0], b=[4, 5, 4], objectid=[7, 8, 9])
    assert list(told_units(layer, "zone", None, ()).columns) == ["a", "b"]
    assert list(told_units(layer, "zone", "objectid", "b, na*,zone").columns) == ["b", "name", "zone"]
    assert list(told_units(layer, "zone", "objectid", ()).ids) == ["7", "8", "9"]
    with pytest.raises(UsageError, match="no column 'nix'"):
        told_units(layer, "zone", None, ["nix"])
    with pytest.raises(UsageError, match="no column 'nix' for --id"):
        told_units(layer, "zone", "nix", ())


def test_a_result_is_plotted(frame, tmp_path):
    found = rz.regionalize(frame, "kmeans", k=3, columns=["a", "b"])
    path = found.plot(tmp_path / "x.html", dissolve_lines=True)
    data, _ = data_of(path)
    assert data["outlined"]
    assert [one["count"] for one in data["colorings"][0]["classes"]] == list(found.report.sizes)
    assert [one["name"] for one in data["columns"]] == ["a", "b"]
    again = found.plot(tmp_path / "y.html", dissolve_lines=True)
    assert path.read_bytes() == again.read_bytes()


def test_original_values_are_told_also_where_missing_ones_were_filled(frame, tmp_path):
    frame.loc[3, "a"] = np.nan
    found = rz.regionalize(frame, "kmeans", k=3, columns=["a", "b"], missing="mean")
    data, _ = data_of(found.plot(tmp_path / "x.html"))
    assert data["columns"][0]["values"][3] is None
    assert data["columns"][0]["values"][4] == pytest.approx(frame["a"][4], rel=1e-4)


def test_every_number_of_regions_is_there_to_choose(frame, tmp_path):
    """The finest keeps its colours; a region that was not split has its colour at every number."""
    found = rz.regionalize(frame, "schc", k=[2, 4], columns=["a", "b"])
    data, _ = data_of(found.plot(tmp_path / "x.html"))
    coarse, fine = data["colorings"]
    assert (coarse["name"], fine["name"], data["shown"]) == ("k = 2", "k = 4", 1)
    for k, coloring in zip((2, 4), (coarse, fine), strict=True):
        sizes = found.levels[k].value_counts().sort_index().tolist()
        assert [one["count"] for one in coloring["classes"]] == sizes
        assert [one["text"] for one in coloring["classes"]] == [str(code) for code in range(1, k + 1)]
    colors = {
        k: {c: one["day"] for c, one in enumerate(col["classes"], 1)} for k, col in ((2, coarse), (4, fine))
    }
    for code in (1, 2):
        inside = found.levels[4][found.levels[2] == code]
        assert colors[2][code] == colors[4][inside.mode().iloc[0]]


def test_a_comparison_keeps_the_names_of_each_labeling(frame, tmp_path):
    frame["one"] = np.repeat(["north", "south"], [15, 10])
    frame["two"] = np.repeat([10, 20], [10, 15])
    compared = rz.compare(frame, ["one", "two"], columns=["a", "b"])
    data, _ = data_of(compared.plot(tmp_path / "x.html"))
    one, two = data["colorings"]
    assert [entry["text"] for entry in one["classes"]] == ["north", "south"]
    assert [entry["text"] for entry in two["classes"]] == ["10", "20"]
    assert [entry["day"] for entry in one["classes"]] == [entry["day"] for entry in two["classes"]]


def test_stability_is_shades_and_the_regions(frame, tmp_path):
    found = rz.stability(frame, "skater", k=3, columns=["a", "b"], runs=5)
    data, _ = data_of(found.plot(tmp_path / "x.html"))
    shades, regions = data["colorings"]
    assert (shades["name"], regions["name"]) == ("stability", "skater, k = 3")
    assert shades["regions"] is not None  # contiguous ones are outlined
    assert data["columns"][0]["name"] == "stability"
    np.testing.assert_allclose(data["columns"][0]["values"], found.stability, rtol=1e-4)


def test_every_k_tried_is_there_to_choose(frame, tmp_path):
    found = rz.choose_k(frame, k=range(2, 5), columns=["a", "b"])
    data, _ = data_of(found.map(tmp_path / "x.html"))
    assert [one["name"] for one in data["colorings"]] == ["k = 2", "k = 3", "k = 4"]
    assert data["colorings"][data["shown"]]["name"] == f"k = {found.numbers.chosen.k}"


def test_a_dendrogram_is_no_page(frame, tmp_path):
    found = rz.regionalize(frame, "hierarchical", k=3, columns=["a", "b"])
    with pytest.raises(UsageError, match=r"cannot be written as '.html'"):
        found.dendrogram(tmp_path / "x.html")
