"""Reference systems: none, unknown, damaged, of other units and kinds, and two that differ."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import shapely
from corpus import Corpus

corpus = Corpus()
WITH_CENTROIDS = ("kmeans", "--k", 3, "--columns", "a,b", "--with-centroids")
SKATER = ("skater", "--k", 2, "--columns", "a,b")


def crs_is(text):
    return lambda out: out.crs == text


@corpus.refused("no coordinate reference system", "--project none")
def none(make):
    return make.run(make.layer(crs=None), command=WITH_CENTROIDS)


@corpus.works(holds=lambda out: out.crs is None)
def none_and_taken_as_plane(make):
    return make.run(make.layer(crs=None), "--project", "none", command=WITH_CENTROIDS)


@corpus.works(holds=lambda out: out.crs is None)
def no_prj(make):
    path = make.layer("in.shp")
    path.with_suffix(".prj").unlink()
    return make.run(path, "--project", "none", command=WITH_CENTROIDS)


@corpus.refused("no coordinate reference system to measure 5 km in")
def a_distance_in_kilometres_where_none_is_known(make):
    return make.run(make.layer(crs=None), "--weights", "distance:5km", command=SKATER)


@corpus.works("The .prj cannot be understood", "no reference", kept=(), holds=lambda out: out.crs is None)
def a_prj_of_nonsense(make):
    """There are such files, of rich text for one; the shapes can be read, and it is told."""
    path = make.layer("in.shp")
    path.with_suffix(".prj").write_text("this is no reference system")
    return make.run(path, "--project", "none", command=WITH_CENTROIDS)


@corpus.refused("in.shp", "coordinate system cannot be understood", "correct the .prj")
def a_prj_cut_short(make):
    path = make.layer("in.shp")
    text = path.with_suffix(".prj").read_text()
    path.with_suffix(".prj").write_text(text[: len(text) // 2])
    return make.run(path, command=WITH_CENTROIDS)


@corpus.works(kept=())
def an_empty_prj(make):
    path = make.layer("in.shp")
    path.with_suffix(".prj").write_text("")
    return make.run(path, "--project", "none", command=WITH_CENTROIDS)


@corpus.refused("no longitude and latitude")
def a_prj_of_another_layer(make):
    """The numbers are metres, and cannot be longitude and latitude."""
    path = make.layer("in.shp")
    (make.folder / "in.prj").write_text(
        'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],'
        'PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]'
    )
    return make.run(path, command=WITH_CENTROIDS)


def degrees(make, name="in.gpkg", crs="EPSG:4326"):
    shapes = [shapely.box(10 + i % 5, 40 + i // 5, 11 + i % 5, 41 + i // 5) for i in range(25)]
    return make.shapes(shapes, name, crs)


@corpus.works("EPSG:", holds=crs_is("EPSG:4326"))
def degrees_where_centroids_count(make):
    """They are projected for that, and it is said to what."""
    return make.run(degrees(make), command=WITH_CENTROIDS)


@corpus.refused("longitude and latitude", "leave out --project none", code=2)
def degrees_taken_as_they_are(make):
    return make.run(degrees(make), "--project", "none", command=WITH_CENTROIDS)


@corpus.refused("EPSG:99999", code=2)
def a_projection_that_does_not_exist(make):
    return make.run(degrees(make), "--project", "EPSG:99999", command=WITH_CENTROIDS)


@corpus.refused("EPSG:4258", code=2)
def a_projection_that_is_none(make):
    return make.run(degrees(make), "--project", "EPSG:4258", command=WITH_CENTROIDS)


@corpus.works(holds=crs_is("EPSG:2272"))
def feet(make):
    """Squares of a thousand feet touch within 400 m, their neighbours do not."""
    return make.run(make.layer(crs="EPSG:2272"), "--weights", "distance:400m", command=SKATER)


@corpus.works(holds=lambda out: out.crs is not None)
def an_engineering_system(make):
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    return make.run(make.layer(crs=local), command=WITH_CENTROIDS)


@corpus.works(holds=lambda out: out.crs.to_epsg() == 7415)
def a_compound_of_plane_and_height(make):
    return make.run(make.layer(crs="EPSG:7415"), command=WITH_CENTROIDS)


@corpus.works(holds=lambda out: out.crs.to_epsg() == 4979)
def degrees_and_heights(make):
    return make.run(degrees(make, crs="EPSG:4979"), command=WITH_CENTROIDS)


@corpus.works(holds=crs_is("EPSG:3413"))
def a_polar_projection(make):
    return make.run(make.layer(crs="EPSG:3413"), command=WITH_CENTROIDS)


@corpus.works(kept=(), holds=lambda out: 39 < out.total_bounds[1] < 41 or 9 < out.total_bounds[1] < 11)
def latitude_before_longitude_in_gml(make):
    """GML says latitude first; in the output, x is longitude."""
    return make.run(degrees(make, "in.gml"), command=WITH_CENTROIDS)


@corpus.refused("coordinate system cannot be understood", "999999")
def a_crs_of_geojson_that_does_not_exist(make):
    path = make.layer("in.geojson")
    text = json.loads(path.read_text())
    text["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::999999"}}
    return make.run(make.text("in.geojson", json.dumps(text)), command=WITH_CENTROIDS)


@corpus.works(kept=(), holds=lambda out: out.crs is None)
def a_crs_of_geojson_that_is_null(make):
    path = make.layer("in.geojson")
    text = json.loads(path.read_text())
    text["crs"] = None
    source = make.text("in.geojson", json.dumps(text))
    return make.run(source, "--project", "none", command=WITH_CENTROIDS)


def with_geo(make, **about):
    """GeoParquet with other metadata of its geometry."""
    path = make.layer("in.parquet")
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"] |= about
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), path)
    return path


@corpus.works(kept=(), holds=lambda out: out.crs is None)
def a_crs_of_geoparquet_that_is_null(make):
    return make.run(with_geo(make, crs=None), "--project", "none", command=WITH_CENTROIDS)


@corpus.refused("in.parquet", "coordinate system cannot be understood")
def a_crs_of_geoparquet_that_is_damaged(make):
    return make.run(
        with_geo(make, crs={"type": "ProjectedCRS", "name": "half of one"}), command=WITH_CENTROIDS
    )


@corpus.refused("in.parquet")
def an_encoding_of_geoparquet_that_is_not_known(make):
    return make.run(with_geo(make, encoding="shapes"), command=WITH_CENTROIDS)


def srs(make, number):
    """A GeoPackage whose layer names another row of its table of systems."""
    import sqlite3

    path = make.layer()
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER IF EXISTS gpkg_tile_matrix_zoom_level_insert")
        database.execute("UPDATE gpkg_contents SET srs_id = ?", (number,))
        database.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (number,))
    database.close()
    return path


@corpus.works(kept=())
def an_undefined_cartesian_system(make):
    return make.run(srs(make, -1), command=WITH_CENTROIDS)


@corpus.refused("505000", "no longitude and latitude")
def an_undefined_geographic_system(make):
    return make.run(srs(make, 0), command=WITH_CENTROIDS)


@corpus.refused("coordinate system cannot be understood", "4711")
def a_system_that_the_geopackage_does_not_define(make):
    return make.run(srs(make, 4711), command=WITH_CENTROIDS)


@corpus.refused("coordinate system cannot be understood")
def a_definition_of_nonsense_in_a_geopackage(make):
    import sqlite3

    path = make.layer(crs='LOCAL_CS["site",UNIT["metre",1]]')
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_spatial_ref_sys SET definition = 'nonsense' WHERE srs_id > 99999")
    database.close()
    return make.run(path)


def places(make, crs):
    make.shapes([shapely.Point(502500, 2500)], "places.gpkg", "EPSG:32633")
    frame = make.grid(crs="EPSG:32633")
    frame["geometry"] = frame.centroid
    return make.save(frame.to_crs(crs) if crs else frame.set_crs(None, allow_override=True), "items.gpkg")


def first_is_in_the_middle(out):
    return "unit 13" in out


@corpus.works(holds=first_is_in_the_middle)
def items_and_places_in_different_systems(make):
    source = places(make, "EPSG:3857")
    return make.command("rank", source, "--at-file", "places.gpkg", "--id", "name", "--top", 1)


@corpus.refused("reference system")
def items_of_no_system_and_places_of_one(make):
    source = places(make, None)
    return make.command("rank", source, "--at-file", "places.gpkg", "--id", "name", "--top", 1)


@corpus.refused("latitude", code=2)
def longitude_before_latitude(make):
    source = places(make, "EPSG:4326")
    return make.command("rank", source, "--at", "151.2,-33.9", "--id", "name", "--top", 1)


test_systems = corpus.test()
