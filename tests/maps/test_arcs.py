"""Borders cut into arcs: what comes out is what went in, shared where it was shared."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.maps.arcs import Arcs


def rings_of(geometry):
    """Rings of valid or invalid polygons, as `Arcs.cut` takes them, and as lists of places."""
    _, xy, (ring, part) = shapely.to_ragged_array(np.asarray(geometry), include_z=False)
    hole = np.ones(len(ring) - 1, dtype=bool)
    hole[part[:-1]] = False
    return xy.astype(np.int64), ring.astype(np.int64), hole


def walked(arcs: Arcs) -> list[list[tuple[int, int]]]:
    """Every ring as the places it passes, put together from its arcs, the last left out."""
    places = []
    for begin, end in zip(arcs.ring[:-1], arcs.ring[1:], strict=True):
        ring: list[tuple[int, int]] = []
        for ref in arcs.refs[begin:end].tolist():
            number = ~ref if ref < 0 else ref
            piece = [tuple(p) for p in arcs.points[arcs.start[number] : arcs.start[number + 1]].tolist()]
            piece = piece[::-1] if ref < 0 else piece
            assert not ring or ring[-1] == piece[0]  # arcs follow each other
            ring += piece[1:] if ring else piece
        assert ring[0] == ring[-1]
        places.append(ring[:-1])
    return places


def same_loop(one, other) -> bool:
    """Whether two rings pass the same places in the same order, wherever they begin."""
    if len(one) != len(other):
        return False
    turns = [place for place, at in enumerate(other) if at == one[0]]
    return any(one == other[turn:] + other[:turn] for turn in turns)


def without_repeats(ring):
    """Return a ring without its closing vertex and without vertices that repeat the one before."""
    kept = [tuple(place) for place in ring[:-1]]
    kept = [place for number, place in enumerate(kept) if place != kept[number - 1] or len(kept) == 1]
    return kept or [tuple(ring[0])]


small = st.integers(0, 3)
loops = st.lists(st.lists(st.tuples(small, small), min_size=3, max_size=8), min_size=1, max_size=5)


@given(loops)
def test_rings_come_back_as_they_were(rings):
    """Rings of any kind: crossing, touching, walked twice, back and forth, shrunk to a place."""
    closed = [[*ring, ring[0]] for ring in rings]
    points = np.array([place for ring in closed for place in ring])
    start = np.r_[0, np.cumsum([len(ring) for ring in closed])]
    arcs = Arcs.cut(points, start, np.zeros(len(rings), dtype=bool))
    for ring, found in zip(closed, walked(arcs), strict=True):
        assert same_loop(without_repeats(ring), found)


@given(loops)
def test_no_edge_is_in_two_arcs(rings):
    closed = [[*ring, ring[0]] for ring in rings]
    points = np.array([place for ring in closed for place in ring])
    start = np.r_[0, np.cumsum([len(ring) for ring in closed])]
    arcs = Arcs.cut(points, start, np.zeros(len(rings), dtype=bool))
    holder: dict[frozenset, int] = {}
    for number in range(len(arcs.start) - 1):
        piece = [tuple(p) for p in arcs.points[arcs.start[number] : arcs.start[number + 1]].tolist()]
        for edge in map(frozenset, pairwise(piece)):
            assert holder.setdefault(edge, number) == number


def test_a_grid_has_an_arc_for_every_stretch_between_junctions():
    """3 × 3 squares: 12 borders between two squares; around, one arc from each of 8 junctions to the next."""
    x, y = (axis.ravel() for axis in np.meshgrid(range(3), range(3)))
    arcs = Arcs.cut(*rings_of(shapely.box(x, y, x + 1, y + 1)))
    assert len(arcs.start) - 1 == 12 + 8
    used = np.bincount(np.where(arcs.refs < 0, ~arcs.refs, arcs.refs))
    assert sorted(used.tolist()) == [1] * 8 + [2] * 12


def test_a_hole_and_what_fills_it_share_their_ring_wherever_they_begin():
    outer = shapely.Polygon(shapely.box(0, 0, 9, 9).exterior, [[(3, 3), (3, 6), (6, 6), (6, 3)]])
    inner = shapely.Polygon([(6, 6), (3, 6), (3, 3), (6, 3)])
    arcs = Arcs.cut(*rings_of([outer, inner]))
    assert len(arcs.start) - 1 == 2
    assert len(set(np.where(arcs.refs < 0, ~arcs.refs, arcs.refs)[1:])) == 1


@given(st.integers(0, 2**32), st.floats(0.5, 20))
def test_simplified_borders_stay_shared_and_near(seed, tolerance):
    """A random division of the plane: rings keep their junctions and lie within the tolerance."""
    rng = np.random.default_rng(seed)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(rng.integers(0, 1000, (12, 2))), extend_to=None)
    )
    box = shapely.box(0, 0, 1000, 1000)
    cells = [cell for cell in shapely.segmentize(shapely.intersection(cells, box), 40) if cell.area > 0]
    wavy = shapely.transform(cells, lambda xy: np.rint(2000 + 4 * xy + 9 * np.sin(xy[:, ::-1] / 11)))
    points, ring, hole = rings_of(wavy)
    arcs = Arcs.cut(points, ring, hole)
    simple = arcs.simplified(tolerance)
    assert len(simple.points) <= len(arcs.points)
    assert (simple.points[simple.start[:-1]] == arcs.points[arcs.start[:-1]]).all()
    assert (simple.points[simple.start[1:] - 1] == arcs.points[arcs.start[1:] - 1]).all()
    before, after = ([shapely.LinearRing(ring) for ring in walked(one)] for one in (arcs, simple))
    assert (shapely.hausdorff_distance(before, after) <= tolerance + 1e-9).all()
    assert ((arcs.twice_area != 0) == (simple.twice_area != 0)).all()


def test_areas_are_those_of_shapely_even_where_sums_overflow():
    big = 2**26
    shapes = [
        shapely.box(1, 2, 30, 40),
        shapely.box(0, 0, big, big),
        shapely.Point(big / 2, big / 2).buffer(99),
    ]
    shapes = shapely.transform(shapes, np.rint)
    arcs = Arcs.cut(*rings_of(shapes))
    np.testing.assert_array_equal(np.abs(arcs.twice_area), 2 * shapely.area(shapes))


def test_islands_do_not_lose_their_area():
    """A tiny square far from the rest would vanish within a tolerance of its own size."""
    arcs = Arcs.cut(*rings_of([shapely.box(0, 0, 1000, 1000), shapely.box(5000, 5000, 5002, 5003)]))
    assert np.abs(arcs.simplified(50).twice_area).tolist() == [2_000_000, 12]


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_coarser_rounds_every_place_alike(factor):
    x, y = (10 * axis.ravel() for axis in np.meshgrid(range(4), range(4)))
    arcs = Arcs.cut(*rings_of(shapely.box(x, y, x + 10, y + 10)))
    coarse = arcs.coarser(factor)
    for ring, found in zip(walked(arcs), walked(coarse), strict=True):
        rounded = [tuple((np.array(place) + factor // 2) // factor) for place in ring]
        assert set(found) == set(rounded)
        assert np.abs(np.array(ring) - factor * np.array(rounded)).max() <= factor / 2


def test_outer_rings_turn_one_way_and_holes_the_other():
    shell = [(0, 0), (9, 0), (9, 9), (0, 9)]
    hole = [(3, 3), (6, 3), (6, 6), (3, 6)]
    ways = [shapely.Polygon(one, [other]) for one in (shell, shell[::-1]) for other in (hole, hole[::-1])]
    oriented = Arcs.cut(*rings_of(ways)).oriented()
    assert (np.sign(oriented.twice_area) == np.where(oriented.hole, -1, 1)).all()
    for ring in walked(oriented):
        assert len(ring) == 4  # still rings
