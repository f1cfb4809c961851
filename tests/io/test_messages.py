"""What GDAL says while it reads: an error, or a note with a name, on every driver and way of reading."""

from __future__ import annotations

import json
import re
import threading

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from regionalize.errors import DataError
from regionalize.features.columns import read_columns
from regionalize.io import gdal
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches

SIDE = 10


@pytest.fixture(scope="module")
def frame():
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    names = [f"unit {i}" for i in range(SIDE**2)]
    return geopandas.GeoDataFrame(
        {"name": names, "a": x + 0.25, "b": y}, geometry=shapely.box(x, y, x + 1, y + 1), crs="EPSG:32633"
    )


def in_batches(path):
    return list(RowBatches(path, rows=7))


BOTH_WAYS = pytest.mark.parametrize("load", [read_layer, in_batches])
CUT = [
    ("GeoJSONSeq", "x.geojsonl", "x.geojsonl", 0.5),
    ("GeoJSONSeq", "x.geojsons", "x.geojsons", 0.93),
    ("MapInfo File", "x.tab", "x.dat", 0.5),
    ("MapInfo File", "x.tab", "x.id", 0.5),
    ("MapInfo File", "x.tab", "x.map", 0.7),
    ("MapInfo File", "x.mif", "x.mif", 0.5),
    ("MapInfo File", "x.mif", "x.mid", 0.5),
    ("JML", "x.jml", "x.jml", 0.7),
    ("GML", "x.gml", "x.gml", 0.7),
    ("KML", "x.kml", "x.kml", 0.7),
    ("OpenFileGDB", "x.gdb", "x.gdb/a00000009.gdbtable", 0.7),
]


@BOTH_WAYS
@pytest.mark.parametrize(("driver", "name", "part", "share"), CUT)
def test_a_file_cut_short_is_refused(load, driver, name, part, share, frame, tmp_path):
    frame.to_file(tmp_path / name, driver=driver)
    content = (tmp_path / part).read_bytes()
    (tmp_path / part).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError) as caught:
        load(tmp_path / name)
    assert name in str(caught.value)
    assert "get the file again" in str(caught.value)


@pytest.mark.parametrize(("driver", "name"), [(driver, name) for driver, name, *_ in CUT])
def test_the_whole_file_is_not(driver, name, frame, tmp_path):
    frame.to_file(tmp_path / name, driver=driver)
    assert len(read_layer(tmp_path / name)) == len(frame)
    assert sum(len(batch) for batch in in_batches(tmp_path / name)) == len(frame)


@BOTH_WAYS
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"type": "Polygon"', '"type": "Polygone"'),  # a geometry is left out with a warning
        ('"coordinates": ', '"coordinats": '),  # … with a fault
        ('"type": "Feature", ', '"type": "Featurf", '),  # a row is left out without a word
        ('"unit 50"', '"unit \x0050"'),
    ],
)
def test_damaged_geojson(load, before, after, frame, tmp_path):
    path = tmp_path / "x.geojson"
    frame.to_file(path)
    text = path.read_text()
    middle = len(text) // 2
    assert before in text[middle:]
    path.write_text(text[:middle] + text[middle:].replace(before, after, 1))
    with pytest.raises(DataError, match="damaged"):
        load(path)


def test_geojson_may_speak_of_geometry_in_its_columns(frame, tmp_path):
    """Columns called so make the first count wrong: the second reader finds no fault."""
    path = tmp_path / "x.geojson"
    frame.assign(geometry_of="geometry").rename(columns={"geometry_of": "of"}).to_file(path)
    path.write_text(path.read_text().replace('"of": "geometry"', '"of": {"geometry": 1}'))
    assert len(read_layer(path)) == len(frame)


@BOTH_WAYS
def test_a_null_shape_that_was_none(load, frame, tmp_path):
    """Zeros over the head of a record make it look like one without geometry."""
    frame.to_file(tmp_path / "x.shp")
    content = bytearray((tmp_path / "x.shp").read_bytes())
    record = (len(content) - 100) // len(frame)
    at = 100 + 40 * record
    content[at : at + 60] = bytes(60)
    (tmp_path / "x.shp").write_bytes(content)
    with pytest.raises(DataError, match="1 of its shapes cannot be read"):
        load(tmp_path / "x.shp")


def with_comma(frame, tmp_path):
    """A table in which one number is written with a comma."""
    frame.to_file(tmp_path / "x.shp")
    content = (tmp_path / "x.dbf").read_bytes()
    at = content.index(b"3.250", 2000)
    (tmp_path / "x.dbf").write_bytes(content[:at] + b"3,250" + content[at + 5 :])
    return tmp_path / "x.shp"


class TestTextInAColumnOfNumbers:
    """GDAL takes it for the number that it begins with."""

    def test_it_is_told_by_name(self, frame, tmp_path):
        (note,) = read_layer(with_comma(frame, tmp_path)).notes
        assert re.fullmatch(
            r"In column 'a', '3,250*' stands where a number should, and was taken for 3.", note
        )

    def test_and_not_computed_with(self, frame, tmp_path):
        layer = read_layer(with_comma(frame, tmp_path))
        assert read_columns(layer, ["b"]).values.shape == (len(frame), 1)
        with pytest.raises(DataError, match=r"a: '3,250*' stands where a number should"):
            read_columns(layer, ["a", "b"])

    def test_nor_in_batches(self, frame, tmp_path):
        batches = RowBatches(with_comma(frame, tmp_path), rows=7)
        assert batches.notes == ()
        bad = [number for number, batch in enumerate(batches) if batch.misread]
        assert len(bad) == 1
        assert "In column 'a', '3,25" in " ".join(batches.notes)
        assert "In column 'a', '3,25" in " ".join(batches.only(["b"]).notes)


def test_many_messages_of_a_kind_are_one_note(frame, tmp_path):
    """A ring that is not closed, in every row."""
    path = tmp_path / "x.geojson"
    rings = [[[0, 0], [0, i + 1], [1, 1], [1, 0]] for i in range(50)]
    shapes = ({"type": "Polygon", "coordinates": [ring]} for ring in rings)
    features = [{"type": "Feature", "properties": {"a": 1}, "geometry": shape} for shape in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    said = [note for note in read_layer(path).notes if "ring" in note]
    assert len(said) == 1
    assert "(50 times)" in said[0]


def test_nothing_is_printed_from_another_thread(frame, tmp_path, capfd):
    """pyogrio's own handler is that of the thread which imported it."""
    path, found = with_comma(frame, tmp_path), []
    thread = threading.Thread(target=lambda: found.append(read_layer(path)))
    thread.start()
    thread.join()
    assert "stands where a number should" in found[0].notes[0]
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_blocks_within_blocks_hear_their_own(frame, tmp_path):
    path = with_comma(frame, tmp_path)
    with gdal.quiet() as outer:
        with gdal.quiet() as inner:
            pyogrio.raw.read_arrow(path)
        assert list(inner.misread) == ["x.a"]
        assert not outer.misread
        pyogrio.raw.read_arrow(path)
    assert list(outer.misread) == ["x.a"]
