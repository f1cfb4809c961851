"""Compactness by hand, and the outline of messy layers against GEOS's general union."""

import math

import numpy as np
import pytest
import shapely
from shapely import affinity

from regionalize.kernels.threads import at_most
from regionalize.measure import shape as shape_module
from regionalize.measure.dissolve import dissolved_size
from regionalize.measure.shape import isoperimetric_quotient, measure_compactness, outer_length


def measured(geometry, labels=None):
    geometry = np.array(geometry, dtype=object)
    labels = np.ones(len(geometry), dtype=int) if labels is None else np.array(labels)
    return measure_compactness(labels, geometry, np.unique(labels[labels > 0]))


def grid(columns, rows, size=1.0):
    return [
        shapely.box(x * size, y * size, (x + 1) * size, (y + 1) * size)
        for x in range(columns)
        for y in range(rows)
    ]


def test_a_block_of_squares():
    found, notes = measured(grid(3, 2))
    assert notes == ()
    assert (found[1].area, found[1].perimeter) == (6.0, 24.0)
    assert found[1].ipq_geoda == pytest.approx(4 * math.pi * 6 / 24**2)
    assert found[1].ipq_dissolved == pytest.approx(4 * math.pi * 6 / 10**2)


def test_a_disc_is_compact_and_a_thread_is_not():
    disc = shapely.Point(0, 0).buffer(1, quad_segs=256)
    assert measured([disc])[0][1].ipq_geoda == pytest.approx(1, abs=1e-4)
    assert measured([shapely.box(0, 0, 1000, 1)])[0][1].ipq_dissolved == pytest.approx(
        math.pi / 1000, rel=0.01
    )


def test_clusters_are_measured_apart_and_only_those_asked_for():
    geometry = np.array([*grid(2, 1), shapely.box(5, 5, 7, 7), shapely.box(9, 9, 10, 10)], dtype=object)
    found, _ = measure_compactness(np.array([2, 2, 1, 0]), geometry, np.array([1, 2]))
    assert {label: one.area for label, one in found.items()} == {1: 4.0, 2: 2.0}
    found, _ = measure_compactness(np.array([2, 2, 1, 0]), geometry, np.array([1]))
    assert set(found) == {1}


def test_a_hole_is_ignored_by_geoda_and_bounds_the_dissolved_outline():
    """A ring of eight squares round a ninth that belongs to another cluster."""
    squares = grid(3, 3)
    ring = [square for i, square in enumerate(squares) if i != 4]
    found, _ = measured(ring)
    assert found[1].ipq_dissolved == pytest.approx(4 * math.pi * 8 / (12 + 4) ** 2)
    pierced = shapely.box(0, 0, 3, 3).difference(squares[4])
    found, _ = measured([pierced])
    assert (found[1].area, found[1].perimeter) == (8.0, 12.0)


def test_multipart_units_count_all_their_outer_rings():
    parts = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 7, 1)])
    pierced = shapely.box(10, 10, 14, 14).difference(shapely.box(11, 11, 12, 12))
    shapes = np.array([parts, shapely.box(0, 0, 1, 1), pierced], dtype=object)
    assert outer_length(shapes).tolist() == [10.0, 4.0, 16.0]


def test_heights_change_nothing():
    flat, tall = grid(2, 2), [shapely.force_3d(square, 100.0 * i) for i, square in enumerate(grid(2, 2))]
    assert measured(flat) == measured(tall)


def test_missing_and_empty_geometry_is_said():
    found, notes = measured([shapely.box(0, 0, 1, 1), None, shapely.Polygon()])
    assert found[1].area == 1.0
    assert notes == ("2 units have no polygon and add nothing to compactness.",)
    assert measured([None, None]) == ({}, ())


def test_polygons_inside_collections_are_found():
    collection = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.Point(9, 9)])
    found, notes = measured([collection, shapely.box(1, 0, 2, 1)])
    assert (found[1].area, found[1].perimeter, notes) == (2.0, 8.0, ())
    found, notes = measured([shapely.Point(0, 0), shapely.box(1, 0, 2, 1)])
    assert found[1].area == 1.0
    assert notes == ("1 unit has no polygon and adds nothing to compactness.",)


def test_points_are_measured_by_their_hull():
    corners = [shapely.Point(0, 0), shapely.Point(3, 0), shapely.Point(3, 4), shapely.Point(2, 1)]
    found, _ = measured(corners)
    assert (found[1].area, found[1].perimeter) == (6.0, 12.0)
    assert found[1].ipq_geoda == found[1].ipq_dissolved == pytest.approx(4 * math.pi * 6 / 144)
    found, _ = measured(
        [*corners, shapely.MultiPoint([(10, 0), (13, 0)]), shapely.Point(10, 1)], [1, 1, 1, 1, 2, 2]
    )
    assert found[2].area == 1.5


def test_points_on_one_line_have_no_compactness():
    found, _ = measured([shapely.Point(0, 0), shapely.Point(3, 4)])
    assert (found[1].area, found[1].perimeter, found[1].ipq_geoda) == (0.0, 10.0, None)
    found, _ = measured([shapely.Point(1, 1)])
    assert (found[1].area, found[1].perimeter, found[1].ipq_dissolved) == (0.0, 0.0, None)


def test_too_many_vertices_are_estimated_from_the_units_along_the_outline(monkeypatch):
    labels = [1] * 100 + [2] * 25
    squares = [*grid(10, 10), *(affinity.translate(square, 50) for square in grid(5, 5))]
    exact, _ = measured(squares, labels)
    monkeypatch.setattr(shape_module, "DISSOLVE_VERTICES", 600)
    found, notes = measured(squares, labels)
    assert found == exact
    assert notes == (
        "The compactness of dissolved outlines is estimated, from the units along them:"
        " 625 vertices are more than 600.",
    )


def test_outlines_of_many_vertices_whose_borders_do_not_match_are_left_out(monkeypatch):
    """The squares of the second cluster are apart by less than anyone can see."""
    labels = [1] * 100 + [2] * 100 + [3] * 100
    apart = [affinity.scale(square, 1 - 1e-6, 1 - 1e-6) for square in grid(10, 10)]
    squares = [*grid(10, 10), *(affinity.translate(square, 50) for square in apart)]
    squares += [affinity.translate(square, 100) for square in grid(10, 10)]
    exact, _ = measured(squares, labels)
    monkeypatch.setattr(shape_module, "DISSOLVE_VERTICES", 600)
    found, notes = measured(squares, labels)
    assert found[2].ipq_dissolved is None
    assert found[2].ipq_geoda == exact[2].ipq_geoda
    assert (found[1], found[3]) == (exact[1], exact[3])
    why = "1,500 vertices are more than 600"
    assert notes == (
        f"The compactness of dissolved outlines is estimated, from the units along them: {why}.",
        f"The compactness of dissolved outlines of cluster 2 is left out: {why}, and too few borders match.",
    )
    monkeypatch.setattr(shape_module, "DISSOLVE_VERTICES", 9)
    found, notes = measured(grid(2, 1))
    assert found[1].ipq_geoda == pytest.approx(4 * math.pi * 2 / 64)
    assert found[1].ipq_dissolved is None
    assert notes == (
        "The compactness of dissolved outlines is left out: 10 vertices are more than 9,"
        " and too few borders match.",
    )


def test_what_geos_cannot_dissolve_is_said(monkeypatch):
    def fail(_):
        raise shapely.errors.GEOSException("side location conflict")

    monkeypatch.setattr(shape_module, "dissolved_size", fail)
    found, notes = measured(grid(2, 1))
    assert (found[1].area, found[1].ipq_dissolved) == (2.0, None)
    assert notes == ("The polygons of cluster 1 cannot be dissolved: no outline is measured.",)


def test_any_number_of_threads_measures_the_same(monkeypatch):
    monkeypatch.setattr(shape_module, "ALONE", 0)
    labels = [1 + (i % 7) for i in range(96)]
    with at_most(1):
        alone = measured(grid(12, 8), labels)
    with at_most(4):
        together = measured(grid(12, 8), labels)
    assert together == alone
    assert sorted(together[0]) == list(range(1, 8))


def test_published_quotients_follow_from_their_areas_and_perimeters(published):
    rows = [row for row in published if row["metric"].endswith("area;perimeter;IPQ;diameter;diam/N")]
    assert len(rows) == 12
    for row in rows:
        area, perimeter, quotient = (float(value) for value in row["value"].split(";")[4:7])
        assert isoperimetric_quotient(area, perimeter) == pytest.approx(quotient, rel=1e-3)


def torn(shapes, gap, seed=0):
    """Move every vertex a little, unit by unit, so that no border matches its neighbour's."""
    rng = np.random.default_rng(seed)
    rings = [shapely.get_coordinates(one)[:-1] for one in shapes]
    return [shapely.Polygon(ring + rng.uniform(-gap, gap, ring.shape)) for ring in rings]


@pytest.mark.parametrize("gap", [1e-12, 1e-9, 1e-6])
def test_borders_that_nearly_match_are_dissolved(gap):
    area, length = dissolved_size(np.array(torn(grid(12, 12), gap), dtype=object))
    assert area == pytest.approx(144, rel=1e-4)
    assert length == pytest.approx(48, rel=1e-3)


def test_borders_a_hair_apart_are_one_border():
    squares = np.array([shapely.box(0, 0, 1, 1), shapely.box(1 + 1e-9, 0, 2, 1)], dtype=object)
    assert dissolved_size(squares) == pytest.approx((2, 6))


def test_borders_with_more_vertices_on_one_side_are_one_border():
    left = shapely.segmentize(shapely.box(0, 0, 1, 1), 0.3)
    assert dissolved_size(np.array([left, shapely.box(1, 0, 2, 1)], dtype=object)) == pytest.approx((2, 6))


def test_an_overlap_counts_once():
    squares = np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], dtype=object)
    assert dissolved_size(squares) == pytest.approx((3, 8), rel=1e-4)
    inner = np.array(
        [shapely.box(0, 0, 4, 4), shapely.box(1, 1, 2, 2), shapely.box(0, 0, 1, 1)], dtype=object
    )
    assert dissolved_size(inner) == pytest.approx((16, 16), rel=1e-4)


@pytest.mark.parametrize("times", [2, 3, 4, 20])
def test_a_polygon_drawn_again_counts_once(times):
    again = [shapely.box(0, 0, 1, 1)] * times + [shapely.box(1, 0, 2, 1)]
    assert dissolved_size(np.array(again, dtype=object)) == pytest.approx((2, 6), rel=1e-4)


def test_invalid_polygons_are_repaired_first():
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    area, length = dissolved_size(np.array([bow, shapely.box(2, 0, 3, 2)], dtype=object))
    assert area == pytest.approx(4)
    # a triangle on the left; on the right one glued to the box by its long side
    assert length == pytest.approx((2 + 2 * math.sqrt(2)) + (2 * math.sqrt(2) + 1 + 2 + 1))
    assert dissolved_size(np.array([shapely.Polygon([(0, 0), (1, 1), (2, 2)])], dtype=object)) == (0.0, 0.0)


def test_turning_moving_and_scaling_scale_the_figures():
    rng = np.random.default_rng(8)
    voronoi = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.random((60, 2)))))
    area, length = dissolved_size(voronoi)
    box = shapely.union_all(voronoi)
    assert (area, length) == pytest.approx((box.area, box.length))
    moved = [
        affinity.translate(
            affinity.scale(affinity.rotate(cell, 31, origin=(0, 0)), 1e5, 1e5, origin=(0, 0)), 5e6, -2e6
        )
        for cell in voronoi
    ]
    far = dissolved_size(np.array(moved, dtype=object))
    assert far == pytest.approx((area * 1e10, length * 1e5), rel=1e-4)


def outline(union, mean_area):
    """Return area and length of a union by its rings, small gaps passed over, one by one."""
    length = 0.0
    for polygon in getattr(union, "geoms", [union]):
        length += polygon.exterior.length
        length += sum(
            ring.length for ring in polygon.interiors if shapely.Polygon(ring).area >= 1e-4 * mean_area
        )
    return union.area, length


@pytest.mark.parametrize(
    "layer",
    [
        "guerry/Guerry.shp",
        "chicago_cca/Chicago_2020_sdoh.shp",
        "chi_sdoh/Chi-SDOH.shp",
        "messy/liverpool/liverpool_lsoa.geojson",
        "messy/nyc/nyc.shp",
        "messy/scotlip/scotlip.shp",
        "messy/tokyo/tokyomet262a.shp",
        "brazil/municipalities.gpkg",
    ],
)
def test_outlines_of_real_layers_equal_the_general_union(shared_data, layer):
    import geopandas

    frame = geopandas.read_file(shared_data(layer))
    if layer.startswith("brazil"):
        # the states with most of the overlaps and gaps
        frame = frame[frame["ufn"].isin(["Pará", "Sergipe", "Ceará"])].to_crs(5880)
    shapes = frame.geometry.to_numpy()
    west = shapely.get_x(shapely.centroid(shapes))
    halves = [shapes[west <= np.median(west)], shapes[west > np.median(west)]]
    for part in halves:
        sound = shapely.make_valid(part)
        sound = np.array([one for one in sound if one.area > 0], dtype=object)
        grid_size = 1e-4 * np.sqrt(np.median(shapely.area(sound)))
        expected = outline(shapely.union_all(sound, grid_size=grid_size), shapely.area(sound).mean())
        area, length = dissolved_size(part)
        assert area == pytest.approx(expected[0], rel=1e-4)
        assert length == pytest.approx(expected[1], rel=2e-3)
