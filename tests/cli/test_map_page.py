"""`--map x.html` and `regionalize map -o x.html`."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def data_of(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])


@pytest.mark.parametrize(
    ("words", "labelings"),
    [
        (["kmeans", "--k", "3"], ["kmeans, k = 3"]),
        (["skater", "--k", "3", "--dissolve-lines"], ["skater, k = 3"]),
        (["hierarchical", "--k", "3,5"], ["k = 3", "k = 5"]),
        (["dbscan", "--eps", "1"], None),
        (["stability", "--k", "3", "--runs", "3"], ["stability", "kmeans, k = 3"]),
        (["compare", "kmeans:k=3", "skater:k=3"], ["kmeans:k=3", "skater:k=3"]),
        (["choose-k", "--k", "2-4"], ["k = 2", "k = 3", "k = 4"]),
    ],
)
def test_every_command_that_draws_maps_writes_pages(cli, folder, words, labelings):
    done = cli(*words, "--columns", "pct_rural,pct_pov", "--map", "x.html")
    assert done.code == 0, done.err
    assert "map written to x.html" in done.err
    data = data_of(folder / "x.html")
    assert labelings is None or [one["name"] for one in data["colorings"]] == labelings
    assert (data["id"], len(data["ids"]), data["ids"][0]) == ("name", 159, "Appling")
    assert [one["name"] for one in data["columns"]][-2:] == ["pct_rural", "pct_pov"]


def test_the_id_column_of_a_run_names_the_units(cli, folder):
    assert cli("kmeans", "--k", "3", "--id", "fips", "--map", "x.html").code == 0
    data = data_of(folder / "x.html")
    assert (data["id"], data["ids"][0]) == ("fips", "13001")


def test_a_column_is_drawn_with_columns_that_are_named(cli, folder):
    assert cli("kmeans", "--k", "3", "-o", "out.gpkg").code == 0
    assert cli("map", "out.gpkg", "-o", "x.html").code == 0
    names = [one["name"] for one in data_of(folder / "x.html")["columns"]]
    assert names == ["tot_pop", "pct_rural", "pct_bach", "pct_eld", "pct_fb", "pct_pov", "pct_black"]
    assert cli("map", "out.gpkg", "-o", "y.html", "--id", "fips", "--columns", "name,pct_b*").code == 0
    data = data_of(folder / "y.html")
    assert data["id"] == "fips"
    assert [one["name"] for one in data["columns"]] == ["name", "pct_bach", "pct_black"]
    assert data["columns"][0]["values"][0] == "Appling"


def test_labels_that_are_names_are_the_legend(cli, folder):
    assert cli("map", "-o", "x.html", "--label-column", "name", "--title", "Names").code == 0
    (coloring,) = data_of(folder / "x.html")["colorings"]
    assert coloring["legend"] == "name"
    assert [one["text"] for one in coloring["classes"][:2]] == ["Appling", "Atkinson"]


@pytest.mark.parametrize("extra", [["--id", "fips"], ["--columns", "pct_pov"]])
def test_what_only_a_page_tells_is_refused_for_a_picture(cli, folder, extra):
    done = cli("map", "-o", "x.png", "--label-column", "fips", *extra)
    assert (done.code, done.errors) == (
        2,
        ["error: --id and --columns are for an interactive map; name a file .html"],
    )
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("words", [["--id", "nix"], ["--columns", "pct_nix"], ["--label-column", "nix"]])
def test_a_column_that_is_not_there_is_refused(cli, folder, words):
    options = {"--label-column": "fips"} | {words[0]: words[1]}
    done = cli("map", "-o", "x.html", *(word for pair in options.items() for word in pair))
    assert done.code == 2
    assert "nix" in done.errors[0]
    assert list(folder.iterdir()) == []


def test_a_table_has_no_page(cli, folder):
    (folder / "t.csv").write_text("a,b,cluster\n1,2,1\n3,4,2\n5,7,1\n")
    for words in (["kmeans", "t.csv", "--k", "2", "--map", "x.html"], ["map", "t.csv", "-o", "x.html"]):
        done = cli(*words)
        assert done.code == 1
        assert "no geometry" in done.errors[0]
    assert not (folder / "x.html").exists()


def test_nothing_is_overwritten_unasked(cli, folder):
    (folder / "x.html").write_text("mine")
    assert cli("map", "-o", "x.html", "--label-column", "fips").code == 1
    assert (folder / "x.html").read_text() == "mine"
    assert cli("map", "-o", "x.html", "--label-column", "fips", "--overwrite").code == 0


def test_other_pictures_are_no_pages(cli, folder):
    done = cli("hierarchical", "--k", "3", "--dendrogram", "x.html")
    assert done.code == 1
    assert "use .png or .svg or .pdf" in done.errors[0]


def test_more_labelings_than_a_page_of_maps_has_room_for(cli, folder):
    things = [f"kmeans:k={k}" for k in range(2, 20)]
    assert cli("compare", *things, "--columns", "pct_rural", "--map", "x.png").code == 2
    assert cli("compare", *things, "--columns", "pct_rural", "--map", "x.html").code == 0
    assert len(data_of(folder / "x.html")["colorings"]) == 18
