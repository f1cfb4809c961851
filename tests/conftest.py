"""Shared fixtures: real layers where they are available, small exact ones everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
sys.path += [str(HERE.parent / "docs"), str(HERE / "helpers")]  # modules that are no package
SHARED = Path(os.environ.get("REGIONALIZE_SHARED", HERE.parents[1] / "shared")).resolve()

# Shared machines stall, so no example is timed. Every run tries the same examples, so that it can be redone;
# `make test-search` draws new ones, by the option --hypothesis-profile=search.
# "quick" is for a first look of `make mutants`.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, derandomize=False)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=15)
settings.load_profile("fixed")


def find_shared(relative: str) -> Path:
    """Return a file beside the repository, or skip the test that needs it."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs {relative}, which is not beside this checkout (set REGIONALIZE_SHARED)")
    return path


def pytest_collection_modifyitems(items):
    """Skip on Windows what only Unix can show."""
    if sys.platform != "win32":
        return
    for item in items:
        if item.get_closest_marker("unix"):
            item.add_marker(pytest.mark.skip(reason="needs signals, permissions, pipes or a shell of Unix"))


@pytest.fixture(scope="session")
def shared_data():
    """Return `path = shared_data("guerry/Guerry.shp")`."""
    return lambda relative: find_shared(f"data/{relative}")


@pytest.fixture(scope="session")
def shared_reference():
    """Return the parsed reference runs of pygeoda on Guerry."""
    import json

    return json.loads(find_shared("reference/pygeoda_guerry.json").read_text())


@contextmanager
def mounted(folder, size):
    """Mount a file system in memory on `folder`, or skip where that is not allowed."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        made = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """Return `with small_disk(size) as folder`."""
    return lambda size: mounted(tmp_path / "disk", size)


@pytest.fixture
def standin(monkeypatch):
    """Put the methods of `standin.py` into the catalog; return the module."""
    from importlib.util import module_from_spec, spec_from_file_location

    from regionalize.model.catalog import OWN

    found = spec_from_file_location("standin", Path(__file__).with_name("standin.py"))
    module = module_from_spec(found)
    monkeypatch.setitem(sys.modules, "standin", module)
    found.loader.exec_module(module)
    for name, row in module.ROWS.items():
        monkeypatch.setitem(OWN, name, row)
    return module
