"""Smoothing of rows on disk against the smoothing in memory, under a limit on memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.errors import OutputError, UsageError
from regionalize.features.smoothing import SMOOTH_MODES, restricted, smooth
from regionalize.model.tile_links import TileLinks, joined_links
from regionalize.model.weights import Weights
from regionalize.run.stream import links as on_disk
from regionalize.run.stream.links import LinkSorter, LinkStore, rows_at
from regionalize.run.stream.smoothing import smooth_rows
from regionalize.run.stream.store import RowStore


def random_weights(n, rng, kind="test"):
    """Make links at random among rows anywhere, one way or both, some rows islands."""
    linked = rng.random((n, n)) < rng.choice([0.02, 0.1, 0.5])
    lonely = rng.random(n) < 0.1
    linked[lonely] = linked[:, lonely] = False
    row, neighbor = np.nonzero(linked)
    return Weights.from_links(n, row, neighbor, rng.uniform(0.1, 5, len(row)), kind=kind)


def stored(values):
    store = RowStore(values.shape[1], values.dtype)
    store.append(values)
    return store


def stored_links(weights):
    links = LinkStore(weights.kind)
    links.append(TileLinks(weights.indptr, weights.indices, weights.values))
    return links


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 70),
    st.integers(0, 4),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from(SMOOTH_MODES),
    st.booleans(),
    st.booleans(),
)
def test_smoothing_on_disk_is_smoothing_in_memory(seed, n, rows, hops, alpha, mode, sphere, left_out):
    rng = np.random.default_rng(seed)
    weights = random_weights(n, rng)
    values, points = rng.normal(size=(n, 2)), rng.uniform([-180, -85], [180, 85], (n, 2))
    used = rng.random(n) < 0.8 if left_out else np.ones(n, dtype=bool)
    values[~used, 0] = np.nan  # one missing value leaves a row out
    expected, there = values.copy(), np.flatnonzero(used)
    expected[there] = smooth(
        values[there], restricted(weights, there), hops, alpha, mode, coordinates=points[there], sphere=sphere
    )
    with stored(values) as store, stored_links(weights) as links, stored(points) as where:
        about = {"hops": hops, "alpha": alpha, "mode": mode, "coordinates": where, "sphere": sphere}
        with smooth_rows(store, links, **about, rows_at_once=rows) as smoothed:
            found = smoothed.read(0, n)
        assert np.array_equal(store.read(0, n), values, equal_nan=True)
    scale = np.nanmax(np.abs(expected), initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * scale)


def test_single_precision_and_distances_of_gwt_files():
    rng = np.random.default_rng(0)
    weights = random_weights(50, rng, kind="roads.gwt")
    values = rng.normal(size=(50, 2)).astype(np.float32)
    with (
        stored(values) as store,
        stored_links(weights) as links,
        smooth_rows(store, links, hops=2, rows_at_once=7) as smoothed,
    ):
        found = smoothed.read(0, 50)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, smooth(values, weights, 2), rtol=1e-5, atol=1e-6)


def test_what_cannot_be_meant():
    with stored(np.zeros((3, 1))) as store, stored_links(Weights.without_links(3)) as links:
        with pytest.raises(UsageError, match="unknown mode 'means' of smoothing; did you mean 'mean'"):
            smooth_rows(store, links, hops=1, mode="means")
        with pytest.raises(ValueError, match="coordinates"):
            smooth_rows(store, links, hops=1, mode="gaussian")
        with LinkStore("none") as none, pytest.raises(ValueError, match="0 rows have links, and 3"):
            smooth_rows(store, none, hops=1)


@pytest.mark.unix
def test_a_full_disk_leaves_nothing_open(tmp_path, monkeypatch):
    """Files have no name: what is closed is gone."""
    values = np.zeros((100, 1))
    opened = []
    make = RowStore.__init__

    def counted(self, *given, **about):
        make(self, *given, **about)
        opened.append(self)

    def full(self, values):
        raise OutputError("no room")

    with stored(values) as store, stored_links(Weights.without_links(100)) as links:
        monkeypatch.setattr(RowStore, "__init__", counted)
        monkeypatch.setattr(RowStore, "append", full)
        with pytest.raises(OutputError):
            smooth_rows(store, links, hops=2)
    assert [one._file.closed for one in opened] == [True]


@given(st.lists(st.integers(0, 999), unique=True), st.integers(1, 5000), st.integers(1, 200))
def test_rows_anywhere_in_a_store(rows, block, gap):
    rows = np.sort(np.array(rows, dtype=np.int64))
    values = np.arange(2000.0).reshape(1000, 2)
    with pytest.MonkeyPatch.context() as patch, stored(values) as store:
        patch.setattr(on_disk, "BLOCK", block)
        patch.setattr(on_disk, "GAP", gap)
        assert rows_at(store, rows).tolist() == values[rows].tolist()


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 45), st.booleans())
def test_links_in_any_order_come_out_in_row_order(seed, n, rows, weighted):
    rng = np.random.default_rng(seed)
    weights = random_weights(n, rng)
    order = rng.permutation(weights.n_links)
    with LinkSorter(n, rows=rows) as sorter:
        for part in np.array_split(order, 4):
            given = weights.row[part], weights.indices[part], weights.values[part]
            sorter.add(*given[: 3 if weighted else 2])
        links = on_disk.stored((run for _, run in sorter.runs()), "test")
    with links:
        assert (len(links), links.n_links) == (n, weights.n_links)
        found = joined_links([links.read(first, rows) for first in range(0, n, rows)], "test")
        assert len(links.read(n, 5)) == 0
    assert found.indptr.tolist() == weights.indptr.tolist()
    assert found.indices.tolist() == weights.indices.tolist()
    assert found.values.tolist() == (weights.values if weighted else np.ones(weights.n_links)).tolist()


LIMITED = """
import resource, sys
import numpy as np
import scipy.sparse
from regionalize.model.tile_links import TileLinks
from regionalize.run.stream.links import LinkSorter, stored
from regionalize.run.stream.smoothing import smooth_rows
from regionalize.run.stream.store import RowStore

n, columns, size = int(sys.argv[1]), 8, 8192
def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used() + int(sys.argv[2]),) * 2)
with RowStore(columns) as store:
    with LinkSorter(n, rows=size) as sorter:
        for first in range(0, n, size):
            row = np.arange(first, min(first + size, n))
            store.append(np.repeat(row[:, None] % 5 * 1.0, columns, axis=1))
            far = row * 7919 % n  # neighbours anywhere in the file
            sorter.add(np.concatenate([row, far]), np.concatenate([far, row]))
        links = stored((run for _, run in sorter.runs()), "ring")
    with links, smooth_rows(store, links, hops=2, rows_at_once=size) as smoothed:
        print(sum(float(values.sum()) for _, values in smoothed.batches(size)) / n / columns)
"""


@pytest.mark.unix
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to know its address space")
def test_memory_does_not_grow_with_the_rows():
    """Rows of 51 MB and links of 25 MB, in a process that may take 40 MB besides its libraries."""
    for n in (16_001, 800_011):
        found = subprocess.run(
            [sys.executable, "-c", LIMITED, str(n), str(40 * 2**20)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        assert float(found.stdout) == pytest.approx(2, abs=0.01)
