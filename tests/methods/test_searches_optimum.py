"""What the searching methods find on small graphs, against the best of all partitions."""

from __future__ import annotations

import numpy as np
import pytest
from enumeration import connected, holding, least_within, unbroken
from layouts import grid, linked, pieces, random_layout, random_values, within

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods.azp import azp
from regionalize.methods.balance import balance
from regionalize.methods.maxp import maxp
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings

ITERATIONS = 10_000
"""A small part of what small graphs get by default."""
PLAIN = ("2x2", "2x3", "3x3", "3x4", "4x4", "holes", "comb", "star", "path", "cycle", "complete")


def plain_layout(name):
    """Graphs that everybody can picture."""
    if "x" in name and len(name) == 3:
        return grid(int(name[0]), int(name[2]))
    return {
        "holes": grid(4, 4, missing={1, 6, 7, 11}),  # a corner cell on its own, and three pieces
        "comb": (8, [(0, 1), (1, 2), (2, 3), (0, 4), (1, 5), (2, 6), (3, 7)]),
        "star": (7, [(0, arm) for arm in range(1, 7)]),
        "path": (12, [(unit, unit + 1) for unit in range(11)]),
        "cycle": (9, [(unit, (unit + 1) % 9) for unit in range(9)]),
        "complete": (7, [(a, b) for b in range(7) for a in range(b)]),
    }[name]


def seeds(first, few, many):
    """Some for every day, and more among the slow tests."""
    slow = (pytest.param(seed, marks=pytest.mark.slow) for seed in range(first + few, first + many))
    return pytest.mark.parametrize("seed", [*range(first, first + few), *slow])


def random_case(seed, most=13):
    rng = np.random.default_rng(seed)
    n, links = random_layout(rng, most)
    return rng, n, links, linked(n, links), random_values(rng, n)


def random_bound(rng, n, k):
    """A lower, an upper bound, or both, of units or of an amount, near what k regions share."""
    units = rng.random() < 0.4
    amount = np.ones(n) if units else rng.integers(0, 6, size=n).astype(float)
    share = amount.sum() / k
    kind = rng.integers(3)
    lower = np.round(share * rng.uniform(0.2, 1.0)) if kind != 1 else -np.inf
    upper = np.round(share * rng.uniform(1.0, 2.0)) if kind != 0 else np.inf
    return Bound("units" if units else "pop", amount, lower=lower, upper=max(upper, lower))


def random_plan(rng, n, links, k):
    """Regions 0 … k - 1, each connected: links taken at random order until k pieces are left."""
    labels = np.arange(n)
    for a, b in rng.permutation(np.array(links).reshape(-1, 2)).tolist():
        if len(np.unique(labels)) == k:
            break
        labels[labels == labels[b]] = labels[a]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def check(labels, X, weights, k, least):
    """Exactly k connected regions, as good as any."""
    assert labels.dtype == np.int64
    assert set(labels.tolist()) == set(range(k))
    assert pieces(labels, weights) == k
    assert within(X, labels) == pytest.approx(least, abs=1e-9 * max(within(X, np.zeros(len(X))), 1e-12))


@pytest.mark.parametrize("values", ["smooth", "tied", "repeated"])
@pytest.mark.parametrize("name", PLAIN)
def test_azp_finds_the_optimum_of_graphs_one_can_picture(name, values):
    n, links = plain_layout(name)
    rng = np.random.default_rng(len(name) + n)
    X = {
        "smooth": rng.normal(size=(n, 2)),
        "tied": rng.integers(0, 10, size=(n, 1)).astype(float),
        "repeated": rng.normal(size=(n, 2))[rng.integers(0, n, size=n)],
    }[values]
    weights = linked(n, links)
    least = least_within(X, connected(n, links))
    for k in range(1, n + 1):
        if np.isfinite(least[k]):
            check(azp(X, k, weights=weights, iterations=ITERATIONS), X, weights, k, least[k])
        else:
            with pytest.raises(InfeasibleError):
                azp(X, k, weights=weights, iterations=ITERATIONS)


@pytest.mark.parametrize("start", ["schc", "skater", "redcap", "random"])
@seeds(0, 11, 40)
def test_azp_finds_the_optimum_of_random_graphs_from_every_start(seed, start):
    _, n, links, weights, X = random_case(seed)
    least = least_within(X, connected(n, links))
    for k in np.flatnonzero(np.isfinite(least)).tolist():
        labels = azp(X, k, weights=weights, iterations=ITERATIONS, start=start, seed=seed)
        check(labels, X, weights, k, least[k])


def test_azp_leaves_a_local_optimum_of_a_star():
    """Arms 0 and 1 belong by themselves; cutting off the farthest arm each time ends with others."""
    star = linked(6, [(0, arm) for arm in range(1, 6)])
    X = np.array([6.0, 2, 9, 9, 0, 1])[:, None]
    least = least_within(X, connected(6, [(0, arm) for arm in range(1, 6)]))[3]
    check(azp(X, 3, weights=star, iterations=ITERATIONS), X, star, 3, least)


@seeds(100, 25, 200)
def test_azp_keeps_bounds_whenever_they_can_be_kept(seed):
    rng, n, links, weights, X = random_case(seed)
    free = connected(n, links)
    for k in range(1, n + 1):
        bound = random_bound(rng, n, k)
        allowed = free & holding(bound.amount, bound.lower, bound.upper)
        least = least_within(X, allowed)[k]
        if np.isfinite(least):
            labels = azp(X, k, weights=weights, bounds=(bound,), iterations=ITERATIONS, seed=seed)
            held = np.bincount(labels, bound.amount)
            assert bound.lower <= held.min()
            assert held.max() <= bound.upper
            check(labels, X, weights, k, least)
        else:
            with pytest.raises(InfeasibleError):
                azp(X, k, weights=weights, bounds=(bound,), iterations=ITERATIONS, seed=seed)


@seeds(200, 10, 80)
def test_azp_keeps_two_bounds_at_once(seed):
    rng, n, links, weights, X = random_case(seed)
    for k in range(1, n + 1):
        bounds = (random_bound(rng, n, k), random_bound(rng, n, k))
        allowed = connected(n, links)
        for bound in bounds:
            allowed &= holding(bound.amount, bound.lower, bound.upper)
        least = least_within(X, allowed)[k]
        if np.isfinite(least):
            labels = azp(X, k, weights=weights, bounds=bounds, iterations=ITERATIONS, seed=seed)
            check(labels, X, weights, k, least)
        else:
            with pytest.raises(InfeasibleError):
                azp(X, k, weights=weights, bounds=bounds, iterations=ITERATIONS, seed=seed)


def kept_together(labels, plan, locked):
    """Whether locked units share a region exactly where they share one of the plan."""
    ours, theirs = labels[locked], plan[locked]
    return np.array_equal(ours[:, None] == ours, theirs[:, None] == theirs)


@pytest.mark.parametrize("method", ["azp", "balance"])
@seeds(300, 10, 80)
def test_locked_units_keep_the_region_of_the_plan(seed, method):
    rng, n, links, weights, X = random_case(seed)
    for k in range(weights.n_components, n + 1):
        plan = random_plan(rng, n, links, k)
        locked = rng.random(n) < 0.4
        assert len(np.unique(plan)) == k
        allowed = connected(n, links) & unbroken(plan, locked)
        options = {"weights": weights, "start": plan, "locked": locked, "iterations": ITERATIONS}
        if method == "azp":
            labels = azp(X, k, seed=seed, **options)
        else:
            held = np.bincount(plan)  # as far from balance as the plan is, so that there is an answer
            tolerance = max(held.max() * k / n - 1, 1 - held.min() * k / n)
            allowed &= fair(np.ones(n), k, tolerance, whole=True)
            labels = balance(X, k, seed=seed, tolerance=tolerance, **options)
        assert kept_together(labels, plan, locked)
        check(labels, X, weights, k, least_within(X, allowed)[k])


@seeds(400, 8, 40)
def test_a_plan_may_leave_units_without_a_region(seed):
    rng, n, links, weights, X = random_case(seed)
    for k in range(weights.n_components, n + 1):
        plan = random_plan(rng, n, links, k)
        given = np.unique(plan, return_index=True)[1]  # one unit of each region
        plan[np.setdiff1d(np.arange(n), given)] = -1
        locked = (plan >= 0) & (rng.random(n) < 0.7)
        allowed = connected(n, links) & unbroken(plan, locked)
        labels = azp(X, k, weights=weights, start=plan, locked=locked, iterations=ITERATIONS, seed=seed)
        assert kept_together(labels, plan, locked)
        check(labels, X, weights, k, least_within(X, allowed)[k])


@seeds(500, 8, 60)
def test_locked_units_and_bounds_together(seed):
    """The plan keeps the bound, so there is an answer."""
    rng, n, links, weights, X = random_case(seed)
    for k in range(weights.n_components, n + 1):
        plan, locked = random_plan(rng, n, links, k), rng.random(n) < 0.3
        amount = rng.integers(0, 6, size=n).astype(float)
        held = np.bincount(plan, amount)
        bound = Bound("pop", amount, lower=held.min(), upper=held.max())
        allowed = connected(n, links) & unbroken(plan, locked) & holding(amount, bound.lower, bound.upper)
        options = {"start": plan, "locked": locked, "bounds": (bound,), "iterations": 10 * ITERATIONS}
        labels = azp(X, k, weights=weights, seed=seed, **options)
        assert kept_together(labels, plan, locked)
        check(labels, X, weights, k, least_within(X, allowed)[k])


@seeds(600, 30, 200)
def test_maxp_makes_the_most_regions_and_the_best_of_them(seed):
    rng, n, links, weights, X = random_case(seed)
    bound = random_bound(rng, n, int(rng.integers(1, n + 1)))
    if not bound.lower > 0:
        bound = Bound(bound.name, bound.amount, lower=1.0, upper=max(bound.upper, 1.0))
    bounds = [bound]
    if rng.random() < 0.3:
        bounds.append(Bound("units", np.ones(n), lower=float(rng.integers(1, 3))))
    allowed = connected(n, links)
    for each in bounds:
        allowed &= holding(each.amount, each.lower, each.upper)
    least = least_within(X, allowed)
    possible = np.flatnonzero(np.isfinite(least))
    if not len(possible):
        with pytest.raises(InfeasibleError):
            maxp(X, weights=weights, bounds=bounds, iterations=ITERATIONS, seed=seed)
        return
    findings = Findings()
    labels = maxp(X, weights=weights, bounds=bounds, iterations=ITERATIONS, seed=seed, findings=findings)
    most = int(possible.max())
    assert findings.facts["regions"] == len(np.unique(labels)) == most
    check(labels, X, weights, most, least[most])


TIGHT = {  # links, amounts, least and most: one or two ways to have as many regions as can be
    "two ways": ("03 04 13 14 15 26 27 46 47 57", [1, 2, 3, 2, 4, 3, 4, 5], 5, 8),
    "one way": ("01 02 04 06 07 12 13 14 23 25 26 35 47 56 57 67", [2, 4, 3, 5, 3, 5, 2, 2], 5, 7),
    "one way again": ("02 05 12 13 14 23 26 34 36 45 46 57 67", [4, 3, 4, 1, 2, 2, 3, 1], 4, 5),
}


@pytest.mark.parametrize("name", TIGHT)
def test_maxp_makes_the_most_regions_under_a_maximum_too(name):
    pairs, amount, lower, upper = TIGHT[name]
    links = [(int(a), int(b)) for a, b in pairs.split()]
    n, weights = len(amount), linked(len(amount), links)
    X = np.random.default_rng(6).normal(size=(n, 2))
    bound = Bound("pop", np.array(amount, dtype=float), lower=lower, upper=upper)
    least = least_within(X, connected(n, links) & holding(bound.amount, lower, upper))
    most = int(np.flatnonzero(np.isfinite(least)).max())
    for seed in range(10):
        labels = maxp(X, weights=weights, bounds=(bound,), iterations=ITERATIONS, seed=seed)
        check(labels, X, weights, most, least[most])


def fair(amount, k, tolerance, *, whole):
    """Which sets hold a fair share, give or take; whole units: at least the whole numbers around it."""
    share = amount.sum() / k
    lower, upper = share * (1 - tolerance), share * (1 + tolerance)
    if whole:
        lower, upper = min(lower, np.floor(share)), max(upper, np.ceil(share))
    return holding(amount, lower, upper)


@seeds(700, 30, 200)
def test_balance_gives_fair_shares_whenever_it_can(seed):
    rng, n, links, weights, X = random_case(seed)
    units = seed % 2 == 0
    amount = np.ones(n) if units else rng.integers(1, 6, size=n).astype(float)
    even = "units" if units else Bound("pop", amount)
    tolerance = float(rng.choice([0.0, 0.05, 0.2, 0.5]))
    for k in range(1, n + 1):
        allowed = connected(n, links) & fair(amount, k, tolerance, whole=units)
        least = least_within(X, allowed)[k]
        options = {"balance": even, "tolerance": tolerance, "iterations": ITERATIONS}
        if np.isfinite(least):
            check(balance(X, k, weights=weights, seed=seed, **options), X, weights, k, least)
        else:
            with pytest.raises(InfeasibleError):
                balance(X, k, weights=weights, seed=seed, **options)


PATH = [(0, 1), (1, 2), (2, 3)]
RING = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 4), (3, 4)]
TREE = [(0, 1), (0, 4), (0, 5), (1, 7), (2, 3), (3, 6), (5, 7), (6, 7)]
APART = [(1, 2), (1, 6), (2, 3), (4, 5), (4, 7)]
HARD = {  # links, amounts, least and most, regions, values: few ways keep the bound, and fit pulls elsewhere
    "one cut of a path": (PATH, [3, 1, 1, 1], 2.1, 3.9, 2, [-1, -1.66, 1.32, 0.21]),
    "one way of a ring": (RING, [5, 3, 3, 5, 5], 4.9, 9.1, 3, [0.07, -0.21, -0.39, -0.21, 0.09]),
    "six ways of a tree": (TREE, [0, 2, 3, 1, 1, 1, 5, 0], 2, np.inf, 4, [-2, 5, -4, -5, -26, 8, -2, -9]),
    "two paths and an island": (APART, [1] * 8, 1, 2, 5, [14, -7, -1, 26, 1, 5, 14, 4]),
}


@pytest.mark.parametrize("start", ["schc", "skater", "random"])
@pytest.mark.parametrize("name", HARD)
def test_few_ways_to_keep_a_bound_are_found(name, start):
    links, amount, lower, upper, k, values = HARD[name]
    X, amount = np.array(values, dtype=float)[:, None], np.array(amount, dtype=float)
    weights = linked(len(X), links)
    least = least_within(X, connected(len(X), links) & holding(amount, lower, upper))[k]
    assert np.isfinite(least)
    bound = Bound("pop", amount, lower=lower, upper=upper)
    for seed in range(5):
        labels = azp(X, k, weights=weights, bounds=(bound,), start=start, iterations=ITERATIONS, seed=seed)
        check(labels, X, weights, k, least)
        even = {"balance": Bound("pop", amount), "tolerance": 5.0, "bounds": (bound,), "start": start}
        check(balance(X, k, weights=weights, iterations=ITERATIONS, seed=seed, **even), X, weights, k, least)


def test_balance_of_units_by_default():
    """The 4 x 4 grid in four: only the 117 ways to lay four tetrominoes are within 5 %."""
    n, links = grid(4, 4)
    X = np.random.default_rng(5).normal(size=(n, 2))
    weights = linked(n, links)
    least = least_within(X, connected(n, links) & holding(np.ones(n), 4, 4))[4]
    check(balance(X, 4, weights=weights, iterations=ITERATIONS), X, weights, 4, least)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1030))
def test_azp_by_default_finds_the_optimum(seed):
    """With the iterations that it makes when none are given, up to 16 units."""
    _, n, links, weights, X = random_case(seed, most=16)
    least = least_within(X, connected(n, links))
    for k in range(1, n + 1):
        if np.isfinite(least[k]):
            check(azp(X, k, weights=weights), X, weights, k, least[k])
        else:
            with pytest.raises((InfeasibleError, UsageError)):
                azp(X, k, weights=weights)
