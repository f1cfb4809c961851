"""Cells of a grid against what must hold of them, and their first cut against all."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels.cells import divided


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.integers(1, 50))
def test_cells_of_a_grid(seed, rows, columns, most):
    """Every square is in one cell, cells are rectangles, and hold few units unless they are one square."""
    counts = np.random.default_rng(seed).integers(0, 20, (rows, columns))
    cells = divided(counts, most)
    for cell in range(cells.max() + 1):
        within = cells == cell
        height, width = within.any(axis=1).sum(), within.any(axis=0).sum()
        assert within.sum() == height * width > 0
        assert counts[within].sum() <= most or within.sum() == 1


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_a_cell_is_cut_across_its_longer_side_as_evenly_as_any_cut(seed, rows, columns):
    """Of a cell that holds one unit too many; a square is cut from top to bottom."""
    counts = np.random.default_rng(seed).integers(1, 20, (rows, columns))
    if counts.size == 1:
        return
    cells = divided(counts, counts.sum() - 1)
    along, cells = (counts.sum(axis=0), cells) if columns >= rows else (counts.sum(axis=1), cells.T)
    assert (cells == cells[0]).all()
    uneven = [abs(along[:cut].sum() - along[cut:].sum()) for cut in range(1, len(along))]
    cut = np.count_nonzero(cells[0] == 0)
    assert cells[0].tolist() == [0] * cut + [1] * (len(along) - cut)
    assert uneven[cut - 1] == min(uneven)
