"""K-means over Dask against k-means in one process: the same labels, however the rows are cut."""

from __future__ import annotations

import os
import signal
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods import hartigan, race
from regionalize.methods import kmeans as module
from regionalize.methods.finish import fill_empty, within_sum
from regionalize.methods.kmeans import kmeans
from regionalize.methods.lloyd import Rows, converge, iterate, to_unit_scale
from regionalize.methods.seeding import draw_centers
from regionalize.model.partition import Partition
from regionalize.run.dask import kmeans as in_parts
from regionalize.run.dask.kmeans import PartedLabels, PartedRows, kmeans_in_parts, summed
from regionalize.run.dask.rows import add_up

N = 3000


def rows_of(X, start, stop):
    return X[start:stop]


def parted(client, X, cuts):
    """Cut rows into parts on the workers, who can do it again."""
    unit = Rows.centred(to_unit_scale(X)).X
    ends = [0, *cuts, len(X)]
    parts = [client.submit(rows_of, unit, *both) for both in pairwise(ends)]
    return PartedRows(client, parts, np.diff(ends).tolist())


def blobs(seed=0, n=N, p=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)) + rng.integers(0, 4, size=(n, 1))


def lattice(seed=0, n=N):
    return np.random.default_rng(seed).integers(0, 6, size=(n, 2)).astype(float)


def gathered(client, parts):
    return Partition.canonical(np.concatenate(client.gather(parts), axis=1)[0]).labels


@pytest.fixture
def short_race(monkeypatch):
    """Race a few starts, in both engines, on fewer rows than there must be otherwise."""
    monkeypatch.setattr(module, "MANY_ROWS", 1000)
    for name, value in {"SAMPLES": 2, "KEPT": 2, "FIRST_HEAT": 3, "SAMPLE": 400}.items():
        monkeypatch.setattr(race, name, value)
    for place in (hartigan, in_parts):
        monkeypatch.setattr(place, "MAX_ROUNDS", 3)


@pytest.mark.parametrize("data", [blobs, lattice])
@pytest.mark.parametrize("cuts", [[1, 1700], [0, 900, 900, 2100, 3000]])
def test_the_search_gives_the_labels_of_one_process(client, short_race, data, cuts):
    X = data()
    steps = 1000 if data is lattice else 8  # a lattice is done soon
    expected = Partition.canonical(kmeans(X, 7, seed=5, max_iter=steps)).labels
    found = kmeans_in_parts(parted(client, X, cuts), 7, seed=5, max_iter=steps)
    assert (gathered(client, found) == expected).all()


@pytest.mark.parametrize("init", ["k-means||", "random"])
def test_plain_starts_are_those_of_one_process(client, init):
    X = blobs(1)
    own = {"seed": 3, "search": "starts", "init": init, "n_init": 2, "max_iter": 8}
    expected = Partition.canonical(kmeans(X, 6, **own)).labels
    for cuts in ([], [10, 2000]):
        assert (gathered(client, kmeans_in_parts(parted(client, X, cuts), 6, **own)) == expected).all()


def test_steps_of_candidates_are_those_of_one_process(client):
    """Sums, early ends and empty clusters, step by step: candidates end at different times."""
    rows = Rows.centred(to_unit_scale(blobs(2)))
    starts = draw_centers(rows, 8, 4, np.random.default_rng(0))
    starts[1, 3:] = 50.0  # clusters that stay empty
    cut = parted(client, blobs(2), [700, 701])
    for steps in (1, 15):
        centers, between, labels = iterate(rows, starts, steps)
        theirs, value, placed = cut.iterate(starts, steps)
        np.testing.assert_allclose(theirs, centers, atol=1e-13)
        np.testing.assert_allclose(value, between, rtol=1e-13)
        order = np.array([2, 0])
        again, _, _ = iterate(rows, centers[order], 5, labels[order])
        theirs, _, placed = cut.iterate(theirs[order], 5, placed[order])
        np.testing.assert_allclose(theirs, again, atol=1e-13)
        assert isinstance(placed, PartedLabels)


def test_an_empty_cluster_gets_the_farthest_row(client):
    X = lattice(3)
    rows = Rows.centred(to_unit_scale(X))
    starts = np.concatenate([rows.X[:3], np.full((2, 2), 40.0)])
    labels = fill_empty(rows, converge(rows, starts[None], 3)[1][0], 5)
    assert len(np.unique(labels)) == 5
    found, value = parted(client, X, [1000, 1001]).finish(starts, 3, moves=False)
    assert (np.concatenate(client.gather(found.parts), axis=1)[0] == labels).all()
    assert value == pytest.approx(within_sum(rows, labels, 5), rel=1e-13)


def test_sums_do_not_depend_on_how_rows_are_cut():
    """Values of all sizes, whose sum would otherwise depend on every bracket."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(2000, 2)) * 10.0 ** rng.integers(-12, 12, size=(2000, 1))
    labels = rng.integers(0, 3, size=(1, 2000))
    whole = summed([add_up(X, labels, 3)])
    for cuts in ([5], [300, 301, 1700], list(range(50, 2000, 50))):
        ends = list(pairwise([0, *cuts, 2000]))
        parts = [add_up(X[start:stop], labels[:, start:stop], 3) for start, stop in ends]
        assert (summed(parts) == whole).all()
        assert (summed(parts[::-1]) == whole).all()


def test_a_worker_that_is_killed_changes_nothing(client, short_race):
    X = blobs(6)
    rows = parted(client, X, [800, 1600, 2400])
    expected = Partition.canonical(kmeans(X, 9, seed=8)).labels
    pids = client.run(os.getpid)
    killed = []

    def kill():
        time.sleep(0.3)
        os.kill(min(pids.values()), signal.SIGKILL)
        killed.append(time.monotonic())

    thread = threading.Thread(target=kill)
    thread.start()
    found = kmeans_in_parts(rows, 9, seed=8)
    ended = time.monotonic()
    thread.join()
    assert killed
    assert killed[0] < ended
    assert (gathered(client, found) == expected).all()
    client.wait_for_workers(2, timeout=60)
    assert min(pids.values()) not in client.run(os.getpid).values()


def test_rows_are_taken_in_the_order_asked_for(client):
    X = blobs(7)
    rows, unit = parted(client, X, [3, 3, 1200]), Rows.centred(to_unit_scale(X)).X
    asked = np.array([2999, 0, 3, 2, 1199, 1200])
    assert (unit[asked] == rows.take(asked).X).all()
    assert (rows.single().distinct() == np.unique(unit.astype(np.float32), axis=0)).all()


def test_k_is_refused_as_in_one_process(client):
    rows = parted(client, np.repeat(lattice()[:4], 600, axis=0)[:2000] * 1.0, [900])
    with pytest.raises(UsageError, match="k is 2001, but there are only 2000 rows"):
        kmeans_in_parts(rows, 2001, seed=1)
    with pytest.raises(InfeasibleError, match="2000 rows hold only"):
        kmeans_in_parts(rows, 7, seed=1)
    with pytest.raises(UsageError, match=r"k-means\+\+ draws one centre after the other"):
        kmeans_in_parts(rows, 2, seed=1, search="starts")
