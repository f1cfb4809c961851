"""Reading: every format, archives, filters, encodings, and one clear line for whatever is wrong."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import sys
import zipfile

import geopandas
import numpy as np
import pyarrow as pa
import pyogrio.raw
import pytest
import shapely

from regionalize.errors import DataError
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path
from regionalize.io.wkb import geometry_faults, read_headers, read_points
from regionalize.io.write import write_layer

PARTS = ("shp", "shx", "dbf", "prj", "cpg")


def refusal(path, **options):
    """Read something unreadable; return the one line a person sees."""
    with pytest.raises(DataError) as caught:
        read_layer(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert caught.value.advice, f"no advice in: {text}"
    return text


@pytest.fixture
def shapefile(tmp_path):
    """A copy of the sample shapefile to damage."""
    folder = tmp_path / "shp"
    folder.mkdir()
    for part in PARTS:
        shutil.copy(sample_path().with_suffix(f".{part}"), folder / f"georgia.{part}")
    return folder / "georgia.shp"


@pytest.fixture
def geopackage(tmp_path):
    """A copy of the sample GeoPackage."""
    return shutil.copy(sample_path(), tmp_path / "georgia.gpkg")


@pytest.fixture(scope="module")
def sample():
    return read_layer(None)


def write_as(layer, path, **options):
    write_layer(layer, path, added={}, **options)
    return path


# --- formats ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb", ".gdb", ".parquet"])
def test_formats(sample, tmp_path, suffix):
    layer = read_layer(write_as(sample, tmp_path / f"georgia{suffix}"))
    assert layer.column_names == sample.column_names
    assert layer.attributes.to_pydict() == sample.attributes.to_pydict()
    assert layer.projection.to_epsg() == 26716
    assert layer.origin.layer == "georgia"
    assert layer.notes == ()


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb", ".gdb", ".parquet"])
@pytest.mark.parametrize("text", ["pct_pov > 30 AND name LIKE 'C%'", "tot_pop >= 100000", "name = 'Fulton'"])
def test_filters_agree_with_pandas(sample, tmp_path, suffix, text):
    path = write_as(sample, tmp_path / f"georgia{suffix}")
    frame = geopandas.read_file(sample_path())
    expected = {
        "pct_pov > 30 AND name LIKE 'C%'": frame[(frame.pct_pov > 30) & frame.name.str.startswith("C")],
        "tot_pop >= 100000": frame[frame.tot_pop >= 100000],
        "name = 'Fulton'": frame[frame.name == "Fulton"],
    }[text]
    found = read_layer(path, where=text)
    assert found.attributes["fips"].to_pylist() == expected.fips.tolist()
    assert shapely.area(found.geometry) == pytest.approx(expected.area.to_numpy(), rel=1e-6)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb", ".parquet", ".gdb"])
def test_wrong_filters(sample, tmp_path, suffix):
    path = write_as(sample, tmp_path / f"georgia{suffix}")
    assert "there is no column 'pct_povv'; did you mean 'pct_pov'?" in refusal(path, where="pct_povv > 3")
    assert "cannot be used" in refusal(path, where="pct_pov >")
    assert "text goes in single quotes: 'Fulton'" in refusal(path, where="name = Fulton")
    assert "no row satisfies --where 'pct_pov > 1000'" in refusal(path, where="pct_pov > 1000")


def test_standard_input(sample, tmp_path, monkeypatch):
    content = write_as(sample, tmp_path / "in.geojson").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    layer = read_layer("-", where="tot_pop > 500000")
    assert layer.attributes["name"].to_pylist() == ["DeKalb", "Fulton"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"  \n")))
    assert refusal("-").startswith("standard input: nothing came in")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"type": "FeatureColl')))
    assert refusal("-").startswith("standard input: ")


@pytest.mark.unix
def test_pipe(sample, tmp_path):
    import threading

    content = write_as(sample, tmp_path / "in.geojson").read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert len(read_layer(pipe)) == 159
    writer.join()


def test_csv(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("code,pop,share,day,flag,late\n001,5,0.5,2020-01-02,true,1\n002,,1,,false,2.5\n")
    layer = read_layer(path)
    assert layer.attributes.to_pydict() | {"day": None} == {
        "code": ["001", "002"],
        "pop": [5, None],
        "share": [0.5, 1.0],
        "day": None,
        "flag": [True, False],
        "late": [1.0, 2.5],
    }
    assert not layer.has_geometry
    path.write_text("name,lon,lat\na,-47.5,-15\nb,,\n")
    points = read_layer(path)
    assert points.crs == "EPSG:4326"
    assert shapely.get_x(points.geometry).tolist()[0] == -47.5
    assert points.wkb.null_count == 1
    assert any("'lon' and 'lat'" in note for note in points.notes)
    path.write_text("name,x,y\na,1,2\n")
    assert read_layer(path).crs is None
    path.write_text('name,geometry\na,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\n')
    assert shapely.area(read_layer(path).geometry).tolist() == [0.5]
    path.write_text("a,a\n1,2\n")
    assert "1 column names occur twice: a" in refusal(path)
    path.write_text("big\n" + "1\n" * 400_000 + "0.5\n")  # the fraction comes after GDAL's first megabyte
    assert read_layer(path).attributes["big"].to_pylist()[-1] == 0.5


def test_kml_archive_of_folders_asks_which(tmp_path):
    path = tmp_path / "two.kml"
    place = "<Placemark><name>{0}</name><Point><coordinates>1,2</coordinates></Point></Placemark>"
    folders = "".join(f"<Folder><name>{n}</name>{place.format(n)}</Folder>" for n in ("north", "south"))
    path.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{folders}</Document></kml>')
    assert "holds 2 layers: north, south; choose one with --layer" in refusal(path)
    assert read_layer(path, layer="south").attributes["Name"].to_pylist() == ["south"]


# --- several layers -----------------------------------------------------------------------------------


def test_several_layers(sample, geopackage):
    write_as(sample, geopackage, layer_name="second")
    pyogrio.raw.write_arrow(pa.table({"a": [1]}), geopackage, layer="lookup", driver="GPKG", append=True)
    text = refusal(geopackage)
    assert "holds 3 layers: georgia, second, lookup (no geometry); choose one with --layer" in text
    assert read_layer(geopackage, layer="second").origin.layer == "second"
    table = read_layer(geopackage, layer="lookup")
    assert (len(table), table.has_geometry) == (1, False)
    assert "there is no layer 'secnd'; did you mean 'second'?" in refusal(geopackage, layer="secnd")


def test_one_spatial_layer_beside_tables_needs_no_choice(geopackage):
    pyogrio.raw.write_arrow(pa.table({"a": [1]}), geopackage, layer="lookup", driver="GPKG", append=True)
    layer = read_layer(geopackage)
    assert layer.origin.layer == "georgia"
    assert layer.notes == ("Read layer 'georgia'; left lookup (no geometry) unread.",)
    with sqlite3.connect(geopackage) as database:  # styles that QGIS saves are no data
        database.execute("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, styleQML TEXT)")
        database.execute("DELETE FROM gpkg_contents WHERE table_name = 'lookup'")
        database.execute("DROP TABLE lookup")
    database.close()
    assert read_layer(geopackage).notes == ()


@pytest.mark.parametrize("suffix", [".shp", ".geojson", ".fgb", ".parquet"])
def test_wrong_layer_of_a_single_layer_format(sample, tmp_path, suffix):
    path = write_as(sample, tmp_path / f"georgia{suffix}")
    assert len(read_layer(path, layer="georgia")) == 159
    assert "there is no layer 'gorgia'" in refusal(path, layer="gorgia")


# --- archives -----------------------------------------------------------------------------------------


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in members.items():
            archive.write(source, name)
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.shp.zip", "with space & é.zip"])
@pytest.mark.parametrize("folder", ["", "sub/", "a b/c.d/"])
def test_zipped_shapefile(shapefile, tmp_path, name, folder):
    members = {f"{folder}georgia.{part}": shapefile.with_suffix(f".{part}") for part in PARTS}
    members["__MACOSX/._georgia.shp"] = shapefile
    layer = read_layer(zipped(tmp_path / name, members))
    assert (len(layer), layer.origin.layer, layer.crs) == (159, "georgia", "EPSG:26716")
    assert layer.wkb.to_pylist() == read_layer(shapefile).wkb.to_pylist()


def test_zip_of_several_layers(shapefile, tmp_path):
    members = {f"{n}.{part}": shapefile.with_suffix(f".{part}") for n in ("one", "sub/two") for part in PARTS}
    path = zipped(tmp_path / "two.zip", members)
    assert "holds 2 layers: one, two; choose one with --layer" in refusal(path)
    assert read_layer(path, layer="two").origin.layer == "two"
    assert "there is no layer 'twoo' in the archive; did you mean 'two'?" in refusal(path, layer="twoo")
    members = {f"{n}/x.{part}": shapefile.with_suffix(f".{part}") for n in ("a", "b") for part in PARTS}
    path = zipped(tmp_path / "same.zip", members)
    assert "holds 2 layers: a/x, b/x" in refusal(path)
    assert len(read_layer(path, layer="b/x")) == 159


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gdb", ".parquet", ".csv"])
def test_other_formats_in_a_zip(sample, tmp_path, suffix):
    path = write_as(sample, tmp_path / f"georgia{suffix}")
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    members = {f"sub/{file.relative_to(tmp_path)}": file for file in files}
    layer = read_layer(zipped(tmp_path / "a.zip", members))
    assert layer.attributes["name"].to_pylist() == sample.attributes["name"].to_pylist()


def test_bad_archives(shapefile, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK\3\4 not really")
    assert "damaged or not a zip" in refusal(bad)
    assert "holds no layer" in refusal(zipped(tmp_path / "text.zip", {"a.txt": shapefile}))
    whole = zipped(tmp_path / "w.zip", {f"g.{part}": shapefile.with_suffix(f".{part}") for part in PARTS})
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    assert "damaged" in refusal(whole)
    middle = bytearray(content)
    middle[len(content) // 3 : len(content) // 3 + 2000] = b"\0" * 2000
    whole.write_bytes(middle)
    refusal(whole)


# --- what is not there, or not a layer ----------------------------------------------------------------


def test_a_link_to_nothing(tmp_path):
    link = tmp_path / "dead.gpkg"
    try:
        link.symlink_to("gone.gpkg")
    except OSError:
        pytest.skip("links need a privilege here")
    text = refusal(link)
    assert (
        "is a link to 'gone.gpkg', and there is no such file; name the file itself, or mend the link" in text
    )


def test_missing_files(geopackage, tmp_path):
    assert "there is no such file; did you mean 'georgia.gpkg'?" in refusal(tmp_path / "gorgia.gpkg")
    assert "did you mean 'georgia.gpkg'?" in refusal(tmp_path / "georgia.shp")
    assert "there is no folder" in refusal(tmp_path / "nowhere" / "a.shp")
    assert f"{tmp_path} holds georgia.gpkg" in refusal(tmp_path / "zzz")


def test_things_that_are_not_layers(shapefile, tmp_path):
    assert "is a folder, not a layer; name one of its files: georgia.shp" in refusal(shapefile.parent)
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    assert "is not a vector layer" in refusal(text)
    empty = tmp_path / "empty.gpkg"
    empty.touch()
    assert "the file is empty (0 bytes)" in refusal(empty)
    not_one = tmp_path / "fake.gpkg"
    not_one.write_text("hello, I am not a database")
    refusal(not_one)
    folder = tmp_path / "fake.gdb"
    folder.mkdir()
    refusal(folder)
    assert "is a companion of a shapefile; name georgia.shp instead" in refusal(shapefile.with_suffix(".prj"))
    assert len(read_layer(shapefile.with_suffix(".dbf"))) == 159


def test_names_in_capitals_and_a_table_alone(shapefile, tmp_path):
    for part in PARTS:
        shapefile.with_suffix(f".{part}").rename(tmp_path / f"LOUD.{part.upper()}")
    assert len(read_layer(tmp_path / "LOUD.SHP")) == 159
    table = shutil.copy(tmp_path / "LOUD.DBF", tmp_path / "alone.dbf")
    assert (len(read_layer(table)), read_layer(table).has_geometry) == (159, False)


def test_topojson_of_two_layers(tmp_path):
    path = tmp_path / "t.json"
    point = {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}]}
    path.write_text(json.dumps({"type": "Topology", "arcs": [], "objects": {"a": point, "b": point}}))
    assert "holds 2 layers: a, b; choose one with --layer" in refusal(path)
    assert shapely.get_x(read_layer(path, layer="b").geometry).tolist() == [1]


def test_empty_layers(tmp_path):
    empty = pa.table({"a": pa.array([], pa.int32()), "g": pa.array([], pa.binary())})
    for suffix in (".gpkg", ".shp", ".fgb"):
        path = tmp_path / f"e{suffix}"
        pyogrio.raw.write_arrow(empty, path, geometry_name="g", geometry_type="Polygon", crs="EPSG:4326")
        assert "the layer is empty (0 rows)" in refusal(path)
    (tmp_path / "e.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    assert "the layer is empty" in refusal(tmp_path / "e.geojson")
    geopandas.GeoDataFrame({"a": []}, geometry=[]).to_parquet(tmp_path / "e.parquet")
    assert "the layer is empty" in refusal(tmp_path / "e.parquet")
    refusal(bare_geopackage(tmp_path / "bare.gpkg"))


def bare_geopackage(path):
    shutil.copy(sample_path(), path)
    with sqlite3.connect(path) as database:
        for table in ("gpkg_geometry_columns", "gpkg_contents"):
            database.execute(f"DELETE FROM {table}")
        database.execute("DROP TABLE georgia")
    database.close()
    return path


@pytest.mark.unix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")
def test_unreadable_file(geopackage):
    os.chmod(geopackage, 0)
    assert "denied" in refusal(geopackage)


# --- damage -------------------------------------------------------------------------------------------


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


@pytest.mark.parametrize("part", ["shp", "dbf", "shx"])
@pytest.mark.parametrize("share", [0.999, 0.5, 0.002])
def test_truncated_shapefile(shapefile, part, share):
    cut(shapefile.with_suffix(f".{part}"), share)
    for where in (None, "tot_pop > 0"):
        text = refusal(shapefile, where=where)
        assert "cut short" in text or "0 bytes" in text or "missing" in text


def test_overwritten_shapefile(shapefile):
    content = bytearray(shapefile.read_bytes())
    content[100_000:150_000] = bytes(range(250)) * 200
    shapefile.write_bytes(content)
    for where in (None, "tot_pop > 0"):
        assert "damaged" in refusal(shapefile, where=where)


def test_missing_companions(shapefile):
    shapefile.with_suffix(".dbf").rename(shapefile.parent / "elsewhere")
    assert ".dbf, which holds the columns, is missing" in refusal(shapefile)
    (shapefile.parent / "elsewhere").rename(shapefile.with_suffix(".dbf"))
    whole = read_layer(shapefile)
    shapefile.with_suffix(".shx").unlink()
    before = sorted(file.name for file in shapefile.parent.iterdir())
    layer = read_layer(shapefile)
    assert any("index (.shx) is missing" in note for note in layer.notes)
    assert layer.wkb.to_pylist() == whole.wkb.to_pylist()
    assert layer.attributes.equals(whole.attributes)
    assert layer.origin.layer == "georgia"
    assert sorted(file.name for file in shapefile.parent.iterdir()) == before


def test_parts_of_different_shapefiles(shapefile, tmp_path):
    other = write_as(read_layer(None, where="tot_pop > 20000"), tmp_path / "other.shp")
    shutil.copy(other.with_suffix(".dbf"), shapefile.with_suffix(".dbf"))
    assert "do not belong together" in refusal(shapefile)


def test_deleted_rows_of_a_table_are_left_out(shapefile):
    import struct

    path = shapefile.with_suffix(".dbf")
    content = bytearray(path.read_bytes())
    header, width = struct.unpack("<HH", content[8:12])
    for row in (0, 7):
        content[header + row * width] = ord("*")
    path.write_bytes(content)
    expected = [n for i, n in enumerate(read_layer(None).attributes["name"].to_pylist()) if i not in {0, 7}]
    assert read_layer(shapefile).attributes["name"].to_pylist() == expected


@pytest.mark.parametrize("share", [0.9999, 0.9, 0.3, 0.01])
def test_truncated_geopackage(geopackage, share):
    cut(geopackage, share)
    refusal(geopackage)


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_overwritten_geopackage(shared_data, tmp_path, at):
    path = shutil.copy(shared_data("brazil/municipalities.gpkg"), tmp_path / "m.gpkg")
    content = bytearray(path.read_bytes())
    start = int(len(content) * at)
    content[start : start + 20_000] = bytes(20_000)
    path.write_bytes(content)
    for where in (None, "popt > 0"):
        assert "damaged" in refusal(path, where=where)


@pytest.mark.parametrize("suffix", [".fgb", ".geojson", ".parquet", ".kml", ".gdb"])
@pytest.mark.parametrize("share", [0.99, 0.5, 0.02])
def test_truncated_other_formats(sample, tmp_path, suffix, share):
    layer = sample
    if suffix == ".kml":
        frame = geopandas.read_file(sample_path()).to_crs(4326)
        layer = type(sample).from_frame(frame)
    path = write_as(layer, tmp_path / f"g{suffix}")
    file = max(path.glob("*.gdbtable"), key=lambda f: f.stat().st_size) if path.is_dir() else path
    if suffix == ".gdb" and share > 0.9:
        share = 0.9  # the end of that file is slack
    cut(file, share)
    refusal(path)
    if suffix == ".fgb":
        refusal(path, where="tot_pop > 0")


def test_null_geometries_are_not_damage(tmp_path):
    shapes = [shapely.box(0, 0, 1, 1), None, shapely.Polygon(), shapely.box(2, 2, 3, 3)]
    frame = geopandas.GeoDataFrame({"a": [1, 2, 3, 4]}, geometry=shapes, crs=3857)
    for suffix in (".shp", ".gpkg", ".geojson", ".fgb", ".gdb", ".parquet"):
        path = write_as(type(read_layer(None)).from_frame(frame), tmp_path / f"n{suffix}")
        layer = read_layer(path)
        assert layer.attributes["a"].to_pylist() == [1, 2, 3, 4]
        faults = geometry_faults(layer)
        assert sorted([*faults.null.tolist(), *faults.empty.tolist()]) == [1, 2]
        assert read_layer(path, where="a = 2").wkb.null_count == 1


# --- encodings ----------------------------------------------------------------------------------------

WORDS = {
    "cp1252": "São Tomé",
    "iso-8859-2": "Łódź",
    "cp1251": "Москва",
    "koi8-r": "Москва",
    "cp932": "東京都",
    "euc-kr": "서울",
    "gbk": "北京",
    "big5": "台北",
    "cp437": "é",
    "mac_roman": "Ünïted",
    "utf-8": "東京 é",
}


def encoded_shapefile(folder, word, encoding, *, ldid=0, cpg=None):
    """Write a shapefile whose column name and text are `word` in an encoding, stated or not."""
    path = folder / "enc.shp"
    name, text = word.encode(encoding)[:10], word.encode(encoding)
    table = pa.table({"N" * 10: ["T" * 40], "g": [shapely.to_wkb(shapely.box(0, 0, 1, 1))]})
    pyogrio.raw.write_arrow(
        table, path, geometry_name="g", geometry_type="Polygon", crs="EPSG:4326", encoding="UTF-8"
    )
    content = path.with_suffix(".dbf").read_bytes()
    content = content.replace(b"N" * 10, name.ljust(10, b"\0")).replace(b"T" * 40, text.ljust(40))
    content = bytearray(content)
    content[29] = ldid
    path.with_suffix(".dbf").write_bytes(content)
    path.with_suffix(".cpg").unlink()
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    return path


@pytest.mark.parametrize("encoding", WORDS)
@pytest.mark.parametrize("stated", ["by option", "by cpg"])
def test_encodings(tmp_path, encoding, stated):
    word = WORDS[encoding]
    cpg = encoding if stated == "by cpg" else None
    path = encoded_shapefile(tmp_path, word, encoding, ldid=0x57, cpg=cpg)
    layer = read_layer(path, encoding=None if cpg else encoding)
    name = word.encode(encoding)[:10].decode(encoding)
    assert layer.attributes.to_pydict() == {name: [word]}
    if encoding == "cp1252" and not cpg:
        assert len(read_layer(path, encoding=encoding, where=f"\"{name}\" = '{word}'")) == 1


def test_unstated_encodings(tmp_path):
    path = encoded_shapefile(tmp_path, "São Tomé", "cp1252")
    layer = read_layer(path)
    assert layer.attributes.to_pydict() == {"São Tomé": ["São Tomé"]}
    assert any("read as windows-1252" in note for note in layer.notes)
    layer = read_layer(encoded_shapefile(tmp_path, "São Tomé", "utf-8", ldid=0x57))
    assert any("looks like UTF-8" in note for note in layer.notes)


def test_wrong_encodings(tmp_path, geopackage):
    path = encoded_shapefile(tmp_path, "São Tomé", "cp1252")
    assert "--encoding" in refusal(path, encoding="utf-8")
    assert "there is no encoding 'utf-88'; did you mean 'utf-8'?" in refusal(path, encoding="utf-88")
    path = encoded_shapefile(tmp_path, "Москва", "koi8-r")
    assert "is not ascii" in refusal(path, encoding="ascii")
    assert "GeoPackage text is UTF-8" in refusal(geopackage, encoding="cp1252")
    table = tmp_path / "t.csv"
    table.write_bytes("name\nSão\n".encode("cp1252"))
    assert "--encoding" in refusal(table)
    assert read_layer(table, encoding="cp1252").attributes["name"].to_pylist() == ["São"]


# --- the input is never touched -----------------------------------------------------------------------


def state(folder):
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.iterdir()}


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_reading_leaves_a_geopackage_as_it_is(geopackage, mode):
    with sqlite3.connect(geopackage) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
    database.close()
    before = state(geopackage.parent)
    read_layer(geopackage)
    read_layer(geopackage, where="tot_pop > 5")
    assert state(geopackage.parent) == before


def test_reading_from_a_read_only_folder(read_only_folder):
    """The folder is a read-only mount, which binds root too."""
    with read_only_folder as (folder, seal):
        shutil.copy(sample_path(), folder / "wal.gpkg")
        shutil.copy(sample_path(), folder / "plain.gpkg")
        with sqlite3.connect(folder / "wal.gpkg") as database:
            database.execute("PRAGMA journal_mode=wal")
        database.close()
        for part in PARTS:
            shutil.copy(sample_path().with_suffix(f".{part}"), folder / f"s.{part}")
        (folder / "s.shx").unlink()
        seal()
        for name in ("wal.gpkg", "plain.gpkg", "s.shp"):
            assert len(read_layer(folder / name, where="tot_pop > 500000")) == 2


def test_what_another_program_has_not_put_into_the_file_yet_is_read(geopackage):
    database = sqlite3.connect(geopackage)
    database.execute("PRAGMA journal_mode=wal")
    for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
        database.create_function(name, 1, lambda _: 0)
    database.execute("UPDATE georgia SET name = 'Renamed' WHERE name = 'Fulton'")
    database.commit()
    assert (geopackage.parent / "georgia.gpkg-wal").exists()
    assert "Renamed" in read_layer(geopackage).attributes["name"].to_pylist()
    database.close()


# --- helpers ------------------------------------------------------------------------------------------


def test_headers_agree_with_shapely():
    texts = [
        "POINT (1 2)",
        "POINT Z (1 2 3)",
        "POINT M (1 2 3)",
        "POINT ZM (1 2 3 4)",
        "POINT EMPTY",
        "LINESTRING (0 0, 1 1)",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "POLYGON EMPTY",
        "MULTIPOLYGON EMPTY",
        "MULTIPOINT ((1 2), (3 4))",
        "GEOMETRYCOLLECTION (POINT (1 2))",
        "MULTIPOLYGON Z (((0 0 1, 1 0 1, 1 1 1, 0 0 1)))",
    ]
    shapes = shapely.from_wkt(np.array([*texts, None], dtype=object))
    for options in ({"flavor": "iso"}, {"flavor": "extended"}, {"flavor": "iso", "byte_order": 0}):
        raw = list(shapely.to_wkb(shapes, **options))
        column = pa.chunked_array(
            [pa.array(raw[:5], pa.binary()), pa.array(raw[4:], pa.large_binary()).cast(pa.binary())[1:]]
        )
        headers = read_headers(column)
        kinds = [shape.geom_type if shape is not None else None for shape in shapes]
        codes = {
            "Point": 1,
            "LineString": 2,
            "Polygon": 3,
            "MultiPoint": 4,
            "MultiPolygon": 6,
            "GeometryCollection": 7,
            None: 0,
        }
        assert headers.kind.tolist() == [codes[kind] for kind in kinds]
        assert headers.empty.tolist() == shapely.is_empty(shapes).tolist()
        filled = ~shapely.is_empty(shapes)  # GEOS gives empty shapes dimensions of its own
        assert headers.has_z[filled].tolist() == shapely.has_z(shapes)[filled].tolist()
        assert headers.has_m[filled].tolist() == shapely.has_m(shapes)[filled].tolist()


def test_geometry_faults_agree_with_shapely(shared_data):
    layer = read_layer(shared_data("brazil/municipalities.gpkg"))
    faults = geometry_faults(layer)
    assert faults.counts() == {"invalid": 46}  # the data's own README says so
    assert faults.invalid.tolist() == np.flatnonzero(~shapely.is_valid(layer.geometry)).tolist()


def test_unreadable_geometry_is_counted():
    import dataclasses

    layer = read_layer(None)
    raw = layer.wkb.to_pylist()
    raw[3] = raw[3][: len(raw[3]) // 2]
    raw[5] = None
    broken = dataclasses.replace(layer, wkb=pa.chunked_array([pa.array(raw)]))
    faults = geometry_faults(broken, validity=False)
    assert (faults.null.tolist(), faults.unreadable.tolist()) == ([5], [3])


# --- GeoParquet ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_geoparquet_as_geopandas_writes_it(tmp_path, encoding):
    frame = geopandas.read_file(sample_path())
    path = tmp_path / "g.parquet"
    frame.to_parquet(path, geometry_encoding=encoding, schema_version="1.1.0")
    layer = read_layer(path)
    assert layer.crs == "EPSG:26716"
    assert layer.column_names == list(frame.columns[:-1])
    assert (shapely.from_wkb(layer.wkb.to_numpy()) == frame.geometry.to_numpy()).all()


GEOARROW = {
    "point": [shapely.Point(1, 2), None, shapely.Point(3, 4)],
    "line": [shapely.LineString([(0, 0), (1, 1)]), None, shapely.LineString([(5, 5), (6, 7), (8, 8)])],
    "polygon": [None, shapely.box(0, 0, 1, 1), shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)],
    "multipolygon": [
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 3, 4, 4)]),
        None,
        shapely.MultiPolygon([shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)]),
    ],
    "multipoint": [shapely.MultiPoint([(1, 2), (3, 4)]), shapely.MultiPoint([(5, 6)]), None],
    "multiline": [shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]), None, None],
    "high": [shapely.Point(1, 2, 3), None, shapely.Point(4, 5, 6)],
}


@pytest.mark.parametrize("kind", GEOARROW)
def test_geoparquet_with_nested_coordinates(tmp_path, kind):
    frame = geopandas.GeoDataFrame({"a": [1, 2, 3]}, geometry=GEOARROW[kind], crs=4326)
    frame.to_parquet(tmp_path / "g.parquet", geometry_encoding="geoarrow", schema_version="1.1.0")
    expected = list(shapely.to_wkb(np.array(GEOARROW[kind], dtype=object), flavor="iso"))
    assert read_layer(tmp_path / "g.parquet").wkb.to_pylist() == expected


def test_geoparquet_details(tmp_path):
    import pyarrow.parquet as pq

    path = tmp_path / "g.parquet"
    frame = geopandas.read_file(sample_path()).to_crs(4326)
    frame.to_parquet(path, write_covering_bbox=True, schema_version="1.1.0")
    layer = read_layer(path)
    assert "bbox" in layer.column_names
    again = write_as(layer, tmp_path / "again.parquet")
    box = (-84, 33, -83, 34)
    assert len(geopandas.read_parquet(again, bbox=box)) == len(geopandas.read_parquet(path, bbox=box)) > 0
    notes = write_layer(layer, tmp_path / "o.gpkg", added={})
    assert any("'bbox'" in note for note in notes)
    assert read_layer(tmp_path / "o.gpkg").column_names == list(frame.columns[:-1])
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    del geo["columns"]["geometry"]["crs"]
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    assert read_layer(path).crs == "OGC:CRS84"
    geo["columns"]["geometry"]["crs"] = None
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    assert read_layer(path).crs is None
    pq.write_table(table.drop_columns(["geometry"]).replace_schema_metadata(None), path)
    plain = read_layer(path)
    assert not plain.has_geometry
    assert any("without geometry" in note for note in plain.notes)


def test_geoparquet_keeps_a_second_geometry_column(tmp_path):
    frame = geopandas.read_file(sample_path())
    frame["center"] = frame.centroid
    frame.to_parquet(tmp_path / "g.parquet")
    layer = read_layer(tmp_path / "g.parquet")
    write_layer(layer, tmp_path / "o.parquet", added={"cluster": pa.array([1] * 159, pa.int32())})
    back = geopandas.read_parquet(tmp_path / "o.parquet")
    assert back.geometry.name == "geometry"
    assert (back["center"].geom_equals(frame["center"])).all()
    assert back.crs == frame.crs


def test_plain_points_are_read_from_their_bytes():
    points = shapely.points([[1.5, -2.0], [3.0, 4.0], [5.0, 6.0]])
    plain = shapely.to_wkb(points)
    column = pa.chunked_array([plain[:1], plain[:0], plain[1:]]).slice(1)
    np.testing.assert_array_equal(read_points(column), [[3.0, 4.0], [5.0, 6.0]])
    others = [None, shapely.to_wkb(points[0], byte_order=0), shapely.to_wkb(shapely.force_3d(points[0]))]
    others += [shapely.to_wkb(shapely.MultiPoint([[1, 2]])), b"0" * 21]
    for other in others:
        assert read_points(pa.chunked_array([[plain[0], other]])) is None
