"""The enumeration against formulas, published counts, and every partition of the units tried one by one."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from enumeration import connected, costs, count_partitions, holding, least_within, unbroken
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import grid, linked, pieces, within


def all_partitions(n):
    """Every way to group n units, connected or not: each joins an earlier group or opens one."""
    found = [[0]] if n else []
    for _ in range(1, n):
        found = [[*labels, new] for labels in found for new in range(max(labels) + 2)]
    return np.array(found)


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_paths_are_cut_at_links(n):
    links = [(unit, unit + 1) for unit in range(n - 1)]
    assert connected(n, links).sum() == n * (n + 1) / 2
    counts = count_partitions(n, connected(n, links))
    assert counts.tolist() == [0, *(comb(n - 1, k - 1) for k in range(1, n + 1))]


@pytest.mark.parametrize("n", [3, 5, 9])
def test_cycles_are_cut_at_two_links_or_more(n):
    links = [(unit, (unit + 1) % n) for unit in range(n)]
    counts = count_partitions(n, connected(n, links))
    assert counts.tolist() == [0, 1, *(comb(n, k) for k in range(2, n + 1))]


@pytest.mark.parametrize("n", [2, 4, 7])
def test_stars_are_cut_at_any_arms(n):
    counts = count_partitions(n, connected(n, [(0, unit) for unit in range(1, n)]))
    assert counts.tolist() == [0, *(comb(n - 1, k - 1) for k in range(1, n + 1))]


def test_complete_graphs_have_stirling_numbers():
    links = [(a, b) for b in range(6) for a in range(b)]
    assert count_partitions(6, connected(6, links)).tolist() == [0, 1, 31, 90, 65, 15, 1]


def test_partitions_of_square_grids():
    """1, 12, 1434, 1691690 partitions into connected pieces; 117 of the 4 × 4 grid into four tetrominoes."""
    for side, total in ((1, 1), (2, 12), (3, 1434), (4, 1691690)):
        assert count_partitions(side**2, connected(*grid(side, side))).sum() == total
    tetrominoes = connected(*grid(4, 4)) & holding(np.ones(16), 4, 4)
    counts = count_partitions(16, tetrominoes)
    assert counts[4] == counts.sum() == 117


@st.composite
def small(draw):
    n = draw(st.integers(1, 7))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    links = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    X = rng.integers(0, 4, size=(n, 2)).astype(float)
    return X, links, rng.integers(0, 4, size=n).astype(float), rng.integers(0, 3, size=n), rng.random(n) < 0.4


@given(small(), st.sampled_from([0, 2, 3]), st.sampled_from([np.inf, 4, 6]))
@settings(max_examples=60)
def test_everything_by_trying_every_partition_of_the_units(case, lower, upper):
    X, links, amount, plan, locked = case
    n = len(X)
    weights = linked(n, links)
    allowed = connected(n, links) & holding(amount, lower, upper) & unbroken(plan, locked)
    expected, ways = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    for labels in all_partitions(n):
        k = labels.max() + 1
        held = np.bincount(labels, amount)
        together = labels[:, None] == labels
        kept = (together == (plan[:, None] == plan))[np.ix_(locked, locked)].all()
        if pieces(labels, weights) == k and held.min() >= lower and held.max() <= upper and kept:
            expected[k] = min(expected[k], within(X, labels))
            ways[k] += 1
    assert count_partitions(n, allowed).tolist() == ways.tolist()
    assert least_within(X, allowed) == pytest.approx(expected, abs=1e-9)


def test_costs_are_sums_of_squares_about_the_mean():
    X = np.array([[0.0, 5.0], [3.0, 1.0], [9.0, 2.0]])
    assert costs(X)[[0, 1, 2, 4]] == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert costs(X)[0b011] == pytest.approx((9 + 16) / 2)
    assert costs(X)[0b111] == pytest.approx(((X - X.mean(axis=0)) ** 2).sum())
