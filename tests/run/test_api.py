"""The Python call: frames in, labels on their index out."""

from __future__ import annotations

import json

import geopandas
import numpy as np
import pandas as pd
import pytest

import regionalize as rz
from regionalize.errors import RegionalizeError, UsageError

AB = {"k": 3, "columns": ["a", "b"]}


def test_same_labels_as_the_command_line(frame, tmp_path):
    from regionalize.cli.program import run_program

    frame.to_file(tmp_path / "in.gpkg")
    options = {
        **AB,
        "with_centroids": True,
        "seed": 5,
        "column_weights": {"a": 2},
        "min_bound": ("pop", "10%"),
    }
    found = rz.regionalize(frame, "kmeans", **options)
    typed = ["--k", "3", "--columns", "a,b", "--with-centroids", "--seed", "5", "--column-weights", "a=2"]
    target = tmp_path / "out.gpkg"
    line = ["-q", "kmeans", str(tmp_path / "in.gpkg"), *typed, "--min-bound", "pop=10%", "-o", str(target)]
    report = tmp_path / "x.json"
    assert run_program([*line, "--report", str(report)]) == 0
    assert geopandas.read_file(target, layer="out")["cluster"].tolist() == found.labels.tolist()
    assert json.loads(report.read_text())["fit"]["wss"] == pytest.approx(found.report.fit.wss)


@pytest.mark.parametrize("distance", ["manhattan", "euclidean"])
@pytest.mark.parametrize("method", ["kmedoids", "kmedians"])
def test_a_weight_of_two_is_the_variable_twice(method, distance, frame):
    """In every distance, so also in its sum."""
    twice = frame.assign(a2=frame["a"])
    one = rz.regionalize(frame, method, **AB, distance=distance, column_weights={"a": 2})
    two = rz.regionalize(twice, method, k=3, columns=["a", "a2", "b"], distance=distance)
    assert one.labels.tolist() == two.labels.tolist()
    for measure in ("total", "within"):
        weighted, doubled = (found.report.extra["distances"][measure] for found in (one, two))
        assert weighted == pytest.approx(doubled, rel=1e-9)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([f"u{i}" for i in range(25)], name="unit"),
        pd.Index(np.arange(25)[::-1] * 7),
        pd.Index([1, 2, 3, 4, 5] * 5),
        pd.MultiIndex.from_product([list("abcde"), range(5)]),
        pd.date_range("2020-01-01", periods=25),
    ],
    ids=["names", "reversed", "duplicated", "multi", "dates"],
)
def test_labels_are_on_the_index(index, frame):
    plain = rz.regionalize(frame, **AB)
    found = rz.regionalize(frame.set_axis(index), **AB)
    pd.testing.assert_index_equal(found.labels.index, index)
    assert found.labels.tolist() == plain.labels.tolist()
    assert found.labels.dtype == "int64"
    labelled = found.to_frame("region")
    assert isinstance(labelled, geopandas.GeoDataFrame)
    assert labelled["region"].tolist() == plain.labels.tolist()
    pd.testing.assert_index_equal(labelled.index, index)


def test_the_frame_is_left_alone(frame):
    before = frame.copy(deep=True)
    found = rz.regionalize(frame, with_centroids=True, **AB)
    found.to_frame()
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before))


def test_to_frame_refuses_a_column_that_is_there(frame):
    with pytest.raises(UsageError, match="already has a column 'pop'"):
        rz.regionalize(frame, **AB).to_frame("pop")


def test_missing_rows_have_no_label(frame):
    frame.loc[4, "a"] = np.nan
    with pytest.raises(RegionalizeError, match="missing in 1 of 25 rows"):
        rz.regionalize(frame, **AB)
    found = rz.regionalize(frame, missing="drop", **AB)
    assert found.labels.dtype == "Int64"
    assert found.labels.index[found.labels.isna()].tolist() == [4]
    assert sum(found.report.sizes) == 24
    assert found.to_frame()["cluster"].isna().sum() == 1
    assert any("1 of 25 rows left out" in note for note in found.notes)


def test_table_without_geometry(frame):
    table = pd.DataFrame(frame.drop(columns="geometry"))
    found = rz.regionalize(table, **AB)
    assert found.labels.tolist() == rz.regionalize(frame, **AB).labels.tolist()
    assert found.weights is None
    assert found.report.fragmentation is None


def test_active_geometry_under_another_name(frame):
    found = rz.regionalize(frame.rename_geometry("outline"), with_centroids=True, **AB)
    assert found.labels.tolist() == rz.regionalize(frame, with_centroids=True, **AB).labels.tolist()


def test_graph_in_and_out(frame):
    from libpysal.graph import Graph

    named = frame.set_axis([f"u{i}" for i in range(25)])
    graph = Graph.build_contiguity(named, rook=True)
    found = rz.regionalize(named, weights=graph, hops=1, **AB)
    typed = rz.regionalize(named, weights="rook", hops=1, **AB)
    assert found.labels.tolist() == typed.labels.tolist()
    assert found.report.fragmentation.joins == typed.report.fragmentation.joins
    out = found.weights.to_graph(named.index)
    pd.testing.assert_series_equal(
        out.adjacency.sort_index(), graph.adjacency.sort_index(), check_dtype=False
    )


def test_graph_in_another_order_is_matched_by_name(frame):
    """A graph knows its units by name, so their order must not matter."""
    from libpysal.graph import Graph

    named = frame.set_axis([f"u{i}" for i in range(25)])
    shuffled = Graph.build_contiguity(named.sample(frac=1, random_state=1), rook=True)
    one = rz.regionalize(named, weights=shuffled, hops=2, **AB)
    two = rz.regionalize(named, weights="rook", hops=2, **AB)
    assert one.labels.tolist() == two.labels.tolist()
    assert one.report.fragmentation.clusters == two.report.fragmentation.clusters


def test_graph_of_other_units_is_refused(frame):
    from libpysal.graph import Graph

    with pytest.raises(RegionalizeError, match="index"):
        rz.regionalize(frame, weights=Graph.build_contiguity(frame.iloc[:20]), **AB)
    other = Graph.build_contiguity(frame.set_axis(range(100, 125)))
    with pytest.raises(RegionalizeError, match="index"):
        rz.regionalize(frame, weights=other, **AB)


def test_weights_in(frame):
    weights = rz.build_weights(rz.Layer.from_frame(frame), "rook")
    found = rz.regionalize(frame, weights=weights, **AB)
    assert found.weights.n_links == 80  # 2 × (5 × 4 + 4 × 5) links of a 5 × 5 lattice
    with pytest.raises(RegionalizeError, match="25 units"):
        rz.regionalize(frame.iloc[:9], weights=weights, **AB)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"colums": ["a"]}, "did you mean 'columns'"),
        ({"with_centroid": True}, "did you mean 'with_centroids'"),
        ({"n_int": 3}, "did you mean 'n_init'"),
        ({"layer": "x"}, "for reading a file"),
        ({"columns": ["aa"]}, "there is no column 'aa'"),
        ({"k": 0}, "--k is 0"),
        ({"k": 2.5}, "--k is 2.5"),
        ({"k": "3"}, "--k is 3"),
        ({"k": True}, "--k is True"),
        ({"seed": 1.5}, "--seed is 1.5"),
        ({"alpha": "half"}, "--alpha is half"),
        ({"snap": "wide"}, "--snap is wide"),
        ({"n_init": "many", "search": "starts"}, "--n-init is many"),
        ({"n_init": 1.5, "search": "starts"}, "--n-init is 1.5"),
        ({"missing": "ignore"}, "--missing is 'ignore'"),
        ({"weights": "quen"}, "did you mean 'queen'"),
        ({"weights": 6}, "weights"),
        ({"min_bound": "pop"}, "COLUMN=VALUE"),
        ({"min_bound": 5}, "--min-bound is 5"),
        ({"column_weights": 2}, "--column-weights is 2"),
        ({"project": 5880}, "--project"),
    ],
    ids=str,
)
def test_what_cannot_be_meant(options, says, frame):
    with pytest.raises(UsageError, match=says):
        rz.regionalize(frame, **{**AB, **options})


def test_unknown_method(frame):
    with pytest.raises(UsageError, match="did you mean 'kmeans'"):
        rz.regionalize(frame, "kmean", k=3)


def test_k_is_needed(frame):
    with pytest.raises(UsageError, match="--k"):
        rz.regionalize(frame)


def test_not_a_frame():
    with pytest.raises(UsageError, match="GeoDataFrame"):
        rz.regionalize([[1, 2], [3, 4]], k=2)


def test_two_columns_of_one_name(frame):
    twice = pd.concat([frame, frame[["a"]]], axis=1)
    with pytest.raises(UsageError, match="'a'"):
        rz.regionalize(twice, **AB)


def test_numpy_numbers_are_numbers(frame):
    found = rz.regionalize(
        frame, k=np.int64(3), columns=np.array(["a", "b"]), seed=np.uint32(5), hops=np.int8(1)
    )
    assert found.labels.tolist() == rz.regionalize(frame, **AB, seed=5, hops=1).labels.tolist()
    json.dumps(found.report.to_dict())


def test_names_in_a_list_are_taken_as_they_stand(frame):
    renamed = frame.rename(columns={"a": "share, urban", "b": 2010})
    found = rz.regionalize(renamed, k=3, columns=["share, urban", 2010])
    assert found.report.variables == ("share, urban", "2010")
    assert found.labels.tolist() == rz.regionalize(frame, **AB).labels.tolist()


def test_column_types_of_pandas(frame):
    plain = rz.regionalize(frame, k=3, columns=["a", "pop"]).labels.tolist()
    for kind in ("Int64", "int16", "Float64", "int64[pyarrow]", object):
        assert (
            rz.regionalize(
                frame.assign(pop=frame["pop"].astype(kind)), k=3, columns=["a", "pop"]
            ).labels.tolist()
            == plain
        )


def test_centroid_weight_auto(frame):
    found = rz.regionalize(frame, centroid_weight="auto", **AB)
    curve = found.report.extra["trade_off"]
    chosen = found.report.extra["centroid_weight"]
    assert next(point["weight"] for point in curve if point["contiguous"]) == chosen
    assert found.report.fragmentation.contiguous
    again = rz.regionalize(frame, centroid_weight=chosen, **AB)
    assert again.labels.tolist() == found.labels.tolist()


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_plot(form, frame, tmp_path):
    path = rz.regionalize(frame, **AB).plot(tmp_path / f"x.{form}")
    assert path.stat().st_size > 3000
    assert [entry.name for entry in tmp_path.iterdir()] == [f"x.{form}"]


def test_plot_refuses(frame, tmp_path):
    found = rz.regionalize(frame, **AB)
    with pytest.raises(RegionalizeError, match="jpg"):
        found.plot(tmp_path / "x.jpg")
    table = rz.regionalize(pd.DataFrame(frame.drop(columns="geometry")), **AB)
    with pytest.raises(RegionalizeError, match="geometry"):
        table.plot(tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_read_group_write(tmp_path):
    """The functions of the package fit together without the command line."""
    import pyarrow as pa

    layer = rz.read_layer(None)
    rz.write_layer(layer, tmp_path / "x.parquet", added={"one": pa.array([1] * len(layer))})
    assert geopandas.read_parquet(tmp_path / "x.parquet")["one"].sum() == 159


def test_public_names():
    for name in rz.__all__:
        assert getattr(rz, name) is not None
        assert name in dir(rz)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rz.nonsense


def test_plot_without_a_path_is_a_picture_for_a_notebook(frame):
    picture = rz.regionalize(frame, **AB).plot()
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_a_bound_may_be_a_mapping(frame):
    counted = frame.assign(people=10)
    found = rz.regionalize(counted, **{**AB, "min_bound": {"people": "10%"}})
    assert found.report.settings["min_bound"] == ("people", "10%")
    assert min(found.report.sizes) >= len(frame) / 10
