"""Exchanges of medoids and the most central unit, against plain tables of distances."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from regionalize.kernels import central
from regionalize.kernels.central import central_unit, central_units, geometric_medians, medians
from regionalize.kernels.compiler import compiled
from regionalize.kernels.medoids import distances_from, find_central_unit, rank_medoids, search_swaps

METRICS = {True: "euclidean", False: "cityblock"}
plain_and_compiled = pytest.mark.parametrize(
    "ready", [lambda kernel: kernel, compiled], ids=["plain", "numba"]
)
both_metrics = pytest.mark.parametrize("euclidean", [True, False], ids=METRICS.values())


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(4).normal(size=(60, 3))


@plain_and_compiled
@both_metrics
def test_distances_are_those_of_scipy(ready, euclidean, X):
    out = np.empty(40)
    ready(distances_from)(np.ascontiguousarray(X.T), X[7], euclidean, 20, out)
    np.testing.assert_allclose(out, cdist(X[[7]], X[20:], METRICS[euclidean])[0], rtol=1e-13)


@plain_and_compiled
@both_metrics
@pytest.mark.parametrize("p", [1, 4, 5, 9])
def test_distances_in_any_number_of_variables(ready, euclidean, p):
    X, out = np.random.default_rng(p).normal(size=(30, p)), np.empty(30)
    ready(distances_from)(np.ascontiguousarray(X.T), X[7], euclidean, 0, out)
    np.testing.assert_allclose(out, cdist(X[[7]], X, METRICS[euclidean])[0], rtol=1e-13)


@plain_and_compiled
def test_two_nearest_medoids_are_found_and_ties_go_to_the_first(ready):
    for row in product([1.0, 2.0, 3.0], repeat=4):
        first, second, nearest, further = np.zeros(1, int), np.zeros(1, int), np.zeros(1), np.zeros(1)
        ready(rank_medoids)(np.array(row)[:, None], 0, first, second, nearest, further)
        order = np.argsort(row, kind="stable")
        assert (first[0], second[0]) == tuple(order[:2])
        assert (nearest[0], further[0]) == (row[order[0]], row[order[1]])


@both_metrics
@pytest.mark.parametrize("k", [2, 5, 59])
def test_compiled_and_plain_search_end_with_the_same_medoids(euclidean, k, X):
    rng = np.random.default_rng(k)
    columns, start, order = np.ascontiguousarray(X.T), rng.choice(60, k, replace=False), rng.permutation(60)
    found = []
    for kernel in (search_swaps, compiled(search_swaps)):
        medoids = start.copy()
        loss = kernel(columns, medoids, order, euclidean, 1e-12)
        assert loss == pytest.approx(cdist(X, X[medoids], METRICS[euclidean]).min(axis=1).sum(), rel=1e-12)
        found.append(medoids.tolist())
    assert found[0] == found[1]


@both_metrics
def test_no_single_exchange_improves_the_answer(euclidean, X):
    table = cdist(X, X, METRICS[euclidean])
    medoids = np.array([0, 1, 2, 3])
    loss = compiled(search_swaps)(np.ascontiguousarray(X.T), medoids, np.arange(60), euclidean, 1e-12)
    for place, unit in product(range(4), range(60)):
        swapped = medoids.copy()
        swapped[place] = unit
        assert table[:, swapped].min(axis=1).sum() >= loss - 1e-9


@plain_and_compiled
@both_metrics
@pytest.mark.parametrize("k", [2, 3, 6])
def test_exchanges_are_those_of_measuring_each(ready, euclidean, k):
    """Each candidate in turn takes the place where it helps most, as long as one helps anywhere."""
    compared = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(25, 2))
        table, order = cdist(X, X, METRICS[euclidean]), rng.permutation(25)
        start = rng.choice(25, k, replace=False)
        found, (expected, tied) = start.copy(), exchange_one_by_one(table, start, order)
        ready(search_swaps)(np.ascontiguousarray(X.T), found, order, euclidean, 1e-9)
        assert tied or found.tolist() == expected.tolist()
        compared += not tied
    assert compared >= 6


def exchange_one_by_one(table, medoids, order):
    """Return the medoids at the end, and whether two places were ever as good: each other's nearest, say."""

    def summed(medoids):
        return table[:, medoids].min(axis=1).sum()

    tried, at, tied = 0, 0, False
    while tried < len(order):
        candidate, at, tried = order[at % len(order)], at + 1, tried + 1
        if candidate in medoids:
            continue
        swapped = [
            np.where(np.arange(len(medoids)) == place, candidate, medoids) for place in range(len(medoids))
        ]
        best, next_best = sorted(swapped, key=summed)[:2]
        if summed(best) < summed(medoids) - 1e-9:
            tied |= summed(next_best) < summed(best) + 1e-9
            medoids, tried = best, 0
    return medoids, tied


@both_metrics
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_every_candidate_is_tried_at_any_scale(euclidean, scale):
    """Also the first and the last, and after the last exchange."""
    for seed in range(40):
        X = np.random.default_rng(seed).normal(scale=scale, size=(7, 2))
        table, medoids = cdist(X, X, METRICS[euclidean]), np.array([2, 3])
        loss = compiled(search_swaps)(
            np.ascontiguousarray(X.T), medoids, np.arange(7), euclidean, 1e-12 * scale
        )
        assert loss == pytest.approx(table[:, medoids].min(axis=1).sum(), rel=1e-12)
        least = min(
            table[:, [kept, unit]].min(axis=1).sum() for kept, unit in product(medoids.tolist(), range(7))
        )
        assert loss <= least * (1 + 1e-9)


def test_only_candidates_become_medoids(X):
    medoids = np.array([50, 51, 52])
    compiled(search_swaps)(np.ascontiguousarray(X.T), medoids, np.arange(10), False, 1e-12)
    assert set(medoids.tolist()) <= {*range(10), 50, 51, 52}


@plain_and_compiled
@both_metrics
def test_the_central_unit_is_that_of_the_whole_table_in_any_order(ready, euclidean, X):
    totals = cdist(X, X, METRICS[euclidean]).sum(axis=0)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(60)
        columns = np.ascontiguousarray(X.T)
        unit, total, exact = ready(find_central_unit)(columns, order, euclidean, 1e-9, 60)
        assert (unit, exact) == (totals.argmin(), True)
        assert total == pytest.approx(totals.min(), rel=1e-12)


def test_few_units_measured_are_said_not_to_be_exact(X):
    order = np.argsort(-cdist(X, X).sum(axis=0))
    columns = np.ascontiguousarray(X.T)
    assert not compiled(find_central_unit)(columns, order, True, 1e-9, 1)[2]


@both_metrics
def test_central_units_of_many_and_of_few_are_found_alike(euclidean, monkeypatch):
    X = np.random.default_rng(1).standard_t(3, size=(300, 4))
    labels = np.arange(300) % 3
    few = central_units(X, labels, 3, euclidean)
    monkeypatch.setattr(central, "FEW_UNITS", 0)
    assert np.array_equal(central_units(X, labels, 3, euclidean), few)
    for cluster, unit in enumerate(few):
        totals = cdist(X[labels == cluster], X[labels == cluster], METRICS[euclidean]).sum(axis=0)
        assert np.flatnonzero(labels == cluster)[totals.argmin()] == unit


@pytest.mark.parametrize("few", [0, 1000])
def test_of_equal_units_the_first_is_central(few, monkeypatch):
    monkeypatch.setattr(central, "FEW_UNITS", few)
    X = np.array([[5.0], [1.0], [1.0], [0.0], [1.0], [9.0]])
    assert central_unit(X, False)[:2] == (1, 13.0)


def test_medians_are_those_of_numpy():
    X = np.random.default_rng(0).normal(size=(41, 3))
    labels = np.random.default_rng(1).permutation(np.arange(41) % 4)
    expected = [np.median(X[labels == cluster], axis=0) for cluster in range(4)]
    np.testing.assert_array_equal(medians(X, labels, 4), expected)


def test_geometric_medians_are_where_no_step_brings_units_nearer():
    from scipy.optimize import minimize

    X = np.random.default_rng(2).standard_t(2, size=(60, 2))
    labels = np.arange(60) % 3
    for cluster, point in enumerate(geometric_medians(X, labels, 3)):
        members = X[labels == cluster]

        def total(at, members=members):
            return np.sqrt(((members - at) ** 2).sum(axis=1)).sum()

        options = {"xatol": 1e-12, "fatol": 1e-14, "maxiter": 10_000}
        best = minimize(total, members.mean(axis=0), method="Nelder-Mead", options=options)
        assert total(point) <= best.fun * (1 + 1e-12)


@pytest.mark.parametrize("start", [None, np.array([[0.0, 0.0]]), np.array([[4.0, 0.0]])])
def test_a_geometric_median_at_a_unit_is_that_unit(start):
    star = np.array([[0.0, 0.0], [4.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
    totals = cdist(star, star).sum(axis=0)
    found = geometric_medians(star, np.zeros(4, int), 1, start)
    distance = cdist(star, found)[:, 0]
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 201), np.linspace(-1, 1, 201)), axis=-1).reshape(-1, 2)
    assert distance.sum() <= min(totals.min(), cdist(star, grid).sum(axis=0).min()) + 1e-12
    assert distance.min() == 0.0


@pytest.mark.parametrize("n", [3, 4, 5, 7])
def test_at_a_geometric_median_units_pull_no_more_than_those_that_it_meets_hold(n):
    """Kuhn (1973): unit vectors to the others add up to no more than the number met."""
    for seed in range(30):
        X = np.random.default_rng(seed).normal(size=(n, 2))
        (point,) = geometric_medians(X, np.zeros(n, int), 1)
        distance = np.sqrt(((X - point) ** 2).sum(axis=1))
        apart = distance > 1e-9
        pull = ((X - point)[apart] / distance[apart, None]).sum(axis=0)
        held = n - apart.sum()
        assert np.sqrt((pull**2).sum()) <= held + 1e-6 * (1 / distance[apart]).sum()


def test_a_geometric_median_that_is_a_unit_is_not_left():
    star = np.array([[0.0, 0.0], [4.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
    found = geometric_medians(star, np.zeros(4, int), 1, star[:1], steps=1)
    assert found.tolist() == [[0.0, 0.0]]


def test_geometric_medians_do_not_depend_on_where_the_origin_is():
    X, labels = np.random.default_rng(3).normal(size=(30, 2)), np.arange(30) % 3
    away = np.array([1e6, -1e6])
    found = geometric_medians(X + away, labels, 3) - away
    np.testing.assert_allclose(found, geometric_medians(X, labels, 3), atol=1e-8)


def test_units_at_one_place_have_their_geometric_median_there():
    X = np.array([[1.0, 2.0], [1.0, 2.0], [5.0, 0.0]])
    assert geometric_medians(X, np.array([0, 0, 1]), 2).tolist() == [[1.0, 2.0], [5.0, 0.0]]
