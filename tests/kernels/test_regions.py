"""Regions under moves, and random draws, against SciPy and plain recomputation, compiled and not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from groupings import breaches, cases, drawn, graph_of, sums_of, within_sums
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels import regions as kernels
from regionalize.kernels.compiler import compiled
from regionalize.kernels.draws import draw as draw_number
from regionalize.kernels.draws import initial_state
from regionalize.kernels.regions import FURTHEST, Limits, Units

both_ways = pytest.mark.parametrize("fast", [compiled, lambda kernel: kernel], ids=["compiled", "plain"])


def hangs_together(unit, labels, graph):
    """By SciPy: the others of its region are there, and in one piece."""
    others = np.flatnonzero((labels == labels[unit]) & (np.arange(len(labels)) != unit))
    links = scipy.sparse.csr_array(
        (np.ones(len(graph.indices)), graph.indices, graph.indptr), shape=(len(labels),) * 2
    )[others][:, others]
    return len(others) > 0 and scipy.sparse.csgraph.connected_components(links, directed=False)[0] == 1


@both_ways
@given(cases())
@settings(max_examples=60)
def test_regions_up_to_the_limit_are_told_exactly(fast, case):
    graph, labels, _ = case
    walk = kernels.room_to_walk(graph)
    for unit in range(len(labels)):
        assert len(labels) <= FURTHEST
        found = fast(kernels.stays_connected)(unit, labels, graph, walk)
        assert found == hangs_together(unit, labels, graph)


@given(cases(sides=30))
@settings(max_examples=30)
def test_large_regions_are_never_called_connected_wrongly(case):
    graph, labels, rng = case
    walk = kernels.room_to_walk(graph)
    for unit in rng.permutation(len(labels))[:40]:
        connected = hangs_together(unit, labels, graph)
        found = compiled(kernels.stays_connected)(unit, labels, graph, walk)
        assert connected or not found
        if (labels == labels[unit]).sum() - 1 <= FURTHEST:
            assert found == connected


@pytest.mark.parametrize("around", [FURTHEST - 1, FURTHEST, FURTHEST + 2, 3 * FURTHEST])
def test_a_long_way_round_counts_as_none(around):
    """A ring without one unit hangs together; when the rest is longer than the limit, that is not seen."""
    n = around + 1
    graph = graph_of(n, np.arange(n), (np.arange(n) + 1) % n)
    labels = np.zeros(n, dtype=np.int64)
    assert hangs_together(0, labels, graph)
    found = kernels.stays_connected(0, labels, graph, kernels.room_to_walk(graph))
    assert found == (around <= FURTHEST)


@both_ways
@given(cases(sides=5), st.integers(1, 4), st.integers(0, 2))
@settings(max_examples=40)
def test_moves_against_recomputation(fast, case, p, b):
    _, labels, rng = case
    n, k = len(labels), labels.max() + 1
    units, limits = drawn(rng, n, p, b, 10.0)
    start = labels.copy()
    regions = fast(kernels.count_up)(labels, units, k)
    for unit in rng.permutation(n):
        own, target = labels[unit], rng.integers(k)
        if target == own or regions.size[own] == 1:
            continue
        before = within_sums(labels, units.X, k)
        saved = fast(kernels.saved_without)(unit, own, units, regions)
        spent = fast(kernels.spent_with)(unit, target, units, regions)
        foreseen = [
            fast(kernels.breach_with)(regions.held[region], units.amount[unit], times, limits)
            for region, times in ((own, -1.0), (target, 1.0))
        ]
        fast(kernels.put)(unit, target, units, regions)
        after, left = within_sums(labels, units.X, k), breaches(labels, units, limits, k)
        assert labels[unit] == target
        assert before[own] - after[own] == pytest.approx(saved, abs=1e-9)
        assert after[target] - before[target] == pytest.approx(spent, abs=1e-9)
        assert [left[own], left[target]] == pytest.approx(foreseen, abs=1e-9)
        assert fast(kernels.breach)(regions.held[own], limits) == pytest.approx(left[own], abs=1e-9)
    np.testing.assert_allclose(regions.sums, sums_of(labels, units.X, k), atol=1e-9)
    np.testing.assert_allclose(regions.held, sums_of(labels, units.amount, k), atol=1e-9)
    assert regions.size.tolist() == np.bincount(labels, minlength=k).tolist()
    fixed = np.bincount(start, units.fixed, minlength=k)
    assert regions.fixed.tolist() == fixed.tolist()
    overall = (units.X**2).sum()
    broken, cost = fast(kernels.measure)(labels, units, limits, k)
    assert broken == pytest.approx(breaches(labels, units, limits, k).sum(), abs=1e-9)
    assert overall + cost == pytest.approx(within_sums(labels, units.X, k).sum(), abs=1e-9)
    costs = [fast(kernels.within_cost)(regions.sums[region], regions.size[region]) for region in range(k)]
    assert overall + sum(costs) == pytest.approx(within_sums(labels, units.X, k).sum(), abs=1e-9)


@both_ways
@given(cases(sides=5), st.integers(1, 3), st.integers(0, 2), st.sampled_from([0.0, 0.3, 10.0]))
@settings(max_examples=60)
def test_the_cheapest_move_is_that_of_trying_all(fast, case, p, b, penalty):
    graph, labels, rng = case
    n, k = len(labels), labels.max() + 1
    units, limits = drawn(rng, n, p, b, penalty)
    barred = rng.random(k) < 0.2

    def stands_at(labels):
        return breaches(labels, units, limits, k).sum(), within_sums(labels, units.X, k).sum()

    regions = fast(kernels.count_up)(labels, units, k)
    broken, within = stands_at(labels)
    for unit in range(n):
        tried = {}
        for other in graph.indices[graph.indptr[unit] : graph.indptr[unit + 1]]:
            moved = labels.copy()
            moved[unit] = target = labels[other]
            after, cost = stands_at(moved)
            if target != labels[unit] and not barred[target] and after <= broken + 1e-12:
                tried[target] = cost - within - penalty * (broken - after), broken - after
        if units.fixed[unit] or (labels == labels[unit]).sum() == 1:
            tried = {}
        target, rise, relief = fast(kernels.cheapest_move)(unit, barred, units, graph, limits, regions)
        if not tried:
            assert (target, rise, relief) == (-1, np.inf, 0.0)
            continue
        assert (rise, relief) == pytest.approx(tried[target], abs=1e-9)
        assert rise == pytest.approx(min(cost for cost, _ in tried.values()), abs=1e-9)


@both_ways
def test_of_moves_that_cost_the_same_the_first_neighbour_s_is_taken(fast):
    """The unit in the middle of three that are alike, with a second one of its own region."""
    graph, labels = graph_of(4, [1, 1, 1], [0, 2, 3]), np.array([2, 1, 0, 1])
    units = Units(np.zeros((4, 1)), np.zeros((4, 0)), np.zeros(4, dtype=bool))
    limits = Limits(np.zeros(0), np.zeros(0), 1.0)
    regions = fast(kernels.count_up)(labels, units, 3)
    target, *costs = fast(kernels.cheapest_move)(1, np.zeros(3, dtype=bool), units, graph, limits, regions)
    assert target == 2
    assert costs == [0.0, 0.0]


@both_ways
@pytest.mark.parametrize(
    ("broken", "cost", "better"),
    [
        (0.5, 9.0, True),  # bounds come first
        (1.0, -3.5, True),
        (1.0, -3.0, False),
        (1.0 + 1e-15, -3.5, True),  # rounding is no breach
        (1.0, -3.0 - 1e-15, False),  # … and no gain
        (1.5, -9.0, False),
        (1.0 - 1e-15, -2.0, False),
    ],
)
def test_bounds_come_before_cost(fast, broken, cost, better):
    assert fast(kernels.is_better)(broken, cost, np.array([1.0, -3.0])) is better


def draws(state, count, fast):
    state = np.array(state, dtype=np.int64)
    number = fast(draw_number)
    return np.array([number(state) for _ in range(count)]), state


STATES = [(1, 1), (2147483562, 2147483398), (12345, 67890), (1, 2147483398), (2147483398, 1)]


@pytest.mark.parametrize("state", STATES)
def test_draws_are_those_of_the_two_generators(state):
    """The i-th number from powers of the factors, in exact whole numbers; compiled as in plain Python."""
    first, second = 2147483563, 2147483399
    numbers, end = draws(state, 20_000, lambda kernel: kernel)
    again, end_again = draws(state, 20_000, compiled)
    assert np.array_equal(numbers, again)
    assert np.array_equal(end, end_again)
    assert numbers.min() > 0
    assert numbers.max() < 1
    for i in (1, 2, 3, 100, 19_999, 20_000):
        a, b = pow(40014, i, first) * state[0] % first, pow(40692, i, second) * state[1] % second
        expected = (a - b - 1) % (first - 1) + 1
        assert numbers[i - 1] == float(Fraction(expected, first))
    assert end.tolist() == [
        pow(40014, 20_000, first) * state[0] % first,
        pow(40692, 20_000, second) * state[1] % second,
    ]


def test_every_seed_begins_within_both_generators():
    found = np.array([initial_state((seed, 1)) for seed in range(200)])
    assert found.shape == (200, 2)
    assert found.min() >= 1
    assert found.max() <= 2147483398
    assert len(np.unique(found, axis=0)) == 200


def test_draws_are_even_and_do_not_follow_from_one_another():
    numbers, _ = draws((12345, 67890), 200_000, compiled)
    places = np.bincount((numbers * 20).astype(int), minlength=20)
    assert ((places - 10_000) ** 2 / 10_000).sum() < 60  # chi-squared, 19 degrees of freedom: p > 1e-5
    pairs = np.bincount(
        (numbers[::2] * 10).astype(int) * 10 + (numbers[1::2] * 10).astype(int), minlength=100
    )
    assert ((pairs - 1000) ** 2 / 1000).sum() < 170  # 99 degrees of freedom
