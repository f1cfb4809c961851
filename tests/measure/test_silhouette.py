"""Silhouettes against the definition, written out, and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError
from regionalize.measure import silhouette
from regionalize.measure.silhouette import measure_silhouettes, sample_units, silhouettes


def by_definition(X, labels):
    """Rousseeuw's s(i), unit by unit, and the cluster that b(i) is of."""
    units = [i for i, label in enumerate(labels) if label > 0]
    clusters = sorted({labels[i] for i in units})
    values, nearest = [math.nan] * len(labels), [0] * len(labels)
    if len(clusters) < 2:
        return values, nearest
    for i in units:

        def mean(cluster, i=i):
            others = [j for j in units if labels[j] == cluster and j != i]
            return sum(math.dist(X[i], X[j]) for j in others) / len(others) if others else None

        b, nearest[i] = min((mean(cluster), cluster) for cluster in clusters if cluster != labels[i])
        a = mean(labels[i])
        values[i] = 0.0 if a is None or max(a, b) == 0 else (b - a) / max(a, b)
    return values, nearest


@st.composite
def labelled_points(draw):
    m, p = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    # whole numbers, so that equal rows and equal distances occur
    X = draw(st.lists(st.lists(st.integers(-3, 3), min_size=p, max_size=p), min_size=m, max_size=m))
    labels = draw(st.lists(st.integers(-1, 4), min_size=m, max_size=m))
    return np.array(X, dtype=float), np.array(labels)


@pytest.fixture(params=["NumPy", "SciPy"])
def path(request, monkeypatch):
    """Take the distances either way, whatever their number."""
    monkeypatch.setattr(silhouette, "_SCIPY_PAYS", -1 if request.param == "SciPy" else math.inf)
    monkeypatch.setattr(silhouette, "_BLOCK", 3)


@given(labelled_points())
def test_every_unit_has_the_silhouette_of_the_definition(case):
    X, labels = case
    expected, nearest = by_definition(X.tolist(), labels.tolist())
    values, found = silhouettes(X, labels)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-12)
    used = labels > 0
    if not np.isnan(values[used]).all():
        # of clusters that are equally near, rounding may choose either: the distance is what counts
        same = np.array(nearest) == found
        for i in np.flatnonzero(used & ~same):
            means = [
                np.mean([math.dist(X[i], X[j]) for j in np.flatnonzero(labels == cluster)])
                for cluster in (nearest[i], found[i])
            ]
            assert means[0] == pytest.approx(means[1], rel=1e-12)
    assert (found[~used] == 0).all()


@pytest.mark.usefixtures("path")
def test_both_ways_of_summing_agree_with_scikit_learn():
    from sklearn.metrics import silhouette_samples, silhouette_score

    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 5))
    labelings = [rng.integers(1, k + 1, 400) for k in (2, 7, 30)]
    measured = measure_silhouettes(X, labelings)
    for labels, found in zip(labelings, measured, strict=True):
        values, _ = silhouettes(X, labels)
        np.testing.assert_allclose(values, silhouette_samples(X, labels), atol=1e-9)
        assert found.mean == pytest.approx(silhouette_score(X, labels), abs=1e-9)
        assert found.negative == (values < 0).sum()
        for cluster in range(1, labels.max() + 1):
            assert found.by_cluster[cluster - 1] == pytest.approx(values[labels == cluster].mean(), abs=1e-12)
            assert found.negative_by_cluster[cluster - 1] == (values[labels == cluster] < 0).sum()


@pytest.mark.usefixtures("path")
def test_noise_and_numbers_without_units_do_not_count():
    from sklearn.metrics import silhouette_samples

    rng = np.random.default_rng(2)
    X, labels = rng.normal(size=(90, 2)), rng.choice([-1, 0, 1, 2, 5], 90)
    used = labels > 0
    values, nearest = silhouettes(X, labels)
    np.testing.assert_allclose(values[used], silhouette_samples(X[used], labels[used]), atol=1e-9)
    assert np.isnan(values[~used]).all()
    assert set(nearest[used].tolist()) == {1, 2, 5}
    found = measure_silhouettes(X, [labels])[0]
    assert (found.units, found.by_cluster[2:4]) == (used.sum(), (None, None))


@pytest.mark.usefixtures("path")
def test_equal_rows_are_at_no_distance_though_far_from_the_origin():
    X = np.repeat([[1e8 + 0.1, 7.0], [1e8 + 0.2, 7.0]], 20, axis=0)
    values, nearest = silhouettes(X, np.repeat([1, 2], 20))
    assert (values == 1.0).all()
    assert nearest.tolist() == [2] * 20 + [1] * 20


@pytest.mark.usefixtures("path")
def test_without_variables_no_unit_differs():
    assert silhouettes(np.empty((4, 0)), np.array([1, 1, 2, 2]))[0].tolist() == [0.0] * 4


def test_units_that_do_not_differ_have_none_to_speak_of():
    values, _ = silhouettes(np.ones((6, 2)), np.array([1, 1, 1, 2, 2, 2]))
    assert values.tolist() == [0.0] * 6


@pytest.mark.parametrize(
    "labels",
    [[1, 1, 1, 1], [1, 2, 3, 4], [0, 0, -1, 0], [0, 2, 2, 2], [1, 2, 0, 0]],
    ids=["one cluster", "units alone", "noise", "one and noise", "two alone and noise"],
)
def test_nothing_is_measured_where_scikit_learn_refuses(labels):
    from sklearn.metrics import silhouette_score

    X, labels = np.array([[0.0], [1.0], [5.0], [6.0]]), np.array(labels)
    assert measure_silhouettes(X, [labels]) == [None]
    used = labels > 0
    if used.any():
        with pytest.raises(ValueError, match="Number of labels"):
            silhouette_score(X[used], labels[used])


def test_one_labeling_does_not_change_another():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 3))
    labelings = [rng.integers(low, 6, 120) for low in (-1, 0, 1, 5)]
    together = measure_silhouettes(X, labelings)
    alone = [measure_silhouettes(X, [labels])[0] for labels in labelings]
    assert together == alone
    assert together[3] is None
    assert measure_silhouettes(X, []) == []


def test_a_sample_is_near_the_whole_and_repeats_itself():
    rng = np.random.default_rng(4)
    labels = rng.integers(1, 4, 6000)
    X = np.array([[0.0, 0], [3, 0], [0, 4]])[labels - 1] + rng.normal(size=(6000, 2))
    whole, sampled, again, other = (
        measure_silhouettes(X, [labels], limit=limit, seed=seed)[0]
        for limit, seed in ((6000, 1), (1500, 1), (1500, 1), (1500, 2))
    )
    assert not whole.sampled
    assert (sampled.units, sampled.sampled) == (1500, True)
    assert sampled == again
    assert sampled != other
    assert sampled.mean == pytest.approx(whole.mean, abs=0.03)


def test_a_sample_holds_small_clusters_and_no_noise():
    labels = np.zeros(10_000, dtype=np.int64)
    labels[1000:9000] = 1
    labels[9000:9003] = 2
    labels[9003] = 3
    other = np.where(np.arange(10_000) == 17, 1, labels)
    rows = sample_units([labels, other], limit=50)
    assert len(rows) == len(set(rows.tolist())) == 50
    assert (np.diff(rows) > 0).all()
    drawn = labels[rows]
    assert (drawn == 2).sum() >= 2
    assert (drawn == 3).sum() == 1
    assert set(drawn[rows != 17].tolist()) == {1, 2, 3}
    found = measure_silhouettes(np.arange(10_000.0)[:, None], [labels], limit=50)[0]
    assert None not in found.by_cluster


def test_a_cluster_that_found_no_room_in_the_sample_has_no_silhouette():
    labels = np.repeat(np.arange(1, 31), 4)
    found = measure_silhouettes(np.arange(120.0)[:, None], [labels], limit=20)[0]
    assert found.units == 20
    assert len(found.by_cluster) == 30
    assert found.by_cluster.count(None) >= 10


def test_every_unit_is_as_likely_to_be_drawn_as_another():
    labels = np.ones(40, dtype=np.int64)
    counts = sum(np.bincount(sample_units([labels], limit=10, seed=s), minlength=40) for s in range(2000))
    # 2000 draws of probability 1/4: a standard deviation of 19
    assert abs(counts - 500).max() < 100


def test_labels_must_match_rows():
    with pytest.raises(DataError, match="3 labels for 2 rows"):
        silhouettes(np.ones((2, 1)), np.array([1, 1, 2]))
