"""Diameters against Floyd and Warshall, compiled and plain."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels import diameter
from regionalize.kernels.compiler import compiled
from regionalize.kernels.diameter import cluster_diameters, search_outwards

PLENTY = 10**12


@st.composite
def forests_with_chords(draw):
    """Give a few connected graphs side by side, as tree links plus extra ones."""
    sizes = draw(st.lists(st.integers(1, 14), min_size=1, max_size=4))
    links, starts = [], [0]
    for size in sizes:
        base = starts[-1]
        # a parent not far back makes long trees as likely as bushy ones
        reach = draw(st.integers(1, 14))
        links += [(base + i, base + draw(st.integers(max(0, i - reach), i - 1))) for i in range(1, size)]
        ends = st.integers(base, base + size - 1)
        links += draw(st.lists(st.tuples(ends, ends), max_size=5))
        starts.append(base + size)
    order = np.array(draw(st.permutations(range(starts[-1]))))
    links = [(order[a], order[b]) for a, b in links if a != b]
    return symmetric(links, starts[-1]), order, np.array(starts)


def symmetric(links, n):
    ends = np.array(links, dtype=np.int32).reshape(-1, 2)
    both = np.concatenate([ends, ends[:, ::-1]])
    matrix = scipy.sparse.csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    matrix.sum_duplicates()
    return matrix


def floyd_warshall(matrix, members):
    size = len(members)
    steps = np.full((size, size), np.inf)
    steps[matrix.toarray()[np.ix_(members, members)] > 0] = 1
    np.fill_diagonal(steps, 0)
    for middle in range(size):
        steps = np.minimum(steps, steps[:, [middle]] + steps[[middle], :])
    return int(steps.max())


def arrays(matrix):
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)


@settings(max_examples=300)
@given(forests_with_chords())
def test_diameters_equal_brute_force(case):
    matrix, members, starts = case
    expected = [floyd_warshall(matrix, members[a:b]) for a, b in pairwise(starts)]
    assert cluster_diameters(*arrays(matrix), members, starts, PLENTY).tolist() == expected


def triangulation(kind, n, seed):
    """Give the Delaunay links of points in a shape, cut where long: like the adjacency of a map."""
    rng = np.random.default_rng(seed)
    points = rng.random((6 * n, 2))
    x, y = points.T
    inside = {
        "square": np.ones(len(points), dtype=bool),
        "disc": (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.25,
        "ring": (((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.25) & ((x - 0.5) ** 2 + (y - 0.5) ** 2 > 0.16)),
        "hook": (x < 0.15) | (y < 0.15) | ((x > 0.85) & (y < 0.7)),
    }[kind]
    points = points[inside][:n]
    simplices = scipy.spatial.Delaunay(points).simplices
    ends = np.concatenate([simplices[:, [0, 1]], simplices[:, [1, 2]], simplices[:, [0, 2]]])
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    matrix = symmetric(ends[length < 3 / np.sqrt(n)], len(points))
    _, part = scipy.sparse.csgraph.connected_components(matrix)
    largest = np.flatnonzero(part == np.bincount(part).argmax())
    return matrix[largest][:, largest]


@pytest.mark.parametrize("kind", ["square", "disc", "ring", "hook"])
def test_map_like_graphs_equal_all_pairs_search(kind):
    matrix = triangulation(kind, 700, seed=11)
    steps = scipy.sparse.csgraph.shortest_path(matrix, unweighted=True)
    whole = np.arange(matrix.shape[0]), np.array([0, matrix.shape[0]])
    assert cluster_diameters(*arrays(matrix), *whole, PLENTY).tolist() == [steps.max()]


@pytest.mark.parametrize("kind", ["square", "disc", "ring", "hook"])
def test_the_compiled_search_agrees(kind, monkeypatch):
    matrix = triangulation(kind, 500, seed=12)
    half = matrix.shape[0]
    pair = scipy.sparse.block_diag([matrix, matrix[::-1][:, ::-1]], format="csr")
    case = (*arrays(pair), np.arange(2 * half), np.array([0, half, 2 * half]), PLENTY)
    plain = search_outwards(*case)
    np.testing.assert_array_equal(compiled(search_outwards)(*case), plain)
    monkeypatch.setattr(diameter, "COMPILED_WORK", 0)
    np.testing.assert_array_equal(cluster_diameters(*case), plain)
    assert plain[0] == plain[1]


def test_a_long_path_and_a_star():
    n = 400
    path = symmetric([(i, i + 1) for i in range(n - 1)], n)
    assert cluster_diameters(*arrays(path), np.arange(n), np.array([0, n]), PLENTY).tolist() == [n - 1]
    star = symmetric([(0, i) for i in range(1, n)], n)
    assert cluster_diameters(*arrays(star), np.arange(n), np.array([0, n]), PLENTY).tolist() == [2]


def test_what_the_budget_does_not_reach_is_marked():
    matrix = symmetric([(0, 1), (2, 3), (3, 4), (4, 5)], 6)
    starts = np.array([0, 2, 6])
    found = cluster_diameters(*arrays(matrix), np.arange(6), starts, 20)
    assert found.tolist() == [1, -1]
    assert cluster_diameters(*arrays(matrix), np.arange(6), starts, 0).tolist() == [-1, -1]


def test_no_cluster_no_diameter():
    none = np.zeros(0, dtype=np.int64)
    assert (
        cluster_diameters(np.zeros(1, dtype=np.int64), none, none, np.zeros(1, dtype=np.int64), 5).size == 0
    )
