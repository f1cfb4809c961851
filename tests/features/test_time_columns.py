"""Columns of time: ranges, lists and patterns, in the order that was asked for."""

from __future__ import annotations

import pyarrow as pa
import pytest

from regionalize.errors import RegionalizeError
from regionalize.features.columns import select_columns
from regionalize.features.ranges import expand_range
from regionalize.features.time_columns import select_steps
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.run.batch.items_of_plan import without_column
from regionalize.run.dask.partitions import width


@pytest.fixture
def layer():
    names = ["d3", "d1", "d2", "d10", "h01", "h02", "y1990", "y1991", "pre-7-pre-9", "pre-8"]
    table = {name: [1.0, 2.0] for name in names} | {"name": ["a", "b"], "y19_text": ["c", "d"]}
    return Layer(pa.table(table), None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d1-d3", ["d1", "d2", "d3"]),
        ("d9-d11", ["d9", "d10", "d11"]),
        ("d09-d11", ["d09", "d10", "d11"]),
        ("d098-d101", ["d098", "d099", "d100", "d101"]),
        ("d5-d5", ["d5"]),
        ("2019-2021", ["2019", "2020", "2021"]),
        ("a-1-a-3", ["a-1", "a-2", "a-3"]),
        ("d1 - d2", ["d1", "d2"]),
        ("d1-e3", ["d1-e3"]),
        ("birth-rate", ["birth-rate"]),
        ("d1", ["d1"]),
        ("d0-d2", ["d0", "d1", "d2"]),
        ("d00-d02", ["d00", "d01", "d02"]),
    ],
)
def test_ranges(text, expected):
    assert expand_range(text) == expected


def test_in_the_order_of_time_and_not_of_the_file(layer):
    assert select_steps(layer, ["d1-d3"]) == (("d1", "d2", "d3"), ())
    assert select_steps(layer, ["d3", "d1"])[0] == ("d3", "d1")
    assert select_steps(layer, ["h01-h02", "d10"])[0] == ("h01", "h02", "d10")


def test_a_pattern_passes_over_text_and_a_name_is_taken_as_it_stands(layer):
    names, notes = select_steps(layer, ["y19*"])
    assert names == ("y1990", "y1991")
    assert "y19_text" in notes[0]
    assert select_steps(layer, ["pre-7-pre-9"])[0] == ("pre-7-pre-9",)


def test_ranges_of_variables(layer):
    assert select_columns(layer, ["d10", "d1-d3"])[0] == ("d10", "d1", "d2", "d3")
    assert select_columns(layer, ["d*"], ["d1-d2"])[0] == ("d3", "d10")
    assert select_columns(layer, ["d*"], ["d1-d2", "pre-7-pre-9"])[0] == ("d3", "d10")
    with pytest.raises(RegionalizeError, match="no column 'd4'"):
        select_columns(layer, ["d*"], ["d2-d4"])
    assert width(layer, ["d1-d3", "pre-7-pre-9"]) == 4


def test_a_column_that_layers_are_split_by_is_left_out_of_a_range():
    job = Job(columns=("d1-d3",))
    assert without_column(job, "d2").exclude == ("d2",)
    assert without_column(job, "d4").exclude == ()
    assert without_column(Job(columns=("d1-d3", "d7")), "d1-d3").exclude == ("d1-d3",)


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        (["d1-d4"], "no column 'd4'"),
        (["d1-d4"], "did you mean 'd"),
        (["D1"], "did you mean 'd1'"),
        (["d3-d1"], "runs backwards; give d1-d3"),
        (["name"], "holds text"),
        (["x*"], "no column matches"),
        ([], "no column is named"),
        (["d1-d999999999"], "range of 999,999,999 columns"),
    ],
)
def test_refusals(layer, patterns, says):
    with pytest.raises(RegionalizeError) as caught:
        select_steps(layer, patterns)
    assert says in str(caught.value)
    assert "--time-columns" in str(caught.value)
