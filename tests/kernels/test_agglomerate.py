"""Joining neighbours, against joining with everything measured afresh at every step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from regionalize.kernels.agglomerate import agglomerate, join_in_order
from regionalize.kernels.compiler import compiled
from regionalize.kernels.heap import rise, sink
from regionalize.kernels.linkage import AVERAGE, COMPLETE, SINGLE, WARD, compare_runs, compare_units

LINKAGES = (WARD, SINGLE, COMPLETE, AVERAGE)


@st.composite
def layers(draw):
    """A grid with some links taken away (so islands and components), and values, often tied."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    cell = np.arange(rows * columns).reshape(rows, columns)
    first = np.concatenate([cell[:, :-1].ravel(), cell[:-1].ravel(), cell[:-1, :-1].ravel()])
    second = np.concatenate([cell[:, 1:].ravel(), cell[1:].ravel(), cell[1:, 1:].ravel()])
    kept = rng.random(len(first)) < draw(st.sampled_from([1.0, 0.8, 0.4]))
    order = rng.permutation(int(kept.sum()))
    p = draw(st.integers(1, 5))
    X = rng.integers(0, draw(st.sampled_from([2, 5, 100_000])), size=(cell.size, p)).astype(float)
    return X, first[kept][order], second[kept][order]


def joins_of(
    X, first, second, linkage, *, bordering=False, start=None, amount=None, most=(), run=agglomerate
):
    """Run the kernel on units, or on runs of units that begin at `start`."""
    start = np.arange(len(X) + 1) if start is None else start
    length = np.sqrt(((X[first] - X[second]) ** 2).sum(axis=1)) if bordering else np.zeros(len(first))
    gap = length**2 if linkage == WARD else length
    amount = np.zeros((len(start) - 1, 0)) if amount is None else amount
    return run(
        np.ascontiguousarray(X.T),
        start,
        first,
        second,
        gap,
        np.ones(len(first)),
        linkage,
        bordering,
        amount,
        np.array(most, dtype=float),
    )


def over_all_pairs(A, B, linkage):
    """Return the difference of two clusters by definition: Ward's, twice the rise of the sum of squares."""
    if linkage == WARD:
        both = np.concatenate([A, B])
        rise_of = [((part - part.mean(axis=0)) ** 2).sum() for part in (both, A, B)]
        return 2 * (rise_of[0] - rise_of[1] - rise_of[2])
    apart = cdist(A, B)
    return {SINGLE: apart.min() ** 2, COMPLETE: apart.max() ** 2, AVERAGE: apart.mean()}[linkage]


def over_links(X, A, B, links, linkage):
    """Return the same over the links (pairs of units) between two clusters alone."""
    length = np.array([np.linalg.norm(X[u] - X[v]) for u, v in links])
    if linkage == WARD:
        return 2 * len(A) * len(B) / (len(A) + len(B)) * (length**2).mean()
    return {SINGLE: length.min(), COMPLETE: length.max(), AVERAGE: length.mean()}[linkage]


def check_step_by_step(X, members, first, second, found, linkage, bordering, holds=None):
    """Replay the joins: each must be of a least different pair of neighbours, and the last leave none."""
    clusters = dict(enumerate(members))
    pairs, difference, link = found

    def candidates():
        between = {}
        owner = {unit: node for node, units in clusters.items() for unit in units}
        for number, (u, v) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
            a, b = sorted((owner[u], owner[v]))
            if a != b:
                between.setdefault((a, b), []).append(number)
        return {pair: ends for pair, ends in between.items() if holds is None or holds(clusters, pair)}

    def measured(pair, numbers):
        A, B = (clusters[node] for node in pair)
        if bordering:
            ends = [(first[number], second[number]) for number in numbers]
            return over_links(X, A, B, ends, linkage)
        return over_all_pairs(X[A], X[B], linkage)

    scale = max(np.abs(X).max(), 1.0) ** 2 * 1e-9
    for step, pair in enumerate(map(tuple, pairs.tolist())):
        open_pairs = candidates()
        least = min(measured(*item) for item in open_pairs.items())
        assert pair in open_pairs
        assert link[step] == min(open_pairs[pair])
        assert measured(pair, open_pairs[pair]) == pytest.approx(difference[step], rel=1e-9, abs=scale)
        assert difference[step] == pytest.approx(least, rel=1e-9, abs=scale)
        clusters[len(members) + step] = clusters.pop(pair[0]) + clusters.pop(pair[1])
    assert not candidates()


@pytest.mark.parametrize("bordering", [False, True])
@pytest.mark.parametrize("linkage", LINKAGES)
@given(layer=layers())
@settings(max_examples=30)
def test_every_join_is_of_the_least_different_neighbours(linkage, bordering, layer):
    X, first, second = layer
    found = joins_of(X, first, second, linkage, bordering=bordering)
    check_step_by_step(X, [[unit] for unit in range(len(X))], first, second, found, linkage, bordering)


@pytest.mark.parametrize("linkage", LINKAGES)
@given(layer=layers(), seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_it_goes_on_from_clusters_of_several_units(linkage, layer, seed):
    X, first, second = layer
    cuts = np.flatnonzero(np.random.default_rng(seed).random(len(X)) < 0.5)
    start = np.unique(np.r_[0, cuts, len(X)])
    cluster = np.repeat(np.arange(len(start) - 1), np.diff(start))
    key = np.minimum(cluster[first], cluster[second]) * len(X) + np.maximum(cluster[first], cluster[second])
    _, kept = np.unique(key, return_index=True)
    kept = np.sort(kept[cluster[first[kept]] != cluster[second[kept]]])
    found = joins_of(X, cluster[first[kept]], cluster[second[kept]], linkage, start=start)
    members = [list(range(*run)) for run in zip(start[:-1].tolist(), start[1:].tolist(), strict=True)]
    check_step_by_step(X, members, first[kept], second[kept], found, linkage, bordering=False)


@given(layer=layers(), upper=st.integers(1, 8), linkage=st.sampled_from(LINKAGES), seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_nothing_is_joined_beyond_the_bounds(layer, upper, linkage, seed):
    X, first, second = layer
    amount = np.random.default_rng(seed).integers(0, 4, size=(len(X), 2)).astype(float)

    def holds(clusters, pair):
        both = amount[[unit for node in pair for unit in clusters[node]]].sum(axis=0)
        return (both <= [upper, upper + 1]).all()

    found = joins_of(X, first, second, linkage, amount=amount, most=(upper, upper + 1))
    members = [[unit] for unit in range(len(X))]
    check_step_by_step(X, members, first, second, found, linkage, bordering=False, holds=holds)


@given(layer=layers())
@settings(max_examples=40)
def test_plain_and_compiled_agree_to_the_last_bit(layer):
    X, first, second = layer
    X = X + np.random.default_rng(0).random(X.shape)
    for linkage in LINKAGES:
        for bordering in (False, True):
            plain = joins_of(X, first, second, linkage, bordering=bordering)
            fast = joins_of(X, first, second, linkage, bordering=bordering, run=compiled(agglomerate))
            for ours, theirs in zip(plain, fast, strict=True):
                assert np.array_equal(ours, theirs)


@given(layer=layers())
@settings(max_examples=40)
def test_single_linkage_over_links_is_joining_in_the_order_of_length(layer):
    X, first, second = layer
    order = np.argsort(((X[first] - X[second]) ** 2).sum(axis=1), kind="stable")
    first, second = first[order], second[order]
    pairs, link = join_in_order(first, second, len(X))
    expected, _, chosen = joins_of(X, first, second, SINGLE, bordering=True)
    assert np.array_equal(pairs, expected)
    assert np.array_equal(link, chosen)
    for ours, theirs in zip(compiled(join_in_order)(first, second, len(X)), (pairs, link), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("linkage", [SINGLE, COMPLETE, AVERAGE])
def test_a_pair_of_units_is_a_pair_of_runs_of_one(linkage):
    rows = np.random.default_rng(7).normal(size=(40, 8))
    pool, reach = with_norms(rows.T)
    for known in (np.inf if linkage == SINGLE else 0.0, 3.0):
        for one, other in np.random.default_rng(8).integers(0, 40, size=(50, 2)):
            by_runs = compare_runs(pool, one, 1, other, 1, linkage, known, reach)
            assert compare_units(rows, one, other, linkage, known) == by_runs
            assert compiled(compare_units)(rows, one, other, linkage, known) == by_runs


def with_norms(values):
    """Return a pool with its last row, and how far the farthest unit is from the origin."""
    norm = np.sqrt((values**2).sum(axis=0))
    return np.concatenate([values, norm[None]]), norm.max()


@pytest.mark.parametrize("linkage", [SINGLE, COMPLETE, AVERAGE])
def test_runs_longer_than_a_strip(linkage):
    rng = np.random.default_rng(4)
    values = np.zeros((8, 1000))
    values[:6] = rng.normal(size=(6, 1000))
    pool, reach = with_norms(values)
    for ones, others in ((700, 3), (2, 300), (1, 1), (257, 257), (1, 256)):
        apart = cdist(pool[:8, :ones].T, pool[:8, ones : ones + others].T)
        expected = {SINGLE: apart.min() ** 2, COMPLETE: apart.max() ** 2, AVERAGE: apart.sum()}[linkage]
        known = np.inf if linkage == SINGLE else 0.0
        found = compiled(compare_runs)(pool, 0, ones, ones, others, linkage, known, reach)
        assert found == pytest.approx(expected, rel=1e-12)
        before = {SINGLE: 1e-6, COMPLETE: 1e6, AVERAGE: 5.0}[linkage]
        again = compiled(compare_runs)(pool, 0, ones, ones, others, linkage, before, reach)
        assert again == pytest.approx({AVERAGE: expected + 5.0}.get(linkage, before), rel=1e-12)
        almost = apart.max() ** 2 * (1 - 1e-12)  # passing units over must not lose the greatest
        if linkage == COMPLETE:
            exact = compiled(compare_runs)(pool, 0, ones, ones, others, linkage, 0.0, reach)
            assert compiled(compare_runs)(pool, 0, ones, ones, others, linkage, almost, reach) == exact


def test_units_passed_over_are_none_of_the_farthest():
    """Two units opposite each other as seen from the origin: the bound is met to the last bit."""
    pool, reach = with_norms(np.array([[1.1, -1.1, 0.3], [0.0, 0, 0], [0, 0, 0], [0, 0, 0]]))
    for known in (0.0, 4.84 * (1 - 1e-15), 4.84 * (1 - 1e-9)):
        assert compare_runs(pool, 0, 1, 1, 2, COMPLETE, known, reach) == (pool[0, 0] - pool[0, 1]) ** 2


@pytest.mark.parametrize("linkage", LINKAGES)
def test_a_large_layer_grows_out_of_its_room(linkage):
    """Clusters are moved and the pool is closed up several times; sums over all pairs must still be right."""
    rng = np.random.default_rng(9)
    side = 40
    cell = np.arange(side * side).reshape(side, side)
    first = np.concatenate([cell[:, :-1].ravel(), cell[:-1].ravel()])
    second = np.concatenate([cell[:, 1:].ravel(), cell[1:].ravel()])
    X = rng.normal(size=(side * side, 3))
    pairs, difference, _ = joins_of(X, first, second, linkage, run=compiled(agglomerate))
    clusters = {unit: [unit] for unit in range(len(X))}
    for step, (a, b) in enumerate(pairs.tolist()):
        A, B = clusters.pop(a), clusters.pop(b)
        if len(A) + len(B) > 100 or step % 50 == 0:
            assert difference[step] == pytest.approx(over_all_pairs(X[A], X[B], linkage), rel=1e-9)
        clusters[len(X) + step] = A + B
    assert len(pairs) == len(X) - 1


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["add", "lower", "raise", "drop"])), max_size=60)
)
@settings(max_examples=100)
def test_the_heap_keeps_the_least_on_top(steps):
    key, heap, place = np.zeros(60), np.zeros(60, dtype=np.int64), np.full(60, -1)
    kept: dict[int, float] = {}
    added = 0
    for new, what in steps:
        if what == "add":
            kept[added] = float(new)
            rise(key, heap, place, len(kept) - 1, added, float(new))
            added += 1
        elif kept and what == "lower":
            item = sorted(kept)[new % len(kept)]
            kept[item] = min(kept[item], float(new))
            rise(key, heap, place, place[item], item, kept[item])
        elif kept and what == "raise":
            item = int(heap[0])
            kept[item] += new
            sink(key, heap, place, len(kept), item, kept[item])
        elif kept:
            last = len(kept) - 1
            del kept[int(heap[0])]
            if kept:
                sink(key, heap, place, last, heap[last], key[last])
        if kept:
            assert (key[0], heap[0]) == min((value, item) for item, value in kept.items())
            assert all(heap[place[item]] == item and key[place[item]] == kept[item] for item in kept)
