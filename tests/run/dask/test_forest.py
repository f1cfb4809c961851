"""SKATER over Dask against SKATER in one process: the same tree, the same regions."""

from __future__ import annotations

import os
import signal
from itertools import pairwise

import numpy as np
import pytest

from regionalize.errors import InfeasibleError, UsageError
from regionalize.io.read import read_layer
from regionalize.methods.skater import skater
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.tile_links import TileLinks
from regionalize.model.weights import Weights
from regionalize.run.dask import forest
from regionalize.run.dask.forest import forest_in_parts, skater_in_parts
from regionalize.run.dask.neighbours import weights_in_parts
from regionalize.run.dask.smoothing import smooth_in_parts
from regionalize.weights import build_weights


def grid(side):
    """Units of a square grid, numbered at random."""
    rows = np.random.default_rng(side).permutation(side * side).reshape(side, side)
    first = np.concatenate([rows[:, :-1].ravel(), rows[:-1].ravel()])
    second = np.concatenate([rows[:, 1:].ravel(), rows[1:].ravel()])
    both = np.concatenate([first, second]), np.concatenate([second, first])
    return Weights.from_links(side * side, *both, kind="grid")


def links_of(weights, start, stop):
    indptr = weights.indptr[start : stop + 1]
    return TileLinks(indptr - indptr[0], weights.indices[indptr[0] : indptr[-1]])


def rows_of(values, start, stop):
    return values[start:stop]


def sent(client, what, function, cuts):
    """Cut rows into parts on the workers, who can do it again."""
    return [client.submit(function, what, *ends) for ends in pairwise([0, *cuts, len(what)])]


@pytest.mark.parametrize("cuts", [[], [130, 250], [0, 1, 1, 399], list(range(40, 400, 40))])
@pytest.mark.parametrize("ties", [False, True])
def test_the_tree_and_its_regions_are_those_of_one_process(client, cuts, ties):
    weights, rng = grid(20), np.random.default_rng(7)
    X = rng.integers(0, 3, (400, 2)).astype(float) if ties else rng.normal(size=(400, 3))
    if ties:  # one way only, and some units alone
        there = (weights.row < weights.indices) & (weights.row % 41 != 0) & (weights.indices % 41 != 0)
        weights = Weights.from_links(400, weights.row[there], weights.indices[there], kind="one way")
    counts = np.diff([0, *cuts, 400]).tolist()
    parts, links = sent(client, X, rows_of, cuts), sent(client, weights, links_of, cuts)
    k, here, there = weights.n_components + 8, Findings(), Findings()
    expected = skater(X, k, weights=weights, findings=here)
    assert skater_in_parts(client, parts, links, counts, k, findings=there).tolist() == expected.tolist()
    assert there.tree.tolist() == here.tree.tolist()
    if not ties:
        bound = Bound("units", np.ones(400), lower=20)
        found = skater_in_parts(client, parts, links, counts, k, bounds=(bound,))
        assert found.tolist() == skater(X, k, weights=weights, bounds=(bound,)).tolist()


def test_from_a_file_to_regions(client, shared_data):
    """Contiguity, smoothing, distances and tree, all in parts."""
    from regionalize.features.smoothing import smooth

    layer = read_layer(shared_data("natregimes/natregimes.shp"))
    X = np.random.default_rng(0).normal(size=(len(layer), 3))
    cuts = [1000, 2200]
    counts = np.diff([0, *cuts, len(layer)]).tolist()
    geometry = [client.submit(_slice, layer.wkb, *ends) for ends in pairwise([0, *cuts, len(layer)])]
    links = weights_in_parts(client, geometry, counts, "queen")
    parts = smooth_in_parts(client, sent(client, X, rows_of, cuts), links, counts, hops=2)
    weights = build_weights(layer, "queen")
    expected = skater(smooth(X, weights, 2), 12, weights=weights)
    assert skater_in_parts(client, parts, links, counts, 12).tolist() == expected.tolist()


def _slice(wkb, start, stop):
    return wkb.slice(start, stop - start)


def test_a_worker_that_dies_changes_nothing(client):
    weights, X = grid(15), np.random.default_rng(8).normal(size=(225, 2))
    parts, links = sent(client, X, rows_of, [60, 150]), sent(client, weights, links_of, [60, 150])
    client.gather(links[0])
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    found = skater_in_parts(client, parts, links, [60, 90, 75], 6)
    assert found.tolist() == skater(X, 6, weights=weights).tolist()
    client.wait_for_workers(2)


def test_what_cannot_be_is_refused(client, monkeypatch):
    weights, X = grid(5), np.zeros((25, 1))
    there = (weights.row != 3) & (weights.indices != 3)
    weights = Weights.from_links(25, weights.row[there], weights.indices[there], kind="grid")
    given = client, sent(client, X, rows_of, [9]), sent(client, weights, links_of, [9]), [9, 16]
    with pytest.raises(InfeasibleError, match=r"2 components .1 of them single"):
        skater_in_parts(*given, 1)
    with pytest.raises(UsageError, match="only 25 rows"):
        skater_in_parts(*given, 26)
    monkeypatch.setattr(forest, "PER_UNIT", 10**15)
    with pytest.raises(InfeasibleError, match=r"the tree of 25 units with 1 variables takes .* GB"):
        skater_in_parts(*given, 4)


def test_no_more_links_travel_than_there_are_rows_and_halo(client):
    """Of a dense graph, only a forest leaves each part."""
    n = 60
    pairs = np.nonzero(~np.eye(n, dtype=bool))
    weights = Weights.from_links(n, *pairs, kind="all")
    X = np.random.default_rng(2).normal(size=(n, 2))
    parts, links = sent(client, X, rows_of, [20, 40]), sent(client, weights, links_of, [20, 40])
    exchange = forest.forest_of(X[:20], links_of(weights, 0, 20), 0, np.arange(20, n), X[20:])
    assert len(exchange.first) == n - 1
    assert len(forest_in_parts(client, parts, links, [20, 20, 20]).first) == n - 1
