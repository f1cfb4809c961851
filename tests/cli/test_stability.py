"""`regionalize stability` at the shell: files in and out, and what is refused before any work."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

RUN = ["--method", "skater", "--k", 3, "--columns", "a,b", "--runs", 10]


def test_every_output(cli, squares, read, tmp_path):
    out, picture, report = (tmp_path / name for name in ("o.gpkg", "m.png", "r.json"))
    found = cli("stability", squares, *RUN, "-o", out, "--map", picture, "--report", report)
    assert found.code == 0, found.err
    assert found.out.splitlines()[0] == "stability of skater, k = 3, in.gpkg, 25 units"
    assert "10 runs on 80 % of the units; adjusted Rand index" in found.out
    assert max(map(len, found.out.splitlines())) <= 80
    assert any("transformed once, on all units" in note for note in found.notes)
    assert picture.read_bytes()[1:4] == b"PNG"
    written, document = read(out), json.loads(report.read_text())
    assert list(written.columns[-3:-1]) == ["cluster", "stability"]
    assert written["stability"].dtype == "float64"
    assert document["stability"] == pytest.approx(written["stability"].mean())
    by_region = written.groupby("cluster")["stability"]
    assert [one["label"] for one in document["regions"]] == [1, 2, 3]
    for name, wanted in (("size", by_region.size()), ("mean", by_region.mean()), ("least", by_region.min())):
        assert [one[name] for one in document["regions"]] == pytest.approx(wanted.tolist())
    assert document["below_half"] == (written["stability"] < 0.5).sum()
    assert (document["runs"], document["runs_solved"], document["resample"]) == (10, 10, 0.8)


def test_json_is_one_document_and_the_report_of_rows(cli, squares, tmp_path):
    report = tmp_path / "r.csv"
    found = cli("stability", squares, *RUN, "--json", "--report", report)
    regions = json.loads(found.out)["regions"]
    with report.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["mean"]) for row in rows] == pytest.approx([one["mean"] for one in regions])
    assert [int(row["region"]) for row in rows] == [1, 2, 3]
    assert cli("-q", "stability", squares, *RUN, "--report", tmp_path / "r.md").code == 0
    assert "## Regions" in (tmp_path / "r.md").read_text()


def test_left_out_rows_are_null(cli, grid, save, read, tmp_path):
    frame = grid()
    frame.loc[[2, 11], "b"] = np.nan
    out = tmp_path / "o.gpkg"
    names = ("--label-column", "region", "--stability-column", "kept")
    found = cli("stability", save(frame), *RUN, "--missing", "drop", *names, "-o", out)
    assert found.code == 0, found.err
    assert "23 of 25 units" in found.out
    written = read(out)
    assert np.flatnonzero(written["region"].isna()).tolist() == [2, 11]
    assert np.flatnonzero(written["kept"].isna()).tolist() == [2, 11]


def test_other_seeds(cli, squares):
    found = cli("stability", squares, *RUN, "--reseed")
    assert found.code == 0
    assert "10 runs on all units with other seeds; adjusted Rand index" in found.out
    assert any("skater draws nothing" in note for note in found.notes)


def test_a_table_without_geometry(cli, tmp_path):
    table = tmp_path / "t.csv"
    rng = np.random.default_rng(1)
    table.write_text("a,b\n" + "".join(f"{x},{y}\n" for x, y in rng.normal(size=(30, 2))))
    found = cli("stability", table, "--k", 2, "--columns", "a,b", "--runs", 5, "-o", tmp_path / "o.csv")
    assert found.code == 0, found.err
    assert (tmp_path / "o.csv").read_text().splitlines()[0].endswith('"cluster","stability"')


def test_what_is_refused(refused, squares, tmp_path):
    def wrong(*args, says, code=2):
        refused("stability", squares, *RUN, *args, code=code, says=says)

    wrong("--resample", "50%", "--reseed", says="exclude each other")
    wrong("--resample", "100%", says="above 0% and below 100%")
    wrong("--runs", 0, says="--runs is 0")
    wrong("--stability-column", "", says="--stability-column is empty")
    wrong("--method", "skatr", says="did you mean 'skater'?")
    wrong("--method", "skater:linkage=ward", says="no option of skater")
    wrong("--make-contiguous", says="contiguous anyhow")
    wrong("-o", tmp_path / "o.gpkg", "--stability-column", "cluster", says="two new columns")
    wrong("-o", tmp_path / "o.gpkg", "--stability-column", "name", says="name", code=1)
    wrong("--map", tmp_path / "m.gif", says="m.gif", code=1)
    wrong("-o", "-", "--json", says="standard output")
    refused("stability", squares, "--runs", 5, code=2, says="the number of clusters is missing")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--k", 3, "--runs", 0), "--runs is 0"),
        (("--k", 3, "--resample", "100%"), "above 0% and below 100%"),
        ((), "the number of clusters is missing"),
        (("--method", "skater", "--k", 3, "--centroid-weight", "auto"), "always are"),
    ],
)
def test_what_cannot_be_meant_is_told_before_the_layer_is_read(args, says, refused, tmp_path):
    refused("stability", tmp_path / "missing.gpkg", *args, code=2, says=says)
