"""`regionalize assign` at the shell: files in and out, and what is refused before any work."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.cluster.vq import vq

VARIABLES = ["--columns", "a,b"]


@pytest.fixture
def centers(cli, squares, tmp_path):
    """Return a file of centres, and the labels of the run that wrote it."""
    found = cli(
        *("-q", "kmeans", squares, "--k", 3, *VARIABLES, "-o", tmp_path / "run.gpkg"),
        *("--centers", tmp_path / "c.csv"),
    )
    assert found.code == 0, found.err
    return tmp_path / "c.csv"


def test_labels_of_the_run_come_back(cli, squares, centers, read, tmp_path):
    out = tmp_path / "out.gpkg"
    found = cli("assign", squares, "--centers", centers, "-o", out, "--distance-column", "far")
    assert found.code == 0, found.err
    assert "assign, k = 3, in.gpkg, 25 units" in found.out
    assert "nearest centres: " in found.out
    assert max(map(len, found.out.splitlines())) <= 80
    written, run = read(out), read(tmp_path / "run.gpkg")
    assert written["cluster"].tolist() == run["cluster"].tolist()
    z = (run[["a", "b"]] - run[["a", "b"]].mean()) / run[["a", "b"]].std()
    means = z.groupby(run["cluster"]).mean().to_numpy()
    np.testing.assert_allclose(written["far"], vq(z.to_numpy(), means)[1])
    assert written.columns.drop(["cluster", "far"]).tolist() == read(squares).columns.tolist()


def test_new_rows_with_gaps(cli, grid, save, centers, read, tmp_path):
    frame = grid(columns=9)
    frame.loc[7, "a"] = np.nan
    new, out = save(frame, "new.gpkg"), tmp_path / "out.gpkg"
    found = cli(
        *("assign", new, "--centers", centers, "--missing", "drop", "--label-column", "region"),
        *("-o", out, "--distance-column", "far", "--json", "--map", tmp_path / "m.png"),
    )
    assert found.code == 0, found.err
    document = json.loads(found.out)
    assert document["settings"]["method"] == "assign"
    assert document["settings"]["centers"] == "c.csv"
    assert document["extra"]["assigned"]["made_of"] == 25
    assert any("row" in note and "left out for missing values" in note for note in found.notes)
    written = read(out)
    assert written["region"].isna().tolist() == written["far"].isna().tolist() == [i == 7 for i in range(45)]
    assert (tmp_path / "m.png").read_bytes()[1:4] == b"PNG"


def test_every_form_of_report(cli, squares, centers, tmp_path):
    for suffix in ("json", "csv", "md"):
        report = tmp_path / f"r.{suffix}"
        assert cli("-q", "assign", squares, "--centers", centers, "--report", report).code == 0
    assert "## Nearest centres" in (tmp_path / "r.md").read_text()


def test_clusters_that_no_row_is_nearest_to(cli, squares, read, tmp_path):
    """Numbers may have gaps, and rows may be near some centres only: reports keep a line for every number."""
    low, high = read(squares)["a"].quantile([0.2, 0.8])
    (tmp_path / "c.csv").write_text(f"cluster,a\n1,{low - 1e6}\n2,{low}\n5,{high}\n7,{high + 1e6}\n")
    for suffix in ("json", "csv", "md"):
        report = tmp_path / f"r.{suffix}"
        found = cli("assign", squares, "--centers", tmp_path / "c.csv", "--report", report)
        assert found.code == 0, found.err
    assert any("no unit is nearest to the centre of cluster 1, 7" in note for note in found.notes)
    rows = [line.split(",") for line in (tmp_path / "r.csv").read_text().splitlines()]
    size, pieces = rows[0].index("size"), rows[0].index("subclusters")
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
    assert [row[size] == "0" for row in rows[1:]] == [row[pieces] == "" for row in rows[1:]]
    assert [row[size] == "0" for row in rows[1:]] == [True, False, True, True, False]


def test_what_is_refused(refused, squares, centers, tmp_path):
    refused("assign", squares, code=2, says="the file of centres is missing; give --centers")
    refused("assign", squares, "--centers", tmp_path / "no.csv", says="no.csv: cannot be read")
    refused("assign", squares, "--centers", centers, "--columns", "a", code=2, says="no option --columns")
    refused("assign", squares, "--centers", centers, "--transform", "z", code=2, says="leave it out")
    refused("assign", squares, "--centers", centers, "--distance-column", " ", code=2, says="is empty")
    both = ("--label-column", "x", "--distance-column", "x")
    refused(
        "assign",
        squares,
        "--centers",
        centers,
        "-o",
        tmp_path / "o.gpkg",
        *both,
        code=2,
        says="two new columns",
    )
    there = ("-o", tmp_path / "o.gpkg", "--distance-column", "name")
    refused("assign", squares, "--centers", centers, *there, says="give the new column another name")
    refused(
        *("assign", squares, "--centers", centers, "--report", centers, "--overwrite"),
        says="c.csv",
    )
    (tmp_path / "bad.csv").write_text("cluster,a\n1,2\n2,x\n")
    refused("assign", squares, "--centers", tmp_path / "bad.csv", says="bad.csv:a:row 2: 'x' is no number")


def test_the_bundled_sample(cli, tmp_path):
    """Without INPUT the bundled sample is used, and said so, as with every command."""
    (tmp_path / "c.csv").write_text("cluster,pct_rural\n1,20\n2,80\n")
    found = cli("assign", "--centers", tmp_path / "c.csv")
    assert found.code == 0
    assert "using the bundled sample" in found.err
    assert any("do not say how they were made" in note for note in found.notes)
