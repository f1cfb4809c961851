"""SKATER against trying every cut, GeoDa's labels, and its own promises."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import graphs, pieces, reordered, same_partition, within

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.compiler import compiled
from regionalize.kernels.trees import lay_out, room_in_subtrees, spanning_forest
from regionalize.methods import tree_cuts
from regionalize.methods.contiguous_links import contiguous_links
from regionalize.methods.skater import skater
from regionalize.model.bounds import Bound
from regionalize.model.weights import Weights

tied_graphs = graphs(side=5, levels=(2, 5, 1000))


def tree_of(X, weights):
    """Ends of the links of the minimum spanning forest, by the package."""
    first, second = contiguous_links(weights)
    length = np.sqrt(((X[first] - X[second]) ** 2).sum(axis=1))
    links = tree_cuts.spanning_trees(len(X), first, second, length)[2]
    return first, second, length, links


def by_trying_every_cut(X, edges, k, amount, lower):
    """Cut link by link, each time trying all that are left, every sum computed afresh."""
    n, edges = len(X), list(edges)

    def parts(left):
        a, b = np.array([edge[0] for edge in left], int), np.array([edge[1] for edge in left], int)
        links = scipy.sparse.csr_array((np.ones(len(left)), (a, b)), shape=(n, n))
        return scipy.sparse.csgraph.connected_components(links, directed=False)

    count, labels = parts(edges)
    while count < k:
        tried = []
        for edge in edges:
            left = [other for other in edges if other != edge]
            _, cut = parts(left)
            sides = cut[edge[0]], cut[edge[1]]
            if min(amount[cut == side].sum() for side in sides) >= lower:
                tried.append((within(X, cut), left, cut))
        if not tried:
            return None
        _, edges, labels = min(tried, key=lambda one: one[0])
        count += 1
    return labels


@given(tied_graphs, st.integers(1, 6), st.sampled_from([0, 2, 3]))
@settings(max_examples=120)
def test_every_cut_is_the_best_of_all(graph, k, lower):
    X, weights = graph
    amount = np.ones(len(X))
    bounds = (Bound("units", amount, lower=lower),) if lower else ()
    first, second, _, links = tree_of(X, weights)
    expected = by_trying_every_cut(X, zip(first[links], second[links], strict=True), k, amount, lower)
    feasible = (
        expected is not None and weights.n_components <= k <= len(X) and np.bincount(expected).min() >= lower
    )
    try:
        labels = skater(X, k, weights=weights, bounds=bounds)
    except (InfeasibleError, UsageError):
        assert not feasible
        return
    assert set(labels.tolist()) == set(range(k))
    assert pieces(labels, weights) == k
    assert np.bincount(labels).min() >= lower
    if not feasible:  # by cuts of the tree, but mended
        return
    # where two cuts are equally good the next ones may differ, so only untied values are compared
    if len(np.unique(X[:, 0])) == len(X):
        assert within(X, labels) == pytest.approx(within(X, expected), abs=1e-9)


@given(tied_graphs)
@settings(max_examples=60)
def test_the_forest_is_minimal_and_spans(graph):
    X, weights = graph
    first, second, length, links = tree_of(X, weights)
    assert len(links) == len(X) - weights.n_components
    shifted = scipy.sparse.csr_array((length + 1, (first, second)), shape=(len(X),) * 2)  # SciPy drops zeros
    theirs = scipy.sparse.csgraph.minimum_spanning_tree(shifted).sum() - len(links)
    assert length[links].sum() == pytest.approx(theirs, abs=1e-9)


@given(tied_graphs)
@settings(max_examples=60)
def test_plain_and_compiled_kernels_agree_and_subtrees_are_runs(graph):
    X, weights = graph
    first, second = contiguous_links(weights)
    chosen = spanning_forest(first, second, len(X))
    assert np.array_equal(compiled(spanning_forest)(first, second, len(X)), chosen)
    tree = Weights.from_links(
        len(X), np.r_[first[chosen], second[chosen]], np.r_[second[chosen], first[chosen]], kind="tree"
    )
    units, size = lay_out(tree.indptr, tree.indices)
    again = compiled(lay_out)(tree.indptr, tree.indices)
    assert np.array_equal(units, again[0])
    assert np.array_equal(size, again[1])
    assert sorted(units.tolist()) == list(range(len(X)))
    for place in range(len(X)):
        run = np.isin(np.arange(len(X)), units[place : place + size[place]]).astype(int)
        inside = run == 1
        assert pieces(run, tree) - pieces(np.where(inside, -1, run), tree) >= 0
        crossing = (inside[first[chosen]] != inside[second[chosen]]).sum()
        assert crossing <= 1  # one link leads up, none for a root


@given(tied_graphs, st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=60)
def test_the_order_of_rows_changes_nothing_where_nothing_is_tied(graph, k, seed):
    X, weights = graph
    rng = np.random.default_rng(seed)
    X = rng.normal(size=X.shape)
    if not weights.n_components <= k <= len(X):
        return
    order = rng.permutation(len(X))
    labels = np.empty(len(X), dtype=np.int64)
    labels[order] = skater(X[order], k, weights=reordered(weights, order))
    assert same_partition(labels, skater(X, k, weights=weights))


def test_upper_bounds_are_kept_or_refused():
    X = np.arange(12.0)[:, None] ** 2
    path = Weights.from_links(12, np.arange(11), np.arange(1, 12), kind="path")
    labels = skater(X, 4, weights=path, bounds=(Bound("units", np.ones(12), upper=4),))
    assert np.bincount(labels).max() <= 4
    three = Weights.from_links(3, np.arange(2), np.arange(1, 3), kind="path")
    with pytest.raises(InfeasibleError, match=r"no way was found .* into 2 regions of at most 6 pop"):
        skater(np.arange(3.0)[:, None], 2, weights=three, bounds=(Bound("pop", np.full(3, 4.0), upper=6),))


def test_components_that_need_more_regions_than_k():
    pairs = Weights.from_links(6, np.array([0, 1, 3, 4]), np.array([1, 2, 4, 5]), kind="paths")
    bound = Bound("pop", np.array([4.0, 4, 4, 1, 1, 1]), upper=9)
    with pytest.raises(
        InfeasibleError, match="components need at least 3 regions of at most 9 pop, more than 2"
    ):
        skater(np.arange(6.0)[:, None], 2, weights=pairs, bounds=(bound,))
    labels = skater(np.arange(6.0)[:, None], 3, weights=pairs, bounds=(bound,))
    assert np.bincount(labels, bound.amount).max() <= 9


@given(tied_graphs, st.integers(1, 6), st.sampled_from([2, 3, 5, 9]))
@settings(max_examples=80)
def test_upper_bounds_are_kept_or_an_error(graph, k, upper):
    X, weights = graph
    try:
        labels = skater(X, k, weights=weights, bounds=(Bound("units", np.ones(len(X)), upper=upper),))
    except (InfeasibleError, UsageError):
        return
    assert set(labels.tolist()) == set(range(k))
    assert pieces(labels, weights) == k
    assert np.bincount(labels).max() <= upper


@st.composite
def trees(draw):
    n = draw(st.integers(1, 9))
    parents = [draw(st.integers(0, place - 1)) for place in range(1, n)]
    amount = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    weights = Weights.from_links(n, np.arange(1, n), np.array(parents, dtype=np.int64), kind="tree")
    return weights, np.arange(1, n), np.array(parents, dtype=int), amount


def all_cuts(n, first, second):
    """Labels of every way to take links of a tree away."""
    for taken in product((False, True), repeat=len(first)):
        kept = ~np.array(taken, dtype=bool)
        links = scipy.sparse.csr_array((np.ones(kept.sum()), (first[kept], second[kept])), shape=(n, n))
        yield scipy.sparse.csgraph.connected_components(links, directed=False)[1]


@given(trees(), st.integers(1, 5), st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=120)
def test_a_lower_bound_is_kept_whenever_the_tree_allows(tree, k, lower, seed):
    """Where cutting greedily ends short of k, other cuts are found: feasible by enumeration is feasible."""
    weights, first, second, amount = tree
    n = len(amount)
    held = [np.bincount(labels, amount) for labels in all_cuts(n, first, second)]
    most = max((len(sums) for sums in held if sums.min() >= lower), default=0)
    feasible = k <= most
    X = np.random.default_rng(seed).normal(size=(n, 2))
    bound = Bound("pop", amount, lower=lower)
    if not feasible:
        with pytest.raises((InfeasibleError, UsageError)):
            skater(X, k, weights=weights, bounds=(bound,))
        return
    labels = skater(X, k, weights=weights, bounds=(bound,))
    assert len(np.unique(labels)) == k
    assert np.bincount(labels, amount).min() >= lower


@given(trees(), st.integers(1, 4))
@settings(max_examples=80)
def test_room_in_subtrees_by_enumeration(tree, lower):
    weights, _, _, amount = tree
    both = Weights.from_links(
        len(amount), np.r_[weights.row, weights.indices], np.r_[weights.indices, weights.row], kind="tree"
    )
    units, size = lay_out(both.indptr, both.indices)
    least = np.array([float(lower)])
    inside, outside = room_in_subtrees(size, amount[units, None], least)
    again = compiled(room_in_subtrees)(size, amount[units, None], least)
    assert np.array_equal(inside, again[0])
    assert np.array_equal(outside, again[1])
    for place in range(len(units)):
        run = units[place : place + size[place]]
        for members, found in ((run, inside[place]), (np.setdiff1d(units, run), outside[place])):
            assert found == most_regions(members, weights, amount, lower)


def most_regions(members, weights, amount, lower):
    """Most regions that hold enough, by trying every way to cut what the members span."""
    if not len(members):
        return 0
    place = {unit: number for number, unit in enumerate(members.tolist())}
    ends = [
        (place[a], place[b])
        for a, b in zip(weights.row.tolist(), weights.indices.tolist(), strict=True)
        if a in place and b in place
    ]
    first, second = np.array([a for a, _ in ends], int), np.array([b for _, b in ends], int)
    sums = [np.bincount(labels, amount[members]) for labels in all_cuts(len(members), first, second)]
    return max((len(held) for held in sums if held.min() >= lower), default=0)


def test_too_few_regions_are_said():
    weights = Weights.from_links(5, np.array([0, 2]), np.array([1, 3]), kind="pairs")
    with pytest.raises(InfeasibleError, match=r"3 components \(1 of them single units .* at least 3 regions"):
        skater(np.zeros((5, 1)), 2, weights=weights)
    assert skater(np.zeros((5, 1)), 3, weights=weights).tolist() == [0, 0, 1, 1, 2]
    star = Weights.from_links(4, np.zeros(3, int), np.arange(1, 4), kind="star")
    with pytest.raises(InfeasibleError, match="cut into at most 1 regions of at least 2 units, not 2"):
        skater(np.arange(4.0)[:, None], 2, weights=star, bounds=(Bound("units", np.ones(4), lower=2),))


def test_the_partitions_of_geoda(departments, shared_reference):
    """Guerry by queen contiguity: every partition by skater in the reference file."""
    from regionalize.features.transforms import transform

    frame, values, weights = departments
    runs = [run for run in shared_reference["results"] if run["method"] == "skater"]
    runs = [run for run in runs if "distance_method" not in run["params"]]  # Manhattan, which is not offered
    assert len(runs) == 13
    for run in runs:
        params = run["params"]
        name = params.get("scale_method", "standardize")
        X = transform(values, {"standardize": "z"}.get(name, name.replace("_", "-")))
        bounds = ()
        if "min_bound" in params:
            amount = frame[params["bound_variable"]].to_numpy(float)
            bounds = (Bound(params["bound_variable"], amount, lower=params["min_bound"]),)
        labels = skater(X, run["k"], weights=weights, bounds=bounds)
        assert same_partition(labels, np.array(run["labels"])), params
        Z = transform(values, "z")  # the reference measures every run on these
        assert 1 - within(Z, labels) / run["TSS"] == pytest.approx(run["ratio"], abs=1e-9)
