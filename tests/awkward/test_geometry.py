"""Geometry: missing, broken, of odd kinds and in odd places."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import shapely
from corpus import Corpus
from shapely import wkt

corpus = Corpus()
N = 25
SKATER = ("skater", "--k", 3, "--columns", "a,b")
WITH_CENTROIDS = ("kmeans", "--k", 3, "--columns", "a,b", "--with-centroids")


def squares(n=N):
    """Unit squares in a row of five, and so on upwards."""
    return [
        shapely.box(500000 + 1000 * (i % 5), 1000 * (i // 5), 501000 + 1000 * (i % 5), 1000 * (i // 5) + 1000)
        for i in range(n)
    ]


def but(row, shape):
    """Squares, with another shape in one row (from 1)."""
    found = squares()
    found[row - 1] = shape
    return found


def whole(labels):
    """Whether there are three clusters."""
    return set(labels["cluster"].dropna()) == {1, 2, 3}


# missing, empty and broken shapes


@corpus.works("geometry")
def a_null_geometry(make):
    """Its attributes are there, so it can be grouped by them."""
    return make.shapes(but(4, None))


@corpus.refused("1 of 25 rows have no geometry", ": 4;", "--missing drop")
def a_null_geometry_where_centroids_are_variables(make):
    return make.run(make.shapes(but(4, None)), command=WITH_CENTROIDS)


@corpus.refused("1 of 25 rows have no geometry", ": 4;", "--missing drop")
def an_empty_geometry_where_centroids_are_variables(make):
    return make.run(make.shapes(but(4, shapely.Polygon())), command=WITH_CENTROIDS)


@corpus.works("1 of 25 rows have no geometry and so no neighbours: 4", holds=whole)
def a_null_geometry_among_contiguous_regions(make):
    """It touches nothing, so it can be but a piece of its own."""
    return make.run(make.shapes(but(4, None)), command=SKATER)


@corpus.works("4", holds=whole)
def an_empty_geometry_among_contiguous_regions(make):
    return make.run(make.shapes(but(4, shapely.Polygon())), command=SKATER)


@corpus.refused("geometry")
def nothing_but_null_geometries(make):
    return make.run(make.shapes([None] * N), command=SKATER)


BOW_TIE = shapely.Polygon([(503000, 0), (504000, 1000), (504000, 0), (503000, 1000)])


@corpus.works(holds=whole)
def a_bow_tie(make):
    """Repaired to find its neighbours, and written as it was."""
    return make.run(make.shapes(but(4, BOW_TIE)), command=SKATER)


@corpus.works(holds=whole)
def a_bow_tie_whose_centroid_is_a_variable(make):
    return make.run(make.shapes(but(4, BOW_TIE)), command=WITH_CENTROIDS)


@corpus.works(holds=whole)
def the_same_shape_twice(make):
    return make.run(make.shapes(but(4, squares()[2])), command=SKATER)


@corpus.works(holds=whole)
def all_shapes_the_same(make):
    return make.run(make.shapes([squares()[0]] * N), command=SKATER)


@corpus.works(holds=whole)
def shapes_that_overlap(make):
    return make.run(make.shapes([shape.buffer(150) for shape in squares()]), command=SKATER)


@corpus.refused("25 components", "--islands nearest")
def gaps_between_all_shapes(make):
    """Twenty-five pieces cannot be three contiguous regions."""
    return make.run(make.shapes([shape.buffer(-1) for shape in squares()]), command=SKATER)


@corpus.works(holds=whole)
def gaps_that_are_closed(make):
    return make.run(make.shapes([shape.buffer(-1) for shape in squares()]), "--snap", "5", command=SKATER)


@corpus.works(holds=whole)
def slivers_between_shapes(make):
    rng = np.random.default_rng(3)
    rings = [np.array(shape.exterior.coords)[:-1] for shape in squares()]
    moved = [shapely.Polygon(ring + rng.normal(0, 1e-7, ring.shape)) for ring in rings]
    return make.run(make.shapes(moved), "--snap", "0.001", command=SKATER)


@corpus.works(holds=whole)
def a_shape_in_the_hole_of_another(make):
    ring, hole = shapely.box(503000, 0, 504000, 1000), shapely.box(503200, 200, 503800, 800)
    shapes = but(4, shapely.difference(ring, hole))
    return make.run(make.shapes([*shapes[:-1], hole]), command=SKATER)


@corpus.works("1", holds=whole)
def an_island_that_is_kept(make):
    return make.run(make.shapes(but(25, shapely.box(900000, 0, 901000, 1000))), command=SKATER)


@corpus.refused("no neighbours", "--islands nearest")
def an_island_that_is_not_wanted(make):
    source = make.shapes(but(25, shapely.box(900000, 0, 901000, 1000)))
    return make.run(source, "--islands", "error", command=SKATER)


@corpus.works("joined", holds=whole)
def an_island_that_is_joined(make):
    source = make.shapes(but(25, shapely.box(900000, 0, 901000, 1000)))
    return make.run(source, "--islands", "nearest", command=SKATER)


@corpus.works(holds=whole)
def one_of_many_parts(make):
    parts = shapely.MultiPolygon([shapely.box(503000, 0, 504000, 1000), shapely.box(700000, 0, 700001, 1)])
    return make.run(make.shapes(but(4, parts), "in.parquet"), command=SKATER, output="out.parquet")


@corpus.works(holds=whole)
def a_shape_without_area(make):
    return make.run(
        make.shapes(but(4, wkt.loads("POLYGON((503000 0,504000 0,504000 1000,504000 0,503000 0))"))),
        command=SKATER,
    )


@corpus.works(holds=whole)
def a_shape_that_is_one_place(make):
    return make.run(make.shapes(but(4, shapely.Polygon([(503000, 1000)] * 4))), command=SKATER)


@corpus.works(holds=whole)
def vertices_that_repeat(make):
    return make.run(
        make.shapes([shapely.Polygon(np.repeat(s.exterior.coords, 3, axis=0)) for s in squares()]),
        command=SKATER,
    )


@corpus.works(holds=whole)
def rings_the_other_way_around(make):
    return make.run(
        make.shapes([s.reverse() if at % 2 else s for at, s in enumerate(squares())]), command=SKATER
    )


@corpus.works(holds=whole)
def a_shape_of_very_many_vertices(make):
    return make.run(make.shapes(but(4, shapely.segmentize(squares()[3], 0.8))), command=SKATER)


def collection(shapes, name="x", **more):
    """The text of a GeoJSON file."""
    rows = [
        {"type": "Feature", "properties": {"a": at % 7, "b": at % 4}, "geometry": shape}
        for at, shape in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows, **more})


def mapped(shapes):
    return [None if shape is None else json.loads(shapely.to_geojson(shape)) for shape in shapes]


@corpus.works("rings that are not closed", kept=(), silent=["GDAL says", "no neighbours"], holds=whole)
def a_ring_that_is_not_closed(make):
    """There is one way to close it, and so its neighbours are known."""
    shapes = mapped(squares())
    del shapes[3]["coordinates"][0][-1]
    return make.run(make.text("in.geojson", collection(shapes)), "--project", "none", command=SKATER)


@corpus.refused("damaged")
def a_geometry_of_an_unknown_type(make):
    shapes = mapped(squares())
    shapes[3]["type"] = "Polygonal"
    return make.text("in.geojson", collection(shapes))


@corpus.refused("damaged")
def coordinates_that_are_words(make):
    shapes = mapped(squares())
    shapes[3]["coordinates"][0][1][0] = "east"
    return make.text("in.geojson", collection(shapes))


# kinds


@corpus.refused("--weights knn:6")
def polygons_and_points(make):
    return make.run(
        make.shapes([s if at % 2 else s.centroid for at, s in enumerate(squares())], "in.parquet"),
        command=SKATER,
    )


@corpus.refused("queen weights need polygons")
def queen_weights_of_points(make):
    return make.run(make.shapes([s.centroid for s in squares()]), "--weights", "queen", command=SKATER)


@corpus.works(holds=whole)
def points(make):
    return make.run(make.shapes([s.centroid for s in squares()]), command=SKATER)


@corpus.works(holds=whole)
def points_all_in_one_place(make):
    return make.run(make.shapes([shapely.Point(500000, 0)] * N), command=SKATER)


@corpus.refused("7 units", "at most 6")
def more_neighbours_than_points(make):
    return make.run(make.shapes([s.centroid for s in squares(7)]), "--weights", "knn:9", command=SKATER)


@corpus.works(holds=whole)
def a_multipoint_of_no_points(make):
    shapes = [shapely.MultiPoint([s.centroid]) for s in squares()]
    shapes[3] = shapely.MultiPoint()
    return make.run(make.shapes(shapes, "in.parquet"), output="out.parquet")


@corpus.refused("25 LineString", "--weights knn:6")
def lines(make):
    return make.shapes([s.boundary for s in squares()])


@corpus.works(holds=whole)
def a_geometry_collection(make):
    both = shapely.GeometryCollection([squares()[3], shapely.Point(503000, 0)])
    return make.run(make.shapes(but(4, both), "in.parquet"), "--weights", "knn:6", output="out.parquet")


def circle(x, y):
    """A curve polygon, a circle of three points, in WKB."""
    ring = [(x, y), (x + 500, y + 500), (x + 1000, y), (x + 500, y - 500), (x, y)]
    points = b"".join(struct.pack("<dd", *point) for point in ring)
    return struct.pack("<BII", 1, 10, 1) + struct.pack("<BII", 1, 8, 5) + points


@corpus.works(kept=(), holds=lambda out: len(out) == 9 and whole(out))
def curves(make):
    import pyarrow as pa
    import pyogrio.raw

    shapes = [circle(1000.0 * (at % 3), 1000.0 * (at // 3)) for at in range(9)]
    table = pa.table({"a": np.arange(9.0) % 4, "b": np.arange(9.0), "geom": shapes})
    path = make.folder / "in.gpkg"
    kind = {"geometry_type": "Unknown", "crs": "EPSG:32633"}
    pyogrio.raw.write_arrow(table, path, driver="GPKG", geometry_name="geom", **kind)
    return make.run(path, command=WITH_CENTROIDS)


# coordinates


@corpus.works(holds=lambda out: whole(out) and out.geometry.has_z.all())
def heights(make):
    return make.run(make.shapes([shapely.force_3d(s, 7.5) for s in squares()]), command=SKATER)


@corpus.works(holds=whole)
def heights_that_are_not_known(make):
    texts = (", ".join(f"{x} {y} nan" for x, y in shape.exterior.coords) for shape in squares())
    shapes = [wkt.loads(f"POLYGON Z (({text}))") for text in texts]
    return make.run(make.shapes(shapes, "in.parquet"), command=SKATER, output="out.parquet")


@corpus.works(kept=(), holds=lambda out: whole(out) and shapely.has_m(out.geometry.to_numpy()).all())
def measures(make):
    texts = (", ".join(f"{x} {y} 1" for x, y in shape.exterior.coords) for shape in squares())
    shapes = [wkt.loads(f"POLYGON M (({text}))") for text in texts]
    return make.run(make.shapes(shapes, "in.parquet"), command=SKATER, output="out.parquet")


def shifted(x, y):
    """Squares of which the fourth has one vertex elsewhere."""
    ring = list(squares()[3].exterior.coords)
    ring[1] = (x, y)
    with np.errstate(invalid="ignore"):
        return but(4, shapely.Polygon(ring))


@corpus.refused("1 of 25 rows", "no numbers", ": 4;")
def a_coordinate_that_is_no_number(make):
    return make.run(make.shapes(shifted(math.nan, 0), "in.parquet"), command=WITH_CENTROIDS)


@corpus.refused("1 of 25 rows", "infinite", ": 4;")
def a_coordinate_that_is_infinite(make):
    return make.run(make.shapes(shifted(math.inf, 0), "in.parquet"), command=WITH_CENTROIDS)


@corpus.works(holds=whole)
def an_infinite_coordinate_where_only_columns_count(make):
    return make.run(make.shapes(shifted(math.inf, 0), "in.parquet"), output="out.parquet")


@corpus.works(holds=whole)
def coordinates_as_large_as_can_be(make):
    shapes = [shapely.transform(s, lambda xy: xy * 1e290) for s in squares()]
    return make.run(make.shapes(shapes, crs=None), command=SKATER)


@corpus.works(holds=whole)
def coordinates_as_small_as_can_be(make):
    shapes = [shapely.transform(s, lambda xy: (xy - [500000, 0]) * 1e-300) for s in squares()]
    return make.run(make.shapes(shapes, crs=None), command=SKATER)


def degrees(west, south, step=1.0):
    """Squares in degrees."""
    return [
        shapely.box(
            west + step * (i % 5),
            south + step * (i // 5),
            west + step * (i % 5 + 1),
            south + step * (i // 5 + 1),
        )
        for i in range(N)
    ]


@corpus.works(holds=whole)
def across_the_antimeridian(make):
    """The half east of it begins again at -180."""
    shapes = [
        s if s.bounds[0] < 180 else shapely.transform(s, lambda xy: xy - [360, 0]) for s in degrees(178, 10)
    ]
    return make.run(make.shapes(shapes, crs="EPSG:4326"), command=WITH_CENTROIDS)


@corpus.works(holds=whole)
def up_to_the_pole(make):
    return make.run(make.shapes(degrees(0, 85), crs="EPSG:4326"), command=WITH_CENTROIDS)


@corpus.works(holds=whole)
def the_whole_earth(make):
    shapes = [
        shapely.box(-180 + 72 * (i % 5), -90 + 36 * (i // 5), -108 + 72 * (i % 5), -54 + 36 * (i // 5))
        for i in range(N)
    ]
    return make.run(make.shapes(shapes, crs="EPSG:4326"), command=WITH_CENTROIDS)


@corpus.refused("505000", "no longitude and latitude")
def metres_that_are_said_to_be_degrees(make):
    return make.run(make.shapes(squares(), crs="EPSG:4326"), command=WITH_CENTROIDS)


test_geometry = corpus.test()
