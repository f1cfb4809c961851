"""Files: damaged, of another kind than their name says, in parts, in archives, through links and pipes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import zipfile

import geopandas
import numpy as np
import pytest
from corpus import Corpus

corpus = Corpus()
N = 25


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def with_zeros(path, start, length=512):
    """Overwrite a part from a share of the length on, as a disk does that loses a sector."""
    content = bytearray(path.read_bytes())
    at = int(start * len(content))
    content[at : at + length] = bytes(len(content[at : at + length]))
    path.write_bytes(content)
    return path


# damaged


@corpus.refused("in.gpkg", "empty (0 bytes)")
def no_bytes(make):
    return make.data("in.gpkg", b"")


@corpus.refused("in.gpkg")
def bytes_of_nothing(make):
    return make.data("in.gpkg", bytes(4096))


@corpus.refused("in.gpkg", "get the file again")
def a_geopackage_cut_short(make):
    return cut(make.layer(words="x" * 4000), 0.7)


@corpus.refused("in.gpkg")
def a_geopackage_with_a_hole(make):
    return with_zeros(make.layer(words="x" * 4000), 0.5, 9000)


@corpus.refused("in.geojson")
def a_geojson_cut_short(make):
    return cut(make.layer("in.geojson"), 0.8)


@corpus.refused("in.fgb")
def a_flatgeobuf_cut_short(make):
    return cut(make.layer("in.fgb"), 0.8)


@corpus.refused("in.parquet", "get the file again")
def a_parquet_cut_short(make):
    return cut(make.layer("in.parquet"), 0.8)


@corpus.refused("in.shp", "cut short")
def a_shp_cut_short(make):
    return cut(make.layer("in.shp"), 0.8)


@corpus.refused("in.shp", "rows")
def a_dbf_cut_short(make):
    path = make.layer("in.shp")
    cut(path.with_suffix(".dbf"), 0.8)
    return path


@corpus.refused("in.shp", ".dbf", "missing")
def no_dbf(make):
    path = make.layer("in.shp")
    path.with_suffix(".dbf").unlink()
    return path


@corpus.works("index (.shx) is missing", kept=(), holds=lambda out: len(out) == N)
def no_shx(make):
    path = make.layer("in.shp")
    path.with_suffix(".shx").unlink()
    return path


@corpus.works()
def no_cpg(make):
    path = make.layer("in.shp")
    path.with_suffix(".cpg").unlink()
    return path


@corpus.refused("24", "25", "do not belong together")
def a_dbf_of_another_shapefile(make):
    path = make.layer("in.shp")
    other = make.save(make.grid().iloc[1:], "other.shp")
    shutil.copy(other.with_suffix(".dbf"), path.with_suffix(".dbf"))
    return path


@corpus.refused("in.shp", "damaged", "get the file again")
def a_shx_of_another_shapefile(make):
    path = make.layer("in.shp")
    names = make.grid()["name"]
    frame = make.grid()
    frame["geometry"] = frame.geometry.segmentize([100 + 7 * at for at in range(len(names))])
    shutil.copy(make.save(frame, "other.shp").with_suffix(".shx"), path.with_suffix(".shx"))
    return path


@corpus.works()
def a_shp_with_bytes_after_its_end(make):
    path = make.layer("in.shp")
    path.write_bytes(path.read_bytes() + b"\0" * 100)
    return path


@corpus.refused("in.shp:in:a", "stands where a number should")
def a_comma_in_a_number_of_a_dbf(make):
    """GDAL takes 7,25 for 7."""
    path = make.layer("in.shp", a=np.where(np.arange(N) == 3, 7.25, np.arange(N) + 0.5))
    table = path.with_suffix(".dbf")
    content = table.read_bytes()
    assert content.count(b"7.25") == 1
    table.write_bytes(content.replace(b"7.25", b"7,25"))
    return path


@corpus.refused("in.geojsonl", "damaged")
def a_line_of_json_lines_that_is_broken(make):
    path = make.save(make.grid(), "in.geojsonl", driver="GeoJSONSeq")
    return make.text("in.geojsonl", path.read_text().replace('"unit 4"', '"unit 4', 1))


@corpus.refused("in.tab", "damaged")
def a_mapinfo_table_cut_short(make):
    path = make.save(make.grid(), "in.tab", driver="MapInfo File")
    cut(path.with_suffix(".dat"), 0.5)
    return path


@corpus.refused("in.gml")
def a_gml_cut_short(make):
    return cut(make.save(make.grid(), "in.gml", driver="GML"), 0.6)


@corpus.refused("in.kml")
def a_kml_cut_short(make):
    return cut(make.save(make.grid().to_crs(4326), "in.kml", driver="KML"), 0.6)


@corpus.refused("in.gdb")
def a_geodatabase_without_its_table(make):
    path = make.save(make.grid(), "in.gdb", driver="OpenFileGDB")
    (path / "a00000009.gdbtable").unlink()
    return path


@corpus.refused("in.csv:in:b", "1 of 21 rows")
def rows_of_a_csv_that_are_too_short(make):
    """A value that is not there is missing, not nothing."""
    return make.text("in.csv", "name,a,b\n" + "".join(f"u{i},{i},{i % 4}\n" for i in range(20)) + "u20,7\n")


# of another kind


@corpus.refused("in.gpkg", "is not a vector layer")
def a_picture_called_a_geopackage(make):
    return make.data("in.gpkg", b"\x89PNG\r\n\x1a\n" + bytes(2000))


@corpus.refused("in.json")
def json_that_is_no_layer(make):
    return make.text("in.json", '{"hello": ["world", 1, null]}')


@corpus.refused("in.geojson")
def a_web_page_called_geojson(make):
    return make.text("in.geojson", "<!DOCTYPE html><html><body>404 not found</body></html>")


@corpus.works()
def a_geojson_called_json(make):
    return make.layer("in.geojson").rename(make.folder / "in.json")


@corpus.works()
def capitals_in_the_ending(make):
    return make.layer("in.gpkg").rename(make.folder / "in.GPKG")


@corpus.works()
def a_geopackage_without_an_ending(make):
    return make.layer("in.gpkg").rename(make.folder / "in")


@corpus.refused("companion", "in.shp")
def the_index_of_a_shapefile(make):
    return make.layer("in.shp").with_suffix(".shx")


@corpus.works()
def the_table_of_a_shapefile(make):
    return make.run(make.layer("in.shp").with_suffix(".dbf"))


# text


@corpus.works(kept=(), holds=lambda out: out["name"].tolist()[3] == "Ünit")
def a_byte_order_mark_and_crlf_in_csv(make):
    rows = "".join(f"{'Ünit' if i == 3 else i},{i % 7},{i % 4}\r\n" for i in range(N))
    return make.text("in.csv", "\ufeffname,a,b\r\n" + rows)


@corpus.works(kept=(), holds=lambda out: len(out) == N)
def a_byte_order_mark_before_geojson(make):
    path = make.layer("in.geojson")
    return make.data("in.geojson", b"\xef\xbb\xbf" + path.read_bytes())


@corpus.refused("in.csv", "--encoding")
def a_csv_in_latin_1(make):
    return make.text(
        "in.csv", "name,a,b\n" + "".join(f"Köln {i},{i % 7},{i % 4}\n" for i in range(N)), "latin-1"
    )


@corpus.works(kept=(), holds=lambda out: out["name"].tolist()[3] == "Köln 3")
def a_csv_in_latin_1_as_it_is_said(make):
    path = make.text(
        "in.csv", "name,a,b\n" + "".join(f"Köln {i},{i % 7},{i % 4}\n" for i in range(N)), "latin-1"
    )
    return make.run(path, "--encoding", "latin-1")


@corpus.refused("in.csv")
def a_csv_in_utf_16(make):
    return make.text("in.csv", "name,a,b\n" + "".join(f"u{i},{i % 7},{i % 4}\n" for i in range(N)), "utf-16")


@corpus.refused("in.shp:name", "not utf-8", "--encoding")
def a_dbf_in_another_encoding_than_it_says(make):
    path = make.save(make.grid(name=["Köln"] * N), "in.shp", encoding="windows-1252")
    path.with_suffix(".cpg").write_text("UTF-8")
    return path


@corpus.refused("no encoding 'klingon'")
def an_encoding_that_does_not_exist(make):
    return make.run(make.layer("in.shp"), "--encoding", "klingon")


@corpus.works(kept=(), holds=lambda out: len(out) == 3000)
def geojson_in_one_huge_line(make):
    path = make.save(make.grid(60, 50, words="é" * 300), "in.geojson")
    return make.text("in.geojson", path.read_text().replace("\n", ""))


@corpus.refused("in.csv")
def only_a_head(make):
    return make.text("in.csv", "name,a,b\n")


@corpus.works(kept=(), holds=lambda out: len(out) == N)
def a_csv_without_a_newline_at_its_end(make):
    return make.text("in.csv", "name,a,b\n" + "\n".join(f"u{i},{i % 7},{i % 4}" for i in range(N)))


# several layers, and none


def two_layers(make):
    path = make.layer("two.gpkg")
    make.grid(3, 3).to_file(path, layer="small")
    return path


@corpus.refused("two.gpkg", "two, small", "--layer")
def several_layers(make):
    return two_layers(make)


@corpus.works()
def one_of_several_layers(make):
    return make.run(two_layers(make), "--layer", "small", layer="small")


@corpus.refused("did you mean 'small'?")
def a_layer_that_is_not_there(make):
    return make.run(two_layers(make), "--layer", "smal")


def database(make, *statements):
    path = make.layer("in.gpkg")
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


@corpus.works()
def a_table_beside_that_is_not_registered(make):
    return make.run(database(make, "CREATE TABLE other (x INTEGER)"), layer="in")


@corpus.refused("--layer")
def a_view_beside(make):
    """Registered as a layer, it is one."""
    return database(
        make,
        'CREATE VIEW "seen" AS SELECT fid, geom, name, a, b FROM "in"',
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
        "VALUES ('seen', 'features', 'seen', 32633)",
        "INSERT INTO gpkg_geometry_columns VALUES ('seen', 'geom', 'POLYGON', 32633, 0, 0)",
    )


@corpus.refused("holds no layer")
def a_geopackage_without_a_layer(make):
    return database(make, 'DROP TABLE "in"', "DELETE FROM gpkg_contents", "DELETE FROM gpkg_geometry_columns")


@corpus.refused("in.gpkg", "in")
def a_geopackage_whose_table_is_gone(make):
    return database(make, 'DROP TABLE "in"')


@corpus.works(kept=(), holds=lambda out: not isinstance(out, geopandas.GeoDataFrame) and len(out) == N)
def a_table_without_geometry(make):
    return make.run(make.layer("in.csv"), output="out.csv")


# archives


def zipped(make, *names, folder=""):
    with zipfile.ZipFile(make.folder / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(make.folder / name, folder + name)
            (make.folder / name).unlink()
    return make.folder / "in.zip"


PARTS = ("in.shp", "in.shx", "in.dbf", "in.prj", "in.cpg")


@corpus.works(kept=(), holds=lambda out: len(out) == N)
def a_shapefile_in_a_folder_of_a_zip(make):
    make.layer("in.shp")
    return zipped(make, *PARTS, folder="a b/ü/")


@corpus.refused("in.zip", "2 layers", "--layer")
def two_layers_in_a_zip(make):
    make.layer("in.shp")
    make.layer("other.geojson")
    return zipped(make, *PARTS, "other.geojson")


@corpus.refused("in.zip", "holds no layer")
def a_zip_of_other_things(make):
    make.text("read.me", "hello")
    return zipped(make, "read.me")


@corpus.refused("in.zip", "damaged")
def a_zip_cut_short(make):
    make.layer("in.shp")
    return cut(zipped(make, *PARTS), 0.7)


@corpus.refused("in.zip", "damaged")
def a_zip_whose_checksum_is_wrong(make):
    make.layer("in.geojson")
    return with_zeros(zipped(make, "in.geojson"), 0.4, 40)


@corpus.refused("in.zip", ".dbf")
def a_zip_without_the_table(make):
    make.layer("in.shp")
    return zipped(make, "in.shp", "in.shx", "in.prj")


# links, pipes, folders


@corpus.works()
def a_link(make):
    (make.folder / "link.gpkg").symlink_to(make.layer("in.gpkg"))
    return make.folder / "link.gpkg"


@corpus.refused("is a link to", "there is no such file")
def a_link_to_nowhere(make):
    (make.folder / "link.gpkg").symlink_to("gone.gpkg")
    return make.folder / "link.gpkg"


@corpus.refused("symbolic links")
def a_link_to_itself(make):
    (make.folder / "link.gpkg").symlink_to("link.gpkg")
    return make.folder / "link.gpkg"


@corpus.works(kept=(), holds=lambda out: len(out) == N)
def a_pipe_with_geojson(make):
    content = make.layer("in.geojson").read_bytes()
    pipe = make.folder / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True).start()
    return make.run(pipe)


@corpus.refused("nothing came in")
def a_pipe_with_nothing(make):
    pipe = make.folder / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(b"",), daemon=True).start()
    return make.run(pipe)


@corpus.refused("is a folder", "in.gpkg")
def a_folder(make):
    make.layer()
    return make.folder


@corpus.refused("/dev/null")
def the_null_device(make):
    return make.run("/dev/null")


@corpus.works()
def a_file_that_nobody_may_write(make):
    path = make.layer()
    path.chmod(0o444)
    return path


test_files = pytest.mark.unix(corpus.test())
