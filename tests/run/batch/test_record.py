"""--resume: what is done and whole is not done again; nothing else is trusted, and nobody's work replaced."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import geopandas
import pytest

from regionalize.model.catalog import METHODS, find_method
from regionalize.run.batch import attempt as attempts
from regionalize.run.batch import fingerprint
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.digests import Digests, files_read
from regionalize.run.batch.fingerprint import versions_here
from regionalize.run.batch.items import Part
from regionalize.run.batch.record import Records
from regionalize.run.options import make_job

posix = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".regionalize" not in file.parts
    }


def mark(item, out):
    return fingerprint.fingerprint(item, out, Digests(), versions_here())


def several(out, **more):
    return {"report": out / "r.json", "centers": out / "c.csv", "dissolve": out / "d.geojson"} | more


class TestSkipped:
    @pytest.mark.parametrize(
        "ending", [".gpkg", ".shp", ".geojson", ".parquet", ".fgb", ".csv", ".zip", ".gdb"]
    )
    def test_what_is_done_and_unchanged(self, layers, make_item, attempt, out, ending):
        if ending == ".zip":
            ending = ".shp.zip"
        item = make_item(layers(0), ending=ending, outputs=several(out))
        first = attempt(item)
        assert (first.status, first.error) == ("done", "")
        before = contents(out)
        times = {name: (out / name).stat().st_mtime_ns for name in before}
        again = attempt(item)
        assert again.status == "skipped"
        assert (again.seconds, dict(again.measures), again.notes) == (
            first.seconds,
            dict(first.measures),
            first.notes,
        )
        assert contents(out) == before
        assert {name: (out / name).stat().st_mtime_ns for name in before} == times

    def test_not_unless_asked(self, layers, make_item, attempt):
        item = make_item(layers(0))
        assert attempt(item, resume=False).status == "done"
        again = attempt(item, resume=False)
        assert again.status == "failed"
        assert "already exists" in again.error

    def test_where_the_folder_and_the_input_have_moved(self, layers, make_item, attempt, out, tmp_path):
        item = make_item(layers(0))
        attempt(item)
        moved = tmp_path / "elsewhere"
        out.rename(moved)
        Path(item.source).rename(tmp_path / "renamed.gpkg")
        there = replace(
            item,
            source=str(tmp_path / "renamed.gpkg"),
            outputs=replace(item.outputs, output=moved / item.outputs.output.name),
        )
        assert Runner().attempt(there, Terms(out_dir=moved, resume=True)).status == "skipped"

    def test_where_weights_and_distances_have_moved(self, layers, make_item, attempt, tmp_path):
        path = layers(0)
        table = tmp_path / "d.csv"
        table.write_text("".join(",".join(str(abs(a - b)) for b in range(12)) + "\n" for a in range(12)))
        weights = tmp_path / "w.gal"
        weights.write_text("12\n" + "".join(f"{n} 1\n{n + 1 if n % 2 else n - 1}\n" for n in range(1, 13)))
        (tmp_path / "moved").mkdir()
        for method, option, file in (("kmeans", "weights", weights), ("hierarchical", "distances", table)):
            given = {"columns": None} if option == "distances" else {}
            item = make_item(path, method, method=method, **{option: str(file)}, **given)
            found = attempt(item)
            assert (found.status, found.error) == ("done", "")
            file.rename(tmp_path / "moved" / file.name)
            there = str(tmp_path / "moved" / file.name)
            moved = make_item(path, method, method=method, **{option: there}, **given)
            assert attempt(moved).status == "skipped"
            without = make_item(path, method, method=method)
            assert attempt(without).status == "done"

    def test_with_other_threads(self, layers, make_item, attempt):
        item = make_item(layers(0))
        attempt(item)
        assert attempt(replace(item, job=replace(item.job, jobs=2))).status == "skipped"


class TestDoneAgain:
    def change(self, item, what):
        if what == "input":
            frame = geopandas.read_file(item.source)
            frame.loc[0, "a"] += 1
            frame.to_file(item.source)
            return item
        if what == "k":
            return replace(item, job=replace(item.job, k=4))
        if what == "seed":
            return replace(item, job=replace(item.job, seed=5))
        if what == "label column":
            return replace(item, outputs=replace(item.outputs, label_column="region"))
        if what == "part":
            return replace(item, part=Part(column="year", value=2000))
        return item

    @pytest.mark.parametrize("what", ["input", "k", "seed", "label column", "part", "version"])
    def test_what_was_made_from_something_else(self, layers, make_item, attempt, out, what, monkeypatch):
        item, terms = make_item(layers(0, name="in.shp")), {}
        assert attempt(item).status == "done"
        if what == "version":
            terms = {"versions": versions_here() | {"numpy": "9.9"}}
        changed = self.change(item, what)
        again = attempt(changed, **terms)
        assert (again.status, again.error) == ("done", "")
        fresh = out.parent / "fresh"
        fresh.mkdir()
        alone = replace(changed, outputs=replace(changed.outputs, output=fresh / "in.geojson"))
        Runner().attempt(alone, Terms())
        command = str(out), str(fresh)
        written = {name: text.replace(*(c.encode() for c in command)) for name, text in contents(out).items()}
        assert written == contents(fresh)

    def test_a_weights_file_that_has_changed(self, layers, make_item, attempt, tmp_path):
        weights = tmp_path / "w.gal"
        text = "12\n" + "".join(f"{n} 1\n{n + 1 if n % 2 else n - 1}\n" for n in range(1, 13))
        weights.write_text(text)
        item = make_item(layers(0), weights=str(weights))
        assert attempt(item).error == ""
        assert attempt(item).status == "skipped"
        weights.write_text(text.replace("1 1\n2\n", "1 2\n2 3\n").replace("3 1\n4\n", "3 2\n4 1\n"))
        assert attempt(item).status == "done"

    @pytest.mark.parametrize("ending", [".gpkg", ".shp", ".geojson", ".parquet", ".fgb", ".csv"])
    @pytest.mark.parametrize("damage", ["deleted", "cut", "emptied", "zeros"])
    def test_a_layer_that_is_not_whole(self, layers, make_item, attempt, out, ending, damage, monkeypatch):
        monkeypatch.setenv("OGR_CURRENT_DATE", "2020-01-01T00:00:00.000Z")
        item = make_item(layers(0), ending=ending, outputs=several(out))
        assert attempt(item).error == ""
        before = contents(out)
        spoil(item.outputs.output, damage)
        assert contents(out) != before
        again = attempt(item)
        assert (again.status, again.error) == ("done", "")
        assert contents(out) == before
        assert attempt(item).status == "skipped"

    @pytest.mark.parametrize("name", ["r.json", "c.csv", "d.geojson", "in0.dbf", "in0.prj"])
    @pytest.mark.parametrize("damage", ["deleted", "cut", "emptied", "zeros"])
    def test_any_other_file_that_is_not_whole(self, layers, make_item, attempt, out, name, damage):
        item = make_item(layers(0), ending=".shp", outputs=several(out))
        attempt(item)
        before = contents(out)
        spoil(out / name, damage)
        assert attempt(item).status == "done"
        assert contents(out) == before

    def test_an_item_that_had_failed(self, layers, make_item, attempt):
        item = make_item(layers(0), k=40)
        assert attempt(item).status == "failed"
        assert attempt(item).status == "failed"
        assert attempt(replace(item, job=replace(item.job, k=3))).status == "done"

    def test_inputs_that_change_while_they_are_read_are_not_trusted(
        self, layers, make_item, attempt, monkeypatch
    ):
        item = make_item(layers(0))
        solve = Runner.solve

        def solve_and_touch(*given):
            found = solve(*given)
            frame = geopandas.read_file(item.source)
            frame.loc[0, "a"] += 1
            frame.to_file(item.source)
            return found

        monkeypatch.setattr(Runner, "solve", solve_and_touch)
        assert attempt(item).status == "done"
        monkeypatch.setattr(Runner, "solve", solve)
        assert attempt(item).status == "done"
        assert attempt(item).status == "skipped"


def other_k(item):
    return replace(item, job=replace(item.job, k=4))


def spoil(path, damage):
    if damage == "deleted":
        path.unlink()
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(bytes(path.stat().st_size))


class TestSomebodysWork:
    def test_a_layer_that_was_opened_stays_done(self, layers, make_item, attempt):
        """As QGIS does it: bytes change, and no row or label."""
        item = make_item(layers(0), ending=".gpkg")
        attempt(item)
        with sqlite3.connect(item.outputs.output) as database:
            database.execute("CREATE TABLE qgis_projects (name TEXT)")
            database.execute("UPDATE gpkg_contents SET last_change = '2001-01-01T00:00:00.000Z'")
        database.close()
        changed = item.outputs.output.read_bytes()
        assert attempt(item).status == "skipped"
        assert item.outputs.output.read_bytes() == changed

    @pytest.mark.parametrize("larger", [False, True])
    @pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp"])
    def test_labels_that_were_edited_are_kept(self, layers, make_item, attempt, ending, larger):
        item = make_item(layers(0), ending=ending)
        attempt(item)
        frame = geopandas.read_file(item.outputs.output, **({"layer": "in0"} if ending == ".gpkg" else {}))
        frame["cluster"] = frame["cluster"].to_numpy() * 7
        if larger:
            frame["remark"] = "a longer text than there was before " * 5
        else:
            frame = frame[["cluster", "geometry"]][:6]
        frame.to_file(item.outputs.output)
        edited = item.outputs.output.read_bytes()
        again = attempt(item)
        assert again.status == "failed"
        assert "was changed since it was written; use --overwrite to make it anew" in again.error
        assert again.error.startswith(f"{item.outputs.output.parent}")
        assert item.outputs.output.read_bytes() == edited
        allowed = replace(item, outputs=replace(item.outputs, overwrite=True))
        assert attempt(allowed).status == "done"
        assert attempt(item).status == "skipped"

    @pytest.mark.parametrize("name", ["r.json", "c.csv"])
    def test_a_table_that_was_edited_is_kept(self, layers, make_item, attempt, out, name):
        item = make_item(layers(0), outputs=several(out))
        attempt(item)
        with (out / name).open("a") as file:
            file.write("remark\n")
        edited = contents(out)
        for changed in (item, replace(item, job=replace(item.job, k=4))):
            again = attempt(changed)
            assert "was changed since it was written" in again.error
            assert name in again.error
            assert contents(out) == edited

    def test_a_file_without_a_record_is_kept(self, layers, make_item, attempt, out):
        item = make_item(layers(0))
        item.outputs.output.write_text("mine")
        again = attempt(item)
        assert "already exists" in again.error
        assert item.outputs.output.read_text() == "mine"

    def test_a_file_of_a_new_option_is_kept(self, layers, make_item, attempt, out):
        item = make_item(layers(0))
        attempt(item)
        before = item.outputs.output.read_bytes()
        (out / "map.png").write_text("mine")
        again = attempt(replace(item, outputs=replace(item.outputs, map=out / "map.png")))
        assert again.error.startswith(f"{out / 'map.png'}: already exists")
        assert (out / "map.png").read_text() == "mine"
        assert item.outputs.output.read_bytes() == before

    def test_a_shapefile_of_somebody_else_beside_ours_is_kept(self, layers, make_item, attempt, out):
        item = make_item(layers(0), outputs={"report": out / "r.json"})
        attempt(item)
        (out / "in0.dbf").write_text("mine")
        shape = replace(item, outputs=replace(item.outputs, output=out / "in0.shp"))
        assert "already exists" in attempt(shape).error
        assert (out / "in0.dbf").read_text() == "mine"

    def test_records_of_other_items_stay(self, layers, make_item, attempt, out):
        one, other = make_item(layers(0)), make_item(layers(1))
        attempt(one)
        attempt(other)
        assert attempt(one).status == "skipped"
        assert attempt(other).status == "skipped"


class TestRecordsThatAreNone:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"\0" * 200,
            b"[]",
            b"null",
            b"{",
            b'{"format": 1}',
            b'{"format": "regionalize batch record 1"}',
            b"\xff",
        ],
    )
    def test_are_ignored(self, layers, make_item, attempt, out, text):
        item = make_item(layers(0))
        attempt(item)
        Records(out).file_of(item.name).write_bytes(text)
        assert Records(out).read(item.name) is None
        assert "already exists" in attempt(item).error
        item.outputs.output.unlink()
        assert attempt(item).status == "done"

    @pytest.mark.parametrize(
        "key", ["files", "layer", "labels", "done", "seconds", "measures", "notes", "fingerprint"]
    )
    @pytest.mark.parametrize("value", [None, 7, "text", [1], {"a": 1}, {"a": []}, {"a": [[1]]}])
    def test_nothing_in_them_is_a_crash(self, layers, make_item, attempt, out, key, value):
        item = make_item(layers(0))
        attempt(item)
        file = Records(out).file_of(item.name)
        document = json.loads(file.read_text())
        file.write_text(json.dumps(document | {key: value}))
        assert "fault" not in attempt(item).error

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("measures", '{"bss_tss_attributes": "x"}'),
            ("measures", '{"k": "x"}'),
            ("measures", '{"k": [1]}'),
            ("measures", '{"k": {}}'),
            ("measures", '{"k": true}'),
            ("measures", '{"contiguous": false, "subclusters": null}'),
            ("measures", '{"contiguous": 1, "subclusters": 2}'),
            ("measures", '{"rows": "many"}'),
            ("measures", '{"rows": 1' + 30 * "0" + "}"),
            ("measures", '{"tss": NaN}'),
            ("measures", '{"mine": {"a": 1}}'),
            ("measures", '{"mine": -Infinity}'),
            ("seconds", "1" + 400 * "0"),
            ("seconds", "1" + 5000 * "0"),
            ("seconds", "NaN"),
            ("seconds", "true"),
            ("seconds", '"1"'),
            ("files", '{"a": [[Infinity, "x", "", ""]]}'),
            ("files", '{"a": [[-1, "x", "", ""]]}'),
            ("files", '{"a": [[3, "x", "", ""]]}'),
            ("files", '{"a": [[0, "x", "", 1]]}'),
            ("files", '{"a/../../../dev/zero": [[0, "x", "", ""]]}'),
            ("files", '{"a\\u0000": [[0, "x", "", ""]]}'),
            ("notes", '"abc"'),
            ("notes", "[1]"),
            ("labels", '"abc"'),
            ("layer", "1"),
            ("done", "1"),
        ],
    )
    def test_what_could_not_have_been_written_is_no_record(self, layers, make_item, attempt, out, key, text):
        item = make_item(layers(0))
        attempt(item)
        file = Records(out).file_of(item.name)
        document = json.loads(file.read_text())
        file.write_text(json.dumps(document | {key: "HERE"}).replace('"HERE"', text))
        assert Records(out).read(item.name) is None
        assert "already exists" in attempt(item).error

    def test_of_all_methods_are_understood(self, layers, make_item, attempt, out):
        path = layers(0, columns=6, rows=6)
        for method in METHODS:
            options = {} if find_method(method).takes_k else {"k": None}
            item = make_item(path, method, method=method, **options)
            found = attempt(item)
            if found.status == "done":
                assert Records(out).read(item.name).measures == found.measures

    @posix
    def test_what_is_no_file_is_no_record(self, layers, make_item, attempt, out):
        item = make_item(layers(0))
        attempt(item)
        file = Records(out).file_of(item.name)
        text = file.read_bytes()
        file.unlink()
        os.mkfifo(file)
        assert Records(out).read(item.name) is None
        file.unlink()
        file.write_bytes(text)
        with file.open("ab") as opened:
            opened.truncate(1 << 40)  # of which the disk has nothing
        assert Records(out).read(item.name) is None

    @posix
    def test_nothing_is_written_through_what_lies_in_its_place(self, layers, make_item, attempt, out):
        item = make_item(layers(0))
        beside = Records(out).file_of(item.name).with_suffix(".new")
        beside.parent.mkdir()
        (out.parent / "mine").write_text("mine")
        beside.symlink_to(out.parent / "mine")
        assert attempt(item).status == "done"
        assert (out.parent / "mine").read_text() == "mine"
        os.mkfifo(beside)
        assert attempt(other_k(item)).error == ""

    def test_of_another_item_by_the_same_name_of_file(self, layers, make_item, attempt, out):
        one, other = make_item(layers(0)), make_item(layers(1))
        attempt(one)
        shutil.copy(Records(out).file_of(one.name), Records(out).file_of(other.name))
        assert Records(out).read(other.name) is None

    def test_names_of_items_may_be_anything(self, layers, make_item, attempt, out):
        path = layers(0)
        for number, name in enumerate(("a/b", "c" * 300, "é\n'\"", "..", "\udcff")):
            item = replace(make_item(path, str(number)), name=name)
            assert attempt(item).status == "done"
            assert attempt(item).status == "skipped"


class TestWhatIsRead:
    def test_a_chart_that_may_have_updates_beside_it_has_no_digest(self, tmp_path):
        (tmp_path / "a.000").write_text("S-57")
        assert Digests().of(str(tmp_path / "a.000")) is None

    @pytest.mark.parametrize("name", ["a.gpkg-wal", "a.gpkg-journal"])
    def test_the_journal_of_a_database(self, tmp_path, name):
        (tmp_path / "a.gpkg").write_bytes(b"SQLite format 3")
        before = Digests().of(str(tmp_path / "a.gpkg"))
        (tmp_path / name).write_bytes(b"more")
        assert Digests().of(str(tmp_path / "a.gpkg")) != before

    @pytest.mark.parametrize("ending", [".gfs", ".xsd", ".XSD"])
    def test_the_schema_of_a_gml_file(self, tmp_path, ending):
        (tmp_path / "a.gml").write_text("<gml/>")
        before = Digests().of(str(tmp_path / "a.gml"))
        (tmp_path / f"a{ending}").write_text("<schema/>")
        assert Digests().of(str(tmp_path / "a.gml")) != before

    def test_all_parts_of_a_shapefile(self, layers):
        path = layers(0, name="in.shp")
        names = {file.name for file in files_read(str(path))}
        assert names == {"in.shp", "in.shx", "in.dbf", "in.prj", "in.cpg"}

    def test_all_files_of_a_folder(self, tmp_path):
        (tmp_path / "a.gdb" / "deep").mkdir(parents=True)
        (tmp_path / "a.gdb" / "deep" / "x").write_text("1")
        (tmp_path / "a.gdb" / "y").write_text("2")
        assert {file.name for file in files_read(str(tmp_path / "a.gdb"))} == {"x", "y"}

    def test_each_file_once_a_run(self, tmp_path, monkeypatch):
        from regionalize.run.batch import digests as module

        path = tmp_path / "a.csv"
        path.write_text("a\n1\n")
        read = []
        digest = module.file_digest
        monkeypatch.setattr(module, "file_digest", lambda file: read.append(file) or digest(file))
        digests = Digests()
        first = digests.of(str(path))
        assert digests.of(str(path)) == first
        assert read == [path]
        path.write_text("a\n23\n")
        assert digests.of(str(path)) != first

    def test_what_is_no_file_has_no_fingerprint(self, make_item, out):
        item = make_item("/vsimem/a.gpkg")
        assert mark(item, out) is None

    def test_the_version_of_a_methods_own_package_is_in_the_fingerprint(
        self, layers, make_item, out, monkeypatch
    ):
        """Wherever it is installed, also as a folder that is worked on."""
        item = make_item(layers(0))
        found = set()
        for version in ("theirs 1.0", "theirs 1.1", "theirs 1.1"):
            monkeypatch.setattr(fingerprint, "package_of", lambda _, version=version: version)
            found.add(mark(item, out))
        assert len(found) == 2

    def test_every_option_of_a_job_is_in_the_fingerprint(self, layers, make_item, out):
        item = make_item(layers(0))
        first = mark(item, out)
        for options in ({"transform": "raw"}, {"where": "a > 0"}, {"n_init": 7}, {"with_centroids": True}):
            job = make_job("kmeans", {"k": 3, "columns": "a,b"} | options)
            assert mark(replace(item, job=job), out) != first
        parts = [Part(column="year", value=value) for value in (1, "1", True)]
        marks = {mark(replace(item, part=part), out) for part in parts}
        assert len(marks | {first}) == 4


RUN = """
import os, pickle, sys
from pathlib import Path
from regionalize.run.batch.batch import run_batch
items = pickle.load(open(sys.argv[1], "rb"))
found = run_batch(items, jobs=2, out_dir=Path(sys.argv[2]), resume=True)
print([(one.status, one.error) for one in found if one.status == "failed"])
"""


@posix
@pytest.mark.parametrize("who", ["all", "parent"])
def test_killed_many_times_and_resumed_it_is_as_if_undisturbed(layers, make_item, tmp_path, who, monkeypatch):
    """Every file has the very bytes, and nothing hidden is left behind."""
    monkeypatch.setenv("OGR_CURRENT_DATE", "2020-01-01T00:00:00.000Z")
    endings = [".geojson", ".gpkg", ".shp"]
    paths = [layers(seed) for seed in range(6)]

    expected, out = tmp_path / "expected", tmp_path / "out"
    items = [
        make_item(
            path,
            ending=endings[at % 3],
            outputs={"centers": out / f"c{at}.csv", "report": out / f"r{at}.json"}
            | {"dissolve": out / f"d{at}{endings[at % 3]}"},
        )
        for at, path in enumerate(paths)
    ]
    for one in items:
        found = Runner().attempt(one, Terms())
        assert found.status == "done", found.error
    out.rename(expected)
    out.mkdir()
    (tmp_path / "items").write_bytes(pickle.dumps(items))
    command = [sys.executable, "-c", RUN, str(tmp_path / "items"), str(out)]
    chance = random.Random(1)
    for _ in range(6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        time.sleep(chance.uniform(0.4, 2.0))
        workers = in_session(process.pid)
        process.kill()
        process.wait()
        for pid in workers if who == "all" else ():
            os.kill(pid, signal.SIGKILL)
        limit = time.monotonic() + 60
        while in_session(process.pid) and time.monotonic() < limit:
            time.sleep(0.02)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert contents(out) == contents(expected)
    assert [name for name in os.listdir(out) if name.startswith(".")] == [".regionalize"]


def in_session(session):
    """Return the processes of a session but its leader."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(of) == session and state != "Z" and int(folder.name) != session:
            found.append(int(folder.name))
    return found


def test_seconds_and_measures_are_of_the_run(layers, make_item, attempt, monkeypatch):
    item = make_item(layers(0))
    clock = iter([10.0, 12.5])
    monkeypatch.setattr(attempts, "perf_counter", lambda: next(clock))
    assert attempt(item).seconds == 2.5
