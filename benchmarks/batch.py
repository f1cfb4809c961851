"""A batch beside separate runs, and many small layers: ``python -m benchmarks batch``.

The 27 states of Brazil, a file each, k-means with centroids, k = 12, which is impossible in the one that is a
single polygon: one batch, and a process for each state, on one processor and on all. The bar: at most a
quarter of the time on as many, measured beside as many processes at a time and beside one after the other,
whose time is divided by the processors that the batch takes. Then 1,000
layers of 30 counties each, in one batch: what every stage takes of a layer, and what only starting costs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import shapely

from benchmarks.timing import Run, interleave, run_process, shared, timed_run
from regionalize.io.read import read_layer
from regionalize.io.write import write_layer
from regionalize.model.job import Outputs
from regionalize.run.absent import do_without
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.items import Item
from regionalize.run.batch.last_layer import rows_of
from regionalize.run.batch.parts import parts_of
from regionalize.run.options import make_job
from regionalize.run.solve import Solution

K = 12
SMALL = 30
"""Counties of a small layer."""
ENDED = (0, 1)
"""Exit codes: one state cannot be clustered."""
SINGLE = "Distrito Federal.gpkg"
"""That one."""
OPTIONS = ("--k", str(K), "--with-centroids", "--missing", "mean")


def states(folder: Path) -> list[Path] | None:
    """Write the states of Brazil, a file each."""
    source = shared("brazil/municipalities.gpkg")
    if source is None:
        return None
    whole = read_layer(source)
    files = []
    for part in parts_of(whole, "ufn")[0]:
        files.append(folder / f"{part.value}.gpkg")
        write_layer(whole.take(rows_of(whole, part)), files[-1], added={})
    return files


def pieces(folder: Path, count: int) -> list[Path]:
    """Write small layers: each a county of the sample and those nearest to it."""
    whole = read_layer(None)
    places = shapely.get_coordinates(shapely.centroid(whole.geometry))
    rng = np.random.default_rng(1)
    files = [folder / f"{number:04}.gpkg" for number in range(count)]
    for file in files:
        away = np.linalg.norm(places - places[rng.integers(len(places))], axis=1)
        near = np.argsort(away + rng.uniform(0, 1e4, len(away)))[:SMALL]  # metres, so that no two are alike
        write_layer(whole.take(np.sort(near)), file, added={})
    return files


def separately(files: list[Path], out: Path, jobs: int) -> Run:
    """Run a process for each file, so many at a time."""

    def alone(file: Path) -> None:
        run_process(["-m", "regionalize", "-q", "kmeans", file, *OPTIONS, "-o", out / file.name], ENDED)

    return complete(timed_run(lambda: side_by_side(alone, files, jobs)), files, out)


def side_by_side(work: Callable[[Path], None], files: list[Path], jobs: int) -> str:
    """Do something with every file, with so many at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, files))
    return ""


def together(files: list[Path], out: Path, jobs: int) -> Run:
    """Run one batch."""
    told = ["-m", "regionalize", "-q", "batch", *files, "--method", "kmeans", *OPTIONS]
    return complete(run_process([*told, "--jobs", str(jobs), "--out-dir", out], ENDED), files, out)


def complete(run: Run, files: list[Path], out: Path) -> Run:
    """Return a run, every file of which has come out but the one that cannot."""
    missing = {file.name for file in files} - {file.name for file in out.glob("*.gpkg")}
    if missing - {SINGLE}:
        raise SystemExit(f"did not come out: {', '.join(sorted(missing))}")
    return run


def emptied(folder: Path) -> Path:
    """Return the folder, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


class Observed(Runner):
    """A worker's bench that adds up the seconds of every stage."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: Counter[str] = Counter()

    def solve(self, item: Item, outputs: Outputs, terms: Terms) -> Solution:
        """Read, solve and write."""
        solution = super().solve(item, outputs, terms)
        self.seconds.update(solution.seconds)
        return solution


def compare(folder: Path, rounds: int) -> None:
    """Print what the states take in both ways."""
    files = states(emptied(folder / "states"))
    if files is None:
        return
    several = min(os.cpu_count() or 1, len(files))
    ways = {}
    for jobs in dict.fromkeys((1, several)):
        ways["separate", jobs] = lambda _, jobs=jobs: separately(files, emptied(folder / "alone"), jobs)
        ways["batch", jobs] = lambda _, jobs=jobs: together(files, emptied(folder / "batch"), jobs)
    interleave(ways, 1)  # bytecode cached, files in memory
    found = interleave(ways, rounds)
    print(f"k-means of {len(files)} states, k = {K}, medians of {rounds} interleaved runs; the bar is 0.25")
    for (way, jobs), runs in found.items():
        wall, cpu = (median(getattr(run, of) for _, run in runs) for of in ("wall", "cpu"))
        print(f"{way:<8}, {jobs} at a time {wall:6.2f} s wall, {cpu:6.2f} s processor")
        if way == "batch":
            for at_a_time in dict.fromkeys((jobs, 1)):
                alone = found["separate", at_a_time]
                share = jobs / at_a_time
                ratios = [
                    median(
                        part * getattr(a, of) / getattr(b, of)
                        for (_, a), (_, b) in zip(runs, alone, strict=True)
                    )
                    for of, part in (("wall", share), ("cpu", 1))
                ]
                beside = f"of separate runs, {at_a_time} at a time"
                print(f"  {ratios[0]:.3f} of the wall time, {ratios[1]:.3f} of the processor time {beside}")


def stages(folder: Path, count: int) -> None:
    """Print what a small layer takes, stage by stage, in one process, and all of them in a batch."""
    files = pieces(emptied(folder / "small"), count)
    job = make_job("kmeans", {"k": 4, "with_centroids": True, "jobs": 1})
    out, bench = emptied(folder / "out"), Observed()
    terms, spent = Terms(out_dir=out), 0.0
    for file in files:
        start = perf_counter()
        item = Item(name=file.stem, source=str(file), job=job, outputs=Outputs(output=out / file.name))
        found = bench.attempt(item, terms)
        spent += perf_counter() - start
        if found.error:
            raise SystemExit(found.error)
    seconds = dict(bench.seconds) | {"records": spent - bench.seconds.total()}
    print(f"{count:,} layers of {SMALL} counties, k = 4, one process: {1000 * spent / count:.1f} ms each")
    for stage, took in seconds.items():
        print(f"  {stage:<10} {1000 * took / count:6.2f} ms  {took / spent:4.0%}")
    both = (seconds["read"] + seconds["write"]) / spent
    print(f"  reading and writing are {both:.0%}")
    jobs = os.cpu_count() or 1
    run = together(files, emptied(folder / "out"), jobs)
    each = 1000 * run.wall / count, 1000 * run.cpu / count
    print(f"as one batch, {jobs} jobs: {each[0]:.1f} ms wall, {each[1]:.1f} ms processor each")


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=1000)
    asked = parser.parse_args()
    do_without()
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), asked.rounds)
        stages(Path(folder), asked.layers)


if __name__ == "__main__":
    main()
