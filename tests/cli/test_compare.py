"""`regionalize compare` at the shell: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from regionalize.io.sample import sample_path

PCT = ("--columns", "pct_*")


@pytest.fixture
def labelled(grid, save):
    """Return `path = labelled("a.gpkg", cluster=…)`: 25 squares with label columns."""

    def make(file, /, *, order=None, rows=None, **columns):
        frame = grid().assign(**columns)
        frame = frame if order is None else frame.iloc[order]
        return save(frame if rows is None else frame.iloc[rows], file)

    return make


COLUMN = np.tile([1, 2, 3, 4, 5], 5)
ROW = np.repeat([1, 2, 3, 4, 5], 5)


def table(out, title):
    """Rows of a printed table as lists of words."""
    lines = iter(out.splitlines())
    assert title in lines
    rows = []
    for line in lines:
        if not line:
            break
        rows.append(re.split(r" {2,}", line.strip()))
    return rows


# --- what is printed


def test_two_methods_with_a_picture(cli, tmp_path):
    found = cli("compare", "kmeans", "hierarchical", "--k", 3, *PCT, "--map", tmp_path / "c.svg")
    assert found.code == 0
    assert "using the bundled sample" in found.err
    assert table(found.out, "Agreement")[0] == ["ARI", "AMI", "NMI", "NID", "units"]
    text = (tmp_path / "c.svg").read_text()
    assert {f"map-{i}-cluster-{j}" for i in (1, 2) for j in (1, 2, 3)} <= set(
        re.findall(r'id="([^"]+)"', text)
    )
    ari = table(found.out, "Agreement")[1][1]
    assert f"ARI {float(ari):.3f}" in text


def test_regions_beside_clusters(cli):
    out = cli("compare", "kmeans", "skater", "--k", 6, *PCT).out
    rows = {row[0]: row[1:] for row in table(out, "Fit and fragmentation")}
    assert rows["kmeans"] == ["skater"]
    assert rows["contiguous"] == ["no", "yes"]
    assert rows["pieces"][1] == "6"
    single = cli("skater", "--k", 6, *PCT, "--json").out
    assert float(rows["BSS/TSS"][1]) == pytest.approx(json.loads(single)["bss_tss_attributes"], abs=1e-6)


def test_columns_of_a_file(cli, labelled):
    path = labelled("in.gpkg", one=COLUMN, two=ROW)
    found = cli("compare", path, "one", "two", "--columns", "a,b")
    rows = {row[0]: row[1:] for row in table(found.out, "Fit and fragmentation")}
    assert {"contiguous", "pieces", "BSS/TSS", "entropy"} <= set(rows)
    assert rows["contiguous"] == ["yes", "yes"]
    assert table(found.out, "Agreement")[1][0] == "one, two"
    assert "numeric columns taken" not in found.err
    cells = table(found.out, "Units of one (down) in two (across)")
    assert all(row[1:-1] == ["1"] * 5 for row in cells[1:-1])
    assert cells[-1] == ["all", *["5"] * 5, "25"]


def test_the_contingency_table_has_matches_on_the_diagonal(cli, labelled):
    path = labelled("in.gpkg", one=ROW, two=np.array([0, 3, 5, 1, 2, 4])[ROW])
    found = cli("compare", path, "one", "two", "--columns", "a,b")
    cells = table(found.out, "Units of one (down) in two (across)")
    assert cells[0] == ["3", "5", "1", "2", "4", "all"]
    assert [row[1:-1] for row in cells[1:-1]] == (5 * np.eye(5, dtype=int)).astype(str).tolist()
    assert "two matched to one: 3 is 1, 5 is 2, 1 is 3, 2 is 4, 4 is 5; 100.0 % of units agree." in " ".join(
        found.out.split()
    )
    found = cli("compare", path, "one", "two", "--columns", "a,b", "--match")
    assert table(found.out, "Units of one (down) in two (across)")[0] == ["1", "2", "3", "4", "5", "all"]


def test_every_two_of_several(cli, labelled):
    path = labelled("in.gpkg", one=COLUMN, two=ROW, three=["north"] * 10 + ["south"] * 15)
    out = cli("compare", path, "one", "two", "three", "kmeans:k=2", "--columns", "a,b").out
    pairs = [row[0] for row in table(out, "Agreement")[1:]]
    assert pairs == [
        *("one, two", "one, three", "one, kmeans:k=2", "two, three", "two, kmeans:k=2", "three, kmeans:k=2"),
    ]
    assert "Units of" not in out
    assert "north is 1" in out


def test_long_tables_fit_the_terminal_and_say_that_they_are_cut(cli, grid, save):
    frame = grid(12, 12).assign(one=np.arange(144) % 60 + 1, two=np.arange(144) % 50 + 1)
    out = cli("compare", save(frame), "one", "two", "--columns", "a,b").out
    assert max(map(len, out.splitlines())) <= 80
    assert "The first 24 of 60 and 24 of 50 clusters are shown" in " ".join(out.split())


def test_noise_and_missing_labels_are_told(cli, labelled):
    two = ROW.astype(float) - 1
    two[7] = np.nan
    path = labelled("in.gpkg", one=COLUMN, two=two)
    found = cli("compare", path, "one", "two", "--columns", "a,b")
    rows = {row[0]: row[1:] for row in table(found.out, "Fit and fragmentation")}
    assert rows["noise"] == ["0", "5"]
    assert rows["unlabelled"] == ["0", "1"]
    assert rows["units in clusters"] == ["25", "19"]
    assert table(found.out, "Agreement")[1][-1] == "19"
    assert "5 rows have label 0 in 'two'" in found.err


# --- several files


def test_two_files_by_order_and_by_id(cli, labelled):
    order = np.random.default_rng(0).permutation(25)
    a = labelled("a.gpkg", cluster=COLUMN)
    b = labelled("b.gpkg", order=order, cluster=np.where(COLUMN > 2, COLUMN, 3))
    by_order = json.loads(cli("compare", a, b, "--columns", "a,b", "--json").out)["pairs"][0]
    assert by_order["ari"] == pytest.approx(
        adjusted_rand_score(COLUMN, np.where(COLUMN > 2, COLUMN, 3)[order])
    )
    found = cli("compare", a, b, "--columns", "a,b", "--id", "name", "--json")
    assert [one["name"] for one in json.loads(found.out)["labelings"]] == ["a", "b"]
    by_id = json.loads(found.out)["pairs"][0]
    assert by_id["ari"] == pytest.approx(adjusted_rand_score(COLUMN, np.where(COLUMN > 2, COLUMN, 3)))
    assert by_id["contingency"]["units"] == [[5, 0, 0], [5, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]]


def test_the_order_of_rows_is_said(cli, labelled):
    a, b = labelled("a.gpkg", cluster=COLUMN), labelled("b.gpkg", zone=ROW)
    found = cli("compare", a, f"{b}:zone", "--columns", "a,b")
    assert (
        "note: the rows of b.gpkg are matched by their order; --id COLUMN matches them by name" in found.notes
    )
    assert table(found.out, "Agreement")[1][0] == "a, b:zone"


def test_a_part_of_a_file(cli, labelled):
    a = labelled("a.gpkg", rows=slice(0, 12), cluster=COLUMN)
    b = labelled("b.gpkg", cluster=COLUMN)
    found = cli("compare", a, b, "--columns", "a,b", "--id", "name")
    assert found.code == 0
    assert "note: b.gpkg has 13 rows more, which are not compared" in found.notes
    assert table(found.out, "Agreement")[1][1:] == ["1.0000", "1.0000", "1.0000", "0.0000", "12"]


def test_standard_input_and_output(process, labelled, tmp_path):
    source = labelled("in.geojson", one=COLUMN, two=ROW).read_bytes()
    found = process("compare", "-", "one", "two", "--match", "--columns", "a,b", "-o", "-", stdin=source)
    assert found.code == 0, found.err
    rows = [feature["properties"] for feature in json.loads(found.out)["features"]]
    assert len(rows) == 25
    assert {row["two_matched"] for row in rows} == {1, 2, 3, 4, 5}


# --- what is written


def test_the_layer_with_matched_labels(cli, labelled, read, tmp_path):
    first = labelled("first.gpkg", cluster=ROW)
    second = labelled("second.gpkg", cluster=np.array([0, 3, 5, 1, 2, 4])[ROW])
    before = read(first).drop(columns="geometry")
    args = (first, second, "kmeans:k=2", f"{first}:cluster", "--columns", "a,b")
    assert cli("compare", *args, "-o", tmp_path / "plain.gpkg").code == 0
    plain = read(tmp_path / "plain.gpkg")
    assert plain.columns.tolist() == [*before, "second", "kmeans_k_2", "first_cluster", "geometry"]
    assert plain["second"].tolist() == read(second)["cluster"].tolist()
    args = (first, ":cluster", second, "kmeans:k=2", "--columns", "a,b", "--match")
    assert cli("compare", *args, "-o", tmp_path / "match.gpkg").code == 0
    match = read(tmp_path / "match.gpkg")
    assert match.columns.tolist() == [*before, "second", "kmeans_k_2", "geometry"]
    assert match["second"].tolist() == ROW.tolist()
    assert set(match["kmeans_k_2"]) <= {1, 2, 3, 4, 5}
    pd.testing.assert_frame_equal(match[before.columns], before)


def test_matched_columns_never_replace_one(cli, labelled, read, tmp_path):
    path = labelled("in.gpkg", old=ROW, new=6 - ROW, new_matched=1)
    done = cli("compare", path, "old", "new", "--match", "--columns", "a,b", "-o", tmp_path / "out.gpkg")
    assert done.code == 0
    frame = read(tmp_path / "out.gpkg")
    assert frame["new_matched"].tolist() == [1] * 25
    assert frame["new_matched_2"].tolist() == ROW.tolist()
    assert frame["new"].tolist() == (6 - ROW).tolist()


def test_reports_hold_the_same(cli, labelled, tmp_path):
    path = labelled("in.gpkg", one=COLUMN, two=["left|side", "right"] * 12 + ["left|side"])
    args = ("compare", path, "one", "two", "kmeans:k=3", "--columns", "a,b")
    printed = json.loads(cli(*args, "--json").out)
    for suffix in ("json", "csv", "md"):
        assert cli(*args, "--report", tmp_path / f"r.{suffix}").code == 0
    assert json.loads((tmp_path / "r.json").read_text()) == printed
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    counted = pd.crosstab(COLUMN, ["left|side", "right"] * 12 + ["left|side"])
    of_two = [row for row in rows if (row["first"], row["second"]) == ("one", "two")]
    assert {(int(r["cluster_of_first"]), r["cluster_of_second"]): int(r["units"]) for r in of_two} == {
        (i, j): counted.loc[i, j] for i in counted.index for j in counted.columns
    }
    assert {(row["first"], row["second"]) for row in rows} == {
        ("one", "two"),
        ("one", "kmeans:k=3"),
        ("two", "kmeans:k=3"),
    }
    text = (tmp_path / "r.md").read_text()
    assert "## one and two" in text
    assert "left\\|side" in text
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")]
    assert widths == [
        width
        for block in text.split("\n\n")
        if block.startswith("|")
        for width in [len(re.findall(r"(?<!\\)\|", block.splitlines()[0]))] * len(block.strip().splitlines())
    ]


def test_the_same_line_writes_the_same_bytes(cli, tmp_path):
    for name in ("1", "2"):
        files = ("--report", tmp_path / f"{name}.csv", "--map", tmp_path / f"{name}.png")
        assert cli("compare", "kmeans", "azp:iterations=5", "--k", 3, *PCT, *files).code == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


# --- what is refused


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ((), 2, "fewer than two things"),
        (("kmeans", "--k", "3"), 2, "fewer than two things"),
        (("kmeans", "skater"), 2, "kmeans: the number of clusters is missing"),
        (("kmean", "skater:k=4"), 2, "no column, method or file 'kmean'; did you mean 'kmeans'?"),
        (("IN", "kmeans:k=3"), 2, "no column 'cluster' to compare with"),
        (("IN", "one", "twoo"), 2, "did you mean 'two'?"),
        (("IN", "one", "a"), 1, "not a column of labels"),
        (("IN", "one", "empty"), 1, "holds no labels"),
        (("IN", "one", "skater:k=40"), 2, "skater:k=40: k is 40"),
        (("IN", "one", "gone.gpkg"), 1, "gone.gpkg: there is no such file"),
        (("IN", "one", "OTHER"), 1, "has 24 rows, and the layer it is compared with 25"),
        (("IN", "one", "OTHER", "--id", "name"), 1, "other.gpkg:other:name: has no row for unit 24"),
        (("IN", "one", "TWICE", "--id", "name"), 1, "'unit 3' is the id of several rows"),
        (("IN", "one", "OTHER", "--id", "nam"), 2, "did you mean 'name'?"),
        (("IN", "one", "OTHER:zon", "--id", "name"), 2, "there is no column 'zon'"),
        (("IN", "one", "two", "-o", "IN"), 1, "already exists"),
        (("IN", "one", "two", "-o", "IN", "--overwrite", "--match"), 1, "is the input"),
        (("IN", "one", "TWICE", "-o", "TWICE", "--overwrite"), 1, "is the input"),
        (("IN", "one", "TWICE", "--report", "TWICE"), 1, "--report cannot be written as '.gpkg'"),
        (("IN", "one", "two", "-o", "OUT.gpkg"), 1, "nothing to add"),
        (("IN", "one", "two", "--map", "m.gif"), 1, "--map cannot be written as '.gif'"),
        (("IN", "one", "two", "--map", "m.png", "--plot", "IN"), 1, "--plot cannot be written"),
        (("IN", *["one"] * 13, "--plot", "m.png"), 2, "--plot has room for 12 panels"),
        (("TABLE", "one", "two", "--map", "m.png"), 1, "no geometry, so there is no map to draw"),
        (("IN", *["one"] * 17, "--map", "m.png"), 2, "--map draws up to 16 maps"),
        (("IN", "one", "two", "-o", "-", "--json"), 2, "standard output"),
    ],
)
def test_refusals(refused, labelled, grid, save, tmp_path, monkeypatch, args, code, says):
    monkeypatch.chdir(tmp_path)
    path = labelled("in.gpkg", one=COLUMN, two=ROW, empty=None)
    labelled("other.gpkg", rows=slice(0, 24), cluster=COLUMN)
    labelled("twice.gpkg", cluster=COLUMN, name=[f"unit {min(i, 3)}" for i in range(25)])
    pd.DataFrame(grid().drop(columns="geometry")).assign(one=COLUMN, two=ROW).to_csv("table.csv", index=False)
    places = {"IN": path.name, "OTHER": "other.gpkg", "TWICE": "twice.gpkg", "TABLE": "table.csv"}
    words = [re.sub("^(IN|OTHER|TWICE|TABLE)", lambda m: places[m[0]], arg) for arg in args]
    refused("compare", *words, code=code, says=says)


def test_a_method_wins_over_a_column_of_its_name(cli, labelled):
    path = labelled("in.gpkg", kmeans=COLUMN, one=ROW)
    run = json.loads(cli("compare", path, "one", "kmeans", "--k", 3, "--columns", "a,b", "--json").out)
    assert run["labelings"][1]["settings"]["method"] == "kmeans"
    found = cli("compare", path, "one", ":kmeans", "--columns", "a,b", "--json")
    assert json.loads(found.out)["labelings"][1]["settings"] == {"column": "kmeans"}
    assert "note: 'kmeans' is the column of that name, not a run" in found.notes


def test_the_sample_itself_as_a_file(cli):
    found = cli("compare", sample_path(), "kmeans", "skater", "--k", 3, *PCT)
    assert found.code == 0
    assert "bundled sample" not in found.err


@pytest.mark.parametrize(
    "layer", ["guerry/Guerry.shp", "messy/tokyo/tokyomet262a.shp", "messy/scotlip/scotlip.shp"]
)
def test_real_layers(cli, shared_data, tmp_path, layer):
    path = shared_data(layer)
    runs = ("kmeans", "skater", "schc", "kmeans:k=7")
    found = cli(
        "compare",
        path,
        *runs,
        "--k",
        5,
        "--islands",
        "nearest",
        "--missing",
        "drop",
        "--map",
        tmp_path / "m.png",
    )
    assert found.code == 0, found.err
    rows = {row[0]: row[1:] for row in table(found.out, "Fit and fragmentation")}
    assert rows["contiguous"] == ["no", "yes", "yes", "no"]
    assert (tmp_path / "m.png").stat().st_size > 10_000


def test_the_legend_calls_new_clusters_as_the_columns_do(cli, grid, save, read, tmp_path):
    frame = grid()
    frame["side"] = ["west" if x < 2 else "east" for x in frame.geometry.centroid.x]
    source, out, picture = save(frame), tmp_path / "o.gpkg", tmp_path / "m.svg"
    found = cli(
        *("compare", source, "side", "kmeans:k=4", "--columns", "a,b", "--match", "-o", out, "--map", picture)
    )
    assert found.code == 0, found.err
    called = set(read(out)["kmeans_k_4"])
    assert {"other 1", "other 2"} <= called
    said = {line.strip() for line in re.findall(r">([^<>]+)</text>", picture.read_text(encoding="utf-8"))}
    assert called <= said
    assert not said & {"3", "4"}
