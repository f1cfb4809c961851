"""Nearest centres: the run's own labels on its own rows, SciPy's on others."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.cluster.vq import vq

import regionalize as rz
from regionalize.errors import DataError, UsageError
from regionalize.features.transforms import TRANSFORMS, Scaling, transform
from regionalize.io.centers import read_centers, write_centers
from regionalize.methods.nearest_center import nearest_center
from regionalize.run.centers import centers_of

AB = ["a", "b"]


@pytest.fixture
def many():
    """Return 300 points in degrees with two variables, on scales far apart."""
    rng = np.random.default_rng(5)
    return geopandas.GeoDataFrame(
        {"a": 1e6 + 1e3 * rng.normal(size=300), "b": rng.gamma(2, 1e-4, 300), "c": np.ones(300)},
        geometry=shapely.points(rng.uniform([-50, -20], [-44, -10], (300, 2))),
        crs="EPSG:4326",
    )


def saved(found, tmp_path):
    """Write the centres of a result, as the command does."""
    path = tmp_path / "centers.csv"
    write_centers(path, centers_of(found.solution), overwrite=True)
    return path


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3)), elements=st.integers(-20, 20)),
    hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.just(3)), elements=st.integers(-20, 20)),
    st.integers(0, 2**40),
)
def test_nearest_is_that_of_scipy(X, centers, offset):
    """Whole numbers, so that ties are exact: they go to the first centre."""
    labels, distances = nearest_center(X + offset, centers + offset)
    wanted, far = vq(X, centers)
    assert labels.tolist() == wanted.tolist()
    np.testing.assert_allclose(distances, far, rtol=1e-12)
    labels, distances = nearest_center(X, centers, "manhattan")
    table = np.abs(X[:, None] - centers).sum(axis=2)
    assert labels.tolist() == table.argmin(axis=1).tolist()
    assert distances.tolist() == table.min(axis=1).tolist()


def test_blocks_make_no_difference(monkeypatch):
    from regionalize.methods import nearest_center as module

    rng = np.random.default_rng(2)
    X, centers = rng.normal(size=(1000, 4)), rng.normal(size=(7, 4))
    whole = nearest_center(X, centers)
    monkeypatch.setattr(module, "_BLOCK", 12)
    parts = nearest_center(X, centers)
    assert all(np.array_equal(*both) for both in zip(whole, parts, strict=True))


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(2, 9), st.just(2)), elements=st.integers(-1000, 1000)),
    st.sampled_from(TRANSFORMS),
    hnp.arrays(np.float64, (4, 2), elements=st.integers(-5000, 5000)),
)
def test_scaling_is_the_transform_of_the_rows_it_was_fitted_on(values, how, others):
    """Appended rows that change no statistic do not exist, so affine it must be: two rows settle the rest."""
    fitted = transform(values, how)
    scaling = Scaling.between(values, fitted)
    np.testing.assert_allclose(scaling.apply(values), fitted, rtol=1e-9, atol=1e-9)
    middle = scaling.apply((others + others[::-1]) / 2)
    np.testing.assert_allclose(
        middle, (scaling.apply(others) + scaling.apply(others[::-1])) / 2, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("how", TRANSFORMS)
def test_own_rows_keep_their_labels_under_every_transform(how, many, tmp_path):
    found = rz.regionalize(many, "kmeans", k=6, columns=["a", "b", "c"], transform=how)
    again = rz.assign(many, saved(found, tmp_path))
    assert again.labels.tolist() == found.labels.tolist()
    assert rz.assign(many, found).labels.tolist() == found.labels.tolist()
    assert again.report.extra["assigned"]["beyond"] == 0
    assert not any("nearest" in note for note in again.notes)


@pytest.mark.parametrize(
    "options",
    [
        {"with_centroids": True},
        {"with_centroids": True, "centroid_scale": "isotropic", "transform": "mad"},
        {"centroid_weight": 0.4, "column_weights": {"a": 3, "b": 0.5}},
        {"hops": 2, "alpha": 0.3, "weights": "knn:4"},
        {"hops": 1, "smooth_mode": "idw", "centroid_weight": 0.3},
        {"with_centroids": True, "dtype": "float32"},
        {"with_centroids": True, "project": "EPSG:5880"},
    ],
    ids="-".join,
)
def test_own_rows_keep_their_labels_under_every_feature(options, many, tmp_path):
    found = rz.regionalize(many, "kmeans", k=5, columns=AB, **options)
    again = rz.assign(many, saved(found, tmp_path))
    assert again.labels.tolist() == found.labels.tolist()


@pytest.mark.parametrize("method", ["kmedians", "kmedoids"])
@pytest.mark.parametrize("distance", ["euclidean", "manhattan"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"column_weights": {"a": 3, "b": 0.5}, "with_centroids": True},
        {"centroid_weight": 0.4},
        {"hops": 2, "alpha": 0.3},
        {"hops": 1, "centroid_weight": 0.3, "transform": "robust"},
    ],
    ids=str,
)
def test_own_rows_keep_their_labels_of_medians_and_medoids(method, distance, options, many, tmp_path):
    found = rz.regionalize(many, method, k=5, columns=AB, distance=distance, **options)
    again = rz.assign(many, saved(found, tmp_path))
    assert again.labels.tolist() == found.labels.tolist()
    assert again.report.extra["assigned"]["distance"] == distance


def test_new_rows_against_scipy(many, tmp_path):
    """By hand: z of the old rows, their means, vq of the new rows on the old scale."""
    old, new = many[:200], many[200:]
    found = rz.regionalize(old, "kmeans", k=4, columns=AB)
    mean, sd = old[AB].mean(), old[AB].std()
    centers = ((old.groupby(found.labels)[AB].mean() - mean) / sd).to_numpy()
    wanted, far = vq(((new[AB] - mean) / sd).to_numpy(), centers)
    again = rz.assign(new, saved(found, tmp_path))
    assert again.labels.tolist() == (wanted + 1).tolist()
    pd.testing.assert_index_equal(again.labels.index, new.index)
    said = again.report.extra["assigned"]
    assert said["mean_distance"] == pytest.approx(far.mean())
    assert said["farthest"] == pytest.approx(far.max())
    reach = vq(((old[AB] - mean) / sd).to_numpy(), centers)[1].max()
    assert said["farthest_there"] == pytest.approx(reach)
    assert said["beyond"] == (far > reach).sum()
    assert any("farther from every centre" in note for note in again.notes) == (said["beyond"] > 0)


def test_one_row_and_numbers_of_the_file(many, tmp_path):
    """Labels are the file's, not those of sizes, and a cluster without a row is named."""
    found = rz.regionalize(many, "kmeans", k=4, columns=AB)
    last = many[found.labels == 4][:1]
    again = rz.assign(last, saved(found, tmp_path))
    assert again.labels.tolist() == [4]
    assert any("no unit is nearest to the centre of cluster 1, 2, 3" in note for note in again.notes)
    assert again.report.sizes == (0, 0, 0, 1)


def test_other_reference_systems_are_brought_to_that_of_the_centres(many, tmp_path):
    found = rz.regionalize(many, "kmeans", k=5, columns=AB, with_centroids=True)
    path = saved(found, tmp_path)
    assert rz.assign(many.to_crs("EPSG:5880"), path).labels.tolist() == found.labels.tolist()
    part = many[many.geometry.x < -49]  # by itself it would be projected to another UTM zone
    assert rz.assign(part, path).labels.tolist() == found.labels[part.index].tolist()


def test_without_reference_system(many, tmp_path):
    plane = many.set_crs(None, allow_override=True)
    plane = plane.set_geometry(plane.geometry.scale(1000, 1000, origin=(0, 0)))
    found = rz.regionalize(plane, "kmeans", k=3, columns=AB, with_centroids=True, project="none")
    path = saved(found, tmp_path)
    assert rz.assign(plane, path).labels.tolist() == found.labels.tolist()
    moved = rz.assign(plane.set_crs("EPSG:5880"), path)
    assert moved.labels.tolist() == found.labels.tolist()
    assert any("without coordinate reference system" in note for note in moved.notes)
    there = rz.regionalize(many, "kmeans", k=3, columns=AB, with_centroids=True)
    with pytest.raises(DataError, match="no coordinate reference system"):
        rz.assign(plane, saved(there, tmp_path))


def test_a_file_made_by_hand(many, tmp_path):
    path = tmp_path / "hand.csv"
    rows = many[AB].iloc[[3, 50, 7]].reset_index(drop=True)
    rows.insert(0, "group", [7, 2, 5])
    rows.to_csv(path, index=False)
    found = rz.assign(many, path)
    wanted = vq(many[AB].to_numpy(), rows[AB].to_numpy())[0]
    assert found.labels.tolist() == rows["group"].to_numpy()[wanted].tolist()
    assert any("do not say how they were made: Euclidean distance, transform raw" in n for n in found.notes)
    scaled = rz.assign(many, path, transform="z")
    mean, sd = many[AB].mean(), many[AB].std()
    wanted = vq(((many[AB] - mean) / sd).to_numpy(), ((rows[AB] - mean) / sd).to_numpy())[0]
    assert scaled.labels.tolist() == rows["group"].to_numpy()[wanted].tolist()
    assert any("transform z, fitted on these rows" in note for note in scaled.notes)


def test_centers_changed_by_hand_have_an_effect(many, tmp_path):
    found = rz.regionalize(many, "kmeans", k=3, columns=AB)
    path = saved(found, tmp_path)
    centers = read_centers(path)
    centers.values[0] = centers.values[0] + many[AB].std() * 50  # far from everything
    write_centers(path, centers, overwrite=True)
    again = rz.assign(many, path)
    assert 1 not in set(again.labels)
    assert set(again.labels) == {2, 3}


@pytest.mark.parametrize("missing", ["drop", "mean", "median"])
def test_missing_values(missing, many, tmp_path):
    found = rz.regionalize(many, "kmeans", k=3, columns=AB)
    path = saved(found, tmp_path)
    holes = many.copy()
    holes.loc[[4, 9], "a"] = np.nan
    with pytest.raises(DataError, match="values are missing in 2 of 300 rows: a"):
        rz.assign(holes, path)
    again = rz.assign(holes, path, missing=missing)
    others = ~holes.index.isin([4, 9])
    assert again.labels[others].tolist() == found.labels[others].tolist()
    if missing == "drop":
        assert again.labels[[4, 9]].isna().all()
    else:
        filled = holes.fillna({"a": holes["a"].agg(missing)})
        assert again.labels.tolist() == rz.assign(filled, path).labels.tolist()


def test_missing_columns_are_named_in_one_line(many, tmp_path):
    found = rz.regionalize(many, "kmeans", k=3, columns=AB)
    path = saved(found, tmp_path)
    with pytest.raises(UsageError) as caught:
        rz.assign(many.rename(columns={"a": "A", "b": "other"}), path)
    assert "lacks: 'a' (did you mean 'A'?), 'b'" in str(caught.value)
    with pytest.raises(DataError, match="holds text"):
        rz.assign(many.assign(a="x"), path)
    with pytest.raises(UsageError, match="do not say how they were made, and these do"):
        rz.assign(many, path, transform="z")
    with pytest.raises(UsageError, match="unknown option 'k'"):
        rz.assign(many, path, k=3)


def test_contiguous_methods_say_whose_units_are_nearer_elsewhere(frame, tmp_path):
    found = rz.regionalize(frame, "skater", k=4, columns=AB)
    again = rz.assign(frame, saved(found, tmp_path))
    share = np.mean(again.labels.to_numpy() == found.labels.to_numpy())
    assert share < 1
    assert any(f"{100 * share:.1f} % are nearest to their own" in note for note in again.notes)


def test_noise_and_places(frame, tmp_path):
    """Clusters by variables have a recipe, and noise no share in it; clusters of places have none."""
    found = rz.regionalize(frame, "dbscan", eps=0.6, min_samples=3, columns=AB)
    member = found.labels > 0
    assert 0 < member.sum() < 25
    recipe = centers_of(found.solution).recipe
    again = rz.assign(frame, saved(found, tmp_path))
    assert recipe.agreement == (again.labels == found.labels)[member].mean()
    assert (again.labels > 0).all()
    places = rz.regionalize(frame, "dbscan", eps="1.2km", min_samples=3, columns=["a", "b", "pop"])
    assert centers_of(places.solution).recipe is None


def test_compactness_and_nested_numbers(frame, tmp_path):
    for method, options in (("balance", {"k": 3}), ("schc", {"k": [2, 4], "compactness": 0.3})):
        found = rz.regionalize(frame, method, columns=AB, **options)
        again = rz.assign(frame, saved(found, tmp_path))
        features = found.solution.features
        labels = found.labels.to_numpy()
        means = np.stack([features.X[labels == label].mean(axis=0) for label in range(1, labels.max() + 1)])
        assert again.labels.tolist() == (vq(features.X, means)[0] + 1).tolist()


def test_smoothing_over_a_weights_file_asks_for_one(frame, tmp_path):
    from regionalize.io.weights_files import write_weights

    file = tmp_path / "w.gal"
    weights = rz.build_weights(rz.Layer.from_frame(frame), "rook")
    write_weights(weights, file, ids=np.arange(1, 26).astype(str), id_name="n")
    found = rz.regionalize(frame, "kmeans", k=3, columns=AB, hops=1, weights=str(file))
    path = saved(found, tmp_path)
    again = rz.assign(frame, path, weights=str(file))
    assert again.labels.tolist() == found.labels.tolist()
    assert any("give that of these rows" in note for note in rz.assign(frame, path).notes)
