"""K-means over Dask beside k-means in one process, and of more than workers can hold.

``python -m benchmarks.dask_engine``. Labels must be the same; distributing what one machine can hold costs
time, and how much is what this tells. Then a file several times the memory that the workers may take.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from regionalize.model.job import Job, Outputs
from regionalize.run.dask.cluster import connected
from regionalize.run.dask.partitions import open_parts
from regionalize.run.dask.solve import solve_in_parts
from regionalize.run.files import run
from regionalize.run.progress import Stopwatch

COLUMNS, GROUP = 8, 50_000


def main() -> None:
    """Print seconds of both engines, and peaks of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=int, default=800, help="MiB that each worker may take")
    parser.add_argument("--times", type=float, default=4.0, help="how many times that the last file is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rows in given.rows:
            beside(Path(folder), rows, given.workers)
        beyond(Path(folder), given.limit, given.times, given.workers)


def make_file(path: Path, rows: int, columns: int) -> None:
    """Write clusters that overlap, in row groups."""
    writer = None
    for first in range(0, rows, GROUP):
        rng = np.random.default_rng(first)
        size = min(GROUP, rows - first)
        values = rng.normal(size=(size, columns)) + rng.integers(0, 6, size=(size, 1)) * 2.0
        table = pa.table({f"v{at}": values[:, at] for at in range(columns)})
        writer = writer or pq.ParquetWriter(path, table.schema, compression="none")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def beside(folder: Path, rows: int, workers: int) -> None:
    """Time both engines on the same rows."""
    path = folder / f"{rows}.parquet"
    make_file(path, rows, COLUMNS)
    job = Job(k=12, columns=("v*",), jobs=workers)
    start = time.perf_counter()
    run(str(path), job, Outputs(output=folder / "one.parquet", overwrite=True))
    here = time.perf_counter() - start
    with connected(jobs=workers) as client:
        address = client.scheduler.address
        start = time.perf_counter()
        there = Job(k=12, columns=("v*",), engine="dask", scheduler=address)
        run(str(path), there, Outputs(output=folder / "many.parquet", overwrite=True))
        spent = time.perf_counter() - start
    labels = [
        pq.read_table(folder / name, columns=["cluster"])["cluster"]
        for name in ("one.parquet", "many.parquet")
    ]
    same = float(np.mean(labels[0].to_numpy() == labels[1].to_numpy()))
    print(
        f"{rows:>9,} rows x {COLUMNS}: one process {here:7.1f} s, {workers} workers {spent:7.1f} s"
        f" ({spent / here:.1f} times), same labels {100 * same:.4f} %",
        flush=True,
    )


def beyond(folder: Path, limit: int, times: float, workers: int) -> None:
    """Cluster a file of several times what all workers may take."""
    columns = 32
    rows = int(times * limit * workers * 2**20 / (8 * columns))
    path = folder / "large.parquet"
    make_file(path, rows, columns)
    params = {"search": "starts", "init": "k-means||", "n_init": 1, "max_iter": 5}
    job = Job(k=6, columns=("v*",), engine="dask", params=params)
    start, watch = time.perf_counter(), Stopwatch()
    with connected(jobs=workers, memory=limit * 2**20) as client:
        layer = open_parts(path, columns=job.columns, workers=workers)
        solution, _ = solve_in_parts(client, layer, job, None, watch)
        peaks = [peak // 2**20 for peak in client.run(peak_memory).values()]
    assert solution.report.fit is not None
    stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in watch.seconds.items())
    print(
        f"{rows:>9,} rows x {columns} ({path.stat().st_size / 2**20:,.0f} MiB)"
        f" on {workers} workers of {limit} MiB:"
        f" {time.perf_counter() - start:.0f} s ({stages}); peaks {peaks} MiB;"
        f" BSS/TSS {solution.report.fit.ratio:.4f}"
    )


def peak_memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
