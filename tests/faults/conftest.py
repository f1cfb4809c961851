"""The library that makes calls fail, a process that forks for command lines, and layers for them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from shutil import which

import numpy as np
import pytest

HERE = Path(__file__).parent


def load(name):
    """Import a file beside this one, once: tests are no package."""
    whole = f"faults_{name}"
    if whole not in sys.modules:
        found = spec_from_file_location(whole, HERE / f"{name}.py")
        module = sys.modules[whole] = module_from_spec(found)
        found.loader.exec_module(module)
    return sys.modules[whole]


for name in ("harness", "states", "stage"):
    load(name)


@pytest.fixture(scope="session")
def harness():
    return load("harness")


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """Compile the library that stands between the program and the system."""
    if not sys.platform.startswith("linux") or sys.maxsize < 1 << 32:
        pytest.skip("calls are made to fail by LD_PRELOAD, as 64-bit Linux has it")
    if which("cc") is None:
        pytest.skip("there is no C compiler called cc")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", library, HERE / "shim.c", "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the C library here is another than glibc: {done.stderr.strip().splitlines()[-1]}")
    return library


@pytest.fixture(scope="session")
def warm(harness, shim, tmp_path_factory):
    """Return what forks for command lines in which calls can fail."""
    made = harness.Warm(shim, tmp_path_factory.mktemp("warm"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """Return a folder with a small layer, `units.gpkg` and `units.parquet`."""
    import geopandas
    import shapely

    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(4), np.arange(4)))
    rng = np.random.default_rng(7)
    frame = geopandas.GeoDataFrame(
        {"name": [f"unit {i}" for i in range(16)], "a": rng.normal(size=16), "b": rng.normal(size=16)},
        geometry=shapely.box(x, y, x + 1, y + 1),
        crs="EPSG:4326",
    )
    folder = tmp_path_factory.mktemp("inputs")
    frame.to_file(folder / "units.gpkg")
    frame.to_parquet(folder / "units.parquet")
    return folder


def pytest_generate_tests(metafunc):
    """Give tests every command line that is to be broken, one after the other."""
    if "scenario" in metafunc.fixturenames:
        found = load("scenarios").SCENARIOS
        metafunc.parametrize("scenario", found, ids=[one.name for one in found])


@pytest.fixture
def stage(warm, inputs, tmp_path):
    """Return `stage(scenario)`: a folder in which it is run again and again."""
    return lambda scenario: load("stage").Stage(warm, scenario, inputs, tmp_path)


@pytest.fixture(scope="session")
def scenarios():
    """Return what is broken: a `harness.Scenario` by name."""
    found = load("scenarios")
    return {one.name: one for one in (*found.SCENARIOS, *found.PROCESSES)}
