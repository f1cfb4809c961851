"""Maps of every command that makes labels: drawn, with what they were made from on them."""

from __future__ import annotations

import base64
import csv
import json
import re
import xml.etree.ElementTree as ET

import geopandas
import pytest
import shapely

SVG = "{http://www.w3.org/2000/svg}"
COLUMNS = ("--columns", "pct_rural,pct_pov")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """The sample with a column of regions, and centres to assign by."""
    from regionalize.cli.program import run_program

    folder = tmp_path_factory.mktemp("labelled")
    file, centers = folder / "in.geojson", folder / "centers.csv"
    assert run_program(["skater", "--k", "4", *COLUMNS, "-o", str(file)]) == 0
    assert run_program(["kmeans", str(file), "--k", "4", *COLUMNS, "--centers", str(centers)]) == 0
    return file, centers


class Page:
    """Texts and named groups of an SVG."""

    def __init__(self, path):
        root = ET.parse(path).getroot()
        self.texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
        self.groups = {g.get("id"): g for g in root.iter(f"{SVG}g") if g.get("id")}

    @property
    def source(self):
        """The last line, or lines."""
        start = next(at for at, text in enumerate(self.texts) if re.match(r"\S+\.(gpkg|geojson); ", text))
        return " ".join(self.texts[start:])


def run_maps(cli, command, labelled, target, *more):
    return run_report(cli, command, labelled, "--map", target, *more)


def run_report(cli, command, labelled, *more):
    file, centers = labelled
    words = {
        "kmeans": ["kmeans", file, "--k", "4", "--seed", "7", *COLUMNS],
        "dbscan": ["dbscan", file, "--eps", "0.6", *COLUMNS],
        "contiguous": ["contiguous", file, "--label-column", "cluster", "--split", *COLUMNS],
        "assign": ["assign", file, "--centers", centers, "--label-column", "zone"],
        "validate": ["validate", file, *COLUMNS],
        "stability": ["stability", file, "--k", "3", "--runs", "3", "--label-column", "zone", *COLUMNS],
        "compare": ["compare", file, ":cluster", "kmeans:k=3", *COLUMNS],
        "choose-k": ["choose-k", file, "--k", "2-4", *COLUMNS],
        "schc": ["schc", file, "--k", "3,5", *COLUMNS],
    }[command]
    return cli(*words, *more)


@pytest.mark.parametrize("column", [[0.0, 3.0, 7.0, 7.0], [0, 3, 7, 7]])
def test_legends_call_clusters_as_the_column_does_however_it_stores_them(cli, tmp_path, column):
    frame = geopandas.GeoDataFrame(
        {"zone": column, "a": [1, 2, 4, 8]}, geometry=shapely.box([0, 1, 2, 3], 0, [1, 2, 3, 4], 1), crs=32633
    )
    file = tmp_path / "in.gpkg"
    frame.to_file(file)
    drawn = {
        "map": ["map", file, "--label-column", "zone", "-o", tmp_path / "map.svg"],
        "validate": ["validate", file, "--label-column", "zone", "--map", tmp_path / "validate.svg"],
    }
    for name, words in drawn.items():
        assert cli(*words).code == 0
        texts = Page(tmp_path / f"{name}.svg").texts
        start = texts.index("units") + 1
        assert texts[start : start + 6] == ["3", "1", "7", "2", "not clustered", "1"]


SAID = {
    "kmeans": "kmeans, k 4, seed 7, transform z",
    "dbscan": "dbscan, seed 123456789, transform z, eps 0.6",
    "contiguous": "contiguous, k 4, transform z, label-column cluster, way split",
    "assign": "assign, ",
    "validate": "validate cluster, k 4, transform z",
    "stability": "kmeans, k 3, seed 123456789, transform z",
    "compare": "compare, seed 123456789, transform z",
    "choose-k": "kmeans, seed 123456789, transform z",
    "schc": "schc, k 3,5, seed 123456789, transform z",
}


@pytest.mark.parametrize("command", SAID)
def test_the_map_says_what_it_was_made_from(command, cli, labelled, tmp_path):
    target = tmp_path / "map.svg"
    result = run_maps(cli, command, labelled, target)
    assert result.code == 0, result.err
    page = Page(target)
    assert page.source.startswith(f"in.geojson; {SAID[command]}")
    assert "pct_rural, pct_pov" in page.source
    assert re.search(r"; regionalize \d", page.source)
    assert {"cluster", "stability"} & set(page.texts)
    assert any("cluster-1" in name for name in page.groups)


@pytest.mark.parametrize("command", [name for name in SAID if name != "dbscan"])
def test_outlines_are_drawn_when_asked(command, cli, labelled, tmp_path):
    plain, lined = tmp_path / "plain.svg", tmp_path / "lined.svg"
    assert run_maps(cli, command, labelled, plain).code == 0
    assert run_maps(cli, command, labelled, lined, "--dissolve-lines").code == 0
    assert not [name for name in Page(plain).groups if name.endswith("borders")]
    count = {"compare": 2, "choose-k": 3, "schc": 2}.get(command, 1)
    assert len([name for name in Page(lined).groups if name.endswith("borders")]) == count


@pytest.mark.parametrize("command", [name for name in SAID if name != "choose-k"])
def test_outlines_are_on_the_map_of_the_report_too(command, cli, labelled, tmp_path):
    plain, lined = tmp_path / "plain.html", tmp_path / "lined.html"
    for report, more in ((plain, ()), (lined, ("--dissolve-lines",))):
        result = run_report(cli, command, labelled, "--report", report, *more)
        assert result.code == 0, result.err
    count = {"compare": 2, "schc": 2}.get(command, 1)
    for report, wanted in ((plain, 0), (lined, count)):
        drawn = base64.b64decode(re.search(r"data:image/svg\+xml;base64,([^\"]+)", report.read_text())[1])
        assert len(re.findall(rb'id="[^"]*borders"', drawn)) == wanted


@pytest.mark.parametrize(
    "words",
    [("kmeans", "--k", "3"), ("kmeans", "--k", "3", "--report", "x.md"), ("choose-k", "--report", "x.html")],
)
def test_outlines_without_a_map_are_refused(words, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = cli(*words, "--dissolve-lines")
    assert result.code == 2
    assert "--dissolve-lines is for the map; name its file with --map" in result.err


def test_outlines_of_a_table_are_refused(cli, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n3,4\n5,7\n")
    words = ("kmeans", table, "--k", "2", "--columns", "a,b", "--report", tmp_path / "x.html")
    assert "leave out --dissolve-lines" in cli(*words, "--dissolve-lines").err
    assert cli(*words).code == 0


@pytest.mark.parametrize("name", ["map.gif", "map.gpkg", "map", "-"])
def test_a_map_of_a_column_in_no_form_there_is(name, cli, labelled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = cli("map", labelled[0], "-o", name)
    assert result.code == 1
    assert result.err.startswith(f"error: {name}: --output cannot be written as ")
    assert result.err.endswith("; use .png or .svg or .pdf or .html\n")


def test_a_map_of_a_column_tells_the_file_and_the_column(cli, labelled, tmp_path):
    target = tmp_path / "map.svg"
    words = ("map", labelled[0], "-o", target, "--title", "Regions", "--where", "pct_pov > 10")
    assert cli(*words, "--dissolve-lines").code == 0
    page = Page(target)
    assert page.texts[0] == "Regions"
    assert page.source.startswith("in.geojson; column cluster, where pct_pov > 10; regionalize ")
    assert "borders" in page.groups


def test_nested_regions_get_a_map_for_every_number(cli, labelled, tmp_path):
    target, report = tmp_path / "map.svg", tmp_path / "report.json"
    words = ("schc", labelled[0], "--k", "2,4,7", *COLUMNS, "--map", target, "--report", report)
    assert cli(*words).code == 0
    levels = json.loads(report.read_text())["extra"]["levels"]
    page = Page(target)
    for level in levels:
        assert page.texts[page.texts.index(f"k = {level['k']}") + 1].startswith(
            f"BSS/TSS {level['bss_tss_attributes']:.4f}, contiguous"
        )
    for place, level in enumerate(levels, 1):
        drawn = [name for name in page.groups if name.startswith(f"map-{place}-cluster-")]
        assert len(drawn) == level["k"]
    assert sum(name.startswith("legend-cluster-") for name in page.groups) == 7


def test_every_k_is_drawn_as_the_table_has_it(cli, labelled, tmp_path):
    target, report = tmp_path / "map.svg", tmp_path / "report.csv"
    words = ("choose-k", labelled[0], "--k", "2-6", *COLUMNS, "--map", target, "--report", report)
    assert cli(*words).code == 0
    page = Page(target)
    for row in csv.DictReader(report.read_text().splitlines()):
        said = page.texts[page.texts.index(f"k = {row['k']}") + 1]
        assert said.startswith(f"BSS/TSS {float(row['bss_tss_attributes']):.4f}")
        assert said.endswith(f"{row['subclusters']} pieces") or row["contiguous"] == "True"


def test_a_table_has_no_map_of_numbers(cli, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a\n" + "\n".join(map(str, range(30))), encoding="utf-8")
    result = cli("choose-k", table, "--map", tmp_path / "m.png")
    assert result.code == 1
    assert "no geometry" in result.err
    assert not (tmp_path / "m.png").exists()
