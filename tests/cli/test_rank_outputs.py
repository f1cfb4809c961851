"""`regionalize rank`: what it writes for other programs, and what it says where it cannot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import numpy as np
import pytest

ATLANTA = ("--at", "33.75,-84.39")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def classes(text):
    return [(float(one.get("lower")), float(one.get("upper"))) for one in ET.fromstring(text).iter("range")]


class TestStyle:
    def test_a_geopackage_shows_scores_in_classes(self, cli):
        assert cli("rank", *ATLANTA, "--top", 40, "-o", "near.gpkg").code == 0
        with closing(sqlite3.connect("near.gpkg")) as database:
            (row,) = database.execute("SELECT styleName, useAsDefault, styleQML FROM layer_styles").fetchall()
            scores = [score for (score,) in database.execute("SELECT score FROM near")]
        assert row[:2] == ("score", 1)
        found = classes(row[2])
        assert len(found) == 5
        assert (found[-1][0], found[0][1]) == (min(scores), max(scores))
        np.testing.assert_allclose(np.diff(found), (max(scores) - min(scores)) / 5)

    @pytest.mark.parametrize("name", ["near.parquet", "near.geojson"])
    def test_other_layers_have_it_beside_them(self, cli, tmp_path, name):
        assert cli("rank", *ATLANTA, "--top", 3, "-o", name, "--qml").code == 0
        assert len(classes((tmp_path / "near.qml").read_text())) == 5

    def test_points_of_a_table_have_one_too(self, cli, tmp_path):
        (tmp_path / "p.csv").write_text("lat,lon\n1,2\n3,4\n")
        assert cli("rank", "p.csv", "--at", "1,2", "-o", "p.geojson", "--qml").code == 0
        assert (tmp_path / "p.qml").exists()

    def test_what_cannot_have_one(self, refused):
        refused("rank", *ATLANTA, "-o", "near.csv", "--qml", says=["CSV holds no geometry to style"])
        refused("rank", *ATLANTA, "-o", "near.npz", "--qml", code=2, says=["none is written"])


class TestRefusals:
    def test_the_endings_that_there_are(self, refused):
        refused("rank", *ATLANTA, "-o", "near.npy", says=["'.npy' is not a format", ".csv, .npz"])

    def test_a_column_of_the_places_goes_by_its_own_option(self, refused, tmp_path):
        (tmp_path / "u.csv").write_text("who,lat,lon\na,1,2\n")
        refused(
            "rank",
            *("--at-file", "u.csv", "--at-id", "name"),
            code=2,
            says=["u.csv", "there is no column 'name' for --at-id; use one of who, lat, lon"],
        )

    def test_a_shapefile_has_no_room_for_names_of_memberships(self, refused):
        said = refused("rank", *ATLANTA, "--bands", 3, "-o", "near.shp", says=["write a GeoPackage"])
        assert "--label-column" not in said


def test_ids_that_are_missing_or_repeat(cli, tmp_path):
    (tmp_path / "p.csv").write_text("name,lat,lon\n007,1,1\n,2,1\n=1+1,3,1\n007,4,1\n")
    found = cli("rank", "p.csv", "--id", "name", "--at", "0,0", "-o", "out.csv")
    assert "1 item without an id in 'name'" in found.err
    assert "ids in 'name' repeat: 1 item with that of another before it" in found.err
    rows = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert [row.split(",")[2] for row in rows] == ['"007"', '""', '"=1+1"', '"007"']


@pytest.mark.parametrize("name", ["one.png", "one.html"])
def test_a_map_of_one_place_and_items_there(cli, tmp_path, name):
    (tmp_path / "p.csv").write_text("lat,lon\n1,1\n1,1\n")
    assert cli("rank", "p.csv", "--at", "1,1", "--map", name).code == 0
    assert (tmp_path / name).stat().st_size > 1000
