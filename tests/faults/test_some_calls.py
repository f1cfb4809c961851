"""A few of the calls that `test_every_call.py` breaks: those after which something was wrong once."""

from __future__ import annotations

import errno

import pytest

pytestmark = pytest.mark.unix


def broken(at, fault, calls):
    """Break the calls on a file of some kind, and see that all is well."""
    counted = at.calls(fault)
    met = []
    for number in calls(counted):
        ended, wrong = at.break_at(fault, number)
        assert ended.hits, number
        assert not wrong, (ended.met, wrong)
        met.append(ended)
    assert met
    return met


@pytest.mark.parametrize("name", [".gpkg", ".fgb", ".shp"])
def test_a_write_fails_once(name, scenarios, stage, harness):
    """GDAL goes on after some: without bookkeeping, index or values, or in the middle of a row."""
    at = stage(scenarios[name])
    met = broken(
        at, harness.Fault("write", errno.ENOSPC), lambda count: range(1, count + 1, max(count // 6, 1))
    )
    assert {one.code for one in met} - {0} == {1}


def test_a_file_of_a_shapefile_cannot_be_opened(scenarios, stage, harness):
    """GDAL goes on without a .prj."""
    at = stage(scenarios[".shp"])
    fault = harness.Fault("open", errno.EACCES)
    met = broken(at, fault, lambda count: range(6, 14))
    assert "x.prj" in {one.met.split("/")[-1] for one in met if one.code == 1}


@pytest.mark.parametrize("name", [".csv", ".shp"])
def test_killed_while_files_are_put_in_place(name, scenarios, stage, harness):
    """What lies there then is put right by whoever comes next to write there."""
    at = stage(scenarios[name])
    met = broken(at, harness.Fault("rename", harness.KILLED), lambda count: range(1, count + 1, 3))
    assert {one.code for one in met} == {harness.KILLED}


def test_the_first_read_fails(scenarios, stage, harness):
    at = stage(scenarios[".csv"])
    fault = harness.Fault("read", errno.EIO, harness.LASTING, folder="in")
    (ended,) = broken(at, fault, lambda count: [1])
    assert "in/units.gpkg: cannot be read: Input/output error" in ended.errors[0]


def test_too_many_files_are_open(scenarios, stage, harness):
    """Arrow and GDAL would name the hidden folder."""
    at = stage(scenarios[".csv"])
    fault = harness.Fault("open", errno.EMFILE, harness.LASTING)
    met = broken(at, fault, lambda count: range(2, 6))
    assert {one.code for one in met} == {1}
    assert all("out/x.csv: too many files are open" in one.errors[0] for one in met)


def test_a_table_that_is_staged_twice(scenarios, stage, harness):
    """The message names where it was to be."""
    at = stage(scenarios["tables"])
    fault = harness.Fault("rename", errno.EACCES)
    (ended,) = broken(at, fault, lambda count: [1])
    assert "out/c.csv: permission denied" in ended.errors[0]
