"""Batches: patterns that match nothing, bad layers among good ones, names that meet, plans with faults."""

from __future__ import annotations

import numpy as np
import pytest
from corpus import Corpus

corpus = Corpus()
N = 25
RUN = ("--method", "kmeans", "--k", 3, "--columns", "a,b", "--out-dir", "out", "--jobs", 1)
PLAN = """
out-dir = "out"
method = "kmeans"
columns = "a,b"
k = 3
"""


def three(make):
    """Three good layers."""
    for name in ("one", "two", "ten"):
        make.layer(f"{name}.gpkg")


def planned(make, text):
    three(make)
    make.text("plan.toml", text)
    return make.command("batch", "plan.toml")


# which layers


@corpus.refused("no/*.gpkg", "matches nothing")
def a_pattern_without_a_match(make):
    three(make)
    return make.command("batch", "no/*.gpkg", *RUN)


@corpus.refused("*.shp", "ten.gpkg")
def a_pattern_of_another_ending(make):
    three(make)
    return make.command("batch", "*.shp", *RUN)


@corpus.refused("empty")
def a_folder_without_layers(make):
    (make.folder / "empty").mkdir()
    return make.command("batch", "empty", *RUN)


@corpus.batch(1, "1 done, 1 failed", "gone.gpkg", "no such file", written=["one.gpkg"])
def a_file_that_is_not_there(make):
    make.layer("one.gpkg")
    return make.command("batch", "one.gpkg", "gone.gpkg", *RUN)


@corpus.batch(0, written=["one.gpkg", "ten.gpkg", "two.gpkg"])
def a_file_that_is_named_twice(make):
    three(make)
    return make.command("batch", "*.gpkg", "one.gpkg", *RUN)


@corpus.batch(0, written=["[a] b.gpkg", "d'or %.gpkg", "é\U0001f600.gpkg"])
def odd_names(make):
    for name in ("[a] b", "d'or %", "é\U0001f600"):
        make.layer().rename(make.folder / f"{name}.gpkg")
    return make.command("batch", ".", *RUN)


@corpus.refused("one file, out/all.png", "{name}", code=2)
def two_layers_of_one_name(make):
    (make.folder / "north").mkdir()
    (make.folder / "south").mkdir()
    make.layer("north/in.gpkg")
    make.layer("south/in.gpkg")
    return make.command("batch", "north/in.gpkg", "south/in.gpkg", *RUN, "--map", "all.png")


@corpus.refused("input")
def into_the_folder_of_the_inputs(make):
    three(make)
    return make.command("batch", "*.gpkg", *RUN[:-4], "--out-dir", ".", "--overwrite")


# bad among good


def with_bad(make, content=b"nothing", name="bad.gpkg"):
    three(make)
    make.data(name, content)
    return make.command("batch", ".", *RUN)


GOOD = ["one.gpkg", "ten.gpkg", "two.gpkg"]


@corpus.batch(1, "4 runs: 3 done, 1 failed", "bad.gpkg", written=GOOD)
def one_that_is_no_layer(make):
    return with_bad(make)


@corpus.batch(1, "3 done, 1 failed", "bad.gpkg", "empty (0 bytes)", written=GOOD)
def one_of_no_bytes(make):
    return with_bad(make, b"")


@corpus.batch(1, "3 done, 1 failed", "cut.geojsonl", "damaged", written=GOOD)
def one_that_is_cut_short(make):
    content = make.save(make.grid(), "x.geojsonl", driver="GeoJSONSeq").read_bytes()
    (make.folder / "x.geojsonl").unlink()
    make.data("cut.geojsonl", content[: len(content) // 2])
    three(make)
    return make.command("batch", ".", "cut.geojsonl", *RUN)


@corpus.batch(1, "3 done, 1 failed", "bad", "there is no column 'b'", written=GOOD)
def one_without_a_column(make):
    make.save(make.grid().rename(columns={"b": "c"}), "bad.gpkg")
    three(make)
    return make.command("batch", ".", *RUN)


@corpus.batch(1, "3 done, 1 failed", "values are missing", written=GOOD)
def one_with_a_gap(make):
    make.layer("bad.gpkg", a=[None, *np.arange(1.0, N)])
    three(make)
    return make.command("batch", ".", *RUN)


@corpus.batch(1, "3 done, 1 failed", "only 2 rows", written=GOOD)
def one_of_too_few_rows(make):
    make.layer("bad.gpkg", columns=2, rows=1)
    three(make)
    return make.command("batch", ".", *RUN)


@corpus.batch(1, "3 done, 1 failed", "stands where a number should", written=GOOD)
def one_with_a_comma_in_a_number(make):
    """A note alone would be lost among many runs."""
    table = make.layer("bad.shp", a=np.where(np.arange(N) == 3, 7.25, np.arange(N) + 0.5)).with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"7.25", b"7,25"))
    three(make)
    return make.command("batch", "bad.shp", "*.gpkg", *RUN)


@corpus.refused("out/two.gpkg", "exists", "--resume")
def one_whose_output_exists(make):
    three(make)
    (make.folder / "out").mkdir()
    make.data("out/two.gpkg", b"precious")
    return make.command("batch", ".", *RUN)


@corpus.batch(1, "3 runs: 3 failed", written=[])
def all_of_them(make):
    for name in ("one", "two", "ten"):
        make.data(f"{name}.gpkg", b"nothing")
    return make.command("batch", ".", *RUN)


# parts


@corpus.batch(0, written=["in-N-A -x.gpkg", "in-d'Oeste.gpkg"])
def parts_of_odd_names(make):
    make.layer(state=np.resize(["d'Oeste", 'N/A "x"'], N))
    return make.command("batch", "in.gpkg", "--by", "state", *RUN)


@corpus.refused("did you mean 'name'?", code=2)
def parts_by_a_column_that_is_not_there(make):
    make.layer()
    return make.command("batch", "in.gpkg", "--by", "nmae", *RUN)


# plans


@corpus.refused("plan.toml", "line 1", code=2)
def a_plan_that_is_no_toml(make):
    return planned(make, "this is = = no plan")


@corpus.refused("unknown key 'colums'", "did you mean 'columns'?", code=2)
def a_plan_with_an_unknown_key(make):
    return planned(make, PLAN.replace("columns", "colums") + 'inputs = ["one.gpkg"]\n')


@corpus.refused("run 1: 'input' is for all runs alike", "write it at the top", code=2)
def a_plan_whose_input_stands_in_a_run(make):
    return planned(make, PLAN + '[[run]]\ninput = "one.gpkg"\n')


@corpus.refused("no/*.gpkg", "matches nothing")
def a_plan_whose_pattern_matches_nothing(make):
    return planned(make, PLAN + 'inputs = ["no/*.gpkg"]\n')


@corpus.batch(0, "1 done", written=["one.gpkg"])
def a_plan(make):
    return planned(make, PLAN + 'inputs = ["one.gpkg"]\n')


@corpus.refused("plan.toml", "k", code=2)
def a_plan_whose_values_are_of_another_type(make):
    return planned(make, PLAN.replace("k = 3", 'k = "three"') + 'inputs = ["one.gpkg"]\n')


@corpus.refused("gone.toml", "No such file", code=2)
def a_plan_that_is_not_there(make):
    return make.command("batch", "gone.toml")


@corpus.refused("plan.toml", "UTF-8", code=2)
def a_plan_in_latin_1(make):
    three(make)
    make.data("plan.toml", "# K\xf6ln\n".encode("latin-1"))
    return make.command("batch", "plan.toml")


test_batches = pytest.mark.unix(corpus.test())
