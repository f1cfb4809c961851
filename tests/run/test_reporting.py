"""What a report holds, beside the same computed here by the formulas."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, is_dataclass
from importlib.metadata import version

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

import regionalize as rz
from regionalize.model import report as report_module
from regionalize.model.features import Features
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.model.partition import NOISE, Partition
from regionalize.model.report import ClusterShape, Fragmentation, Profiles, Report
from regionalize.model.weights import Weights
from regionalize.run.reporting import (
    describe_compactness,
    describe_levels,
    find_centers,
    geometry_to_measure,
    make_report,
    same_matrix,
    versions,
)

AB = {"k": 3, "columns": ["a", "b"]}


def z_scores(frame, columns=("a", "b")):
    values = frame[list(columns)].to_numpy()
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


def sum_of_squares(values, labels=None):
    """About the mean of all, or of each cluster."""
    values = np.asarray(values, dtype=float)
    groups = [values] if labels is None else [values[labels == one] for one in np.unique(labels[labels > 0])]
    return sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups)


def plain_features(raw, **more):
    raw = np.asarray(raw, dtype=float)
    given = {
        "rows": np.arange(len(raw)),
        "names": tuple("abcdefg"[: raw.shape[1]]),
        "raw": raw,
        "scaled": raw,
    }
    given |= {"X": raw, "unweighted": raw, "coordinates": None, "coordinate_share": 0.0}
    return Features(**(given | {"column_weights": np.ones(raw.shape[1]), "attributes_only": False} | more))


def squares(n, gap=0.0):
    """A row of unit squares, with gaps between them."""
    left = np.arange(n) * (1 + gap)
    return geopandas.GeoDataFrame(
        {"a": np.arange(n) * 1.0}, geometry=shapely.box(left, 0, left + 1, 1), crs="EPSG:32633"
    )


def in_a_row(n):
    """Weights of units that each touch the next."""
    one = np.arange(n - 1)
    return Weights.from_links(n, np.r_[one, one + 1], np.r_[one + 1, one], kind="example")


def test_attributes_alone_have_one_fit(frame):
    found = rz.regionalize(frame, **AB)
    labels, Z = found.labels.to_numpy(), z_scores(frame)
    report = found.report
    assert report.fit_attributes is None
    assert report.fit.tss == pytest.approx(2 * 24)  # z scores of n - 1
    assert report.fit.wss == pytest.approx(sum_of_squares(Z, labels))
    assert report.variables == report.center_columns == ("a", "b")
    np.testing.assert_allclose(report.centers, frame[["a", "b"]].groupby(labels).mean())
    between = [1 - sum_of_squares(Z[:, [j]], labels) / sum_of_squares(Z[:, [j]]) for j in range(2)]
    np.testing.assert_allclose(report.r_squared, between)
    np.testing.assert_allclose(report.profiles.mean, frame[["a", "b"]].groupby(labels).mean())
    assert report.k == 3
    assert report.coordinate_share == 0
    assert report.noise == 0
    assert report.input["rows"] == report.input["rows_used"] == 25


def test_centroids_among_the_variables_are_reported_with_them(frame):
    found = rz.regionalize(frame, with_centroids=True, **AB)
    labels, report = found.labels.to_numpy(), found.report
    place = shapely.get_coordinates(frame.centroid)
    assert report.variables == ("a", "b", "X", "Y")
    np.testing.assert_allclose(np.array(report.centers)[:, 2:], pd.DataFrame(place).groupby(labels).mean())
    both = np.hstack([z_scores(frame), (place - place.mean(axis=0)) / place.std(axis=0, ddof=1)])
    assert report.fit.tss == pytest.approx(sum_of_squares(both))
    assert report.fit.wss == pytest.approx(sum_of_squares(both, labels))
    assert report.fit_attributes.wss == pytest.approx(sum_of_squares(both[:, :2], labels))
    assert len(report.r_squared) == len(report.profiles.mean_of_all) == 4
    assert report.r_squared[2] == pytest.approx(
        1 - sum_of_squares(place[:, :1], labels) / sum_of_squares(place[:, :1])
    )


def test_under_a_centroid_weight_the_report_speaks_of_attributes(frame):
    found = rz.regionalize(frame, centroid_weight=0.4, **AB)
    report = found.report
    assert report.variables == ("a", "b")
    assert report.fit_attributes is None
    assert report.fit.wss == pytest.approx(sum_of_squares(z_scores(frame), found.labels.to_numpy()))
    assert report.coordinate_share == pytest.approx(0.4)


@pytest.mark.parametrize("more", [{}, {"centroid_weight": 0.4}, {"with_centroids": True}])
def test_under_embed_the_fit_is_over_what_took_the_place_of_the_attributes(more, frame):
    found = rz.regionalize(frame, embed="pca:1", **AB, **more)
    labels, report = found.labels.to_numpy(), found.report
    Z = z_scores(frame)
    first = Z @ np.linalg.svd(Z)[2][0]  # about its mean already
    place = shapely.get_coordinates(frame.centroid)
    over = first[:, None]
    if "with_centroids" in more:
        over = np.column_stack([first, (place - place.mean(axis=0)) / place.std(axis=0, ddof=1)])
    ratio = 1 - sum_of_squares(over, labels) / sum_of_squares(over)
    assert report.fit.ratio == pytest.approx(ratio)
    assert report.fit_attributes.ratio == pytest.approx(1 - sum_of_squares(Z, labels) / sum_of_squares(Z))


def test_rows_left_out_and_noise_count_where_they_should(frame):
    frame.loc[[3, 8], "a"] = np.nan
    found = rz.regionalize(frame, missing="drop", **AB)
    assert found.report.input["rows"] == 25
    assert found.report.input["rows_used"] == 23
    kept = frame.drop(index=[3, 8])
    labels = found.labels.drop(index=[3, 8]).to_numpy(dtype=int)
    assert found.report.fit.wss == pytest.approx(sum_of_squares(z_scores(kept), labels))
    assert found.report.noise == 0

    layer, job = Layer.from_frame(squares(6)), Job(k=2, columns=("a",))
    partition = Partition(np.array([1, NOISE, 1, 2, NOISE, NOISE]))
    report = make_report(layer, job, plain_features(np.arange(6.0)[:, None]), None, partition, {})
    assert report.noise == 3
    assert report.sizes == (2, 1)
    assert report.fit.wss == pytest.approx(2.0)  # 0 and 2 about 1


def test_centers_of_every_kind():
    values = np.array([[0.0, 1.0], [9.0, 3.0], [2.0, 5.0], [9.0, 9.0], [7.0, 1.0]])
    labels = np.array([1, 2, 1, 1, 0])
    np.testing.assert_allclose(find_centers(values, labels, "mean", None), [[11 / 3, 5], [9, 3]])
    np.testing.assert_allclose(find_centers(values, labels, "median", None), [[2, 5], [9, 3]])
    shares = np.array([0.25, 1.0, 0.75, 0.0, 0.5])  # the unit of noise counts nowhere
    np.testing.assert_allclose(find_centers(values, labels, "median", None, shares), [[1.5, 4], [9, 3]])
    np.testing.assert_allclose(find_centers(values, labels, "mean", None, shares), [[11 / 3, 5], [9, 3]])
    found = find_centers(values.astype(np.float32), labels, "medoid", np.array([1, 2]))
    np.testing.assert_array_equal(found, [[2, 5], [9, 3]])  # by label, whatever the order of the medoids
    assert found.dtype == np.float64
    with pytest.raises(AssertionError, match="did not tell its medoids"):
        find_centers(values, labels, "medoid", None)


def test_levels_tell_of_the_attributes_of_the_rows_used():
    features = plain_features([[0.0], [2.0], [10.0]], rows=np.array([0, 2, 3]))
    levels = {2: Partition(np.array([1, -1, 1, 2])), 1: Partition(np.array([1, -1, 1, 1]))}
    one, other = describe_levels(features, levels)["levels"]
    assert (one["k"], one["sizes"]) == (2, [2, 1])
    assert one["bss_tss_attributes"] == pytest.approx(1 - 2 / 56)  # squares about 4: 16 + 4 + 36
    assert other == {"k": 1, "sizes": [3], "bss_tss_attributes": 0.0}


def test_compactness_tells_the_moment_of_inertia():
    places = np.array([[0.0, 0.0], [0.0, 2.0], [8.0, 1.0]])
    features = plain_features(np.zeros((3, 1)), coordinates=places)
    partition = Partition(np.array([1, 1, 2]))
    found = describe_compactness(features, partition, 0.5)["compactness"]
    assert found["weight"] == 0.5
    assert found["moment_of_inertia"] == pytest.approx(2)
    assert found["moment_of_inertia_of_layer"] == pytest.approx(sum_of_squares(places))
    assert found["share"] == pytest.approx(2 / sum_of_squares(places))
    assert describe_compactness(features, partition, 0.0) == {}
    assert describe_compactness(plain_features(np.zeros((3, 1))), partition, 0.5) == {}
    at_one_place = plain_features(np.zeros((3, 1)), coordinates=np.ones((3, 2)))
    assert describe_compactness(at_one_place, partition, 0.5)["compactness"]["share"] is None


def test_what_was_clustered_is_the_attributes_or_is_not():
    raw = np.arange(6.0).reshape(3, 2)
    assert same_matrix(plain_features(raw))
    assert not same_matrix(plain_features(raw, unweighted=raw + 1))
    assert not same_matrix(plain_features(raw, unweighted=np.hstack([raw, raw])))
    assert not same_matrix(plain_features(np.ones((3, 1)), unweighted=np.ones((3, 2))))


def test_shapes_are_measured_where_a_cluster_is_in_one_piece():
    layer, weights = Layer.from_frame(squares(4)), in_a_row(4)
    one_piece = Partition(np.array([1, 2, 1, NOISE]))  # cluster 2 alone is whole
    assert geometry_to_measure(layer, one_piece, weights)[0] is not None
    apart = Partition(np.array([1, 2, 1, 2]))
    assert geometry_to_measure(layer, apart, weights) == (None, ())
    noise_between = Partition(np.array([1, NOISE, 1, NOISE]))  # the noise is in pieces, too
    assert geometry_to_measure(layer, noise_between, weights) == (None, ())
    noise_whole = Partition(np.array([1, NOISE, NOISE, 1]))
    assert geometry_to_measure(layer, noise_whole, weights) == (None, ())
    first_alone = Partition(np.array([1, 1, NOISE, NOISE]))
    assert geometry_to_measure(layer, first_alone, weights)[0] is not None
    table = Layer.from_frame(squares(4).drop(columns="geometry"))
    assert geometry_to_measure(table, one_piece, weights) == (None, ())


def test_why_shapes_are_not_measured_is_told():
    degrees_perhaps = Layer.from_frame(squares(4).set_crs(None, allow_override=True))
    geometry, notes = geometry_to_measure(degrees_perhaps, Partition(np.array([1, 1, 2, 2])), in_a_row(4))
    assert geometry is None
    assert len(notes) == 1
    assert notes[0].startswith("compactness is not measured: ")


def test_under_compactness_the_coordinates_are_no_share_of_the_variables():
    layer, partition = Layer.from_frame(squares(3)), Partition(np.array([1, 1, 2]))
    features = plain_features([[0.0], [1.0], [5.0]], coordinate_share=0.3)
    for compactness, share in ((0.5, 0.0), (0.0, 0.3)):
        job = Job(k=2, columns=("a",), compactness=compactness)
        assert make_report(layer, job, features, None, partition, {}).coordinate_share == share


def test_versions_are_those_installed():
    found = versions()
    assert found["regionalize"] == rz.__version__
    assert {name: version(name) for name in found if name != "regionalize"}.items() <= found.items()
    assert {"numpy", "shapely", "pyogrio"} <= set(found)
    found["numpy"] = "changed"
    assert versions()["numpy"] == version("numpy")


def shape(label):
    return ClusterShape(label, 1, 1, 1.0, 0.5, None, None, None, None, 1, 1, 1.0, 0, 0, None)


def test_clusters_by_label_leave_a_gap_where_there_are_no_units():
    pieces = Fragmentation(True, 2, 1.0, 0.0, None, 1.0, 2.0, 0, 0, None, (shape(3), shape(1)), "example")
    assert [one and one.label for one in pieces.by_label(4)] == [1, None, 3, None]
    assert pieces.by_label(3)[-1].label == 3


def test_what_was_measured_stays():
    kinds = [kind for kind in vars(report_module).values() if isinstance(kind, type) and is_dataclass(kind)]
    assert len(kinds) >= 7
    for kind in kinds:
        with pytest.raises(FrozenInstanceError):
            object.__new__(kind).fit = None


def test_profiles_of_other_clusters_do_not_go_beside():
    rows = ((1.0,), (2.0,))
    two = Profiles(rows, rows, rows, (1.5,), (0.5,))
    one = Profiles(rows[:1], rows[:1], rows[:1], (1.5,), (0.5,))
    with pytest.raises(ValueError, match="shorter"):
        two.beside(one)


def test_a_report_says_no_more_than_it_was_told():
    report = Report({}, {}, {}, ("a",), (2, 1), ("a",), ((0.0,), (1.0,)), None, None, 0.0, None)
    assert report.k == 2
    plain = report.to_dict()
    assert plain["noise"] == 0
    assert [plain[name] for name in ("silhouettes", "profiles", "extra", "notes")] == [None, None, {}, ()]
