"""Whole commands on layers of a thousand to a million polygons: ``python -m benchmarks.large``.

Seconds and memory from a file on disk to the report, the format a layer is read from and written to, and
what is refused. ``--write`` puts the tables into docs/large-data.md. The layers are irregular polygons with
eight variables that vary smoothly over the map, made anew, and take some gigabytes of memory to make.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import shapely

from benchmarks.contiguity import irregular
from benchmarks.kmeans import synthetic_matrix
from benchmarks.pages import machine, publish, table
from benchmarks.timing import REPOSITORY, growth

PAGE = "large-data.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
REPEATED_UP_TO = 10_000
TWO_POWERS = 100_000
EVERY = {
    "kmeans --k 12": 1_000_000,
    "kmeans --k 12 --with-centroids": 1_000_000,
    "kmeans --k 12 --make-contiguous": 1_000_000,
    "skater --k 12": 1_000_000,
    "schc --k 12": 1_000_000,
    "redcap --k 12": 1_000_000,
    "azp --k 12": 100_000,
    "maxp --min-bound pop=4%": 100_000,
    "balance --k 12": 100_000,
    "kmedians --k 12": 100_000,
    "kmedoids --k 12": 100_000,
    "dbscan --eps 1 --min-samples 5": 100_000,
    "hdbscan --min-size 50": 10_000,
    "hierarchical --k 12": 10_000,
    "spectral --k 12": 10_000,
    "choose-k --k 2-15": 100_000,
    "stability --k 12 --runs 20": 10_000,
}
"""Commands, and the largest layer each is run on."""
CHOICES = (
    "kmeans --k 12",
    "kmeans --k 12 --dtype float32",
    "kmeans --k 12 --jobs 1",
    "kmeans --k 12 --columns v1,v2,v3",
    "skater --k 12",
    "skater --k 12 --weights rook",
    "skater --k 12 --weights knn:6",
    "skater --k 12 -o out.parquet",
    "skater --k 12 -o out.gpkg",
    "skater --k 12 --map map.png",
    "skater --k 12 --map map.html",
    "skater --k 12 --dissolve regions.gpkg",
)
REFUSED = ("hierarchical --k 12", "spectral --k 12 --affinity gaussian")
FORMATS = (".parquet", ".gpkg", ".fgb", ".shp", ".geojson")


class Whole(NamedTuple):
    """A process that ended: wall seconds, MiB at the peak, what it said on standard error, its exit code."""

    seconds: float
    memory: float
    said: str
    code: int


def whole(words: str, file: Path, folder: Path) -> Whole:
    """Run a command on a layer in a process of its own, from `folder`."""
    command, *options = words.split()
    if "--columns" not in options:
        options += ["--columns", "v*"]
    arguments = [sys.executable, "-m", "regionalize", command, str(file), *options, "--overwrite"]
    if command in {"choose-k", "stability"}:
        arguments.remove("--overwrite")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    start = time.perf_counter()
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return Whole(time.perf_counter() - start, used.ru_maxrss / 1024, said, child.returncode)


def make_layer(n: int, folder: Path, ending: str = ".parquet") -> Path:
    """Write n polygons with eight variables and a population; return the file."""
    import geopandas

    frame = geopandas.GeoDataFrame(geometry=irregular(n), crs="EPSG:32633")
    place = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())) / 1e6
    X = synthetic_matrix(n, place=place)
    frame[[f"v{column + 1}" for column in range(X.shape[1])]] = X
    frame["pop"] = np.random.default_rng(n).lognormal(8, 1, n).round()
    file = folder / f"{n}{ending}"
    if ending == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_file(file)
    return file


def figures(runs: list[Whole]) -> str:
    """Write seconds and memory."""
    wall, memory = median(run.seconds for run in runs), median(run.memory for run in runs)
    return f"{wall:.3g} s, {memory / 1024:.2g} GiB" if memory >= 1000 else f"{wall:.2g} s, {memory:.0f} MiB"


def methods(files: dict[int, Path], folder: Path) -> str:
    """Every command by size: medians of three runs up to `REPEATED_UP_TO`, one run above."""
    cells: dict[str, list[str]] = {words: [] for words in EVERY}
    times: dict[str, dict[int, float]] = {words: {} for words in EVERY}
    for n, file in files.items():
        for words, largest in EVERY.items():
            if n > largest:
                cells[words].append("")
                continue
            runs = [whole(words, file, folder) for _ in range(3 if n <= REPEATED_UP_TO else 1)]
            if runs[0].code:
                cells[words].append(first_line(runs[0]))
                continue
            cells[words].append(figures(runs))
            times[words][n] = median(run.seconds for run in runs)
            print(f"{n:,} {words}: {cells[words][-1]}", flush=True)
    rows = []
    for words, shown in cells.items():
        steps = growth(times[words]) if len(times[words]) > 1 else []
        rows.append([f"`{words}`", *shown, f"n^{steps[-1][2]:.1f}" if steps else ""])
    return table(["command", *(f"{n:,}" for n in files), "growth at the end"], rows)


def first_line(run: Whole) -> str:
    """Return the error of a command."""
    errors = [line for line in run.said.splitlines() if line.startswith("error:")]
    return errors[0] if errors else f"exit code {run.code}"


def choices(file: Path, folder: Path) -> str:
    """Options side by side on one layer, in turn, medians of three runs."""
    runs: dict[str, list[Whole]] = {words: [] for words in CHOICES}
    for _ in range(3):
        for words in CHOICES:
            runs[words].append(whole(words, file, folder))
    for words, found in runs.items():
        if found[0].code:
            raise SystemExit(f"{words}: {found[0].said}")
    rows = [
        [
            f"`{words}`",
            f"{median(run.seconds for run in found):.1f}",
            f"{median(run.memory for run in found):,.0f}",
        ]
        for words, found in runs.items()
    ]
    return table(["command", "s", "MiB at the peak"], rows)


def formats(n: int, folder: Path) -> str:
    """Seconds to read and to write a layer, by format."""
    rows = []
    for ending in FORMATS:
        file = make_layer(n, folder, ending)
        size = sum(part.stat().st_size for part in folder.glob(f"{n}.*") if belongs(part, ending))
        stages: dict[str, list[float]] = {"read": [], "write": []}
        for _ in range(3):
            said = whole(f"skater --k 12 --timing -o written{ending}", file, folder).said
            for stage, took in stages.items():
                found = re.search(rf"{stage} ([\d.]+) s", said)
                assert found is not None, said
                took.append(float(found[1]))
        rows.append(
            [f"`{ending}`", f"{size / 1e6:.0f}", *(f"{median(took):.2f}" for took in stages.values())]
        )
    return table(["format", "MB", "read, s", "write, s"], rows)


def belongs(part: Path, ending: str) -> bool:
    """Whether a file is the layer of this ending, or one of the parts of a shapefile."""
    return part.suffix == ending or (ending == ".shp" and part.suffix in {".shx", ".dbf", ".prj", ".cpg"})


def refusals(file: Path, folder: Path) -> str:
    """What is refused before any work, and after how long."""
    lines = []
    for words in REFUSED:
        run = whole(words, file, folder)
        error = first_line(run).replace(f"{file}:", "layer.parquet:")
        lines += [f"$ regionalize {words} layer.parquet", *wrapped(error)]
    return "\n".join(["```text", *lines, "```"])


def wrapped(text: str, width: int = 110) -> list[str]:
    """Break a line where a page would."""
    import textwrap

    return textwrap.wrap(text, width)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/large-data.md")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="the largest layer to make")
    options = parser.parse_args()
    sizes = [n for n in SIZES if n <= options.largest]
    middle = max(n for n in sizes if n <= TWO_POWERS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {n: make_layer(n, folder) for n in sizes}
        whole("skater --k 3", files[sizes[0]], folder)  # bytecode and kernels cached
        parts = {
            "machine": machine("scipy", "numba", "pyarrow"),
            "refused": refusals(files[middle], folder),
            "formats": formats(middle, folder),
            "choices": choices(files[middle], folder),
            "methods": methods(files, folder),
        }
    publish(PAGE, "large", parts, write=options.write)


if __name__ == "__main__":
    main()
