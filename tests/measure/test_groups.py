"""Clusters whose rows come in batches are measured as if all rows were at hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.measure.fit import measure_fit, measure_profiles, r_squared
from regionalize.measure.groups import Groups, fit_of_groups, profiles_of_groups, r_squared_of_groups


def grouped(X, codes, k, cuts):
    groups = Groups(k, X.shape[1])
    for part, code in zip(np.split(X, cuts), np.split(codes, cuts), strict=True):
        groups.update(part, code)
    return groups


def same(found, expected):
    """Whether figures are alike, None among them."""
    return np.allclose(
        np.array(found, dtype=float), np.array(expected, dtype=float), rtol=1e-6, atol=1e-9, equal_nan=True
    )


@given(st.integers(0, 10_000), st.integers(1, 6), st.lists(st.integers(0, 90), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_cut_into_batches_gives_the_measures_of_the_whole(seed, k, cuts):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(90, 3)) * [1, 1e-3, 1e3] + [0, 1e6, -1e3]
    codes = np.concatenate([np.arange(k), rng.integers(-1, k, 90 - k)])
    groups = grouped(X, codes, k, sorted(cuts))
    labels = np.where(codes >= 0, codes + 1, -1)
    whole, found = measure_fit(X, labels), fit_of_groups(groups)
    assert found.tss == pytest.approx(whole.tss, rel=1e-9)
    assert found.wss_by_cluster == pytest.approx(whole.wss_by_cluster, rel=1e-7, abs=1e-9 * whole.tss)
    assert found.bss == pytest.approx(whole.bss, rel=1e-7, abs=1e-9 * whole.tss)
    assert same([found.pseudo_f], [whole.pseudo_f])
    assert same(r_squared_of_groups(groups), r_squared(X, labels))
    profiles, expected = profiles_of_groups(groups), measure_profiles(X, labels)
    for name in ("mean", "sd", "z"):
        for row, wanted in zip(getattr(profiles, name), getattr(expected, name), strict=True):
            assert same(row, wanted)
    assert same(profiles.sd_of_all, expected.sd_of_all)


def test_a_large_offset_costs_no_digits():
    X = np.random.default_rng(1).normal(size=(4000, 2))
    codes = np.arange(4000) % 3
    near = fit_of_groups(grouped(X, codes, 3, [700, 1500]))
    far = fit_of_groups(grouped(X + 2.0**40, codes, 3, [700, 1500]))
    rounded = fit_of_groups(grouped((X + 2.0**40) - 2.0**40, codes, 3, [9]))
    assert far.wss == pytest.approx(rounded.wss, rel=1e-9)
    assert far.wss == pytest.approx(near.wss, rel=1e-3)  # 2**40 rounds the values themselves


def test_order_and_what_is_in_no_cluster():
    groups = grouped(np.array([[1.0], [2.0], [9.0]]), np.array([1, -1, 0]), 2, [])
    assert groups.ordered(np.array([1, 0])).means.tolist() == [[1.0], [9.0]]
    assert groups.counts.tolist() == [1, 1]
    assert fit_of_groups(groups, slice(0, 0)).ratio is None
