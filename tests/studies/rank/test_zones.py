"""Bands beside all ways to cut a line, memberships beside plain Python, zones beside the nearest centre."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.errors import UsageError
from regionalize.studies.rank.breaks import best_breaks, distance_values, shares
from regionalize.studies.rank.distances import great_circle_km
from regionalize.studies.rank.zones import band_zones, center_zones, label_zones, memberships


def on_globe(rng, n):
    return np.column_stack([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)])


def squares(values, counts):
    mean = math.fsum(v * c for v, c in zip(values, counts, strict=True)) / sum(counts)
    return math.fsum(c * (v - mean) ** 2 for v, c in zip(values, counts, strict=True))


def least_squares(values, counts, k):
    """Return the least sum of squares over all ways to cut rising values into k groups."""
    ways = []
    for cuts in combinations(range(1, len(values)), k - 1):
        ends = [0, *cuts, len(values)]
        ways.append(math.fsum(squares(values[a:b], counts[a:b]) for a, b in pairwise(ends)))
    return min(ways)


@st.composite
def lines(draw):
    values = sorted(draw(st.sets(st.integers(0, 200), min_size=1, max_size=9)))
    counts = draw(st.lists(st.integers(1, 9), min_size=len(values), max_size=len(values)))
    return [v / 7 for v in values], counts, draw(st.integers(1, len(values)))


@settings(max_examples=300)
@given(lines())
def test_breaks_are_the_best_of_all(case):
    values, counts, k = case
    centers, edges = best_breaks(np.array(values), np.array(counts), k)
    assert len(centers) == k
    group = [sum(value > edge for edge in edges) for value in values]
    assert sorted(set(group)) == list(range(k))  # every band is used
    found = 0.0
    for code in range(k):
        own = [(v, c) for v, c, g in zip(values, counts, group, strict=True) if g == code]
        found += squares(*zip(*own, strict=True))
    assert found == pytest.approx(least_squares(values, counts, k), abs=1e-9)
    nearest = [min(range(k), key=lambda code, v=v: (abs(v - centers[code]), code)) for v in values]
    assert group == nearest


@pytest.mark.parametrize("k", [1, 2, 3, 10, 50, 100])
@pytest.mark.parametrize("kind", ["gamma", "lognormal"])
def test_many_values_as_well_as_by_many_starts(kind, k):
    from sklearn.cluster import KMeans

    values = np.sort(getattr(np.random.default_rng(4), kind)(3, 2, 20_000))
    centers, edges = best_breaks(values, np.ones(len(values), dtype=int), k)
    group = np.searchsorted(edges, values)
    assert np.bincount(group, minlength=k).min() > 0
    found = ((values - centers[group]) ** 2).sum()
    peer = KMeans(k, n_init=3, random_state=0).fit(values[:, None]).inertia_
    assert found <= peer * 1.001


def test_rare_values_get_bands_of_their_own():
    values, counts = np.array([1.0, 500.0, 9000.0]), np.array([10**7, 1, 1])
    assert best_breaks(values, counts, 3)[0].tolist() == values.tolist()
    many = np.concatenate([np.linspace(0, 1, 5000), [500.0, 900.0]])
    centers, _ = best_breaks(many, np.ones(5002, dtype=int), 3)
    np.testing.assert_allclose(centers, [0.5, 500, 900], rtol=1e-3)


def test_groups_are_shared_out_by_spread():
    assert shares(np.array([100.0, 1.0, 25.0]), np.array([50, 50, 50]), 16).tolist() == [10, 1, 5]
    assert shares(np.array([100.0, 1.0]), np.array([2, 9]), 5).tolist() == [2, 3]
    assert shares(np.zeros(3), np.array([1, 2, 2]), 5).tolist() == [1, 2, 2]


def test_distances_of_many_pairs_are_counted(monkeypatch):
    import regionalize.studies.rank.breaks as module

    rng = np.random.default_rng(0)
    users, items = on_globe(rng, 5), on_globe(rng, 400)
    exact, counts = distance_values(users, items)
    assert counts.sum() == 2000
    np.testing.assert_array_equal(np.repeat(exact, counts), np.sort(great_circle_km(users, items), axis=None))
    monkeypatch.setattr(module, "_ALL", 10)
    coarse = distance_values(users, items, 150)
    again = distance_values(users, items[rng.permutation(400)], 1 << 20)
    for one, other in zip(coarse, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert coarse[1].sum() == 2000
    assert np.abs(coarse[0][:, None] - exact).min(axis=1).max() < 1e-4  # distances that occur, by chords
    assert np.abs(np.repeat(*coarse) - np.repeat(exact, counts)).max() < 0.005


@pytest.mark.parametrize("k", [1, 2, 3, 10, 50])
def test_the_number_of_bands_is_honoured_and_all_are_used(k):
    rng = np.random.default_rng(k)
    users, items = on_globe(rng, 3), on_globe(rng, 100)
    (zones,) = band_zones(users, items, [k])
    assert len(zones) == len(zones.names) == k
    km = great_circle_km(users, items)
    codes = zones.codes(km, items)
    assert np.unique(codes).tolist() == list(range(k))
    for kind in ("gaussian", "fuzzy", "hard"):
        found = zones.belonging(kind, km, items)
        assert found.shape == (3, 100, k)
        np.testing.assert_array_equal(found.argmax(axis=2), codes)


def test_more_bands_than_distances_are_refused():
    items = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 2.0]])
    with pytest.raises(UsageError, match="3 bands cannot be made of 2 distances; use at most 2"):
        band_zones(np.zeros((1, 2)), items, [3])


def test_nested_bands_lie_within_those_before():
    rng = np.random.default_rng(8)
    users, items = on_globe(rng, 4), on_globe(rng, 300)
    km = great_circle_km(users, items)
    levels = band_zones(users, items, [3, 10, 50], nested=True)
    assert [len(zones) for zones in levels] == [3, 10, 50]
    codes = [zones.codes(km, items) for zones in levels]
    for coarse, fine, zones in zip(codes, codes[1:], levels[1:], strict=False):
        np.testing.assert_array_equal(zones.parents[fine], coarse)
        assert np.unique(fine).tolist() == list(range(len(zones)))
        assert (np.diff(zones.centers) > 0).all()
        for kind in ("gaussian", "fuzzy", "hard"):
            found = zones.belonging(kind, km, items)
            np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-12)
            np.testing.assert_array_equal(found.argmax(axis=2), fine)
            within = np.add.reduceat(found, np.unique(zones.parents, return_index=True)[1], axis=2)
            np.testing.assert_array_equal(within.argmax(axis=2), coarse)


def plain_memberships(row, kind, width):
    if kind == "hard":
        return [float(at == row.index(min(row))) for at in range(len(row))]
    if kind == "fuzzy":
        if 0 in row:
            return [float(d == 0) / row.count(0) for d in row]
        parts = [1 / math.fsum((d / other) ** 2 for other in row) for d in row]
    else:
        parts = [math.exp(-(d**2) / (2 * width**2)) for d in row]
    total = math.fsum(parts)
    return [part / total for part in parts]


@settings(max_examples=300)
@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=8),
    st.sampled_from(["gaussian", "fuzzy", "hard"]),
    st.floats(10, 40),
)
def test_memberships_by_their_formulas(row, kind, width):
    row = [round(d, 3) for d in row]
    found = memberships(np.array([row]), kind, width)[0]
    np.testing.assert_allclose(found, plain_memberships(row, kind, width), atol=1e-12)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 5.0, 2e4, math.inf]), min_size=1, max_size=6),
    st.sampled_from(["gaussian", "fuzzy", "hard"]),
    st.sampled_from([1e-9, 1.0, 1e4]),
)
def test_memberships_are_sound_at_the_extremes(row, kind, width):
    row = [*row, 3.0]  # one at least is finite
    found = memberships(np.array([row]), kind, width)[0]
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert abs(found.sum() - 1) < 1e-12
    assert found[row.index(min(row))] == found.max()


@pytest.mark.parametrize("k", [7, 60])
def test_centres_own_what_is_nearest(k, monkeypatch):
    monkeypatch.setattr("regionalize.studies.rank.zones._PIECE", 200)
    rng = np.random.default_rng(3)
    items, centers = on_globe(rng, 500), on_globe(rng, k)
    zones = center_zones([f"c{at}" for at in range(k)], centers)
    wanted = great_circle_km(items, centers).argmin(axis=1)
    np.testing.assert_array_equal(zones.codes(np.empty(500), items), wanted)
    for kind in ("gaussian", "fuzzy", "hard"):
        found = zones.belonging(kind, np.empty(500), items)
        np.testing.assert_array_equal(found.argmax(axis=1), wanted)
    gaps = great_circle_km(centers, centers) + np.diag([np.inf] * k)
    assert zones.width == pytest.approx(gaps.min(axis=1).mean() / 2)


def test_zones_of_centres_need_names_of_their_own():
    with pytest.raises(UsageError, match="two zones are called 'a'"):
        center_zones(["a", "a"], np.zeros((2, 2)))
    with pytest.raises(UsageError, match="no centres"):
        center_zones([], np.empty((0, 2)))


def test_labels_are_zones_as_they_are():
    places = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 50.0], [0.0, 1.4]])
    zones = label_zones(np.array([0, 0, 1, -2]), ["in", "out"], places)
    np.testing.assert_allclose(zones.centers, [[0, 1], [10, 50]], atol=1e-12)
    assert zones.codes(np.empty(4), places).tolist() == [0, 0, 1, -1]
    rows = np.array([3, 2])
    assert zones.codes(np.empty(2), places[rows], rows).tolist() == [-1, 1]
    hard = zones.belonging("hard", np.empty(4), places)
    assert hard.tolist() == [[1, 0], [1, 0], [0, 1], [1, 0]]  # without a label: the nearest centre
    opposite = label_zones(np.array([0, 0]), ["a"], np.array([[5.0, 10.0], [-5.0, -170.0]]))
    assert opposite.centers.tolist() == [[5.0, 10.0]]


def test_one_zone_and_zones_at_one_place():
    one = center_zones(["a"], np.array([[1.0, 1.0]]))
    assert one.width == 1.0
    assert one.belonging("gaussian", np.empty(1), np.array([[50.0, 9.0]])).tolist() == [[1.0]]
    same = center_zones(["a", "b"], np.array([[1.0, 1.0], [1.0, 1.0]]))
    for kind in ("gaussian", "fuzzy"):
        assert same.belonging(kind, np.empty(1), np.array([[1.0, 1.0]])).tolist() == [[0.5, 0.5]]
