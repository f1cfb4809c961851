"""Graphs cut into connected regions, units with bounds, and what regions hold, recomputed from units."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import strategies as st

from regionalize.kernels.regions import Graph, Limits, Units
from regionalize.model.weights import Weights


def graph_of(n, first, second):
    weights = Weights.from_links(n, np.r_[first, second], np.r_[second, first], kind="test")
    return Graph(weights.indptr, weights.indices)


def near(unit, graph):
    """Neighbours of a unit."""
    return graph.indices[graph.indptr[unit] : graph.indptr[unit + 1]]


def two_regions(labels, graph, rng):
    """A unit, its region, and that of a neighbour: mostly another one."""
    units = rng.permutation(len(labels))
    borders = [unit for unit in units if (labels[near(unit, graph)] != labels[unit]).any()]
    start = int(borders[0] if borders and rng.random() < 0.8 else units[0])
    others = [int(labels[unit]) for unit in near(start, graph)] or [int(labels[start])]
    return start, int(labels[start]), max(others, key=lambda region: (region != labels[start], rng.random()))


def pieces_of(labels, graph):
    """Connected pieces into which the regions fall, by SciPy."""
    row = np.repeat(np.arange(len(labels)), np.diff(graph.indptr))
    same = labels[row] == labels[graph.indices]
    links = scipy.sparse.csr_array(
        (np.ones(same.sum()), (row[same], graph.indices[same])), shape=(len(labels),) * 2
    )
    return scipy.sparse.csgraph.connected_components(links, directed=False)[0]


@st.composite
def cases(draw, sides=8):
    """A grid, or any graph, some links taken away, in connected regions."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    rows, columns = draw(st.integers(1, sides)), draw(st.integers(1, sides))
    n = rows * columns
    cell = np.arange(n).reshape(rows, columns)
    first = np.concatenate([cell[:, :-1].ravel(), cell[:-1].ravel()])
    second = np.concatenate([cell[:, 1:].ravel(), cell[1:].ravel()])
    if draw(st.booleans()):
        first, second = rng.integers(0, n, size=2 * n), rng.integers(0, n, size=2 * n)
    kept = (rng.random(len(first)) < draw(st.sampled_from([1.0, 0.8, 0.5]))) & (first != second)
    first, second = first[kept], second[kept]
    inside = rng.random(len(first)) < draw(st.sampled_from([1.0, 0.9, 0.6]))
    links = scipy.sparse.csr_array((np.ones(inside.sum()), (first[inside], second[inside])), shape=(n, n))
    labels = scipy.sparse.csgraph.connected_components(links, directed=False)[1].astype(np.int64)
    return graph_of(n, first, second), labels, rng


def drawn(rng, n, p, b, penalty):
    """Units with some of them fixed, and limits that some regions breach."""
    X = rng.normal(size=(n, p))
    units = Units(X - X.mean(axis=0), rng.integers(0, 4, size=(n, b)).astype(float), rng.random(n) < 0.3)
    lower = rng.uniform(0, 5, size=b)
    return units, Limits(lower, lower + rng.uniform(0, 6, size=b), penalty)


def sums_of(labels, values, k):
    return np.array([values[labels == region].sum(axis=0) for region in range(k)])


def breaches(labels, units, limits, k):
    held = sums_of(labels, units.amount, k)
    return (np.maximum(limits.lower - held, 0) + np.maximum(held - limits.upper, 0)).sum(axis=1)


def within_sums(labels, X, k):
    groups = [X[labels == region] for region in range(k)]
    return np.array([((own - own.mean(axis=0)) ** 2).sum() if len(own) else 0.0 for own in groups])
