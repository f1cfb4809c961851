"""Locks beside files that are written: which file is locked, and what a killed writer leaves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from regionalize.io import lock
from regionalize.io.atomic import remove_leftovers
from regionalize.io.lock import alone, lock_of

LONG = "municipalities-of-the-states-of-brazil-2010"


def test_two_files_whose_names_begin_alike_are_written_in_one_run(tmp_path, monkeypatch):
    """A layer and its dissolved regions, say: the second must not wait for the first."""
    monkeypatch.setattr(lock, "LONGEST", 0.5)
    with alone(tmp_path / f"{LONG}.gpkg"), alone(tmp_path / f"{LONG}-dissolved.gpkg"):
        assert len(list(tmp_path.iterdir())) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["é" * 120, "x" * 250, "名" * 80])
def test_a_long_name_is_no_longer_with_the_marks(tmp_path, name):
    assert len(os.fsencode(lock_of(tmp_path / name).name)) <= 255
    with alone(tmp_path / name):
        assert len(list(tmp_path.iterdir())) == 1


def test_what_a_killed_writer_left_is_removed(tmp_path):
    target = tmp_path / "a.gpkg"
    code = (
        "import os, sys; from pathlib import Path; from regionalize.io.lock import alone\n"
        "with alone(Path(sys.argv[1])): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(target)], check=False).returncode == 9
    assert [file.name for file in tmp_path.iterdir()] == [".a.gpkg.lock"]
    remove_leftovers([target])
    assert not list(tmp_path.iterdir())


def test_what_a_writer_holds_stays(tmp_path):
    target = tmp_path / "a.gpkg"
    with alone(target):
        remove_leftovers([target])
        assert lock_of(target).exists()


def test_a_file_of_somebody_else_stays(tmp_path):
    (tmp_path / "a.gpkg.lock").touch()
    (tmp_path / ".b.gpkg.lock").touch()
    remove_leftovers([tmp_path / "a.gpkg", tmp_path / "c" / "d.gpkg"])
    assert len(list(tmp_path.iterdir())) == 2
