"""Scores beside plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, zscore

from regionalize.studies.rank.scores import falling_weights, hybrid, normalized, proximity, scaled

DISTANCES = arrays(np.float64, (2, 7), elements=st.sampled_from([0.0, 1e-9, 1.0, 2.0, 5.5, 9000.0]))


@given(DISTANCES)
def test_proximity_by_its_formulas(km):
    scale = np.array([3.0, 1e4])
    wanted = [[math.exp(-d / s) for d in line] for line, s in zip(km.tolist(), scale, strict=True)]
    np.testing.assert_allclose(proximity(km, "exp", scale), wanted, rtol=1e-13)
    wanted = [[1 - d / max(line) if max(line) else 1.0 for d in line] for line in km.tolist()]
    np.testing.assert_allclose(proximity(km, "linear"), wanted, rtol=1e-13)
    wanted = 1 - (np.array([rankdata(line, "min") for line in km]) - 1) / 7
    np.testing.assert_allclose(proximity(km, "rank"), wanted, rtol=1e-15)


@pytest.mark.parametrize("how", ["exp", "linear", "rank"])
def test_proximity_falls_strictly(how):
    km = np.sort(np.random.default_rng(0).uniform(0, 20_000, (3, 500)), axis=1)
    found = proximity(km, how, np.full(3, 4000.0))
    assert (np.diff(found, axis=1) < 0).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_no_items():
    for how in ("exp", "linear", "rank"):
        assert proximity(np.empty((2, 0)), how, np.ones(2)).shape == (2, 0)
    assert normalized(np.empty((2, 0)), "zscore").shape == (2, 0)


def test_weights_of_zones_fall_with_distance():
    assert falling_weights(np.array([[0.0, 10.0, 30.0]]), np.array([10.0])).tolist() == [[1.0, 0.5, 0.25]]


def test_attributes_are_scaled_over_what_is_known():
    assert scaled(np.array([3.0, 3.0, np.nan])).tolist() == [0.5, 0.5, 0.0]
    assert scaled(np.array([np.nan, np.nan])).tolist() == [0.0, 0.0]
    assert scaled(np.array([-1.0, 3.0, 0.0])).tolist() == [0.0, 1.0, 0.25]


def test_weight_0_is_proximity_and_1_the_attribute_to_the_bit():
    rng = np.random.default_rng(1)
    near, attribute = rng.random((3, 50)), rng.random(50)
    np.testing.assert_array_equal(hybrid(near, attribute, 0.0), near)
    np.testing.assert_array_equal(hybrid(near, attribute, 1.0), np.tile(attribute, (3, 1)))
    np.testing.assert_allclose(hybrid(near, attribute, 0.3), 0.7 * near + 0.3 * attribute)


@given(arrays(np.float64, (2, 6), elements=st.integers(-5, 5).map(float)))
def test_normalized_by_formula_and_never_nan(scores):
    for row, found in zip(scores, normalized(scores, "softmax"), strict=True):
        total = math.fsum(math.exp(s) for s in row)
        np.testing.assert_allclose(found, [math.exp(s) / total for s in row], rtol=1e-12)
    for row, unit, z in zip(scores, normalized(scores, "minmax"), normalized(scores, "zscore"), strict=True):
        if len(set(row)) == 1:
            assert unit.tolist() == [0.5] * 6
            assert z.tolist() == [0.0] * 6
        else:
            np.testing.assert_allclose(unit, (row - min(row)) / (max(row) - min(row)))
            np.testing.assert_allclose(z, zscore(row), atol=1e-12)
    assert normalized(scores, "none") is scores


def test_softmax_of_huge_scores():
    assert normalized(np.array([[1e308, 0.0]]), "softmax").tolist() == [[1.0, 0.0]]
