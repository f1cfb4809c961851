"""`regionalize.rank`: frames in, a table out, as the command line has it."""

from __future__ import annotations

import json
import shlex

import geopandas
import numpy as np
import pytest

import regionalize as rz
from regionalize.io.sample import sample_path


@pytest.fixture(scope="module")
def counties():
    return geopandas.read_file(sample_path())


def test_places_in_any_form_are_the_same(counties):
    pairs = [(33.75, -84.39), (-32.08, 81.09)]
    frame = geopandas.GeoDataFrame(
        {"who": ["a", "b"]},
        geometry=geopandas.points_from_xy([-84.39, 81.09], [33.75, -32.08]),
        crs="EPSG:4326",
    )
    options = {"id": "name", "top": 4, "bands": [3, 6], "nested": True, "region_weight": {"C2": 2}}
    found = [rz.rank(counties, at, **options) for at in (pairs, ["33.75,-84.39", "-32.08,81.09"])]
    assert found[0].table.equals(found[1].table)
    framed = rz.rank(counties, frame, at_id="who", **options)
    assert framed.table["user"].tolist() == ["a"] * 4 + ["b"] * 4
    assert framed.table.drop(columns="user").equals(found[0].table.drop(columns="user"))
    assert (
        rz.rank(counties, pairs[0], **options).table["item"].tolist() == found[0].table["item"].tolist()[:4]
    )


def test_it_is_what_the_command_finds(counties, capsys):
    from regionalize.cli.program import run_program

    found = rz.rank(
        counties, (33.75, -84.39), id="name", max_km=40, score="linear", units="mi", max_per_region=2
    )
    command = shlex.split(found.report["command"])
    assert command[:3] == ["regionalize", "rank", "INPUT"]
    assert run_program(["rank", str(sample_path()), *command[3:], "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["ranking"]
    assert [row["item"] for row in rows] == found.table["item"].tolist()
    np.testing.assert_array_equal([row["distance_mi"] for row in rows], found.table["distance_mi"])
    assert any("zones are 5 bands" in note for note in found.notes)


@pytest.mark.parametrize(
    "options",
    [
        {"keep_zone": ["Rome, Italy"]},
        {"keep_zone": '"Rome, Italy"'},
        {"region_weight": {"Rome, Italy": 0}, "keep_zone": ["Rome, Italy"]},
        {"region_weight": [("Rome, Italy", 0)], "keep_zone": ["Rome, Italy"]},
        {"region_weight": '"Rome, Italy=0"', "keep_zone": ["Rome, Italy"]},
    ],
)
def test_names_of_zones_hold_commas(counties, options):
    named = counties.assign(city=["Oslo", "Rome, Italy", "x=1"] * 53)
    found = rz.rank(named, (33.75, -84.39), label_column="city", membership="hard", **options)
    assert found.table["zone"].tolist() == ["Rome, Italy"] * 53
    assert (found.table["score"] == 0).all() == ("region_weight" in options)
    assert '"Rome, Italy' in found.report["command"]


@pytest.mark.parametrize(
    ("at", "options", "says"),
    [
        ((95, 100), {}, "latitude 95"),
        ((33, -84), {"tops": 3}, "did you mean 'top'"),
        ((33, -84), {"where": "a > 1"}, "'where' is for reading a file"),
        ((33, -84), {"bands": 2.5}, "it must be a whole number"),
        ((33, -84), {"max_km": "far"}, "it must be a number"),
        ((33, -84), {"region_weight": 3}, "--region-weight is 3; give"),
        ((33, -84), {"region_weight": ["C3"]}, "--region-weight is 'C3'; write ZONE=W"),
    ],
)
def test_what_cannot_be_meant(counties, at, options, says):
    with pytest.raises(rz.RegionalizeError, match=says):
        rz.rank(counties, at, **options)


def test_the_map(counties, tmp_path):
    found = rz.rank(counties, (33.75, -84.39), top=2)
    assert found.plot(tmp_path / "map.svg").read_text().count('id="item-') == 2
