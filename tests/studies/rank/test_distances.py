"""Distances and the nearest: beside plain Python, digit by digit, and beside all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.studies.rank.distances import (
    RADIUS_KM,
    PlaceIndex,
    great_circle_km,
    paired_km,
    rough_km,
    sphere_points,
    spread_sample,
    typical_km,
)


def unit(place):
    latitude, longitude = (math.radians(angle) for angle in place)
    return (
        math.cos(latitude) * math.cos(longitude),
        math.cos(latitude) * math.sin(longitude),
        math.sin(latitude),
    )


def by_vectors(first, second):
    """Return the angle between unit vectors by both their difference and their sum, summed exactly."""
    u, v = unit(first), unit(second)
    difference = math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(u, v, strict=True)))
    total = math.sqrt(math.fsum((a + b) ** 2 for a, b in zip(u, v, strict=True)))
    return 2 * math.atan2(difference, total) * 6371.0088


def on_globe(rng, n):
    return np.column_stack([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)])


def test_cities():
    new_york = np.array([[40.7128, -74.0060]])
    others = np.array([[34.0522, -118.2437], [41.8781, -87.6298], [39.9526, -75.1652]])
    found = great_circle_km(new_york, others)[0]
    np.testing.assert_allclose(found, [3935.8, 1144.3, 129.6], atol=0.1)


def test_all_pairs_by_vectors():
    rng = np.random.default_rng(1)
    users, items = on_globe(rng, 20), on_globe(rng, 50)
    wanted = [[by_vectors(u, i) for i in items] for u in users]
    np.testing.assert_allclose(great_circle_km(users, items), wanted, rtol=1e-12)


def test_tiny_distances_keep_their_digits():
    for step in (1e-3, 1e-6, 1e-9, 1e-12):
        north = paired_km(np.array([[45.0, 7.0]]), np.array([[45.0 + step, 7.0]]))[0]
        assert north == pytest.approx(math.radians((45.0 + step) - 45.0) * RADIUS_KM, rel=1e-12)
        east = paired_km(np.array([[0.0, 180.0 - step]]), np.array([[0.0, -180.0]]))[0]
        assert east == pytest.approx(math.radians(180.0 - (180.0 - step)) * RADIUS_KM, rel=1e-12)


def test_nearly_opposite_places_keep_their_digits():
    half = math.pi * RADIUS_KM
    for step in (0.0, 1e-3, 1e-6, 1e-8):
        short = half - paired_km(np.array([[10.0, 20.0]]), np.array([[-10.0 + step, -160.0]]))[0]
        assert short == pytest.approx(math.radians(10.0 - (10.0 - step)) * RADIUS_KM, abs=1e-11)


def test_poles_and_the_antimeridian():
    pole = np.array([[90.0, 0.0]])
    same = great_circle_km(pole, np.array([[90.0, 123.0], [90.0, -180.0]]))
    assert same.tolist() == [[0.0, 0.0]]
    quarter = great_circle_km(pole, np.array([[0.0, 55.0], [0.0, -179.0]]))
    np.testing.assert_allclose(quarter, math.pi / 2 * RADIUS_KM, rtol=1e-15)
    over = great_circle_km(np.array([[89.0, 10.0]]), np.array([[89.0, -170.0]]))
    np.testing.assert_allclose(over, math.radians(2) * RADIUS_KM, rtol=1e-13)
    across = great_circle_km(np.array([[0.0, 179.0]]), np.array([[0.0, -179.0]]))
    np.testing.assert_allclose(across, math.radians(2) * RADIUS_KM, rtol=1e-13)
    assert great_circle_km(np.array([[5.0, 180.0]]), np.array([[5.0, -180.0]])).tolist() == [[0.0]]


def test_distances_by_chords():
    rng = np.random.default_rng(4)
    users, items = on_globe(rng, 7), on_globe(rng, 20_000)  # more than are taken at a time
    items[:3] = users[:3]
    items[3] = -users[3, 0], users[3, 1] - np.copysign(180, users[3, 1])
    found, exact = rough_km(sphere_points(users), sphere_points(items)), great_circle_km(users, items)
    near = exact < 10_000
    assert near.any()
    np.testing.assert_allclose(found[near], exact[near], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3)
    assert found[[0, 1, 2], [0, 1, 2]].tolist() == [0, 0, 0]
    whole = rough_km(sphere_points(users), sphere_points(items[:5]))
    np.testing.assert_array_equal(whole, found[:, :5])


def test_no_users_or_items():
    assert great_circle_km(np.empty((0, 2)), np.zeros((3, 2))).shape == (0, 3)
    assert great_circle_km(np.zeros((2, 2)), np.empty((0, 2))).shape == (2, 0)
    rows, km = PlaceIndex(np.empty((0, 2))).build().nearest(np.zeros((2, 2)), 3)
    assert rows.tolist() == [[-1] * 3] * 2
    assert np.isinf(km).all()
    rows, km = PlaceIndex(np.zeros((2, 2))).nearest(np.empty((0, 2)), 3)
    assert rows.shape == km.shape == (0, 3)


def brute_nearest(users, items, k, max_km, precedence):
    km = great_circle_km(users, items)
    rows, found = np.full((len(users), k), -1), np.full((len(users), k), np.inf)
    for u, line in enumerate(km.tolist()):
        order = sorted((d, precedence[i], i) for i, d in enumerate(line) if max_km is None or d <= max_km)
        for at, (d, _, i) in enumerate(order[:k]):
            rows[u, at], found[u, at] = i, d
    return rows, found


@st.composite
def searches(draw):
    """Places on a coarse grid, so that many are the same, opposite, at a pole, or equally far."""
    latitude = st.sampled_from([-90.0, -45.0, -1e-9, 0.0, 1e-9, 45.0, 90.0])
    longitude = st.sampled_from([-180.0, -90.0, 0.0, 1e-9, 90.0, 180.0])
    place = st.tuples(latitude, longitude)
    items = np.array(draw(st.lists(place, min_size=1, max_size=40)))
    users = np.array(draw(st.lists(place, min_size=1, max_size=5)))
    k = draw(st.integers(1, 45))
    max_km = draw(st.sampled_from([None, 0.0, 5000.0, 10007.6, 20015.0]))
    return users, items, k, max_km, np.array(draw(st.permutations(range(len(items)))))


@settings(max_examples=300)
@given(searches())
def test_nearest_is_that_of_all_pairs_with_ties(case):
    users, items, k, max_km, precedence = case
    rows, km = PlaceIndex(items, precedence).nearest(users, k, max_km)
    wanted_rows, wanted_km = brute_nearest(users, items, k, max_km, precedence.tolist())
    assert rows.tolist() == wanted_rows.tolist()
    assert km.tolist() == wanted_km.tolist()


def test_nearest_among_many():
    rng = np.random.default_rng(5)
    items = on_globe(rng, 3000)
    items = np.concatenate([items, items[:500], -items[:50]])
    users = np.concatenate([on_globe(rng, 40), items[:10], [[90, 0], [-90, 5], [0, 180], [0, -180]]])
    rows, km = PlaceIndex(items).nearest(users, 7)
    wanted_rows, wanted_km = brute_nearest(users, items, 7, None, list(range(len(items))))
    assert rows.tolist() == wanted_rows.tolist()
    assert km.tolist() == wanted_km.tolist()


def test_nearest_far_away():
    """Of items round the user's antipode, where chords are nearly alike."""
    rng = np.random.default_rng(7)
    items = np.column_stack([-10 + 1e-7 * rng.normal(size=200), -160 + 1e-7 * rng.normal(size=200)])
    rows, km = PlaceIndex(items).nearest(np.array([[10.0, 20.0]]), 20)
    wanted_rows, wanted_km = brute_nearest(np.array([[10.0, 20.0]]), items, 20, None, list(range(200)))
    assert rows.tolist() == wanted_rows.tolist()
    assert km.tolist() == wanted_km.tolist()


def test_typical_distance_is_the_median():
    rng = np.random.default_rng(2)
    users, items = on_globe(rng, 3), on_globe(rng, 101)
    wanted = [sorted(by_vectors(u, i) for i in items)[50] for u in users]
    np.testing.assert_allclose(typical_km(users, items), wanted, rtol=1e-12)


def test_typical_distance_of_many_hardly_differs_and_has_no_order():
    rng = np.random.default_rng(3)
    items = np.column_stack([rng.normal(45, 2, 50_000).round(2), rng.gamma(2, 3, 50_000).round(2)])
    users = np.array([[45.0, 5.0], [40.0, 20.0], [0.0, -170.0]])
    found = typical_km(users, items)
    np.testing.assert_allclose(found, np.median(great_circle_km(users, items), axis=1), rtol=0.03)
    assert typical_km(users, items[rng.permutation(len(items))]).tolist() == found.tolist()
    assert len(spread_sample(items)) == 4096


def test_typical_distance_where_most_or_all_are_at_the_place():
    here = np.zeros((1, 2))
    items = np.array([[0.0, 0.0]] * 3 + [[0.0, 4.0]])
    assert typical_km(here, items)[0] == pytest.approx(math.radians(1) * RADIUS_KM)
    assert typical_km(here, items[:3]).tolist() == [1.0]
    assert typical_km(here, items[:0]).tolist() == [1.0]
