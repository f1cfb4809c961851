"""Outlines from the units along them, against the union of all polygons."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import Voronoi

from regionalize.io.read import read_layer
from regionalize.measure.dissolve import dissolved_size
from regionalize.measure.outline import estimated_outline, open_edges

MANY = 10**9


def cells(n, seed):
    """Voronoi cells that are bounded: their borders match vertex for vertex."""
    sites = np.random.default_rng(seed).random((n, 2))
    found = Voronoi(sites)
    regions = [found.regions[number] for number in found.point_region]
    return shapely.polygons(
        [shapely.linearrings(found.vertices[region]) for region in regions if region and -1 not in region]
    )


def estimated_size(polygons):
    found = estimated_outline(polygons, MANY)
    return found.area, found.length


def union_size(polygons):
    union = shapely.union_all(polygons)
    return union.area, union.length


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_layer_has_the_area_and_length_of_its_union_and_most_units_lie_inside(seed):
    polygons = cells(2000, seed)
    owner, _ = open_edges(polygons)
    assert len(np.unique(owner)) < 0.2 * len(polygons)
    assert estimated_size(polygons) == pytest.approx(union_size(polygons), rel=1e-9)


def test_rings_may_run_either_way():
    polygons = cells(500, 1)
    turned = polygons.copy()
    turned[::2] = shapely.reverse(turned[::2])
    assert estimated_size(turned) == pytest.approx(estimated_size(polygons), rel=1e-12)


@given(arrays(np.bool_, (6, 6)), st.data())
def test_any_squares_in_any_order_with_holes_among_them_and_some_drawn_twice(chosen, data):
    x, y = np.nonzero(chosen)
    squares = shapely.box(x, y, x + 1.0, y + 1.0)
    if not len(squares):
        assert estimated_size(squares) == (0.0, 0.0)
        return
    again = data.draw(arrays(np.int64, data.draw(st.integers(0, 3)), elements=st.integers(0, len(x) - 1)))
    drawn = np.concatenate([squares, squares[again]])
    order = data.draw(st.permutations(range(len(drawn))))
    assert estimated_size(drawn[order]) == pytest.approx(union_size(squares), rel=1e-9)


def test_multipolygons_and_holes_that_others_fill():
    frame = shapely.box(0, 0, 5, 5) - shapely.box(1, 1, 2, 2) - shapely.box(3, 3, 4, 4)
    filling = shapely.multipolygons([shapely.box(1, 1, 2, 2), shapely.box(3, 3, 4, 4)])
    beside = shapely.box(5, 0, 6, 5)
    assert estimated_size(np.array([frame, filling, beside])) == pytest.approx((30.0, 22.0))
    assert estimated_size(np.array([frame, beside])) == pytest.approx((28.0, 30.0))


def test_too_many_units_along_the_outline_are_not_joined():
    polygons = cells(500, 2)
    assert estimated_outline(polygons, 50) is None


@pytest.mark.parametrize(
    ("file", "inside"), [("natregimes/natregimes.shp", 0.8), ("brazil/municipalities.gpkg", 0.8)]
)
def test_real_layers_differ_from_the_whole_union_by_a_thousandth_at_most(shared_data, file, inside):
    polygons = read_layer(shared_data(file)).geometry
    owner, _ = open_edges(polygons)
    assert len(np.unique(owner)) < (1 - inside) * len(polygons)
    assert estimated_size(polygons) == pytest.approx(dissolved_size(polygons), rel=1e-3)
