"""What a comparison finds, against direct computation and other packages."""

from __future__ import annotations

import itertools
import os

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import regionalize as rz
from regionalize.errors import DataError, UsageError
from regionalize.io.sample import sample_path
from regionalize.model.catalog import METHODS
from regionalize.studies.comparison_files import column_names, written
from regionalize.studies.labelings import Labeling, read_words

COLUMNS = ["pct_rural", "pct_pov", "pct_black"]


@pytest.fixture(scope="module")
def counties():
    return geopandas.read_file(sample_path())


@pytest.fixture
def squares():
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(6.0), np.arange(5.0)))
    rng = np.random.default_rng(3)
    return geopandas.GeoDataFrame(
        {"name": [f"unit {i}" for i in range(30)], "a": rng.normal(size=30), "b": rng.normal(size=30)},
        geometry=shapely.box(x, y, x + 1, y + 1),
        crs="EPSG:32633",
    )


def best_overlap(a, b):
    """Most units that can keep their label, by trying every assignment."""
    k = max(a.max(), b.max())
    return max(
        sum((np.array([0, *order])[b] == a) & (b > 0)) for order in itertools.permutations(range(1, k + 1))
    )


# --- figures


def test_agreement_is_that_of_scikit_learn_over_the_units_both_have(squares):
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 5, 30), rng.integers(0, 4, 30).astype(float)
    b[[4, 9, 13]] = np.nan
    found = rz.compare(squares, {"a": a, "b": b}, columns=["a", "b"])
    both = (a > 0) & (b > 0)
    row = found.agreement.loc[("a", "b")]
    assert row["units"] == both.sum()
    assert row["ari"] == pytest.approx(metrics.adjusted_rand_score(a[both], b[both]))
    assert row["ami"] == pytest.approx(metrics.adjusted_mutual_info_score(a[both], b[both]))
    assert row["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(a[both], b[both]))
    one, other = (
        -sum(p * np.log(p) for p in np.bincount(v[both].astype(int)) / both.sum() if p) for v in (a, b)
    )
    assert row["nid"] == pytest.approx(1 - metrics.mutual_info_score(a[both], b[both]) / max(one, other))
    expected = pd.crosstab(a[both], b[both].astype(int))
    assert found.contingency().to_numpy().tolist() == expected.to_numpy().tolist()
    table = found.table
    assert table["noise"].tolist() == [(a == 0).sum(), (b == 0).sum()]
    assert table["unlabelled"].tolist() == [0, 3]
    assert table["units"].tolist() == [(a > 0).sum(), (b > 0).sum()]


def test_runs_and_their_measures_are_those_of_single_runs(counties):
    words = ["kmeans", "skater:k=8", "schc:linkage=average", "kmeans:k=6,with-centroids,seed=7"]
    found = rz.compare(counties, words, k=4, columns=COLUMNS)
    alone = [
        rz.regionalize(counties, "kmeans", k=4, columns=COLUMNS),
        rz.regionalize(counties, "skater", k=8, columns=COLUMNS),
        rz.regionalize(counties, "schc", k=4, linkage="average", columns=COLUMNS),
        rz.regionalize(counties, "kmeans", k=6, with_centroids=True, seed=7, columns=COLUMNS),
    ]
    for name, one in zip(words, alone, strict=True):
        pd.testing.assert_series_equal(found.labels[name], one.labels, check_names=False)
        row, spatial = found.table.loc[name], one.report.fragmentation
        assert row["bss_tss_attributes"] == pytest.approx((one.report.fit_attributes or one.report.fit).ratio)
        assert (row["subclusters"], row["contiguous"]) == (spatial.subclusters, spatial.contiguous)
        assert row["join_count_ratio"] == pytest.approx(spatial.join_count_ratio)
        assert row["entropy"] == pytest.approx(spatial.entropy)
        assert (row["smallest"], row["largest"]) == (min(one.report.sizes), max(one.report.sizes))
    assert found.table["contiguous"].tolist() == [False, True, True, False]
    z = counties[COLUMNS].apply(lambda column: (column - column.mean()) / column.std())
    score = metrics.silhouette_score(z, alone[0].labels)
    assert found.table.loc["kmeans", "silhouette"] == pytest.approx(score)


def test_fit_is_measured_alike_whatever_a_run_went_by(counties):
    found = rz.compare(
        counties, ["kmeans:k=3", "kmeans:k=3,columns=pct_eld,transform=raw"], columns=COLUMNS, transform="mad"
    )
    raw = counties[COLUMNS].to_numpy(float)
    X = (raw - raw.mean(axis=0)) / np.abs(raw - raw.mean(axis=0)).mean(axis=0)
    for name, ratio in found.table["bss_tss_attributes"].items():
        groups = [X[(found.labels[name] == c).to_numpy()] for c in (1, 2, 3)]
        within = sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups)
        assert ratio == pytest.approx(1 - within / ((X - X.mean(axis=0)) ** 2).sum())


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=2, max_size=40))
def test_matching_keeps_as_many_labels_as_can_be_kept(pairs):
    a, b = np.array(pairs).T
    frame = pd.DataFrame({"x": np.arange(len(a)), "y": 1.0})
    found = rz.compare(frame, {"a": [f"c{v}" for v in a], "b": b})
    a, matched = found.labels["a"].to_numpy(), found.matched["b"].to_numpy()
    kept = (a == matched).sum()
    assert kept == best_overlap(a, np.unique(b, return_inverse=True)[1] + 1)
    assert found.table.loc["b", "kept"] == pytest.approx(kept / len(a))
    assert metrics.adjusted_rand_score(matched, b) == 1  # the clusters are the same, renumbered


def test_the_same_clusters_under_other_names_match_whole(squares):
    labels = np.repeat([1, 2, 3], 10)
    found = rz.compare(squares, {"a": labels, "b": np.array(["z", "x", "y"])[labels - 1]})
    assert found.matched["b"].tolist() == labels.tolist()
    assert found.agreement[["ari", "ami", "nmi", "nid"]].iloc[0].tolist() == [1, 1, 1, 0]
    assert found.report["labelings"][1]["clusters"] == ["x", "y", "z"]
    assert found.report["labelings"][1]["matched"] == [2, 3, 1]


def test_rows_left_out_count_in_no_labeling(squares):
    squares.loc[[2, 17], "a"] = np.nan
    squares["old"] = np.arange(30) % 3 + 1
    with pytest.raises(DataError, match="missing"):
        rz.compare(squares, ["old", "kmeans"], k=3, columns=["a", "b"])
    found = rz.compare(squares, ["old", "kmeans"], k=3, columns=["a", "b"], missing="drop")
    assert found.table["units"].tolist() == [28, 28]
    assert found.labels.isna().sum().tolist() == [2, 2]
    assert found.agreement["units"].tolist() == [28]


def test_labels_are_no_variables(squares):
    squares["old"] = np.arange(30) % 3 + 1
    found = rz.compare(squares, ["old", "kmeans"], k=3)
    assert found.report["variables"] == ["a", "b"]
    alone = rz.regionalize(squares.drop(columns="old"), "kmeans", k=3)
    assert found.labels["kmeans"].tolist() == alone.labels.tolist()


def test_neighbours_are_found_once(squares, monkeypatch):
    from regionalize.weights import build

    calls = []
    once = build.build_weights
    monkeypatch.setattr(build, "build_weights", lambda *a, **k: calls.append(a[1]) or once(*a, **k))
    rz.compare(squares, ["skater", "schc", "redcap", "skater:weights=rook"], k=3, columns=["a", "b"])
    assert calls == ["queen", "rook"]


def test_weights_that_are_ready_are_used(squares):
    weights = rz.build_weights(rz.Layer.from_frame(squares), "rook")
    found = rz.compare(squares, ["skater", "kmeans"], k=4, columns=["a", "b"], weights=weights)
    alone = rz.regionalize(squares, "skater", k=4, columns=["a", "b"], weights="rook")
    assert found.labels["skater"].tolist() == alone.labels.tolist()
    assert found.report["weights"] == "rook"


# --- awkward input


def test_a_table_has_no_pieces_and_no_map(squares, tmp_path):
    table = pd.DataFrame(squares.drop(columns="geometry"))
    found = rz.compare(table, ["kmeans", "hierarchical"], k=3, columns=["a", "b"])
    assert found.table["subclusters"].isna().all()
    assert found.table["bss_tss_attributes"].between(0, 1).all()
    with pytest.raises(DataError, match="no geometry"):
        found.plot(tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataError, match="skater: the table has no geometry"):
        rz.compare(table, ["kmeans", "skater"], k=3, columns=["a", "b"])


def test_labels_alone_can_be_compared(squares):
    frame = squares[["geometry"]].assign(one=["p", "q"] * 15, two=["p"] * 15 + ["q"] * 15)
    found = rz.compare(frame, ["one", "two"])
    assert found.table["bss_tss_attributes"].isna().all()
    assert found.table["subclusters"].notna().all()
    assert any("fit is not known" in note for note in found.notes)


def test_names_are_no_labels():
    frame = pd.DataFrame({"one": [f"unit {i}" for i in range(5001)]})
    frame["two"] = frame["one"][::-1].to_numpy()
    with pytest.raises(DataError, match="one and two have 5,001 and 5,001 clusters"):
        rz.compare(frame, ["one", "two"])


@pytest.mark.parametrize("n", [1, 2])
def test_one_cluster_and_few_rows(squares, n):
    frame = squares.iloc[:n].assign(one=1, two=range(1, n + 1))
    found = rz.compare(frame.drop(columns=["a", "b"]), ["one", "two"])
    assert found.table["k"].tolist() == [1, n]
    assert found.agreement["nid"].iloc[0] == (0 if n == 1 else 1)


def test_labels_of_any_kind_on_any_index(squares):
    squares.index = [f"id{i}" for i in range(30)]
    codes = np.arange(30) % 3
    series = pd.Series(codes, index=squares.index)[::-1]
    kinds = {
        "first": codes + 1,
        "list": codes.tolist(),
        "turned": series,
        "category": pd.Categorical(np.array(["low", "mid", "high"])[codes]),
        "nullable": pd.array(codes * 10, dtype="Int64"),
        "result": rz.regionalize(squares, "kmeans", k=3, columns=["a", "b"]),
    }
    found = rz.compare(squares, kinds)
    assert found.agreement.loc["first"]["ari"].tolist()[2:4] == [1, 1]
    assert found.labels.index.equals(squares.index)
    # 0 is noise, beside 1 and 2 as beside 10 and 20
    assert found.table["k"].tolist() == [3, 2, 2, 3, 2, 3]


@pytest.mark.parametrize(
    ("things", "options", "error", "says"),
    [
        (["kmeans"], {"k": 3}, UsageError, "fewer than two"),
        ("kmeans", {"k": 3}, UsageError, "fewer than two"),
        (["kmeans", "kmeans"], {"k": 3}, UsageError, "fewer than two"),
        (["kmeans", "skater"], {}, UsageError, "kmeans: the number of clusters is missing"),
        (["kmeans", "skatter"], {"k": 3}, UsageError, "did you mean 'skater'"),
        (["kmeans:kk=3", "skater"], {"k": 3}, UsageError, "'kk=3' is no option"),
        (["schc:k=3,5", "skater"], {"k": 3}, UsageError, "k takes one number"),
        (["kmeans:where=x", "skater"], {"k": 3}, UsageError, "where is the same for all"),
        (["kmeans", "skater:k=99"], {"k": 3}, UsageError, "skater:k=99: "),
        (["kmeans", "skater"], {"k": 3, "colums": ["a"]}, UsageError, "did you mean 'columns'"),
        (["kmeans", "skater"], {"k": 3, "columns": ["aa"]}, UsageError, "did you mean 'a'"),
        ({"a": [1, 2], "b": "kmeans"}, {"k": 3}, UsageError, "'a' has 2 labels, and the frame 30 rows"),
        ({"a": object(), "b": "kmeans"}, {"k": 3}, UsageError, "'a' is a object"),
        ({"a": [None] * 30, "b": "kmeans"}, {"k": 3}, DataError, "no labels"),
        ({"a": pd.Series(np.ones(30), range(5, 35)), "b": "kmeans"}, {"k": 3}, UsageError, "another index"),
        ({"a": [0] * 29 + [1], "b": [1] * 29 + [0]}, {}, DataError, "a and b: no unit"),
    ],
)
def test_refusals(squares, things, options, error, says):
    with pytest.raises(error) as caught:
        rz.compare(squares, things, **options)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# --- words


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.gpkg", "b.gpkg", "old/a.gpkg", "plain", "schc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkdir("zone")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "source", "things"),
    [
        ("kmeans skater:k=8", None, "run:kmeans run:skater:k=8"),
        ("a.gpkg kmeans skater", "a.gpkg", "run:kmeans run:skater"),
        ("a.gpkg kmeans", "a.gpkg", "column:cluster run:kmeans"),
        ("a.gpkg zone", "a.gpkg", "column:cluster column:zone"),
        ("a.gpkg zone kmeans", "a.gpkg", "column:zone run:kmeans"),
        ("a.gpkg b.gpkg", "a.gpkg", "column:a file:b"),
        ("a.gpkg:old b.gpkg:new", "a.gpkg", "column:old file:b:new"),
        ("a.gpkg b.gpkg old/a.gpkg", "a.gpkg", "column:a file:b file:a (2)"),
        ("a.gpkg b.gpkg kmeans", "a.gpkg", "file:b run:kmeans"),
        ("plain kmeans", "plain", "column:cluster run:kmeans"),
        ("- one two", "-", "column:one column:two"),
        ("schc skater", None, "run:schc run:skater"),  # a method, though there is a file of that name
        ("./schc skater", "./schc", "column:cluster run:skater"),
        ("a.gpkg :kmeans kmeans", "a.gpkg", "column:kmeans run:kmeans (2)"),
        ("a.gpkg :b.gpkg kmeans", "a.gpkg", "column:b.gpkg run:kmeans"),
        ("gone.gpkg kmeans", "gone.gpkg", "column:cluster run:kmeans"),
        ("one two one", None, "column:one column:two column:one (2)"),
    ],
)
def test_words_are_understood(folder, words, source, things):
    found, read = read_words(words.split(), "cluster", {"k": 3})
    assert found == source
    assert " ".join(f"{word.kind}:{word.name}" for word in read) == things


@pytest.mark.parametrize("words", ["", "kmeans", "a.gpkg", "-", "zone"])
def test_one_thing_is_too_few(folder, words):
    with pytest.raises(UsageError, match="fewer than two things"):
        read_words(words.split(), "cluster", {"k": 3})


@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_a_run_and_takes_what_it_knows(name):
    _, (run, _) = read_words([name, "one"], "cluster", {"k": 3, "min_size": 2, "seed": 5, "hops": 1})
    assert (run.job.method, run.job.seed, run.job.hops) == (name, 5, 1)
    assert run.job.k == (3 if METHODS[name].takes_k else None)
    assert run.job.min_size == (2 if METHODS[name].bounded else None)


# --- columns


def test_columns_are_named_without_touching_any(squares):
    layer = rz.Layer.from_frame(squares.assign(old=1, kmeans=1, old_matched=1))
    columns = {"kmeans": None, "skater:k=8": None, "old": "old", "Skater_k_8": None}
    plain = {"kmeans": "kmeans_2", "skater:k=8": "skater_k_8", "Skater_k_8": "Skater_k_8_2"}
    assert column_names(layer, columns, match=False) == plain
    matched = {
        "kmeans": "kmeans_matched",
        "skater:k=8": "skater_k_8",
        "old": "old_matched_2",
        "Skater_k_8": "Skater_k_8_matched",
    }
    assert column_names(layer, columns, match=True) == matched


def test_a_frame_with_matched_labels(squares):
    squares["old"] = np.repeat(["north", "south"], 15)
    found = rz.compare(squares, {"old": "old", "new": np.repeat([2, 1, 3], [15, 13, 2])}, columns=["a", "b"])
    frame = found.to_frame(match=True)
    assert frame.columns.tolist() == [*squares.columns, "new"]
    assert frame["new"].tolist() == ["north"] * 15 + ["south"] * 13 + ["other 1"] * 2
    assert found.to_frame()["new"].tolist() == [2] * 15 + [1] * 13 + [3] * 2
    pd.testing.assert_frame_equal(frame[squares.columns], squares)


def test_written_values_never_collide():
    labels = np.array([1, 2, 3, 4, 0, -1])
    gaps = Labeling("a", labels, {1: 3, 2: 5, 3: 9})
    assert written(labels, gaps).to_pylist() == [3, 5, 9, 10, 0, None]
    assert written(labels, Labeling("a", labels)).to_pylist() == [1, 2, 3, 4, 0, None]
    flags = Labeling("a", labels, {1: False, 2: True})
    assert written(labels, flags).to_pylist() == [
        "False",
        "True",
        "other 1",
        "other 2",
        "not clustered",
        None,
    ]


def test_the_picture_is_written_or_shown(squares, tmp_path):
    found = rz.compare(squares, ["kmeans", "skater"], k=3, columns=["a", "b"])
    assert found.plot()[:8] == b"\x89PNG\r\n\x1a\n"
    text = found.plot(tmp_path / "map.svg").read_text()
    for words in ("kmeans", "skater", f"ARI {found.agreement['ari'].iloc[0]:.3f}", "contiguous"):
        assert words in text
    with pytest.raises(UsageError, match="gif"):
        found.plot(tmp_path / "map.gif")


def test_other_pairs_of_labelings(squares):
    found = rz.compare(squares, {"a": [1, 2] * 15, "b": [1] * 30, "c": ["x", "y", "z"] * 10})
    table = found.contingency("c", "a")
    assert table.to_dict() == {1: {"x": 5, "y": 5, "z": 5}, 2: {"x": 5, "y": 5, "z": 5}}
    with pytest.raises(UsageError, match="'d' is not compared"):
        found.contingency("d", "a")
