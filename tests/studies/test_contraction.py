"""Units that join the nearest that is kept: as a search from every unit by itself finds it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial import Delaunay

from regionalize.model.weights import Weights
from regionalize.studies.contraction import contract, join_nearest


@st.composite
def planar(draw):
    """Triangulated points with some links cut, listed in one direction or both, and the units to keep."""
    n = draw(st.integers(4, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    corners = Delaunay(rng.uniform(size=(n, 2))).simplices
    pairs = np.unique(
        np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])), axis=0
    )
    pairs = pairs[rng.random(len(pairs)) > draw(st.sampled_from([0.0, 0.3, 0.7]))]
    if draw(st.booleans()):
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
    kept = np.sort(rng.permutation(n)[: draw(st.integers(1, n))])
    return Weights.from_links(n, pairs[:, 0], pairs[:, 1], kind="example"), kept


@settings(max_examples=200)
@given(planar())
def test_voronoi_cells_by_shortest_paths(case):
    weights, kept = case
    steps = shortest_path(weights.to_scipy(), directed=False, unweighted=True)[:, kept]
    wanted = np.where(np.isfinite(steps.min(axis=1)), kept[steps.argmin(axis=1)], -1)  # of ties the first
    owner, contracted = contract(weights, kept)
    assert owner.tolist() == wanted.tolist() == join_nearest(weights, kept).tolist()
    links = {
        (int(wanted[i]), int(wanted[j]))
        for i, j in zip(weights.row, weights.indices, strict=True)
        if wanted[i] >= 0 and wanted[i] != wanted[j]
    }
    assert set(zip(contracted.row.tolist(), contracted.indices.tolist(), strict=True)) == links


@settings(max_examples=200)
@given(planar())
def test_what_hung_together_still_does(case):
    weights, kept = case
    owner, contracted = contract(weights, kept)
    before = connected_components(weights.to_scipy(), directed=False)[1][kept]
    after = connected_components(contracted.to_scipy(), directed=False)[1][kept]
    same = np.unique(np.stack([before, after]), axis=1).shape[1]
    assert len(np.unique(before)) == len(np.unique(after)) == same
    piece = connected_components(weights.within(owner).to_scipy(), directed=False)[1]
    for unit in kept:  # every unit hangs together with those that joined it
        assert len(np.unique(piece[owner == unit])) == 1


@pytest.mark.parametrize("kept", [[0], [4], [0, 1, 2, 3, 4]])
def test_ends(kept):
    path = Weights.from_links(5, np.arange(3), np.arange(1, 4), kind="example")  # 4 is an island
    owner, contracted = contract(path, np.array(kept))
    if len(kept) == 5:
        assert owner.tolist() == kept
        assert np.array_equal(contracted.indices, path.indices)
    else:
        assert owner.tolist() == ([0, 0, 0, 0, -1] if kept == [0] else [-1, -1, -1, -1, 4])
        assert not contracted.n_links
