"""Maps of every command that makes labels: drawn, with what they were made from on them."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET

import pytest

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
    return cli(*words, "--map", target, *more)


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


def test_outlines_without_a_map_are_refused(cli, tmp_path):
    result = cli("kmeans", "--k", "3", "--dissolve-lines")
    assert result.code == 2
    assert "--dissolve-lines is for the map; name its file with --map" in result.err


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
