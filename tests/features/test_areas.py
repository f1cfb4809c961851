"""Areas on the ground: against geodesic polygons, with edges cut so short that their kind is all one."""

import geopandas
import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely

from regionalize.features.areas import TRUE_AREA, ground_areas
from regionalize.model.layer import Layer

GEOD = pyproj.Geod(ellps="WGS84")


def layer(shapes, crs):
    return Layer(pa.table({"row": np.arange(len(shapes))}), None, crs, shapes=np.array(shapes, dtype=object))


def geodesic(shape):
    return abs(GEOD.geometry_area_perimeter(shapely.segmentize(shape, 0.01))[0])


BOXES = [shapely.box(-10, 40, -8, 41), shapely.box(5, 60, 6, 62), shapely.box(20, -1, 21, 1)]


def test_degrees_are_measured_on_the_ellipsoid():
    areas, notes = ground_areas(layer(BOXES, "EPSG:4326"))
    assert areas == pytest.approx([geodesic(box) for box in BOXES], rel=1e-6)
    assert notes == ("areas are measured in a cylindrical equal-area projection",)


def test_web_mercator_does_not_enlarge_the_north():
    frame = geopandas.GeoSeries(BOXES, crs=4326).to_crs(3857)
    areas, notes = ground_areas(layer(frame, "EPSG:3857"))
    assert areas == pytest.approx([geodesic(box) for box in BOXES], rel=1e-6)
    assert frame.area[1] > 3 * areas[1]
    assert notes


@pytest.mark.parametrize(
    ("crs", "metres"), [("EPSG:3035", 1.0), ("EPSG:2263", 1200 / 3937), ("EPSG:32632", 1.0)]
)
def test_a_true_plane_is_measured_as_it_is(crs, metres):
    place = geopandas.GeoSeries(
        [shapely.Point(10, 50) if crs != "EPSG:2263" else shapely.Point(-74, 40.7)], crs=4326
    )
    x, y = (float(value[0]) for value in (place.to_crs(crs).x, place.to_crs(crs).y))
    box = shapely.box(x, y, x + 200, y + 100)
    areas, notes = ground_areas(layer([box], crs))
    assert areas[0] == pytest.approx(20000 * metres**2, rel=1e-12)
    assert areas[0] == pytest.approx(
        geodesic(geopandas.GeoSeries([box], crs=crs).to_crs(4326)[0]), rel=TRUE_AREA
    )
    assert notes == ()


def test_across_the_180th_meridian():
    whole, split = (
        shapely.box(179, -17, 181, -16),
        [shapely.box(179, -17, 180, -16), shapely.box(-180, -17, -179, -16)],
    )
    shapes = [whole, shapely.MultiPolygon(split), shapely.box(0, -17, 2, -16)]
    areas, _ = ground_areas(layer(shapes, "EPSG:4326"))
    assert areas == pytest.approx([geodesic(shapes[2])] * 3, rel=1e-6)


def test_without_a_system_and_without_geometry():
    areas, notes = ground_areas(layer([shapely.box(0, 0, 3, 2), None, shapely.Point(1, 1)], None))
    assert areas[0] == 6
    assert np.isnan(areas[1])
    assert areas[2] == 0
    assert notes == ("the layer has no coordinate reference system: areas are in square map units",)
    areas, _ = ground_areas(layer([None], "EPSG:4326"))
    assert np.isnan(areas[0])
