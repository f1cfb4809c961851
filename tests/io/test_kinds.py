"""Types, odd names and odd geometries through every format, against what was put in."""

from __future__ import annotations

import datetime as dt

import geopandas
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.errors import OutputError
from regionalize.io.check_output import check_output
from regionalize.io.read import read_layer
from regionalize.io.write import write_layer
from regionalize.model.layer import Layer, LayerOrigin

BOXES = shapely.box(np.arange(4), 0, np.arange(4) + 1.0, 1)
UTC = dt.UTC


def layer_of(columns, shapes=BOXES, crs="EPSG:3857", **origin):
    wkb = None
    if shapes is not None:
        raw = [
            None if s is None else s if isinstance(s, bytes) else shapely.to_wkb(s, flavor="iso")
            for s in shapes
        ]
        wkb = pa.chunked_array([pa.array(raw, pa.binary())])
        if not columns:
            return Layer(pa.table({"x": raw}).select([]), wkb, crs, LayerOrigin(**origin))
    return Layer(pa.table(columns), wkb, crs, LayerOrigin(**origin))


def round_trip(layer, path, added=None, **options):
    n = len(layer)
    added = {"cluster": pa.array([1, None, 2, 3][:n], pa.int32())} if added is None else added
    notes = write_layer(layer, path, added=added, **options)
    assert list(path.parent.glob(".*")) == [], "a temporary folder was left"
    back = read_layer(path)
    for name, column in added.items():
        assert back.attributes[name].to_pylist() == column.to_pylist()
    return back, notes


VALUES = {
    "bool": pa.array([True, False, None, True]),
    "int8": pa.array([1, -2, None, 3], pa.int8()),
    "uint8": pa.array([1, 2, None, 255], pa.uint8()),
    "int16": pa.array([1, -2, None, 3], pa.int16()),
    "uint16": pa.array([1, 2, None, 2**16 - 1], pa.uint16()),
    "int32": pa.array([1, -(2**31), None, 2**31 - 1], pa.int32()),
    "uint32": pa.array([1, 2, None, 2**32 - 1], pa.uint32()),
    "int64": pa.array([2**53 + 1, -(2**53) - 1, None, 0]),
    "uint64": pa.array([1, 2, None, 2**63 - 1], pa.uint64()),
    "float32": pa.array([0.1, -2, None, 3], pa.float32()),
    "float64": pa.array([0.1 + 0.2, 1e20, None, -1 / 3]),
    "text": pa.array(["é 東京", 'it\'s; "quoted", \\', None, "x" * 254]),
    "dictionary": pa.array(["a", "b", None, "a"]).dictionary_encode(),
    "large_text": pa.array(["a", "b", None, "a"], pa.large_string()),
    "date": pa.array([dt.date(2020, 1, 2), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    "all_null": pa.nulls(4),
    "null_int": pa.nulls(4, pa.int32()),
    "null_float": pa.nulls(4, pa.float64()),
    "null_text": pa.nulls(4, pa.string()),
    "decimal": pa.array([1, 2, None, 3], pa.decimal128(10, 2)),
}


def values_of(column):
    return [float(v) if hasattr(v, "as_tuple") else v for v in column.to_pylist()]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".shp"])
@pytest.mark.parametrize("kind", VALUES)
def test_values_survive(tmp_path, kind, suffix):
    layer = layer_of({"id": [1, 2, 3, 4], "v": VALUES[kind]})
    if (kind, suffix) == ("uint64", ".shp"):  # 19 digits
        with pytest.raises(OutputError, match="integers of 18 digits"):
            write_layer(layer, tmp_path / "o.shp", added={})
        return
    back, notes = round_trip(layer, tmp_path / f"o{suffix}")
    was, now = values_of(VALUES[kind]), back.attributes["v"].to_pylist()
    if kind == "date" and suffix == ".fgb":
        was = [None if v is None else dt.datetime(v.year, v.month, v.day) for v in was]
        assert any("dates become date-times: v" in note for note in notes)
    elif kind == "bool" and suffix == ".gdb":
        was = [None if v is None else int(v) for v in was]
        assert any("true and false become 1 and 0: v" in note for note in notes)
    elif suffix == ".shp" and kind in {"float32", "float64"}:
        assert [v if v is None else pytest.approx(v, rel=1e-13) for v in now] == was
        return
    elif kind == "decimal" and suffix != ".parquet":
        assert any("floating-point" in note for note in notes)
    if kind == "decimal" and suffix == ".parquet":
        now = values_of(back.attributes["v"])
    assert now == was
    if suffix == ".parquet":
        assert back.attributes["v"].type == layer.attributes["v"].type


KEEPS_TYPE = {
    ".gpkg": ["bool", "int16", "int32", "int64", "float32", "float64", "text", "date"],
    ".fgb": ["bool", "int16", "int32", "int64", "float32", "float64", "text"],
    ".gdb": ["int16", "int32", "int64", "float32", "float64", "text", "date"],
    ".geojson": ["bool", "int32", "int64", "float64", "text", "date"],
    ".shp": ["bool", "float64", "text", "date"],
}


@pytest.mark.parametrize("suffix", KEEPS_TYPE)
def test_types_stay_where_the_format_has_them(tmp_path, suffix):
    columns = {name: VALUES[name] for name in KEEPS_TYPE[suffix]}
    back, _ = round_trip(layer_of(columns), tmp_path / f"o{suffix}")
    assert {n: back.attributes[n].type for n in columns} == {n: columns[n].type for n in columns}


TIMES = {
    "zoned": pa.array([dt.datetime(2020, 1, 2, 3, 4, 5, 678000, UTC), None], pa.timestamp("ms", "UTC")),
    "plain": pa.array([dt.datetime(2020, 1, 2, 3, 4, 5, 678000), None], pa.timestamp("ms")),
    "clock": pa.array([dt.time(1, 2, 3), None], pa.time32("ms")),
}
TIME_NOTES = {
    (".gpkg", "plain"): "taken as UTC",
    (".gpkg", "clock"): "times of day become text",
    (".shp", "zoned"): "date-times become text",
    (".shp", "plain"): "date-times become text",
    (".shp", "clock"): "times of day become text",
    (".fgb", "zoned"): "lose their zone",
    (".fgb", "clock"): "times of day become text",
    (".gdb", "zoned"): "lose their zone",
}


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".shp"])
@pytest.mark.parametrize("kind", TIMES)
def test_times_survive_or_are_said(tmp_path, kind, suffix):
    layer = layer_of({"t": TIMES[kind]}, BOXES[:2])
    if (suffix, kind) == (".gdb", "clock") and pyogrio.__version__ < "0.13":  # it read no times of day
        with pytest.raises(OutputError, match="1 of 2 columns are missing"):
            round_trip(layer, tmp_path / "o.gdb")
        return
    back, notes = round_trip(layer, tmp_path / f"o{suffix}")
    was, now = TIMES[kind].to_pylist(), back.attributes["t"].to_pylist()
    said = TIME_NOTES.get((suffix, kind))
    assert now[1] is None
    if said is None:
        assert not any("time" in note for note in notes)
        assert now == was
        return
    assert any(said in note and note.endswith(": t.") for note in notes)
    if isinstance(now[0], str):
        text = now[0].removesuffix("Z")
        parsed = dt.time.fromisoformat(text) if kind == "clock" else dt.datetime.fromisoformat(text)
        assert parsed == (was[0] if kind == "clock" else was[0].replace(tzinfo=None))
    else:
        assert now[0].replace(tzinfo=None) == was[0].replace(tzinfo=None)


def test_sub_millisecond_times_are_said(tmp_path):
    fine = pa.array([dt.datetime(2020, 1, 2, 3, 4, 5, 678901, UTC), None], pa.timestamp("us", "UTC"))
    _, notes = round_trip(layer_of({"t": fine}, BOXES[:2]), tmp_path / "o.gpkg")
    assert any("rounded to milliseconds: t" in note for note in notes)


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".gdb", ".parquet"])
def test_bytes_survive(tmp_path, suffix):
    column = pa.array([b"\0\1", None, b"", b"x"])
    back, _ = round_trip(layer_of({"b": column}), tmp_path / f"o{suffix}")
    assert back.attributes["b"].to_pylist() == column.to_pylist()


@pytest.mark.parametrize("suffix", [".geojson", ".parquet"])
def test_lists_survive(tmp_path, suffix):
    back, notes = round_trip(layer_of({"l": [[1, 2], None, [], [3]]}), tmp_path / f"o{suffix}")
    assert back.attributes["l"].to_pylist() == [[1, 2], None, [], [3]]
    assert not any("list" in note for note in notes)


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".gdb", ".shp"])
def test_lists_become_json_and_it_is_said(tmp_path, suffix):
    import json

    back, notes = round_trip(
        layer_of({"l": [[1, 2], None, [], [3]]}),
        tmp_path / f"o{suffix}",
    )
    assert [v if v is None else json.loads(v) for v in back.attributes["l"].to_pylist()] == [
        [1, 2],
        None,
        [],
        [3],
    ]
    assert any("lists and structures become text (JSON): l" in note for note in notes)


def test_geojson_objects_come_back_as_objects(tmp_path):
    import json

    source = tmp_path / "in.geojson"
    properties = [{"o": {"x": [1, None]}, "s": "a"}, {"o": None, "s": "b"}]
    features = [
        {"type": "Feature", "properties": p, "geometry": {"type": "Point", "coordinates": [1, 2]}}
        for p in properties
    ]
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    layer = read_layer(source)
    out = tmp_path / "out.geojson"
    write_layer(layer, out, added={"cluster": pa.array([1, None], pa.int32())})
    written = [feature["properties"] for feature in json.loads(out.read_text())["features"]]
    assert written == [{**properties[0], "cluster": 1}, {**properties[1], "cluster": None}]


def test_nan_and_null_are_kept_apart_or_it_is_said(tmp_path):
    layer = layer_of({"f": pa.array([float("nan"), None, float("inf"), 1.0])})
    for suffix, said in {
        ".gpkg": "NaN becomes null: f",
        ".geojson": "NaN and infinity become null: f",
    }.items():
        back, notes = round_trip(layer, tmp_path / f"o{suffix}")
        assert any(said in note for note in notes)
        assert back.attributes["f"].to_pylist()[:2] == [None, None]
    for suffix in (".fgb", ".parquet", ".gdb"):
        back, _ = round_trip(layer, tmp_path / f"o{suffix}")
        found = back.attributes["f"].to_pylist()
        assert np.isnan(found[0])
        assert found[1:] == [None, float("inf"), 1.0]


# --- geometry -----------------------------------------------------------------------------------------

PART = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)])
HIGH = shapely.force_3d(shapely.box(2, 0, 3, 1), 7.0)
HIGH_PART = shapely.force_3d(PART, 3.0)
MEASURED = shapely.from_wkt("POLYGON M ((0 0 1, 1 0 2, 1 1 3, 0 0 1))")
MEASURED_HIGH = shapely.from_wkt("POLYGON ZM ((0 0 1 5, 1 0 2 6, 1 1 3 7, 0 0 1 5))")
LINE = shapely.LineString([(0, 0), (1, 1)])
SHAPES = {
    "mixed parts": [BOXES[0], PART],
    "null": [BOXES[0], None],
    "null first": [None, BOXES[0]],
    "all null": [None, None],
    "empty": [BOXES[0], shapely.Polygon()],
    "high": [HIGH],
    "mixed heights": [BOXES[0], HIGH],
    "high mixed parts": [HIGH, HIGH_PART],
    "measured": [MEASURED],
    "measured and high": [MEASURED_HIGH],
    "points": [shapely.Point(1, 2), None],
    "empty point": [shapely.Point(1, 2), shapely.Point()],
    "multipoints": [shapely.MultiPoint([(1, 2), (3, 4)])],
    "lines": [LINE, shapely.MultiLineString([LINE, shapely.LineString([(5, 5), (6, 7)])])],
    "point and polygon": [shapely.Point(1, 2), BOXES[0]],
    "collection": [shapely.GeometryCollection([BOXES[0], shapely.Point(9, 9)])],
    "tiny numbers": [shapely.Point(1e-12, -1 / 3), shapely.Point(1e17 + 4, 123456789.12345679)],
    "one row": [BOXES[0]],
}


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".shp"])
@pytest.mark.parametrize("case", SHAPES)
def test_geometry_survives(tmp_path, case, suffix):
    shapes = SHAPES[case]
    layer = layer_of({"a": list(range(len(shapes)))}, shapes)
    refused = {
        "point and polygon": {".shp", ".gdb"},
        "collection": {".shp", ".gdb"},
        "tiny numbers": {".gdb"},  # beyond its grid
    }
    path = tmp_path / f"o{suffix}"
    if suffix in refused.get(case, ()):
        with pytest.raises(OutputError, match=r"holds one kind of geometry|could not be written"):
            write_layer(layer, path, added={})
        assert list(tmp_path.iterdir()) == []
        return
    back, notes = round_trip(layer, path)
    text = " ".join(notes)
    raw = layer.wkb.to_pylist()
    found = back.wkb.to_pylist()
    if suffix in {".gpkg", ".parquet"}:
        assert found == raw
        return
    expected = [None if s is None else s for s in shapes]
    if "empty" in case and (suffix in {".shp", ".gdb", ".fgb"} or case == "empty point"):
        expected[1] = None
        assert suffix == ".geojson" or "becomes null" in text
    if case == "mixed heights" and suffix in {".shp", ".fgb"}:
        expected[0] = shapely.force_3d(BOXES[0], 0.0)
        assert "get height 0" in text
    if "measured" in case and suffix in {".geojson", ".fgb"}:
        assert "measures (M)" in text
        expected = [
            shapely.force_2d(s) if case == "measured" else shapely.force_3d(shapely.force_2d(s))
            for s in shapes
        ]
        if case != "measured":
            coordinates = shapely.get_coordinates(shapes[0], include_z=True)
            expected = [shapely.Polygon(coordinates)]
    if case == "high mixed parts" and suffix == ".fgb":
        expected[0] = shapely.multipolygons([HIGH])
        assert "became MultiPolygon" in text
    now = shapely.from_wkb(np.array(found, dtype=object))
    for was, is_now in zip(expected, now, strict=True):
        if was is None:
            assert is_now is None or shapely.is_empty(is_now)
            continue
        if suffix in {".shp", ".gdb"}:
            tolerance = 1e-3 if suffix == ".gdb" else 0
            assert same_points(was, is_now, tolerance), (was, is_now)
        else:
            assert shapely.to_wkb(was, flavor="iso") == shapely.to_wkb(is_now, flavor="iso"), (was, is_now)


def same_points(one, other, tolerance):
    """Whether two shapes have the same coordinates whatever ring starts and directions are."""

    def points(shape):
        rows = shapely.get_coordinates(shape, include_z=True, include_m=True)
        return np.unique(np.nan_to_num(rows, nan=-9.0), axis=0)

    a, b = points(one), points(other)
    return a.shape == b.shape and np.abs(a - b).max(initial=0) <= tolerance


def test_curves_are_written_as_they_came_and_measured_as_lines(tmp_path):
    import struct

    ring = struct.pack("<BII", 1, 8, 5) + struct.pack("<10d", 0, 0, 1, 1, 2, 0, 1, -1, 0, 0)
    disc = struct.pack("<BII", 1, 10, 1) + ring
    square = shapely.to_wkb(BOXES[0], flavor="iso")
    out = tmp_path / "curves.gpkg"
    write_layer(layer_of({"a": [1, 2]}, [disc, square]), out, added={})
    layer = read_layer(out)
    assert layer.wkb.to_pylist() == [disc, square]
    assert shapely.area(layer.geometry) == pytest.approx([np.pi, 1], rel=1e-3)
    again = tmp_path / "again.gpkg"
    write_layer(layer, again, added={"cluster": pa.array([1, 2], pa.int32())})
    assert read_layer(again).wkb.to_pylist() == [disc, square]
    write_layer(layer, tmp_path / "o.fgb", added={})
    assert read_layer(tmp_path / "o.fgb").wkb.to_pylist() == [disc, square]
    bag = struct.pack("<BII", 1, 7, 1) + disc
    write_layer(layer_of({"a": [1]}, [bag]), tmp_path / "bag.gpkg", added={})
    bagged = read_layer(tmp_path / "bag.gpkg")
    assert bagged.wkb.to_pylist() == [bag]
    assert bagged.geometry.tolist() == [None]  # which GEOS cannot hold: counted as unreadable
    write_layer(bagged, tmp_path / "bag2.gpkg", added={})
    assert read_layer(tmp_path / "bag2.gpkg").wkb.to_pylist() == [bag]
    with pytest.raises(OutputError, match="GeoJSON cannot hold GeometryCollection"):
        write_layer(bagged, tmp_path / "bag.geojson", added={})
    for suffix in (".shp", ".geojson", ".parquet"):
        notes = write_layer(layer, tmp_path / f"o{suffix}", added={})
        assert any("1 became short straight lines" in note for note in notes)
        assert shapely.area(read_layer(tmp_path / f"o{suffix}").geometry) == pytest.approx(
            [np.pi, 1], rel=1e-3
        )


def test_declared_type_is_kept(tmp_path):
    for declared in ("Polygon", "Unknown"):
        layer = layer_of({"a": [1, 2, 3, 4]}, geometry_type=declared)
        back, _ = round_trip(layer, tmp_path / f"{declared}.gpkg")
        assert back.origin.geometry_type == declared
    mixed, _ = round_trip(
        layer_of({"a": [1, 2]}, [BOXES[0], PART], geometry_type="Polygon"), tmp_path / "m.gpkg"
    )
    assert mixed.origin.geometry_type == "Unknown"


def test_geopackage_row_identifiers_are_kept(tmp_path):
    import sqlite3

    out = tmp_path / "in.gpkg"
    write_layer(layer_of({"a": [1, 2, 3, 4]}), out, added={})
    with sqlite3.connect(out) as database:
        database.create_function("ST_IsEmpty", 1, lambda _: 0)
        for mark in ("MinX", "MaxX", "MinY", "MaxY"):
            database.create_function(f"ST_{mark}", 1, lambda _: 0.0)
        database.execute('UPDATE "in" SET fid = fid * 10')
    database.close()
    layer = read_layer(out, where="a > 1")
    assert layer.origin.metadata["fids"].to_pylist() == [20, 30, 40]
    again = tmp_path / "again.gpkg"
    write_layer(layer, again, added={})
    back = read_layer(again)
    assert back.origin.metadata["fids"].to_pylist() == [20, 30, 40]
    assert back.column_names == ["a"]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".shp"])
@pytest.mark.parametrize(
    "name",
    ["fid", "FID", "OGC_FID", "ogc_fid", "wkb_geometry", "geom", "geometry", "OBJECTID", "id", "shape"],
)
def test_columns_named_like_the_machinery_survive(tmp_path, name, suffix):
    values = [10, 5, 7, 5]
    back, notes = round_trip(layer_of({name: values, "v": [1, 2, 3, 4]}), tmp_path / f"o{suffix}")
    names = back.column_names
    expected = name.encode()[:10].decode() if suffix == ".shp" else name
    if names[0] != expected:
        assert any(f"{name} -> {names[0]}" in note for note in notes)
    assert back.attributes.column(0).to_pylist() == values
    assert back.attributes.column(1).to_pylist() == [1, 2, 3, 4]
    assert back.wkb.null_count == 0


# a name may hold anything but what no format has: control characters, lone surrogates, an empty name
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=30).filter(
    lambda name: name.strip() == name and name.lower() not in {"cluster", "fid", "geom", "ogc_fid"}
)


@settings(max_examples=40)
@given(
    st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda name: name.lower()),
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), min_size=4, max_size=4),
)
def test_odd_names_and_texts(tmp_path_factory, names, texts):
    folder = tmp_path_factory.mktemp("odd")
    layer = layer_of({name: [None if t == "" else t for t in texts] for name in names})
    for suffix in (".gpkg", ".geojson", ".fgb", ".parquet"):
        back, _ = round_trip(layer, folder / f"o{suffix}")
        assert back.column_names == [*names, "cluster"]
        for name in names:
            assert back.attributes[name].to_pylist() == layer.attributes[name].to_pylist()


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".shp"])
def test_no_columns_and_one_row(tmp_path, suffix):
    back, _ = round_trip(layer_of({}, BOXES[:1]), tmp_path / f"o{suffix}")
    assert back.column_names == ["cluster"]
    assert len(back) == 1


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".csv"])
def test_table_without_geometry(tmp_path, suffix):
    layer = layer_of({"a": [1, 2, 3, 4], "s": ["x", None, "y, z", 'q"']}, None)
    back, _ = round_trip(layer, tmp_path / f"o{suffix}")
    assert back.attributes["s"].to_pylist() == ["x", None, "y, z", 'q"']
    assert back.wkb is None or back.wkb.null_count == 4


@pytest.mark.parametrize("suffix", [".shp", ".kml"])
def test_formats_that_need_geometry_say_so(tmp_path, suffix):
    with pytest.raises(OutputError, match="has no geometry"):
        write_layer(layer_of({"a": [1]}, None), tmp_path / f"o{suffix}", added={})


def test_layer_from_a_frame(tmp_path):
    frame = geopandas.GeoDataFrame({"a": [1, 2, 3, 4], "s": ["a", None, "b", "c"]}, geometry=BOXES, crs=32633)
    for suffix in (".gpkg", ".shp", ".geojson", ".fgb", ".parquet"):
        back, _ = round_trip(Layer.from_frame(frame), tmp_path / f"o{suffix}")
        assert (shapely.normalize(back.geometry) == shapely.normalize(BOXES)).all()
        assert back.crs == "EPSG:32633"


# --- crs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".gdb", ".parquet", ".shp"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:27700", "ESRI:102003", None, "local"])
def test_coordinate_system_survives(tmp_path, crs, suffix):
    import pyproj

    if crs == "local":
        crs = pyproj.CRS("+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units=m").to_wkt()
    layer = layer_of({"a": [1, 2, 3, 4]}, crs=crs)
    back, _ = round_trip(layer, tmp_path / f"o{suffix}")
    if crs is None:
        assert back.crs is None
    else:
        # ESRI's dialect in a .prj has other names for the same thing
        one, other = layer.projection, back.projection
        assert one.equals(other, ignore_axis_order=True) or one.to_proj4() == other.to_proj4()


def test_geojson_says_what_becomes_of_the_coordinate_system(tmp_path):
    import pyproj

    local = pyproj.CRS("+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units=m").to_wkt()
    for crs, said, read_as in [
        ("EPSG:4326", None, "EPSG:4326"),
        ("EPSG:27700", "stay in EPSG:27700", "EPSG:27700"),
        (None, "no coordinate system", None),
        (local, "stay in 'unknown'", local),
    ]:
        back, notes = round_trip(
            layer_of({"a": [1, 2, 3, 4]}, crs=crs), tmp_path / "o.geojson", overwrite=True
        )
        if read_as is None:
            assert back.crs is None
        else:
            assert pyproj.CRS(back.crs).equals(pyproj.CRS(read_as), ignore_axis_order=True)
        assert (said is None and not notes) or any(said in note for note in notes)


def test_kml(tmp_path):
    layer = layer_of(
        {"name": ["a", "b", None, "d"], "pop": [1, 2, 3, None], "v": [0.5, None, 1 / 3, 2]}, crs="EPSG:4326"
    )
    back, notes = round_trip(layer, tmp_path / "o.kml")
    assert back.attributes["Name"].to_pylist() == ["a", "b", None, "d"]
    assert back.attributes["pop"].to_pylist() == [1, 2, 3, None]
    assert back.attributes["v"].to_pylist() == [0.5, None, pytest.approx(1 / 3, rel=1e-14), 2]
    assert "In KML numbers keep 15 digits: v." in notes
    assert not {"tessellate", "extrude", "visibility", "icon"} & set(back.column_names)
    assert (shapely.normalize(shapely.force_2d(back.geometry)) == shapely.normalize(BOXES)).all()
    with pytest.raises(OutputError, match=r"longitude and latitude.*EPSG:3857"):
        write_layer(layer_of({"a": [1, 2, 3, 4]}), tmp_path / "p.kml", added={})
    with pytest.raises(OutputError, match="KML uses these column names itself: end"):
        write_layer(layer_of({"end": [1, 2, 3, 4]}, crs="EPSG:4326"), tmp_path / "p.kml", added={})


# --- what a shapefile cannot hold -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (
            {"population_2010": [1] * 4, "population_2020": [1] * 4},
            "makes population_2010, population_2020 the same",
        ),
        ({"população_a": [1] * 4, "população_b": [1] * 4}, "the same"),
        ({"a": [10**18, 0, 1, 2**60 + 1]}, "integers of 18 digits"),
        ({"a": ["x" * 255, "", "", ""]}, "254 bytes"),
        ({"a": ["é" * 128, "", "", ""]}, "254 bytes"),
        ({"a": [1e24, 1, 1, 1]}, "24 characters"),
        ({"a": [1e-20, 1, 1, 1]}, "would be 0"),
        ({f"c{i}": [1] * 4 for i in range(256)}, "more than the 255"),
        ({"a": [1] * 4, "A": [2] * 4}, "same name"),
    ],
)
def test_shapefile_refuses_losses_before_and_while_writing(tmp_path, columns, reason):
    layer = layer_of(columns)
    for call in (
        lambda: write_layer(layer, tmp_path / "o.shp", added={}),
        lambda: check_output(tmp_path / "o.shp", layer=layer, input_path="-"),
    ):
        with pytest.raises(OutputError, match=reason) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert caught.value.advice
    assert list(tmp_path.iterdir()) == []


def test_shapefile_says_what_changes_and_check_says_it_first(tmp_path):
    layer = layer_of(
        {
            "population": [1, 2, 3, 4],
            "municipality_name": ["a", "", "c", None],
            "big": [10**17, 2 * 10**18, 0, 1],
        }
    )
    before = check_output(tmp_path / "o.shp", layer=layer, added_names=("cluster",), input_path="-")
    back, notes = round_trip(layer, tmp_path / "o.shp")
    assert notes == before
    text = " ".join(notes)
    assert "municipality_name -> municipali" in text
    assert "empty text becomes null" in text
    assert "floating-point numbers: big" in text
    assert back.column_names == ["population", "municipali", "big", "cluster"]
    assert back.attributes["big"].to_pylist() == [10**17, 2 * 10**18, 0, 1]


@settings(max_examples=60)
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=4, max_size=4))
def test_shapefile_integers_are_exact_or_refused(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("ints")
    layer = layer_of({"a": values})
    wide = [v for v in values if v >= 10**18 or v <= -(10**17)]
    if any(int(float(v)) != v for v in values) and wide:
        with pytest.raises(OutputError, match="18 digits"):
            write_layer(layer, folder / "o.shp", added={})
        return
    back, _ = round_trip(layer, folder / "o.shp")
    assert [int(v) for v in back.attributes["a"].to_pylist()] == values


@settings(max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4))
def test_numbers_are_exact_in_text_formats(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("floats")
    layer = layer_of({"a": pa.array(values)}, [shapely.Point(v, -v) for v in values])
    for suffix in (".geojson", ".csv"):
        back, _ = round_trip(layer, folder / f"o{suffix}")
        assert [float(v) for v in back.attributes["a"].to_pylist()] == values
    back = read_layer(folder / "o.geojson")
    assert shapely.get_x(back.geometry).tolist() == values


def test_label_column_collision_is_refused(tmp_path):
    layer = layer_of({"Cluster": [1, 2, 3, 4]})
    added = {"cluster": pa.array([1] * 4, pa.int32())}
    for suffix in (".gpkg", ".shp"):
        with pytest.raises(
            OutputError, match=r"already has a column 'cluster'.*; choose another name with --label-column"
        ):
            write_layer(layer, tmp_path / f"o{suffix}", added=added)
    write_layer(layer, tmp_path / "o.fgb", added=added)  # names differ there
    assert read_layer(tmp_path / "o.fgb").column_names == ["Cluster", "cluster"]
    layer = layer_of({"cluster_of_a": [1, 2, 3, 4]})
    with pytest.raises(OutputError, match="makes cluster_of_a, cluster_of_b the same"):
        check_output(tmp_path / "o.shp", layer=layer, added_names=("cluster_of_b",), input_path="-")
