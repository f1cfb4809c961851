"""Styles stored with a layer: what QGIS reads of them, and what becomes of everything else in the file."""

import shutil
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas
import pyarrow as pa
import pyogrio
import pytest
import shapely

from regionalize.errors import OutputError
from regionalize.io import qml, styles
from regionalize.io.check_output import check_output
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path
from regionalize.io.sld import sld_text
from regionalize.io.write import write_layer
from regionalize.maps import units
from regionalize.model.layer import Layer
from regionalize.model.style import Sign, Style

LABELS = {"cluster": pa.array([1] * 80 + [2] * 79, pa.int32())}
COLUMNS = "id f_table_catalog f_table_schema f_table_name f_geometry_column styleName styleQML styleSLD"
COLUMNS += " useAsDefault description owner ui update_time"


def style(column="cluster", kind="areas", **about):
    signs = (Sign(1, "1 (80 units)", "#8778f0"), Sign(2, "2 (79 units)", "#ffd24b", 1))
    return Style(
        column, f"by {column}", kind, (*signs, Sign(None, "no data (1 unit)", "#dcdcdc")), 0.2, **about
    )


def rows(path, what="f_table_name, f_geometry_column, styleName, useAsDefault"):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT {what} FROM layer_styles ORDER BY id").fetchall()


def run_sql(path, *statements):
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.fixture
def styled(tmp_path):
    out = tmp_path / "out.gpkg"
    write_layer(read_layer(None), out, added=LABELS, layer_name="regions", styles=[style()])
    return out


def test_the_table_is_as_qgis_makes_it(styled):
    with closing(sqlite3.connect(styled)) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(layer_styles)")]
        about = database.execute(
            "SELECT data_type, identifier, srs_id FROM gpkg_contents WHERE table_name = 'layer_styles'"
        ).fetchall()
    assert columns == COLUMNS.split()
    assert about == [("attributes", "layer_styles", 0)]
    assert rows(styled) == [("regions", "geom", "cluster", 1)]
    # QGIS asks for an empty schema, not for a null one
    assert rows(styled, "f_table_schema, f_table_catalog, description") == [("", "", "by cluster")]


def test_the_time_of_the_style_is_that_of_the_layer(styled):
    with closing(sqlite3.connect(styled)) as database:
        (changed,) = database.execute(
            "SELECT last_change FROM gpkg_contents WHERE table_name = 'regions'"
        ).fetchone()
    assert rows(styled, "update_time") == [(changed,)]


def test_the_layer_is_the_first_and_is_read_without_asking(styled):
    assert pyogrio.list_layers(styled).tolist() == [["regions", "MultiPolygon"], ["layer_styles", None]]
    again = read_layer(styled)
    assert (len(again), again.origin.layer, again.notes) == (159, "regions", ())
    with pytest.warns(UserWarning, match="layer_styles"):  # what every file with styles of QGIS brings about
        assert len(geopandas.read_file(styled)) == 159
    assert len(geopandas.read_file(styled, layer="regions")) == 159  # a warning would be an error here


def test_gdal_sees_a_sound_file(styled):
    table = pyogrio.read_dataframe(styled, layer="layer_styles")  # a warning would be an error here
    assert table["useAsDefault"].tolist() == [True]
    assert table["styleQML"][0].startswith("<!DOCTYPE qgis")


def test_other_layers_keep_their_styles(styled):
    before = rows(styled, "*")
    write_layer(read_layer(None), styled, added=LABELS, layer_name="more", styles=[style("cluster")])
    assert rows(styled, "*")[:1] == before
    assert rows(styled)[1:] == [("more", "geom", "cluster", 1)]


def test_a_layer_that_is_replaced_has_one_default(styled):
    run_sql(
        styled,
        "UPDATE layer_styles SET styleQML = 'edited'",
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, useAsDefault) VALUES ('', '', 'regions', 'geom', 'mine', '<qgis/>', 1)",
    )
    notes = write_layer(
        read_layer(None), styled, added=LABELS, layer_name="REGIONS", overwrite=True, styles=[style()]
    )
    assert rows(styled, "styleName, useAsDefault") == [("mine", 0), ("cluster", 1)]
    assert rows(styled, "styleQML")[0] == ("<qgis/>",)
    assert notes == ("layer 'regions' opens with the style 'cluster' now; style mine is kept beside it",)
    assert [name for name, _ in pyogrio.list_layers(styled)] == ["regions", "layer_styles"]


def test_several_columns_have_a_style_each_and_the_first_is_the_default(tmp_path):
    out = tmp_path / "out.gpkg"
    added = {"c_4": LABELS["cluster"], "c_8": LABELS["cluster"]}
    write_layer(read_layer(None), out, added=added, styles=[style("c_8"), style("c_4")])
    assert rows(out, "styleName, useAsDefault") == [("c_8", 1), ("c_4", 0)]


def test_a_table_of_that_name_that_is_not_qgis_own_is_left_alone(tmp_path):
    out = tmp_path / "out.gpkg"
    write_layer(read_layer(None), out, added=LABELS, layer_name="first")
    run_sql(out, "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, name TEXT)")
    run_sql(out, "INSERT INTO layer_styles VALUES (1, 'mine')")
    notes = write_layer(read_layer(None), out, added=LABELS, layer_name="second", styles=[style()])
    assert rows(out, "*") == [(1, "mine")]
    assert notes == ("table layer_styles is not as QGIS makes it: no style was stored, and it is as it was",)


def test_a_table_without_geometry_has_no_style(tmp_path):
    out = tmp_path / "out.gpkg"
    layer = Layer(read_layer(None).attributes, None, None)
    write_layer(layer, out, added=LABELS, styles=[style()])
    assert [name for name, _ in pyogrio.list_layers(out)] == ["out"]


def test_a_database_that_qgis_styled_counts_its_styles(styled, tmp_path):
    """GDAL keeps counts of rows by triggers, in a table it makes itself."""
    other = tmp_path / "other.gpkg"
    shutil.copy(styled, other)
    frame = geopandas.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(0, 0)], crs=4326)
    frame.to_file(other, layer="points")
    write_layer(read_layer(None), other, added=LABELS, layer_name="third", styles=[style()])
    assert pyogrio.read_info(other, layer="layer_styles")["features"] == 2
    assert len(pyogrio.read_dataframe(other, layer="layer_styles")) == 2


def test_the_name_of_the_table_of_styles_is_taken(tmp_path):
    with pytest.raises(OutputError, match="that QGIS keeps for itself; name it with --output-layer"):
        check_output(tmp_path / "layer_styles.gpkg")
    with pytest.raises(OutputError, match="QGIS keeps"):
        write_layer(read_layer(None), tmp_path / "a.gpkg", added=LABELS, layer_name="Layer_Styles")
    for name, layer_name in (("GPKG_contents.gpkg", None), ("a.gpkg", "gpkg_contents")):
        with pytest.raises(
            OutputError, match="that the format keeps for itself; name it with --output-layer"
        ):
            check_output(tmp_path / name, layer_name=layer_name)
    check_output(tmp_path / "gpkg.gpkg", layer_name="regions")
    check_output(tmp_path / "gpkg.geojson")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_database_leaves_everything_as_it_was(styled, monkeypatch):
    before = styled.read_bytes()

    def fail(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(styles, "_count_styles", fail)
    with pytest.raises(OutputError, match="no space left"):
        write_layer(read_layer(None), styled, added=LABELS, layer_name="b", styles=[style()])
    assert styled.read_bytes() == before
    assert [file.name for file in styled.parent.iterdir()] == [styled.name]


@pytest.mark.parametrize("name", ["a.shp", "a.shp.zip", "a.geojson", "a.fgb", "a.parquet", "a.gpkg", "a.kml"])
def test_a_style_beside_the_layer(tmp_path, name):
    layer = read_layer(None)
    if name.endswith(".kml"):
        layer = Layer.from_frame(geopandas.read_file(sample_path()).to_crs(4326))
    out = tmp_path / name
    write_layer(layer, out, added=LABELS, styles=[style()], qml=True)
    root = ET.fromstring((tmp_path / "a.qml").read_text(encoding="utf-8"))
    assert root.find("renderer-v2").get("attr") == "cluster"
    with pytest.raises(OutputError, match="already exists"):
        write_layer(layer, tmp_path / "a.csv", added=LABELS, styles=[style()], qml=True)
    assert not (tmp_path / "a.csv").exists()
    write_layer(layer, out, added=LABELS, styles=[style()], qml=True, overwrite=True)


def test_the_style_names_the_column_as_the_file_does(tmp_path):
    added = {"contiguous_regions": LABELS["cluster"]}
    write_layer(
        read_layer(None), tmp_path / "a.shp", added=added, styles=[style("contiguous_regions")], qml=True
    )
    root = ET.fromstring((tmp_path / "a.qml").read_text())
    assert root.find("renderer-v2").get("attr") == "contiguous"
    assert "contiguous" in pyogrio.read_info(tmp_path / "a.shp")["fields"]


def categories(text):
    return [(one.get("value"), one.get("label")) for one in ET.fromstring(text).iter("category")]


def options(layer):
    return {one.get("name"): one.get("value") for one in layer.iter("Option") if one.get("name")}


def test_categories_and_their_symbols():
    root = ET.fromstring(qml.qml_text(style()))
    assert categories(qml.qml_text(style())) == [
        ("1", "1 (80 units)"),
        ("2", "2 (79 units)"),
        ("", "no data (1 unit)"),
    ]
    assert [one.get("symbol") for one in root.iter("category")] == [
        one.get("name") for one in root.iter("symbol")
    ]
    assert {one.get("alpha") for one in root.iter("symbol")} == {"1"}
    assert root.find("layerOpacity").text == "1"
    assert root.find("layerGeometryType").text == "2"
    fills = [options(one.find("layer")) for one in root.iter("symbol")]
    assert [one["color"] for one in fills] == ["135,120,240,255", "255,210,75,255", "220,220,220,255"]
    assert {one["outline_color"] for one in fills} == {"255,255,255,255"}
    assert [len(one.findall("layer")) for one in root.iter("symbol")] == [1, 2, 1]


@pytest.mark.parametrize(("kind", "symbol", "geometry"), [("markers", "marker", "0"), ("lines", "line", "1")])
def test_other_kinds_of_units(kind, symbol, geometry):
    root = ET.fromstring(qml.qml_text(style(kind=kind, size=2.0)))
    assert {one.get("type") for one in root.iter("symbol")} == {symbol}
    assert root.find("layerGeometryType").text == geometry


def test_outlines_of_tiny_units_have_their_own_colour():
    root = ET.fromstring(qml.qml_text(style(outlined=False)))
    found = options(next(root.iter("layer")))
    assert found["outline_color"] == found["color"]


def test_every_second_sign_of_a_map_has_one_in_qgis():
    assert len(qml.PATTERNS) == len(units.HATCHES)
    assert len(qml.DASHES) == len(units.DASHES)
    assert len(qml.MARKERS) == len(units.MARKERS)
    dashes = [() if dash == "solid" else dash[1] for dash in units.DASHES]
    assert list(qml.DASHES) == dashes


@pytest.mark.parametrize("hostile", ['a"b', "<b>&amp;", "a\x00b\x1b[31m", "ü'; DROP TABLE", "]]>", "a\nb"])
def test_any_name_and_text(hostile):
    signs = (
        Sign(hostile, f"{hostile} (1 unit)", "#8778f0"),
        Sign(True, "yes", "#ffd24b"),
        Sign(0.5, "½", "#c32d5a"),
    )
    made = Style(hostile, hostile, "areas", signs, 0.1)
    clean = hostile.replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
    root = ET.fromstring(qml.qml_text(made))
    assert root.find("renderer-v2").get("attr") == clean
    assert categories(qml.qml_text(made))[0] == (clean, f"{clean} (1 unit)")
    assert [one.get("value") for one in root.iter("category")][1:] == ["true", "0.5"]
    assert clean in [one.text for one in ET.fromstring(sld_text(made, hostile)).iter() if one.text]


def test_classes_of_numbers():
    signs = (Sign((0.5, 1.0), "more", "#254164"), Sign((0.0, 0.5), "less", "#f4edca"))
    made = Style("share", "shares", "areas", signs, 0.1)
    root = ET.fromstring(qml.qml_text(made))
    assert root.find("renderer-v2").get("type") == "graduatedSymbol"
    found = [(one.get("lower"), one.get("upper"), one.get("label")) for one in root.iter("range")]
    assert found == [("0.5", "1.0", "more"), ("0.0", "0.5", "less")]
    rules = [
        [element.tag.partition("}")[2] for element in rule.iter() if "PropertyIs" in element.tag]
        for rule in ET.fromstring(sld_text(made, "a")).iter("{http://www.opengis.net/se}Rule")
    ]
    assert rules == [
        ["PropertyIsGreaterThanOrEqualTo", "PropertyIsLessThanOrEqualTo"],
        ["PropertyIsGreaterThanOrEqualTo", "PropertyIsLessThan"],
    ]


def test_the_same_bytes_every_time():
    assert qml.qml_text(style()) == qml.qml_text(style())
    assert sld_text(style(), "a") == sld_text(style(), "a")
