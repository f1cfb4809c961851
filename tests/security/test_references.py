"""A file is what was named, and nothing that it refers to: no other file, no address, no program."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import warnings
import zipfile
from contextlib import closing

import pyogrio
import pytest

from regionalize.cli.program import run_program
from regionalize.errors import DataError
from regionalize.io import gdal
from regionalize.io.gdal_closed import PLAIN_FILES
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path


def virtual(source: str) -> str:
    layer = f'<OGRVRTLayer name="x"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
    return f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"


def pipeline(source: str) -> str:
    steps = f"gdal vector pipeline ! read {source} ! write --output-format stream streamed_dataset"
    return json.dumps({"type": "gdal_streamed_alg", "command_line": steps})


REFERRING = {
    "a virtual layer": virtual,
    "one after a mark": lambda there: "\ufeff  " + virtual(there),
    "one on a server": lambda there: virtual(f"/vsicurl/{there}"),
    "a service of features": lambda there: f"<OGRWFSDataSource><URL>{there}</URL></OGRWFSDataSource>",
    "a catalogue": lambda there: f"<OGRCSWDataSource><URL>{there}</URL></OGRCSWDataSource>",
    "a pipeline": pipeline,
    "a pipeline on a server": lambda there: pipeline(f"/vsicurl/{there}"),
    "an interface of features": lambda there: json.dumps(
        {"links": [{"rel": rel, "href": there} for rel in ("data", "conformance")], "conformsTo": []}
    ),
}


@pytest.mark.parametrize("name", ["a.geojson", "a.vrt", "a.gml", "a.xml", "a.json", "a.gdalg.json", "a.gpkg"])
@pytest.mark.parametrize("kind", REFERRING)
def test_what_is_a_reference_is_no_layer(kind, name, tmp_path, points, server, refused):
    """Whatever it is called: GDAL looks at what a file holds."""
    other = tmp_path / "other.geojson"
    other.write_text(points())
    for there in (str(other), f"{server.address}/a.geojson"):
        (tmp_path / name).write_text(REFERRING[kind](there))
        assert "is not a vector layer" in refused(tmp_path / name)
    assert not server.asked


def test_gdal_itself_would_read_them(tmp_path, points):
    """Else the test above shows nothing."""
    other = tmp_path / "other.geojson"
    other.write_text(points())
    for kind in ("a virtual layer", "a pipeline"):
        (tmp_path / "a.geojson").write_text(REFERRING[kind](str(other)).replace('"x"', '"other"'))
        assert pyogrio.read_info(tmp_path / "a.geojson", layer="other")["features"] == 12


@pytest.mark.unix
@pytest.mark.parametrize("kind", ["a virtual layer", "a pipeline"])
def test_nor_through_a_pipe_or_in_an_archive(kind, tmp_path, points, server, refused):
    text = REFERRING[kind](f"{server.address}/a.geojson")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(text,))
    writer.start()
    with pytest.raises(DataError, match="is not a vector layer"):
        read_layer(tmp_path / "pipe")
    writer.join()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.geojson", text)
    assert "is not a vector layer" in refused(tmp_path / "a.zip")
    assert not server.asked


@pytest.mark.parametrize("kind", ["link", "LINKED", "url"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_coordinate_system_on_a_server(kind, whole, tmp_path, points, server, refused):
    crs = f'"crs":{{"type":"{kind}","properties":{{"href":"{server.address}/crs"}}}},'
    text = points(more=crs) if whole else points().replace('"type":"Point",', f'"type":"Point",{crs}')
    path = tmp_path / "a.geojson"
    path.write_text(text)
    said = refused(path)
    assert server.address in said
    assert "nothing is fetched" in said
    assert not server.asked
    if whole:
        pyogrio.read_info(path)
        assert server.asked, "GDAL itself asks: else this test shows nothing"


NAMES = {
    "/vsicurl/{}/a.geojson": "address of GDAL's",
    "/vsicurl_streaming/{}/a.geojson": "address of GDAL's",
    "/vsizip//vsicurl/{}/a.zip": "address of GDAL's",
    "/vsizip/{folder}/a.zip": "address of GDAL's",
    "/vsigzip/{folder}/a.geojson.gz": "address of GDAL's",
    "/vsitar/{folder}/a.tar": "address of GDAL's",
    "/vsistdin/": "address of GDAL's",
    "/vsis3/bucket/a.gpkg": "address of GDAL's",
    "{}/a.geojson": "no folder",
    "WFS:{}": "no folder",
    "OAPIF:{}": "no folder",
    "ES:{}": "no folder",
    "PG:host=127.0.0.1": "no such file",
    "GPSBABEL:nmea:a.txt": "no such file",
    "zip://{}/a.zip": "no folder",
    "s3://bucket/a.gpkg": "no folder",
    '{{"type":"FeatureCollection","features":[]}}': "no such file",
    "<OGRVRTDataSource></OGRVRTDataSource>": "no folder",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_that_of_a_file(name, tmp_path, monkeypatch, server, capsys):
    monkeypatch.chdir(tmp_path)
    given = name.format(server.address, folder=tmp_path)
    commands = (["info"], ["weights"], ["compare", "a"], ["assign", "--centers", "c"])
    for args in ([*command, given] for command in commands):
        assert run_program(args) in (1, 2)
        assert capsys.readouterr().err.count("error: ") == 1
    run_program(["info", given])
    assert NAMES[name] in capsys.readouterr().err
    assert not server.asked


def database(path, schema):
    with closing(sqlite3.connect(path)) as made:
        made.executescript("CREATE TABLE a (x REAL, geom TEXT); INSERT INTO a VALUES (1, 'POINT (1 2)')")
        made.execute("PRAGMA writable_schema = 1")
        for name, sql in schema:
            made.execute("DELETE FROM sqlite_master WHERE name = ?", (name,))
            made.execute("INSERT INTO sqlite_master VALUES ('table', ?, ?, 0, ?)", (name, name, sql))
        made.commit()
    return path


@pytest.mark.parametrize("name", ["a.sqlite", "a.db", "a.gpkg", "a.txt", "a.zip"])
@pytest.mark.parametrize(
    "table",
    [
        "CREATE VIRTUAL TABLE voo USING VirtualOGR('{}')",
        "CREATE VIRTUAL TABLE voo USING/**/ \"virtualogr\" ('/vsicurl/{}')",
        "CREATE TABLE voo (x REAL, y AS (ogr_geocode('x')))",
        "CREATE TABLE voo (x REAL, y AS (OGR_GetConfigOption('HOME')))",
        "CREATE TABLE voo (x REAL, y AS (\"ogr_geocode_reverse\"(1, 2, 'x')))",
    ],
)
def test_a_table_that_is_another_file(name, table, tmp_path, server, refused):
    made = database(tmp_path / "a.sqlite", [("voo", table.format(f"{server.address}/a.csv"))])
    path = tmp_path / name
    if name == "a.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(made, "a.sqlite")
    elif path != made:
        made.rename(path)
    assert "its tables are made of other files or addresses" in refused(path)
    assert not server.asked


@pytest.mark.parametrize(
    "value",
    [
        "ogr_geocode('x')",
        "load_extension('x')",
        "readfile('/etc/passwd')",
        "ogr_GetConfigOption('HOME')",
        "gdal_get_pixel_value('x', 1, 'pixel', 0, 0)",
    ],
)
def test_a_view_that_calls_functions(value, tmp_path, monkeypatch, server, refused):
    """Also where the environment would allow it."""
    monkeypatch.setenv("OGR_SQLITE_ALLOW_EXTERNAL_ACCESS", "YES")
    monkeypatch.setenv("ALLOW_OGR_SQL_FUNCTIONS_FROM_TRIGGER_AND_VIEW", "YES")
    monkeypatch.setenv("OGR_SQLITE_LOAD_EXTENSIONS", "ENABLE_SQL_LOAD_EXTENSION")
    path = tmp_path / "a.gpkg"
    path.write_bytes(sample_path().read_bytes())
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            "DELETE FROM gpkg_ogr_contents; UPDATE gpkg_contents SET table_name = 'v';"
            "UPDATE gpkg_geometry_columns SET table_name = 'v';"
            f"CREATE VIEW v AS SELECT fid, geom, tot_pop, {value} AS leak FROM georgia"
        )
    refused(path)
    assert not server.asked


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_tables_of_mapinfo_that_are_others(ending, tmp_path, refused):
    text = '!table\n!version 300\n\nDefinition Table\n  "\\IsSeamless" = "TRUE"\n'
    path = tmp_path / f"a.tab{ending}"
    if ending:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.TAB", text)
    else:
        path.write_text(text)
    assert "made of other tables" in refused(path)


def test_entities_of_xml_are_not_looked_up(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden words")
    text = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
        '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml">'
        "<gml:featureMember><ogr:p><ogr:g><gml:Point><gml:coordinates>1,2</gml:coordinates></gml:Point></ogr:g>"
        "<ogr:t>a&e;b</ogr:t></ogr:p></gml:featureMember></ogr:FeatureCollection>"
    )
    (tmp_path / "a.gml").write_text(text)
    layer = read_layer(tmp_path / "a.gml")
    assert "hidden" not in str(layer.attributes.to_pylist())


def test_nothing_is_written_beside_gml(tmp_path):
    """GDAL would leave what it found out about the columns there."""
    text = (
        '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml">'
        "<gml:featureMember><ogr:p><ogr:g><gml:Point><gml:coordinates>1,2</gml:coordinates></gml:Point></ogr:g>"
        "<ogr:n>7</ogr:n></ogr:p></gml:featureMember></ogr:FeatureCollection>"
    )
    for name in ("a.gml", "b.xml"):
        (tmp_path / name).write_text(text)
        layer = read_layer(tmp_path / name)
        assert layer.attributes["n"].to_pylist() == [7]
        assert not [note for note in layer.notes if "GFS" in note]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gml", "b.xml"]


class TestGdalIsAsBefore:
    def test_drivers_and_options(self, monkeypatch):
        monkeypatch.setenv("GDAL_SKIP", "")
        drivers = set(pyogrio.list_drivers())
        assert {"OGR_VRT", "WFS"} <= drivers
        with gdal.quiet():
            assert set(pyogrio.list_drivers()) <= PLAIN_FILES
            with gdal.quiet():
                pass
            assert set(pyogrio.list_drivers()) <= PLAIN_FILES
        assert set(pyogrio.list_drivers()) == drivers
        for option in ("GDAL_SKIP", "GDAL_HTTP_PROXY", "CPL_VSIL_CURL_ALLOWED_FILENAME"):
            assert not pyogrio.get_gdal_config_option(option)

    def test_after_a_fault(self):
        with pytest.raises(KeyError), gdal.quiet():
            raise KeyError
        assert "OGR_VRT" in pyogrio.list_drivers()

    def test_in_many_threads(self, tmp_path, points):
        path = tmp_path / "a.geojson"
        path.write_text(points())
        faults = []

        def work():
            try:
                for _ in range(20):
                    with gdal.quiet():
                        assert "OGR_VRT" not in pyogrio.list_drivers()
                        assert pyogrio.read_info(path)["features"] == 12
            except Exception as error:
                faults.append(error)

        with warnings.catch_warnings():  # changed by all threads at once, as `quiet` does
            threads = [threading.Thread(target=work) for _ in range(4)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
        assert not faults
        assert "OGR_VRT" in pyogrio.list_drivers()
