"""K-medoids against enumeration, plain PAM's condition, and a published run."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods import kmedoids as module
from regionalize.methods.kmedoids import kmedoids
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings

METRICS = {"manhattan": "cityblock", "euclidean": "euclidean"}
both_distances = pytest.mark.parametrize("distance", METRICS)


@pytest.fixture(params=["compiled", "numpy", "numpy in blocks"])
def engine(request, monkeypatch):
    """Every way of exchanging medoids, whatever the size."""
    monkeypatch.setattr(module, "FEW_UNITS", 0 if request.param == "compiled" else 1 << 30)
    if request.param == "numpy in blocks":
        monkeypatch.setattr(module, "TABLE_CELLS", 1000)


def solve(X, k, **options):
    """Labels and medoids."""
    found = Findings()
    return kmedoids(X, k, findings=found, **options), found.medoids


def loss(table, medoids):
    return table[:, medoids].min(axis=1).sum()


@given(
    st.integers(0, 10_000),
    st.integers(2, 11),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([*METRICS]),
)
@settings(max_examples=40)
def test_the_best_of_all_sets_of_medoids_is_found(seed, n, p, k, distance):
    X = np.random.default_rng(seed).normal(size=(n, p))
    k = min(k, n)
    labels, medoids = solve(X, k, distance=distance, seed=seed)
    table = cdist(X, X, METRICS[distance])
    best = min(loss(table, list(some)) for some in combinations(range(n), k))
    assert loss(table, medoids) == pytest.approx(best, rel=1e-12)
    assert table[np.arange(n), medoids[labels]].sum() == pytest.approx(best, rel=1e-12)


@both_distances
def test_no_single_exchange_improves_the_answer(engine, distance):
    X = np.random.default_rng(3).standard_t(3, size=(150, 3))
    labels, medoids = solve(X, 6, distance=distance, n_init=1)
    table = cdist(X, X, METRICS[distance])
    now = loss(table, medoids)
    assert table[np.arange(150), medoids[labels]].sum() == pytest.approx(now, rel=1e-12)
    for place, unit in product(range(6), range(150)):
        swapped = medoids.copy()
        swapped[place] = unit
        assert loss(table, swapped) >= now - 1e-9


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=25)
def test_repeated_rows_still_give_exactly_k_clusters(seed, k):
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(6, 2))
    X = kinds[np.concatenate([np.arange(6), rng.integers(6, size=20)])]
    labels, medoids = solve(X, k, seed=seed)
    assert np.array_equal(labels[medoids], np.arange(k))
    if k == 6:
        assert cdist(X, X[medoids]).min(axis=1).sum() == 0


def test_every_unit_is_its_own_medoid_when_k_is_their_number():
    labels, medoids = solve(np.random.default_rng(0).normal(size=(9, 2)), 9)
    assert labels.tolist() == medoids.tolist() == list(range(9))


def test_equal_rows_are_refused():
    with pytest.raises(InfeasibleError, match="distinct"):
        kmedoids(np.ones((5, 2)), 2)
    with pytest.raises(UsageError):
        kmedoids(np.ones((5, 2)), 6)


def test_one_row_is_its_own_medoid():
    labels, medoids = solve(np.array([[3.0, 4.0]]), 1)
    assert (labels.tolist(), medoids.tolist()) == ([0], [0])


@both_distances
def test_threads_change_nothing(engine, distance):
    X = np.random.default_rng(8).normal(size=(300, 3))
    one = solve(X, 5, distance=distance, jobs=1, n_init=4)
    four = solve(X, 5, distance=distance, jobs=4, n_init=4)
    assert all(np.array_equal(a, b) for a, b in zip(one, four, strict=True))


def test_progress_rises_to_no_more_than_its_total():
    calls = []
    kmedoids(np.random.default_rng(8).normal(size=(80, 3)), 5, progress=lambda *at: calls.append(at))
    done = [at for at, _ in calls]
    assert done == sorted(done)
    assert done[-1] <= calls[-1][1]


class TestManyUnits:
    """Samples are searched, and their medoids improved on all units."""

    @pytest.fixture
    def large(self, monkeypatch):
        monkeypatch.setattr(module, "MANY_UNITS", 500)
        monkeypatch.setattr(module, "SAMPLE_SIZE", 200)
        return np.random.default_rng(5).normal(size=(3000, 2))

    def test_it_says_so_and_comes_near_the_whole_search(self, large, monkeypatch):
        found = Findings()
        labels = kmedoids(large, 6, findings=found)
        assert "4 samples of 300" in found.notes[0]
        table = cdist(large, large, "cityblock")
        assert np.array_equal(
            table[:, found.medoids].min(axis=1), table[np.arange(3000), found.medoids[labels]]
        )
        monkeypatch.setattr(module, "MANY_UNITS", 5000)
        assert loss(table, found.medoids) <= 1.01 * loss(table, solve(large, 6)[1])

    def test_it_repeats_itself(self, large):
        assert np.array_equal(kmedoids(large, 6, seed=3), kmedoids(large, 6, seed=3, jobs=1))

    def test_one_medoid_of_all_is_still_exact(self, large):
        totals = cdist(large, large, "cityblock").sum(axis=0)
        assert solve(large, 1)[1].tolist() == [totals.argmin()]


class TestBounds:
    @given(st.integers(0, 10_000), st.sampled_from([*METRICS]))
    @settings(max_examples=15)
    def test_they_hold_at_nearly_the_least_distance(self, seed, distance):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(8, 2))
        labels, medoids = solve(X, 2, bounds=[Bound("units", np.ones(8), 3, 5)], distance=distance)
        table = cdist(X, X, METRICS[distance])
        best = np.inf
        for rest in product(range(2), repeat=8):
            sides = [np.flatnonzero(np.array(rest) == side) for side in range(2)]
            if all(3 <= len(side) <= 5 for side in sides):
                best = min(best, sum(table[np.ix_(side, side)].sum(axis=0).min() for side in sides))
        assert set(np.bincount(labels).tolist()) <= {3, 4, 5}
        assert np.array_equal(labels[medoids], [0, 1])
        assert best - 1e-9 <= table[np.arange(8), medoids[labels]].sum() <= 1.35 * best

    def test_sums_of_a_column_are_kept(self):
        rng = np.random.default_rng(2)
        X, people = rng.normal(size=(200, 3)), rng.integers(1, 50, 200).astype(float)
        bound = Bound("people", people, lower=0.15 * people.sum(), upper=0.3 * people.sum())
        held = np.bincount(kmedoids(X, 5, bounds=[bound]), people)
        assert held.min() >= bound.lower
        assert held.max() <= bound.upper

    def test_loose_bounds_change_nothing(self):
        X = np.random.default_rng(2).normal(size=(100, 3))
        assert np.array_equal(kmedoids(X, 4, bounds=[Bound("units", np.ones(100), 1)]), kmedoids(X, 4))

    def test_impossible_ones_are_refused(self):
        X = np.random.default_rng(2).normal(size=(10, 3))
        with pytest.raises(InfeasibleError):
            kmedoids(X, 4, bounds=[Bound("units", np.ones(10), lower=3)])


def test_chicago_is_no_worse_than_published(shared_data):
    """The run of GeoDa in the book (figure 7.14): the same variables, a smaller distance.

    Its root of the Manhattan distance makes it search, and choose the medoid of all, for another sum.
    """
    import geopandas

    frame = geopandas.read_file(shared_data("chi_sdoh/Chi-SDOH.shp"))
    Z = np.column_stack([frame.geometry.centroid.x, frame.geometry.centroid.y])
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1)
    table = cdist(Z, Z, "cityblock")
    published = np.array([275, 744, 567, 315, 608, 482, 335, 387]) - 1
    assert loss(table, published) == pytest.approx(450.04, abs=0.005)
    assert table[np.sqrt(table).sum(axis=0).argmin()].sum() == pytest.approx(1320.51, abs=0.005)
    assert loss(table, solve(Z, 8)[1]) < 441
    assert solve(Z, 1)[1].tolist() == [table.sum(axis=0).argmin()]


def test_natregimes_is_no_worse_than_fasterpam(shared_data):
    import geopandas

    frame = geopandas.read_file(shared_data("natregimes/natregimes.shp"))
    Z = frame[["HR90", "RD90", "PS90", "UE90", "DV90", "MA90", "FH90", "GI89"]].to_numpy(float)
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1)
    medoids = solve(Z, 12, distance="euclidean")[1]
    assert cdist(Z, Z[medoids]).min(axis=1).sum() <= 4925
