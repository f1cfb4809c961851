"""What a run writes: the layer as it came, and tables that agree with an independent computation."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest

KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")


@pytest.fixture
def rich_frame(grid):
    """Rows out of spatial order, with every kind of column."""
    frame = grid().sample(frac=1, random_state=3).reset_index(drop=True)
    return frame.assign(
        flag=np.arange(25) % 2 == 0,
        small=np.arange(25, dtype="int16"),
        big=2**60 + np.arange(25, dtype="int64"),
        day=pd.date_range("2020-01-01", periods=25, tz="UTC"),
        note=[None if i % 5 == 0 else f"é{i}" for i in range(25)],
        gappy=[np.nan if i % 7 == 0 else i for i in range(25)],
    )


@pytest.mark.parametrize("name", ["gpkg", "parquet", "fgb", "geojson"])
def test_rows_order_columns_and_types_are_kept(name, rich_frame, save, cli, tmp_path, read):
    frame = rich_frame.to_crs("EPSG:4326") if name == "geojson" else rich_frame
    frame = frame.drop(columns="day") if name == "fgb" else frame
    source = save(frame, f"in.{name}")
    target = tmp_path / f"out.{name}"
    assert cli(*KMEANS, source, "-o", target).code == 0
    before, after = read(source), read(target)
    attributes = [name for name in before.columns if name != before.geometry.name]
    assert [name for name in after.columns if name != after.geometry.name] == [*attributes, "cluster"]
    for name in attributes:
        pd.testing.assert_series_equal(before[name], after[name])
    assert before.geometry.geom_equals_exact(after.geometry, 0).all()
    assert before.crs == after.crs
    assert after["cluster"].dtype.kind == "i"


@pytest.fixture
def gappy(grid, save):
    frame = grid()
    frame.loc[[2, 9], "a"] = np.nan
    return save(frame)


@pytest.mark.parametrize("name", ["out.gpkg", "out.parquet", "out.geojson", "out.shp"])
def test_dropped_rows_stay_with_a_null_label(name, gappy, cli, tmp_path, read):
    found = cli(*KMEANS, gappy, "--missing", "drop", "-o", tmp_path / name, "--json")
    labels = read(tmp_path / name)["cluster"]
    assert len(labels) == 25
    assert np.flatnonzero(labels.isna()).tolist() == [2, 9]
    assert json.loads(found.out)["input"]["rows_used"] == 23
    assert any("2 of 25 rows left out" in note for note in found.notes)


@pytest.mark.parametrize("how", ["mean", "median"])
def test_missing_values_filled_in(how, gappy, cli, tmp_path, read):
    """The same labels as when somebody else fills them in."""
    frame = read(gappy)
    filled = frame.assign(a=frame["a"].fillna(getattr(frame["a"], how)()))
    filled.to_file(tmp_path / "filled.gpkg")
    assert cli(*KMEANS, gappy, "--missing", how, "-o", tmp_path / "one.gpkg").code == 0
    assert cli(*KMEANS, tmp_path / "filled.gpkg", "-o", tmp_path / "two.gpkg").code == 0
    assert read(tmp_path / "one.gpkg")["cluster"].tolist() == read(tmp_path / "two.gpkg")["cluster"].tolist()


@pytest.mark.parametrize(
    ("options", "idle"),
    [(("--n-init", 10), True), (("--n-init", 10, "--search", "starts"), False), (("--max-iter", 9), False)],
)
def test_an_option_without_effect_is_said(options, idle, grid, save, cli):
    found = cli(*KMEANS, save(grid()), *options)
    said = "--n-init has no effect: it belongs to --search starts"
    assert found.code == 0
    assert (said in " ".join(found.err.split())) == idle


@pytest.fixture
def run(squares, cli, tmp_path, read):
    """A run with every output, and the labelled frame."""
    outputs = ("-o", tmp_path / "out.gpkg", "--centers", tmp_path / "centers.csv")
    for form in ("json", "csv", "md"):
        again = outputs if form == "json" else ()
        found = cli(*KMEANS, squares, "--id", "name", "--json", *again, "--report", tmp_path / f"x.{form}")
        assert found.code == 0, found.err
    return json.loads(found.out), read(tmp_path / "out.gpkg")


def test_clusters_are_numbered_by_falling_size(run):
    document, frame = run
    counts = frame["cluster"].value_counts().sort_index()
    assert counts.index.tolist() == [1, 2, 3]
    assert counts.tolist() == sorted(counts, reverse=True) == document["sizes"]
    first = [int(np.flatnonzero(frame["cluster"] == label)[0]) for label in (1, 2, 3)]
    assert [(-size, row) for size, row in zip(counts, first, strict=True)] == sorted(
        (-size, row) for size, row in zip(counts, first, strict=True)
    )


def test_centres_are_group_means(run, tmp_path):
    document, frame = run
    means = frame.groupby("cluster")[["a", "b"]].mean()
    written = pd.read_csv(tmp_path / "centers.csv")
    assert written["cluster"].tolist() == [1, 2, 3]
    assert written["size"].tolist() == document["sizes"]
    np.testing.assert_allclose(written[["a", "b"]], means, rtol=1e-12)
    np.testing.assert_allclose(document["centers"], means, rtol=1e-12)


def test_sums_of_squares_by_hand(run):
    document, frame = run
    values = frame[["a", "b"]].to_numpy()
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    within = [
        float(((part - part.mean(axis=0)) ** 2).sum())
        for part in (z[frame["cluster"] == c] for c in (1, 2, 3))
    ]
    fit = document["fit"]
    np.testing.assert_allclose(fit["wss_by_cluster"], within, rtol=1e-10)
    np.testing.assert_allclose([fit["tss"], fit["wss"]], [24 * 2, sum(within)], rtol=1e-10)
    np.testing.assert_allclose(document["bss_tss_all"], 1 - sum(within) / 48, rtol=1e-10)


def test_reports_agree(run, tmp_path):
    document, _ = run
    written = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert written.pop("command") == f"{document.pop('command')} -o {tmp_path / 'out.gpkg'}"
    assert written == document
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["size"]) for row in rows] == document["sizes"]
    assert [float(row["wss"]) for row in rows] == document["fit"]["wss_by_cluster"]
    assert [[float(row["center_a"]), float(row["center_b"])] for row in rows] == document["centers"]
    pieces = [int(row["subclusters"]) for row in rows]
    assert pieces == [cluster["subclusters"] for cluster in document["fragmentation"]["clusters"]]
    markdown = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert f"{document['bss_tss_all']:.6g}" in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(re.fullmatch(r"\|.*\|", line) for line in tables)
    assert len(tables) > 15


def test_the_report_says_how_to_do_it_again(squares, cli, tmp_path):
    options = ("--with-centroids", "--seed", 11, "--min-bound", "pop=10%", "--column-weights", "a=2,b=1.5")
    document = json.loads(cli(*KMEANS, squares, *options, "--json").out)
    said = document["settings"]
    assert (said["method"], said["k"], said["seed"], said["with_centroids"]) == ("kmeans", 3, 11, True)
    assert said["column_weights"] == {"a": 2.0, "b": 1.5}
    assert said["min_bound"] == ["pop", "10%"]
    assert set(document["versions"]) >= {"regionalize", "numpy"}
    assert document["input"]["file"] == str(squares)


def test_fragmentation_against_libpysal(run):
    from libpysal.graph import Graph

    document, frame = run
    graph = Graph.build_contiguity(frame, rook=False)
    links = graph.adjacency.reset_index()
    same = frame["cluster"].to_numpy()[links["focal"]] == frame["cluster"].to_numpy()[links["neighbor"]]
    spatial = document["fragmentation"]
    assert (spatial["neighbors"], spatial["joins"]) == (len(links), int(same.sum()))
    inner = Graph.from_arrays(*(links.loc[same, name].to_numpy() for name in ("focal", "neighbor", "weight")))
    alone = 25 - len(inner.unique_ids)
    assert spatial["subclusters"] == inner.n_components + alone
    assert document["contiguous"] is (spatial["subclusters"] == 3)


@pytest.mark.parametrize("form", ["png", "svg", "pdf", "PNG"])
def test_maps(form, squares, cli, tmp_path):
    target = tmp_path / f"map.{form}"
    found = cli(*KMEANS, squares, "--map", target)
    assert f"map written to {target}" in found.err
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[form.lower()]
    assert target.read_bytes().startswith(start)


def test_min_size_and_bounds_are_met(squares, cli, tmp_path, read):
    options = ("--min-size", 7, "--max-bound", "pop=45%")
    found = cli(*KMEANS, squares, *options, "-o", tmp_path / "x.gpkg")
    assert found.code == 0, found.err
    frame = read(tmp_path / "x.gpkg")
    assert frame["cluster"].value_counts().min() >= 7
    assert frame.groupby("cluster")["pop"].sum().max() <= 0.45 * frame["pop"].sum()


def test_a_table_without_geometry(grid, cli, tmp_path):
    source = tmp_path / "in.csv"
    grid().drop(columns="geometry").to_csv(source, index=False)
    document = json.loads(cli(*KMEANS, source, "-o", tmp_path / "out.csv", "--json").out)
    assert document["fragmentation"] is None
    labelled = pd.read_csv(tmp_path / "out.csv")
    assert labelled["cluster"].value_counts().tolist() == document["sizes"]
    assert cli(*KMEANS, source).out.count("Clusters") == 1


def test_columns_globs_and_quoted_commas(grid, save, cli):
    frame = grid().rename(columns={"a": "share, urban", "b": "share, rural"})
    source = save(frame, "in.parquet")
    for given in (["share*"], ['"share, urban"', '"share, rural"'], ['"share, urban","share, rural"']):
        options = [part for text in given for part in ("--columns", text)]
        found = cli("kmeans", "--k", 3, source, *options, "--json")
        assert json.loads(found.out)["variables"] == ["share, urban", "share, rural"]


def test_where_groups_a_part(squares, cli, tmp_path, read):
    target = tmp_path / "x.gpkg"
    assert cli(*KMEANS, squares, "--where", "pop > 40", "-o", target).code == 0
    expected = read(squares).query("pop > 40")
    assert read(target)["name"].tolist() == expected["name"].tolist()
