"""Damage to layers that went unnoticed once, or ended the program."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from layers import build

from regionalize.errors import DataError
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches
from regionalize.io.weights_batches import WeightsBatches
from regionalize.io.weights_files import read_weights
from regionalize.io.write import write_layer


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return build(tmp_path_factory.mktemp("good"))


@pytest.fixture
def refused(good, tmp_path):
    """Return `refused(kind, old, new, says)`: some bytes of a file are others, and so it is refused."""

    def check(kind, old, new, says, suffix=None):
        for file in good[kind]:
            raw = file.read_bytes()
            if suffix in {None, file.suffix}:
                assert old in raw
                raw = raw.replace(old, new)
            (tmp_path / file.name).write_bytes(raw)
        path = tmp_path / good[kind][0].name
        with pytest.raises(DataError, match=says):
            read_layer(path)
        with pytest.raises(DataError, match=says):
            list(RowBatches(path, rows=10))

    return check


def test_a_line_with_the_character_of_code_0(refused):
    """GDAL takes what begins with it for an empty line, and the row was gone."""
    refused("csv", "Ünit 14".encode(), b"\0nit 14", "line 16 holds the character of code 0")


def test_text_of_geojson_that_is_not_utf_8(refused):
    """It was written as it came, and nothing could read the output."""
    refused("geojson", "Ünit 14".encode(), b"\xffnit 14", ":name:.* is not UTF-8; get the file again")


def test_text_of_a_geopackage_that_is_not_utf_8(refused):
    refused("gpkg", "Ünit 14".encode(), b"\xff\xffnit 14", ":name:.* is not UTF-8; get the file again")


def test_a_name_in_a_geopackage_that_is_not_utf_8(refused):
    refused("gpkg", b'"day" ', b'"d\xffy" ', "not UTF-8|damaged|cannot be")


def test_a_reference_system_that_is_not_utf_8(refused):
    refused("shp", b"WGS_1984_UTM", b"WGS_1984\xff\xff\xff\xff", "coordinate system cannot be", ".prj")


def test_text_of_parquet_that_is_not_utf_8(tmp_path):
    bad = pa.array([b"a", b"\xff"]).cast(pa.binary()).view(pa.string())
    pa.parquet.write_table(pa.table({"name": bad, "a": [1, 2]}), tmp_path / "in.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_layer(tmp_path / "in.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(RowBatches(tmp_path / "in.parquet", rows=1))


def test_weights_in_parquet_that_are_not_utf_8(tmp_path):
    bad = pa.array([b"a", b"\xff"]).view(pa.string())
    path = tmp_path / "w.parquet"
    pa.parquet.write_table(pa.table({"focal": bad, "neighbor": ["b", "a"], "weight": [1.0, 1.0]}), path)
    with pytest.raises(DataError, match="no whole Parquet file"):
        read_weights(path, pa.array(["a", "b"]).to_numpy(zero_copy_only=False))
    with pytest.raises(DataError, match="no whole Parquet file"):
        list(WeightsBatches(path))


def test_a_parquet_file_whose_statistics_are_damaged():
    """Arrow ended the process where it was asked how large a column is."""
    damaged = Path(__file__).with_name("cases") / "histogram.parquet"
    code = f"from regionalize.io.row_batches import RowBatches; RowBatches({str(damaged)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "DataError" in done.stderr.splitlines()[-1]
    assert "cannot be read as Parquet" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("rows", [7, 100])
def test_a_geometry_of_a_geopackage_that_cannot_be_read(rows, good, tmp_path):
    """GDAL's threads kept silent about it, and it was gone."""
    path = tmp_path / "in.gpkg"
    path.write_bytes(good["gpkg"][0].read_bytes())
    with closing(sqlite3.connect(path)) as database, database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE units SET geom = X'4700' || substr(geom, 3) WHERE fid = 13")
    with pytest.raises(DataError, match="file is damaged"):
        list(RowBatches(path, rows=rows))
    with pytest.raises(DataError, match="file is damaged"):
        read_layer(path)


def test_an_index_of_shapes_of_an_odd_length(good, tmp_path):
    for file in good["shp"]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    index, shapes = tmp_path / "units.shx", tmp_path / "units.shp"
    index.write_bytes(index.read_bytes() + b"\0\0\0")
    raw = bytearray(shapes.read_bytes())
    raw[108:112] = b"\0\0\0\0"  # the first shape is said to be none, and so the index is looked at
    shapes.write_bytes(raw)
    with pytest.raises(DataError, match="1 of its shapes cannot be read"):
        read_layer(tmp_path / "units.shp")


def test_a_date_beyond_the_year_9999(tmp_path):
    """Python has no such dates; GeoJSON could not be written."""
    (tmp_path / "in.csv").write_text("a,day,x,y\n1,2020-01-02,0,0\n2,20200-01-02,1,1\n3,,2,2\n")
    layer = read_layer(tmp_path / "in.csv")
    assert layer.names("day").tolist()[1] == "20200-01-02"
    write_layer(layer, tmp_path / "out.geojson", added={})
    features = json.loads((tmp_path / "out.geojson").read_text())["features"]
    assert [one["properties"]["day"] for one in features] == ["2020-01-02", "20200-01-02", None]


@pytest.mark.parametrize("change", [(6, b"\xff"), (8, b"\xff\xff"), (46, b"\xff")])
def test_an_archive_that_python_cannot_open(change, good, tmp_path):
    """The version it needs, flags that say its names are UTF-8, and names that are not."""
    path = tmp_path / "units.zip"
    raw = bytearray(good["zip"][0].read_bytes())
    entry = raw.index(b"PK\1\2")
    at, new = change
    raw[entry + 8 : entry + 10] = b"\0\x08" if at != 8 else new
    raw[entry + at : entry + at + len(new)] = new
    path.write_bytes(raw)
    with pytest.raises(DataError, match="archive"):
        read_layer(path)


def test_a_name_within_an_archive_that_is_not_utf_8(good, tmp_path):
    """It is there twice: with the list of all, and before the file itself."""
    path = tmp_path / "units.zip"
    raw = bytearray(good["zip"][0].read_bytes())
    entry, file = raw.index(b"PK\1\2"), raw.index(b"PK\3\4")
    raw[entry + 8 : entry + 10] = raw[file + 6 : file + 8] = b"\0\x08"  # flags that say UTF-8
    raw[file + 30] = 0xFF
    path.write_bytes(raw)
    with pytest.raises(DataError, match="the archive is damaged"):
        read_layer(path)
