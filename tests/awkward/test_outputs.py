"""Outputs: in the way, in odd places, and beyond what a format holds."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from corpus import Corpus

corpus = Corpus()
N = 25


# in the way


@corpus.refused("out.gpkg", "exists", "--overwrite")
def one_that_exists(make):
    make.data("out.gpkg", b"precious")
    return make.layer()


@corpus.refused("input")
def the_input_itself(make):
    return make.run(make.layer(), "--overwrite", output="in.gpkg")


@corpus.refused("input")
def the_input_through_a_link(make):
    path = make.layer()
    (make.folder / "link.gpkg").symlink_to("in.gpkg")
    return make.run(path, "--overwrite", output="link.gpkg")


@corpus.refused("input")
def the_input_by_another_name(make):
    path = make.layer()
    os.link(path, make.folder / "hard.gpkg")
    return make.run(path, "--overwrite", output="hard.gpkg")


@corpus.refused(".dbf")
def a_part_of_the_input(make):
    return make.run(make.layer("in.shp"), "--overwrite", output="in.dbf")


@corpus.refused("same file", code=2)
def two_outputs_in_one_file(make):
    return make.run(make.layer(), "--report", "x.json", "--centers", "./x.json")


@corpus.refused("same file", code=2)
def a_layer_and_a_dissolved_layer_in_one_file(make):
    return make.run(make.layer(), "--dissolve", "out.gpkg")


@corpus.refused("folder", "out.gpkg")
def a_folder_of_that_name(make):
    (make.folder / "out.gpkg").mkdir()
    return make.run(make.layer(), "--overwrite")


@corpus.refused("no folder", "nowhere")
def a_folder_that_is_not_there(make):
    return make.run(make.layer(), output="nowhere/out.gpkg")


@corpus.refused("in.gpkg")
def a_folder_that_is_a_file(make):
    return make.run(make.layer(), output="in.gpkg/out.gpkg")


@corpus.refused("out.gpkg")
def a_link_to_nowhere(make):
    (make.folder / "out.gpkg").symlink_to("gone/out.gpkg")
    return make.layer()


@corpus.refused("not a regular file")
def a_pipe(make):
    os.mkfifo(make.folder / "centers.csv")
    return make.run(make.layer(), "--centers", "centers.csv", "--overwrite")


@corpus.refused(".xyz")
def an_ending_of_no_format(make):
    return make.run(make.layer(), output="out.xyz")


@corpus.refused("out")
def no_ending(make):
    return make.run(make.layer(), output="out")


@corpus.works("stay in EPSG:32633", holds=lambda out: out.crs == "EPSG:32633")
def a_layer_name_for_a_format_of_one_layer(make):
    """GeoJSON keeps a name, and coordinates as they are, though not all programs expect that."""
    return make.run(make.layer(), "--output-layer", "regions", output="out.geojson")


@corpus.refused("old", "--overwrite")
def a_layer_that_is_there_already(make):
    make.grid(3, 3).to_file(make.folder / "out.gpkg", layer="old")
    return make.run(make.layer(), "--output-layer", "old")


@corpus.refused("--json", "-o -", code=2)
def two_documents_on_standard_output(make):
    return make.command("kmeans", "--k", 3, make.layer(), "-o", "-", "--json")


@corpus.works(holds=lambda text: len(json.loads(text)["features"]) == N)
def geojson_on_standard_output(make):
    return make.command("-q", "kmeans", "--k", 3, make.layer(), "-o", "-")


# beyond a format


@corpus.refused("population")
def names_that_a_shapefile_makes_one(make):
    """Both become population."""
    path = make.layer(population_2000=np.arange(N), population_2010=np.arange(N))
    return make.run(path, output="out.shp")


@corpus.works(
    "population_of_a_place", kept=(), holds=lambda out: any(name.startswith("popu") for name in out)
)
def a_name_that_a_shapefile_cuts(make):
    return make.run(make.layer(population_of_a_place=np.arange(N)), output="out.shp")


@corpus.refused("out.shp:words", "254 bytes", ".gpkg")
def text_that_a_shapefile_would_cut(make):
    return make.run(make.layer(words="x" * 300), output="out.shp")


@corpus.works(kept=(), holds=lambda out: out["whole"].tolist()[3] == 123456789012345678)
def whole_numbers_in_a_shapefile(make):
    return make.run(make.layer(whole=np.full(N, 123456789012345678)), output="out.shp")


@corpus.refused("one kind of geometry", "1 Point, 24 Polygon", ".gpkg")
def kinds_that_a_shapefile_cannot_mix(make):
    shapes = make.grid().geometry.to_numpy().copy()
    shapes[3] = shapes[3].centroid
    source = make.shapes(shapes, "in.parquet")
    return make.run(source, "--weights", "knn:4", output="out.shp")


@corpus.works(kept=(), holds=lambda out: out.geometry.isna().sum() == 1)
def a_null_geometry_in_a_shapefile(make):
    shapes = make.grid().geometry.to_numpy().copy()
    shapes[3] = None
    return make.run(make.shapes(shapes, "in.shp"), output="out.shp")


@corpus.works(kept=(), holds=lambda out: out["cluster"].isna().sum() == 1, unlabelled=1)
def rows_left_out_in_a_shapefile(make):
    values = [None, *np.arange(1.0, N)]
    return make.run(make.layer(a=values), "--missing", "drop", output="out.shp")


@corpus.works("become text", kept=(), holds=lambda out: json.loads(out["parts"][3]) == [1, 2])
def lists_into_a_shapefile(make):
    return make.run(make.layer("in.parquet", parts=[[1, 2]] * N), output="out.shp")


# labels


@corpus.refused("name", "--label-column")
def a_label_column_that_is_there(make):
    return make.run(make.layer(), "--label-column", "name")


@corpus.refused("--label-column", code=2)
def a_label_column_without_a_name(make):
    return make.run(make.layer(), "--label-column", "")


@corpus.works(kept=(), holds=lambda out: 'd\'or; "x" --' in out.columns)
def a_label_column_of_an_odd_name(make):
    return make.run(make.layer(), "--label-column", 'd\'or; "x" --')


test_outputs = pytest.mark.unix(corpus.test())
