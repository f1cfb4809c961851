"""What `validate` says of fit and silhouettes, in every form of the report, by shell and by Python."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest

import regionalize as rz
from regionalize.errors import RegionalizeError, UsageError
from regionalize.measure import silhouette


@pytest.fixture
def layer(grid):
    """25 squares with labels in words and in numbers."""
    sides = ["west", "east", "south"]
    labels = [sides[i] for i in np.random.default_rng(3).integers(0, 3, 25)]
    return grid().assign(side=labels, number=[sides.index(side) + 1 for side in labels])


@pytest.fixture
def expected(layer):
    """Silhouettes by scikit-learn, of standardised a and b."""
    from sklearn.metrics import silhouette_samples

    values = layer[["a", "b"]].to_numpy()
    Z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    return silhouette_samples(Z, layer["number"])


SIDE = ("--label-column", "side", "--columns", "a,b")
NUMBER = ("--label-column", "number", "--columns", "a,b")


def test_silhouettes_in_json(layer, expected, save, cli):
    found = json.loads(cli("validate", save(layer), *NUMBER, "--json").out)["silhouettes"]
    of_clusters = [expected[layer["number"] == cluster] for cluster in (1, 2, 3)]
    assert found["mean"] == pytest.approx(expected.mean(), abs=1e-9)
    assert found["by_cluster"] == pytest.approx([values.mean() for values in of_clusters], abs=1e-9)
    assert found["negative_by_cluster"] == [(values < 0).sum() for values in of_clusters]
    assert (found["negative"], found["units"], found["sampled"]) == ((expected < 0).sum(), 25, False)


def test_fit_in_json(layer, save, cli):
    from sklearn.metrics import calinski_harabasz_score

    found = json.loads(cli("validate", save(layer), *NUMBER, "--json").out)
    values = layer[["a", "b"]].to_numpy()
    Z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    means = np.array([Z[layer["number"] == cluster].mean(axis=0) for cluster in (1, 2, 3)])
    away = Z - means[layer["number"] - 1]
    assert found["fit"]["pseudo_f"] == pytest.approx(calinski_harabasz_score(Z, layer["number"]))
    assert found["fit"]["mean_distance"] == pytest.approx(np.hypot(*away.T).mean())
    assert found["r_squared"] == pytest.approx((1 - (away**2).sum(axis=0) / 24).tolist())
    assert np.mean(found["r_squared"]) == pytest.approx(found["bss_tss_all"])


def test_terminal_and_written_reports_say_the_same(layer, expected, save, cli, tmp_path):
    source = save(layer)
    report = json.loads(cli("validate", source, *NUMBER, "--json").out)
    shown = cli("validate", source, *NUMBER).out
    lines = [line.split() for line in shown.splitlines()]
    assert ["R²", *(f"{share:.3f}" for share in report["r_squared"])] in lines
    assert ["all", f"{expected.mean():.3f}", str((expected < 0).sum())] in lines
    for ending in ("csv", "md"):
        assert cli("validate", source, *NUMBER, "--report", tmp_path / f"r.{ending}").code == 0
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["cluster"] for row in rows] == ["1", "2", "3"]
    for row, mean, count in zip(
        rows, report["silhouettes"]["by_cluster"], report["silhouettes"]["negative_by_cluster"], strict=True
    ):
        assert (float(row["silhouette"]), int(row["negative_silhouettes"])) == (mean, count)
        assert [float(row["r_squared_a"]), float(row["r_squared_b"])] == report["r_squared"]
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert f"| mean | {expected.mean():.6g} |" in text
    assert f"| a | {report['r_squared'][0]:.6g} |" in text
    assert f"| {report['fit']['pseudo_f']:.6g} | {report['fit']['mean_distance']:.6g} |" in text


def test_more_variables_than_clusters_have_their_share_beside_them(layer, save, cli):
    found = cli("validate", save(layer), "--label-column", "side", "--columns", "a,b,pop,constant")
    lines = [line.split() for line in found.out.splitlines()]
    assert ["variable", "1", "2", "3", "R²"] in lines
    # a variable that does not vary has none
    assert [line[-1] for line in lines if line[:1] == ["constant"]] == ["–"]
    assert 0 <= float(next(line[-1] for line in lines if line[:1] == ["pop"])) <= 1


def test_coordinates_have_a_share_as_well(squares, cli):
    found = json.loads(cli("kmeans", squares, "--k", 3, "--columns", "a", "--with-centroids", "--json").out)
    assert found["variables"] == ["a", "X", "Y"]
    assert len(found["r_squared"]) == 3
    assert all(0 <= share <= 1 for share in found["r_squared"])
    # on standardised variables without weights the ratio of all is the mean
    assert np.mean(found["r_squared"]) == pytest.approx(found["bss_tss_all"])
    alone = json.loads(
        cli("kmeans", squares, "--k", 3, "--columns", "a,b", "--centroid-weight", 0.5, "--json").out
    )
    assert len(alone["r_squared"]) == len(alone["center_columns"]) == 2
    assert np.mean(alone["r_squared"]) == pytest.approx(alone["bss_tss_attributes"])


def test_a_row_for_every_unit(layer, expected, save, cli, read, tmp_path):
    target = tmp_path / "silhouettes.csv"
    found = cli("validate", save(layer), *SIDE, "--id", "name", "--silhouettes", target)
    assert found.code == 0, found.err
    table = pd.read_csv(target)
    assert table.columns.tolist() == ["id", "cluster", "silhouette", "nearest"]
    assert table["id"].tolist() == layer["name"].tolist()
    assert table["cluster"].tolist() == layer["side"].tolist()
    np.testing.assert_allclose(table["silhouette"], expected, atol=1e-9)
    values = layer[["a", "b"]].to_numpy()
    Z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    for place, row in enumerate(table.itertuples()):
        distances = {
            side: np.linalg.norm(Z[layer["side"] == side] - Z[place], axis=1).mean()
            for side in set(layer["side"]) - {row.cluster}
        }
        assert row.nearest == min(distances, key=distances.get)


def test_noise_and_rows_left_out_have_no_row(layer, save, cli, tmp_path):
    layer["number"] = layer["number"].astype("Int64")
    layer.loc[3, "number"], layer.loc[5, "number"] = 0, pd.NA
    layer.loc[7, "a"] = np.nan
    target = tmp_path / "s.csv"
    found = cli("validate", save(layer), *NUMBER, "--missing", "drop", "--silhouettes", target, "--json")
    assert found.code == 0, found.err
    table = pd.read_csv(target)
    assert table["id"].tolist() == [row for row in range(1, 26) if row not in {4, 6, 8}]
    assert table["cluster"].tolist() == layer["number"].drop([3, 5, 7]).tolist()
    assert json.loads(found.out)["silhouettes"]["units"] == 22


def test_above_the_limit_a_sample_is_measured_and_said(layer, save, cli, tmp_path, monkeypatch):
    monkeypatch.setattr(silhouette, "LIMIT", 10)
    source, target = save(layer), tmp_path / "s.csv"
    found = cli("validate", source, *NUMBER, "--silhouettes", target, "--report", tmp_path / "r.md")
    assert "Silhouettes are of 10 of the 25 units, drawn at random." in found.out
    assert "| units | 10 of 25, drawn at random |" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert len(pd.read_csv(target)) == 10
    report = json.loads(cli("validate", source, *NUMBER, "--json").out)["silhouettes"]
    assert (report["units"], report["sampled"]) == (10, True)


@pytest.mark.parametrize("labels", [np.ones(25, dtype=int), np.arange(1, 26)], ids=["one", "alone"])
def test_labels_without_silhouettes(labels, layer, save, cli, refused, tmp_path):
    source = save(layer.assign(number=labels))
    found = cli("validate", source, *NUMBER)
    assert found.code == 0, found.err
    assert "Silhouettes" not in found.out
    assert json.loads(cli("validate", source, *NUMBER, "--json").out)["silhouettes"] is None
    refused("validate", source, *NUMBER, "--silhouettes", tmp_path / "s.csv", says="need two clusters")


def test_files_that_cannot_be_written(layer, save, cli, refused, tmp_path):
    source, there = save(layer), tmp_path / "there.csv"
    there.write_text("mine", encoding="utf-8")
    base = ("validate", source, *NUMBER, "--silhouettes")
    refused(*base, there, says="--overwrite")
    refused(*base, tmp_path / "s.xlsx", says=".csv")
    refused(*base, tmp_path / "none" / "s.csv")
    refused(*base, tmp_path / "r.csv", "--report", tmp_path / "r.csv", code=2, says="same file")
    refused("validate", source, "--label-column", "sid", "--silhouettes", tmp_path / "s.csv", code=2)
    assert cli(*base, there, "--overwrite").code == 0
    assert there.read_text(encoding="utf-8").startswith("id,cluster,")


def test_python_measures_what_the_shell_does(layer, expected, save, cli):
    named = layer.set_index("name")
    found = rz.validate(named, "side", columns=["a", "b"], require="k=3,min-size=24")
    shell = json.loads(cli("validate", save(layer), *SIDE, "--json").out)
    assert found.report.silhouettes.mean == shell["silhouettes"]["mean"]
    assert list(found.report.r_squared) == shell["r_squared"]
    assert found.report.fit.wss == shell["fit"]["wss"]
    assert len(found.faults) == 3
    assert found.silhouettes.index.tolist() == layer["name"].tolist()
    assert found.silhouettes["cluster"].tolist() == layer["side"].tolist()
    np.testing.assert_allclose(found.silhouettes["silhouette"], expected, atol=1e-9)
    assert rz.validate(named, "side", columns=["a", "b"]).faults == ()


def test_python_takes_ready_made_weights_and_other_labels(layer):
    from libpysal.graph import Graph

    graph = Graph.build_contiguity(layer, rook=True)
    rook = rz.validate(layer, "side", columns=["a", "b"], weights="rook").report
    assert rz.validate(layer, "side", columns=["a", "b"], weights=graph).report.fragmentation.joins == (
        rook.fragmentation.joins
    )
    alone = rz.validate(layer.assign(one="all"), "one", columns=["a", "b"])
    assert alone.report.silhouettes is None
    assert alone.silhouettes["silhouette"].isna().all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"k": 3}, "unknown option 'k'"),
        ({"colums": "a"}, "did you mean 'columns'"),
        ({"require": "size=3"}, "size"),
    ],
)
def test_python_refuses_what_cannot_be_meant(options, says, layer):
    with pytest.raises(UsageError, match=says):
        rz.validate(layer, "side", **options)
    with pytest.raises(RegionalizeError, match="no column 'cluster'"):
        rz.validate(layer)


def test_clusters_named_by_text_are_shown_with_it(grid, save, cli):
    frame = grid()
    frame["side"] = ["west", "east", "east", "east", "east"] * 5
    source = save(frame)
    shown = cli("-q", "validate", source, "--label-column", "side", "--columns", "a,b").out.splitlines()
    at = shown.index("Clusters")
    assert shown[at + 1].split()[:3] == ["cluster", "label", "size"]
    assert [line.split()[:3] for line in shown[at + 2 : at + 4]] == [["1", "east", "20"], ["2", "west", "5"]]
    frame["number"] = [1, 2, 2, 2, 2] * 5
    plain = cli("-q", "validate", save(frame, "numbers.gpkg"), "--label-column", "number", "--columns", "a,b")
    assert "label" not in plain.out
