"""REDCAP against GeoDa's labels, SKATER, and its own promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import graphs, one_way, pieces, reordered, same_partition, within

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods.hierarchy import LINKAGES
from regionalize.methods.redcap import ORDERS, redcap
from regionalize.methods.schc import schc
from regionalize.methods.skater import skater
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.weights import Weights

every_order = pytest.mark.parametrize("order", ORDERS)
every_linkage = pytest.mark.parametrize("linkage", LINKAGES)
mixed_graphs = graphs(levels=(3, None))


@every_order
@every_linkage
@given(graph=mixed_graphs, k=st.integers(1, 10))
@settings(max_examples=25)
def test_k_regions_cut_out_of_a_tree_of_shortest_links(order, linkage, graph, k):
    X, weights = graph
    n = len(X)
    if not weights.n_components <= k <= n:
        with pytest.raises((InfeasibleError, UsageError)):
            redcap(X, k, weights=weights, order=order, linkage=linkage)
        return
    findings = Findings()
    labels = redcap(X, k, weights=weights, order=order, linkage=linkage, findings=findings)
    assert set(labels.tolist()) == set(range(k))
    tree, merges = findings.tree, findings.merges
    assert len(tree) == len(merges) == n - weights.n_components
    assert pieces(np.zeros(n), one_way(n, tree)) == weights.n_components
    assert pieces(labels, one_way(n, tree)) == k  # only tree links were cut
    neighbors = {*zip(weights.row.tolist(), weights.indices.tolist(), strict=True)}
    clusters = {unit: [unit] for unit in range(n)}
    for step, (a, b, _) in enumerate(merges.tolist()):
        A, B = clusters.pop(int(a)), clusters.pop(int(b))
        between = [(u, v) for u in A for v in B if (u, v) in neighbors or (v, u) in neighbors]
        u, v = tree[step].tolist()
        assert (u, v) in between or (v, u) in between
        length = [np.linalg.norm(X[u] - X[v]) for u, v in between]
        assert np.linalg.norm(X[u] - X[v]) == pytest.approx(min(length), abs=1e-12)
        clusters[n + step] = A + B


@given(graph=mixed_graphs, k=st.integers(1, 8), lower=st.sampled_from([0, 2, 3]))
@settings(max_examples=60)
def test_first_order_single_linkage_is_skater(graph, k, lower):
    X, weights = graph
    bounds = (Bound("units", np.ones(len(X)), lower=lower),) if lower else ()
    theirs, ours = Findings(), Findings()
    try:
        expected = skater(X, k, weights=weights, bounds=bounds, findings=theirs)
    except (InfeasibleError, UsageError) as refused:
        with pytest.raises(type(refused)):
            redcap(X, k, weights=weights, order="first", linkage="single", bounds=bounds)
        return
    labels = redcap(X, k, weights=weights, order="first", linkage="single", bounds=bounds, findings=ours)
    assert np.array_equal(labels, expected)
    assert {*map(tuple, ours.tree.tolist())} == {*map(tuple, theirs.tree.tolist())}


@every_linkage
@given(graph=mixed_graphs)
@settings(max_examples=15)
def test_full_order_joins_as_schc_does(linkage, graph):
    X, weights = graph
    ours, theirs = Findings(), Findings()
    redcap(X, len(X), weights=weights, linkage=linkage, findings=ours)
    schc(X, len(X), weights=weights, linkage=linkage, findings=theirs)
    assert np.array_equal(ours.merges, theirs.merges)


@every_order
@every_linkage
@given(graph=mixed_graphs, k=st.integers(1, 6), lower=st.sampled_from([2, 3]), upper=st.sampled_from([5, 12]))
@settings(max_examples=25)
def test_bounds_are_kept_or_refused(order, linkage, graph, k, lower, upper):
    X, weights = graph
    bound = Bound("units", np.ones(len(X)), lower=lower, upper=upper)
    try:
        labels = redcap(X, k, weights=weights, order=order, linkage=linkage, bounds=(bound,))
    except (InfeasibleError, UsageError):
        return
    sizes = np.bincount(labels)
    assert len(sizes) == k
    assert lower <= sizes.min()
    assert sizes.max() <= upper


@every_order
@every_linkage
@given(graph=mixed_graphs, k=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_the_order_of_rows_changes_nothing_where_nothing_is_tied(order, linkage, graph, k, seed):
    weights = graph[1]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=graph[0].shape)
    if not weights.n_components <= k <= len(X):
        return
    rows = rng.permutation(len(X))
    labels = np.empty(len(X), dtype=np.int64)
    labels[rows] = redcap(X[rows], k, weights=reordered(weights, rows), order=order, linkage=linkage)
    assert same_partition(labels, redcap(X, k, weights=weights, order=order, linkage=linkage))


def test_what_there_is_not_is_said():
    weights = Weights.from_links(3, np.arange(2), np.arange(1, 3), kind="path")
    with pytest.raises(UsageError, match="no order 'second'"):
        redcap(np.zeros((3, 1)), 2, weights=weights, order="second")
    with pytest.raises(UsageError, match="no linkage 'median'"):
        redcap(np.zeros((3, 1)), 2, weights=weights, linkage="median")


def test_the_partitions_of_geoda(departments, shared_reference):
    """Guerry by queen contiguity: every partition by REDCAP in the reference file."""
    from regionalize.features.transforms import transform

    _, values, weights = departments
    runs = [run for run in shared_reference["results"] if run["method"] == "redcap"]
    assert len(runs) == 30
    Z = transform(values, "z")
    for run in runs:
        order, linkage = run["params"]["method"].split("-")
        labels = redcap(
            Z,
            run["k"],
            weights=weights,
            order=order.removesuffix("order"),
            linkage=linkage.removesuffix("linkage"),
        )
        assert same_partition(labels, np.array(run["labels"])), run["params"]
        assert 1 - within(Z, labels) / run["TSS"] == pytest.approx(run["ratio"], abs=1e-9)
