"""Region outlines: where united geometries end, and nowhere else, whatever the state of the borders."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.maps.ground import Ground
from regionalize.maps.multiples import Panel, draw_maps
from regionalize.maps.paths import GRID
from regionalize.maps.static import draw_map
from regionalize.maps.units import Units

SVG = "{http://www.w3.org/2000/svg}"
WIDTH = 400.0
"""Of the map, in points."""


def lines_of(geometry, labels, crs=None):
    """Return the outlines as one geometry in map units, and how long a point is."""
    shapes = np.array(list(geometry), dtype=object)
    ground = Ground.survey(shapes, crs)
    wide, high = ground.size
    units = Units.place(ground, WIDTH, WIDTH * high / wide)
    found = units.outline(np.asarray(labels), None)
    if not found:
        return shapely.MultiLineString(), wide / WIDTH
    path = found[-1].get_path()
    start = np.flatnonzero(path.codes == 1)
    lines = [units.window.locate(one) for one in np.split(path.vertices, start[1:])]
    return shapely.MultiLineString(lines), wide / WIDTH


def outlines(geometry, labels):
    """Return where the regions end: each united by itself, shared parts once."""
    shapes, labels = np.array(list(geometry), dtype=object), np.asarray(labels)
    united = [shapely.union_all(shapes[labels == label]) for label in np.unique(labels[labels > 0])]
    return shapely.union_all([shapely.boundary(one) for one in united])


def assert_same_lines(found, wanted, near):
    assert shapely.length(shapely.difference(found, shapely.buffer(wanted, near))) == pytest.approx(0)
    assert shapely.length(shapely.difference(wanted, shapely.buffer(found, near))) == pytest.approx(0)


def cells(columns, rows, seed=0, bends=3):
    """Cells of a grid with crooked borders, whose vertices neighbours share exactly."""
    rng = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0)), axis=-1)
    corner += rng.uniform(-0.2, 0.2, corner.shape)
    share = np.linspace(0, 1, bends + 2)[1:-1, None]

    def crooked(a, b):
        return a + share * (b - a) + rng.uniform(-0.06, 0.06, (bends, 2))

    along = {(x, y): crooked(corner[y, x], corner[y, x + 1]) for x in range(columns) for y in range(rows + 1)}
    up = {(x, y): crooked(corner[y, x], corner[y + 1, x]) for x in range(columns + 1) for y in range(rows)}
    return np.array(
        [
            shapely.Polygon(
                np.concatenate(
                    [
                        corner[y, x][None],
                        along[x, y],
                        corner[y, x + 1][None],
                        up[x + 1, y],
                        corner[y + 1, x + 1][None],
                        along[x, y + 1][::-1],
                        corner[y + 1, x][None],
                        up[x, y][::-1],
                    ]
                )
            )
            for y in range(rows)
            for x in range(columns)
        ]
    )


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_lines_are_where_united_regions_end(seed, k):
    shapes = cells(7, 5, seed)
    labels = np.random.default_rng(seed).integers(1, k + 1, len(shapes))
    found, point = lines_of(shapes, labels)
    wanted = outlines(shapes, labels)
    assert_same_lines(found, wanted, 2 * GRID * point)
    assert shapely.length(found) == pytest.approx(shapely.length(wanted), rel=0.02)  # each is drawn once


@given(st.integers(0, 10_000))
def test_grey_units_have_no_borders_of_their_own(seed):
    shapes = cells(6, 4, seed)
    labels = np.random.default_rng(seed).integers(-1, 3, len(shapes))
    found, point = lines_of(shapes, labels)
    assert_same_lines(found, outlines(shapes, labels), 2 * GRID * point)
    assert not lines_of(shapes, np.minimum(labels, 0))[0].length


@pytest.mark.parametrize("noise", [1e-12, 1e-6, 2e-4])
def test_borders_digitised_twice_leave_no_line_inside_a_region(noise):
    """Every unit has vertices of its own, moved a little, and more of them than its neighbours."""
    rng = np.random.default_rng(2)
    clean = cells(9, 7)
    shapes = []
    for shape in clean:
        finer = shapely.get_coordinates(shapely.segmentize(shape, rng.uniform(0.05, 0.2)))[:-1]
        shapes.append(shapely.Polygon(finer + rng.normal(size=finer.shape) * noise))
    labels = np.repeat([1, 2, 3], 21)
    found, point = lines_of(shapes, labels)
    wanted = outlines(clean, labels)
    near = 0.25 * point + 4 * noise
    assert shapely.length(shapely.difference(found, shapely.buffer(wanted, near))) == pytest.approx(0)
    assert shapely.length(shapely.difference(wanted, shapely.buffer(found, near))) == pytest.approx(0)


def test_a_long_edge_that_ends_a_region_only_in_part():
    """A unit below three others, which know the corners on its upper edge that it does not know."""
    shapes = [shapely.box(0, 0, 9, 2), *(shapely.box(x, 2, x + 3, 4) for x in (0, 3, 6))]
    for labels in ([1, 1, 2, 1], [2, 1, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], [1, 0, 1, -1]):
        found, point = lines_of(shapes, labels)
        assert_same_lines(found, outlines(shapes, labels), 0.3 * point)


def test_enclaves_stacked_units_and_overlaps():
    ring = shapely.difference(shapely.box(0, 0, 10, 10), shapely.box(3, 3, 7, 7))
    inner, other = shapely.box(3, 3, 7, 7), shapely.box(12, 0, 16, 4)
    for labels in ([1, 1], [1, 2], [2, 1], [1, 0]):
        found, point = lines_of([ring, inner], labels)
        assert_same_lines(found, outlines([ring, inner], labels), 0.3 * point)
    found, point = lines_of([ring, inner, other, other], [1, 1, 2, 2])
    assert_same_lines(found, outlines([ring, inner, other], [1, 1, 2]), 0.3 * point)
    pair = [shapely.box(0, 0, 6, 4), shapely.box(4, 1, 9, 3)]
    found, point = lines_of(pair, [1, 1])
    assert_same_lines(found, outlines(pair, [1, 1]), 0.3 * point)


def test_a_shell_given_as_a_hole_is_an_area_like_any_other():
    """Some files name a small ring the shell, and what it should be a hole outside it."""
    inside_out = shapely.Polygon([(1, 0), (1, 0.1), (1.1, 0.1)], [shapely.box(1, 0, 4, 3).exterior.coords])
    shapes = [shapely.box(0, 0, 1, 3), inside_out, shapely.box(4, 0, 5, 3)]
    found, point = lines_of(shapes, [1, 1, 1])
    assert_same_lines(found, shapely.box(0, 0, 5, 3).exterior, 0.4 * point)
    found, point = lines_of(shapes, [1, 2, 1])
    squares = [shapely.box(0, 0, 1, 3), shapely.box(1, 0, 4, 3), shapely.box(4, 0, 5, 3)]
    assert_same_lines(found, outlines(squares, [1, 2, 1]), 0.4 * point)


def test_real_borders_that_do_not_match(shared_data):
    """English small areas, whose borders differ in the last bits: against their union on a fine grid."""
    import geopandas

    file = shared_data("england/lsoa_imd2019.gpkg")
    shapes = geopandas.read_file(file, bbox=(320000, 380000, 350000, 410000)).geometry.to_numpy()
    shapes = shapes[shapely.is_valid(shapes)]
    x = shapely.get_x(shapely.centroid(shapes))
    labels = 1 + np.digitize(x, np.quantile(x, [0.3, 0.7]))
    found, point = lines_of(shapes, labels)
    wanted = []
    for label in (1, 2, 3):
        united = shapely.union_all(shapes[labels == label], grid_size=0.01 * point)
        rings = shapely.get_rings(shapely.get_parts(united))
        wanted.append(rings[shapely.area(shapely.polygons(rings)) > 0.1 * point**2])  # no gaps
    wanted = shapely.union_all(np.concatenate(wanted))
    inside = shapely.difference(found, shapely.buffer(wanted, 0.3 * point))
    assert shapely.length(inside) < 1e-3 * shapely.length(found)
    missed = shapely.difference(wanted, shapely.buffer(found, 0.3 * point))
    assert shapely.length(missed) < 2e-2 * shapely.length(wanted)  # creeks too narrow to have two banks


def svg_of(draw, *args, **options):
    file = io.BytesIO()
    notes = draw(*args, file, file_format="svg", title="t", **options)
    root = ET.fromstring(file.getvalue())
    return {g.get("id"): g for g in root.iter(f"{SVG}g") if g.get("id")}, notes


def test_maps_have_lines_only_when_asked():
    shapes, labels = cells(4, 3), np.arange(12) // 4 + 1
    groups, notes = svg_of(draw_map, shapes, labels, dissolve_lines=True)
    assert notes == ()
    assert "borders" in groups
    assert {"cluster-1", "cluster-2", "cluster-3"} <= set(groups)
    assert "borders" not in svg_of(draw_map, shapes, labels)[0]


def test_every_one_of_several_maps_has_its_own_lines():
    shapes = cells(4, 3)
    panels = [Panel(np.ones(12), "one"), Panel(np.arange(12) // 4 + 1, "three")]
    groups, _ = svg_of(draw_maps, shapes, panels, dissolve_lines=True)
    long = {}
    for name in ("map-1-borders", "map-2-borders"):
        path = next(groups[name].iter(f"{SVG}path")).get("d")
        long[name] = sum(
            np.hypot(*np.diff(np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", line), float), axis=0).T).sum()
            for line in path.split("M")[1:]
        )
    ratio = outlines(shapes, panels[1].labels).length / outlines(shapes, panels[0].labels).length
    assert long["map-2-borders"] / long["map-1-borders"] == pytest.approx(ratio, rel=0.02)


@pytest.mark.parametrize(
    "shapes", [shapely.points([0, 1], [0, 1]), shapely.linestrings([[(0, 0), (1, 1)], [(1, 0), (2, 1)]])]
)
def test_points_and_lines_have_none_and_it_is_said(shapes):
    groups, notes = svg_of(draw_map, shapes, [1, 2], dissolve_lines=True)
    assert notes == ("no unit is an area, so there are no region outlines to draw",)
    assert "borders" not in groups
