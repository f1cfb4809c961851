"""Runs command lines in this process, in the folder of the test; lets its files import `corpus`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

found = importlib.util.spec_from_file_location("corpus", Path(__file__).with_name("corpus.py"))
sys.modules["corpus"] = importlib.util.module_from_spec(found)
found.loader.exec_module(sys.modules["corpus"])


@pytest.fixture
def run_here(capfd, monkeypatch, tmp_path):
    """Run a command line in the test's folder; what C libraries print is seen, too."""
    from regionalize.cli.program import run_program

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def run(*args):
        capfd.readouterr()
        code = run_program([str(arg) for arg in args])
        said = capfd.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run
