"""What a run does beyond reading and writing: no address, no program, nothing written where nobody said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regionalize.io.sample import sample_path

PROJECT = Path(__file__).parents[2]
WATCHED = """
import json, os, sys
log = []
ASKS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "urllib.Request"}
STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "pty.spawn"}
UNPACKS = {"pickle.find_class", "shutil.unpack_archive"}
MAKES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.chmod", "shutil.copyfile"}
def hook(event, args):
    if event in ASKS | STARTS | UNPACKS:
        log.append([event, repr(args)[:300]])
    elif event == "open" and isinstance(args[0], str | bytes | os.PathLike):
        mode, flags = args[1] or "", args[2] or 0
        if set(str(mode)) & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            log.append(["write", os.path.abspath(os.fsdecode(args[0]))])
    elif event in MAKES and not (isinstance(args[-1], int) and args[-1] > 2):  # not within an open folder
        places = [os.fsdecode(one) for one in args if isinstance(one, str | bytes | os.PathLike)]
        log.extend(["write", os.path.abspath(one)] for one in places)
sys.addaudithook(hook)
from regionalize.cli.program import run_program
codes = [run_program(args) for args in json.loads(sys.argv[1])]
print(json.dumps({"codes": codes, "log": log}), file=sys.__stderr__)
"""
RUNS = [
    [
        "kmeans",
        "in/a.gpkg",
        "--k",
        "3",
        "-o",
        "out/a.gpkg",
        "--report",
        "out/a.html",
        "--map",
        "out/map.html",
    ],
    [
        "skater",
        "in/a.zip",
        "--k",
        "3",
        "-o",
        "out/b.shp",
        "--map",
        "out/b.png",
        "--save-config",
        "out/a.toml",
    ],
    ["kmeans", "in/a.shp", "--k", "3", "-o", "out/c.geojson", "--centers", "out/c.csv"],
    ["assign", "in/a.gpkg", "--centers", "out/c.csv", "-o", "out/d.parquet"],
    ["weights", "in/a.gpkg", "-o", "out/a.gal"],
    ["info", "out/d.parquet"],
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run some commands in a process that keeps account of itself."""
    import zipfile

    root = tmp_path_factory.mktemp("runs")
    for name in ("in", "out", "home", "tmp", "cache"):
        (root / name).mkdir()
    for ending in (".gpkg", ".shp", ".shx", ".dbf", ".prj", ".cpg"):
        (root / "in" / f"a{ending}").write_bytes(sample_path().with_suffix(ending).read_bytes())
    with zipfile.ZipFile(root / "in" / "a.zip", "w") as archive:
        archive.write(root / "in" / "a.gpkg", "a.gpkg")
    before = {path: path.stat().st_mtime_ns for path in (root / "in").iterdir()}
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "HOME": str(root / "home"),
        "TMPDIR": str(root / "tmp"),
        "MPLCONFIGDIR": str(root / "cache"),
        "NUMBA_CACHE_DIR": str(root / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    args = [sys.executable, "-c", WATCHED, json.dumps(RUNS)]
    done = subprocess.run(
        args, cwd=root, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stderr.splitlines()[-1])
    assert found["codes"] == [0] * len(RUNS), done.stderr[-2000:]
    return root, before, found


def test_nobody_is_asked_and_nothing_is_started(ran):
    _, _, found = ran
    events = [entry for entry in found["log"] if entry[0] != "write"]
    # the first time, matplotlib asks the system which fonts there are; nothing of the input is in that
    assert [entry for entry in events if entry[1].split("'")[1] not in ("fc-list", "system_profiler")] == []


def test_only_outputs_are_written(ran):
    root, before, found = ran
    places = [str(root / name) + os.sep for name in ("out", "tmp", "cache")]
    elsewhere = [
        path for event, path in found["log"] if event == "write" and not path.startswith(tuple(places))
    ]
    assert [
        path for path in elsewhere if path not in (os.devnull, *places) and path + os.sep not in places
    ] == []
    assert len(found["log"]) > 20, "the account is empty"
    assert {path: path.stat().st_mtime_ns for path in (root / "in").iterdir()} == before
    assert sorted(path.name for path in root.iterdir()) == ["cache", "home", "in", "out", "tmp"]


def test_nothing_stays_behind(ran):
    root, _, _ = ran
    assert list((root / "tmp").iterdir()) == []
    assert list((root / "home").iterdir()) == []
    assert [path.name for path in (root / "out").iterdir() if path.name.startswith(".")] == []


def test_outputs_may_be_read_as_any_file_of_the_person(ran):
    """Neither more secret nor less than the person's umask says."""
    root, _, _ = ran
    plain = root / "plain"
    plain.write_text("x")
    wanted = plain.stat().st_mode & 0o777
    plain.unlink()
    assert {
        path.name: path.stat().st_mode & 0o777 for path in (root / "out").iterdir() if path.is_file()
    } == {path.name: wanted for path in (root / "out").iterdir() if path.is_file()}
