"""Whole commands on layers of a thousand to a million polygons: ``python -m benchmarks.large``.

Seconds and memory from a file on disk to the report, the format a layer is read from and written to, and
what is refused. ``--write`` puts the tables into docs/large-data.md. The layers are irregular polygons with
eight variables that vary smoothly over the map, made anew, and take some gigabytes of memory to make.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

from benchmarks.contiguity import irregular
from benchmarks.kmeans import synthetic_matrix
from benchmarks.pages import machine, publish, table
from benchmarks.timing import REPOSITORY, in_child

PAGE = "large-data.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MIDDLE = 100_000
"""Rows of the layer on which options, formats and refusals are tried."""
EVERY = {
    "kmeans --k 12": 1_000_000,
    "skater --k 12": 1_000_000,
    "schc --k 12": 1_000_000,
    "redcap --k 12": 1_000_000,
    "kmeans --k 12 --make-contiguous": 1_000_000,
    "azp --k 12": 100_000,
    "maxp --min-bound pop=4%": 100_000,
    "kmedoids --k 12": 100_000,
    "hierarchical --k 12": 10_000,
}
"""Commands, and the largest layer each is run on."""
CHOICES = (
    "kmeans --k 12",
    "kmeans --k 12 --dtype float32",
    "kmeans --k 12 --columns v1,v2,v3",
    "skater --k 12",
    "skater --k 12 --weights rook",
    "skater --k 12 --weights knn:6",
    "skater --k 12 --map map.png",
    "skater --k 12 --map map.html",
    "skater --k 12 --dissolve regions.gpkg",
)
REFUSED = ("hierarchical --k 12", "spectral --k 12 --affinity gaussian")
FORMATS = (".parquet", ".gpkg", ".fgb", ".shp", ".geojson")


class Whole(NamedTuple):
    """A process that ended: processor seconds of all threads, MiB at the peak, standard error, exit code."""

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
    return Whole(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said, child.returncode)


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


def figures(run: Whole) -> str:
    """Write seconds and memory."""
    seconds = f"{run.seconds:.0f} s" if run.seconds >= 9.95 else f"{run.seconds:.1f} s"
    return f"{seconds}, {run.memory:,.0f} MiB"


def methods(files: dict[int, Path], folder: Path) -> Iterator[str]:
    """Every command by size, one run of each; a table after each size."""
    cells: dict[str, list[str]] = {words: [] for words in EVERY}
    shown = []
    for n, file in files.items():
        shown.append(n)
        tried = [words for words, largest in EVERY.items() if n <= largest]
        start = partial(whole, file=file, folder=folder)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # seconds are of processor time: two may run at once
            runs = dict(zip(tried, pool.map(start, tried), strict=True))
        for words in EVERY:
            run = runs.get(words)
            cells[words].append("" if run is None else first_line(run) if run.code else figures(run))
        rows = [[f"`{words}`", *row] for words, row in cells.items()]
        yield table(["command", *(f"{n:,}" for n in shown)], rows)


def first_line(run: Whole) -> str:
    """Return the error of a command."""
    errors = [line for line in run.said.splitlines() if line.startswith("error:")]
    return errors[0] if errors else f"exit code {run.code}"


def choices(files: dict[int, Path], folder: Path) -> str:
    """Options side by side on one layer, one run of each."""
    rows = []
    for words in CHOICES:
        run = whole(words, middle(files), folder)
        if run.code:
            raise SystemExit(f"{words}: {run.said}")
        print(f"{words}: {figures(run)}", flush=True)
        rows.append([f"`{words}`", f"{run.seconds:.1f}", f"{run.memory:,.0f}"])
    return table(["command", "s", "MiB at the peak"], rows)


def formats(files: dict[int, Path], folder: Path) -> str:
    """Processor seconds to read and to write a layer, by format."""
    n = int(middle(files).stem)
    return table(
        ["format", "MB", "read, s", "write, s"],
        [in_child(partial(read_and_write, n, ending, folder)).result for ending in FORMATS],
    )


def read_and_write(n: int, ending: str, folder: Path) -> list[str]:
    """Make a layer in one format, read and write it; return the row of the table."""
    from regionalize.io.read import read_layer
    from regionalize.io.write import write_layer

    file = make_layer(n, folder, ending)
    size = sum(part.stat().st_size for part in folder.glob(f"{n}.*") if belongs(part, ending))
    start = time.process_time()
    layer = read_layer(file)
    between = time.process_time()
    write_layer(layer, folder / f"written{ending}", added={})
    took = between - start, time.process_time() - between
    return [f"`{ending}`", f"{size / 1e6:.0f}", *(f"{seconds:.1f}" for seconds in took)]


def belongs(part: Path, ending: str) -> bool:
    """Whether a file is the layer of this ending, or one of the parts of a shapefile."""
    return part.suffix == ending or (ending == ".shp" and part.suffix in {".shx", ".dbf", ".prj", ".cpg"})


def refusals(files: dict[int, Path], folder: Path) -> str:
    """Show what is refused before any work."""
    file = middle(files)
    lines = []
    for words in REFUSED:
        run = whole(words, file, folder)
        error = first_line(run).replace(f"{file}:{file.stem}:", "layer.parquet:")
        lines += [f"$ regionalize {words} layer.parquet", *wrapped(error)]
    return "\n".join(["```text", *lines, "```"])


def wrapped(text: str, width: int = 110) -> list[str]:
    """Break a line where a page would."""
    import textwrap

    return textwrap.wrap(text, width)


def middle(files: dict[int, Path]) -> Path:
    """Return the largest layer of at most `MIDDLE` rows."""
    return files[max(n for n in files if n <= MIDDLE)]


PARTS: dict[str, Callable[[dict[int, Path], Path], Iterable[str]]] = {
    "refused": lambda files, folder: [refusals(files, folder)],
    "formats": lambda files, folder: [formats(files, folder)],
    "choices": lambda files, folder: [choices(files, folder)],
    "methods": methods,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/large-data.md")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="the largest layer to make")
    parser.add_argument("--only", choices=PARTS, help="one of the tables")
    options = parser.parse_args()
    sizes = [n for n in SIZES if n <= options.largest]
    if options.only not in {None, "methods"}:
        sizes = [n for n in sizes if n in {SIZES[0], MIDDLE}]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A process starts with the peak of the one it comes from, which has to stay small.
        files = {n: in_child(partial(make_layer, n, folder)).result for n in sizes}
        whole("skater --k 3", files[sizes[0]], folder)  # bytecode and kernels cached
        publish(PAGE, "large", {"machine": machine("scipy", "numba", "pyarrow")}, write=options.write)
        for title, make in PARTS.items():
            if options.only in {None, title}:
                for text in make(files, folder):
                    publish(PAGE, "large", {title: text}, write=options.write)


if __name__ == "__main__":
    main()
