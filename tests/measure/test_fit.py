"""Fit against an independent computation, scikit-learn, SciPy and 152 runs of pygeoda."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError
from regionalize.measure.fit import cluster_means, measure_fit, r_squared


def exact_fit(matrix, labels):
    """Sums of squares in rational arithmetic: no rounding at all."""

    def squares(rows):
        total = Fraction(0)
        for column in zip(*rows, strict=True):
            values = [Fraction(float(value)) for value in column]
            mean = sum(values) / len(values)
            total += sum((value - mean) ** 2 for value in values)
        return total

    clustered = [row for row, label in zip(matrix, labels, strict=True) if label > 0]
    by_cluster = [
        squares([row for row, label in zip(matrix, labels, strict=True) if label == cluster])
        for cluster in range(1, max(labels) + 1)
    ]
    return squares(clustered), by_cluster


@st.composite
def labelled_matrices(draw):
    m, p = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    offset = draw(st.sampled_from([0.0, -3.0, 1e9]))
    value = st.floats(-100, 100, width=32).map(lambda v: offset + v)
    rows = draw(st.lists(st.lists(value, min_size=p, max_size=p), min_size=m, max_size=m))
    labels = draw(st.lists(st.integers(-1, 3), min_size=m, max_size=m))
    return np.array(rows), np.array(labels)


@given(labelled_matrices())
def test_sums_of_squares_equal_exact_arithmetic(case):
    matrix, labels = case
    fit = measure_fit(matrix, labels)
    tss, by_cluster = exact_fit(matrix.tolist(), labels.tolist())
    # values of 1e9 carry an error of about 1e-7 each before anything is computed
    tolerance = {"rel": 1e-9, "abs": 1e-9}
    assert fit.tss == pytest.approx(float(tss), **tolerance)
    assert fit.wss_by_cluster == pytest.approx([float(w) for w in by_cluster], **tolerance)
    assert fit.wss == pytest.approx(sum(fit.wss_by_cluster))
    assert fit.bss >= 0
    assert fit.ratio is None if fit.tss == 0 else 0 <= fit.ratio <= 1 + 1e-12


def test_a_large_mean_costs_no_digits():
    rng = np.random.default_rng(1)
    plain = rng.normal(size=(5000, 2)).round(4)
    labels = rng.integers(1, 6, 5000)
    shifted = plain + 1e9  # steps of 1e-7 remain: the data themselves are rounded to that
    tss, by_cluster = exact_fit(shifted.tolist(), labels.tolist())
    fit = measure_fit(shifted, labels)
    assert fit.tss == pytest.approx(float(tss), rel=1e-13)
    assert fit.wss_by_cluster == pytest.approx([float(w) for w in by_cluster], rel=1e-13)


def test_clusters_far_apart_keep_their_small_spread():
    rng = np.random.default_rng(2)
    labels = np.repeat([1, 2, 3], 400)
    matrix = (np.array([0.0, 1e9, -1e9])[labels - 1] + rng.normal(size=1200))[:, None]
    _, by_cluster = exact_fit(matrix.tolist(), labels.tolist())
    assert measure_fit(matrix, labels).wss_by_cluster == pytest.approx(
        [float(w) for w in by_cluster], rel=1e-9
    )


def test_single_precision_is_summed_in_double():
    rng = np.random.default_rng(3)
    single = (rng.normal(size=(20_000, 3)) + 300).astype(np.float32)
    labels = rng.integers(1, 4, 20_000)
    assert measure_fit(single, labels) == measure_fit(single.astype(np.float64), labels)


def test_layout_of_the_matrix_does_not_matter():
    rng = np.random.default_rng(4)
    matrix, labels = rng.normal(size=(50, 6)), rng.integers(-1, 4, 50)
    wide = np.asfortranarray(np.repeat(matrix, 2, axis=1))[:, ::2]
    assert measure_fit(wide, labels) == measure_fit(matrix, labels)


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], [1, 2, 3, 4]])
def test_one_cluster_explains_nothing_and_singletons_everything(labels):
    matrix = np.array([[1.0, 0.1], [2.0, 0.3], [4.0, 0.1], [8.0, 0.7]])
    fit = measure_fit(matrix, np.array(labels))
    assert fit.ratio == pytest.approx(0.0 if max(labels) == 1 else 1.0, abs=1e-15)


def test_one_cluster_has_nothing_between_it_whatever_the_rounding():
    for seed in range(20):
        matrix = np.random.default_rng(seed).normal(size=(85, 6))
        fit = measure_fit(matrix, np.ones(85, dtype=int))
        assert fit.bss == fit.ratio == 0.0


def test_units_that_do_not_differ_have_no_ratio():
    fit = measure_fit(np.full((5, 2), 0.1), np.array([1, 1, 2, 2, 2]))
    assert (fit.tss, fit.wss, fit.ratio) == (0.0, 0.0, None)


def test_without_any_cluster_there_is_nothing_to_measure():
    labels = np.array([0, -1, 0])
    fit = measure_fit(np.ones((3, 2)), labels)
    assert (fit.tss, fit.wss_by_cluster, fit.ratio) == (0.0, (), None)
    assert cluster_means(np.ones((3, 2)), labels).shape == (0, 2)
    assert (fit.pseudo_f, fit.mean_distance) == (None, None)
    assert np.isnan(r_squared(np.ones((3, 2)), labels)).all()


def test_labels_must_match_rows():
    with pytest.raises(DataError, match="3 labels for 2 rows"):
        measure_fit(np.ones((2, 1)), np.array([1, 1, 1]))


@given(labelled_matrices())
def test_means_are_the_members_means(case):
    matrix, labels = case
    means = cluster_means(matrix, labels)
    for cluster in range(1, labels.max(initial=0) + 1):
        rows = matrix[labels == cluster]
        if len(rows):
            np.testing.assert_allclose(means[cluster - 1], rows.mean(axis=0), rtol=1e-12, atol=1e-12)
        else:
            assert np.isnan(means[cluster - 1]).all()


def test_within_sum_of_squares_is_scikit_learns_inertia():
    from sklearn.cluster import KMeans

    matrix = np.random.default_rng(6).normal(size=(300, 4))
    model = KMeans(5, n_init=1, random_state=0, tol=0).fit(matrix)
    fit = measure_fit(matrix, model.labels_ + 1)
    assert fit.wss == pytest.approx(model.inertia_, rel=1e-9)
    np.testing.assert_allclose(cluster_means(matrix, model.labels_ + 1), model.cluster_centers_, atol=1e-12)


def test_mean_distance_is_what_scipy_calls_distortion():
    from scipy.cluster import vq

    rng = np.random.default_rng(42)
    matrix = np.concatenate([rng.normal(center, 1, (50, 2)) for center in ((0, 0), (5, 5), (10, 0))])
    codes, _ = vq.vq(matrix, matrix[[0, 50, 100]])
    centers = np.array([matrix[codes == j].mean(axis=0) for j in range(3)])
    _, distances = vq.vq(matrix, centers)  # distance to the nearest centre, well apart here
    own = np.array([math.dist(x, centers[j]) for x, j in zip(matrix, codes, strict=True)])
    fit = measure_fit(matrix, codes + 1)
    assert fit.mean_distance == pytest.approx(own.mean())
    assert fit.mean_distance == pytest.approx(distances.mean(), rel=1e-3)


@given(labelled_matrices())
def test_every_unit_counts_by_its_distance_to_the_mean_of_its_cluster(case):
    matrix, labels = case
    found = measure_fit(matrix, labels).mean_distance
    means = {cluster: matrix[labels == cluster].mean(axis=0) for cluster in set(labels[labels > 0].tolist())}
    own = [math.dist(row, means[label]) for row, label in zip(matrix, labels, strict=True) if label > 0]
    assert found == (pytest.approx(sum(own) / len(own), rel=1e-9, abs=1e-6) if own else None)


@pytest.mark.parametrize("k", [2, 5, 40])
def test_pseudo_f_is_scikit_learns(k):
    from sklearn.metrics import calinski_harabasz_score

    rng = np.random.default_rng(7)
    matrix, labels = rng.normal(size=(300, 4)), rng.integers(1, k + 1, 300)
    assert measure_fit(matrix, labels).pseudo_f == pytest.approx(calinski_harabasz_score(matrix, labels))
    # noise, rows left out, and a number that no unit bears do not count
    labels[:30], labels[30:60], labels[labels == 1] = 0, -1, k + 3
    used = labels > 0
    expected = calinski_harabasz_score(matrix[used], labels[used])
    assert measure_fit(matrix, labels).pseudo_f == pytest.approx(expected)


@pytest.mark.parametrize(
    "labels", [[1, 1, 1, 1], [1, 2, 3, 4], [1, 1, 2, 2]], ids=["one cluster", "units alone", "equal units"]
)
def test_pseudo_f_is_left_undefined(labels):
    matrix = np.repeat([[0.1, 1e8], [0.3, 1e8 + 0.1]], 2, axis=0)
    assert measure_fit(matrix, np.array(labels)).pseudo_f is None


@given(labelled_matrices())
def test_r_squared_is_each_columns_ratio(case):
    matrix, labels = case
    shares = r_squared(matrix, labels)
    assert shares.shape == (matrix.shape[1],)
    for j, share in enumerate(shares):
        ratio = measure_fit(matrix[:, [j]], labels).ratio
        assert np.isnan(share) if ratio is None else share == pytest.approx(ratio, abs=1e-9)


def test_r_squared_is_that_of_a_regression_on_the_clusters():
    rng = np.random.default_rng(8)
    labels = rng.integers(1, 6, 200)
    matrix = rng.normal(size=(200, 3)) + 0.5 * labels[:, None]
    dummies = (labels[:, None] == np.arange(1, 6)).astype(float)
    residual = matrix - dummies @ np.linalg.lstsq(dummies, matrix, rcond=None)[0]
    expected = 1 - residual.var(axis=0) / matrix.var(axis=0)
    np.testing.assert_allclose(r_squared(matrix, labels), expected, rtol=1e-10)
    # whatever the unit a variable is measured in
    np.testing.assert_allclose(r_squared(1e9 - 3 * matrix, labels), expected, rtol=1e-6)


def test_on_standardised_variables_bss_tss_is_the_mean_r_squared(shared_reference, guerry_z):
    for run in shared_reference["results"][:10]:
        shares = r_squared(guerry_z, np.array(run["labels"]))
        assert shares.mean() == pytest.approx(run["ratio"], rel=1e-9)


def test_every_reference_run(shared_reference, guerry_z):
    for run in shared_reference["results"]:
        labels = np.array(run["labels"])
        fit = measure_fit(guerry_z, labels)
        case = (run["method"], run["k"], run["params"])
        assert fit.tss == pytest.approx(run["TSS"], rel=1e-9), case
        assert fit.wss == pytest.approx(run["WSS"], rel=1e-9), case
        assert fit.bss == pytest.approx(run["BSS"], rel=1e-9), case
        assert fit.ratio == pytest.approx(run["ratio"], rel=1e-9), case
        # pygeoda lists some methods' clusters in another order than it numbers them
        within = sorted(run["within"])
        assert sorted(fit.wss_by_cluster) == pytest.approx(within, rel=1e-9, abs=1e-9), case
    assert len(shared_reference["results"]) == 152
