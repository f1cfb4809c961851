"""Plots from the shell: what is written, what is noted, and what is refused before any work."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest

PLOTS = ("plot", "parallel", "profile", "silhouettes")
DAYS = ("--time-columns", "d1-d3")


@pytest.fixture
def layer(grid):
    """25 squares with three days, one value of which is missing, and labels in words."""
    rng = np.random.default_rng(3)
    days = {f"d{number}": rng.normal(size=25) for number in (1, 2, 3)}
    frame = grid().assign(**days, side=[("west", "east")[i % 2] for i in range(25)])
    frame.loc[4, "d2"] = None
    return frame


def asked(folder, ending="svg"):
    return [word for name in PLOTS for word in (f"--{name}", folder / f"{name}.{ending}")]


@pytest.mark.parametrize(
    "command",
    [
        ("kmeans", "--k", 3),
        ("hierarchical", "--k", 3),
        ("skater", "--k", 3),
        ("dbscan", "--eps", 0.9, "--min-samples", 2),
        ("kmeans", "--k", 4, "--with-centroids", "--hops", 1),
        ("contiguous", "--label-column", "side"),
        ("validate", "--label-column", "side"),
    ],
    ids=lambda words: " ".join(map(str, words[:1])),
)
def test_every_command_draws_them(command, layer, save, cli, tmp_path):
    source = save(layer)
    found = cli(command[0], source, *command[1:], "--columns", "a,b,pop", *asked(tmp_path), *DAYS)
    assert found.code == 0, found.err
    for name in PLOTS:
        assert (tmp_path / f"{name}.svg").read_bytes().startswith(b"<?xml")
        assert f"{name} written to" in found.err
    assert any("1 of 75 values in the time columns" in note for note in found.notes)
    if command[0] != "kmeans":
        return
    again = cli(command[0], source, *command[1:], "--columns", "a,b,pop", *asked(tmp_path), *DAYS)
    assert again.code == 1
    assert "--overwrite" in again.err


def test_assign_draws_them(layer, save, cli, tmp_path):
    source, centers = save(layer), tmp_path / "c.csv"
    assert cli("kmeans", source, "--k", 3, "--columns", "a,b,pop", "--centers", centers).code == 0
    found = cli("assign", source, "--centers", centers, *asked(tmp_path), *DAYS)
    assert found.code == 0, found.err
    assert b"centres that units were given to" in (tmp_path / "plot.svg").read_bytes()


def test_figures_as_tables(layer, save, cli, tmp_path):
    from sklearn.metrics import silhouette_samples

    out = tmp_path / "out.csv"
    files = "--profile", tmp_path / "p.csv", *DAYS, "--silhouettes", tmp_path / "s.csv"
    base = "kmeans", save(layer), "--k", 3, "--columns", "a,b"
    found = cli(*base, *files, "--json", "-o", out)
    assert found.code == 0, found.err
    labels = pd.read_csv(out)["cluster"]
    grouped = layer.groupby(labels.to_numpy())
    table = pd.read_csv(tmp_path / "p.csv")
    for row in table.itertuples():
        days = grouped[row.column]
        assert row.n == days.count()[row.cluster]
        assert (row.mean, row.sd) == pytest.approx(
            (days.mean()[row.cluster], days.std()[row.cluster]), rel=1e-9
        )
    values = layer[["a", "b"]]
    expected = silhouette_samples((values - values.mean()) / values.std(), labels)
    with (tmp_path / "s.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["silhouette"]) for row in rows], expected, atol=1e-9)
    report = json.loads(found.out)["silhouettes"]
    assert report["mean"] == pytest.approx(expected.mean(), abs=1e-9)  # the report tells of them, too
    assert json.loads(cli(*base, "--json").out)["silhouettes"] is None


def test_labels_in_words_stay_words(layer, save, cli, tmp_path):
    words = "validate", save(layer), "--label-column", "side", "--columns", "a,b"
    assert cli(*words, *asked(tmp_path), *DAYS).code == 0
    for name in PLOTS:
        text = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert "west" in text
        assert "east" in text
    assert cli(*words, "--profile", tmp_path / "p.csv", *DAYS).code == 0
    assert set(pd.read_csv(tmp_path / "p.csv")["cluster"]) == {"west", "east"}


def test_units_left_out_are_not_drawn(layer, save, cli, tmp_path):
    layer.loc[:4, "a"] = None
    words = "kmeans", save(layer), "--k", 2, "--columns", "a,b", "--missing", "drop"
    assert cli(*words, *asked(tmp_path, "svg"), *DAYS).code == 0
    text = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    assert text.count("<use ") == 20 + 2  # units, and signs of the legend
    assert "no data" not in text
    assert cli(*words, "--profile", tmp_path / "p.csv", *DAYS).code == 0
    assert pd.read_csv(tmp_path / "p.csv").query("column == 'd1'")["n"].sum() == 20


def test_axes_in_original_units(layer, save, cli, tmp_path):
    layer.loc[3, "d1"] = None
    words = "kmeans", save(layer), "--k", 3, "--columns", "a,b", "--plot", tmp_path / "p.svg"
    found = cli(*words, "--axes", "pop,d1")
    assert found.code == 0, found.err
    text = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "→ pop" in text
    assert "↑ d1" in text
    assert any("the plot leaves out 1 unit" in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--axes", "a,b"], 2, "--plot"),
        (["--plot", "p.svg", "--axes", "a"], 2, "names 1 column"),
        (["--plot", "p.svg", "--axes", "a,a"], 2, "names 1 column"),
        (["--plot", "p.svg", "--axes", "a,b,pop"], 2, "names 3 columns"),
        (["--plot", "p.svg", "--axes", "a,popp"], 2, "did you mean 'pop'"),
        (["--plot", "p.svg", "--axes", "a,name"], 1, "holds text"),
        (["--plot", "p.svg", "--axes", "a,d*"], 2, "is a pattern"),
        (["--plot", "p.gif"], 1, ".png"),
        (["--plot", "p.csv"], 1, ".png"),
        (["--parallel", "p.csv"], 1, ".png"),
        (["--profile", "p.svg"], 2, "--time-columns d1-d40"),
        (["--time-columns", "d1"], 2, "--profile"),
        (["--profile", "p.svg", "--time-columns", "d1-d4"], 2, "no column 'd4'"),
        (["--profile", "p.svg", "--time-columns", "d3-d1"], 2, "runs backwards"),
        (["--profile", "p.svg", "--time-columns", "name"], 1, "not numbers"),
        (["--profile", "p.xlsx", "--time-columns", "d1"], 1, ".csv"),
        (["--silhouettes", "p.txt"], 1, ".csv"),
        (["--plot", "p.svg", "--parallel", "p.svg"], 2, "same file"),
        (["--plot", "in.gpkg"], 1, ".png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_refusals(words, code, says, layer, save, refused, tmp_path, monkeypatch):
    source = save(layer)
    monkeypatch.chdir(tmp_path)

    def never(*_args, **_options):
        raise AssertionError("it is refused before any work")

    monkeypatch.setattr("regionalize.run.solve.solve", never)
    refused("kmeans", source, "--k", 3, "--columns", "a,b", *words, code=code, says=says)


@pytest.mark.parametrize("command", [("kmeans", "--k", 1), ("validate", "--label-column", "constant")])
def test_one_cluster_has_no_silhouettes(command, layer, save, refused, tmp_path):
    target = tmp_path / "s.png"
    refused(
        command[0],
        save(layer),
        *command[1:],
        "--columns",
        "a,b",
        "--silhouettes",
        target,
        says="two clusters",
    )


def test_compare_draws_panels(layer, save, cli, tmp_path):
    found = cli(
        "compare",
        save(layer),
        *("kmeans", "hierarchical", "--k", 3, "--columns", "a,b,pop"),
        *("--plot", tmp_path / "c.svg", "--json"),
    )
    assert found.code == 0, found.err
    text = (tmp_path / "c.svg").read_text(encoding="utf-8")
    ari = json.loads(found.out)["pairs"][0]["ari"]
    assert f"ARI {ari:.3f}" in text
    assert text.count('id="units-') == 2
    assert text.count('id="center-1-') == text.count('id="center-2-') == 6  # a rim and a ring each


def test_compare_without_variables_is_refused(save, refused, grid, tmp_path):
    frame = grid()[["name", "geometry"]].assign(x=["a", "b"] * 12 + ["a"], y=["c"] * 20 + ["d"] * 5)
    refused("compare", save(frame), ":x", ":y", "--plot", tmp_path / "c.svg", says="no variables")


def test_real_layers(shared_data, cli, tmp_path):
    guerry = shared_data("guerry/Guerry.shp")
    words = "kmeans", guerry, "--k", 5, "--columns", "Crm_prs,Crm_prp,Litercy,Donatns,Infants,Suicids"
    assert cli(*words, "--plot", tmp_path / "g.png", "--parallel", tmp_path / "g.pdf").code == 0
    regimes = shared_data("natregimes/natregimes.shp")
    words = "kmeans", regimes, "--k", 4, "--columns", "HR90,UE90,PS90"
    table = tmp_path / "p.csv"
    found = cli(
        *words, "--profile", table, "--time-columns", "HR60,HR70,HR80,HR90", "-o", tmp_path / "o.parquet"
    )
    assert found.code == 0, found.err
    labelled = pd.read_parquet(tmp_path / "o.parquet")
    expected = labelled.groupby("cluster")[["HR60", "HR70", "HR80", "HR90"]].mean().to_numpy().ravel()
    np.testing.assert_allclose(pd.read_csv(table)["mean"], expected, rtol=1e-9)
