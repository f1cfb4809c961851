"""Profiles of clusters against pandas' groupby."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regionalize.errors import DataError
from regionalize.measure.fit import measure_profiles


def numbers(rows):
    """Return nested rows as an array, None as NaN."""
    return np.array(rows, dtype=float)


def check_against_pandas(values, labels):
    found = measure_profiles(values, labels)
    used = pd.DataFrame(values[labels > 0])
    k = int(labels.max(initial=0))
    groups = used.groupby(labels[labels > 0])
    every = range(1, k + 1)
    scale = np.abs(values).max(initial=0)
    close = {"rtol": 1e-9, "atol": 1e-9 * scale}
    np.testing.assert_allclose(numbers(found.mean), groups.mean().reindex(every), **close)
    np.testing.assert_allclose(numbers(found.sd), groups.std(ddof=1).reindex(every), **close)
    np.testing.assert_allclose(numbers(found.mean_of_all), used.mean(), **close)
    np.testing.assert_allclose(numbers(found.sd_of_all), used.std(ddof=1), **close)
    return found


@given(
    values=arrays(float, st.tuples(st.integers(1, 25), st.integers(1, 4)), elements=st.integers(-50, 50)),
    data=st.data(),
)
def test_means_and_deviations_are_those_of_pandas(values, data):
    labels = data.draw(arrays(np.int64, len(values), elements=st.integers(-1, 4)))
    labels[data.draw(st.integers(0, len(values) - 1))] = 1
    found = check_against_pandas(values, labels)
    spread = numbers(found.sd_of_all)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (numbers(found.mean) - numbers(found.mean_of_all)) / spread
    z[:, ~(spread > 0)] = np.nan
    np.testing.assert_allclose(numbers(found.z), z, atol=1e-9)


def test_a_large_mean_costs_no_digits():
    rng = np.random.default_rng(3)
    small = rng.normal(size=(60, 2))
    labels = np.repeat([1, 2, 3], 20)
    near, far = measure_profiles(small, labels), measure_profiles(small + 1e9, labels)
    np.testing.assert_allclose(numbers(far.sd), numbers(near.sd), rtol=1e-6)
    np.testing.assert_allclose(numbers(far.z), numbers(near.z), atol=1e-6)


@pytest.mark.parametrize("power", [-700, 700])
def test_very_small_and_very_large_values_have_deviations_too(power):
    rng = np.random.default_rng(5)
    values, labels = rng.normal(3.0, 1.0, size=(30, 2)), np.repeat([1, 2, 3], 10)
    usual, found = measure_profiles(values, labels), measure_profiles(np.ldexp(values, power), labels)
    assert found.z == usual.z
    np.testing.assert_array_equal(numbers(found.sd), np.ldexp(numbers(usual.sd), power))
    np.testing.assert_array_equal(numbers(found.mean), np.ldexp(numbers(usual.mean), power))


def test_z_of_standardised_variables_are_their_centres():
    """The transform z divides by the same deviation, so the centres in its units are z."""
    rng = np.random.default_rng(4)
    values, labels = rng.gamma(2.0, 5.0, size=(80, 3)), rng.integers(1, 5, 80)
    standard = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    means = pd.DataFrame(standard).groupby(labels).mean()
    np.testing.assert_allclose(numbers(measure_profiles(values, labels).z), means, atol=1e-12)


def test_units_alone_constants_and_empty_numbers_have_none():
    values = np.array([[1.0, 7.0], [2.0, 7.0], [4.0, 7.0]])
    found = measure_profiles(values, np.array([1, 1, 3]))
    assert found.mean == ((1.5, 7.0), (None, None), (4.0, 7.0))
    assert found.sd[1:] == ((None, None), (None, None))
    assert [row[1] for row in found.z] == [None, None, None]
    assert found.sd_of_all[1] == 0.0
    nobody = measure_profiles(values, np.array([0, 0, -1]))
    assert nobody.mean == ()
    assert nobody.sd_of_all == (None, None)
    with pytest.raises(DataError, match="2 labels for 3 rows"):
        measure_profiles(values, np.array([1, 1]))
