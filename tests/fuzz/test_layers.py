"""Damaged layers: the whole of what is there, or a refusal of one line; never a part of it without a word."""

import itertools
import json
import shutil
import sys
import time

import pytest
from damaged import tried
from layers import COUNTS, ROWS, build, rows_in
from warm_jobs import Warm

pytestmark = pytest.mark.unix
QUICK = 5
"""Mutants of each format in the ordinary tests."""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return build(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    with Warm(tmp_path_factory.mktemp("warm")) as found:
        yield found


@pytest.mark.parametrize("kind", COUNTS)
def test_good_layers_are_counted(kind, good):
    """Else no mutant could be."""
    assert rows_in(kind, good[kind][0]) == (None if kind == "zip" else ROWS)


@pytest.mark.parametrize("kind", COUNTS)
def test_damaged_layers(kind, good, warm):
    cases = tried(warm, kind, good[kind], "1", range(1, QUICK + 1))
    assert [str(case) for case in cases if case.fault] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTS)
def test_many_damaged_layers_are_read(kind, good, warm, seconds, seed, tmp_path):
    """Whole and some rows at a time, many in one process: where that ends, the folder has the layer."""
    until, first, refused = time.monotonic() + seconds, 1, 0
    folder, files = tmp_path / "layer", [str(file) for file in good[kind]]
    folder.mkdir()
    while time.monotonic() < until:
        ended = warm.call("damaged:sweep", kind, files, str(folder), seed, first, 50, seconds=600)
        assert ended.code == 0, f"{kind}, seed {seed}, {folder}: ended by {ended.code}\n{ended.err}"
        assert ended.peak < 1500, f"{kind}, seed {seed}, from {first} on: {ended.peak} MB"
        found = json.loads(ended.out)
        assert not found["faults"], f"{kind}, seed {seed}\n" + "\n".join(found["faults"])
        first, refused = first + 50, refused + found["refused"]
    sys.stdout.write(f"{kind}, seed {seed}: {first - 1} damaged layers, {refused} refused\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTS)
def test_many_damaged_layers(kind, good, warm, seconds, seed, tmp_path):
    """For so many seconds; the files of what is wrong are kept."""
    until = time.monotonic() + seconds
    numbers = itertools.takewhile(lambda _: time.monotonic() < until, itertools.count(1))
    found, count, refused = [], 0, 0
    for case in tried(warm, kind, good[kind], seed, numbers):
        count, refused = count + 1, refused + bool(case.ended.code)
        if case.fault:
            kept = shutil.copytree(warm.folder, tmp_path / str(case.number))
            found.append(f"{case}\n  {kept}")
    sys.stdout.write(f"{kind}, seed {seed}: {count} damaged layers, {refused} refused, {len(found)} faults\n")
    assert not found, "\n".join(found)
