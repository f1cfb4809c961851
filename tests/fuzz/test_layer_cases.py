"""Damage to layers that went unnoticed once, or ended the program."""

import pyarrow as pa
import pyarrow.parquet
import pytest
from layers import build

from regionalize.errors import DataError
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches
from regionalize.io.weights_batches import WeightsBatches
from regionalize.io.weights_files import read_weights


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
