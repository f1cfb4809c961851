"""What a file has wrong is told by every command that reads it, wherever it reads it."""

from __future__ import annotations

import numpy as np
import pytest
from corpus import Corpus

corpus = Corpus()
N = 25
READERS = {
    "kmeans": ("kmeans", "{}", "--k", 3, "--columns", "a,b"),
    "kmeans_in_batches": ("kmeans", "{}", "--k", 3, "--columns", "a,b", "--batch-size", 8, "-o", "out.gpkg"),
    "skater": ("skater", "{}", "--k", 3, "--columns", "a,b"),
    "info": ("info", "{}"),
    "weights": ("weights", "{}"),
    "smooth": ("smooth", "{}", "--columns", "a", "-o", "out.gpkg"),
    "map": ("map", "{}", "--label-column", "cl", "-o", "out.svg"),
    "validate": ("validate", "{}", "--columns", "a,b", "--label-column", "cl"),
    "contiguous": ("contiguous", "{}", "--columns", "a,b", "--label-column", "cl", "-o", "out.gpkg"),
    "compare": ("compare", "{}", "cl", "kmeans:k=3", "--columns", "a,b"),
    "choose_k": ("choose-k", "{}", "--k", "2-3", "--columns", "a,b"),
    "stability": ("stability", "{}", "--k", 3, "--columns", "a,b", "--runs", 2),
    "assign": ("assign", "{}", "--centers", "centers.csv", "-o", "out.gpkg"),
    "rank": ("rank", "{}", "--id", "name", "--at", "0,10"),
    "rank_by_places": ("rank", "places.gpkg", "--id", "name", "--at-file", "{}"),
    "rank_by_centers": ("rank", "places.gpkg", "--id", "name", "--at", "0,10", "--centers", "{}"),
}
USERS = {
    "variable": ("kmeans", "{}", "--k", 3, "--columns", "a,c"),
    "variable_in_batches": (
        "kmeans",
        "{}",
        "--k",
        3,
        "--columns",
        "a,c",
        "--batch-size",
        8,
        "-o",
        "out.gpkg",
    ),
    "bound": ("kmeans", "{}", "--k", 3, "--columns", "a,b", "--min-bound", "c=20"),
    "balance": ("balance", "{}", "--k", 3, "--balance", "c"),
    "smoothed": ("smooth", "{}", "--columns", "c", "-o", "out.gpkg"),
    "aggregate": (
        "kmeans",
        "{}",
        "--k",
        3,
        "--columns",
        "a,b",
        "--dissolve",
        "d.gpkg",
        "--aggregate",
        "c:sum",
    ),
    "attribute": ("rank", "{}", "--id", "name", "--at", "0,10", "--attribute", "c"),
    "label": ("validate", "{}", "--columns", "a,b", "--label-column", "c"),
}


TOLD = "stands where a number should"


def in_report(text):
    return TOLD in text


def columns():
    return {
        "cl": np.arange(N) // 9 + 1,
        "c": np.where(np.arange(N) == 3, 7.25, np.arange(N) + 0.5),
        "lat": np.linspace(1, 2, N),
        "lon": np.linspace(10, 11, N),
    }


def beside(make):
    """What some commands read beside their input."""
    make.layer("places.gpkg", **columns())
    make.text("centers.csv", "cluster,a,b\n1,0,0\n2,1,1\n3,-1,0\n")


def command(make, args, name):
    return make.command(*(arg if arg != "{}" else name for arg in args))


def cut(args):
    def build(make):
        beside(make)
        content = make.save(make.grid(**columns()), "in.geojsonl", driver="GeoJSONSeq").read_bytes()
        make.data("in.geojsonl", content[: len(content) // 2])
        return command(make, args, "in.geojsonl")

    return build


def with_comma(args):
    def build(make):
        beside(make)
        table = make.layer("in.shp", **columns()).with_suffix(".dbf")
        content = table.read_bytes()
        assert content.count(b"7.25") == 1
        table.write_bytes(content.replace(b"7.25", b"7,25"))
        return command(make, args, "in.shp")

    return build


def add(register, build, name):
    build.__name__ = name
    register(build)


for reader, line in READERS.items():
    add(
        corpus.refused("in.geojsonl", "damaged", "get the file again"),
        cut(line),
        f"a_file_cut_short_by_{reader}",
    )
    works = corpus.works(holds=in_report) if reader == "info" else corpus.works(TOLD)
    add(works, with_comma(line), f"a_comma_told_by_{reader}")
for user, line in USERS.items():
    add(
        corpus.refused("in.shp", "c", TOLD),
        with_comma(line),
        f"a_comma_in_a_{user}",
    )

test_commands = pytest.mark.unix(corpus.test())
