"""What --resume may skip, what it may replace, and what it must leave: files that somebody has worked on."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import geopandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regionalize as rz
from regionalize.errors import OutputError
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.file_state import State, state_of
from regionalize.run.batch.record import Journal, Records
from regionalize.run.batch.standing import file_standing

CHANGED = "was changed since it was written; use --overwrite to make it anew"


def other(item):
    """Return an item that comes to something else."""
    return replace(item, job=replace(item.job, k=4))


def execute(path, *commands):
    """Change a GeoPackage, without the triggers that call functions which only GDAL has."""
    with closing(sqlite3.connect(path)) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers if any("fid" in command for command in commands) else ():
            database.execute(f'DROP TRIGGER "{name}"')
        for command in commands:
            database.execute(command)
            database.commit()


class TestOneFile:
    """Any beginning of what was written, also with zeros after it, is nobody's work; anything else is."""

    @pytest.fixture
    def states(self, tmp_path):
        def remember(content):
            (tmp_path / "a.txt").write_bytes(content)
            return tmp_path / "a.txt", (state_of(tmp_path / "a.txt"),)

        return remember

    @given(st.binary(max_size=3000), st.data())
    def test_every_beginning_is_lost(self, tmp_path_factory, content, data):
        path = tmp_path_factory.mktemp("a") / "a.bin"
        path.write_bytes(content)
        states = (state_of(path),)
        assert file_standing(path, states) == "whole"
        length = data.draw(st.integers(0, len(content)))
        path.write_bytes(content[:length])
        assert file_standing(path, states) == ("whole" if length == len(content) else "lost")
        path.write_bytes(content[:length] + bytes(4096))
        assert file_standing(path, states) in (("lost", "whole") if length < len(content) else ("changed",))

    @given(st.integers(1000, 40_000), st.data())
    def test_a_shorter_file_that_is_no_beginning_is_changed(self, tmp_path_factory, size, data):
        """But for the last of 128 parts, where nobody can tell."""
        path = tmp_path_factory.mktemp("a") / "a.bin"
        content = bytes(97 + at * at % 23 for at in range(size))
        path.write_bytes(content)
        states = (state_of(path),)
        length = data.draw(st.integers(size // 2, size - 1))
        at = data.draw(st.integers(0, length - size // 128 - 2))
        path.write_bytes(content[:at] + b"A" + content[at + 1 : length])
        assert file_standing(path, states) == "changed"
        path.write_bytes(content[:at] + content[at + 1 : length])
        if content[at:length] != content[at + 1 : length] + content[length - 1 : length]:
            assert file_standing(path, states) == "changed"

    def test_zeros_are_no_content_only_after_a_beginning(self, states):
        path, known = states(b"abc" * 5000)
        path.write_bytes(b"abc" * 200 + bytes(15_000 - 600))
        assert file_standing(path, known) == "lost"
        path.write_bytes(b"abd" * 200 + bytes(15_000 - 600))
        assert file_standing(path, known) == "changed"

    def test_a_small_file_in_the_place_of_a_large_one_is_changed(self, states):
        path, known = states(b"x" * (1 << 22))
        path.write_bytes(b"my own words")
        assert file_standing(path, known) == "changed"

    def test_what_is_no_file_is_changed(self, states):
        path, known = states(b"abc")
        path.unlink()
        assert file_standing(path, known) == "lost"
        path.mkdir()
        assert file_standing(path, known) == "changed"
        path.rmdir()
        path.symlink_to("nowhere")
        assert file_standing(path, known) == "changed"

    def test_little_is_remembered_of_a_large_file(self, states):
        _, (known,) = states(bytes(range(256)) * (1 << 14))
        assert len(known.marks) < 1200

    def test_earlier_states_are_heeded(self, states):
        path, earlier = states(b"first" * 100)
        _, later = states(b"later" * 100)
        path.write_bytes(b"first" * 100)
        assert file_standing(path, (*earlier, *later)) == "whole"
        assert file_standing(path, later) == "changed"


def fewer_features(text):
    document = json.loads(text)
    return json.dumps(document | {"features": document["features"][3:]}).encode()


SHORTER = {
    ".geojson": fewer_features,
    ".csv": lambda text: b"".join(text.splitlines(keepends=True)[:5]).replace(b"unit 1", b"mine"),
    ".md": lambda text: b"# Mine\n" + text[:100],
}


class TestShorter:
    @pytest.mark.parametrize("ending", [".geojson", ".csv"])
    def test_a_layer_with_fewer_rows_stays(self, layers, make_item, attempt, ending):
        item = make_item(layers(0), ending=ending)
        attempt(item)
        path = item.outputs.output
        whole = path.read_bytes()
        path.write_bytes(SHORTER[ending](whole))
        edited = path.read_bytes()
        assert len(edited) < len(whole)
        for asked in (item, other(item)):
            assert CHANGED in attempt(asked).error
            assert path.read_bytes() == edited

    def test_a_report_stays(self, layers, make_item, attempt, out):
        item = make_item(layers(0), outputs={"report": out / "r.md"})
        attempt(item)
        (out / "r.md").write_bytes(SHORTER[".md"]((out / "r.md").read_bytes()))
        edited = (out / "r.md").read_bytes()
        for asked in (item, other(item)):
            assert f"{out / 'r.md'}: {CHANGED}" in attempt(asked).error
            assert (out / "r.md").read_bytes() == edited

    def test_a_geopackage_with_other_labels_stays(self, layers, make_item, attempt):
        item = make_item(layers(0, columns=60, rows=20), ending=".gpkg")
        attempt(item)
        path = item.outputs.output
        size = path.stat().st_size
        execute(path, "UPDATE in0 SET cluster = 9 WHERE fid < 5", "DELETE FROM in0 WHERE fid > 500", "VACUUM")
        assert path.stat().st_size < size
        edited = path.read_bytes()
        for asked in (item, other(item)):
            assert CHANGED in attempt(asked).error
            assert path.read_bytes() == edited


class TestGeoPackages:
    """A program that opens one changes its bytes."""

    OPENED = (
        "PRAGMA journal_mode = WAL",
        "UPDATE gpkg_contents SET last_change = '2001-01-01T00:00:00.000Z'",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA journal_mode = DELETE",
        "VACUUM",
    )

    def test_opened_it_is_skipped_and_replaced(self, layers, make_item, attempt, out):
        item = make_item(layers(0), ending=".gpkg", outputs={"dissolve": out / "d.gpkg"})
        attempt(item)
        for path in (item.outputs.output, out / "d.gpkg"):
            before = path.read_bytes()
            execute(path, *self.OPENED)
            assert path.read_bytes() != before
        assert attempt(item).status == "skipped"
        assert (attempt(other(item)).status, attempt(other(item)).status) == ("done", "skipped")

    @pytest.mark.parametrize(
        "edit",
        [
            "ALTER TABLE in0 ADD COLUMN remark TEXT",
            "UPDATE in0 SET a = 7 WHERE fid = 1",
            "UPDATE in0 SET geom = (SELECT geom FROM in0 WHERE fid = 2) WHERE fid = 1",
            "CREATE TABLE mine (a)",
            "CREATE VIEW mine AS SELECT * FROM in0",
            "UPDATE layer_styles SET stylename = 'mine'",
        ],
    )
    def test_edited_elsewhere_than_in_the_labels_it_is_skipped_and_never_replaced(
        self, layers, make_item, attempt, edit
    ):
        item = make_item(layers(0), ending=".gpkg")
        attempt(item)
        execute(item.outputs.output, edit)
        edited = item.outputs.output.read_bytes()
        assert attempt(item).status == "skipped"
        assert CHANGED in attempt(other(item)).error
        assert item.outputs.output.read_bytes() == edited

    def test_a_layer_added_stays(self, layers, make_item, attempt):
        item = make_item(layers(0), ending=".gpkg")
        attempt(item)
        path = item.outputs.output
        geopandas.read_file(path, layer="in0").head(3).to_file(path, layer="my_notes")
        edited = path.read_bytes()
        assert attempt(item).status == "skipped"
        assert CHANGED in attempt(other(item)).error
        assert path.read_bytes() == edited

    @pytest.mark.parametrize("layer", [None, "labels"])
    def test_regions_that_were_edited_stay(self, layers, make_item, attempt, out, layer):
        item = make_item(
            layers(0), ending=".gpkg", outputs={"dissolve": out / "d.gpkg", "output_layer": layer}
        )
        attempt(item)
        frame = geopandas.read_file(out / "d.gpkg", layer="d")
        frame["cluster"] += 100
        frame.to_file(out / "d.gpkg", layer="d")
        edited = (out / "d.gpkg").read_bytes()
        for asked in (item, other(item)):
            assert f"{out / 'd.gpkg'}: {CHANGED}" in attempt(asked).error
            assert (out / "d.gpkg").read_bytes() == edited

    def test_regions_of_several_numbers(self, layers, make_item, attempt, out):
        item = make_item(
            layers(0), ending=".gpkg", outputs={"dissolve": out / "d.gpkg"}, method="schc", k=(2, 3)
        )
        first = attempt(item)
        assert (first.status, first.error) == ("done", "")
        assert attempt(item).status == "skipped"

    def test_a_layer_added_to_another(self, layers, make_item, attempt, out):
        item = make_item(layers(0), ending=".gpkg", outputs={"output_layer": "labels"})
        shutil.copy(layers(1), item.outputs.output)
        assert attempt(item).error == ""
        assert attempt(item).status == "skipped"
        assert attempt(other(item)).error == ""
        assert set(geopandas.list_layers(item.outputs.output).name) == {"in1", "labels", "layer_styles"}

    def test_links_of_which_there_are_none(self, layers, make_item, attempt, out):
        item = make_item(layers(0), outputs={"save_links": out / "l.gpkg"}, method="skater")
        assert attempt(item).error == ""
        assert attempt(item).status == "skipped"


class TestParts:
    def test_a_column_added_to_a_shapefile(self, layers, make_item, attempt):
        """The labels are there, so it is skipped; but another run must not take the column away."""
        item = make_item(layers(0), ending=".shp")
        attempt(item)
        path = item.outputs.output
        geopandas.read_file(path).assign(remark="mine").to_file(path)
        edited = path.with_suffix(".dbf").read_bytes()
        assert attempt(item).status == "skipped"
        assert CHANGED in attempt(other(item)).error
        assert path.with_suffix(".dbf").read_bytes() == edited

    def test_a_file_geodatabase_that_was_touched(self, layers, make_item, attempt):
        item = make_item(layers(0), ending=".gdb")
        attempt(item)
        with (item.outputs.output / "timestamps").open("ab") as file:
            file.write(b"\1")
        assert attempt(item).status == "skipped"
        assert CHANGED in attempt(other(item)).error

    @pytest.mark.parametrize("name", ["in0.md", "in0.shp.run.json", "in0.qml"])
    def test_a_file_beside_a_shapefile_is_no_part_of_it(self, layers, make_item, attempt, out, name):
        item = make_item(layers(0), ending=".shp", outputs={"report": out / "in0.md", "qml": True})
        attempt(item)
        with (out / name).open("a") as file:
            file.write("\nmine\n")
        edited = (out / name).read_bytes()
        for asked in (item, other(item)):
            assert f"{out / name}: {CHANGED}" in attempt(asked).error
            assert (out / name).read_bytes() == edited

    def test_a_large_file_of_somebody_else_stays(self, layers, make_item, attempt):
        item = make_item(layers(0), ending=".gpkg")
        attempt(item)
        text = b"something else\n" * 40_000
        item.outputs.output.write_bytes(text)
        for asked in (item, other(item)):
            assert CHANGED in attempt(asked).error
            assert item.outputs.output.read_bytes() == text


class TestOtherOutputs:
    """Of an earlier run, and not asked for now."""

    def test_do_not_stand_in_the_way(self, layers, make_item, attempt, out):
        item = make_item(layers(0), outputs={"report": out / "r.md"})
        attempt(item)
        (out / "r.md").write_text("mine")
        without = replace(item, outputs=replace(item.outputs, report=None))
        found = attempt(without)
        assert (found.status, found.error) == ("done", "")
        assert (out / "r.md").read_text() == "mine"
        assert attempt(without).status == "skipped"
        assert "r.md: was changed" in attempt(item).error

    def test_are_named(self, layers, make_item, attempt, out):
        more = {"report": out / "r.html", "map": out / "m.png", "dissolve": out / "d.shp"}
        first = attempt(make_item(layers(0), outputs=more))
        assert not any("earlier" in note for note in first.notes)
        alone = other(make_item(layers(0)))
        for status in ("done", "skipped"):
            found = attempt(alone)
            assert found.status == status
            note = next(note for note in found.notes if "earlier" in note)
            assert note.endswith(" are of an earlier run")
            assert all(name in note for name in ("r.html", "m.png", "d.shp"))
            assert "d.dbf" not in note
            assert (out / "r.html").exists()
        for name in ("r.html", "d.shp", "d.shp.run.json", "d.shx", "d.dbf", "d.prj", "d.cpg"):
            (out / name).unlink()
        assert attempt(alone).notes[-1] == "m.png is of an earlier run"
        again = attempt(other(make_item(layers(0), outputs=more)))
        assert (again.status, again.error) == ("done", "")
        assert not any("earlier" in note for note in again.notes)


class TestWhatTheRecordTells:
    @pytest.mark.parametrize("ending", [".gpkg", ".shp", ".gdb"])
    def test_of_no_files_is_not_believed(self, layers, make_item, attempt, out, ending):
        item = make_item(layers(0), ending=ending)
        attempt(item)
        records = Records(out)
        known = records.read(item.name)
        for left in ({}, {name: known.files[name] for name in known.files if name.endswith((".dbf", ".md"))}):
            records.write(item.name, replace(known, files=left))
            assert attempt(item).status == "failed"
        path = item.outputs.output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.with_suffix(".shx").unlink(missing_ok=True)
        records.write(item.name, replace(known, files={}))
        path.with_suffix(".dbf").unlink(missing_ok=True)
        for part in (".prj", ".cpg", ".shp.run.json", ".gdb.run.json"):
            path.with_suffix(part).unlink(missing_ok=True)
        assert attempt(item).status == "done"

    @pytest.mark.parametrize("ending", [".geojson", ".shp", ".gdb"])
    def test_of_a_run_that_was_killed_before_it_replaced_anything(
        self, layers, make_item, attempt, out, ending, monkeypatch
    ):
        """The old files are there, the record tells of the new ones: both are the item's own."""
        item = make_item(layers(0), ending=ending, outputs={"report": out / "r.md"})
        attempt(item)
        tell = Journal.tell

        def tell_and_die(journal, moves):
            tell(journal, moves)
            raise KeyboardInterrupt

        monkeypatch.setattr(Journal, "tell", tell_and_die)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                attempt(other(item))
        monkeypatch.setattr(Journal, "tell", tell)
        assert not Records(out).read(item.name).done
        assert [attempt(asked).error for asked in (other(item), item)] == ["", ""]
        assert attempt(item).status == "skipped"

    def test_of_a_batch_that_did_the_same_meanwhile_is_read_again(
        self, layers, make_item, attempt, monkeypatch
    ):
        item = make_item(layers(0))
        solve = Runner.solve

        def late(*given):
            monkeypatch.setattr(Runner, "solve", solve)
            assert attempt(item).status == "done"
            return solve(*given)

        monkeypatch.setattr(Runner, "solve", late)
        assert attempt(item).status == "skipped"

    def test_of_a_batch_that_did_something_else_meanwhile(self, layers, make_item, attempt, monkeypatch):
        item = make_item(layers(0))
        solve = Runner.solve

        def late(*given):
            monkeypatch.setattr(Runner, "solve", solve)
            assert attempt(other(item)).status == "done"
            return solve(*given)

        monkeypatch.setattr(Runner, "solve", late)
        assert "already exists" in attempt(item).error

    def test_under_a_link_to_the_folder(self, layers, make_item, attempt, out, tmp_path):
        link = tmp_path / "link"
        link.symlink_to(out, target_is_directory=True)
        item = make_item(layers(0), ending=".shp")
        item = replace(item, outputs=replace(item.outputs, output=link / "in0.shp", report=link / "r.md"))
        for asked, status in ((item, "done"), (item, "skipped"), (other(item), "done")):
            found = Runner().attempt(asked, Terms(out_dir=link, resume=True))
            assert (found.status, found.error, found.trace) == (status, "", "")
        real = replace(item.outputs, output=out / "in0.shp", report=out / "r.md")
        assert attempt(other(replace(item, outputs=real))).status == "skipped"


class TestSummaries:
    @pytest.fixture
    def batch(self, layers, tmp_path):
        """Return `batch(k=3, summary="s.csv")`: over one layer, with --resume."""
        path = layers(0)

        def run(k=3, summary="s.csv"):
            about = {"k": k, "columns": ["a", "b"], "jobs": 1, "resume": True}
            return rz.batch(path, "kmeans", out_dir=tmp_path / "out", summary=tmp_path / summary, **about)

        return run

    def test_one_that_was_written_is_replaced(self, batch, tmp_path):
        batch()
        assert ",done," in (tmp_path / "s.csv").read_text()
        batch()
        assert ",skipped," in (tmp_path / "s.csv").read_text()
        text = (tmp_path / "s.csv").read_text()
        (tmp_path / "s.csv").write_text(text[: len(text) // 2])
        batch(summary="other.json")
        batch()
        assert (tmp_path / "s.csv").read_text() == text
        (tmp_path / "s.csv").unlink()
        batch(k=4)
        assert ",done," in (tmp_path / "s.csv").read_text()

    def test_any_other_file_stays_and_nothing_is_done(self, batch, tmp_path):
        (tmp_path / "s.csv").write_text("mine")
        with pytest.raises(OutputError, match=r"s\.csv: already exists"):
            batch()
        assert not (tmp_path / "out").exists()
        batch(summary="t.csv")
        with (tmp_path / "t.csv").open("a") as file:
            file.write("mine\n")
        for name in ("s.csv", "t.csv"):
            with pytest.raises(OutputError, match="already exists"):
                batch(k=4, summary=name)
            assert (tmp_path / name).read_text().rstrip("\n").endswith("mine")


def test_states_are_plain_to_write():
    assert list(State(1, "a", "b")) == [1, "a", "b", ""]
