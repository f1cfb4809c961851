"""Rows of several times the memory that the worker may take: clustered all the same, within it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regionalize.model.job import Job, Outputs
from regionalize.run.dask.cluster import connected
from regionalize.run.dask.partitions import open_parts
from regionalize.run.dask.solve import solve_in_parts
from regionalize.run.files import run
from regionalize.run.progress import Stopwatch

LIMIT = 600 * 2**20
ROWS, COLUMNS, GROUP = 2_500_000, 64, 20_000


def peak():
    """Most bytes that this process has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read as Linux tells them")
@pytest.mark.parametrize("rows", [ROWS])
def test_what_no_worker_can_hold_is_clustered(tmp_path, rows):
    """The file alone is twice the limit, and its numbers are held twice, most of the time on disk."""
    path = tmp_path / "large.parquet"
    writer = None
    for first in range(0, rows, GROUP):
        rng = np.random.default_rng(first)
        values = rng.normal(size=(GROUP, COLUMNS)) + rng.integers(0, 4, size=(GROUP, 1)) * 2.0
        table = pa.table({f"v{at}": values[:, at] for at in range(COLUMNS)})
        writer = writer or pq.ParquetWriter(path, table.schema, compression="none")
        writer.write_table(table)
    writer.close()
    assert 2 * path.stat().st_size > 4 * LIMIT
    params = {"search": "starts", "init": "random", "n_init": 1, "max_iter": 3}
    job = Job(k=4, columns=("v*",), engine="dask", params=params)
    with connected(jobs=1, memory=LIMIT) as client:
        layer = open_parts(path, columns=job.columns)
        found, _ = solve_in_parts(client, layer, job, None, Stopwatch())
        assert max(client.run(peak).values()) < LIMIT
    expected = run(str(path), Job(k=4, columns=("v*",), params=params), Outputs())
    assert found.report.sizes == expected.report.sizes
    np.testing.assert_allclose(found.report.centers, expected.report.centers, atol=1e-8)
