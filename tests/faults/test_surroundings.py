"""What a command finds around it: files that others hold, logs on full disks, folders that are gone."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from regionalize.errors import OutputError
from regionalize.io.check_output import check_output
from regionalize.io.sample import sample_path
from regionalize.io.written import check_crs, check_encoding, check_rows, check_table

PROJECT = Path(__file__).parents[2]
HOLDS = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = wal")
database.execute("SELECT count(*) FROM gpkg_contents").fetchone()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks are asked for as Linux has them")
def test_a_database_that_another_program_may_write_to(tmp_path):
    """What it writes later would be taken for the log of the new file."""
    file = tmp_path / "out.gpkg"
    shutil.copy(sample_path(), file)
    check_output(file, overwrite=True)
    command = [sys.executable, "-c", HOLDS, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match="another program has it open; close it there first"):
            check_output(file, overwrite=True)
        other.communicate()
    check_output(file, overwrite=True)
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def run(words, folder):
    """Run a line of the shell."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PATH": f"{folder}:{os.environ['PATH']}"}
    program = folder / "regionalize"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m regionalize "$@"\n')
    program.chmod(0o755)
    command = ["sh", "-c", words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to write to")
def test_a_log_that_is_full(tmp_path):
    """Notes are lost, and the result is there."""
    found = run("regionalize kmeans --k 3 --columns 'pct_*' -o out.csv 2>/dev/full", tmp_path)
    assert found.returncode == 0
    assert (tmp_path / "out.csv").exists()


@pytest.mark.unix
def test_the_folder_is_gone(tmp_path):
    found = run("mkdir gone; cd gone; rmdir ../gone; regionalize kmeans --k 3 -o out.csv", tmp_path)
    assert found.returncode == 1
    assert "error: the folder that this runs in is gone; go to another one" in found.stderr


@pytest.mark.slow
@pytest.mark.unix
def test_two_write_the_same(tmp_path):
    """Both say that it is written, and what is there is all of one of them."""
    line = "regionalize -q kmeans --columns 'pct_*' --overwrite -o out.shp --k"
    found = run(f"{line} 3 & {line} 5 && wait $!", tmp_path)
    assert found.returncode == 0, found.stderr
    read = run("regionalize -q validate out.shp --label-column cluster --columns 'pct_*' --json", tmp_path)
    assert len(json.loads(read.stdout)["sizes"]) in {3, 5}
    assert json.loads((tmp_path / "out.shp.run.json").read_text())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no locale of ASCII only")
def test_a_locale_of_ascii(tmp_path):
    shutil.copy(sample_path(), tmp_path / "município.gpkg")
    command = "LC_ALL=C regionalize -q {} --k 3 --columns 'pct_*'"
    found = run(command.format("kmeans município.gpkg -o saída.shp --report saída.json"), tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert json.loads((tmp_path / "saída.json").read_text(encoding="utf-8"))
    found = run(command.format("batch município.gpkg --method kmeans --jobs 2 --out-dir saídas"), tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "saídas" / "município.gpkg").exists()
    found = run(command.format("kmeans não.gpkg"), tmp_path)
    assert found.returncode == 1
    assert "não.gpkg" in found.stderr


@pytest.fixture
def disk(small_disk):
    with small_disk("600k") as folder:
        yield folder


@pytest.mark.slow
def test_home_and_folder_are_read_only(disk, tmp_path):
    (disk / "home").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    line = "cd disk; HOME=$PWD/home regionalize -q {} --k 3 --columns 'pct_*'"
    found = run(line.format("kmeans -o ../x.gpkg --map ../m.png --report ../r.html"), tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert all((tmp_path / name).exists() for name in ("x.gpkg", "m.png", "r.html"))
    found = run(line.format("batch --method kmeans,skater --jobs 2 --out-dir ../out"), tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert len(list((tmp_path / "out").glob("*.gpkg"))) == 2
    found = run(line.format("kmeans -o x.gpkg"), tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("error: x.gpkg: the folder ")
    assert "cannot be written" in found.stderr


@pytest.mark.slow
def test_a_batch_fills_the_disk(disk, tmp_path):
    """It goes on once there is space."""
    (disk / "ballast").write_bytes(bytes(100_000))
    line = (
        "regionalize -q batch --method kmeans,skater --k 3 --jobs 2 --columns 'pct_*' --out-dir disk --resume"
    )
    found = run(line, tmp_path)
    assert found.returncode == 1
    assert "there is no space left on the device; free some space" in found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    whole = {path.name for path in disk.glob("*.gpkg")}
    assert whole < {"georgia-kmeans.gpkg", "georgia-skater.gpkg"}
    assert [path.name for path in disk.iterdir() if path.name.endswith(".tmp")] == []
    (disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    found = run(line, tmp_path)
    assert found.returncode == 0, found.stderr
    assert len(list(disk.glob("*.gpkg"))) == 2


# --- files in which a write was lost ------------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    """Return `path = written(".shp")`: the sample, written in a format."""
    from regionalize.io.read import read_layer
    from regionalize.io.write import write_layer

    def make(ending):
        write_layer(read_layer(None), tmp_path / f"x{ending}", added={})
        return tmp_path / f"x{ending}"

    return make


def spoil(path, at, data):
    """Put other bytes into a file."""
    with path.open("r+b") as file:
        file.seek(at if at >= 0 else path.stat().st_size + at)
        file.write(data)


@pytest.mark.parametrize(
    ("at", "data", "says"),
    [
        (-500, bytes(8), "row 158 of the .dbf has a hole"),
        (-1, b" ", "the end of the .dbf is missing"),
        (8, b"\0\0", "the header of the .dbf is not whole"),
    ],
)
def test_a_hole_in_a_table(at, data, says, written):
    from regionalize.errors import DataError

    table = written(".shp").with_suffix(".dbf")
    check_table(table)
    spoil(table, at, data)
    with pytest.raises(DataError, match=says):
        check_table(table)


def test_what_belongs_to_a_shapefile_is_lost(written):
    from regionalize.errors import DataError

    path = written(".shp")
    check_crs(path, "EPSG:26716")
    path.with_suffix(".prj").write_text("PROJCS[")
    with pytest.raises(DataError, match=r"the \.prj"):
        check_crs(path, "EPSG:26716")
    check_encoding(path, "UTF-8")
    path.with_suffix(".cpg").write_text("")
    with pytest.raises(DataError, match=r"the \.cpg"):
        check_encoding(path, "UTF-8")


def test_a_part_of_a_row_is_lost(written):
    from regionalize.errors import DataError

    path = written(".fgb")
    check_rows(path, 159)
    data = path.read_bytes()
    path.write_bytes(data[:100_000] + data[100_008:])
    with pytest.raises(DataError, match="of 159 rows follow each other"):
        check_rows(path, 159)


def test_the_header_of_a_geodatabase_is_lost(written):
    """GDAL reads all rows, and warns."""
    from regionalize.io.formats import GEODATABASE
    from regionalize.io.verify import verify

    path = written(".gdb")
    names = ["pct_rural"]
    verify(path, GEODATABASE, "x", names, 159)
    tables = sorted(path.glob("*.gdbtable"))
    spoil(tables[-1], 4, struct.pack("<I", 521))  # the number of rows
    with pytest.raises(
        OutputError, match="could not be written whole: a table of the geodatabase is not sound"
    ):
        verify(path, GEODATABASE, "x", names, 159)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits on data are those of Linux")
def test_a_limit_in_which_linear_algebra_would_wait_for_ever(tmp_path):
    words = (
        "ulimit -d 256000; exec timeout -s KILL 100 ./regionalize spectral --k 3 --columns 'pct_*' -o out.csv"
    )
    found = run(words, tmp_path)
    assert found.returncode == 1, found.stderr
    assert found.stderr.splitlines()[-1].startswith("error: there is not enough memory for this; ")
    assert not (tmp_path / "out.csv").exists()
