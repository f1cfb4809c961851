"""Centroids: against geopandas, pyproj's geodesics, and the symmetry of the globe."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from regionalize.errors import DataError, UsageError
from regionalize.features.centroids import centroids, project_geometry, sphere_points
from regionalize.model.layer import Layer


def layer_of(shapes, crs="EPSG:4326") -> Layer:
    shapes = np.asarray(shapes, dtype=object)
    return Layer(pa.table({"name": [f"unit {row}" for row in range(len(shapes))]}), None, crs, shapes=shapes)


def cells(west: float, south: float, columns: int, rows: int, size: float = 1.0) -> list:
    """Make irregular quadrilaterals on a grid of degrees."""
    rng = np.random.default_rng(5)
    corner = np.array(
        [[(west + i * size, south + j * size) for i in range(columns + 1)] for j in range(rows + 1)]
    )
    corner += rng.uniform(-0.2, 0.2, corner.shape) * size
    return [
        shapely.Polygon([corner[j, i], corner[j, i + 1], corner[j + 1, i + 1], corner[j + 1, i]])
        for j in range(rows)
        for i in range(columns)
    ]


def halves(shape):
    """Cut a shape at the meridian of Greenwich, parts kept apart, as files cut at the antimeridian."""
    parts = [shapely.intersection(shape, shapely.box(west, -90, west + 180, 90)) for west in (-180, 0)]
    return shapely.multipolygons([part for part in parts if part.area > 0])


def half_round(shape):
    """Turn a shape half round the globe, every part's longitudes within ±180."""
    parts = []
    for part in shapely.get_parts(shape):
        side = 180 if part.centroid.x < 0 else -180
        parts.append(shapely.transform(part, lambda lonlat, side=side: np.add(lonlat, [side, 0])))
    return shapely.multipolygons(parts)


def distances(xy: np.ndarray) -> np.ndarray:
    return np.hypot(*(xy[:, None] - xy[None]).T)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (cells(-41, -7, 4, 4), "EPSG:32724"),
        (cells(5, 58, 8, 2), "EPSG:32632"),
        (cells(-70, -30, 30, 30), "+proj=laea"),
        (cells(-179, -60, 71, 24, 5.0), "+proj=eqearth"),
    ],
)
def test_equals_geopandas_after_reprojection(shapes, expected):
    import geopandas

    layer = layer_of(shapes)
    projected = project_geometry(layer)
    assert projected.crs.startswith(expected)
    assert len(projected.notes) == 1
    frame = geopandas.GeoSeries(shapes, crs="EPSG:4326").to_crs(projected.crs)
    xy, notes = centroids(layer)
    np.testing.assert_allclose(
        xy, np.column_stack([frame.centroid.x, frame.centroid.y]), rtol=1e-9, atol=1e-6
    )
    assert notes == projected.notes


def test_same_zone_as_geopandas_estimates():
    import geopandas

    for west, south in ((-41, -7), (5, 44), (150, -34), (-75, 40)):
        shapes = cells(west, south, 3, 3)
        estimated = geopandas.GeoSeries(shapes, crs="EPSG:4326").estimate_utm_crs()
        assert project_geometry(layer_of(shapes)).crs == estimated.to_string()


def test_distances_are_those_of_the_ellipsoid():
    import pyproj

    points = np.random.default_rng(1).uniform([-5, 36], [20, 55], (40, 2))
    xy, _ = centroids(layer_of(shapely.points(points)))
    i, j = np.triu_indices(len(points), 1)
    _, _, geodesic = pyproj.Geod(ellps="WGS84").inv(*points[i].T, *points[j].T)
    np.testing.assert_allclose(distances(xy)[i, j], geodesic, rtol=0.02)


def test_named_target_and_plane_layers():
    import geopandas

    shapes = cells(-41, -7, 3, 3)
    frame = geopandas.GeoSeries(shapes, crs="EPSG:4326").to_crs("EPSG:5880")
    xy, notes = centroids(layer_of(shapes), "EPSG:5880")
    np.testing.assert_allclose(xy, np.column_stack([frame.centroid.x, frame.centroid.y]))
    assert "EPSG:5880" in notes[0]
    plane = layer_of(frame.to_numpy(), "EPSG:5880")
    for project in ("auto", "none", "AUTO"):
        again, notes = centroids(plane, project)
        np.testing.assert_array_equal(again, np.column_stack([frame.centroid.x, frame.centroid.y]))
        assert notes == ()
    other = frame.to_crs("EPSG:32724").centroid
    np.testing.assert_allclose(
        centroids(plane, "EPSG:32724")[0], np.column_stack([other.x, other.y]), atol=1e-3
    )


@pytest.mark.parametrize("drawn", ["split", "across", "beyond"])
@pytest.mark.parametrize(
    ("columns", "expected"), [(5, "EPSG:326"), (41, "+proj=laea"), (121, "+proj=eqearth")]
)
def test_the_antimeridian_is_no_border(columns, expected, drawn):
    """A layer about Greenwich and the same turned half round the globe have the same distances.

    Units there are split at 180°, drawn across it unsplit (longitudes jump), or numbered beyond 180.
    """
    shapes = cells(-columns / 2, 10, columns, 3, 2.0 if columns > 100 else 1.0)
    if drawn == "split":
        shapes = [halves(shape) for shape in shapes]
        turned = [half_round(shape) for shape in shapes]
    else:
        turned = shapely.transform(np.array(shapes), lambda lonlat: np.add(lonlat, [180, 0]))
        if drawn == "across":
            turned = shapely.transform(
                turned, lambda lonlat: np.where(lonlat > 180, lonlat - [360, 0], lonlat)
            )
    here, there = layer_of(shapes), layer_of(turned)
    assert project_geometry(there).crs.startswith(expected)
    np.testing.assert_allclose(
        distances(centroids(there)[0]), distances(centroids(here)[0]), rtol=1e-9, atol=1e-3
    )
    turn = sphere_points(there) - sphere_points(here)
    np.testing.assert_allclose(turn[:, 0] % 360, 180, atol=1e-9)
    np.testing.assert_allclose(turn[:, 1], 0, atol=1e-9)


def test_far_units_on_both_sides():
    """New Zealand with Chatham, the United States with Alaska's last islands, points of Fiji."""
    fiji, _ = centroids(layer_of(shapely.points([[178.4, -18.1], [-179.9, -16.8], [179.3, -16.5]])))
    assert distances(fiji).max() < 300_000
    usa = [shapely.box(-125, 25, -67, 49), shapely.box(-170, 55, -141, 70), shapely.box(172, 52, 180, 53)]
    xy, _ = centroids(layer_of([*usa, shapely.box(-180, 51, -176, 52)]))
    assert distances(xy)[2, 3] < 600_000
    assert xy[2, 0] < xy[3, 0] < xy[1, 0] < xy[0, 0]
    # longitudes beyond 180 mean the same places
    same, _ = centroids(layer_of(shapely.points([[178.4, -18.1], [180.1, -16.8], [179.3, -16.5]])))
    np.testing.assert_allclose(same, fiji, atol=1e-6)


def test_a_ring_all_round_the_pole():
    ring = shapely.Polygon([(lon, -70) for lon in range(-180, 181, 5)] + [(180, -90), (-180, -90)])
    xy, _ = centroids(layer_of([ring, shapely.Point(0, -65)]))
    assert np.isfinite(xy).all()
    assert np.hypot(*(xy[0] - xy[1])) == pytest.approx(2.8e6, rel=0.05)  # 25 degrees of meridian


def test_missing_and_empty_geometry_gives_nan():
    layer = layer_of([shapely.Point(1, 1), None, shapely.Polygon(), shapely.Point(2, 2)])
    xy, _ = centroids(layer)
    assert np.isnan(xy).all(axis=1).tolist() == [False, True, True, False]
    plane, _ = centroids(layer_of(layer.geometry, "EPSG:3035"))
    assert plane[3].tolist() == [2, 2]


def test_other_shapes():
    shapes = [
        shapely.MultiPoint([(0, 0), (2, 4)]),
        shapely.LineString([(0, 0), (4, 0)]),
        shapely.GeometryCollection([shapely.box(0, 0, 2, 2), shapely.Point(9, 9)]),
        shapely.Polygon([(0, 0, 5), (2, 0, 5), (2, 2, 5), (0, 2, 5)]),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 0, 4, 3)]),
    ]
    assert centroids(layer_of(shapes, "EPSG:3035"))[0].tolist() == [
        [1, 2],
        [2, 0],
        [1, 1],
        [1, 1],
        [2.75, 1.25],
    ]


def test_degrees_of_another_kind():
    """Grads from the meridian of Paris (EPSG:4807) end where degrees from Greenwich do."""
    import geopandas

    shapes = cells(1, 44, 3, 3)
    paris = geopandas.GeoSeries(shapes, crs="EPSG:4326").to_crs("EPSG:4807")
    xy, _ = centroids(layer_of(paris.to_numpy(), "EPSG:4807"))
    np.testing.assert_allclose(xy, centroids(layer_of(shapes))[0], atol=1)


class TestRefusals:
    def test_geographic_with_project_none(self):
        with pytest.raises(UsageError, match="longitude and latitude") as caught:
            centroids(layer_of(cells(0, 0, 2, 2)), "none")
        assert caught.value.exit_code == 2

    def test_no_crs(self):
        degrees = layer_of(cells(0, 0, 2, 2), None)
        with pytest.raises(DataError, match="--project none"):
            centroids(degrees)
        with pytest.raises(DataError, match="look like degrees"):
            project_geometry(degrees)
        with pytest.raises(DataError, match="cannot be projected"):
            centroids(degrees, "EPSG:32631")
        assert "look like degrees" in centroids(degrees, "none")[1][0]
        plane = layer_of([shapely.box(5000, 5000, 5002, 5004)], None)
        with pytest.raises(DataError, match="--project none"):
            centroids(plane)
        assert centroids(plane, "none")[0].tolist() == [[5001, 5002]]
        assert "taken as plane" in project_geometry(plane).notes[0]

    @pytest.mark.parametrize("target", ["EPSG:999999", "mars", "EPSG:4674", ""])
    def test_targets(self, target):
        with pytest.raises(UsageError):
            centroids(layer_of(cells(0, 0, 2, 2)), target)

    def test_coordinates_that_are_no_degrees(self):
        with pytest.raises(DataError, match="no longitude and latitude"):
            centroids(layer_of([shapely.Point(0, 0), shapely.Point(500000, 7e6)]))

    def test_outside_the_target(self):
        shapes = [shapely.Point(5, 5), shapely.Point(5, -90), None, shapely.Polygon()]
        with pytest.raises(DataError, match="1 of 4 rows lie outside EPSG:2154: unit 1"):
            project_geometry(layer_of(shapes), "EPSG:2154", "name")

    def test_table_without_geometry(self):
        with pytest.raises(DataError, match="no geometry"):
            centroids(Layer(pa.table({"a": [1]}), None, None))
        with pytest.raises(DataError, match="no row has a geometry"):
            centroids(layer_of([None, None]))
