"""Every name that the file system takes is read and written as it is, and no other file is touched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from functools import cache
from pathlib import Path

import geopandas
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyogrio.util import vsi_path

from regionalize.errors import DataError, OutputError
from regionalize.io import gdal
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path
from regionalize.io.write import write_layer

SUFFIXES = (".gpkg", ".shp", ".shp.zip", ".geojson", ".fgb", ".gdb", ".kml", ".parquet", ".csv")
WINDOWS = os.name == "nt"
SIGNS = "!;#%~'{}[]()&$`@=+,^ -.aé\u2028" + ("" if WINDOWS else '?:*"<>|\\\n\t\r')
NAMES = st.text(SIGNS, min_size=1, max_size=12).filter(lambda name: name.strip(". ") == name)
AWKWARD = ("new!plan", "p;q", "..!x", "a;b#c", "}{", "x!y.zip", "a.zip!b")
AWKWARD += () if WINDOWS else ("two\nlines", "\\b", "a\\b", "http:", "a;b?")


@cache
def few_rows(suffix):
    """Five rows of the sample, in degrees where a format takes no others."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "few.geojson")
        frame = geopandas.read_file(sample_path()).head(5)[["name", "geometry"]]
        (frame.to_crs("EPSG:4326") if suffix == ".kml" else frame).to_file(file)
        return read_layer(file)


def seen(folder: Path) -> dict[str, bytes]:
    """Every file under a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def written_and_read(folder: Path, name: str, suffix: str) -> None:
    """Write a layer beside others with what is left of its name, and read it again."""
    inside, root = folder / name, folder.parent
    inside.mkdir(exist_ok=True)
    for place in (folder, inside, root):
        for part in {name, *name.replace(";", "!").replace("?", "!").replace("\\", "!").split("!")} - {""}:
            for ending in (".gpkg", ".shp", ".dbf", ".fgb", ".kml", ".txt"):
                if part + ending != name + suffix and part.strip(".") and len(part) < 60:
                    (place / f"{part}{ending}").write_bytes(b"another file")
    target = inside / f"{name}{suffix}"
    for part in (".gpkg", ".shp", ".dbf", ".fgb", ".kml"):
        target.with_name(name + part).unlink(missing_ok=True)
    before = seen(root)
    layer = few_rows(suffix)
    added = {"part": pa.array([1, 2, 1, 2, 1], pa.int32())}
    write_layer(layer, target, added=added)
    after = seen(root)
    new = {file for file in after if after[file] != before.get(file)}
    own = str(inside.relative_to(root)) + os.sep + name
    assert new, "nothing was written"
    assert all(file.startswith(f"{own}.") for file in new), new
    assert {file: after[file] for file in before} == before
    found = read_layer(target)
    assert found.attributes["part"].to_pylist() == [1, 2, 1, 2, 1]
    name = "Name" if suffix == ".kml" else "name"
    assert found.attributes[name].to_pylist() == layer.attributes["name"].to_pylist()
    assert found.origin.file == str(target)
    assert seen(root) == after


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names(tmp_path, name, suffix):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    written_and_read(tmp_path / "deep" / "er", name, suffix)


@settings(max_examples=40)
@given(NAMES, st.sampled_from(SUFFIXES))
@example("!", ".shp")
@example("a;", ".gpkg")
def test_any_name(name, suffix):
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder, "deep", "er")
        inner.mkdir(parents=True)
        written_and_read(inner, name, suffix)


@pytest.mark.skipif(WINDOWS, reason="paths of that system begin with a drive")
@given(st.text(SIGNS + "/", max_size=20))
@example("/tmp/a.gpkg")
@example("tmp/a;b")
@example("tmp/a?")
@example(":a!b")
def test_pyogrio_leaves_what_is_plain_as_it_is(rest):
    path = f"/{rest}"
    assert gdal.is_parsed(path) or path.lower().endswith(".zip") or vsi_path(path) == path
    assert vsi_path(f"{gdal.AS_IT_IS}{path}") == f"{gdal.AS_IT_IS}{path}"


@pytest.mark.parametrize("name", ["x!n", "p;q"])
def test_a_layer_is_added_to_a_file_of_an_odd_name(tmp_path, name):
    folder = tmp_path / "wow!"
    folder.mkdir()
    target, beside = folder / f"{name}.gpkg", folder / "n.gpkg"
    beside.write_bytes(b"another file")
    layer = few_rows(".gpkg")
    write_layer(layer, target, added={}, layer_name="first")
    write_layer(layer, target, added={}, layer_name="second")
    assert len(read_layer(target, layer="first")) == len(read_layer(target, layer="second")) == 5
    assert sorted(file.name for file in folder.iterdir()) == ["n.gpkg", target.name]
    assert beside.read_bytes() == b"another file"


def test_what_is_only_in_a_journal_is_not_left_out(tmp_path):
    """GDAL reads by another way where the name is odd, and does not see a journal there."""
    odd, plain = tmp_path / "a!b.gpkg", tmp_path / "plain.gpkg"
    shutil.copyfile(sample_path(), odd)
    with closing(sqlite3.connect(odd)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("DELETE FROM georgia WHERE fid < 3")
        database.commit()
        for part in tmp_path.glob("a!b*"):
            shutil.copyfile(part, plain.with_name(part.name.replace("a!b", "plain")))
        with pytest.raises(DataError, match=r"a!b\.gpkg: another program has it open \(a!b\.gpkg-wal "):
            read_layer(odd)
    assert len(read_layer(odd)) == 157
    assert len(read_layer(plain)) == 157


@pytest.mark.skipif(WINDOWS, reason="links need a privilege there, and no such path is parsed")
def test_links_that_cannot_be_made(tmp_path, monkeypatch):
    folder = tmp_path / "wow!"
    folder.mkdir()
    monkeypatch.setattr(os, "symlink", lambda *_, **__: (_ for _ in ()).throw(OSError("no links here")))
    with pytest.raises(OutputError, match=r"GDAL cannot write to a folder with such a name .*no links here"):
        write_layer(few_rows(".gpkg"), folder / "a.gpkg", added={})
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", ["a{b.zip", "a}b.zip", "a!b.zip", "a;b.ZIP"])
def test_archives(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.write(sample_path(), "de;ep!/g}.gpkg")
    assert len(read_layer(tmp_path / name)) == 159


@pytest.mark.skipif(WINDOWS, reason="two slashes begin the name of another machine there")
def test_two_slashes(tmp_path):
    shutil.copyfile(sample_path(), tmp_path / "a.gpkg")
    assert len(read_layer(f"/{tmp_path}/a.gpkg")) == 159
    write_layer(few_rows(".gpkg"), f"/{tmp_path}/b.gpkg", added={})
    assert len(read_layer(tmp_path / "b.gpkg")) == 5
