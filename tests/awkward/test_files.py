"""Files: damaged, of another kind than their name says, in parts, in other encodings."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from corpus import Corpus, cut, with_zeros

corpus = Corpus()
N = 25


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


test_files = pytest.mark.unix(corpus.test())
