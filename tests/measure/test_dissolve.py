"""Regions joined of polygons: against GEOS's general union, where borders match and where they do not."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.measure.dissolve import HAIRLINE_SHARE, SNAP_SHARE, dissolve


def squares(columns, rows):
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(columns), np.arange(rows)))
    return shapely.box(x, y, x + 1, y + 1)


def test_squares_become_rectangles_with_their_own_corners():
    found = dissolve([squares(4, 3)[:4], squares(4, 3)[4:]])
    assert (found.grid, found.closed) == (0.0, 0)
    assert [shape.geom_type for shape in found.shapes] == ["MultiPolygon"] * 2
    assert shapely.equals(found.shapes, [shapely.box(0, 0, 4, 1), shapely.box(0, 1, 4, 3)]).all()


@given(st.lists(st.integers(0, 3), min_size=20, max_size=20))
def test_any_grouping_of_squares_equals_the_general_union(labels):
    shapes, labels = squares(5, 4), np.array(labels)
    groups = [shapes[labels == label] for label in np.unique(labels)]
    found = dissolve(groups)
    for shape, group in zip(found.shapes, groups, strict=True):
        assert shape.equals(shapely.union_all(group))
        assert shape.is_valid


def test_parts_and_holes_stay():
    ring = np.delete(squares(3, 3), 4)
    found = dissolve([np.append(ring, shapely.box(10, 10, 11, 11))])
    assert len(shapely.get_parts(found.shapes[0])) == 2
    assert shapely.get_num_interior_rings(shapely.get_parts(found.shapes[0])).tolist() == [1, 0]
    assert found.shapes[0].area == 9


def shaken(shapes, by, seed=0):
    """Move every vertex of every polygon by itself, so that no border matches."""
    rng = np.random.default_rng(seed)
    rings = [shapely.get_coordinates(shape)[:-1] for shape in shapes]
    return np.array(
        [shapely.Polygon(ring + rng.uniform(-by, by, ring.shape)) for ring in rings], dtype=object
    )


@pytest.mark.parametrize("by", [1e-15, 1e-12, 1e-8, 2e-5])
def test_borders_that_differ_leave_neither_slivers_nor_holes(by):
    shapes = shaken(shapely.segmentize(squares(12, 12), 0.2), by)
    plain = shapely.union_all(shapes)
    found = dissolve([shapes])
    outline = found.shapes[0]
    assert len(shapely.get_parts(outline)) == 1
    assert shapely.get_num_interior_rings(shapely.get_parts(outline)).sum() == 0
    assert outline.length == pytest.approx(48, rel=1e-3)
    assert outline.area == pytest.approx(144, rel=1e-4)
    assert outline.is_valid
    if by > 1e-10:  # what is to be avoided
        assert shapely.get_num_interior_rings(shapely.get_parts(plain)).sum() > 10 or plain.length > 60


def test_regions_whose_borders_differ_still_meet():
    shapes = shaken(squares(10, 10), 1e-8)
    found = dissolve([shapes[:50], shapes[50:]])
    assert found.grid == pytest.approx(SNAP_SHARE, rel=1e-3)
    assert shapely.coverage_is_valid(found.shapes)


def test_a_narrow_gap_is_closed_and_a_wide_one_is_a_hole():
    gap = HAIRLINE_SHARE / 2
    frame = [shapely.box(0, 0, 3, 1), shapely.box(0, 2, 3, 3), shapely.box(0, 1, 1, 2)]
    narrow = dissolve([np.array([*frame, shapely.box(1 + gap, 1, 3, 2)])])
    assert narrow.closed == 1
    assert shapely.get_num_interior_rings(shapely.get_parts(narrow.shapes[0])).sum() == 0
    wide = dissolve([np.array([*frame, shapely.box(1.2, 1, 3, 2)])])
    assert wide.closed == 0
    assert shapely.get_num_interior_rings(shapely.get_parts(wide.shapes[0])).sum() == 1


def test_awkward_polygons():
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    shapes = np.array([bow_tie, None, shapely.Polygon(), shapely.box(0, 0, 1, 1)], dtype=object)
    assert dissolve([shapes]).shapes[0].area == pytest.approx(1.0)
    assert dissolve([shapes[1:3], shapes[3:]]).shapes.tolist()[0] is None
    assert dissolve([]).shapes.tolist() == []
    overlapping = shapely.box([0, 0.5], 0, [1, 1.5], 1)
    assert dissolve([overlapping]).shapes[0].area == pytest.approx(1.5)
    twice = shapely.box([0, 0], 0, [1, 1], 1)
    assert dissolve([twice]).shapes[0].area == pytest.approx(1.0)
    high = np.array([shapely.Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)])])
    assert not shapely.has_z(dissolve([high]).shapes[0])
