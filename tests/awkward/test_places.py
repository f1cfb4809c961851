"""Places of layers: several in a file and none, archives, links, pipes, folders."""

from __future__ import annotations

import os
import sqlite3
import threading
import zipfile

import geopandas
import pytest
from corpus import Corpus, cut, with_zeros

corpus = Corpus()
N = 25


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


test_places = pytest.mark.unix(corpus.test())
