"""kmedoids and kmedians from the shell: report, files, awkward layers."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import regionalize

both_methods = pytest.mark.parametrize("method", ["kmedoids", "kmedians"])
both_distances = pytest.mark.parametrize("distance", ["manhattan", "euclidean"])
METRICS = {"manhattan": "cityblock", "euclidean": "euclidean"}


def z_scores(frame, names=("a", "b")):
    values = frame[list(names)].to_numpy(float)
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


@both_distances
def test_medoids_are_named_and_distances_are_theirs(cli, grid, save, distance):
    frame = grid()
    found = cli(
        *(
            "kmedoids",
            save(frame),
            "--k",
            3,
            "--columns",
            "a,b",
            "--distance",
            distance,
            "--id",
            "name",
            "--json",
        )
    )
    report = json.loads(found.out)
    rows = [frame["name"].tolist().index(name) for name in report["extra"]["medoids"]]
    assert report["centers"] == frame.loc[rows, ["a", "b"]].to_numpy().tolist()
    table = cdist(z_scores(frame), z_scores(frame), METRICS[distance])
    nearest = table[:, rows].min(axis=1)
    assert np.bincount(table[:, rows].argmin(axis=1)).tolist() == report["sizes"]
    distances = report["extra"]["distances"]
    by_cluster = np.bincount(table[:, rows].argmin(axis=1), nearest)
    assert distances["within"] == pytest.approx(nearest.sum())
    assert distances["within_by_cluster"] == pytest.approx(by_cluster)
    assert distances["mean_by_cluster"] == pytest.approx(by_cluster / report["sizes"])
    assert distances["total"] == pytest.approx(table.sum(axis=0).min())
    assert distances["ratio"] == pytest.approx(nearest.sum() / table.sum(axis=0).min())
    assert distances["exact"]


def test_medoids_without_an_id_are_row_numbers_from_one(cli, squares):
    report = json.loads(cli("kmedoids", squares, "--k", 25, "--columns", "a,b", "--json").out)
    assert sorted(map(int, report["extra"]["medoids"])) == list(range(1, 26))


def test_kmedians_reports_medians_in_original_units(cli, grid, save, tmp_path, read):
    frame, out = grid(), tmp_path / "out.gpkg"
    found = cli("kmedians", save(frame), "--k", 3, "--columns", "a,b", "--json", "-o", out)
    report = json.loads(found.out)
    labels = read(out)["cluster"].to_numpy()
    medians = frame.groupby(labels)[["a", "b"]].median().to_numpy()
    np.testing.assert_allclose(report["centers"], medians, rtol=1e-12)
    Z = z_scores(frame)
    within = [np.abs(Z[labels == one] - np.median(Z[labels == one], axis=0)).sum() for one in (1, 2, 3)]
    assert report["extra"]["distances"]["within_by_cluster"] == pytest.approx(within)
    assert report["extra"]["distances"]["total"] == pytest.approx(np.abs(Z - np.median(Z, axis=0)).sum())


def test_geometric_medians_are_told_in_original_units(grid):
    frame = grid()
    found = regionalize.regionalize(frame, "kmedians", k=2, columns=["a", "b"], distance="euclidean")
    Z, values = z_scores(frame), frame[["a", "b"]].to_numpy()
    for label, center in enumerate(found.report.centers, 1):
        at = (np.array(center) - values.mean(axis=0)) / values.std(axis=0, ddof=1)
        members = Z[found.labels.to_numpy() == label]
        now = cdist(members, at[None]).sum()
        assert now == pytest.approx(found.report.extra["distances"]["within_by_cluster"][label - 1])
        for step in np.random.default_rng(0).normal(scale=1e-3, size=(50, 2)):
            assert cdist(members, (at + step)[None]).sum() >= now - 1e-9


def test_the_terminal_shows_medoids_and_distances(cli, squares):
    found = cli("kmedoids", squares, "--k", 3, "--columns", "a,b", "--id", "name")
    assert "Medoids in original units" in found.out
    assert re.search(r"^cluster +unit +a +b$", found.out, re.MULTILINE)
    assert "Manhattan distances to the medoid" in found.out
    assert "to the medoid of all units" in found.out
    assert max(map(len, found.out.splitlines())) <= 80
    assert "Medians in original units" in cli("kmedians", squares, "--k", 3, "--columns", "a,b").out


@both_methods
def test_report_files_hold_them(cli, squares, tmp_path, method):
    for suffix in (".csv", ".md"):
        assert (
            cli(method, squares, "--k", 3, "--columns", "a,b", "--report", tmp_path / f"r{suffix}").code == 0
        )
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["within_distance"]) >= float(row["mean_distance"]) for row in rows)
    assert ("medoid" in rows[0]) == (method == "kmedoids")
    text = (tmp_path / "r.md").read_text()
    assert f"## Distances to the {method[1:-1]}" in text
    assert "| ratio |" in text


@both_methods
def test_bounds_hold_and_impossible_ones_are_one_line(cli, refused, squares, method):
    report = json.loads(cli(method, squares, "--k", 4, "--columns", "a,b", "--min-size", 6, "--json").out)
    assert min(report["sizes"]) >= 6
    refused(method, squares, "--k", 4, "--columns", "a,b", "--min-size", 7, says="at least 7 units")


@both_methods
def test_centroids_smoothing_and_transforms_are_taken(cli, squares, method):
    options = ("--with-centroids", "--hops", 1, "--transform", "mad", "--columns", "a,b")
    found = cli(method, squares, "--k", 3, *options, "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["center_columns"] == ["a", "b", "X", "Y"]
    assert cli(method, squares, "--k", 3, "--columns", "a,b", "--centroid-weight", 0.5).code == 0


@both_methods
@pytest.mark.parametrize("option", ["--make-contiguous", "--centroid-weight=auto"])
def test_contiguous_clusters_are_measured_about_their_own_middle(
    cli, squares, tmp_path, read, method, option
):
    out = tmp_path / "out.gpkg"
    found = cli(method, squares, "--k", 3, "--columns", "a,b", option, "--json", "-o", out)
    assert found.code == 0, found.err
    report, frame = json.loads(found.out), read(out)
    assert report["contiguous"]
    if method == "kmedoids":
        rows = [int(name) - 1 for name in report["extra"]["medoids"]]
        assert frame["cluster"].iloc[rows].tolist() == [1, 2, 3]
        if option == "--make-contiguous":
            table = cdist(z_scores(frame), z_scores(frame), "cityblock")
            for label, row in enumerate(rows, 1):
                members = np.flatnonzero(frame["cluster"] == label)
                assert table[row, members].sum() == pytest.approx(
                    table[np.ix_(members, members)].sum(0).min()
                )


@both_methods
def test_rows_with_missing_values_are_left_out(cli, grid, save, tmp_path, read, method):
    frame, out = grid(), tmp_path / "out.gpkg"
    frame.loc[[0, 7], "a"] = np.nan
    options = ("--columns", "a,b", "--missing", "drop", "--id", "name", "--json", "-o", out)
    report = json.loads(cli(method, save(frame), "--k", 4, *options).out)
    labels = read(out)["cluster"]
    assert labels.isna().tolist() == [at in (0, 7) for at in range(25)]
    for name in report["extra"].get("medoids", []):
        assert not np.isnan(frame.set_index("name").loc[name, "a"])


@both_methods
def test_as_many_clusters_as_units_and_one_cluster(cli, grid, save, method):
    report = json.loads(cli(method, save(grid(2, 1)), "--k", 2, "--columns", "a,b", "--json").out)
    assert report["sizes"] == [1, 1]
    assert report["extra"]["distances"]["within"] == 0.0
    report = json.loads(cli(method, save(grid(), "all.gpkg"), "--k", 1, "--columns", "a,b", "--json").out)
    assert report["extra"]["distances"]["ratio"] == 1.0
