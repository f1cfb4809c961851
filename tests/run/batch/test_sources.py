"""Patterns, folders and names: the files they stand for."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from regionalize.errors import DataError, UsageError
from regionalize.run.batch.sources import expand


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder of empty files the current one."""
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def test_a_pattern_stands_for_files_in_natural_order(folder):
    folder("s/b10.gpkg", "s/b9.gpkg", "s/Á.gpkg", "s/a.gpkg", "s/note.txt", "s/.hidden.gpkg", "s/t/c.gpkg")
    assert expand(["s/*.gpkg"]) == ("s/a.gpkg", "s/Á.gpkg", "s/b9.gpkg", "s/b10.gpkg")
    assert expand(["s/*"]) == expand(["s/*.gpkg"])
    assert expand(["s/**/*.gpkg"])[-1] == "s/t/c.gpkg"
    assert expand(["s/b?.gpkg"]) == ("s/b9.gpkg",)


def test_a_short_name_comes_before_a_longer_one(folder):
    folder("Mato Grosso.gpkg", "Mato Grosso do Sul.gpkg")
    assert expand(["*.gpkg"]) == ("Mato Grosso.gpkg", "Mato Grosso do Sul.gpkg")


def test_quoted_or_expanded_by_the_shell_is_the_same(folder):
    names = [f"s/{name}.gpkg" for name in ("b10", "b9", "á", "Z", "a b")]
    folder(*names)
    shuffled = sorted(names)
    random.Random(1).shuffle(shuffled)
    assert expand(shuffled) == expand(["s/*.gpkg"])


def test_a_file_named_twice_counts_once(folder):
    root = folder("a.gpkg")
    (root / "link.gpkg").symlink_to("a.gpkg")
    assert expand(["a.gpkg", "./a.gpkg", str(root / "a.gpkg"), "link.gpkg", "*.gpkg"]) == ("a.gpkg",)


def test_parts_of_a_shapefile_are_no_layers(folder):
    parts = ("shp", "shx", "dbf", "prj", "cpg", "qml", "shp.xml")
    folder(*(f"s/a.{ending}" for ending in parts), "s/B.SHP", "s/B.DBF")
    assert expand(["s/*"]) == ("s/a.shp", "s/B.SHP")
    assert expand([f"s/{name}" for name in os.listdir("s")]) == ("s/a.shp", "s/B.SHP")
    assert expand(["s"]) == ("s/a.shp", "s/B.SHP")


def test_a_geopackage_in_use_is_one_layer(folder):
    folder("a.gpkg", "a.gpkg-wal", "a.gpkg-shm")
    assert expand(sorted(os.listdir())) == ("a.gpkg",)


def test_a_folder_stands_for_the_layers_in_it(folder):
    root = folder("s/a.gpkg", "s/table.csv", "s/report.json", "t/only.csv", "u/notes.txt")
    (root / "s" / "data.gdb").mkdir()
    assert expand(["s"]) == ("s/a.gpkg", "s/data.gdb")
    assert expand(["t"]) == ("t/only.csv",)
    with pytest.raises(DataError, match="u: the folder holds no layer"):
        expand(["u"])


def test_signs_of_patterns_in_the_name_of_a_file(folder):
    folder("map[1].gpkg", "map1.gpkg")
    assert expand(["map[1].gpkg"]) == ("map[1].gpkg",)


def test_a_plain_name_is_left_to_the_reader(folder):
    folder("a.gpkg")
    assert expand(["nope.gpkg"]) == ("nope.gpkg",)


def test_results_of_the_last_time_are_no_inputs(folder):
    folder("s/a.gpkg", "out/a.gpkg")
    assert expand(["**/*.gpkg"], "out") == ("s/a.gpkg",)
    with pytest.raises(DataError, match="nothing but"):
        expand(["out/**/*.gpkg"], "out")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("stats/*.gpkg", "did you mean 'states'"),
        ("states/*.shp", "'states' holds Acre.gpkg"),
        ("states/no/*.gpkg", "'states' holds Acre.gpkg"),
        ("states/*.txt", r"matches no layer, only notes.txt"),
        ("empty/*.gpkg", "'empty' is empty"),
        ("/no-such-folder/at/all/*.gpkg", "holds"),
    ],
)
def test_a_pattern_that_matches_nothing_says_what_there_is(folder, pattern, said):
    root = folder("states/Acre.gpkg", "states/notes.txt")
    (root / "empty").mkdir()
    with pytest.raises(DataError, match=said) as caught:
        expand([pattern])
    assert pattern in str(caught.value)


@pytest.mark.unix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="nothing is unreadable to root")
def test_a_folder_that_cannot_be_read_is_named(folder):
    root = folder("states/a.gpkg")
    (root / "states").chmod(0)
    try:
        for pattern in ("states", "states/*.gpkg"):
            with pytest.raises(DataError, match="cannot be read"):
                expand([pattern])
    finally:
        (root / "states").chmod(0o700)


def test_standard_input_is_refused():
    with pytest.raises(UsageError, match="standard input"):
        expand(["-"])
