"""Smoothing over Dask against the smoothing of all rows in one process."""

from __future__ import annotations

import os
import signal
from itertools import pairwise

import numpy as np
import pytest

from regionalize.errors import UsageError
from regionalize.features.smoothing import SMOOTH_MODES, restricted, smooth
from regionalize.model.tile_links import TileLinks
from regionalize.model.weights import Weights
from regionalize.run.dask.smoothing import smooth_in_parts

N = 300


def random_weights(n=N, seed=0, kind="test"):
    """Make links at random among rows anywhere, some rows islands."""
    rng = np.random.default_rng(seed)
    row, neighbor = rng.integers(0, n, (2, 4 * n))
    lonely = rng.random(n) < 0.1
    there = ~(lonely[row] | lonely[neighbor])
    return Weights.from_links(n, row[there], neighbor[there], rng.uniform(0.1, 5, there.sum()), kind=kind)


def links_of(weights, start, stop):
    indptr = weights.indptr[start : stop + 1]
    links = slice(indptr[0], indptr[-1])
    return TileLinks(indptr - indptr[0], weights.indices[links], weights.values[links])


def rows_of(values, start, stop):
    return values[start:stop]


def sent(client, what, function, cuts):
    """Cut rows into parts on the workers, who can do it again."""
    return [client.submit(function, what, *ends) for ends in pairwise([0, *cuts, len(what)])]


@pytest.mark.parametrize("cuts", [[], [100, 220], [0, 1, 150, 150, 299]])
@pytest.mark.parametrize("mode", SMOOTH_MODES)
def test_hops_in_parts_are_hops_of_all_rows(client, mode, cuts):
    weights, rng = random_weights(), np.random.default_rng(1)
    values, points = rng.normal(size=(N, 3)), rng.uniform([-180, -80], [180, 80], (N, 2))
    counts = np.diff([0, *cuts, N]).tolist()
    parts, links = sent(client, values, rows_of, cuts), sent(client, weights, links_of, cuts)
    where = sent(client, points, rows_of, cuts)
    for hops, alpha, sphere in ((1, 0.5, False), (4, 0.2, True), (0, 0.5, False), (2, 1.0, False)):
        found = smooth_in_parts(
            client, parts, links, counts, hops=hops, alpha=alpha, mode=mode, coordinates=where, sphere=sphere
        )
        expected = smooth(values, weights, hops, alpha, mode, coordinates=points, sphere=sphere)
        found = np.concatenate(client.gather(found))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
        islands = weights.degree == 0
        assert (found[islands] == values[islands]).all()


def test_rows_left_out_take_no_part(client):
    weights, rng = random_weights(seed=4, kind="roads.gwt"), np.random.default_rng(2)
    values, used = rng.normal(size=(N, 2)), rng.random(N) < 0.7
    values[~used] = np.nan
    cuts, rows = [90, 200], np.flatnonzero(used)
    parts, links = sent(client, values, rows_of, cuts), sent(client, weights, links_of, cuts)
    found = smooth_in_parts(
        client,
        parts,
        links,
        [90, 110, 100],
        hops=3,
        kind=weights.kind,
        used=sent(client, used, rows_of, cuts),
    )
    found = np.concatenate(client.gather(found))
    np.testing.assert_allclose(found[rows], smooth(values[rows], restricted(weights, rows), 3), rtol=1e-12)
    assert np.isnan(found[~used]).all()


@pytest.mark.slow  # test_forest has one that dies over the same exchange of rows
def test_a_worker_that_dies_between_hops_changes_nothing(client):
    weights, values = random_weights(seed=5), np.random.default_rng(3).normal(size=(N, 2))
    cuts = [70, 140, 210]
    parts, links = sent(client, values, rows_of, cuts), sent(client, weights, links_of, cuts)
    once = smooth_in_parts(client, parts, links, [70, 70, 70, 90], hops=2)
    client.gather(once[0])
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    twice = smooth_in_parts(client, once, links, [70, 70, 70, 90], hops=3)
    found = np.concatenate(client.gather(twice))
    np.testing.assert_allclose(found, smooth(values, weights, 5), rtol=1e-11, atol=1e-12)
    client.wait_for_workers(2)


def test_what_cannot_be_meant(client):
    with pytest.raises(UsageError, match="unknown mode"):
        smooth_in_parts(client, [], [], [], hops=1, mode="median")
    with pytest.raises(UsageError, match="negative"):
        smooth_in_parts(client, [], [], [], hops=-1)
    with pytest.raises(ValueError, match="coordinates"):
        smooth_in_parts(client, [], [], [], hops=1, mode="idw")
