"""Minimum spanning forests in parts against the whole, and the whole against all forests there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.kernels import forest
from regionalize.kernels.compiler import compiles
from regionalize.kernels.components import components_of_links
from regionalize.kernels.forest import Links, joined_forests, minimum_forest
from regionalize.methods.tree_cuts import spanning_trees


@st.composite
def graphs(draw, most=40):
    """Links with many equal lengths, several components, units without links, zeros."""
    n = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first, second = np.triu_indices(n, 1)
    there = rng.random(len(first)) < draw(st.sampled_from([0.05, 0.2, 1.0]))
    first, second = first[there], second[there]
    length = rng.integers(0, draw(st.sampled_from([1, 4, 1000])), len(first)).astype(float)
    return n, Links(first, second, length)


def as_set(links):
    return set(zip(*(column.tolist() for column in links), strict=True))


def is_forest(n, links):
    """Whether links close no circle: then they leave n minus their number of components."""
    return components_of_links(n, links.first, links.second).max(initial=-1) + 1 == n - len(links.first)


@given(graphs(most=6))
def test_of_all_spanning_forests_it_is_the_least_in_the_order_of_ties(graph):
    n, links = graph
    if len(links.first) > 12:
        links = links.take(np.arange(12))
    order = sorted(
        range(len(links.first)), key=lambda at: (links.length[at], links.first[at], links.second[at])
    )
    rank = {at: number for number, at in enumerate(order)}
    found = minimum_forest(*links, n)
    everything = components_of_links(n, links.first, links.second).max() + 1
    spanning = [
        sorted(rank[at] for at in chosen)
        for chosen in combinations(range(len(order)), n - everything)
        if is_forest(n, links.take(np.array(chosen, dtype=np.int64)))
    ]
    assert [rank[at] for at in found.tolist()] == min(spanning)
    least = min(sum(links.length[order[number]] for number in one) for one in spanning)
    assert links.length[found].sum() == least


@given(graphs(), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_forests_of_parts_join_to_the_forest_of_all(graph, count, seed):
    n, links = graph
    rng = np.random.default_rng(seed)
    whole = as_set(links.take(minimum_forest(*links, n)))
    tile = rng.integers(0, count, n)
    parts = []
    for number in range(count):  # a link across two tiles is in both, as where both see their halo
        mine = (tile[links.first] == number) | (tile[links.second] == number)
        parts.append(joined_forests([links.take(rng.permutation(np.flatnonzero(mine)))]))
    for part in parts:
        assert len(part.first) < max(len(np.unique([part.first, part.second])), 1)
    assert as_set(joined_forests(parts)) == whole
    while len(parts) > 1:  # in pairs, in any order
        one, two, *parts = (parts[at] for at in rng.permutation(len(parts)))
        parts.append(joined_forests([one, two]))
    assert as_set(parts[0]) == whole
    assert is_forest(n, parts[0])


@given(graphs())
def test_it_is_the_forest_that_skater_cuts(graph):
    n, links = graph
    _, _, chosen = spanning_trees(n, *links)
    joined = joined_forests([links])
    assert as_set(links.take(chosen)) == as_set(joined)
    for one, other in zip(links.take(chosen), joined, strict=True):  # and in the same order
        assert one.tolist() == other.tolist()


@pytest.mark.skipif(not compiles(), reason="there is no compiler, so both would be the same")
def test_the_compiler_changes_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    ends = np.sort(rng.integers(0, 500, (4000, 2)), axis=1)
    ends = ends[ends[:, 0] < ends[:, 1]]
    links = Links(ends[:, 0], ends[:, 1], rng.integers(0, 20, len(ends)).astype(float))
    plain = minimum_forest(*links, 500)
    monkeypatch.setattr(forest, "COMPILED_LINKS", 0)
    assert minimum_forest(*links, 500).tolist() == plain.tolist()


def test_nothing_to_join():
    assert as_set(joined_forests([])) == set()
    nothing = joined_forests([])
    assert as_set(joined_forests([nothing, nothing])) == set()
    assert [column.dtype for column in nothing] == [np.int64, np.int64, np.float64]


def test_row_numbers_may_be_as_large_as_they_like():
    far = 10**15
    part = Links(np.array([1, 1]), np.array([far, far + 1]), np.array([1.0, 1.0]))
    again = Links(np.array([far]), np.array([far + 1]), np.array([1.0]))
    assert as_set(joined_forests([part, again])) == {(1, far, 1.0), (1, far + 1, 1.0)}
