"""Random trees and their cuts against recomputation, and against the chances of every tree of a graph."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from groupings import breaches, cases, drawn, graph_of, near, two_regions, within_sums
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels import random_trees as kernels
from regionalize.kernels.draws import initial_state
from regionalize.kernels.regions import Graph, Limits, Units


def grown(case, p=2, b=1, penalty=3.0):
    """A tree over two regions with sums over its subtrees, and what it was made of."""
    graph, labels, rng = case
    units, limits = drawn(rng, len(labels), p, b, penalty)
    units = units._replace(fixed=rng.random(len(labels)) < rng.choice([0.0, 0.1, 0.3]))
    tree = kernels.room_for_tree(units, graph)
    start, one, other = two_regions(labels, graph, rng)
    found = kernels.gather(start, one, other, labels, graph, tree)
    kernels.grow(found, graph, tree, initial_state((int(rng.integers(1000)),)))
    kernels.sum_subtrees(found, one, other, labels, units, tree)
    return found, one, other, tree, units, limits


def below(found, tree):
    """Of each position, the units that hang on it, itself included: from its parents, one by one."""
    hanging = [set() for _ in range(found)]
    for position in range(found):
        unit, above = int(tree.members[tree.order[position]]), position
        while above >= 0:
            hanging[above].add(unit)
            above = int(tree.parent[above])
    return hanging


@settings(max_examples=30)
@given(cases(sides=5))
def test_all_units_of_two_regions_are_gathered(case):
    graph, labels, rng = case
    start, a, b = two_regions(labels, graph, rng)
    units = Units(np.zeros((len(labels), 1)), np.zeros((len(labels), 0)), np.zeros(len(labels), dtype=bool))
    tree = kernels.room_for_tree(units, graph)
    found = kernels.gather(start, a, b, labels, graph, tree)
    members = tree.members[:found].tolist()
    assert members[0] == start
    assert sorted(members) == np.flatnonzero((labels == a) | (labels == b)).tolist()
    place = np.full(len(labels), -1)
    place[members] = np.arange(found)
    assert tree.place.tolist() == place.tolist()


@settings(max_examples=30)
@given(cases(sides=5))
def test_trees_span_their_units_along_links(case):
    graph = case[0]
    found, _, _, tree, _, _ = grown(case)
    assert sorted(tree.order[:found].tolist()) == list(range(found))
    assert tree.parent[0] == -1
    for position in range(1, found):
        above = tree.parent[position]
        assert 0 <= above < position
        assert tree.members[tree.order[above]] in near(tree.members[tree.order[position]], graph)


def chances(neighbours):
    """How likely each tree is, by its links, if every link out of it is as likely to be the next."""
    found = Counter()

    def go_on(inside, links, chance):
        out = [(a, b) for a in inside for b in neighbours[a] if b not in inside]
        if not out:
            found[links] += chance
        for a, b in out:
            go_on(inside | {b}, links | {(min(a, b), max(a, b))}, chance / len(out))

    for root in neighbours:
        go_on(frozenset([root]), frozenset(), Fraction(1, len(neighbours)))
    return found


def test_every_link_out_of_a_tree_is_as_likely_to_be_the_next():
    """Two triangles with a side in common, and a unit that hangs on a corner."""
    first, second = np.array([0, 0, 1, 1, 2, 3]), np.array([1, 2, 2, 3, 3, 4])
    graph, labels = graph_of(5, first, second), np.zeros(5, dtype=np.int64)
    units = Units(np.zeros((5, 1)), np.zeros((5, 0)), np.zeros(5, dtype=bool))
    state, trials, seen = initial_state((1,)), 4000, Counter()
    for _ in range(trials):
        tree = kernels.room_for_tree(units, graph)
        assert kernels.gather(0, 0, 0, labels, graph, tree) == 5
        kernels.grow(5, graph, tree, state)
        ends = tree.members[tree.order]
        seen[
            frozenset((min(pair), max(pair)) for pair in zip(ends[1:], ends[tree.parent[1:]], strict=True))
        ] += 1
    expected = chances({unit: near(unit, graph).tolist() for unit in range(5)})
    assert sum(expected.values()) == 1
    assert len(expected) == 8
    assert seen.keys() == expected.keys()
    missed = sum(
        (seen[links] - trials * chance) ** 2 / (trials * chance) for links, chance in expected.items()
    )
    assert missed < 30  # chi-squared, 7 degrees of freedom: p = 1e-4


@settings(max_examples=30)
@given(cases(sides=5), st.integers(1, 3), st.integers(0, 2))
def test_sums_over_subtrees(case, p, b):
    labels = case[1]
    found, one, other, tree, units, _ = grown(case, p, b)
    for position, hanging in enumerate(below(found, tree)):
        within = [*hanging]
        np.testing.assert_allclose(tree.below[position], units.X[within].sum(axis=0), atol=1e-12)
        np.testing.assert_allclose(tree.under[position], units.amount[within].sum(axis=0), atol=1e-12)
        assert tree.size[position] == len(within)
        held = units.fixed[within]
        fixed = [int((held & (labels[within] == region)).sum()) for region in (one, other)]
        assert tree.fixed[position].tolist() == (fixed if one != other else [fixed[0], 0])


def possible_cuts(found, one, other, tree, units, limits, labels):
    """Cost of every cut that keeps fixed units of a region together, and those of two apart."""
    costs = {}
    everyone = tree.members[:found]
    for position, hanging in enumerate(below(found, tree)):
        side = np.isin(everyone, [*hanging]).astype(np.int64)
        fixed = [side[units.fixed[everyone] & (labels[everyone] == region)] for region in {one, other}]
        sides = [{*each.tolist()} for each in fixed if len(each)]
        if position == 0 or any(len(each) > 1 for each in sides) or (len(sides) > 1 and sides[0] == sides[1]):
            continue
        own = Units(units.X[everyone], units.amount[everyone], units.fixed[everyone])
        cost = within_sums(side, own.X, 2).sum() + limits.penalty * breaches(side, own, limits, 2).sum()
        costs[position] = cost
    return costs


@settings(max_examples=80)
@given(cases(sides=4), st.integers(1, 3), st.integers(0, 2), st.sampled_from([0.0, 0.3, 10.0]))
def test_the_cut_is_the_best_of_all_that_are_allowed(case, p, b, penalty):
    found, one, other, tree, units, limits = grown(case, p, b, penalty)
    costs = possible_cuts(found, one, other, tree, units, limits, case[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "ANY_CUT", 0.0)
        cut = kernels.choose_cut(found, tree, limits, np.array([1, 2]))
        if not costs:
            assert cut == -1
            return
        assert costs[cut] == pytest.approx(min(costs.values()), abs=1e-9)
        patch.setattr(kernels, "ANY_CUT", 1.0)
        assert kernels.choose_cut(found, tree, limits, np.array([1, 2])) in costs


def test_any_cut_keeps_fixed_units_of_a_region_together_and_those_of_two_apart(monkeypatch):
    """Two and three units of a path, whichever of them are fixed."""
    monkeypatch.setattr(kernels, "ANY_CUT", 1.0)
    graph, labels = graph_of(5, np.arange(4), np.arange(1, 5)), np.array([0, 0, 1, 1, 1])
    limits, state = Limits(np.zeros(0), np.zeros(0), 1.0), np.array([1, 2])
    for fixed in product([False, True], repeat=5):
        units = Units(np.zeros((5, 1)), np.zeros((5, 0)), np.array(fixed))
        tree = kernels.room_for_tree(units, graph)
        assert kernels.gather(0, 0, 1, labels, graph, tree) == 5
        tree.order[:], tree.parent[:] = np.arange(5), np.arange(-1, 4)
        kernels.sum_subtrees(5, 0, 1, labels, units, tree)
        allowed = possible_cuts(5, 0, 1, tree, units, limits, labels).keys()
        assert allowed >= {2}  # between the two regions
        assert {kernels.choose_cut(5, tree, limits, state) for _ in range(60)} == allowed


def test_seldom_any_cut_is_taken_each_as_likely():
    """A path of six units from end to end, of which one cut is best."""
    n, trials = 6, 4000
    graph = Graph(np.array([0, 1, 3, 5, 7, 9, 10]), np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 4]))
    units = Units(np.array([[-1.0], [-1], [-1], [1], [1], [1]]), np.zeros((n, 0)), np.zeros(n, dtype=bool))
    limits, labels, state = (
        Limits(np.zeros(0), np.zeros(0), 1.0),
        np.zeros(n, dtype=np.int64),
        np.array([1, 2]),
    )
    tree = kernels.room_for_tree(units, graph)
    kernels.gather(0, 0, 0, labels, graph, tree)
    tree.order[:], tree.parent[:] = np.arange(n), np.arange(-1, n - 1)
    kernels.sum_subtrees(n, 0, 0, labels, units, tree)
    taken = np.bincount([kernels.choose_cut(n, tree, limits, state) for _ in range(trials)], minlength=n)
    others = trials * kernels.ANY_CUT / 5
    assert 10 < others < trials / 10
    expected = np.array([others, others, trials - 4 * others, others, others])
    assert taken[0] == 0
    assert ((taken[1:] - expected) ** 2 / expected).sum() < 24  # chi-squared, 4 degrees of freedom: p = 1e-4
