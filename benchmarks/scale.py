"""Whole runs by stages, from ten thousand to a million polygons: ``python -m benchmarks.scale``.

One process for every size reads a GeoPackage, finds queen neighbours, places and smooths, clusters by
k-means, measures and writes a GeoPackage; and does the same with SKATER from GeoParquet. Each stage is given
with its processor time, its peak of memory, and the exponent with which its time grows. The bars: linear time
(an exponent of about 1), and less than 8 GiB.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.large import make_layer
from benchmarks.pages import machine, publish, table
from benchmarks.timing import growth, in_child

PAGE = "large-data.md"
SIZES = (10_000, 100_000, 1_000_000)
K, HOPS = 12, 2
MOST = 8.0
"""GiB that a run may take."""
FORGET_PEAK = "5"
"""What makes Linux take the memory held now for the peak, written to clear_refs."""
STAGES = {
    "kmeans": {
        "read": "read GeoPackage",
        "weights": "queen neighbours",
        "features": "variables, with centroids and smoothing",
        "kmeans": f"k-means, k = {K}",
        "measure": "report of k-means",
        "writing kmeans.gpkg": "write GeoPackage",
    },
    "skater": {
        "read": "read GeoParquet",
        "weights": "queen neighbours",
        "features": "variables",
        "skater": f"SKATER, k = {K}",
        "measure": "report of SKATER",
        "writing skater.gpkg": "write GeoPackage",
    },
}
"""What the stages of a run are called here, in order."""


class Spent(NamedTuple):
    """Processor seconds of all threads, and MiB at the peak."""

    seconds: float
    memory: float


class Meter:
    """Measures stage after stage: a listener to the progress of a run."""

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = {}
        self.stage = ""
        self.resets = _forget_peak()
        self.peak = 0
        self.begun = time.process_time()
        if not self.resets:
            threading.Thread(target=self._look, daemon=True).start()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take the beginning of a stage for the end of the one before."""
        if not done and not total:
            self.begin(stage)

    def begin(self, stage: str) -> None:
        """End a stage, and begin another; without a name, none."""
        now = time.process_time()
        if self.stage:
            peak = _status("VmHWM") if self.resets else max(self.peak, _status("VmRSS"))
            self.spent[self.stage] = Spent(now - self.begun, peak / 1024)
        self.stage, self.peak = stage, 0
        if self.resets:
            _forget_peak()
        self.begun = time.process_time()

    def _look(self) -> None:
        """Look at the memory every now and then, where the peak cannot be reset."""
        while True:
            self.peak = max(self.peak, _status("VmRSS"))
            time.sleep(0.01)


def _forget_peak() -> bool:
    """Take the memory held now for the peak; return whether that is possible."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
        return True
    return False


def _status(name: str) -> int:
    """Return a number of KiB that Linux tells of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def also_as_geopackage(file: Path) -> Path:
    """Write a layer once more; return the file."""
    from regionalize.io.read import read_layer
    from regionalize.io.write import write_layer

    other = file.with_suffix(".gpkg")
    write_layer(read_layer(file), other, added={})
    return other


def by_stages(parquet: Path, gpkg: Path, folder: Path) -> dict[str, Spent]:
    """Run k-means and SKATER from file to file in this process; return what every stage took."""
    from regionalize.features.centroids import centroids
    from regionalize.features.smoothing import smooth
    from regionalize.model.job import Job, Outputs
    from regionalize.run.files import run

    columns = ("v*",)
    found: dict[str, Spent] = {}
    for source, job in (
        (gpkg, Job(method="kmeans", k=K, columns=columns, with_centroids=True, hops=HOPS)),
        (parquet, Job(method="skater", k=K, columns=columns)),
    ):
        meter = Meter()
        outputs = Outputs(output=folder / f"{job.method}.gpkg", overwrite=True)
        solution = run(str(source), job, outputs, progress=meter)
        meter.begin("centroids")
        centroids(solution.layer)
        meter.begin("smoothing")
        assert solution.weights is not None
        smooth(solution.features.scaled, solution.weights, HOPS)
        meter.begin("")
        names = STAGES[job.method]
        found |= {f"{job.method}: {names[stage]}": meter.spent[stage] for stage in names}
        if job.hops:
            found |= {f"{part}, alone": meter.spent[part] for part in ("centroids", "smoothing")}
        del solution
    return found


def in_order(found: dict[str, list[Spent]]) -> Iterator[tuple[str, Spent]]:
    """Give the median of the seconds, and the most memory, of every stage."""
    for stage, runs in found.items():
        yield stage, Spent(median(run.seconds for run in runs), max(run.memory for run in runs))


def rows(sizes: dict[int, dict[str, Spent]]) -> Iterator[list[str]]:
    """Give a row a stage, and one for each whole run."""
    for stage in next(iter(sizes.values())):
        yield row(stage, {n: spent[stage] for n, spent in sizes.items()})
    for method in STAGES:
        whole = {}
        for n, spent in sizes.items():
            own = [one for stage, one in spent.items() if stage.startswith(f"{method}: ")]
            whole[n] = Spent(sum(one.seconds for one in own), max(one.memory for one in own))
        yield row(f"**{method}, whole**", whole)


def row(name: str, spent: dict[int, Spent]) -> list[str]:
    """Write a row: seconds and memory by size, and how time grows between the largest two."""
    cells = [f"{one.seconds:.2f} s, {one.memory:,.0f} MiB" for one in spent.values()]
    exponents = growth({n: max(one.seconds, 1e-3) for n, one in spent.items()})
    return [name, *cells, f"{exponents[-1][2]:.2f}" if exponents else ""]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="the largest layer")
    parser.add_argument("--rounds", type=int, default=1, help="runs of every size; medians are printed")
    parser.add_argument("--write", action="store_true", help=f"put the table into docs/{PAGE}")
    options = parser.parse_args()
    sizes = [n for n in SIZES if n <= options.largest] or [options.largest]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # every process starts with the peak of the one it comes from, which has to stay small
        files = {n: in_child(partial(make_layer, n, folder)).result for n in sizes}
        others = {n: in_child(partial(also_as_geopackage, file)).result for n, file in files.items()}
        first = sizes[0]
        in_child(partial(by_stages, files[first], others[first], folder))  # bytecode and kernels cached
        found: dict[int, dict[str, list[Spent]]] = {n: {} for n in sizes}
        for _ in range(options.rounds):
            for n in sizes:
                for stage, spent in in_child(partial(by_stages, files[n], others[n], folder)).result.items():
                    found[n].setdefault(stage, []).append(spent)
    taken = {n: dict(in_order(stages)) for n, stages in found.items()}
    head = ["stage", *(f"{n:,}" for n in sizes), "exponent"]
    about = machine("scipy", "numba", "pyarrow")
    publish(PAGE, "scale", {"scale": f"{table(head, rows(taken))}\n\n{about}"}, write=options.write)
    most = max(spent.memory for spent in taken[sizes[-1]].values()) / 1024
    print(f"peak at {sizes[-1]:,}: {most:.2f} GiB; the bar is {MOST:g} GiB")


if __name__ == "__main__":
    main()
