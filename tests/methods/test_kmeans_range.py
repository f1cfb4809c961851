"""K-means over many k: against enumeration, the single search, published sums and its own promises."""

from __future__ import annotations

import csv
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import within

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods import kmeans_range as module
from regionalize.methods import lloyd
from regionalize.methods.kmeans import kmeans
from regionalize.methods.kmeans_range import kmeans_range, with_centers_added, with_centers_merged
from regionalize.methods.lloyd import Rows


@pytest.fixture(params=["compiled", "numpy"])
def engine(request, monkeypatch):
    """Both ways of doing the steps, whatever the size."""
    monkeypatch.setattr(lloyd, "COMPILED", 0 if request.param == "compiled" else 1 << 60)


def least(X, k):
    """Least within sum of squares over every partition into exactly k clusters."""
    tried = (np.array((0, *rest)) for rest in product(range(k), repeat=len(X) - 1))
    return min(within(X, labels) for labels in tried if len(set(labels.tolist())) == k)


@given(st.integers(0, 10_000), st.integers(3, 7), st.integers(1, 3))
@settings(max_examples=15)
def test_the_optimum_of_every_number_is_reached(seed, n, p):
    X = np.random.default_rng(seed).normal(size=(n, p))
    found = kmeans_range(X, range(1, n + 1), seed=seed)
    assert list(found) == list(range(1, n + 1))
    for k, labels in found.items():
        assert set(labels.tolist()) == set(range(k))
        if k <= 4:  # beyond, there are too many partitions to go through
            assert within(X, labels) == pytest.approx(least(X, k), rel=1e-9, abs=1e-12)
    assert within(X, found[n]) == pytest.approx(0, abs=1e-18)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 9), min_size=1, max_size=4))
@settings(max_examples=25)
def test_sums_fall_with_k_and_no_cluster_is_empty_whatever_the_gaps(seed, ks):
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(9, 2))
    X = kinds[np.concatenate([np.arange(9), rng.integers(9, size=20)])]  # repeated rows
    found = kmeans_range(X, ks, seed=seed)
    assert list(found) == sorted(set(ks))
    sums = [within(X, labels) for labels in found.values()]
    assert all(later <= earlier * (1 + 1e-12) + 1e-18 for earlier, later in pairwise(sums))
    assert all(set(labels.tolist()) == set(range(k)) for k, labels in found.items())


def test_every_number_is_nearly_as_good_as_a_search_of_its_own(engine):
    rng = np.random.default_rng(5)
    X = np.concatenate([rng.normal(m, 0.6, size=(40, 4)) for m in rng.normal(0, 2, size=(7, 4))])
    for k, labels in kmeans_range(X, range(2, 13), seed=1).items():
        assert within(X, labels) <= within(X, kmeans(X, k, seed=1)) * 1.005


def test_a_sum_that_would_rise_is_searched_from_the_number_below(monkeypatch):
    """With nothing but the worst start for the larger number, the smaller one's clusters are split."""
    X = np.random.default_rng(2).normal(size=(60, 2))
    good = module.search_numbers

    def spoiled(rows, ks, *args):
        found = good(rows, ks, *args)
        found[6] = np.repeat(rows.X[:1] * 1000, 6, axis=0)[None]  # all six in one place, far away
        return found

    monkeypatch.setattr(module, "search_numbers", spoiled)
    monkeypatch.setattr(module, "finish_starts", _only_assigned)
    found = kmeans_range(X, [5, 6], seed=1)
    assert within(X, found[6]) <= within(X, found[5])


def _only_assigned(rows, starts, **_):
    from regionalize.methods.finish import fill_empty, within_sum
    from regionalize.methods.lloyd import iterate

    k = starts.shape[1]
    found = [fill_empty(rows, labels, k) for labels in iterate(rows, starts, 1)[2]]
    return [(labels, within_sum(rows, labels, k)) for labels in found]


def test_many_rows_are_searched_by_samples_and_end_well(monkeypatch, engine):
    monkeypatch.setattr(module, "MANY_ROWS", 1000)
    monkeypatch.setattr(module, "SAMPLE", 300)
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(m, 0.5, size=(700, 3)) for m in (0, 2, 4, 6, 8)])
    for k, labels in kmeans_range(X, [2, 5, 8], seed=2).items():
        assert within(X, labels) <= within(X, kmeans(X, k, seed=2)) * 1.01
    few = np.zeros((4000, 2))
    few[:3] = [[1, 0], [0, 1], [5, 5]]
    found = kmeans_range(few, [2, 4], seed=2)
    assert within(few, found[4]) == pytest.approx(0, abs=1e-18)
    assert len(np.unique(found[2])) == 2


def test_same_seed_same_labels_on_any_number_of_threads(monkeypatch):
    X = np.random.default_rng(3).normal(size=(9000, 4))
    first = kmeans_range(X, [2, 3, 6], seed=9, jobs=1)
    for jobs in (2, 5):
        again = kmeans_range(X, [2, 3, 6], seed=9, jobs=jobs)
        assert all(np.array_equal(again[k], first[k]) for k in first)


def test_k_is_refused_as_by_k_means():
    X = np.array([[0.0], [0.0], [1.0]])
    with pytest.raises(UsageError, match="k is 0"):
        kmeans_range(X, [0, 2])
    with pytest.raises(InfeasibleError, match="only 2 distinct"):
        kmeans_range(X, [2, 3])


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=20)
def test_merged_centres_are_those_of_the_cheapest_pair(seed, k):
    """Against the rise of the sum of squares, pair by pair, from the members themselves."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, 2))
    labels = np.r_[np.arange(k + 1), rng.integers(k + 1, size=25 - k - 1)]
    for _ in range(50):  # to the means, so that every row is with its own
        centers = np.stack(
            [X[labels == c].mean(axis=0) if (labels == c).any() else X[c] for c in range(k + 1)]
        )
        labels = ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    if len(np.unique(labels)) <= k:
        return
    merged = with_centers_merged(Rows(X), centers[None], k)[0]
    costs = {}
    for low in range(k + 1):
        for high in range(low + 1, k + 1):
            costs[within(X, np.where(labels == high, low, labels))] = (low, high)
    low, high = costs[min(costs)]
    joined = np.where(labels == high, low, labels)
    expected = np.stack([X[joined == c].mean(axis=0) for c in np.unique(joined)])
    assert merged == pytest.approx(expected)


def test_added_centres_are_rows_away_from_those_there_are():
    X = np.array([[0.0, 0], [0, 0], [0, 0], [9, 9]])
    found = with_centers_added(Rows(X), np.zeros((5, 1, 2)), 2, np.random.default_rng(0))
    assert found.shape == (5, 2, 2)
    assert (found[:, 1] == [9, 9]).all()  # the only row that is at any distance


def test_published_sums_of_chicago_are_reached_for_every_k(shared_data):
    """Anselin (2024), figure 6.17: 150 starts each, k = 1 to 20."""
    import pyogrio

    names = [
        *(
            "ChldPvt14",
            "EP_CROWD",
            "EP_UNINSUR",
            "EP_MINRTY",
            "Ovr6514P",
            "EP_AGE17",
            "EP_DISABL",
            "EP_NOHSDP",
        ),
        *("EP_LIMENG", "EP_SNGPNT", "Pov14", "EP_PCI", "Unemp14", "EP_NOVEH", "FORCLRISK", "HealthLit"),
    ]
    file = shared_data("chi_sdoh/Chi-SDOH.shp")
    raw = pyogrio.read_dataframe(file, columns=names, read_geometry=False)[names].to_numpy(float)
    Z = (raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1)
    scores = Z @ np.linalg.svd(Z, full_matrices=False)[2][:4].T
    X = scores / scores.std(axis=0, ddof=1)
    table = shared_data("../spec/published.csv").read_text().splitlines()
    rows = [line for line in csv.reader(table) if line and "Fig 6.17" in line[-1] and "Chicago" in line[0]]
    published = {int(line[3].split(";")[0].removeprefix("k=")): float(line[5]) for line in rows}
    assert sorted(published) == list(range(1, 21))
    for seed in (123456789, 1):
        for k, labels in kmeans_range(X, published, seed=seed).items():
            assert within(X, labels) <= published[k] + 0.005  # two decimals are printed
