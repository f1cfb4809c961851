"""Connected components against SciPy, compiled and plain."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import given
from hypothesis import strategies as st

from regionalize.kernels import components
from regionalize.kernels.compiler import compiled
from regionalize.kernels.components import components_within, connected_components, union_find


@st.composite
def directed_graphs(draw):
    n = draw(st.integers(1, 40))
    links = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=60))
    labels = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
    rows = np.array([a for a, _ in links], dtype=np.int64)
    columns = np.array([b for _, b in links], dtype=np.int64)
    matrix = scipy.sparse.csr_array((np.ones(len(links)), (rows, columns)), shape=(n, n))
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), np.array(labels)


def by_scipy(indptr, indices, labels):
    n = len(labels)
    row = np.repeat(np.arange(n), np.diff(indptr))
    same = labels[row] == labels[indices]
    matrix = scipy.sparse.csr_array((np.ones(same.sum()), (row[same], indices[same])), shape=(n, n))
    found = scipy.sparse.csgraph.connected_components(matrix, directed=False)[1]
    _, first = np.unique(found, return_index=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[found]


@given(directed_graphs())
def test_components_equal_scipy_and_are_numbered_by_first_row(graph):
    indptr, indices, labels = graph
    expected = by_scipy(indptr, indices, labels)
    np.testing.assert_array_equal(components_within(indptr, indices, labels), expected)
    np.testing.assert_array_equal(union_find(indptr, indices, labels.astype(np.int64)), expected)
    whole = by_scipy(indptr, indices, np.zeros(len(labels)))
    np.testing.assert_array_equal(connected_components(indptr, indices), whole)


@pytest.mark.parametrize("kind", ["path", "shuffled path", "sparse random"])
def test_the_compiled_kernel_agrees_on_large_graphs(monkeypatch, kind):
    rng, n = np.random.default_rng(5), 20_000
    if kind == "sparse random":
        head, tail = rng.integers(0, n, n // 2), rng.integers(0, n, n // 2)
    else:
        order = rng.permutation(n) if kind == "shuffled path" else np.arange(n)
        head, tail = order[:-1], order[1:]
    matrix = scipy.sparse.csr_array((np.ones(len(head)), (head, tail)), shape=(n, n))
    indptr, indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    labels = rng.integers(0, 2, n) if kind == "path" else np.zeros(n, dtype=np.int64)
    expected = by_scipy(indptr, indices, labels)
    np.testing.assert_array_equal(components_within(indptr, indices, labels), expected)
    np.testing.assert_array_equal(compiled(union_find)(indptr, indices, labels), expected)
    monkeypatch.setattr(components, "COMPILED_LINKS", 0)
    np.testing.assert_array_equal(components_within(indptr, indices, labels), expected)


def test_no_units_and_no_links():
    assert connected_components(np.array([0]), np.array([], dtype=np.int64)).tolist() == []
    assert connected_components(np.array([0, 0, 0]), np.array([], dtype=np.int64)).tolist() == [0, 1]
