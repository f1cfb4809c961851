"""Transforms against pandas, scikit-learn, pygeoda's totals and exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regionalize.errors import DataError, UsageError
from regionalize.features.transforms import TRANSFORMS, constant_columns, transform

GUERRY = ["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]


@pytest.fixture
def table() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.gamma(2, [1, 50, 1e4], (60, 3)) - [0, 70, 0]


def test_formulas(table):
    import pandas as pd
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    frame = pd.DataFrame(table)
    centred = frame - frame.mean()
    width = frame.max() - frame.min()
    n = len(table)
    expected = {
        "z": StandardScaler().fit_transform(table) * np.sqrt((n - 1) / n),
        "mad": centred / centred.abs().sum() * n,
        "range-standardize": MinMaxScaler().fit_transform(table),
        "range-adjust": frame / width,
        "demean": centred,
        "robust": RobustScaler().fit_transform(table),
        "raw": table,
    }
    assert set(expected) == set(TRANSFORMS)
    for how, wanted in expected.items():
        np.testing.assert_allclose(transform(table, how), wanted, rtol=1e-12, atol=1e-12, err_msg=how)


def test_range_transforms_where_geoda_errs():
    """First row the maximum, and a column all negative."""
    x = np.array([[9.0, -1.0], [1.0, -3.0], [5.0, -2.0]])
    assert transform(x, "range-standardize").tolist() == [[1, 1], [0, 0], [0.5, 0.5]]
    np.testing.assert_allclose(transform(x, "range-adjust"), [[9 / 8, -0.5], [1 / 8, -1.5], [5 / 8, -1]])


def test_robust_without_quartile_range_weighs_like_a_normal_variable():
    x = np.array([0.0] * 15 + [1.0, 2, 3, 4])[:, None]
    expected = x / (1.3489795003921634 * x.std(ddof=1))
    np.testing.assert_allclose(transform(x, "robust"), expected, rtol=1e-12)


def test_guerry_total_is_that_of_pygeoda(shared_data, shared_reference):
    import geopandas

    frame = geopandas.read_file(shared_data("guerry/Guerry.shp"))
    z = transform(frame[GUERRY].to_numpy(), "z")
    totals = {round(result["TSS"], 9) for result in shared_reference["results"]}
    assert totals == {504.0}
    assert np.sum((z - z.mean(axis=0)) ** 2) == pytest.approx(504, rel=1e-13)


@given(
    hnp.arrays(np.float64, (7, 2), elements=st.integers(-1000, 1000)),
    st.sampled_from(["z", "mad", "range-standardize", "demean", "robust"]),
    st.integers(-(10**12), 10**12),
)
def test_an_offset_changes_nothing(values, how, offset):
    np.testing.assert_allclose(
        transform(values + offset, how), transform(values, how), rtol=1e-13, atol=1e-13
    )


@given(
    hnp.arrays(np.float64, (7, 2), elements=st.floats(-10, 10, width=32)),
    st.sampled_from(["z", "mad", "range-standardize", "range-adjust", "robust"]),
    st.sampled_from([2.0**-990, 2.0**-500, 2.0**500, 2.0**1000]),
)
def test_a_unit_changes_nothing(values, how, unit):
    """Powers of two are exact, so even the smallest and largest units must give the same digits."""
    values = np.round(values, 3)
    scaled = values * unit
    assert np.isfinite(scaled).all()
    np.testing.assert_allclose(transform(scaled, how), transform(values, how), rtol=1e-12, atol=1e-12)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(2, 9), st.integers(1, 3)), elements=st.floats(-1e300, 1e300))
)
def test_z_is_finite_and_has_unit_variance_or_none(values):
    z = transform(values, "z")
    assert np.isfinite(z).all()
    total = (z**2).sum(axis=0)
    expected = np.where(constant_columns(values), 0.0, len(values) - 1)
    np.testing.assert_allclose(total, expected, rtol=1e-9)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 300), st.sampled_from(TRANSFORMS))
def test_a_constant_becomes_zero(value, n, how):
    assert not transform(np.full((n, 1), value), how).any()


def test_constant_up_to_rounding():
    sums = np.array([0.1 + 0.2, 0.3, 0.6 - 0.3, 0.1 * 3])[:, None]
    assert len(set(sums.ravel())) > 1
    assert constant_columns(sums).all()
    for how in TRANSFORMS:
        assert not transform(sums, how).any()
    # real differences stay: whole numbers next to the limit of exactness, and small steps on an offset
    assert not constant_columns(np.array([[2.0**53], [2.0**53 - 1]])).any()
    assert not constant_columns(1e12 + np.array([[0.0], [0.01]])).any()
    assert not constant_columns(np.array([[0.0], [5e-324]])).any()


def test_extremes():
    big = np.array([[1.7e308], [-1.7e308], [0.0]])
    assert transform(big, "z").ravel().tolist() == [1, -1, 0]
    np.testing.assert_allclose(transform(big, "range-adjust").ravel(), [0.5, -0.5, 0])
    small = np.array([[1e-300], [2e-300], [3e-300]])
    np.testing.assert_allclose(transform(small, "z").ravel(), [-1, 0, 1], atol=1e-12)
    for how in ("raw", "demean"):
        with pytest.raises(DataError, match="too large"):
            transform(big, how)
        with pytest.raises(DataError, match="too small"):
            transform(small, how)
    # beside an ordinary column the small one simply has no say
    assert transform(np.hstack([small, [[1.0], [2], [3]]]), "raw").shape == (3, 2)


def test_exact_arithmetic_on_an_offset():
    """Sample variance by fractions, where a textbook one-pass formula loses every digit."""
    from fractions import Fraction

    x = 1e12 + np.array([0.125, 0.25, 0.75, 1.5, 3.0])
    exact = [Fraction(value) for value in x]
    mean = sum(exact) / len(exact)
    sd = float(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)) ** 0.5
    np.testing.assert_allclose(
        transform(x[:, None], "z")[:, 0], [float(value - mean) / sd for value in exact], rtol=1e-14
    )


def test_unknown_transform():
    with pytest.raises(UsageError, match="did you mean 'robust'"):
        transform(np.ones((2, 1)), "robuts")


def test_input_is_left_alone(table):
    before = table.copy()
    for how in TRANSFORMS:
        transform(table, how)
    assert np.array_equal(before, table)
