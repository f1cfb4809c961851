"""`regionalize rank`: what is promised of it, a test for each promise."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from scipy.stats import spearmanr

from regionalize.io.read import read_layer

RADIUS = 6371.0088
NEW_YORK = "40.7128,-74.0060"
CITIES = "city,lat,lon\nLA,34.0522,-118.2437\nChicago,41.8781,-87.6298\nPhiladelphia,39.9526,-75.1652\n"
SCORES = ("exp", "linear", "rank", "weights")


def haversine(first, second):
    """Kilometres between places of degrees, by vectors: another way than the program's."""

    def vectors(places):
        lat, lon = np.radians(places).T
        return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    a, b = vectors(first)[:, None], vectors(second)[None]
    cross = np.linalg.norm(np.cross(a, b), axis=2)
    return RADIUS * np.arctan2(cross, (a * b).sum(axis=2))


@pytest.fixture
def places():
    """Return 100 items, 32 users and ratings."""
    draw = np.random.default_rng(5)
    items, users = (
        np.round(np.column_stack([draw.uniform(30, 50, n), draw.uniform(-120, -70, n)]), 5) for n in (100, 32)
    )
    return items, users, np.round(draw.uniform(1, 5, 100), 3)


@pytest.fixture
def folder(tmp_path, places, monkeypatch):
    """Go to a folder with items, users and cities in tables."""
    monkeypatch.chdir(tmp_path)
    items, users, rating = places
    rows = [f"p{at},{a},{b},{one}\n" for at, ((a, b), one) in enumerate(zip(items, rating, strict=True))]
    (tmp_path / "pts.csv").write_text("name,lat,lon,rating\n" + "".join(rows))
    rows = [f"{a},{b}\n" for a, b in users]
    (tmp_path / "users32.csv").write_text("lat,lon\n" + "".join(rows))
    (tmp_path / "cities.csv").write_text(CITIES)
    return tmp_path


@pytest.fixture
def table(cli, folder):
    """Rank, and return the rows of the table, numbers as such."""

    def run(*args):
        found = cli("rank", *args, "-o", "out.csv", "--overwrite")
        assert found.code == 0, found.err
        with (folder / "out.csv").open(newline="") as file:
            return [{name: plain(value) for name, value in row.items()} for row in csv.DictReader(file)]

    return run


def plain(value):
    try:
        return float(value)
    except ValueError:
        return value


def members(row):
    return {name: value for name, value in row.items() if name.startswith("membership")}


MANY = ("pts.csv", "--at-file", "users32.csv")
ONE = ("pts.csv", "--at", "40,-95")


class TestZones:
    def test_memberships_of_all_pairs_are_arrays(self, cli, folder, places):
        assert cli("rank", *MANY, "--bands", 5, "--out", "m.npz").code == 0
        found = np.load("m.npz")
        assert found["memberships"].shape == (32, 100, 5)
        assert found["scores"].shape == found["rank"].shape == (32, 100)
        np.testing.assert_allclose(found["distance_km"], haversine(places[1], places[0]), rtol=1e-9)
        np.testing.assert_array_equal(np.sort(found["rank"]), np.tile(np.arange(1, 101), (32, 1)))

    @pytest.mark.parametrize("how", ["gaussian", "fuzzy", "hard"])
    def test_memberships_are_shares(self, table, how):
        for row in table(*ONE, "--bands", 5, "--membership", how):
            shares = list(members(row).values())
            assert min(shares) >= 0
            assert abs(sum(shares) - 1) < 1e-12
            assert np.argmax(shares) + 1 == row["zone"]

    def test_hard_zones_are_the_nearest_centre(self, cli, folder, places):
        centers = np.array([[35.0, -110.0], [45.0, -100.0], [38.0, -80.0]])
        lines = [f"{name},{a},{b}\n" for name, (a, b) in zip(("west", "north", "east"), centers, strict=True)]
        (folder / "centers.csv").write_text("name,lat,lon\n" + "".join(lines))
        given = (*ONE, "--centers", "centers.csv", "--membership", "hard")
        document = json.loads(cli("rank", *given, "--json").out)
        nearest = haversine(places[0], centers).argmin(axis=1)
        for row in document["ranking"]:
            at = nearest[row["item"] - 1]
            assert row["zone"] == ("west", "north", "east")[at]
            assert [row[f"membership_{k}"] for k in (1, 2, 3)] == np.eye(3)[at].tolist()

    @pytest.mark.parametrize("k", [1, 2, 3, 10, 50])
    def test_there_are_as_many_bands_as_asked_for(self, table, k):
        rows = table(*ONE, "--bands", k)
        assert len(members(rows[0])) == k
        assert {row["zone"] for row in rows} == set(range(1, k + 1))

    @pytest.mark.parametrize(("k", "says"), [(0, "0 bands cannot be made"), (101, "of 100 distances")])
    def test_bands_that_cannot_be_made(self, refused, folder, k, says):
        refused("rank", *ONE, "--bands", k, code=2, says=[says])

    def test_the_order_of_the_items_is_no_matter(self, table, folder):
        before = {row["item"]: row for row in table(*MANY, "--id", "name", "--bands", 5, "--top", 100)}
        head, *lines = (folder / "pts.csv").read_text().splitlines()
        (folder / "pts.csv").write_text("\n".join([head, *lines[::-1]]) + "\n")
        assert {
            row["item"]: row for row in table(*MANY, "--id", "name", "--bands", 5, "--top", 100)
        } == before

    def test_units(self, table):
        km = table(*ONE, "--units", "km")
        for unit, length in (("mi", 1.609344), ("m", 0.001)):
            rows = table(*ONE, "--units", unit)
            np.testing.assert_allclose(
                [row[f"distance_{unit}"] for row in rows],
                [row["distance_km"] / length for row in km],
                rtol=1e-14,
            )

    def test_zones_to_keep(self, cli, table):
        whole = [row for row in table(*ONE, "--bands", 5) if row["zone"] == 2]
        rows = table(*ONE, "--bands", 5, "--keep-zone", "C2")
        assert [row["item"] for row in rows] == [row["item"] for row in whole]
        assert {row["zone"] for row in table(*ONE, "--keep-zone", "0,1")} == {1}
        found = cli("rank", *ONE, "--keep-zone", "0,1")
        assert "note: there is no zone 0: zones are numbered from 1" in found.notes
        assert any("zones are 5 bands of distance" in note for note in found.notes)

    def test_levels_of_bands(self, table):
        rows = table(*MANY, "--bands", "3,10,50")
        assert {name for name in rows[0] if name.startswith("zone")} == {"zone_3", "zone_10", "zone_50"}
        for k in (3, 10, 50):
            assert sum(name.startswith(f"membership_{k}_") for name in rows[0]) == k
        nested = table(*MANY, "--bands", "3,10,50", "--nested")
        for coarse, fine in ((3, 10), (10, 50)):
            pairs = {(row[f"zone_{coarse}"], row[f"zone_{fine}"]) for row in nested}
            assert len(pairs) == fine

    def test_a_table_for_other_tools(self, table):
        row = table(*ONE, "--bands", 4)[0]
        expected = ["user", "rank", "item", "distance_km", "score", "zone"]
        assert list(row) == [*expected, *(f"membership_{k}" for k in range(1, 5)), "kept"]

    def test_blocks_are_no_matter(self, cli, folder):
        given = ("rank", *MANY, "--bands", 5, "--top", 7)
        for block in (1, 150, 1 << 20):
            assert cli(*given, "--block", block, "-o", f"{block}.csv").code == 0
        assert (folder / "1.csv").read_bytes() == (folder / "150.csv").read_bytes()
        assert (folder / "1.csv").read_bytes() == (folder / f"{1 << 20}.csv").read_bytes()

    @pytest.mark.parametrize("ending", [".csv", ".npz", ".geojson", ".png", ".html"])
    def test_two_runs_write_the_same_bytes(self, cli, folder, ending):
        option = "--map" if ending in {".png", ".html"} else "-o"
        given = ("rank", *ONE, "--bands", 3, "--seed", 4, option)
        assert cli(*given, f"one{ending}").code == 0
        assert cli(*given, f"two{ending}").code == 0
        one, two = ((folder / f"{name}{ending}").read_bytes() for name in ("one", "two"))
        assert one.replace(b"one.geojson", b"two.geojson").replace(b'"name": "one"', b'"name": "two"') == two


class TestScores:
    def test_great_circle_distances(self, table):
        rows = table("cities.csv", "--id", "city", "--at", NEW_YORK)
        found = {row["item"]: row["distance_km"] for row in rows}
        known = {"LA": 3935.8, "Chicago": 1144.3, "Philadelphia": 129.6}
        assert found == pytest.approx(known, abs=0.1)

    def test_a_row_for_every_user_and_item(self, table):
        rows = table(*MANY)
        assert len(rows) == 3200
        assert {row["user"] for row in rows} == set(range(1, 33))

    @pytest.mark.parametrize("score", SCORES)
    def test_the_nearer_the_higher(self, cli, folder, score):
        assert cli("rank", *MANY, "--bands", 5, "--score", score, "-o", "m.npz").code == 0
        found = np.load("m.npz")
        assert found["scores"].shape == (32, 100)
        for scores, distances in zip(found["scores"], found["distance_km"], strict=True):
            assert spearmanr(scores, -distances).statistic >= 0.99

    def test_scale(self, table):
        for row in table(*ONE, "--scale", 500):
            assert row["score"] == pytest.approx(np.exp(-row["distance_km"] / 500), rel=1e-12)

    def test_a_zone_of_more_weight_rises(self, table):
        before, after = (
            {row["item"]: row for row in table(*ONE, "--bands", 5, *more)}
            for more in ((), ("--region-weight", "C3=2"))
        )
        zone = [item for item, row in before.items() if row["zone"] == 3]
        assert zone
        for item in zone:
            share = before[item]["membership_3"]
            assert after[item]["score"] == pytest.approx(before[item]["score"] * (1 + share), rel=1e-12)
        ranks = ([rows[item]["rank"] for item in zone] for rows in (after, before))
        assert sum(next(ranks)) < sum(next(ranks))

    @pytest.mark.parametrize("how", ["minmax", "softmax", "zscore"])
    def test_normalized_scores(self, table, how):
        rows = table(*MANY, "--normalize", how)
        for user in range(1, 33):
            score = np.array([row["score"] for row in rows if row["user"] == user])
            if how == "minmax":
                assert (score.min(), score.max()) == (0, 1)
            elif how == "softmax":
                assert score.min() > 0
                assert score.sum() == pytest.approx(1)
            else:
                assert (score.mean(), score.std()) == pytest.approx((0, 1), abs=1e-9)

    def test_an_attribute(self, table, places):
        given = (*ONE, "--attribute", "rating", "--attribute-weight")
        items = [row["item"] for row in table(*ONE)]
        assert [row["item"] for row in table(*given, 0)] == items
        km = haversine(np.array([[40.0, -95.0]]), places[0])[0]
        best = np.lexsort((km, -places[2]))
        assert [row["item"] - 1 for row in table(*given, 1)] == best.tolist()
        rating = (places[2] - places[2].min()) / np.ptp(places[2])
        near = {row["item"]: row["score"] for row in table(*ONE)}
        for row in table(*given, 0.3):
            mixed = 0.7 * near[row["item"]] + 0.3 * rating[int(row["item"]) - 1]
            assert row["score"] == pytest.approx(mixed, rel=1e-12)

    def test_any_number_of_bands_is_told_with_the_spread_of_scores(self, cli, folder):
        for k in (3, 5, 10):
            found = cli("rank", *ONE, "--bands", k)
            assert found.code == 0
            assert re.search(r"standard\s+deviation\s+0\.\d+", found.out)
            assert max(map(len, found.out.splitlines())) <= 80


class TestSelection:
    def test_the_near_are_kept(self, table, places):
        expected = int((haversine(np.array([[40.0, -95.0]]), places[0]) <= 700).sum())
        rows = table(*ONE, "--max-km", 700)
        assert 0 < len(rows) == expected < 100
        assert max(row["distance_km"] for row in rows) <= 700

    def test_a_least_score_and_a_mask(self, table):
        kept = table(*ONE, "--min-score", 0.5)
        assert min(row["score"] for row in kept) >= 0.5
        rows = table(*ONE, "--min-score", 0.5, "--list-all")
        assert [row["kept"] for row in rows] == [1] * len(kept) + [0] * (100 - len(kept))
        assert all((row["score"] >= 0.5) == row["kept"] == (row["rank"] != "") for row in rows)

    def test_the_best_of_every_place(self, cli, table):
        whole = [row for row in table(*MANY) if row["rank"] <= 10]
        assert table(*MANY, "--top", 10) == whole
        assert len(whole) == 320
        assert len(table(*ONE, "--top", 150)) == 100
        assert table("pts.csv", "--at", "0,0", "--max-km", 5) == []
        assert cli("rank", "pts.csv", "--at", "0,0", "--max-km", 5).notes[-1] == (
            "note: nothing is left within 5 km for 1 place: 1"
        )

    @pytest.mark.parametrize("option", ["--max-per-cluster", "--max-per-region"])
    def test_a_cap_per_zone(self, table, option):
        rows = table(*ONE, "--bands", 5, option, 2)
        assert len(rows) == 10
        zones = [row["zone"] for row in rows]
        assert {zones.count(zone) for zone in zones} == {2}

    def test_a_place_outside_of_everything(self, table):
        rows = table("pts.csv", "--at", "0,0", "--bands", 5)
        assert min(row["distance_km"] for row in rows) > 5000
        assert all(np.isfinite(list(members(row).values())).all() for row in rows)

    def test_southern_and_western_places(self, table):
        rows = table("pts.csv", "--at", "-23.5,-46.6", "--at", "40,-95", "--top", 1)
        assert [row["user"] for row in rows] == [1, 2]
        assert rows[0]["distance_km"] > 5000 > rows[1]["distance_km"]


class TestLayers:
    @pytest.fixture
    def regions(self, cli, folder):
        assert cli("kmeans", "--k", 4, "--columns", "pct_*", "--label-column", "cl", "-o", "c.gpkg").code == 0

    def test_regions_of_an_earlier_run(self, table, regions):
        layer = read_layer("c.gpkg")
        known = dict(
            zip(layer.attributes["name"].to_pylist(), layer.attributes["cl"].to_pylist(), strict=True)
        )
        rows = table("c.gpkg", "--id", "name", "--label-column", "cl", "--at", "33.75,-84.39")
        assert list(rows[0])[-1] == "cl"
        assert {row["item"]: row["zone"] for row in rows} == known
        assert all(row["zone"] == row["cl"] for row in rows)

    @pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".parquet", ".fgb"])
    def test_layers_have_the_items_columns(self, cli, regions, ending):
        given = ("--id", "name", "--label-column", "cl", "--at", "33.75,-84.39", "--top", 5)
        assert cli("rank", "c.gpkg", *given, "-o", f"out{ending}").code == 0
        items, found = read_layer("c.gpkg"), read_layer(f"out{ending}")
        rows = [
            items.attributes["name"].to_pylist().index(name) for name in found.attributes["item"].to_pylist()
        ]
        assert found.attributes["tot_pop"].to_pylist() == items.attributes["tot_pop"].take(rows).to_pylist()
        assert len(found.geometry) == 5
        if ending != ".geojson":
            assert [one.wkt for one in found.geometry] == [items.geometry[row].wkt for row in rows]
        assert [record.made_by for record in found.history] == ["kmeans", "rank"]

    def test_what_a_ranking_made_is_no_variable(self, cli, regions):
        cli("rank", "c.gpkg", "--at", "33.75,-84.39", "--bands", 3, "-o", "out.gpkg")
        found = cli("kmeans", "out.gpkg", "--k", 2)
        assert found.code == 0
        taken = next(note for note in found.notes if "numeric columns taken" in note)
        assert "score" not in taken
        assert "tot_pop" in taken
        # nor does another ranking keep it
        cli("rank", "out.gpkg", "--at", "33.75,-84.39", "-o", "again.gpkg")
        names = read_layer("again.gpkg").column_names
        assert "membership_1" not in names
        assert "cl" in names

    def test_columns_of_the_same_name(self, cli, folder):
        (folder / "own.csv").write_text("score,lat,lon\n7,1,2\n")
        found = cli("rank", "own.csv", "--at", "1,2", "-o", "own.geojson")
        assert any("column 'score' of the items is called 'item_score'" in note for note in found.notes)
        assert read_layer("own.geojson").attributes["item_score"].to_pylist() == [7]

    @pytest.mark.parametrize("ending", [".csv", ".gpkg", ".geojson", ".parquet", ".npz", ".png", ".html"])
    def test_nothing_in_range_is_a_whole_result(self, cli, folder, ending):
        option = "--map" if ending in {".png", ".html"} else "-o"
        found = cli("rank", "pts.csv", "--at", "0,0", "--max-km", 5, option, f"none{ending}")
        assert found.code == 0
        assert (folder / f"none{ending}").stat().st_size > 0

    def test_the_command_repeats_the_run(self, cli, regions):
        given = ("c.gpkg", "--id", "name", "--label-column", "cl", "--at", "-33.75,-84.39", "--at", "33,-84")
        more = ("--region-weight", "C2=1.5", "--keep-zone", "1,2", "--top", 4, "--attribute", "tot_pop")
        document = json.loads(cli("rank", *given, *more, "--json").out)
        import shlex

        program, command, *words = shlex.split(document["command"])
        assert (program, command) == ("regionalize", "rank")
        assert json.loads(cli("rank", *words, "--json").out)["ranking"] == document["ranking"]

    def test_settings_are_saved(self, cli, folder):
        given = (
            "--at",
            "-23.5,-46.6",
            "--at",
            "40,-95",
            "--bands",
            "3,5",
            "--nested",
            "--region-weight",
            "C2=2",
        )
        assert cli("rank", "pts.csv", *given, "--save-config", "s.toml", "-o", "one.csv").code == 0
        assert cli("--config", "s.toml", "rank", "-o", "two.csv").code == 0
        assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


class TestMaps:
    @pytest.mark.parametrize("ending", [".png", ".svg", ".pdf", ".html"])
    def test_it_has_the_place_and_its_items(self, cli, folder, ending):
        file = folder / f"map{ending}"
        assert cli("rank", *ONE, "--id", "name", "--top", 6, "--map", file).code == 0
        content = file.read_bytes()
        if ending == ".svg":
            text = content.decode()
            assert text.count('id="item-') == 6
            assert text.count('id="place-') == 1
        elif ending == ".html":
            data = re.search(r'id="data">(.*?)</script>', content.decode()).group(1)
            ids = json.loads(data)["ids"]
            assert sum(one.startswith(tuple(f"{rank}. p" for rank in range(1, 7))) for one in ids) == 6
            assert ids.count("place 1") == 1
            assert "Point at an item for its rank" in content.decode()
        else:
            assert len(content) > 5000

    def test_a_long_list_is_cut_and_that_is_said(self, cli, folder):
        found = cli("rank", *ONE, "--map", "map.svg")
        assert "note: the map shows 10 of 100 ranked items; --top says how many" in found.notes


class TestFaults:
    @pytest.mark.parametrize(
        ("place", "says"),
        [
            ("95,100", "latitude 95 is not between -90 and 90"),
            ("-118.2437,34.0522", "look swapped; write 34.0522,-118.2437"),
            ("nan,10", "missing or no number"),
            ("500000,4649776", "transform projected coordinates"),
            ("here", "write LAT,LON in degrees"),
            ("10,190", "write it as -170"),
        ],
    )
    def test_places_that_are_none(self, refused, folder, place, says):
        refused("rank", "pts.csv", "--at", place, code=2, says=[says])

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            ("95,100", "row 2: latitude 95"),
            ("-118.2,34.1", "row 2: latitude and longitude look swapped"),
            (",10", "row 2: the place is missing"),
            ("500000,4649776", "row 2: 500000, 4649776 are no degrees"),
        ],
    )
    def test_rows_that_are_no_place(self, refused, folder, row, says):
        (folder / "bad.csv").write_text(f"lat,lon\n1,2\n{row}\n")
        refused("rank", "bad.csv", "--at", "1,2", says=["bad.csv", says])
        refused("rank", "pts.csv", "--at-file", "bad.csv", says=["bad.csv", says])

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (("--at", "1,2", "--bands", 3, "--label-column", "rating"), "both make zones"),
            (("--at", "1,2", "--at-file", "users32.csv"), "places are given twice"),
            ((), "there is no place to rank for"),
            (("--at", "1,2", "--at-id", "name"), "give --at-file FILE"),
            (("--at", "1,2", "--attribute-weight", 0.5), "name a column with --attribute"),
            (("--at", "1,2", "--keep-zone", "9"), "there is no zone '9'"),
            (("--at", "1,2", "--region-weight", "C3=much"), "is not a number; write --region-weight C3=2"),
            (("--at", "1,2", "--bands", "few"), "write --bands 5 or --bands 3,10"),
            (("--at", "1,2", "--bands", "3,x"), "--bands is '3,x'; it must be a whole number, or several"),
            (("--at", "1,2", "-o", "x.npz", "--output-layer", "x"), "an .npz has none"),
        ],
    )
    def test_options_that_cannot_be_meant(self, refused, folder, given, says):
        refused("rank", "pts.csv", *given, code=2, says=[says])

    def test_arrays_that_would_fill_the_disk(self, refused, folder):
        rows = "".join(f"{at % 90},{at % 180}\n" for at in range(3000))
        (folder / "many.csv").write_text(f"lat,lon\n{rows}")
        given = ("many.csv", "--at-file", "many.csv", "--bands", 100, "-o", "all.npz")
        refused("rank", *given, code=2, says=["the arrays would have 7 GB; write the best rows"])

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (("-o", "pts.csv", "--overwrite"), "is the input"),
            (("-o", "cities.csv"), "already exists"),
            (("-o", "x.xlsx"), "is not a format that can be written"),
            (("--map", "x.bmp"), "--map cannot be written as"),
            (("-o", "users32.csv", "--overwrite"), "is the input"),
            (("-o", "none/x.npz"), "there is no folder"),
            (("-o", "x.shp", "--bands", "3"), "a shapefile's column names hold 10 bytes"),
        ],
    )
    def test_outputs_that_cannot_be_written(self, refused, folder, given, says):
        refused("rank", *MANY, *given, "--top", 3, says=[says])
