"""The whole room: order of steps, weights, contract, errors."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields, replace

import numpy as np
import pyarrow as pa
import pytest
import shapely

from regionalize.errors import DataError, UsageError
from regionalize.features.build import build_features, reweight
from regionalize.features.centroids import centroids
from regionalize.features.smoothing import smooth
from regionalize.features.transforms import TRANSFORMS, transform
from regionalize.model.features import Features
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.model.weights import Weights

N = 24


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(7).uniform([0, 0], [30_000, 9_000], (N, 2))


@pytest.fixture
def layer(points) -> Layer:
    rng = np.random.default_rng(6)
    table = pa.table(
        {
            "name": [f"town {row}" for row in range(N)],
            "pop": rng.integers(100, 9000, N),
            "gini": rng.uniform(0, 1, N),
            "rate": rng.gamma(2, 3, N),
        }
    )
    return Layer(table, None, "EPSG:3035", shapes=shapely.points(points))


@pytest.fixture
def ring() -> Weights:
    here = np.arange(N)
    return Weights.from_links(
        N, np.tile(here, 2), np.concatenate([(here + 1) % N, (here - 1) % N]), kind="ring"
    )


def raw_of(layer: Layer) -> np.ndarray:
    return np.column_stack([layer.attributes[name].to_numpy() for name in ("pop", "gini", "rate")]).astype(
        float
    )


def test_every_field_is_filled(layer, ring):
    features = build_features(layer, Job(with_centroids=True, hops=1), ring)
    assert features.rows.tolist() == list(range(N))
    assert features.rows.dtype == np.int64
    assert features.names == ("pop", "gini", "rate")
    assert np.array_equal(features.raw, raw_of(layer))
    assert features.X.shape == features.unweighted.shape == (N, 5)
    assert features.scaled.shape == (N, 3)
    assert features.column_weights.tolist() == [1] * 5
    assert features.attribute_weights.tolist() == [1] * 3
    assert features.coordinate_names == ("X", "Y")
    assert features.attributes_only is False
    assert {item.name for item in fields(Features)} == {*vars(features)}


def test_order_of_steps(layer, ring, points):
    """Transform, smooth the attributes alone, append transformed centroids, weigh."""
    job = Job(with_centroids=True, hops=2, alpha=0.3, column_weights=(("gini", 4.0), ("pop", 0.0)))
    features = build_features(layer, job, ring)
    z = transform(raw_of(layer), "z")
    expected = np.hstack([smooth(z, ring, 2, 0.3), transform(points, "z")])
    np.testing.assert_array_equal(features.scaled, z)
    np.testing.assert_allclose(features.unweighted, expected, rtol=1e-14)
    np.testing.assert_allclose(features.X, expected * [0, 2, 1, 1, 1], rtol=1e-14)
    assert features.column_weights.tolist() == [0, 4, 1, 1, 1]
    np.testing.assert_array_equal(features.coordinates, points)
    assert features.coordinate_share == pytest.approx(2 / 7)


def test_share_of_the_coordinates_falls_with_the_attributes(layer):
    for names in (("pop",), ("pop", "gini"), ("pop", "gini", "rate")):
        features = build_features(layer, Job(columns=names, with_centroids=True))
        assert features.coordinate_share == pytest.approx(2 / (len(names) + 2))
        assert any(f"{200 / (len(names) + 2):.1f} %" in note for note in features.notes)
    assert build_features(layer, Job()).coordinate_share == 0
    assert build_features(layer, Job()).coordinates is None


@pytest.mark.parametrize("share", [0.0, 0.25, 0.6, 1.0])
def test_split_as_geoda(layer, share, points):
    """Squared distances are the weighted sum, coordinates W / 2 each, attributes (1 - W) / p each."""
    features = build_features(layer, Job(centroid_weight=share, columns=("gini", "rate")))
    z = transform(np.hstack([raw_of(layer)[:, 1:], points]), "z")
    weight = np.array([(1 - share) / 2, (1 - share) / 2, share / 2, share / 2])
    i, j = np.triu_indices(N, 1)
    squared = ((features.X[i] - features.X[j]) ** 2).sum(axis=1)
    np.testing.assert_allclose(squared, ((z[i] - z[j]) ** 2) @ weight, rtol=1e-10, atol=1e-14)
    assert features.attributes_only
    assert features.coordinate_share == share


def test_split_with_column_weights(layer):
    job = Job(centroid_weight=0.4, column_weights=(("pop", 2.0), ("gini", 0.5)))
    weights = build_features(layer, job).column_weights
    # (1 - W) / p times w p / sum(w), with w = 2, .5, 1
    np.testing.assert_allclose(weights, [0.6 * 2 / 3.5, 0.6 * 0.5 / 3.5, 0.6 / 3.5, 0.2, 0.2])
    assert weights.sum() == pytest.approx(1)


def test_reweight_is_building_anew(layer, ring):
    job = Job(hops=1, column_weights=(("pop", 3.0),), dtype="float32", with_centroids=True)
    bases = [
        build_features(layer, replace(job, centroid_weight=share), ring) for share in ("auto", 1.0, None)
    ]
    for share in (0.0, 0.37, 1.0):
        fresh = build_features(layer, replace(job, centroid_weight=share), ring)
        for base in bases:
            again = reweight(base, share)
            np.testing.assert_array_equal(again.X, fresh.X)
            assert again.X.dtype == np.float32
            assert again.coordinate_share == share
            assert again.attributes_only
            np.testing.assert_array_equal(again.column_weights, fresh.column_weights)
    assert bases[0].column_weights[-2:].tolist() == [0, 0]
    with pytest.raises(ValueError, match="without centroids"):
        reweight(build_features(layer, Job()), 0.5)
    with pytest.raises(UsageError, match="not between 0 and 1"):
        reweight(bases[0], 1.5)


@pytest.mark.parametrize("how", TRANSFORMS)
def test_isotropic_keeps_directions_and_total_variance(layer, points, how):
    axis = build_features(layer, Job(with_centroids=True, transform=how)).unweighted[:, 3:]
    isotropic = build_features(
        layer, Job(with_centroids=True, transform=how, centroid_scale="isotropic")
    ).unweighted[:, 3:]
    assert isotropic.var(axis=0).sum() == pytest.approx(axis.var(axis=0).sum())
    ratio = np.linalg.norm(isotropic[1:] - isotropic[0], axis=1) / np.linalg.norm(
        points[1:] - points[0], axis=1
    )
    np.testing.assert_allclose(ratio, ratio[0])
    if how == "z":
        east, north = points.std(axis=0, ddof=1)
        np.testing.assert_allclose(1 / ratio, np.sqrt((east**2 + north**2) / 2))


def test_anisotropy(layer, points):
    features = build_features(layer, Job(with_centroids=True))
    expected = points[:, 0].std() / points[:, 1].std()
    assert features.anisotropy == pytest.approx(expected)
    assert any(f"{expected:.2f} times as far east-west" in note for note in features.notes)
    flat = replace(layer, shapes=shapely.points(np.column_stack([points[:, 0], np.zeros(N)])))
    features = build_features(flat, Job(with_centroids=True))
    assert features.anisotropy is None
    assert np.isfinite(features.X).all()


def test_raw_with_centroids_is_advised_against(layer):
    assert any(
        "--transform z" in note
        for note in build_features(layer, Job(transform="raw", with_centroids=True)).notes
    )
    assert build_features(layer, Job(transform="raw")).notes[1:] == ()


def test_single_precision_of_all_variables_and_none_of_the_coordinates(layer, ring):
    options = {"with_centroids": True, "hops": 1, "column_weights": (("pop", 3.0),)}
    features = build_features(layer, Job(dtype="float32", **options), ring)
    exact = build_features(layer, Job(**options), ring)
    assert features.coordinates.dtype == np.float64
    assert np.array_equal(features.coordinates, exact.coordinates)
    for name in ("raw", "scaled", "unweighted", "X"):
        single, double = getattr(features, name), getattr(exact, name)
        assert (single.dtype, double.dtype) == (np.float32, np.float64)
        assert 2 * single.nbytes == double.nbytes
        assert single == pytest.approx(double, rel=1e-6, abs=1e-6)


def test_single_precision_holds_no_table_in_double_precision_for_long():
    """What is there afterwards is half, and so is the peak, with variables smoothed and weighted."""
    n, p = 20_000, 16
    values = np.random.default_rng(1).normal(size=(n, p))
    layer = Layer(pa.table({f"v{j}": values[:, j] for j in range(p)}), None, None)
    ring = Weights.from_links(n, np.arange(n), (np.arange(n) + 1) % n, kind="ring")
    held = {}
    for kind in ("float32", "float64"):
        job = Job(dtype=kind, hops=1, column_weights=(("v0", 2.0),))
        build_features(layer, job, ring)
        tracemalloc.start()
        features = build_features(layer, job, ring)
        held[kind] = np.array(tracemalloc.get_traced_memory())
        tracemalloc.stop()
        assert len(features.rows) == n
    assert held["float32"][0] < 0.52 * held["float64"][0]
    assert held["float32"][1] < 0.7 * held["float64"][1]


def test_values_that_single_precision_cannot_hold_are_refused():
    layer = Layer(pa.table({"v": [1e39, 2e39, 3e39]}), None, None)
    with pytest.raises(DataError, match="too large for --dtype float32; use --dtype float64"):
        build_features(layer, Job(dtype="float32"))


def test_given_centroids_are_used(layer, points):
    xy = points[:, ::-1].copy()
    features = build_features(layer, Job(with_centroids=True), xy=xy)
    np.testing.assert_array_equal(features.coordinates, xy)


def test_dropped_rows_take_no_part(layer, ring):
    values = layer.attributes["gini"].to_pylist()
    values[3], values[10] = None, float("nan")
    table = layer.attributes.set_column(2, "gini", pa.array(values, pa.float64()))
    holes = replace(layer, attributes=table)
    job = Job(hops=2, with_centroids=True, missing="drop", id="name")
    features = build_features(holes, job, ring)
    kept = np.setdiff1d(np.arange(N), [3, 10])
    assert features.rows.tolist() == kept.tolist()
    assert any("town 3, town 10" in note for note in features.notes)
    inside = np.isin(ring.row, kept) & np.isin(ring.indices, kept)
    renumber = np.searchsorted(kept, np.arange(N))
    part = Weights.from_links(
        len(kept), renumber[ring.row[inside]], renumber[ring.indices[inside]], kind="part"
    )
    alone = replace(layer, attributes=table.take(kept), shapes=layer.geometry[kept])
    np.testing.assert_array_equal(features.X, build_features(alone, job, part).X)


def test_rows_without_geometry(layer):
    shapes = layer.geometry.copy()
    shapes[[2, 5]] = None, shapely.Point()
    bare = replace(layer, shapes=shapes)
    with pytest.raises(DataError, match=r"2 of 24 rows have no geometry.*town 2, town 5; use --missing drop"):
        build_features(bare, Job(with_centroids=True, id="name"))
    with pytest.raises(DataError, match="have no geometry"):
        build_features(bare, Job(with_centroids=True, missing="mean"))
    features = build_features(bare, Job(with_centroids=True, missing="drop"))
    assert features.rows.tolist() == [row for row in range(N) if row not in {2, 5}]
    assert len(build_features(bare, Job()).rows) == N  # attributes alone need no geometry


@pytest.mark.parametrize("mode", ["idw", "gaussian"])
def test_smoothing_by_distance(layer, ring, points, mode):
    features = build_features(layer, Job(hops=2, smooth_mode=mode), ring)
    expected = smooth(transform(raw_of(layer)), ring, 2, 0.5, mode, coordinates=points)
    np.testing.assert_array_equal(features.unweighted, expected)
    lonlat = points / [1000, 200]
    globe = replace(layer, shapes=shapely.points(lonlat), crs="EPSG:4326")
    on_sphere = smooth(transform(raw_of(layer)), ring, 2, 0.5, mode, coordinates=lonlat, sphere=True)
    for centroids_too in (False, True):
        found = build_features(globe, Job(hops=2, smooth_mode=mode, with_centroids=centroids_too), ring)
        np.testing.assert_array_equal(found.unweighted[:, :3], on_sphere)
    shapes = layer.geometry.copy()
    shapes[4] = None
    with pytest.raises(DataError, match=r"no distance to their neighbours: 5; use --smooth-mode mean"):
        build_features(replace(layer, shapes=shapes), Job(hops=1, smooth_mode=mode), ring)


def test_constant_columns(layer):
    table = layer.attributes.append_column("one", pa.array([0.1] * N)).append_column("two", pa.array([7] * N))
    features = build_features(replace(layer, attributes=table), Job())
    assert not features.X[:, 3:].any()
    assert any("one, two" in note for note in features.notes)
    with pytest.raises(DataError, match=r"every column is constant.*one, two"):
        build_features(replace(layer, attributes=table), Job(columns=("one", "two")))
    alone = build_features(replace(layer, attributes=table), Job(columns=("one",), with_centroids=True))
    assert alone.X[:, 1:].any()


def test_huge_integers_reach_the_matrix(layer):
    table = pa.table({"key": pa.array([2**62 + row % 3 for row in range(N)])})
    features = build_features(replace(layer, attributes=table), Job(transform="raw"))
    assert features.X[:4, 0].tolist() == [0, 1, 2, 0]
    assert features.raw[0, 0] == float(2**62)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"column_weights": (("Gini", 2.0),)}, "did you mean 'gini'"),
        ({"column_weights": (("name", 2.0),)}, "not among the columns"),
        ({"column_weights": (("pop", -1.0),)}, "use 0 or more"),
        ({"column_weights": (("pop", float("nan")),)}, "use 0 or more"),
        ({"column_weights": (("pop", 0.0), ("gini", 0.0), ("rate", 0.0))}, "every column weigh 0"),
        ({"centroid_weight": 1.1}, "between 0 and 1"),
        ({"centroid_weight": float("nan")}, "between 0 and 1"),
        ({"centroid_weight": "much"}, "between 0 and 1"),
        ({"centroid_scale": "both"}, "axis or isotropic"),
        ({"dtype": "float16"}, "float64 or float32"),
        ({"transform": "zz"}, "transform"),
        ({"missing": "zero"}, "missing"),
    ],
)
def test_wrong_options(layer, options, match):
    with pytest.raises(UsageError, match=match):
        build_features(layer, Job(**options))


def test_too_few_rows(layer):
    for rows, said in ((0, "0 of 0 rows"), (1, "a single unit")):
        short = replace(layer, attributes=layer.attributes.slice(0, rows), shapes=layer.geometry[:rows])
        for job in (Job(), Job(with_centroids=True)):
            with pytest.raises(DataError, match=f"{said}.*at least 2"):
                build_features(short, job)


def test_callers_mistakes(layer, ring):
    with pytest.raises(ValueError, match="needs weights"):
        build_features(layer, Job(hops=1))
    with pytest.raises(ValueError, match="rows"):
        build_features(replace(layer, attributes=layer.attributes.slice(1)), Job(hops=1), ring)
    with pytest.raises(ValueError, match="rows"):
        build_features(layer, Job(with_centroids=True), xy=np.ones((3, 2)))


def test_notes_are_single_lines(layer, ring):
    job = Job(with_centroids=True, hops=3, smooth_mode="sum", transform="raw")
    for note in build_features(layer, job, ring).notes:
        assert note.strip()
        assert "\n" not in note


def test_real_layer(shared_data):
    """Ceará within Brazil: 184 units, six columns and two coordinates."""
    import geopandas

    frame = geopandas.read_file(shared_data("brazil/municipalities.gpkg"), where="ufn = 'Ceará'")
    columns = ("t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc")
    layer = Layer.from_frame(frame)
    features = build_features(layer, Job(columns=columns, with_centroids=True))
    assert features.X.shape == (184, 8)
    np.testing.assert_allclose((features.unweighted**2).sum(axis=0), 183, rtol=1e-12)
    projected = frame.to_crs(frame.estimate_utm_crs()).centroid
    np.testing.assert_allclose(centroids(layer)[0], np.column_stack([projected.x, projected.y]), atol=1e-6)


def test_small_data_loads_nothing_heavy():
    import subprocess
    import sys

    code = """if True:
        import sys, numpy as np, pyarrow as pa, shapely
        from regionalize.features.build import build_features
        from regionalize.model.job import Job
        from regionalize.model.layer import Layer
        from regionalize.model.weights import Weights
        points = shapely.points(np.random.default_rng(0).uniform(0, 5, (300, 2)))
        layer = Layer(pa.table({"v": np.arange(300) % 17}), None, "EPSG:4326", shapes=points)
        path = Weights.from_links(300, np.arange(299), np.arange(1, 300), kind="path")
        build_features(layer, Job(with_centroids=True, hops=3, smooth_mode="gaussian"), path)
        heavy = {"geopandas", "scipy", "numba", "sklearn", "libpysal", "pyogrio", "matplotlib"}
        print(sorted(heavy & {*sys.modules}))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
