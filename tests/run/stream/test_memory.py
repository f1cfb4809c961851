"""A file larger than the memory that a process may have is clustered all the same."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks of memory are read in /proc"),
]

LIMIT = 600 << 20
COLUMNS = 32
CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
from regionalize.cli.program import run_program
code = run_program(sys.argv[2:])
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(int(peak) << 10, file=sys.stderr)
sys.exit(code)
"""


def table(path, rows, groups=50_000):
    rng = np.random.default_rng(1)
    middle = rng.normal(0, 3, size=(5, COLUMNS))
    names = [f"e{j}" for j in range(1, COLUMNS + 1)]
    schema = pa.schema([("row", pa.int64()), *((name, pa.float64()) for name in names)])
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for first in range(0, rows, groups):
            X = middle[rng.integers(5, size=groups)] + rng.normal(size=(groups, COLUMNS))
            writer.write_table(pa.table([np.arange(first, first + groups), *X.T], schema=schema))
    return path


def run(*words, limit=LIMIT):
    """Run a command within a limit; return what it printed, and its peak of memory in bytes."""
    given = [sys.executable, "-c", CHILD, str(limit), *map(str, words)]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout), int(done.stderr.split()[-1])


def test_a_file_several_times_the_limit(tmp_path):
    rows = 8_000_000
    source, out = table(tmp_path / "in.parquet", rows), tmp_path / "out.parquet"
    assert source.stat().st_size > 3 * LIMIT
    words = ["kmeans", source, "--k", "5", "--columns", "e*", "--batch-size", "256", "--test-share", "20%"]
    found, peak = run(*words, "-o", out, "--json")
    assert peak < LIMIT
    assert sum(found["sizes"]) == rows
    labels = pq.read_table(out, columns=["cluster", "split", "row"])
    assert labels.num_rows == rows
    assert labels["row"].to_numpy().tolist() == list(range(rows))
    assert np.bincount(labels["cluster"].to_numpy())[1:].tolist() == found["sizes"]


def test_memory_does_not_grow_with_the_rows(tmp_path):
    words = ["--k", "5", "--columns", "e*", "--batch-size", "256", "--json"]
    peaks = []
    for rows in (200_000, 1_600_000):
        source = table(tmp_path / f"{rows}.parquet", rows)
        peaks.append(run("kmeans", source, *words, "-o", tmp_path / f"{rows}.out.parquet")[1])
    assert peaks[1] < peaks[0] + (40 << 20)
