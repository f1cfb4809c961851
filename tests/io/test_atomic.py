"""An output is the old file or the whole new one: full disks, failures and interrupts at every step."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio.raw
import pytest

from regionalize.errors import OutputError
from regionalize.io.atomic import remove_leftovers, replacing, staging
from regionalize.io.centers import write_centers
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path
from regionalize.io.write import write_layer
from regionalize.model.centers import Centers

SUFFIXES = [".gpkg", ".shp", ".shp.zip", ".geojson", ".fgb", ".gdb", ".parquet", ".csv"]


@pytest.fixture(scope="module")
def layer():
    return read_layer(None)


@pytest.fixture(scope="module")
def added():
    return {"cluster": pa.array([1, 2, None] * 53, pa.int32())}


def content(folder):
    """Every file under a folder with its bytes, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- replacing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, OSError])
def test_old_file_stays_when_writing_fails(tmp_path, failure):
    target = tmp_path / "out.txt"
    target.write_text("old")
    expected = OutputError if failure is OSError else failure

    def write_half():
        with replacing(target) as temporary:
            temporary.write_text("ne")
            raise failure

    with pytest.raises(expected):
        write_half()
    assert content(tmp_path) == {"out.txt": b"old"}


def test_new_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        assert temporary.parent.parent == tmp_path
        assert temporary.parent.name.startswith(".")
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert content(tmp_path) == {"out.txt": b"new"}


@pytest.mark.unix
def test_permissions_are_kept(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    target.chmod(0o640)
    with replacing(target) as temporary:
        temporary.write_text("new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    fresh = tmp_path / "fresh.txt"
    before = os.umask(0o027)
    try:
        with replacing(fresh) as temporary:
            temporary.write_text("new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o640


def test_links_are_followed(tmp_path):
    (tmp_path / "data").mkdir()
    real = tmp_path / "data" / "real.txt"
    real.write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to("data/real.txt")
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(OutputError), replacing(loop):
        pytest.fail("a loop of links was opened")


@pytest.mark.unix
@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "no folder", "file as folder", "long name"])
def test_targets_that_cannot_be_replaced(tmp_path, kind):
    if kind == "pipe":
        os.mkfifo(tmp_path / "pipe")
    if kind == "file as folder":
        (tmp_path / "file").touch()
    target = {
        "device": "/dev/null",
        "pipe": tmp_path / "pipe",
        "folder": tmp_path,
        "no folder": tmp_path / "none" / "a.txt",
        "file as folder": tmp_path / "file" / "a.txt",
        "long name": tmp_path / ("x" * 300),
    }[kind]
    with pytest.raises(OutputError) as caught, replacing(target) as temporary:
        temporary.write_text("x")
    assert caught.value.advice
    assert "\n" not in str(caught.value)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_nothing_written_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="nothing was written"), replacing(tmp_path / "a.txt"):
        pass
    assert content(tmp_path) == {}


def test_read_only_folder(read_only_folder):
    with read_only_folder as (folder, seal):
        (folder / "a.txt").write_text("old")
        seal()
        with pytest.raises(OutputError, match="cannot be written"), replacing(folder / "a.txt"):
            pytest.fail("the folder took a file")
        assert (folder / "a.txt").read_text() == "old"


# --- layers: a failure at each step -------------------------------------------------------------------


class InjectedError(Exception):
    pass


@pytest.mark.parametrize("failure", [InjectedError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("step", ["flush", "os.replace", "os.rename", "verify"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_old_output_survives_a_failure(tmp_path, layer, added, monkeypatch, suffix, step, failure):
    out = tmp_path / f"out{suffix}"
    write_layer(layer, out, added={})
    before = content(tmp_path)

    def fail(*_, **__):
        raise failure

    where = {
        "flush": "regionalize.io.atomic.flush",
        "os.replace": "regionalize.io.atomic.os.replace",
        "os.rename": "regionalize.io.atomic.os.rename",
        "verify": "regionalize.io.staged.verify",
    }
    monkeypatch.setattr(where[step], fail)
    multi_step = suffix in {".shp", ".gdb"}
    if (step == "os.rename") != multi_step and step in {"os.rename", "os.replace"}:
        write_layer(layer, out, added=added, overwrite=True)  # not a step of this format
        return
    with pytest.raises((failure, OutputError)):
        write_layer(layer, out, added=added, overwrite=True)
    monkeypatch.undo()
    assert content(tmp_path) == before
    write_layer(layer, out, added=added, overwrite=True)
    assert "cluster" in read_layer(out).column_names


@pytest.mark.parametrize("suffix", [".shp", ".gdb"])
def test_every_rename_of_a_set_can_fail(tmp_path, layer, added, monkeypatch, suffix):
    """Whichever rename fails, all old parts are back in place."""
    out = tmp_path / f"out{suffix}"
    write_layer(layer, out, added={})
    before = content(tmp_path)
    rename = os.rename
    for broken in range(20):
        calls = iter(range(1000))

        def fail_once(source, target, calls=calls, broken=broken):
            if next(calls) == broken:
                raise OSError(28, "No space left on device")
            rename(source, target)

        monkeypatch.setattr("regionalize.io.atomic.os.rename", fail_once)
        try:
            write_layer(layer, out, added=added, overwrite=True)
        except OutputError as error:
            assert "no space left" in str(error)  # noqa: PT017  # it may also succeed
            assert content(tmp_path) == before
        else:
            break
        finally:
            monkeypatch.undo()
    assert 2 <= broken < 20
    assert "cluster" in read_layer(out).column_names


def test_old_companions_that_would_lie_are_removed(tmp_path, layer, added):
    import dataclasses

    out = tmp_path / "out.shp"
    write_layer(layer, out, added={})
    (tmp_path / "out.qix").write_text("a spatial index of the old shapes")
    (tmp_path / "out.qml").write_text("a style")
    write_layer(dataclasses.replace(layer, crs=None), out, added=added, overwrite=True)
    assert sorted(content(tmp_path)) == ["out.cpg", "out.dbf", "out.qml", "out.shp", "out.shx"]
    assert read_layer(out).crs is None


def test_permissions_of_every_part_are_kept(tmp_path, layer, added):
    out = tmp_path / "out.shp"
    write_layer(layer, out, added={})
    out.with_suffix(".dbf").chmod(0o600)
    write_layer(layer, out, added=added, overwrite=True)
    assert stat.S_IMODE(out.with_suffix(".dbf").stat().st_mode) == 0o600


# --- adding to a GeoPackage ---------------------------------------------------------------------------


def dump(path, skip):
    """Every table of a database but those of one layer, row by row."""
    with sqlite3.connect(path) as database:
        names = [r[0] for r in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"')))
            for name in names
            if skip not in name and name not in {"sqlite_sequence"}
        }
    database.close()
    for name in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_ogr_contents", "gpkg_extensions"):
        found[name] = [row for row in found.get(name, []) if skip not in row]
    return found


def test_adding_a_layer_leaves_the_others(tmp_path, layer, added):
    out = tmp_path / "out.gpkg"
    write_layer(layer, out, added={})
    pyogrio.raw.write_arrow(pa.table({"a": [1]}), out, layer="lookup", driver="GPKG", append=True)
    with sqlite3.connect(out) as database:
        database.execute("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, styleQML TEXT)")
        database.execute("INSERT INTO layer_styles VALUES (1, '<qml/>')")
    database.close()
    before = dump(out, "regions")
    write_layer(layer, out, added=added, layer_name="regions")
    assert dump(out, "regions") == before
    found = read_layer(out, layer="regions")
    assert found.attributes["cluster"].to_pylist() == added["cluster"].to_pylist()
    assert found.wkb.to_pylist() == layer.wkb.to_pylist()
    with pytest.raises(OutputError, match="already has a layer 'regions'; use --overwrite"):
        write_layer(layer, out, added=added, layer_name="regions")
    with pytest.raises(OutputError, match="already has a layer 'Regions'"):
        write_layer(layer, out, added=added, layer_name="Regions")
    write_layer(layer, out, added={}, layer_name="regions", overwrite=True)
    assert dump(out, "regions") == before
    assert read_layer(out, layer="regions").column_names == layer.column_names
    with pytest.raises(OutputError, match="already exists"):
        write_layer(layer, out, added=added)
    write_layer(layer, out, added=added, overwrite=True)  # without a layer's name, the whole file
    assert read_layer(out).origin.layer == "out"


@pytest.mark.parametrize("name", ["regions", None])
def test_a_geopackage_in_use_is_left_alone(tmp_path, layer, added, name):
    """Its second file would be read as the new one's."""
    out = tmp_path / "out.gpkg"
    write_layer(layer, out, added={})
    other = sqlite3.connect(out)
    other.execute("PRAGMA journal_mode=wal")
    other.execute("CREATE TABLE notes (text)")
    other.execute("INSERT INTO notes VALUES ('not in the main file yet')")
    other.commit()
    with pytest.raises(OutputError, match=r"another program has it open \(out.gpkg-wal lies beside it\)"):
        write_layer(layer, out, added=added, layer_name=name, overwrite=True)
    assert other.execute("SELECT * FROM notes").fetchall() == [("not in the main file yet",)]
    other.close()
    write_layer(layer, out, added=added, layer_name=name, overwrite=True)
    with sqlite3.connect(out) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_adding_to_what_is_no_geopackage(tmp_path, layer, added):
    out = tmp_path / "out.gpkg"
    out.write_text("not a database, but somebody's")
    with pytest.raises(OutputError, match="not a sound GeoPackage"):
        write_layer(layer, out, added=added, layer_name="regions")
    assert content(tmp_path) == {"out.gpkg": b"not a database, but somebody's"}


# --- full disk ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("old", [True, False])
def test_full_disk(small_disk, layer, added, suffix, old):
    """The disk fills up at some point of the write, wherever that is for the format."""
    refused = 0
    for size in ("8k", "16k", "100k", "200k", "400k", "800k", "1200k", "1600k"):
        with small_disk(size) as folder:
            out = folder / f"out{suffix}"
            if old:
                small = read_layer(None, where="name = 'Fulton'")
                try:
                    write_layer(small, out, added={})
                except OutputError:
                    continue
            before = content(folder)
            try:
                write_layer(layer, out, added=added, overwrite=True)
            except OutputError as error:
                refused += 1
                assert "\n" not in str(error)  # noqa: PT017  # it may also succeed
                assert "space" in str(error)  # noqa: PT017  # it may also succeed
                assert content(folder) == before
            else:
                found = read_layer(out)
                assert found.attributes["cluster"].to_pylist() == added["cluster"].to_pylist()
                assert suffix == ".csv" or len(set(found.wkb.to_pylist())) == 159
    assert refused


def test_full_disk_while_adding_a_layer(small_disk, layer, added):
    with small_disk("1100k") as folder:
        out = folder / "out.gpkg"
        write_layer(layer, out, added={})
        before = content(folder)
        with pytest.raises(OutputError, match="space"):
            write_layer(layer, out, added=added, layer_name="regions")
        assert content(folder) == before


def test_full_disk_for_a_table(small_disk):
    many = Centers(np.arange(1, 5001), ("a",), np.full((5000, 1), 1 / 3), np.ones(5000, dtype=np.int64))
    with small_disk("16k") as folder:
        with pytest.raises(OutputError, match="no space left"):
            write_centers(folder / "c.csv", many)
        assert content(folder) == {}


@pytest.mark.unix
def test_file_size_limit(tmp_path):
    """`ulimit -f`: the system refuses to let a file grow, as a quota would."""
    code = f"""
        import resource, signal
        from regionalize.errors import OutputError
        from regionalize.io.read import read_layer
        from regionalize.io.write import write_layer
        layer = read_layer(None)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))
        for suffix in {SUFFIXES!r}:
            try:
                write_layer(layer, {str(tmp_path / "out")!r} + suffix, added={{}})
            except OutputError as error:
                print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == [str(tmp_path / f"out{suffix}") for suffix in SUFFIXES]
    assert content(tmp_path) == {}


# --- signals ------------------------------------------------------------------------------------------


STOPS = [
    (".shp", signal.SIGINT),
    (".shp", signal.SIGTERM),
    (".gpkg", signal.SIGTERM),
    (".geojson", signal.SIGINT),
]


@pytest.mark.unix
@pytest.mark.parametrize(("suffix", "number"), STOPS)
def test_a_signal_while_writing(tmp_path, suffix, number):
    """A process told to stop again and again leaves the old file or the new one, and no litter."""
    out = tmp_path / f"out{suffix}"
    shutil.copy(sample_path(), tmp_path / "in.gpkg")
    write_layer(read_layer(None, where="name = 'Fulton'"), out, added={})
    (tmp_path / "in.gpkg").unlink()
    old = content(tmp_path)
    code = f"""
        import os, signal, sys, threading
        import pyarrow as pa, pyogrio.raw, pyarrow.parquet
        from regionalize.io.read import read_layer
        from regionalize.io.write import write_layer
        def stop(*_):
            raise SystemExit(143)
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells make background jobs ignore it
        layer = read_layer(None)
        print("ready", flush=True)
        threading.Timer(float(sys.argv[1]), os.kill, (os.getpid(), {int(number)})).start()
        try:
            while True:
                write_layer(layer, {str(out)!r}, added={{}}, overwrite=True)
        except KeyboardInterrupt:
            sys.exit(130)
    """
    for delay in (0.02, 0.11):
        command = [sys.executable, "-c", textwrap.dedent(code), str(delay)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode in {130, 143}, done.stderr
        now = content(tmp_path)
        assert set(now) == set(old)
        assert now == old or len(read_layer(out)) == 159


# --- what others have left, and what they are at ------------------------------------------------------


KILLED = """
import os, sys
from pathlib import Path
from regionalize.io.atomic import staging
with staging(Path(sys.argv[1])) as folder:
    (folder / "part").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
    if sys.argv[2] == "dies":
        os._exit(9)
"""


@pytest.mark.unix
@pytest.mark.parametrize("how", ["dies", "ends"])
def test_a_folder_is_left_over_once_nobody_holds_it(tmp_path, how):
    target = tmp_path / "out.gpkg"
    other = subprocess.Popen(
        [sys.executable, "-c", KILLED, target, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    folder = Path(other.stdout.readline().strip())
    assert (folder / "part").exists()
    remove_leftovers([target])
    assert (folder / "part").exists()
    other.communicate()
    assert folder.exists() == (how == "dies")
    remove_leftovers([tmp_path / "another.gpkg"])
    assert folder.exists() == (how == "dies")
    remove_leftovers([target])
    assert not list(tmp_path.iterdir())


@pytest.mark.unix
def test_a_folder_taken_for_a_leftover_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    target = tmp_path / "out.gpkg"
    make, made = tempfile.mkdtemp, []

    def raced(**about):
        made.append(make(**about))
        if len(made) == 1:
            remove_leftovers([target])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", raced)
    with staging(target) as folder:
        assert folder.exists()
        assert [Path(one) == folder for one in made] == [False, True]
    assert not list(tmp_path.iterdir())


def test_folders_that_cannot_be_locked_are_used_and_stay(tmp_path, monkeypatch):
    def nothing(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("regionalize.io.atomic.hold", nothing)
    with staging(tmp_path / "out.gpkg") as folder:
        remove_leftovers([tmp_path / "out.gpkg"])
        assert folder.exists()
    assert not list(tmp_path.iterdir())
