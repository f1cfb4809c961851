"""Smoothing against dense matrices, hand computation and its own theorems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import UsageError
from regionalize.features import smoothing
from regionalize.features.smoothing import SMOOTH_MODES, restricted, smooth, smoothing_notes
from regionalize.model.weights import Weights


def random_weights(n: int, seed: int, share: float = 0.1, kind: str = "test") -> Weights:
    """Make links at random, the last units islands, with weights of all sizes."""
    rng = np.random.default_rng(seed)
    linked = rng.random((n, n)) < share
    linked[-2:] = linked[:, -2:] = False
    row, neighbor = np.nonzero(linked)
    return Weights.from_links(n, row, neighbor, rng.uniform(0.1, 5, len(row)), kind=kind)


def great_circle(a, b) -> float:
    """Angle between two points in degrees, by vectors in space."""
    (lon1, lat1), (lon2, lat2) = np.radians(a), np.radians(b)
    one = np.array([np.cos(lat1) * np.cos(lon1), np.cos(lat1) * np.sin(lon1), np.sin(lat1)])
    two = np.array([np.cos(lat2) * np.cos(lon2), np.cos(lat2) * np.sin(lon2), np.sin(lat2)])
    return float(np.arctan2(np.linalg.norm(np.cross(one, two)), one @ two))


def dense(values, weights, hops, alpha, mode, coordinates=None, sphere=False) -> np.ndarray:
    """Write the formula out over a full matrix, unit by unit."""
    n = len(weights)
    matrix = np.zeros((n, n))
    lengths = [
        (great_circle if sphere else lambda a, b: np.linalg.norm(a - b))(coordinates[i], coordinates[j])
        for i, j in zip(weights.row, weights.indices, strict=True)
        if mode in {"idw", "gaussian"}
    ]
    for link, (i, j) in enumerate(zip(weights.row, weights.indices, strict=True)):
        if mode in {"mean", "sum"}:
            matrix[i, j] = weights.values[link]
        elif mode == "idw":
            matrix[i, j] = 1 / lengths[link]
        else:
            matrix[i, j] = np.exp(-((lengths[link] / np.mean(lengths)) ** 2) / 2)
    if mode != "sum":
        total = matrix.sum(axis=1, keepdims=True)
        matrix = np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    x = np.array(values, dtype=float)
    for _ in range(hops):
        new = alpha * x + (1 - alpha) * matrix @ x
        new[weights.degree == 0] = x[weights.degree == 0]
        x = new
    return x


@pytest.fixture(params=["numpy", "scipy"])
def route(request, monkeypatch):
    """Send even small inputs through either implementation."""
    monkeypatch.setattr(smoothing, "_SCIPY_PAYS", -1 if request.param == "scipy" else 10**18)


@pytest.mark.parametrize("mode", SMOOTH_MODES)
@pytest.mark.parametrize("sphere", [False, True])
def test_equals_the_dense_matrix(route, mode, sphere):
    rng = np.random.default_rng(8)
    for seed, (n, hops, alpha) in enumerate([(40, 1, 0.5), (40, 3, 0.2), (25, 5, 0.9), (30, 4, 0.0)]):
        weights = random_weights(n, seed)
        values = rng.normal(size=(n, 3))
        points = rng.uniform([-180, -85], [180, 85], (n, 2))
        found = smooth(values, weights, hops, alpha, mode, coordinates=points, sphere=sphere)
        expected = dense(values, weights, hops, alpha, mode, points, sphere)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_sum_on_a_path_by_hand(route):
    """1 - 2 - 3 - 4 with values 1, 2, 4, 8 and alpha one quarter, two hops."""
    path = Weights.from_links(4, np.array([0, 1, 1, 2, 2, 3]), np.array([1, 0, 2, 1, 3, 2]), kind="path")
    values = np.array([[1.0], [2.0], [4.0], [8.0]])
    # x1 = .25 + .75*2 | .5 + .75*5 | 1 + .75*10 | 2 + .75*4
    assert smooth(values, path, 1, 0.25, "sum")[:, 0].tolist() == [1.75, 4.25, 8.5, 5.0]
    # x2 = .4375 + .75*4.25 | 1.0625 + .75*10.25 | 2.125 + .75*9.25 | 1.25 + .75*8.5
    assert smooth(values, path, 2, 0.25, "sum")[:, 0].tolist() == [3.625, 8.75, 9.0625, 7.625]


@given(st.integers(0, 10**6), st.sampled_from(SMOOTH_MODES))
def test_identity(seed, mode):
    weights = random_weights(12, seed, 0.3)
    rng = np.random.default_rng(seed)
    values, points = rng.normal(size=(12, 2)), rng.normal(size=(12, 2))
    assert np.array_equal(smooth(values, weights, 0, 0.3, mode, coordinates=points), values)
    assert np.array_equal(smooth(values, weights, 4, 1.0, mode, coordinates=points), values)
    once = smooth(values, weights, 3, 0.4, mode, coordinates=points)
    assert np.array_equal(once[weights.degree == 0], values[weights.degree == 0])
    assert once is not values


@pytest.mark.parametrize("mode", ["mean", "idw", "gaussian"])
def test_averages_stay_within_the_values_and_keep_constants(route, mode):
    weights = random_weights(60, 2)
    rng = np.random.default_rng(2)
    values, points = rng.normal(size=(60, 2)), rng.uniform(0, 1, (60, 2))
    out = smooth(values, weights, 3, 0.5, mode, coordinates=points)
    assert (out.min(axis=0) >= values.min(axis=0)).all()
    assert (out.max(axis=0) <= values.max(axis=0)).all()
    flat = smooth(np.full((60, 1), 7.0), weights, 3, 0.5, mode, coordinates=points)
    np.testing.assert_allclose(flat, 7.0, rtol=1e-14)


def test_more_hops_smooth_more():
    """On a regular symmetric graph the mean's matrix is doubly stochastic: variance cannot rise."""
    side = np.arange(400).reshape(20, 20)
    row = np.tile(side.ravel(), 4)
    neighbor = np.concatenate([np.roll(side, step, axis).ravel() for step in (1, -1) for axis in (0, 1)])
    torus = Weights.from_links(400, row, neighbor, kind="torus")
    assert torus.is_symmetric
    values = np.random.default_rng(4).normal(size=(400, 3))
    spread = [smooth(values, torus, hops, 0.5).var(axis=0) for hops in range(6)]
    assert (np.diff(spread, axis=0) < 0).all()
    np.testing.assert_allclose(smooth(values, torus, 5, 0.5).mean(axis=0), values.mean(axis=0), atol=1e-14)


def test_farther_means_less():
    star = Weights.from_links(4, np.array([0, 0, 0]), np.array([1, 2, 3]), kind="star")
    points = np.array([[0.0, 0], [1, 0], [0, 2], [4, 0]])
    for mode in ("idw", "gaussian"):
        share = [smooth(np.eye(4)[:, [j]], star, 1, 0.0, mode, coordinates=points)[0, 0] for j in (1, 2, 3)]
        assert share[0] > share[1] > share[2] > 0
        assert sum(share) == pytest.approx(1)
    assert smooth(np.eye(4)[:, [1]], star, 1, 0.0, "idw", coordinates=points)[0, 0] == pytest.approx(4 / 7)


def test_coincident_points():
    pair = Weights.from_links(4, np.array([0, 0, 0, 1]), np.array([1, 2, 3, 0]), kind="knn:3")
    values = np.array([[0.0], [2.0], [6.0], [100.0]])
    together = np.array([[5.0, 5], [5, 5], [5, 5], [9, 9]])
    # the limit of small distances
    assert smooth(values, pair, 1, 0.0, "idw", coordinates=together)[0, 0] == 4
    near = np.add(together, [[0, 0], [1e-9, 0], [0, 1e-9], [0, 0]])
    np.testing.assert_allclose(smooth(values, pair, 1, 0.0, "idw", coordinates=near)[0, 0], 4, atol=1e-6)
    everywhere = np.ones((4, 2))
    for mode in ("idw", "gaussian"):
        out = smooth(values, pair, 1, 0.0, mode, coordinates=everywhere)
        np.testing.assert_allclose(out[:2, 0], [36, 0], rtol=1e-12)


def test_far_neighbours_do_not_vanish_under_gaussian():
    """One unit a thousand bandwidths away still averages its neighbours."""
    n = 200
    row = np.arange(n - 1)
    weights = Weights.from_links(n, np.append(row, n - 1), np.append(row[::-1], 0), kind="pairs")
    points = np.column_stack([np.append(np.arange(n - 1) * 1e-3, 1e6), np.zeros(n)])
    out = smooth(np.ones((n, 1)), weights, 1, 0.5, "gaussian", coordinates=points)
    np.testing.assert_allclose(out, 1.0)


def test_gwt_numbers_are_distances_not_weights():
    weights = random_weights(30, 3, kind="roads.GWT")
    ones = Weights(weights.indptr, weights.indices, np.ones(weights.n_links), kind="ones")
    values = np.random.default_rng(1).normal(size=(30, 2))
    for mode in ("mean", "sum"):
        assert np.array_equal(smooth(values, weights, 2, 0.5, mode), smooth(values, ones, 2, 0.5, mode))


def test_single_precision_is_kept(route):
    weights = random_weights(50, 4)
    values = np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32)
    out = smooth(values, weights, 3, 0.5)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, dense(values, weights, 3, 0.5, "mean"), atol=1e-5)
    assert smooth(np.arange(50)[:, None], weights, 1).dtype == np.float64


def test_no_links_at_all():
    alone = Weights.from_links(3, np.array([], int), np.array([], int), kind="none")
    values = np.array([[1.0], [2.0], [3.0]])
    assert np.array_equal(smooth(values, alone, 3), values)
    notes = smoothing_notes(values, values, alone, "mean")
    assert any("3 of 3 units have no neighbour" in note for note in notes)


def test_input_is_left_alone(route):
    weights = random_weights(20, 1)
    values = np.ones((20, 2))
    smooth(values, weights, 2, 0.5, "sum")
    assert (values == 1).all()


def test_notes_warn_of_the_neighbour_count():
    """A star: the hub has many neighbours, so sums make it long."""
    n = 30
    hub, leaf = np.zeros(n - 1, int), np.arange(1, n)
    star = Weights.from_links(n, np.concatenate([hub, leaf]), np.concatenate([leaf, hub]), kind="star")
    values = np.random.default_rng(0).normal(size=(n, 4))
    out = smooth(values, star, 2, 0.5, "sum")
    notes = smoothing_notes(values, out, star, "sum")
    expected = np.corrcoef(star.degree, np.linalg.norm(out, axis=1))[0, 1]
    assert f"{expected:.2f}" in notes[1]
    assert f"{values.std(axis=0).mean():.4g} to {out.std(axis=0).mean():.4g}" in notes[0]
    # averaging shortens the hub: said only when the correlation is beyond .3
    out = smooth(values, star, 1, 0.0)
    correlation = np.corrcoef(star.degree, np.linalg.norm(out, axis=1))[0, 1]
    assert (len(smoothing_notes(values, out, star, "mean")) == 2) == (abs(correlation) > 0.3)
    ring = Weights.from_links(n, np.arange(n), (np.arange(n) + 1) % n, kind="ring")
    assert len(smoothing_notes(values, smooth(values, ring), ring, "mean")) == 1


def test_restricted_is_the_submatrix():
    weights = random_weights(30, 6)
    rows = np.array([0, 3, 4, 9, 10, 11, 20, 29])
    expected = weights.to_scipy().toarray()[np.ix_(rows, rows)]
    assert np.array_equal(restricted(weights, rows).to_scipy().toarray(), expected)


@pytest.mark.parametrize(
    "wrong", [{"mode": "mode"}, {"hops": -1}, {"alpha": 1.5}, {"alpha": -0.1}, {"alpha": float("nan")}]
)
def test_wrong_options(wrong):
    with pytest.raises(UsageError):
        smooth(np.ones((3, 1)), Weights.from_links(3, np.array([0]), np.array([1]), kind="x"), **wrong)
