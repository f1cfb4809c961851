"""Many small runs: nothing grows, and batches side by side in one folder stay out of each other's way."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

import regionalize as rz

pytestmark = pytest.mark.slow

RUNS, SETTLED = 10_000, 1_000
"""Runs in a row, and after how many what is loaded once is loaded."""
GROWTH = 8 << 20
"""Bytes that the rest may add: less than one for every byte of a layer in a thousand runs."""
BATCHES, AT_A_TIME = 100, 10
FORMATS = (".gpkg", ".geojson", ".parquet", ".shp", ".fgb")


def squares(seed: int, name: str, folder: Path) -> Path:
    """Write a layer of 12 squares."""
    rng = np.random.default_rng(seed)
    x, y = (part.ravel() * 1000.0 for part in np.meshgrid(np.arange(4), np.arange(3)))
    frame = geopandas.GeoDataFrame(
        {"name": [f"{name} {row}" for row in range(12)], "a": rng.normal(size=12), "b": rng.normal(size=12)},
        geometry=shapely.box(x, y, x + 1000, y + 1000),
        crs="EPSG:32633",
    )
    frame.to_file(folder / f"{name}.gpkg")
    return folder / f"{name}.gpkg"


def held() -> tuple[int, int]:
    """Return the bytes of memory and the number of files that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
def test_ten_thousand_runs_hold_no_more_than_a_thousand(tmp_path):
    source = squares(0, "in", tmp_path)
    memory = files = 0
    for run in range(RUNS):
        output = tmp_path / f"out{FORMATS[run % len(FORMATS)]}"
        options = {"with_centroids": run % 2 == 0, "seed": run}
        rz.regionalize_file(source, "kmeans", k=3, columns="a,b", output=output, overwrite=True, **options)
        if run == SETTLED:
            memory, files = held()
    assert held()[1] == files
    assert held()[0] - memory < GROWTH
    assert {path.suffix for path in tmp_path.iterdir()} >= set(FORMATS)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def batch(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a batch in a process of its own."""
    told = [sys.executable, "-m", "regionalize", "batch", *map(str, arguments)]
    return subprocess.run(told, capture_output=True, text=True, check=False, timeout=600)


def whole(path: Path) -> bool:
    """Whether a layer has every row, and a cluster for it."""
    found = geopandas.read_file(path, layer=path.stem)
    return len(found) == 12 and set(found["cluster"]) == {1, 2, 3}


OPTIONS = ("--method", "kmeans", "--k", "3", "--columns", "a,b", "--jobs", "1")


def test_a_hundred_batches_in_one_folder_write_all_of_theirs(tmp_path):
    out = tmp_path / "out"
    inputs = [squares(number, f"in{number:03}", tmp_path) for number in range(2 * BATCHES)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        pairs = zip(inputs[::2], inputs[1::2], strict=True)
        done = list(pool.map(lambda pair: batch(*pair, *OPTIONS, "--out-dir", out), pairs))
    assert [one.returncode for one in done] == [0] * BATCHES, [one.stderr for one in done if one.returncode]
    written = sorted(path for path in out.iterdir() if path.name != ".regionalize")
    assert [path.name for path in written] == [path.name for path in inputs]
    assert all(whole(path) for path in written)
    again = batch(*inputs, *OPTIONS, "--out-dir", out, "--resume", "--json")
    assert again.returncode == 0
    assert again.stdout.count('"status": "skipped"') == len(inputs)  # every record was kept


def test_a_hundred_batches_of_the_same_leave_it_whole(tmp_path):
    """Each runs, or finds that another has; none calls that a failure, and none leaves half a file."""
    out = tmp_path / "out"
    inputs = [squares(number, f"in{number}", tmp_path) for number in range(3)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        run = lambda _: batch(*inputs, *OPTIONS, "--out-dir", out, "--resume")  # noqa: E731  # called once
        done = list(pool.map(run, range(BATCHES)))
    assert [one.returncode for one in done] == [0] * BATCHES, [one.stderr for one in done if one.returncode]
    assert sorted(path.name for path in out.iterdir()) == [".regionalize", *(path.name for path in inputs)]
    assert all(whole(out / path.name) for path in inputs)
