"""K-means of rows that come in batches, beside k-means of all rows."""

import io
import json

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import adjusted_rand_score

import regionalize as rz
from regionalize.errors import DataError, InfeasibleError, OutputError, UsageError
from regionalize.io.row_batches import RowBatches
from regionalize.io.sample import sample_path
from regionalize.io.weights_files import write_weights
from regionalize.run.stream import label, learn, rows, solve

COLUMNS = ["pct_rural", "pct_bach", "pct_eld", "pct_fb", "pct_pov", "pct_black"]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Have several pieces of a small layer."""
    for module in (solve, rows, learn, label):
        monkeypatch.setattr(module, "ROWS", 50)
    monkeypatch.setattr(learn, "PAGE", 8)


def blobs(n=3000, k=4, p=3, seed=1, sort=True):
    """Return a table of k clusters, one behind the other in the file."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) * k // n if sort else rng.integers(k, size=n)
    X = rng.normal(0, 8, size=(k, p))[truth] + rng.normal(size=(n, p))
    return pd.DataFrame({f"v{j}": X[:, j] for j in range(p)} | {"truth": truth})


def saved(frame, path):
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=177)
    return path


def inertia_of(X, labels, centers):
    return float(((X - centers[labels]) ** 2).sum())


def test_where_the_warm_start_holds_all_rows_it_is_plain_k_means(tmp_path):
    out = tmp_path / "out.gpkg"
    found = rz.regionalize_file(None, k=4, columns=COLUMNS, batch_size=32, output=out)
    counties = geopandas.read_file(out, layer=out.stem)
    whole = rz.regionalize(counties, k=4, columns=COLUMNS)
    assert np.array_equal(counties["cluster"], whole.labels)
    assert found.report.extra["batches"]["batches"] == 0
    for name in ("tss", "wss", "bss", "ratio", "pseudo_f"):
        assert getattr(found.report.fit, name) == pytest.approx(getattr(whole.report.fit, name))
    assert np.allclose(found.report.centers, whole.report.centers)
    assert np.allclose(found.report.profiles.sd, whole.report.profiles.sd)
    assert found.report.r_squared == pytest.approx(whole.report.r_squared)
    assert found.report.sizes == whole.report.sizes


@pytest.mark.parametrize("ending", ["gpkg", "parquet"])
def test_labels_of_an_earlier_run_are_no_variable(tmp_path, ending):
    labelled = tmp_path / f"labelled.{ending}"
    rz.regionalize_file(None, k=3, output=labelled, label_column="zone")
    found = rz.regionalize_file(labelled, k=4, batch_size=32)
    expected = rz.regionalize_file(labelled, k=4)
    assert found.report.variables == expected.report.variables
    assert "zone" not in found.report.variables


def test_the_layer_written_is_the_layer_read_and_its_labels(tmp_path):
    out = tmp_path / "out.parquet"
    options = {"k": 3, "columns": COLUMNS, "batch_size": 20, "warm_start": 60, "test_share": 0.25}
    found = rz.regionalize_file(None, output=out, label_column="zone", **options)
    written, read = geopandas.read_parquet(out), rz.read_layer(None)
    own = [name for name in written.columns if name not in {written.geometry.name, "zone", "split"}]
    assert own == read.column_names
    assert written["name"].tolist() == read.attributes["name"].to_pylist()
    assert written.geometry.geom_equals(geopandas.GeoSeries(read.geometry, crs=read.crs)).all()
    sizes = written["zone"].value_counts()
    assert found.report.sizes == tuple(sizes.sort_index())
    assert list(sizes.sort_index()) == sorted(sizes, reverse=True)
    measured = rz.validate(written, "zone", columns=COLUMNS)
    assert found.report.fit.wss == pytest.approx(measured.report.fit.wss)
    assert found.report.fit.wss_by_cluster == pytest.approx(measured.report.fit.wss_by_cluster)
    parts = found.report.extra["batches"]
    assert parts["warm_start"] == 60
    assert (written["split"] == "test").sum() == parts["test"]["rows"] > 10
    assert parts["train"]["rows"] + parts["test"]["rows"] == 159


def test_a_sorted_file_ends_near_the_fit_of_all_rows(tmp_path):
    frame = blobs()
    source = saved(frame, tmp_path / "sorted.parquet")
    options = {"k": 4, "columns": ["v0", "v1", "v2"], "seed": 2}
    found = rz.regionalize_file(
        source, batch_size=64, warm_start=100, output=tmp_path / "o.parquet", **options
    )
    whole = rz.regionalize(frame, **options)
    assert found.report.extra["batches"]["batches"] == 47  # 3,000 rows by 64
    assert found.report.fit.wss <= 1.02 * whole.report.fit.wss
    labels = pd.read_parquet(tmp_path / "o.parquet")["cluster"]
    assert adjusted_rand_score(labels, whole.labels) > 0.95


def test_the_inertia_told_is_that_of_the_labels_written(tmp_path, monkeypatch):
    kept = []
    label_rows = solve.label_rows
    monkeypatch.setattr(
        solve, "label_rows", lambda centers, *rest: kept.append(centers.copy()) or label_rows(centers, *rest)
    )
    frame = blobs(800, k=3)
    out = tmp_path / "o.parquet"
    found = rz.regionalize_file(
        saved(frame, tmp_path / "in.parquet"),
        k=3,
        columns="v*",
        transform="raw",
        batch_size=64,
        warm_start=90,
        test_share=0.3,
        output=out,
    )
    written = pd.read_parquet(out)
    X = written[["v0", "v1", "v2"]].to_numpy()
    away = ((X[:, None] - kept[0]) ** 2).sum(axis=2).min(axis=1)
    for part in ("train", "test"):
        told = found.report.extra["batches"][part]
        assert told["inertia"] == pytest.approx(away[written["split"] == part].sum())
        assert told["rows"] == (written["split"] == part).sum()


def test_rows_of_the_test_share_teach_nothing(tmp_path):
    """Whatever the test rows hold, the centres are the same."""
    frame = blobs(900, k=3, sort=False)
    options = {"k": 3, "columns": "v*", "transform": "raw", "batch_size": 50, "warm_start": 200}
    options |= {"test_share": 0.4, "seed": 3}
    first = rz.regionalize_file(
        saved(frame, tmp_path / "a.parquet"), output=tmp_path / "ao.parquet", **options
    )
    tested = pd.read_parquet(tmp_path / "ao.parquet")["split"] == "test"
    spoiled = frame.copy()
    spoiled.loc[tested, ["v0", "v1", "v2"]] += 0.25
    second = rz.regionalize_file(
        saved(spoiled, tmp_path / "b.parquet"), output=tmp_path / "bo.parquet", **options
    )
    assert second.report.extra["batches"]["train"] == first.report.extra["batches"]["train"]
    assert second.report.extra["batches"]["test"] != first.report.extra["batches"]["test"]


@pytest.mark.parametrize("policy", ["drop", "mean"])
def test_missing_values_are_settled_as_in_memory(tmp_path, policy):
    frame = blobs(400, k=3)
    frame.loc[::17, "v1"] = np.nan
    out = tmp_path / "o.parquet"
    options = {"k": 3, "columns": ["v0", "v1", "v2"], "missing": policy}
    found = rz.regionalize_file(saved(frame, tmp_path / "in.parquet"), batch_size=64, output=out, **options)
    whole = rz.regionalize(frame, **options)
    written = pd.read_parquet(out)["cluster"]
    assert written.isna().sum() == (len(frame[::17]) if policy == "drop" else 0)
    assert written.fillna(-1).astype(int).tolist() == whole.labels.fillna(-1).astype(int).tolist()
    assert found.report.fit.tss == pytest.approx(whole.report.fit.tss)
    assert found.report.input["rows_used"] == whole.report.input["rows_used"]


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(tmp_path):
    source = saved(blobs(1500, sort=False), tmp_path / "in.parquet")
    options = {"k": 4, "columns": "v*", "batch_size": 64, "warm_start": 300, "seed": 5}
    labels = []
    for jobs in (1, 2, 5):
        out = tmp_path / f"{jobs}.parquet"
        rz.regionalize_file(source, jobs=jobs, output=out, **options)
        labels.append(pd.read_parquet(out)["cluster"].tolist())
    assert labels[0] == labels[1] == labels[2]


def test_centroids_of_a_layer_are_those_of_the_whole(tmp_path):
    options = {"k": 5, "columns": COLUMNS, "with_centroids": True, "centroid_weight": 0.4}
    out = tmp_path / "o.gpkg"
    found = rz.regionalize_file(None, batch_size=32, output=out, **options)
    whole = rz.regionalize(geopandas.read_file(out, layer=out.stem), **options)
    assert np.array_equal(geopandas.read_file(out, layer=out.stem)["cluster"], whole.labels)
    assert found.report.coordinate_share == pytest.approx(0.4)
    assert found.report.fit.wss == pytest.approx(whole.report.fit.wss)


def test_more_clusters_than_kinds_of_rows_are_refused(tmp_path):
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0] * 300})
    source = saved(frame, tmp_path / "few.parquet")
    with pytest.raises(InfeasibleError, match="distinct combinations"):
        rz.regionalize_file(source, k=4, batch_size=50, warm_start=100)
    found = rz.regionalize_file(source, k=3, batch_size=50, warm_start=100)
    assert found.report.sizes == (300, 300, 300)


def test_a_warm_start_of_repeated_rows_is_told_apart_from_a_layer_of_them(tmp_path):
    frame = pd.DataFrame({"a": [0.0] * 990 + list(range(1, 11))})
    source = saved(frame, tmp_path / "rare.parquet")
    options = {"k": 8, "batch_size": 50, "transform": "raw"}
    with pytest.raises(InfeasibleError, match=r"the 100 rows of the warm start .*; raise --warm-start"):
        rz.regionalize_file(source, warm_start=100, **options)
    assert rz.regionalize_file(source, warm_start=1000, **options).report.k == 8


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": 160}, "k is 160, but there are only 159 rows to group; ask for fewer clusters"),
        ({"k": 160, "warm_start": 20}, "k is 160, but there are only 159 rows to group"),
        (
            {"k": 21, "warm_start": 20},
            "k is 21, but the warm start has only 20 of 159 rows; raise --warm-start",
        ),
        ({"k": 150, "test_share": 0.5}, r"k is 150, but --test-share leaves only \d\d of 159 rows to learn"),
    ],
)
def test_more_clusters_than_rows_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        rz.regionalize_file(None, columns=COLUMNS, batch_size=32, **given)


def test_what_is_refused_touches_nothing(tmp_path):
    out = tmp_path / "o.gpkg"
    out.write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        rz.regionalize_file(None, k=3, batch_size=32, output=out)
    assert out.read_text() == "mine"
    for given, message in (
        ({"map": "m.png"}, "--batch-size and --map exclude each other"),
        ({"dissolve": "d.gpkg"}, "--batch-size and --dissolve exclude each other"),
        ({"report": tmp_path / "r.html"}, "a report as a page"),
        ({"output": "-"}, "no GeoJSON to standard output"),
    ):
        with pytest.raises(UsageError, match=message):
            rz.regionalize_file(None, k=3, batch_size=32, **given)
    assert [file.name for file in tmp_path.iterdir()] == ["o.gpkg"]


@pytest.mark.parametrize("name", ["o.shp", "o.shp.zip", "o.kml"])
def test_a_format_that_needs_all_rows_is_refused_before_any_is_read(tmp_path, name, monkeypatch):
    monkeypatch.setattr(solve, "read_rows", None)
    with pytest.raises(OutputError, match=r"cannot be written some rows at a time; write one of \.parquet"):
        rz.regionalize_file(None, k=3, columns=COLUMNS, batch_size=32, output=tmp_path / name)


def test_an_infinite_value_is_told_with_its_row_in_the_file(tmp_path):
    frame = blobs(300)
    frame.loc[170, "v1"] = np.inf
    with pytest.raises(DataError, match="the value of 'v1' in row 171 is infinite"):
        rz.regionalize_file(saved(frame, tmp_path / "in.parquet"), k=3, columns="v*", batch_size=32)


def test_digits_are_not_lost_unsaid(tmp_path):
    frame = pd.DataFrame({"v": 2**60 + np.arange(200) // 100 * 20})
    source = saved(frame, tmp_path / "in.parquet")
    with pytest.raises(DataError, match="so many digits that some would be lost; subtract a common number"):
        rz.regionalize_file(source, k=2, columns="v", batch_size=32)


def test_a_file_is_opened_once(tmp_path, monkeypatch):
    """So that types in a CSV are looked for once, and standard input is read once."""
    source, opened = tmp_path / "in.csv", []
    blobs(300).to_csv(source, index=False)
    monkeypatch.setattr(
        solve, "RowBatches", lambda *given, **more: opened.append(1) or RowBatches(*given, **more)
    )
    found = rz.regionalize_file(source, k=3, columns="v*", batch_size=32)
    assert len(opened) == 1
    assert found.report.input["rows_used"] == 300


def test_standard_input_comes_in_batches(monkeypatch):
    text = geopandas.read_file(sample_path()).to_crs(4326).to_json().encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    found = rz.regionalize_file("-", k=3, columns=COLUMNS, batch_size=32)
    assert sum(found.report.sizes) == 159


def test_a_fault_in_the_middle_of_the_file_leaves_no_output(tmp_path):
    frame = blobs(1000)
    frame.loc[777, "v2"] = np.nan
    source = saved(frame, tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"values are missing in 1 of 1000 rows: v2 \(1\)"):
        rz.regionalize_file(source, k=3, columns="v*", batch_size=50, output=tmp_path / "o.parquet")
    assert [file.name for file in tmp_path.iterdir()] == ["in.parquet"]


def test_the_report_is_written_and_tells_the_batches(tmp_path):
    report = tmp_path / "r.json"
    rz.regionalize_file(None, k=3, columns=COLUMNS, batch_size=20, warm_start=50, report=report)
    told = json.loads(report.read_text())
    assert told["extra"]["batches"]["warm_start"] == 50
    assert told["extra"]["batches"]["batches"] == 8  # 159 rows by 20
    assert told["settings"]["batch_size"] == 20


@pytest.mark.parametrize(
    "asked",
    [
        {"hops": 2},
        {"hops": 1, "alpha": 0.2, "weights": "knn:4", "smooth_mode": "idw"},
        {"hops": 3, "weights": "rook", "smooth_mode": "sum", "with_centroids": True},
        {"hops": 1, "smooth_mode": "gaussian", "with_centroids": True, "centroid_weight": 0.2},
        {"hops": 2, "missing": "drop"},
    ],
    ids=["queen", "idw", "sum and centroids", "gaussian and a share", "dropped rows"],
)
def test_smoothed_batches_are_the_smoothed_whole(tmp_path, asked):
    counties = geopandas.read_file(sample_path())
    if asked.get("missing"):
        counties.loc[[3, 80], "pct_bach"] = np.nan
    source, out = tmp_path / "in.gpkg", tmp_path / "out.gpkg"
    counties.to_file(source)
    options = {"k": 4, "columns": COLUMNS, **asked}
    found = rz.regionalize_file(source, batch_size=32, output=out, **options)
    whole = rz.regionalize(counties, **options)
    labels = geopandas.read_file(out, layer=out.stem)["cluster"]
    assert labels.fillna(-1).astype(int).tolist() == whole.labels.fillna(-1).astype(int).tolist()
    for name in ("fit", "fit_attributes"):
        ours, theirs = getattr(found.report, name), getattr(whole.report, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert (ours.tss, ours.wss) == pytest.approx((theirs.tss, theirs.wss))


def test_smoothing_by_a_weights_file(tmp_path):
    weights = tmp_path / "queen.gal"
    counties = geopandas.read_file(sample_path())
    write_weights(
        rz.build_weights(rz.read_layer(None), "queen"), weights, counties["name"].to_numpy(), "name"
    )
    options = {"k": 4, "columns": COLUMNS, "hops": 2}
    plain = rz.regionalize_file(None, batch_size=32, **options)
    table = tmp_path / "table.parquet"
    pq.write_table(pa.Table.from_pandas(counties.drop(columns="geometry")), table)
    named = rz.regionalize_file(table, batch_size=32, weights=str(weights), id="name", **options)
    assert named.report.fit.wss == pytest.approx(plain.report.fit.wss)
    assert named.report.sizes == plain.report.sizes


def test_a_geopackage_opens_in_the_colours_of_its_clusters(tmp_path):
    out, whole = tmp_path / "out.gpkg", tmp_path / "whole.gpkg"
    options = {"k": 4, "columns": COLUMNS}
    rz.regionalize_file(None, batch_size=32, output=out, qml=True, **options)
    rz.regionalize_file(None, output=whole, qml=True, **options)
    assert out.with_suffix(".qml").read_text() == whole.with_suffix(".qml").read_text()


@pytest.mark.parametrize(
    "asked",
    [
        {"with_centroids": True},
        {"with_centroids": True, "transform": "raw"},
        {"centroid_weight": 0.3, "centroid_scale": "isotropic"},
        {"hops": 1},
        {"hops": 1, "smooth_mode": "sum", "with_centroids": True},
        {"hops": 2, "centroid_weight": 0.4},
        {"hops": 1, "missing": "drop"},
        {"missing": "drop", "with_centroids": True},
        {"missing": "mean"},
    ],
)
def test_the_report_is_that_of_memory(tmp_path, asked):
    """Every number and note, but for pieces and their shapes, and for what batches tell besides."""
    counties = geopandas.read_file(sample_path())
    counties = counties[["name", *COLUMNS, "geometry"]].assign(same=4.0)
    counties.loc[70, "geometry"] = counties.geometry[70].buffer(-1).simplify(9)  # an island
    if "missing" in asked:
        counties.loc[[3, 90], "pct_pov"] = np.nan
        counties.loc[90, "pct_eld"] = np.nan
    if asked == {"missing": "drop", "with_centroids": True}:
        counties.loc[[20, 90], "geometry"] = None
    source = tmp_path / "in.gpkg"
    counties.to_file(source)
    options = {"k": 4, "columns": [*COLUMNS, "same"], **asked}
    whole = rz.regionalize_file(source, **options).report
    found = rz.regionalize_file(source, batch_size=32, **options).report
    assert (found.variables, found.center_columns) == (whole.variables, whole.center_columns)
    assert (found.sizes, found.input) == (whole.sizes, whole.input)
    for name in ("fit", "fit_attributes", "profiles"):
        one, other = (vars(getattr(report, name) or whole.fit) for report in (found, whole))
        assert (getattr(found, name) is None) == (getattr(whole, name) is None)
        for field in one:
            values = (np.array(each[field], dtype=float) for each in (one, other))  # None is NaN
            assert np.allclose(*values, equal_nan=True), f"{name}.{field}"
    assert np.allclose(found.centers, whole.centers)
    assert found.r_squared == pytest.approx(whole.r_squared)
    assert found.coordinate_share == whole.coordinate_share
    of_memory, of_batches = ({*report.notes} for report in (whole, found))
    assert any("they have no geometry: 21" in note for note in of_batches) == (
        asked == {"missing": "drop", "with_centroids": True}
    )
    assert of_batches - of_memory == {
        "pieces, joins and shapes are not measured of rows that come in batches"
    }
    of_weights = (
        "separate components",
        "have no neighbours: ",
        "has no neighbours: ",
        "and so no neighbours",
    )
    left = [note for note in of_memory - of_batches if not any(words in note for words in of_weights)]
    assert not left
