"""K-means against enumeration, scikit-learn and its own promises."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layouts import within
from sklearn.cluster import KMeans

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods import kmeans as module
from regionalize.methods import lloyd, race
from regionalize.methods.hartigan import improve_by_moves
from regionalize.methods.kmeans import kmeans
from regionalize.methods.lloyd import Rows, between_sums, cluster_sums, converge, iterate, means
from regionalize.methods.seeding import draw_centers
from regionalize.model.bounds import Bound


@pytest.fixture(params=["compiled", "numpy"])
def engine(request, monkeypatch):
    """Both ways of doing the steps, whatever the size."""
    monkeypatch.setattr(lloyd, "COMPILED", 0 if request.param == "compiled" else 1 << 60)


def enumerated(X, k, allowed=lambda labels: True):
    """Least within sum of squares over every partition into exactly k clusters."""
    best = np.inf
    for rest in product(range(k), repeat=len(X) - 1):
        labels = np.array((0, *rest))
        if len(set(labels)) == k and allowed(labels):
            best = min(best, within(X, labels))
    return best


@given(st.integers(0, 10_000), st.integers(3, 8), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=25)
def test_the_optimum_of_every_partition_is_reached(seed, n, p, k):
    X = np.random.default_rng(seed).normal(size=(n, p))
    k = min(k, n)
    assert within(X, kmeans(X, k, seed=seed)) == pytest.approx(enumerated(X, k), rel=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=25)
def test_repeated_rows_still_give_exactly_k_clusters(seed, k):
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(6, 2))
    X = kinds[np.concatenate([np.arange(6), rng.integers(6, size=20)])]
    labels = kmeans(X, k, seed=seed)
    assert set(labels.tolist()) == set(range(k))
    if k == 6:
        assert within(X, labels) == pytest.approx(0, abs=1e-18)


@pytest.mark.parametrize("search", ["swap", "starts"])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_every_search_fills_all_clusters_of_lumpy_data(search, offset, engine):
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(7, 3)), 30, axis=0) + offset
    X[0] += 50
    labels = kmeans(X, 8, search=search, n_init=3, seed=4)
    assert np.bincount(labels, minlength=8).min() >= 1
    assert len(np.unique(labels)) == 8


def test_swap_is_at_least_as_good_as_many_starts_of_scikit_learn(engine):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(180, 6)) ** 3
    peer = KMeans(12, n_init=300, random_state=0).fit(X).inertia_
    for seed in range(5):
        assert within(X, kmeans(X, 12, seed=seed)) <= peer * (1 + 1e-9)


def test_starts_reach_what_plain_restarts_of_scikit_learn_reach(engine):
    rng = np.random.default_rng(6)
    X = np.concatenate([rng.normal(m, 0.3, size=(40, 2)) for m in (0, 3, 6, 9)])
    peer = KMeans(4, n_init=20, random_state=0).fit(X).inertia_
    for init in ("k-means++", "random"):
        assert within(X, kmeans(X, 4, search="starts", init=init, n_init=20)) == pytest.approx(peer, rel=1e-9)


def test_starts_are_raced_on_many_rows_and_end_well(monkeypatch, engine):
    monkeypatch.setattr(module, "MANY_ROWS", 1000)
    monkeypatch.setattr(race, "SAMPLE", 300)
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(m, 0.5, size=(700, 3)) for m in (0, 2, 4, 6, 8)])
    peer = KMeans(5, n_init=10, random_state=0).fit(X).inertia_
    assert within(X, kmeans(X, 5, seed=2)) <= peer * (1 + 1e-5)
    few = np.zeros((4000, 2))
    few[:3] = [[1, 0], [0, 1], [5, 5]]
    assert within(few, kmeans(few, 4, seed=2)) == pytest.approx(0, abs=1e-18)


@pytest.mark.parametrize("search", ["swap", "starts"])
def test_same_seed_same_labels_on_any_number_of_threads(search, monkeypatch):
    monkeypatch.setattr(module, "MANY_ROWS", 500)
    X = np.random.default_rng(3).normal(size=(20_000, 4))
    first = kmeans(X, 6, seed=9, jobs=1, search=search, n_init=2)
    for jobs in (2, 5):
        assert np.array_equal(kmeans(X, 6, seed=9, jobs=jobs, search=search, n_init=2), first)


def test_the_data_are_not_changed():
    X = np.random.default_rng(0).normal(size=(50, 2))
    before = X.copy()
    kmeans(X, 3)
    assert np.array_equal(X, before)


def test_k_is_refused_with_both_numbers():
    X = np.array([[0.0], [0.0], [1.0]])
    with pytest.raises(UsageError, match="k is 0"):
        kmeans(X, 0)
    with pytest.raises(UsageError, match="k is 4, but there are only 3 rows"):
        kmeans(X, 4)
    with pytest.raises(InfeasibleError, match="k is 3, but the 3 rows hold only 2 distinct"):
        kmeans(X, 3)


@given(st.integers(0, 10_000), st.integers(2, 3))
@settings(max_examples=20)
def test_a_least_size_is_kept_at_little_cost(seed, k):
    X = np.random.default_rng(seed).normal(size=(8, 2)) ** 3
    bound = Bound("units", np.ones(8), lower=8 // k)
    labels = kmeans(X, k, seed=seed, bounds=(bound,))
    assert np.bincount(labels, minlength=k).min() >= 8 // k
    best = enumerated(X, k, lambda tried: np.bincount(tried, minlength=k).min() >= 8 // k)
    assert within(X, labels) <= best * 1.05 + 1e-12


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_column_bounds_hold_on_both_sides(seed):
    rng = np.random.default_rng(seed)
    X, amount = rng.normal(size=(60, 3)), rng.lognormal(size=60)
    assume(amount.max() < amount.sum() / 8)  # one giant can make it impossible
    low, high = amount.sum() / 4 * 0.7, amount.sum() / 4 * 1.4
    bound = Bound("pop", amount, lower=low, upper=max(high, amount.max()))
    labels = kmeans(X, 4, seed=seed, bounds=(bound,))
    held = np.bincount(labels, amount, minlength=4)
    assert held.min() >= low * (1 - 1e-8)
    assert held.max() <= bound.upper * (1 + 1e-8)


def test_bounds_that_already_hold_change_nothing():
    X = np.concatenate([np.random.default_rng(m).normal(10 * m, 1, size=(20, 2)) for m in range(3)])
    free = kmeans(X, 3, seed=1)
    assert np.array_equal(kmeans(X, 3, seed=1, bounds=(Bound("units", np.ones(60), lower=5),)), free)


def test_impossible_bounds_are_named():
    X = np.arange(10.0)[:, None]
    with pytest.raises(InfeasibleError, match="3 clusters of at least 4 units need 12"):
        kmeans(X, 3, bounds=(Bound("units", np.ones(10), lower=4),))
    with pytest.raises(InfeasibleError, match="one unit alone has 9 pop"):
        kmeans(X, 9, bounds=(Bound("pop", np.arange(10.0), upper=5),))


def test_hartigan_moves_only_ever_improve_and_end_at_a_local_optimum(engine):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(60, 3))
    rows, k = Rows.centred(X), 5
    starts = np.stack([np.arange(60) % k, np.arange(60) // 12, np.arange(60) // 7 % k])
    for labels, moved in zip(starts, improve_by_moves(rows, starts, k), strict=True):
        value = within(X, moved)
        assert value < within(X, labels)
        for unit in range(60):
            for target in range(k):
                tried = moved.copy()
                tried[unit] = target
                if len(np.unique(tried)) == k:
                    assert within(X, tried) >= value - 1e-9


def test_one_lloyd_step_is_nearest_centre_then_mean(engine):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50, 3))
    rows = Rows(X)
    centers = rng.normal(size=(4, 45, 3))  # more clusters than the one-hot product is used for
    labels = iterate(rows, centers, 1)[2]
    plain = ((X[:, None, None, :] - centers[None]) ** 2).sum(axis=3).argmin(axis=2).T
    assert np.array_equal(labels, plain)
    sums = cluster_sums(rows, labels, 45)
    moved, counts = means(sums, centers), sums[:, :, -1]
    between = between_sums(sums, moved)
    for b in range(4):
        for c in range(45):
            members = X[labels[b] == c]
            expected = members.mean(axis=0) if len(members) else centers[b, c]
            assert moved[b, c] == pytest.approx(expected)
            assert counts[b, c] == len(members)
        assert between[b] == pytest.approx((X**2).sum() - within(X, labels[b]))


def test_hartigan_steps_report_the_value_of_their_labels(engine):
    X = np.random.default_rng(4).normal(size=(40, 2))
    rows = Rows.centred(X)
    centers, _, labels = iterate(rows, draw_centers(rows, 4, 3, np.random.default_rng(0)), 1)
    _, between, labels = iterate(rows, centers, 3, labels)
    for b in range(3):
        assert rows.total - between[b] == pytest.approx(within(X, labels[b]))


def test_converged_lloyd_is_a_fixed_point(engine):
    X = np.random.default_rng(4).normal(size=(500, 2))
    rows = Rows.centred(X)
    centers, labels = converge(rows, draw_centers(rows, 6, 5, np.random.default_rng(0)), 1000)
    assert np.array_equal(iterate(rows, centers, 1)[2], labels)


def test_k_means_plus_plus_draws_spread_rows_and_random_draws_differ():
    X = np.repeat(np.arange(5.0), 20)[:, None]
    rows = Rows.centred(X)
    spread = draw_centers(rows, 5, 20, np.random.default_rng(0), trials=3)
    assert all(len(np.unique(np.round(centers, 9))) == 5 for centers in spread)
    drawn = draw_centers(rows, 5, 20, np.random.default_rng(0), init="random")
    assert drawn.shape == (20, 5, 1)


def published(shared_data, file, columns, where=None):
    import pyogrio

    frame = pyogrio.read_dataframe(shared_data(file), where=where, columns=columns, read_geometry=False)
    X = frame[columns].to_numpy(dtype=float)
    return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


def ratio(X, labels):
    return 1 - within(X, labels) / ((X - X.mean(axis=0)) ** 2).sum()


@pytest.mark.parametrize(("k", "expected"), [(4, 0.433764), (5, 0.497772), (6, 0.552514)])
def test_guerry(shared_data, k, expected):
    X = published(
        shared_data, "guerry/Guerry.shp", ["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]
    )
    for seed in range(10):
        assert ratio(X, kmeans(X, k, seed=seed)) == pytest.approx(expected, abs=6e-7)


def test_ceara_from_every_seed(shared_data):
    columns = ["t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc"]
    X = published(shared_data, "brazil/municipalities.gpkg", columns, where="ufn = 'Ceará'")
    for seed in range(10):
        assert ratio(X, kmeans(X, 12, seed=seed)) == pytest.approx(0.727954, abs=6e-7)


def test_natregimes(shared_data):
    X = published(
        shared_data,
        "natregimes/natregimes.shp",
        ["HR90", "RD90", "PS90", "UE90", "DV90", "MA90", "FH90", "GI89"],
    )
    for seed in range(3):
        assert ratio(X, kmeans(X, 12, seed=seed)) == pytest.approx(0.639291, abs=2e-6)


def test_a_least_population_on_chicago_beats_rejection(shared_data):
    """Free: WSS 995.227; with 200,000 people each: BSS/TSS 0.681806 (Anselin 2024, chapter 6)."""
    import pyogrio

    names = [
        "ChldPvt14",
        "EP_CROWD",
        "EP_UNINSUR",
        "EP_MINRTY",
        "Ovr6514P",
        "EP_AGE17",
        "EP_DISABL",
        "EP_NOHSDP",
        "EP_LIMENG",
        "EP_SNGPNT",
        "Pov14",
        "EP_PCI",
        "Unemp14",
        "EP_NOVEH",
        "FORCLRISK",
        "HealthLit",
    ]
    Z = published(shared_data, "chi_sdoh/Chi-SDOH.shp", names)
    scores = Z @ np.linalg.svd(Z, full_matrices=False)[2][:4].T
    X = scores / scores.std(axis=0, ddof=1)
    assert within(X, kmeans(X, 8)) <= 995.227
    file = shared_data("chi_sdoh/Chi-SDOH.shp")
    people = pyogrio.read_dataframe(file, columns=["Pop2014"], read_geometry=False)["Pop2014"].to_numpy(float)
    for seed in range(3):
        labels = kmeans(X, 8, bounds=(Bound("Pop2014", people, lower=200_000),), seed=seed)
        assert np.bincount(labels, people).min() >= 200_000
        assert ratio(X, labels) >= 0.681806


@pytest.mark.parametrize("scale", [1e-300, 1e-24, 1e19, 1e30, 1e300])
def test_the_size_of_the_numbers_does_not_matter(scale):
    X = np.random.default_rng(1).normal(size=(200, 2))
    plain = kmeans(X, 16, seed=3)
    assert within(X, kmeans(X * scale, 16, seed=3)) == pytest.approx(within(X, plain), rel=1e-9)
