"""Memory is bounded by the batch: files larger than what a process may take are read and written."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import shapely

from regionalize.io.batch_writer import batch_writer
from regionalize.io.row_batches import RowBatches
from regionalize.io.rows import sliced
from regionalize.model.layer import Layer, LayerOrigin

pytestmark = pytest.mark.unix

CHILD = """
import sys, resource
import numpy as np, pyarrow as pa, pyarrow.csv, pyarrow.parquet, pandas, pyogrio.raw, pyproj, shapely
from regionalize.io.batch_writer import batch_writer
from regionalize.io.row_batches import RowBatches

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

source, out, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
list(RowBatches(None))  # what is loaded once, whatever is read
if limit:  # of anonymous memory: to take more fails
    with open("/proc/self/statm") as pages:
        now = int(pages.read().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (now + int(limit * 2**20),) * 2)
before, rows = peak(), 0
batches = RowBatches(source, rows=2000)
if out:
    with batch_writer(out, batches.head, added={"label": pa.int32()}) as write:
        for batch in batches:
            write(batch, {"label": pa.array(np.zeros(len(batch)), pa.int32())})
            rows += len(batch)
else:
    rows = sum(len(batch) for batch in batches)
print(rows, round(peak() - before))
"""
"""Reads a file in batches, and writes it; prints the number of rows, and the memory that it took (MB)."""


def run(source, out="", limit=0):
    """Return rows and megabytes of a child process that reads `source`, and writes `out`."""
    if sys.platform != "linux":
        pytest.skip("peaks of memory are told by Linux")
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(source), str(out), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return tuple(int(word) for word in done.stdout.split())


def some_rows(rows, points):
    """Give rows of about 16 bytes a point, 1000 at a time: always the same."""
    random = np.random.default_rng(1)
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    reach = random.uniform(10, 100, (1000, points))
    shapes = shapely.polygons(np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=-1))
    table = pa.table({"id": random.integers(0, 10**9, 1000), "size": random.normal(size=1000)})
    wkb = pa.chunked_array([pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary())])
    for start in range(0, rows, 1000):
        m = min(rows - start, 1000)
        yield Layer(table[:m], wkb[:m], "EPSG:27700", LayerOrigin(geometry_type="Polygon"))


def make(path, rows, points):
    """Write rows into a file, without holding them."""
    with batch_writer(path, sliced(next(some_rows(1, points)), 0, 0), added={}) as write:
        for batch in some_rows(rows, points):
            write(batch, {})
    return path


def one_row_group(path, rows, points):
    """Write GeoParquet in which all rows are stored together."""
    parts = list(some_rows(rows, points))
    tables = [part.attributes.append_column("geometry", part.wkb) for part in parts]
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    table = pa.concat_tables(tables).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path, row_group_size=rows)
    return path


def test_less_is_taken_than_the_file_is_large(tmp_path):
    path = make(tmp_path / "in.gpkg", 30_000, 150)
    assert path.stat().st_size > 110 * 2**20
    rows, megabytes = run(path, tmp_path / "out.gpkg")
    assert rows == 30_000
    assert megabytes < 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["in.parquet", "one.parquet", "in.gpkg", "in.fgb"])
def test_reading_takes_no_more_of_a_larger_file(tmp_path, name):
    few, many = 15_000, 60_000
    grown = []
    for rows in (few, many):
        path = tmp_path / f"{rows}{name}"
        (one_row_group if name.startswith("one") else make)(path, rows, 100)
        found, megabytes = run(path)
        assert found == rows
        grown.append(megabytes)
    size = path.stat().st_size / 2**20
    assert size > 85
    # four times the rows: 66 MB more would be all of them
    assert grown[1] < grown[0] + 30, grown
    assert grown[1] < size


@pytest.mark.slow
def test_csv_takes_no_more_of_a_larger_file(tmp_path):
    path, random = tmp_path / "in.csv", np.random.default_rng(1)
    names = [f"v{number}" for number in range(16)]
    block = pa.table({name: random.normal(size=20_000) for name in names})
    with pyarrow.csv.CSVWriter(path, block.schema) as writer:
        for _ in range(10):
            writer.write_table(block)
    size = path.stat().st_size / 2**20
    assert size > 55
    rows, megabytes = run(path)
    assert rows == 200_000
    assert megabytes < size / 2


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".fgb", ".csv"])
def test_writing_takes_no_more_of_a_larger_layer(tmp_path, suffix):
    grown = []
    for rows in (20_000, 60_000):
        source = make(tmp_path / f"{rows}.parquet", rows, 150)
        out = tmp_path / f"{rows}out{suffix}"
        found, megabytes = run(source, out)
        assert found == rows
        grown.append(megabytes)
    # the first fills what is held of a file in any case; the 96 MB of 40,000 more rows come and go
    assert grown[1] < grown[0] + 48, grown


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".fgb"])
def test_a_file_several_times_the_limit(tmp_path, suffix):
    path = make(tmp_path / f"in{suffix}", 400_000, 100)
    limit = 220
    assert path.stat().st_size > 2.5 * limit * 2**20
    rows, megabytes = run(path, tmp_path / f"out{suffix}", limit)
    assert rows == 400_000
    assert megabytes < limit
    assert RowBatches(tmp_path / f"out{suffix}").count == rows
