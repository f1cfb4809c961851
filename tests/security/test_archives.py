"""Archives and packed files larger than they look, or that would write elsewhere; texts nested too deeply."""

from __future__ import annotations

import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regionalize.io import content
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path

LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{}]>'.format(
    "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
)


@pytest.fixture
def tree(tmp_path):
    """Return what is in the folder and the one above it."""
    return lambda: sorted(str(path) for path in tmp_path.parent.rglob("*"))


@pytest.mark.parametrize(
    ("name", "member", "begin"),
    [
        ("a.zip", "a.geojson", '{"type":"FeatureCollection","features":['),
        ("a.zip", "deep/er/a.parquet", "PAR1"),
        ("a.zip", "a.shp", ""),
        ("a.kmz", "doc.kml", '<?xml version="1.0"?><kml>'),
        ("a.xlsx", "xl/worksheets/sheet1.xml", "<worksheet>"),
        ("a.geojson", "a.geojson", ""),
    ],
)
def test_an_archive_that_bursts(name, member, begin, tmp_path, refused, monkeypatch):
    monkeypatch.setattr(content, "MOST_BYTES", 1 << 24)  # as at 1 GB, in a moment
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, begin + " " * (1 << 25))
    assert (tmp_path / name).stat().st_size < 1 << 16
    started = time.process_time()
    assert "which is more than layers do; unpack it first if you trust it" in refused(tmp_path / name)
    assert time.process_time() - started < 5


def test_what_layers_are_packed_to_is_no_fault(tmp_path, points, monkeypatch):
    monkeypatch.setattr(content, "MOST_BYTES", 1 << 16)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", points(rows=3000))
        archive.writestr("beside.txt", " " * (1 << 25))  # which nobody reads
    assert len(read_layer(tmp_path / "a.zip")) == 3000


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
@pytest.mark.parametrize("place", ["../../{}", "/{}", "/etc/../{}", "..\\..\\{}", "a/../../../{}"])
def test_nothing_is_unpacked_where_a_member_says(place, suffix, tmp_path, tree):
    """Not even where parts of a layer are copied, as for a shapefile without its index."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for ending in (suffix, *((".dbf", ".prj") if suffix == ".shp" else ())):
            archive.write(sample_path().with_suffix(ending), place.format(f"escaped{ending}"))
    before = tree()
    with suppress(content.DataError):  # GDAL does not find it by such a name
        assert len(read_layer(tmp_path / "a.zip")) == 159
    assert tree() == before
    assert not Path("/escaped.gpkg").exists()


def test_a_member_that_says_it_is_a_link(tmp_path, refused):
    (tmp_path / "secret.geojson").write_text("{}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        member = zipfile.ZipInfo("a.geojson")
        member.create_system, member.external_attr = 3, 0o120777 << 16
        archive.writestr(member, str(tmp_path / "secret.geojson"))
    assert "is not a vector layer" in refused(tmp_path / "a.zip")


def test_an_archive_whose_two_lists_of_names_differ(tmp_path, refused):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(sample_path(), "a.gpkg")
        archive.filelist[0].filename = "/tmp/b.gpkg"
    assert "damaged" in refused(tmp_path / "a.zip")


def test_archives_in_archives_are_left_packed(tmp_path, refused):
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.write(sample_path(), "a.gpkg")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
    assert "holds no layer" in refused(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["a.parquet", "folder", "a.zip"])
def test_very_many_rows_in_few_bytes(name, tmp_path, refused):
    rows = pa.chunked_array([pa.repeat(pa.scalar(1.0), 2_000_000)] * 10)
    folder = tmp_path / "folder"
    folder.mkdir()
    made = folder / "a.parquet"
    pq.write_table(pa.table({"a": rows}), made, compression="zstd", row_group_size=20_000_000)
    assert made.stat().st_size < 200_000
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(made, "a.parquet")
    elif name == "a.parquet":
        made.rename(tmp_path / name)
    with pytest.raises(content.DataError, match=r"holds 20,000,000 rows in [0-9,]+ bytes, which is"):
        read_layer(tmp_path / name)


TEXTS = {
    "a.kml": LAUGHS + "<kml><Document><Placemark><name>&l11;</name></Placemark></Document></kml>",
    "a.gml": LAUGHS
    + '<x:FeatureCollection xmlns:x="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml">'
    "<gml:featureMember><x:p><x:t>&l11;</x:t></x:p></gml:featureMember></x:FeatureCollection>",
    "a.gpx": LAUGHS + '<gpx version="1.1"><wpt lat="1" lon="2"><name>&l11;</name></wpt></gpx>',
    "lists.geojson": '{"type":"FeatureCollection","features":[' + "[" * 100_000 + "]" * 100_000 + "]}",
    "crs.geojson": '{"type":"FeatureCollection","crs":'
    + '{"a":' * 50_000
    + "1"
    + "}" * 50_000
    + ',"features":[]}',
    "digits.geojson": '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":'
    + "9" * 1_000_000
    + '},"geometry":null}]}',
    "a.csv": 'WKT,a\n"' + "GEOMETRYCOLLECTION(" * 20_000 + "POINT(1 2)" + ")" * 20_000 + '",1\n',
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_grows_or_is_nested_without_end(name, tmp_path, refused):
    (tmp_path / name).write_text(TEXTS[name])
    started = time.process_time()
    refused(tmp_path / name)
    assert time.process_time() - started < 5
