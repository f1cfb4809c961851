"""Columns: missing, infinite, huge, constant, of all types and of awkward names."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from corpus import Corpus

corpus = Corpus()
N = 25
NUMBERS = np.arange(N) % 7 + np.linspace(0, 1, N)


def but(row, value, values=NUMBERS):
    """Numbers, with another value in one row (from 1)."""
    found = list(values)
    found[row - 1] = value
    return found


def parsed(cell):
    return json.loads(cell) if isinstance(cell, str) else cell


# missing and infinite values


@corpus.refused("in.gpkg", "1 of 25 rows", "a", "--missing")
def a_null_in_a_variable(make):
    return make.layer(a=but(4, None))


@corpus.works("1 of 25 rows left out", unlabelled=1)
def a_null_that_is_dropped(make):
    return make.run(make.layer(a=but(4, None)), "--missing", "drop")


@corpus.works()
def nulls_in_another_column(make):
    return make.layer(other=but(4, None), words=but(9, None, ["x"] * N))


@corpus.refused("hollow", "no value at all")
def nothing_but_nulls(make):
    return make.run(make.layer(hollow=[np.nan] * N), "--columns", "hollow")


@corpus.refused("every row has a missing value")
def a_gap_in_every_row(make):
    half = np.where(np.arange(N) % 2, np.nan, 1.5)
    return make.run(make.layer(a=half, b=np.where(np.isnan(half), 2.5, np.nan)), "--missing", "drop")


@corpus.refused("infinite", "row 4", "a")
def infinity_in_a_variable(make):
    return make.layer("in.parquet", a=but(4, np.inf))


@corpus.works()
def infinity_in_another_column(make):
    return make.layer("in.parquet", other=but(4, -np.inf))


@corpus.refused("infinite", "row 4")
def infinity_as_a_word_in_csv(make):
    return make.layer("in.csv", a=but(4, "inf"))


@corpus.refused("1 of 25 rows", "a")
def nan_as_a_word_in_csv(make):
    return make.layer("in.csv", a=but(4, "nan"))


# sizes of numbers


@corpus.works()
def numbers_near_the_largest(make):
    return make.layer(a=NUMBERS * 1e307)


@corpus.works()
def numbers_near_the_smallest(make):
    return make.layer(a=NUMBERS * 1e-310)


@corpus.works()
def numbers_far_from_zero_and_close_together(make):
    return make.layer(a=1e15 + NUMBERS)


@corpus.works(holds=lambda out: out.groupby(out["a"] % 10).cluster.nunique().eq(1).all())
def whole_numbers_beyond_two_to_the_53(make):
    """Three values that differ by one are three clusters."""
    return make.run(make.layer(a=2**60 + np.arange(N) % 3), "--columns", "a")


@corpus.works()
def the_least_and_the_largest_whole_number(make):
    return make.layer(a=but(4, -(2**63), but(5, 2**63 - 1, [0] * N)))


@corpus.works(kept=())
def whole_numbers_without_a_sign(make):
    values = np.array(but(4, 2**64 - 1, range(N)), dtype=np.uint64)
    return make.run(make.layer("in.parquet", a=values), output="out.parquet")


@corpus.works("constant")
def a_constant_column_among_others(make):
    return make.run(make.layer(c=1.0), "--columns", "c")


@corpus.refused("constant")
def only_constant_columns(make):
    return make.run(make.layer(a=1.0, b=2))


@corpus.works()
def minus_zero(make):
    return make.layer(a=but(4, -0.0, but(5, 0.0)))


# types


@corpus.works()
def booleans(make):
    return make.run(make.layer(flag=np.arange(N) % 3 == 0), "--columns", "flag")


@corpus.works(kept=())
def booleans_with_nulls_in_parquet(make):
    flag = pd.array(but(3, None, [row % 2 == 0 for row in range(N)]), dtype="boolean")
    return make.run(make.layer("in.parquet", flag=flag), output="out.parquet")


@corpus.refused("'day' holds dates")
def a_date_as_a_variable(make):
    return make.run(make.layer(day=pd.date_range("1899-12-31", periods=N)), "--columns", "day")


@corpus.works()
def dates_times_and_zones_beside(make):
    days = pd.date_range("1899-12-31", periods=N, freq="36h")
    return make.layer(day=[day.date() for day in days], moment=days.tz_localize("UTC"))


@corpus.works(kept=(), holds=lambda out: out["moment"].tolist()[3] == pd.Timestamp("1900-01-04T12:00"))
def a_moment_of_no_zone(make):
    days = pd.date_range("1899-12-31", periods=N, freq="36h")
    return make.run(make.layer("in.parquet", moment=days), output="out.parquet")


@corpus.works()
def a_date_far_away_in_geojson(make):
    return make.layer("in.geojson", day=but(4, dt.date(9999, 12, 31), [dt.date(1, 1, 1)] * N))


@corpus.works(kept=(), holds=lambda out: out["parts"].tolist()[3].tolist() == [1, 2])
def lists_beside_in_parquet(make):
    return make.run(make.layer("in.parquet", parts=[[1, 2]] * N), output="out.parquet")


@corpus.refused("'parts' holds", "not numbers")
def lists_as_a_variable(make):
    return make.run(make.layer("in.parquet", parts=[[1.0]] * N), "--columns", "parts")


@corpus.works(holds=lambda out: parsed(out["tags"][3]) == {"k": [1, None, {"x": "é"}]})
def nested_objects_in_geojson(make):
    path = make.layer("in.geojson", tags="here")
    return make.text("in.geojson", path.read_text().replace('"here"', '{"k": [1, null, {"x": "é"}]}'))


@corpus.works(kept=(), holds=lambda out: out["price"].tolist()[3] == decimal.Decimal("3.10"))
def decimals_in_parquet(make):
    price = [decimal.Decimal(f"{row}.10") for row in range(N)]
    return make.run(make.layer("in.parquet", price=price), "--columns", "price", output="out.parquet")


@corpus.refused("'kind' holds categories")
def categories_as_a_variable(make):
    return make.run(
        make.layer("in.parquet", kind=pd.Categorical(["x", "y", "z", "x", "y"] * 5)), "--columns", "kind"
    )


@corpus.works(holds=lambda out: list(out["blob"])[3] == b"\0\xff" * 10)
def bytes_beside(make):
    return make.run(make.layer("in.parquet", blob=[b"\0\xff" * 10] * N), output="out.parquet")


@corpus.refused("'a' holds text")
def numbers_with_commas(make):
    return make.layer(a=[f"{row},5" for row in range(N)])


@corpus.works(kept=(), holds=lambda out: out["a"].tolist()[3] == 3.5)
def numbers_with_commas_between_semicolons_in_csv(make):
    """As spreadsheets write them where the comma is the sign of decimals."""
    return make.save(make.grid(a=[f"{row},5" for row in range(N)]), "in.csv", sep=";")


@corpus.refused("'a' holds text")
def one_word_among_numbers_in_csv(make):
    return make.layer("in.csv", a=but(20, "unknown"))


@corpus.refused("'a' holds text")
def numbers_and_words_in_geojson(make):
    path = make.layer("in.geojson", a=but(4, 99.125))
    return make.text("in.geojson", path.read_text().replace("99.125", '"ninety"'))


@corpus.works()
def whole_and_broken_numbers_in_geojson(make):
    path = make.layer("in.geojson", a=but(20, 0.5, range(N)))
    return make.text("in.geojson", path.read_text().replace("1.0,", "1,"))


@corpus.works()
def empty_text_is_not_null(make):
    return make.layer(words=["", None, " ", "x\ny\t\"'"] * 6 + ["\U0001f600"])


@corpus.works()
def a_megabyte_of_text_in_a_cell(make):
    return make.layer(words=but(4, "é" * 500_000, ["x"] * N))


# rows


@corpus.refused("empty (0 rows)")
def no_rows(make):
    return make.save(make.grid().iloc[:0], "in.parquet")


@corpus.refused("in.gpkg", "row")
def one_row(make):
    return make.layer(columns=1, rows=1)


@corpus.refused("k is 3", "only 2 rows", code=2)
def fewer_rows_than_clusters(make):
    return make.layer(columns=2, rows=1)


@corpus.refused("only 2 distinct")
def fewer_different_rows_than_clusters(make):
    return make.layer(a=np.arange(N) % 2, b=1)


@corpus.works()
def a_thousand_columns(make):
    return make.layer("in.parquet", **{f"v{at}": np.arange(N) * at for at in range(1000)})


@corpus.refused("no numeric column")
def no_column_but_geometry(make):
    path = make.save(make.grid()[["geometry"]])
    return make.run(path, command=("kmeans", "--k", 3))


# names of columns


def renamed(make, name, ending="parquet", **more):
    return make.save(make.grid(**more).assign(other=NUMBERS).rename(columns={"other": name}), f"in.{ending}")


@corpus.refused("cluster", "--label-column")
def a_column_called_cluster(make):
    return renamed(make, "cluster")


@corpus.refused("Cluster", "--label-column")
def a_column_called_cluster_in_capitals(make):
    return renamed(make, "Cluster")


@corpus.works(kept=(), holds=lambda out: len(out) == N and {"cluster", "CLUSTER"} <= set(out.columns))
def a_column_called_cluster_in_capitals_where_case_counts(make):
    return make.run(renamed(make, "CLUSTER"), output="out.parquet")


@corpus.works(kept=(), holds=lambda out: list(out["label"]) == list(NUMBERS))
def a_column_called_label(make):
    return renamed(make, "label")


@corpus.works(kept=(), holds=lambda out: any(list(out[c]) == list(NUMBERS) for c in out.columns))
def a_column_of_fractions_called_fid(make):
    return renamed(make, "fid")


@corpus.works(kept=(), holds=lambda out: any(list(out[c]) == [7] * N for c in out.columns))
def a_column_called_fid_that_repeats(make):
    return make.layer("in.geojson", fid=7)


@corpus.works(kept=(), holds=lambda out: any(list(out[c]) == list(NUMBERS) for c in out.columns))
def a_column_called_geom(make):
    return renamed(make, "geom")


@corpus.works(kept=(), holds=lambda out: list(out["OGC_FID"]) == list(NUMBERS))
def a_column_called_ogc_fid(make):
    return renamed(make, "OGC_FID")


@corpus.works(
    kept=(), holds=lambda out: out.geometry.area.eq(1e6).all() and list(out["geometry_1"]) == list(NUMBERS)
)
def a_number_column_beside_that_looks_like_geometry(make):
    return renamed(make, "geometry_1")


@corpus.refused("geom", code=1)
def labels_called_like_the_geometry(make):
    return make.run(make.layer(), "--label-column", "geom")


@corpus.works(holds=lambda out: sorted(set(out["fid"])) == [1, 2, 3])
def labels_called_fid(make):
    return make.run(make.layer(), "--label-column", "fid")


@corpus.refused("Pop", "pop")
def names_that_differ_in_case_only(make):
    """A GeoPackage cannot hold both."""
    return renamed(make, "Pop", pop=NUMBERS)


@corpus.works(kept=(), holds=lambda out: {"Pop", "pop"} <= set(out.columns))
def names_that_differ_in_case_only_into_parquet(make):
    return make.run(renamed(make, "Pop", pop=NUMBERS), output="out.parquet")


@corpus.refused("a", "twice")
def the_same_name_twice_in_parquet(make):
    table = pa.table([list(NUMBERS)] * 3, names=["a", "a", "b"])
    pyarrow.parquet.write_table(table, make.folder / "in.parquet")
    return make.folder / "in.parquet"


@corpus.refused("a", "twice")
def the_same_name_twice_in_csv(make):
    return make.text("in.csv", "a,b,a\n" + "".join(f"{row},{row % 4},3\n" for row in range(N)))


ODD = (
    "x y",
    "x'y",
    'x"y',
    "x;DROP TABLE t;--",
    "é̀ \U0001f600",
    "select",
    "a.b",
    "x\ny",
    "%s",
    "[x]",
    "-k",
    "a,b",
)


@corpus.works(kept=(), holds=lambda out: set(ODD) <= set(out.columns))
def columns_of_all_kinds_of_names(make):
    path = make.layer("in.parquet", **dict.fromkeys(ODD, NUMBERS))
    return make.run(path, output="out.parquet")


@corpus.works()
def columns_of_all_kinds_of_names_into_a_geopackage(make):
    return make.layer("in.parquet", **dict.fromkeys(ODD, NUMBERS))


@corpus.works()
def a_variable_with_a_comma_in_its_name(make):
    return make.run(make.layer("in.parquet", **{"a,b": NUMBERS}), "--columns", '"a,b"')


@corpus.works(kept=(), holds=lambda out: list(out[""]) == list(NUMBERS))
def a_column_without_a_name(make):
    table = pa.table([list(NUMBERS)] * 3, names=["", "a", "b"])
    pyarrow.parquet.write_table(table, make.folder / "in.parquet")
    return make.run(make.folder / "in.parquet", output="out.parquet")


@corpus.works(kept=(), holds=lambda out: "v" * 300 in out.columns)
def a_very_long_name(make):
    return renamed(make, "v" * 300)


test_attributes = corpus.test()
