"""Packing against all ways to cut a tree, and what must hold of regions packed anew."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from groupings import cases, graph_of, pieces_of, sums_of, two_regions
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels import pack as kernels
from regionalize.kernels.draws import initial_state
from regionalize.kernels.random_trees import gather, room_for_tree
from regionalize.kernels.regions import Limits, Units


def units_of(amount):
    """Units of which only amounts matter."""
    return Units(np.zeros((len(amount), 1)), np.array(amount, dtype=float), np.zeros(len(amount), dtype=bool))


def cut_along(parent, cuts):
    """The part of each position when the links above some positions are cut."""
    part = np.zeros(len(parent), dtype=np.int64)
    for position in range(1, len(parent)):
        part[position] = position if position in cuts else part[parent[position]]
    return part


def most_parts(parent, amount, lower):
    """As many parts as a tree can be cut into that all hold enough, by trying every way; 0 if none."""
    found = len(parent)
    for count in range(found, 0, -1):
        for cuts in combinations(range(1, found), count - 1):
            part = cut_along(parent, cuts)
            held = [amount[part == each].sum(axis=0) for each in np.unique(part)]
            if (np.array(held) >= lower).all():
                return count
    return 0


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 2))
def test_as_many_regions_are_closed_as_any_cuts_make(seed, n, b):
    rng = np.random.default_rng(seed)
    parent = np.array([-1, *(rng.integers(max(0, unit - 3), unit) for unit in range(1, n))])
    units = units_of(rng.integers(0, 4, size=(n + 1, b)))
    limits = Limits(rng.integers(1, 6, size=b).astype(float), np.full(b, np.inf), 1.0)
    tree = room_for_tree(units, graph_of(n + 1, parent[1:], np.arange(1, n)))
    tree.size[:] = rng.integers(0, 2, size=n + 1)  # as of a larger tree before
    tree.members[:n] = rng.permutation(n)  # the order of units, and that of places, are others
    tree.order[:n], tree.parent[:n] = rng.permutation(n), parent
    unit_at = tree.members[tree.order[:n]]
    amount = units.amount[unit_at]
    closed = kernels.close(n, units, limits, tree)
    assert closed == most_parts(parent, amount, limits.lower)
    if closed == 0:
        return
    region = tree.size[:n]
    assert sorted({*region.tolist()}) == list(range(closed))
    held = sums_of(region, amount, closed)
    assert (held >= limits.lower).all()
    tops = [at for at in range(n) if at == 0 or region[at] != region[parent[at]]]
    assert len(tops) == closed  # in one piece each
    np.testing.assert_allclose(tree.under[tops], held[region[tops]])


def excess(labels, amount, upper):
    return np.maximum(sums_of(labels, amount, labels.max() + 1) - upper, 0).sum()


@settings(max_examples=40)
@given(cases(sides=4), st.integers(1, 2))
def test_what_two_regions_hold_too_much(case, b):
    graph, labels, rng = case
    units = units_of(rng.integers(0, 4, size=(len(labels), b)))
    upper = np.where(rng.random(b) < 0.3, np.inf, rng.integers(0, 8, size=b))
    start, a, other = two_regions(labels, graph, rng)
    tree = room_for_tree(units, graph)
    found = gather(start, a, other, labels, graph, tree)
    expected = [
        np.maximum(units.amount[labels == region].sum(axis=0) - upper, 0).sum() for region in {a, other}
    ]
    limits = Limits(np.zeros(b), upper, 1.0)
    assert kernels.too_much(found, a, other, labels, units, limits, tree) == sum(expected)


@settings(max_examples=60)
@given(cases(sides=4), st.integers(1, 2), st.integers(1, 9), st.booleans())
def test_packed_regions_are_whole_hold_enough_and_no_more_than_before(case, b, most, above):
    """From the connected components, as max-p begins, or with too little in some."""
    graph, labels, rng = case
    labels = labels.copy()
    units = units_of(rng.integers(0, 4, size=(len(labels), b)))
    lower = rng.integers(1, 5, size=b).astype(float)
    limits = Limits(lower, lower + 2 if above else np.full(b, np.inf), 1.0)
    start, count = labels.copy(), int(labels.max()) + 1
    most = max(most, count)
    begun = sums_of(start, units.amount, count)
    reached = kernels.pack(
        labels, count, most, initial_state((int(rng.integers(99)),)), 30, units, graph, limits
    )
    assert count <= reached <= most
    assert {*labels.tolist()} == set(range(reached))
    assert pieces_of(labels, graph) == reached
    held = sums_of(labels, units.amount, reached)
    few = (held < lower).any(axis=1)
    assert few.sum() <= (begun < lower).any(axis=1).sum()
    for region in np.flatnonzero(few):  # of what is packed none holds too little
        assert len({*start[labels == region]}) == 1
        assert np.array_equal(labels == region, start == start[labels == region][0])
    assert excess(labels, units.amount, limits.upper) <= excess(start, units.amount, limits.upper)


def test_a_path_is_packed_as_full_as_it_goes():
    """Twelve units, three to a region, whatever they begin with."""
    n = 12
    graph, units = graph_of(n, np.arange(n - 1), np.arange(1, n)), units_of(np.ones((n, 1)))
    limits = Limits(np.array([3.0]), np.array([np.inf]), 1.0)
    for most, start in ((4, np.zeros(n, dtype=int)), (9, np.repeat([1, 0], 6))):
        labels = start.astype(np.int64)
        count = kernels.pack(labels, start.max() + 1, most, np.array([1, 2]), 300, units, graph, limits)
        assert count == 4
        assert pieces_of(labels, graph) == count == len(np.unique(labels))
        assert np.bincount(labels).min() >= 3


def test_two_regions_with_much_to_spare_make_three():
    """Five units each, of which three are enough for one, but for rounding; move by move."""
    graph, units = graph_of(10, np.arange(9), np.arange(1, 10)), units_of(np.full((10, 1), 0.1))
    limits, found = Limits(np.array([0.3]), np.array([np.inf]), 1.0), []
    for seed in range(40):
        labels = np.repeat([0, 1], 5)
        found.append(kernels.pack(labels, 2, 3, initial_state((seed,)), 1, units, graph, limits))
        assert pieces_of(labels, graph) == found[-1] == len(np.unique(labels))
        assert np.bincount(labels).min() >= 3
    assert {*found} == {2, 3}


def test_no_excess_is_made_where_there_was_none():
    """Halves of a grid, packed again within what the larger one holds."""
    cell, changed = np.arange(16).reshape(4, 4), 0
    first, second = (np.r_[cell[:, part].ravel(), cell[part].ravel()] for part in (slice(3), slice(1, 4)))
    graph = graph_of(16, first, second)
    for seed in range(40):
        units = units_of(np.random.default_rng(seed).integers(1, 4, size=(16, 1)))
        labels = np.repeat([0, 1], 8)
        held = sums_of(labels, units.amount, 2)
        limits = Limits(0.35 * held.sum(axis=0), held.max(axis=0), 1.0)
        assert kernels.pack(labels, 2, 3, initial_state((seed,)), 30, units, graph, limits) == 2
        assert sums_of(labels, units.amount, 2).max() <= held.max()
        changed += len({*labels[:8].tolist()}) == 2
    assert changed > 10


def test_what_is_left_at_the_root_goes_to_the_region_that_hangs_on_it():
    """A path of three from its end: two and one more."""
    units, limits = units_of([[1], [1], [1]]), Limits(np.array([2.0]), np.array([np.inf]), 1.0)
    tree = room_for_tree(units, graph_of(3, np.arange(2), np.arange(1, 3)))
    tree.members[:], tree.order[:], tree.parent[:] = np.arange(3), np.arange(3), np.arange(-1, 2)
    assert kernels.close(3, units, limits, tree) == 1
    assert tree.size.tolist() == [0, 0, 0]
    assert tree.under[0].tolist() == [3]
    assert kernels.close(3, units, limits._replace(lower=np.array([4.0])), tree) == 0


def test_moves_take_every_link_and_are_no_more_than_asked(monkeypatch):
    """Regions of single units, none of which holds enough, or two: nothing changes."""
    asked = []
    monkeypatch.setattr(kernels, "gather", lambda *task: [asked.append(task[:3]), gather(*task)][1])
    units, limits = units_of(np.ones((5, 1))), Limits(np.array([9.0]), np.array([np.inf]), 1.0)
    graph, labels = graph_of(5, np.arange(3), np.arange(1, 4)), np.arange(5)
    assert kernels.pack(labels, 5, 6, np.array([1, 2]), 200, units, graph, limits) == 5
    assert len(asked) == 200
    assert {*asked} == {(0, 0, 1), (1, 1, 0), (1, 1, 2), (2, 2, 1), (2, 2, 3), (3, 3, 2), (4, 4, 4)}
    assert labels.tolist() == list(range(5))
