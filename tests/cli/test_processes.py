"""What only a process of its own can show: start-up, signals, pipes, full disks, repeatability."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

HEAVY = (
    *("numpy", "pandas", "geopandas", "sklearn", "libpysal", "numba", "matplotlib", "scipy", "pyarrow"),
    *("shapely", "pyogrio", "pyproj", "rich"),
)
LOADED = """
import sys
from regionalize.cli.program import run_program

for line in sys.argv[1:]:
    run_program(line.split())
print("loaded:", *(name for name in {heavy!r} if name in sys.modules))
"""
COMMANDS = ("kmeans", "validate", "weights", "smooth", "map", "info", "sample")


def test_help_loads_nothing_heavy(process):
    lines = ["--help", "--version", *(f"{name} --help" for name in COMMANDS)]
    found = process(*lines, code=LOADED.format(heavy=HEAVY))
    assert found.code == 0, found.err
    assert found.out.count("Usage: regionalize") == len(COMMANDS) + 1
    assert found.out.splitlines()[-1] == "loaded:"


def test_import_is_lazy(process):
    code = f"import sys, regionalize as rz; dir(rz); print([m for m in {HEAVY} if m in sys.modules])"
    assert process(code=code).out == "[]\n"


def test_main_job_needs_no_peers(process, tmp_path):
    """On small data neither the peers nor the slow starters are loaded."""
    code = """
import sys
from regionalize.cli import main
try:
    main()
except SystemExit as done:
    assert done.code == 0
print([m for m in ("sklearn", "libpysal", "numba", "pandas", "geopandas") if m in sys.modules])
"""
    found = process("-q", "kmeans", "--k", 12, "--with-centroids", "-o", "out.gpkg", "--json", code=code)
    assert found.out.splitlines()[-1] == "[]"
    assert (tmp_path / "out.gpkg").exists()


def test_a_batch_leaves_all_that_is_heavy_to_its_workers(process, tmp_path):
    line = "-q batch --method kmeans --k 3 --out-dir out --map .png --save-config run.toml"
    plugins = {"regionalize.model.plugins"}  # by which methods of other packages are looked for
    found = process(line, code=LOADED.format(heavy={*HEAVY, *plugins} - {"rich"}))
    assert found.out.splitlines()[-1] == "loaded:"
    assert (tmp_path / "out" / "georgia.png").exists()


def test_version(process):
    import regionalize

    found = process("--version")
    assert (found.code, found.out, found.err) == (0, f"regionalize {regionalize.__version__}\n", "")


def test_the_literal_command_on_a_fresh_install(process, tmp_path):
    found = process("kmeans", "--k", 12, "--with-centroids")
    assert found.code == 0
    assert "BSS/TSS" in found.out
    assert "bundled sample" in found.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGINT)])
def test_stopped_while_working(sent, tmp_path, child, check):
    out = tmp_path / "out.gpkg"
    out.write_bytes(b"old")
    before = check.tree(tmp_path)
    endless = ("--search", "starts", "--n-init", 100_000_000)
    files = ("-o", out, "--overwrite", "--report", tmp_path / "x.json")
    process = child("kmeans", "--k", 12, *endless, *files)
    assert "sample" in process.stderr.readline()  # said before any work
    time.sleep(1.0)
    assert process.poll() is None
    check.stopped(process, sent, tmp_path, before)


@pytest.mark.unix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_writing(sent, tmp_path, child, check):
    table = tmp_path / "in.csv"
    values = np.random.default_rng(0).normal(size=(250_000, 2)).round(3)
    np.savetxt(table, values, delimiter=",", header="a,b", comments="", fmt="%.3f")
    (tmp_path / "out.gpkg").write_bytes(b"old")
    before = check.tree(tmp_path)
    files = ("-o", "out.gpkg", "--overwrite", "--centers", "x.csv")
    process = child("kmeans", "--k", 2, table, *files)
    while process.poll() is None and not list(tmp_path.glob(".out.gpkg.*/*.gpkg")):
        time.sleep(0.001)
    check.stopped(process, sent, tmp_path, before)


@pytest.mark.parametrize("args", [("kmeans", "--k", 3, "-o", "-"), ("kmeans", "--k", 3), ("info",)])
def test_reader_goes_away(args, tmp_path, process_environment):
    command = [sys.executable, "-m", "regionalize", *map(str, args)]
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=process_environment,
            stdout=write_end,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(write_end)
    err = done.stderr
    assert done.returncode in (0, 1)
    assert "error" not in err
    assert "Traceback" not in err
    assert "Exception" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("options", ["", "--json", "-o -"])
def test_standard_output_is_full(options, tmp_path, process_environment):
    line = f"'{sys.executable}' -m regionalize -q kmeans --k 3 {options} > /dev/full"
    done = subprocess.run(
        line, shell=True, cwd=tmp_path, env=process_environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["error: standard output: No space left on device"]


@pytest.mark.unix
def test_standard_output_is_closed(tmp_path, process_environment):
    line = f"'{sys.executable}' -m regionalize -q kmeans --k 3 -o x.gpkg >&- 2>&-"
    done = subprocess.run(line, shell=True, cwd=tmp_path, env=process_environment, check=False)
    assert done.returncode == 0
    assert (tmp_path / "x.gpkg").exists()


@pytest.mark.unix
def test_head_of_a_stream_does_not_spoil_the_files(tmp_path, process_environment):
    line = "-m regionalize -q kmeans --k 3 --centers x.csv -o - | head -1"
    done = subprocess.run(
        f"'{sys.executable}' {line}",
        shell=True,
        cwd=tmp_path,
        env=process_environment,
        capture_output=True,
        check=False,
    )
    assert len(done.stdout.splitlines()) <= 1
    assert done.stderr == b""
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


LITTLE_ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from regionalize.cli.program import run_program
raise SystemExit(run_program(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits file sizes the Unix way")
@pytest.mark.parametrize("name", ["out.gpkg", "out.shp", "out.geojson", "out.parquet"])
def test_files_may_not_grow(name, tmp_path, process, check):
    """The disk is full, as far as the process can tell."""
    (tmp_path / name).write_bytes(b"old")
    before = check.tree(tmp_path)
    args = ("-q", "kmeans", "--k", 3, "--overwrite", "-o", name, "--report", "x.json")
    check.refusal(process(20_000, *args, code=LITTLE_ROOM), 1, says=name)
    assert check.tree(tmp_path) == before


@pytest.fixture
def tiny_disk(small_disk):
    with small_disk("128k") as folder:
        yield folder


@pytest.mark.parametrize("name", ["out.gpkg", "out.shp", "out.parquet"])
def test_full_disk(name, tiny_disk, process, check):
    (tiny_disk / name).write_bytes(b"old")
    (tiny_disk / "ballast").write_bytes(b"0" * 100_000)
    before = check.tree(tiny_disk)
    args = ("-q", "kmeans", "--k", 3, "--overwrite", "-o", tiny_disk / name, "--map", tiny_disk / "x.svg")
    check.refusal(process(*args), 1, says="space")
    assert check.tree(tiny_disk) == before


def test_same_bytes_on_any_number_of_threads(process, tmp_path, read):
    for run, (jobs, hashes) in enumerate([(1, "0"), (2, "1"), (1, "random")]):
        found = process(
            *("-q", "kmeans", "--k", 7, "--seed", 5, "--jobs", jobs, "-o", f"{run}.parquet"),
            PYTHONHASHSEED=hashes,
        )
        assert found.code == 0, found.err
    first, *others = (read(tmp_path / f"{run}.parquet")["cluster"] for run in range(3))
    for other in others:
        assert first.to_numpy().tobytes() == other.to_numpy().tobytes()
        assert first.dtype == other.dtype


def test_stream_in_and_out(process, tmp_path, grid):
    data = grid().to_crs("EPSG:4326").to_json().encode()
    one = process("-q", "kmeans", "-", "--k", 3, "--columns", "a,b", "-o", "-", stdin=data)
    assert (one.code, one.err) == (0, "")
    assert len(json.loads(one.out)["features"]) == 25
    two = process(
        "-q",
        "validate",
        "-",
        "--label-column",
        "cluster",
        "--columns",
        "a,b",
        "--json",
        stdin=one.out.encode(),
    )
    assert two.code == 0
    assert json.loads(two.out)["sizes"] == sorted(json.loads(two.out)["sizes"], reverse=True)
    assert list(tmp_path.iterdir()) == []


def test_nothing_on_standard_input(process, check):
    check.refusal(process("kmeans", "-", "--k", 3), 1, says="standard input")


def test_terminal_that_knows_only_ascii(process, grid, save):
    frame = grid().rename(columns={"a": "índice", "b": "número"})
    source = save(frame)
    for options in ((), ("--json",), ("-o", "-")):
        found = process("kmeans", "--k", 3, source, *options, PYTHONIOENCODING="ascii")
        assert found.code == 0, found.err
        if options:
            json.loads(found.out)
    assert process("kmeans", "--help", PYTHONIOENCODING="ascii").code == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file names are bytes on Linux")
def test_file_name_that_is_not_text(process, squares, tmp_path, check):
    name = os.fsdecode(b"caf\xe9.gpkg")
    check.refusal(process("-q", "kmeans", "--k", 3, squares, "-o", name), 1)
    os.rename(squares, tmp_path / name)
    before = check.tree(tmp_path)
    check.refusal(process("kmeans", "--k", 3, name, "--report", "x.json"), 1, says="UTF-8")
    assert check.tree(tmp_path) == before


def test_debug_shows_where(process):
    found = process("--debug", "kmeans", "none.gpkg", "--k", 3)
    assert found.code == 1
    assert "Traceback" in found.err
