"""Small layers, items that run over them, and workers that can be told to misbehave."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
import shapely

from regionalize.model.job import Outputs
from regionalize.run.batch import processes
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.items import Item
from regionalize.run.options import make_job


def squares(seed, columns=4, rows=3):
    """Return unit squares in metres with two variables, a name and two ways to part them."""
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(columns), np.arange(rows)))
    rng = np.random.default_rng(seed)
    n = columns * rows
    return geopandas.GeoDataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.normal(size=n),
            "name": [f"unit {row} é" for row in range(n)],
            "state": [("Ceará", "d'Oeste", "x y")[row % 3] for row in range(n)],
            "year": [2000 + row % 2 for row in range(n)],
        },
        geometry=shapely.box(1000 * x, 1000 * y, 1000 * x + 1000, 1000 * y + 1000),
        crs="EPSG:32633",
    )


@pytest.fixture
def layers(tmp_path):
    """Return `layer(seed=0, name="in0.gpkg")`: the path of a new layer."""

    def layer(seed=0, name=None, **size):
        path = tmp_path / (name or f"in{seed}.gpkg")
        frame = squares(seed, **size)
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_file(path)
        return path

    return layer


@pytest.fixture
def make_item(tmp_path):
    """Return `make_item(path, name, part=None, options…)`: an item of k-means, written into `out`."""
    (tmp_path / "out").mkdir()

    def item(path, name=None, *, ending=".geojson", part=None, outputs=None, method="kmeans", **options):
        name = name or Path(path).stem
        written = {"output": tmp_path / "out" / f"{name}{ending}"} | (outputs or {})
        job = make_job(method, {"k": 3, "columns": "a,b"} | options)
        return Item(name=name, source=str(path), job=job, outputs=Outputs(**written), part=part)

    return item


@pytest.fixture
def out(tmp_path):
    """Return the folder that `make_item` writes into."""
    return tmp_path / "out"


@pytest.fixture
def attempt(out):
    """Return `attempt(item, resume=True)`: done by a worker that knows of no earlier item; more are terms."""
    return lambda item, resume=True, **more: Runner().attempt(item, Terms(out_dir=out, resume=resume, **more))


@pytest.fixture
def misbehave(tmp_path, monkeypatch):
    """Return `misbehave(text)`: Python that every worker runs first; `attempt` is what does an item."""

    def arrange(text):
        folder = tmp_path / "arranged"
        folder.mkdir(exist_ok=True)
        (folder / "misbehaviour.py").write_text(
            "import os, signal, time\n"
            "from pathlib import Path\n"
            "from regionalize.run.batch.attempt import Runner\n"
            "attempt = Runner.attempt\n"
            f"{text}\n"
            "Runner.attempt = instead\n"
        )
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
        monkeypatch.setattr(processes, "WORK", f"import misbehaviour; {processes.WORK}")
        return SimpleNamespace(folder=folder)

    return arrange
