"""Places of layers and tables, and what is refused."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from regionalize.errors import DataError, RegionalizeError, UsageError
from regionalize.model.layer import Layer
from regionalize.studies.rank.degrees import parse_place
from regionalize.studies.rank.places import (
    Items,
    item_places,
    read_items,
    read_users,
)


def layer_of(shapes, crs="EPSG:4326", **columns):
    data = columns or {"a": range(len(shapes))}
    return Layer.from_frame(geopandas.GeoDataFrame(data, geometry=shapes, crs=crs))


def test_points_are_taken_as_they_are():
    places, notes = item_places(layer_of([shapely.Point(-74.006, 40.7128), shapely.Point(180, -90)]))
    assert places.tolist() == [[40.7128, -74.006], [-90.0, 180.0]]
    assert notes == ()


def test_polygons_and_lines_by_centroid_on_the_sphere():
    shapes = [
        shapely.box(10, -1, 20, 1),
        shapely.LineString([(0, 0), (0, 50)]),
        shapely.MultiPolygon([shapely.box(179, -1, 180, 1), shapely.box(-180, -1, -179, 1)]),
        shapely.box(179, -1, 181, 1),
    ]
    places, _ = item_places(layer_of(shapes))
    np.testing.assert_allclose(places[:2], [[0, 15], [25, 0]], atol=1e-12)
    np.testing.assert_allclose(np.abs(places[2:]), [[0, 180], [0, 180]], atol=1e-12)


def test_projected_layers_are_transformed_after_the_centroid():
    from pyproj import Transformer

    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32618", always_xy=True)
    x, y = to_utm.transform(-74.006, 40.7128)
    places, _ = item_places(layer_of([shapely.box(x - 5, y - 5, x + 5, y + 5)], "EPSG:32618"))
    np.testing.assert_allclose(places, [[40.7128, -74.006]], atol=1e-9)


def test_degrees_of_another_meridian():
    """NTF (Paris) counts in grads from Paris, 2.337 degrees east of Greenwich."""
    places, _ = item_places(layer_of([shapely.Point(0, 50), shapely.box(-1, 49, 1, 51)], "EPSG:4807"))
    np.testing.assert_allclose(places, [[45, 2.337], [45, 2.337]], atol=0.01)


def test_without_a_system_degrees_are_taken_and_others_refused():
    places, notes = item_places(layer_of([shapely.Point(3, 50)], None))
    assert places.tolist() == [[50.0, 3.0]]
    assert "taken as degrees" in notes[0]
    with pytest.raises(DataError, match="no coordinate reference system, and its coordinates are no degrees"):
        item_places(layer_of([shapely.Point(500_000, 4_000_000)], None))


@pytest.mark.parametrize(
    "names", [("lat", "lon"), ("Latitude", "LONGITUDE"), ("latitude", "lng"), ("LAT", "long")]
)
def test_tables_by_their_columns(names):
    table = pd.DataFrame({names[1]: [-74.0, 2.0], names[0]: ["40.5", "48"], "name": ["a", "b"]})
    assert item_places(Layer.from_frame(table))[0].tolist() == [[40.5, -74.0], [48.0, 2.0]]


def test_a_table_without_places_is_refused():
    with pytest.raises(DataError, match="neither geometry nor columns of latitude and longitude"):
        item_places(Layer.from_frame(pd.DataFrame({"x": [1.0]})))


BAD = [
    (95.0, -100.0, "latitude 95 is not between -90 and 90"),
    (10.0, 190.0, "longitude 190 is not between -180 and 180; write it as -170"),
    (-118.2437, 34.0522, "look swapped; write 34.0522,-118.2437"),
    (4_507_523.0, 583_960.0, "are no degrees of latitude and longitude; transform projected"),
    (float("nan"), 3.0, "missing or no number"),
    (float("inf"), 3.0, "missing or no number"),
]


@pytest.mark.parametrize(("latitude", "longitude", "words"), BAD)
def test_bad_places_are_one_line_each(tmp_path, latitude, longitude, words):
    with pytest.raises(UsageError) as caught:
        read_users(["1,2", f"{latitude},{longitude}"])
    assert words in str(caught.value)
    assert caught.value.exit_code == 2

    path = tmp_path / "users.csv"
    pd.DataFrame(
        {"who": ["x", "y", "z"], "lat": [1, latitude, latitude], "lon": [2, longitude, longitude]}
    ).to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        read_users(at_file=path, id_column="who")
    said = str(caught.value)
    assert words.partition(";")[0] in said
    assert said.startswith(f"{path}:")
    assert "row y" in said
    assert "1 row more" in said
    assert "\n" not in said


@pytest.mark.parametrize(("latitude", "longitude", "words"), BAD[:4])
def test_bad_points_of_a_layer(latitude, longitude, words):
    with pytest.raises(DataError) as caught:
        item_places(layer_of([shapely.Point(1, 2), shapely.Point(longitude, latitude)]))
    assert words in str(caught.value)
    assert "row 2" in str(caught.value)


def test_polygons_in_metres_under_degrees_are_refused():
    with pytest.raises(DataError, match=r"row 1: .*no degrees of latitude and longitude"):
        item_places(layer_of([shapely.box(500_000, 4e6, 500_100, 4.1e6)]))


def test_rows_without_a_geometry_are_named():
    with pytest.raises(DataError, match="row b: 1 row without a place"):
        item_places(layer_of([shapely.Point(1, 2), None], name=["a", "b"]), "name")


def test_a_projected_place_outside_its_system_is_named():
    with pytest.raises(DataError, match="row 1: 1 row outside the layer's coordinate reference system"):
        item_places(layer_of([shapely.Point(1e30, 1e30)], "EPSG:3035"))


@pytest.mark.parametrize("text", ["", "40", "40,x", "1,2,3", "40;3", "here"])
def test_texts_that_are_no_place(text):
    with pytest.raises(UsageError, match="is no place; write LAT,LON in degrees"):
        parse_place(text)


def test_users_from_text_and_files(tmp_path):
    assert read_users(["0,0", " -90 , 180 "]).places.tolist() == [[0, 0], [-90, 180]]
    assert read_users(["0,0", "1,1"]).ids.tolist() == [1, 2]
    path = tmp_path / "users.geojson"
    geopandas.GeoDataFrame({"who": ["p"]}, geometry=[shapely.Point(3, 50)], crs=4326).to_file(path)
    users = read_users(at_file=path, id_column="who")
    assert users.ids.tolist() == ["p"]
    assert users.places.tolist() == [[50.0, 3.0]]
    for both in ({"at": ["0,0"], "at_file": path}, {}):
        with pytest.raises(UsageError, match="give --at LAT,LON or --at-file"):
            read_users(**both)
    with pytest.raises(RegionalizeError, match="there is no column 'whom'"):
        read_users(at_file=path, id_column="whom")


def test_text_that_is_no_number_is_named(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("lat,lon\n1,2\nnorth,3\n")
    with pytest.raises(DataError, match=r"users.csv:.*row 2: the place is missing or no number"):
        read_users(at_file=path)
    table = pd.DataFrame({"lat": ["1", "north"], "lon": ["2", "3"]})
    with pytest.raises(DataError, match="lat:row 2: 'north' is no number"):
        item_places(Layer.from_frame(table))


def test_items_with_ids_and_an_attribute():
    layer = layer_of([shapely.Point(0, 1), shapely.Point(1, 1)], id=[20, 7], stars=[4.5, None])
    items = read_items(layer, "id", "stars")
    assert items.ids.tolist() == [20, 7]
    assert items.precedence.tolist() == [1, 0]
    np.testing.assert_array_equal(items.attribute, [4.5, np.nan])
    assert items.notes == ("1 item without a value of 'stars' count as the least",)
    assert read_items(layer).ids.tolist() == [1, 2]
    with pytest.raises(UsageError, match="did you mean 'stars'"):
        read_items(layer, attribute="star")


def test_precedence_keeps_rows_of_equal_ids_in_order():
    ids = np.array(["b", "a", "b", "a"], dtype=object)
    assert Items(ids, np.zeros((4, 2))).precedence.tolist() == [2, 0, 3, 1]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4269"])
def test_plain_points_are_the_places_of_geometries(crs):
    points = shapely.points(np.random.default_rng(2).uniform(-90, 90, (50, 2)))
    table = pa.table({"a": range(50)})
    plain = Layer(table, pa.chunked_array([shapely.to_wkb(points[:20]), shapely.to_wkb(points[20:])]), crs)
    found = item_places(plain)[0]
    np.testing.assert_array_equal(found, item_places(Layer(table, None, crs, shapes=points))[0])
    solid = shapely.force_3d(points, 7.0)
    deep = Layer(table, pa.chunked_array([shapely.to_wkb(solid)]), crs)
    np.testing.assert_array_equal(found, item_places(deep)[0])
