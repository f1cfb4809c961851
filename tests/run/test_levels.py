"""Several numbers of clusters on one page: which are shown, and that like clusters look alike."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regionalize.io.read import read_layer
from regionalize.run.levels import Level, chosen_levels, draw_levels, in_like_colours


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(3, 16), st.data())
def test_what_is_shown_has_the_ends_and_the_base(numbers, most, data):
    ks = sorted(numbers)
    base = data.draw(st.sampled_from(ks))
    shown = chosen_levels(ks, base, most)
    assert len(shown) == min(len(ks), most)
    assert {ks[0], ks[-1], base} <= shown <= set(ks)


@given(st.integers(0, 10_000), st.integers(0, 2))
def test_a_nested_region_has_the_number_of_its_largest_part(seed, base):
    """Regions that lie in each other: whoever is split, the larger part goes on under its number."""
    rng = np.random.default_rng(seed)
    finest = rng.integers(1, 9, 200)
    middle = rng.integers(1, 5, 9)[finest]
    coarse = rng.integers(1, 3, 5)[middle]
    renumbered = [np.unique(one, return_inverse=True)[1] + 1 for one in (coarse, middle, finest)]
    levels = [Level(int(one.max()) + 10 * place, one) for place, one in enumerate(renumbered)]
    found = in_like_colours(levels, levels[base].k)
    np.testing.assert_array_equal(found[base].labels, levels[base].labels)
    for above, below in pairwise(found):
        for label in np.unique(above.labels):
            parts, sizes = np.unique(below.labels[above.labels == label], return_counts=True)
            assert label in parts[sizes == sizes.max()]
    for before, after in zip(levels, found, strict=True):  # the same clusters, whatever they are called
        pairs = np.unique(np.stack([before.labels, after.labels]), axis=1)
        assert pairs.shape[1] == len(np.unique(before.labels)) == len(np.unique(after.labels))


def test_what_there_is_no_room_for_is_said():
    layer = read_layer(None)
    levels = [Level(k, np.arange(len(layer)) * k // len(layer) + 1, 0.5, k) for k in range(2, 21)]
    file = io.BytesIO()
    notes = draw_levels(layer, levels, 8, file, ".svg", title="t", footer="f")
    text = file.getvalue().decode()
    shown = {int(k) for k in re.findall(r">k = (\d+)<", text)}
    left_out = [int(k) for k in re.findall(r"\d+", notes[0].split("without")[1])]
    assert len(shown) == 16
    assert 8 in shown
    assert shown | set(left_out) == set(range(2, 21))
    assert not shown & set(left_out)
    assert text.count("BSS/TSS 0.5000, contiguous") == 16
