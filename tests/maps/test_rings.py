"""Polygons on the grid of a page: shared borders stay shared, and nothing is lost but what is too small."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.maps.ground import Ground
from regionalize.maps.paths import GRID
from regionalize.maps.rings import Rings


def tessellation(n: int, seed: int, finer: float):
    """Cells round random points in a square, made finer: neighbours share all vertices of a border."""
    rng = np.random.default_rng(seed)
    points = shapely.MultiPoint(rng.uniform(0, 1, (n, 2)))
    square = shapely.box(0, 0, 1, 1)
    found = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square))
    noded = shapely.union_all([shapely.boundary(one) for one in (*found, square)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = faces[shapely.intersects(shapely.point_on_surface(faces), square)]
    return shapely.segmentize(inside, finer)


def placed(shapes, width=300.0):
    ground = Ground.survey(shapes, None)
    return Rings.place(ground.parts, ground.window(0, 0, width)), ground


def edges(rings, after):
    return [tuple(map(tuple, pair)) for pair in np.stack([rings.grid, rings.grid[after]], axis=1).tolist()]


@given(st.integers(2, 60), st.integers(0, 10_000), st.sampled_from([1.0, 0.01, 0.0005]))
def test_a_coverage_stays_a_coverage(n, seed, finer):
    """Every edge inside has its counterpart, so the areas add up to the whole: to the last square."""
    rings, _ = placed(tessellation(n, seed, finer))
    found = edges(rings, rings.around[1])
    left = set(found) - {(head, tail) for tail, head in found}
    side = round(300 / GRID)
    assert all(
        {tail[0], head[0]} in ({0}, {side}) or {tail[1], head[1]} in ({0}, {side}) for tail, head in left
    )
    tail, head = rings.grid, rings.grid[rings.around[1]]
    assert (tail[:, 0] * head[:, 1] - tail[:, 1] * head[:, 0]).sum() == 2 * side * side


@given(st.integers(1, 30), st.integers(0, 10_000))
def test_corners_keep_the_area_of_every_ring(n, seed):
    rings, _ = placed(tessellation(n, seed, 0.01))
    areas = []
    for one in (rings, rings.corners()):
        tail, head = one.grid, one.grid[one.around[1]]
        twice = tail[:, 0] * head[:, 1] - tail[:, 1] * head[:, 0]
        areas.append(np.bincount(one.ring, twice, minlength=len(rings.part)))
    np.testing.assert_array_equal(*areas)
    assert len(rings.corners().grid) < len(rings.grid)


def test_no_vertex_is_farther_from_its_place_than_the_grid_is_wide():
    shapes = tessellation(40, 3, 0.003)
    rings, ground = placed(shapes)
    place = ground.window(0, 0, 300).place(shapely.get_coordinates(shapes), np.zeros(1))
    there = shapely.STRtree(shapely.points(place))
    _, distance = there.query_nearest(
        shapely.points(rings.grid * GRID), return_distance=True, all_matches=False
    )
    assert distance.max() <= GRID * np.sqrt(0.5) + 1e-9


def test_units_lie_to_the_left_of_their_edges():
    hole = shapely.box(3, 3, 7, 7).exterior.coords
    shape = shapely.Polygon(shapely.box(0, 0, 10, 10).exterior.coords, [hole])
    for one in (shape, shapely.reverse(shape), shapely.normalize(shape)):
        rings, _ = placed(np.array([one]))
        tail, head = rings.grid, rings.grid[rings.around[1]]
        step = head - tail
        left = (tail + head) / 2 + np.stack([-step[:, 1], step[:, 0]], axis=1) / np.hypot(*step.T)[:, None]
        scaled = shapely.points(left * GRID / 30)
        assert shapely.contains(shape, scaled).all()


@given(st.integers(2, 40), st.integers(0, 10_000), st.sampled_from([0.5, 3.0, 10.0]))
def test_simplified_borders_are_shared_too(n, seed, tolerance):
    """Every edge inside keeps its counterpart, and no border moves by more than the tolerance."""
    rings, _ = placed(tessellation(n, seed, 0.01))
    simple = rings.simplified(tolerance)
    found = edges(simple, simple.around[1])
    left = set(found) - {(head, tail) for tail, head in found}
    side = round(300 / GRID)
    rim = ({0}, {side})
    assert all({tail[0], head[0]} in rim or {tail[1], head[1]} in rim for tail, head in left)
    assert len(simple.grid) < len(rings.grid)
    np.testing.assert_array_equal(np.unique(simple.ring), np.unique(rings.ring))
    lines = shapely.multilinestrings([shapely.linestrings(np.array(found, dtype=float))])[0]
    assert shapely.distance(lines, shapely.points(rings.grid)).max() <= tolerance + 1e-6
