"""K-medians against enumeration, an optimum by dynamic programming, and its own promises."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from regionalize.errors import InfeasibleError
from regionalize.kernels.central import geometric_medians
from regionalize.methods import kmedians as module
from regionalize.methods.kmedians import kmedians
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings

both_distances = pytest.mark.parametrize("distance", ["manhattan", "euclidean"])


def within(X, labels, distance="manhattan"):
    """Summed distance to the median of the own cluster, computed plainly."""
    total = 0.0
    for cluster in np.unique(labels):
        members = X[labels == cluster]
        if distance == "manhattan":
            total += np.abs(members - np.median(members, axis=0)).sum()
        else:
            total += cdist(members, geometric_medians(members, np.zeros(len(members), int), 1)).sum()
    return total


def optimum_on_a_line(x, k):
    """Least summed distance of numbers to k medians: the best clusters are runs of sorted numbers."""
    x = np.sort(x)
    n = len(x)
    run = np.zeros((n + 1, n + 1))
    for first, last in product(range(n), range(1, n + 1)):
        if first < last:
            run[first, last] = np.abs(x[first:last] - np.median(x[first:last])).sum()
    best = run[0].copy()
    best[0] = np.inf
    for _ in range(k - 1):
        best = np.array(
            [min((best[at] + run[at, end] for at in range(end)), default=np.inf) for end in range(n + 1)]
        )
    return best[n]


@given(st.integers(0, 10_000), st.integers(6, 40), st.integers(1, 5))
@settings(max_examples=30)
def test_the_optimum_on_a_line_is_found(seed, n, k):
    x = np.random.default_rng(seed).standard_t(2, size=n)
    labels = kmedians(x[:, None], k, seed=seed)
    assert within(x[:, None], labels) == pytest.approx(optimum_on_a_line(x, k), rel=1e-9)


@both_distances
@given(seed=st.integers(0, 10_000), n=st.integers(3, 7), k=st.integers(1, 3))
@settings(max_examples=8)
def test_the_optimum_of_every_partition_is_reached(distance, seed, n, k):
    X = np.random.default_rng(seed).normal(size=(n, 2))
    labels = kmedians(X, k, seed=seed, distance=distance)
    best = min(
        within(X, np.array((0, *rest)), distance)
        for rest in product(range(k), repeat=n - 1)
        if len({0, *rest}) == k
    )
    assert within(X, labels, distance) == pytest.approx(best, rel=1e-9)


@both_distances
def test_units_are_with_the_nearest_median(distance):
    X = np.random.default_rng(6).standard_t(3, size=(200, 3))
    labels = kmedians(X, 5, distance=distance)
    members = [X[labels == cluster] for cluster in range(5)]
    if distance == "manhattan":
        centers = np.array([np.median(some, axis=0) for some in members])
        table = cdist(X, centers, "cityblock")
    else:
        centers = np.array(
            [
                minimize(
                    lambda at, some=some: cdist(some, at[None]).sum(),
                    some.mean(axis=0),
                    method="Nelder-Mead",
                    options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 10_000},
                ).x
                for some in members
            ]
        )
        table = cdist(X, centers)
    assert np.all(table[np.arange(200), labels] <= table.min(axis=1) + 1e-6)


def test_it_beats_as_many_plain_starts():
    X = np.random.default_rng(12).standard_t(3, size=(300, 4))
    units = module.Units(X, False)
    rng = np.random.default_rng(0)
    plain = [module.settle(units, module.draw_centers(units, 8, rng), 1000).within for _ in range(30)]
    assert within(X, kmedians(X, 8)) <= min(plain) * (1 + 1e-12)


@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from(["manhattan", "euclidean"]))
@settings(max_examples=20)
def test_repeated_rows_still_give_exactly_k_clusters(seed, k, distance):
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(6, 2))
    X = kinds[np.concatenate([np.arange(6), rng.integers(6, size=20)])]
    labels = kmedians(X, k, seed=seed, distance=distance)
    assert set(labels.tolist()) == set(range(k))


@both_distances
def test_as_many_clusters_as_units(distance):
    X = np.random.default_rng(0).normal(size=(9, 2))
    assert sorted(kmedians(X, 9, distance=distance).tolist()) == list(range(9))
    assert kmedians(X[:1], 1, distance=distance).tolist() == [0]


def test_equal_rows_are_refused():
    with pytest.raises(InfeasibleError, match="distinct"):
        kmedians(np.ones((5, 2)), 2)


@both_distances
def test_threads_change_nothing(distance):
    X = np.random.default_rng(8).normal(size=(200, 3))
    assert np.array_equal(
        kmedians(X, 5, distance=distance, jobs=1), kmedians(X, 5, distance=distance, jobs=3)
    )


def test_many_units_are_sampled_and_it_is_said(monkeypatch):
    X = np.random.default_rng(5).normal(size=(3000, 2))
    whole = within(X, kmedians(X, 6))
    monkeypatch.setattr(module, "MANY_UNITS", 500)
    monkeypatch.setattr(module, "SAMPLE_SIZE", 400)
    found = Findings()
    labels = kmedians(X, 6, findings=found)
    assert "3 samples of 400" in found.notes[0]
    assert within(X, labels) <= 1.01 * whole
    medians = np.array([np.median(X[labels == cluster], axis=0) for cluster in range(6)])
    assert np.array_equal(cdist(X, medians, "cityblock").argmin(axis=1), labels)


class TestBounds:
    @both_distances
    def test_they_hold_at_little_cost(self, distance):
        X = np.random.default_rng(2).normal(size=(120, 3))
        labels = kmedians(X, 5, distance=distance, bounds=[Bound("units", np.ones(120), 20, 30)])
        size = np.bincount(labels)
        assert size.min() >= 20
        assert size.max() <= 30
        free = within(X, kmedians(X, 5, distance=distance), distance)
        cut = np.argsort(X[:, 0]).argsort() // 24  # slices along one variable keep the bounds, too
        assert free - 1e-9 <= within(X, labels, distance) < within(X, cut, distance)

    def test_no_move_and_no_exchange_within_them_is_nearer(self):
        X = np.random.default_rng(4).normal(size=(40, 2))
        labels = kmedians(X, 3, bounds=[Bound("units", np.ones(40), 13, 14)])
        centers = np.array([np.median(X[labels == cluster], axis=0) for cluster in range(3)])
        table = cdist(X, centers, "cityblock")
        size = np.bincount(labels)
        for one, other in product(range(40), repeat=2):
            here, there = labels[one], labels[other]
            change = table[one, there] + table[other, here] - table[one, here] - table[other, there]
            assert change >= -1e-9
            if size[here] > 13 and size[there] < 14:
                assert table[one, there] >= table[one, here] - 1e-9

    def test_impossible_ones_are_refused(self):
        with pytest.raises(InfeasibleError):
            kmedians(np.arange(10.0)[:, None], 4, bounds=[Bound("units", np.ones(10), lower=3)])
