"""Principal components by another way, and what must hold of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regionalize.kernels.principal import principal_components

MATRICES = st.tuples(st.integers(2, 12), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-100, 100, width=16))
)


@pytest.mark.parametrize("shape", [(50, 6), (5, 9), (3, 3), (400, 2)])
def test_as_by_the_singular_values_of_the_centred_rows(shape):
    X = np.random.default_rng(1).normal(size=shape) * np.linspace(1, 5, shape[1]) + 1e3
    away = X - X.mean(axis=0)
    _, strengths, directions = np.linalg.svd(away, full_matrices=False)
    found = principal_components(X)
    for number in (0, 1):
        loading = directions[number]
        loading = loading * np.sign(loading[np.abs(loading).argmax()])
        np.testing.assert_allclose(found.loadings[number], loading, atol=1e-9)
        np.testing.assert_allclose(found.project(X)[:, number], away @ loading, atol=1e-8)
    np.testing.assert_allclose(found.shares, (strengths**2 / (strengths**2).sum())[:2], atol=1e-12)


def test_as_scikit_learn_has_them():
    from sklearn.decomposition import PCA

    X = np.random.default_rng(5).normal(size=(80, 5)) @ np.diag([1, 4, 2, 9, 3])
    peer = PCA(n_components=2).fit(X)
    found = principal_components(X)
    np.testing.assert_allclose(found.shares, peer.explained_variance_ratio_, atol=1e-12)
    np.testing.assert_allclose(np.abs(found.project(X)), np.abs(peer.transform(X)), atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 3), (2, 5)])
def test_fewer_rows_than_variables(shape):
    found = principal_components(np.arange(np.prod(shape), dtype=float).reshape(shape))
    assert found.loadings.shape == (2, shape[1])
    assert found.shares.tolist() == pytest.approx([float(shape[0] > 1), 0.0])


@given(MATRICES)
def test_directions_are_at_right_angles_and_shares_fall(X):
    found = principal_components(X)
    count = min(2, X.shape[1])
    np.testing.assert_allclose(found.loadings @ found.loadings.T, np.eye(count), atol=1e-9)
    assert (found.loadings.max(axis=1) >= -found.loadings.min(axis=1) - 1e-8).all()
    assert (np.diff(found.shares) <= 1e-9).all()
    assert 0 <= found.shares.sum() <= 1 + 1e-9
    assert np.isfinite(found.project(X)).all()


def test_rows_that_do_not_differ_have_no_direction():
    found = principal_components(np.ones((4, 3)))
    assert found.shares.tolist() == [0.0, 0.0]
    assert found.project(np.ones((4, 3))).tolist() == [[0.0, 0.0]] * 4


def test_other_rows_can_be_projected():
    X = np.random.default_rng(2).normal(size=(20, 3))
    found = principal_components(X)
    mean = X[:7].mean(axis=0)
    np.testing.assert_allclose(found.project(mean[None])[0], found.project(X[:7]).mean(axis=0), atol=1e-12)
