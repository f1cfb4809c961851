"""How columns were made, kept with the layer: in every format, and without anything else being changed."""

import json
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from pathlib import Path

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from regionalize.errors import OutputError
from regionalize.io import gdal
from regionalize.io.geojson_head import FIRST, members_before_features, read_head
from regionalize.io.history import kept_in_geojson
from regionalize.io.read import read_layer
from regionalize.io.source import find_source
from regionalize.io.write import write_layer
from regionalize.model.layer import Layer
from regionalize.model.record import KEY, RunRecord

WITHIN = ("gpkg", "parquet", "geojson", "fgb", "shp.zip")
BESIDE = ("shp", "gdb", "kml", "csv")
LABELS = {"cluster": pa.array([1, 2, None, 1], pa.int32())}
RUN = RunRecord(
    made_by="kmeans",
    columns=("cluster",),
    settings={"method": "kmeans", "k": 2, "where": "name = 'São \"João\"'", "columns": ["a"]},
    command="regionalize kmeans 'São João.gpkg' --k 2",
    input={"file": "São João.gpkg", "rows": 4},
    versions={"regionalize": "0.1.0"},
    k=2,
    seed=7,
    measures={"bss_tss_all": 0.1 + 0.2, "contiguous": False},
)
SECOND = RunRecord(made_by="skater", columns=("regions",), k=2)


@pytest.fixture
def layer():
    shapes = shapely.box(range(4), 0, range(1, 5), 1)
    table = pa.table({"name": ["a", "b", "c", "d"], "a": [1.0, 2.0, 3.0, 4.5]})
    return Layer(table, None, "EPSG:4326", shapes=shapes)


@pytest.mark.parametrize("ending", [*WITHIN, *BESIDE])
class TestEveryFormat:
    def test_keeps_the_record(self, ending, layer, tmp_path):
        out = tmp_path / f"São 'João'.{ending}"
        write_layer(layer, out, added=LABELS, record=RUN)
        found = read_layer(out)
        assert found.history == (RUN,)
        assert not any("kept with" in note for note in found.notes)

    def test_keeps_the_history_of_a_layer_read(self, ending, layer, tmp_path):
        first, second = tmp_path / f"first.{ending}", tmp_path / f"second.{ending}"
        write_layer(layer, first, added=LABELS, record=RUN)
        regions = {"regions": pa.array([1, 1, 2, 2], pa.int32())}
        write_layer(read_layer(first), second, added=regions, record=SECOND)
        assert read_layer(second).history == (RUN, SECOND)
        assert read_layer(first).history == (RUN,), "the input is not touched"

    def test_a_column_that_is_not_there_has_no_record(self, ending, layer, tmp_path):
        out = tmp_path / f"out.{ending}"
        write_layer(layer, out, added=LABELS, record=RUN)
        kept = read_layer(out)
        without = Layer(
            kept.attributes.drop_columns(["cluster"]), kept.wkb, kept.crs, kept.origin, history=kept.history
        )
        write_layer(without, out, added={}, overwrite=True)
        assert read_layer(out).history == ()
        assert not list(tmp_path.glob("*.run.json"))

    def test_says_nothing_where_nothing_was_said(self, ending, layer, tmp_path):
        out = tmp_path / f"out.{ending}"
        write_layer(layer, out, added=LABELS)
        assert read_layer(out).history == ()
        names = {path.name.partition(".")[2] for path in tmp_path.iterdir()}
        assert not any("run" in name for name in names)
        assert KEY.encode() not in (b"" if out.is_dir() else out.read_bytes())

    def test_changes_nothing_that_others_read(self, ending, layer, tmp_path):
        with_it, without = tmp_path / "with" / f"out.{ending}", tmp_path / "without" / f"out.{ending}"
        for path, record in ((with_it, RUN), (without, None)):
            path.parent.mkdir()
            write_layer(layer, path, added=LABELS, record=record)
        if ending in {"csv", "kml"}:
            assert with_it.read_bytes() == without.read_bytes()
        elif ending == "parquet":
            assert pq.read_table(with_it).equals(pq.read_table(without))
            assert geopandas.read_parquet(with_it).equals(geopandas.read_parquet(without))
        else:
            with gdal.quiet() as said:
                found, plain = geopandas.read_file(with_it), geopandas.read_file(without)
            assert found.equals(plain)
            assert found.crs == plain.crs
            assert list(pyogrio.list_layers(with_it)[:, 0]) == list(pyogrio.list_layers(without)[:, 0])
            assert not said.notes()

    def test_gives_the_same_record_twice(self, ending, layer, tmp_path):
        texts = set()
        for at in range(2):
            out = tmp_path / str(at) / f"out.{ending}"
            out.parent.mkdir()
            write_layer(layer, out, added=LABELS, record=RUN)
            texts.add(stored_text(out, ending))
        (text,) = texts
        assert json.loads(text)["runs"] == [RUN.to_dict()]


def stored_text(path, ending):
    """What is stored, found as `docs/configuration.md` says it can be."""
    if ending == "gpkg":
        with closing(sqlite3.connect(path)) as database:
            (row,) = database.execute("SELECT metadata FROM gpkg_metadata").fetchall()
        return row[0]
    if ending == "parquet":
        return pq.read_schema(path).metadata[b"regionalize"].decode()
    if ending == "geojson":
        return json.dumps(json.loads(path.read_text(encoding="utf-8"))["regionalize"])
    if ending == "fgb":
        return pyogrio.read_info(path)["layer_metadata"]["regionalize"]
    if ending == "shp.zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read("out.shp.run.json").decode()
    return path.with_name(f"{path.name}.run.json").read_text(encoding="utf-8")


def test_columns_are_called_as_in_the_file(layer, tmp_path):
    record = RunRecord(made_by="kmeans", columns=("cluster_of_everything",))
    labels = {"cluster_of_everything": pa.array([1, 2, 1, 2], pa.int32())}
    for ending in ("shp", "shp.zip", "gpkg"):
        out = tmp_path / f"out.{ending}"
        write_layer(layer, out, added=labels, record=record)
        found = read_layer(out)
        assert found.history[0].columns == (found.column_names[-1],)


def test_a_table_without_geometry(tmp_path):
    table = Layer(pa.table({"a": [1, 2, 3, 4]}), None, None)
    for ending in ("gpkg", "parquet", "csv", "geojson", "fgb"):
        out = tmp_path / f"out.{ending}"
        write_layer(table, out, added=LABELS, record=RUN)
        assert read_layer(out).history == (RUN,), ending


def test_a_file_name_that_is_no_text(layer, tmp_path):
    odd = RunRecord(made_by="kmeans", columns=("cluster",), command="regionalize kmeans 'a\udcffb.gpkg'")
    for ending in (*WITHIN, "csv"):
        out = tmp_path / f"out.{ending}"
        write_layer(layer, out, added=LABELS, record=odd)
        assert read_layer(out).history == (odd,), ending


@pytest.mark.parametrize("text", ["{", "[]", '{"runs": [3]}', "[" * 100_000, "\x00", '{"runs": [{}]}'])
@pytest.mark.parametrize("ending", ["gpkg", "parquet", "csv"])
def test_what_cannot_be_understood_is_a_note(text, ending, layer, tmp_path):
    out = tmp_path / f"out.{ending}"
    write_layer(layer, out, added=LABELS, record=RUN)
    if ending == "gpkg":
        with closing(sqlite3.connect(out)) as database, database:
            database.execute("UPDATE gpkg_metadata SET metadata = ?", (text,))
    elif ending == "parquet":
        table = pq.read_table(out)
        pq.write_table(table.replace_schema_metadata(table.schema.metadata | {b"regionalize": text}), out)
    else:
        (tmp_path / "out.csv.run.json").write_text(text)
    found = read_layer(out)
    assert found.history == ()
    assert len(found) == 4
    assert any("cannot be understood" in note for note in found.notes)


class TestGeoPackage:
    """The tables are those of the standard's metadata extension; rows of others stay."""

    FOREIGN = (
        "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
        "VALUES ('dataset', 'http://mrcc.com/qgis.dtd', 'text/xml', '<qgis/>')",
        "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, timestamp, md_file_id) "
        "SELECT 'table', 'first', '2020-01-01T00:00:00.000Z', max(id) FROM gpkg_metadata",
    )

    @staticmethod
    def rows(path, sql):
        with closing(sqlite3.connect(path)) as database:
            return database.execute(sql).fetchall()

    def stored(self, path):
        return self.rows(
            path,
            "SELECT table_name, md_standard_uri FROM gpkg_metadata_reference JOIN gpkg_metadata "
            "ON md_file_id = id ORDER BY 1, 2",
        )

    def test_tables_are_sound_and_registered(self, layer, tmp_path):
        out, by_gdal = tmp_path / "out.gpkg", tmp_path / "gdal.gpkg"
        write_layer(layer, out, added=LABELS, record=RUN)
        frame = geopandas.read_file(out)
        pyogrio.write_dataframe(frame, by_gdal, layer_metadata={"mood": "calm"})
        for sql in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
            assert self.rows(out, sql) in ([], [("ok",)])
        extensions = "SELECT * FROM gpkg_extensions WHERE extension_name = 'gpkg_metadata' ORDER BY 1"
        assert self.rows(out, extensions) == self.rows(by_gdal, extensions), "as GDAL registers them"
        for table in ("gpkg_metadata", "gpkg_metadata_reference"):
            columns = f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')"
            assert self.rows(out, columns) == self.rows(by_gdal, columns), "as GDAL makes them"
        timestamps = "SELECT timestamp FROM gpkg_metadata_reference"
        changed = "SELECT last_change FROM gpkg_contents WHERE table_name = 'out'"
        assert self.rows(out, timestamps) == self.rows(out, changed), "no clock but that of the layer"

    def test_gdal_opens_it_without_a_word(self, layer, tmp_path):
        out = tmp_path / "out.gpkg"
        write_layer(layer, out, added=LABELS, record=RUN)
        with gdal.quiet() as said:
            about = pyogrio.read_info(out)
        assert not said.notes()
        assert not said.faults
        assert [json.loads(text) for text in about["layer_metadata"].values()] == [
            {"format": 1, "runs": [RUN.to_dict()]}
        ]
        program = shutil.which("ogrinfo")
        if program is not None:
            done = subprocess.run([program, "-so", "-al", str(out)], capture_output=True, check=True)
            faults = [line for line in done.stderr.splitlines() if b"user_version" not in line]
            assert not faults, faults  # an older GDAL says that the file is newer

    def test_every_layer_has_its_own(self, layer, tmp_path):
        out = tmp_path / "out.gpkg"
        write_layer(layer, out, added=LABELS, layer_name="first", record=RUN)
        other = {"regions": pa.array([1, 1, 2, 2], pa.int32())}
        write_layer(layer, out, added=other, layer_name="Second", record=SECOND)
        assert read_layer(out, layer="first").history == (RUN,)
        assert read_layer(out, layer="Second").history == (SECOND,)

    def test_adding_a_layer_keeps_what_others_have_stored(self, layer, tmp_path):
        out = tmp_path / "out.gpkg"
        write_layer(layer, out, added=LABELS, layer_name="first", record=RUN)
        with closing(sqlite3.connect(out)) as database, database:
            for statement in self.FOREIGN:
                database.execute(statement)
        write_layer(layer, out, added=LABELS, layer_name="second", record=RUN)
        ours = "urn:regionalize:runs"
        assert self.stored(out) == [
            ("first", "http://mrcc.com/qgis.dtd"),
            ("first", ours),
            ("second", ours),
        ]

    def test_a_layer_that_is_replaced_takes_its_record_along(self, layer, tmp_path):
        out = tmp_path / "out.gpkg"
        write_layer(layer, out, added=LABELS, layer_name="Towns", record=RUN)
        write_layer(layer, out, added=LABELS, layer_name="other", record=RUN)
        write_layer(layer, out, added=LABELS, layer_name="towns", overwrite=True)
        assert read_layer(out, layer="Towns").history == ()
        assert [name for name, _ in self.stored(out)] == ["other"]
        assert len(self.rows(out, "SELECT * FROM gpkg_metadata")) == 1
        regions = {"regions": pa.array([1, 1, 2, 2], pa.int32())}
        write_layer(layer, out, added=regions, layer_name="TOWNS", overwrite=True, record=SECOND)
        assert read_layer(out, layer="Towns").history == (SECOND,)

    def test_other_tables_of_that_name_are_let_alone(self, layer, tmp_path):
        out = tmp_path / "out.gpkg"
        write_layer(layer, out, added=LABELS, layer_name="first")
        with closing(sqlite3.connect(out)) as database, database:
            database.execute("CREATE TABLE gpkg_metadata (id INTEGER PRIMARY KEY, secret TEXT)")
        notes = write_layer(layer, out, added=LABELS, layer_name="second", record=RUN)
        assert any("gpkg_metadata is not as the standard has it" in note for note in notes)
        assert read_layer(out, layer="second").history == ()

    def test_within_an_archive(self, layer, tmp_path):
        out = tmp_path / "out.gpkg"
        write_layer(layer, out, added=LABELS, record=RUN)
        with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
            archive.write(out, "deep/out.gpkg")
        assert read_layer(tmp_path / "out.zip").history == (RUN,)


class TestGeoJSON:
    @pytest.fixture
    def collection(self, layer, tmp_path):
        out = tmp_path / "out.geojson"
        write_layer(layer, out, added=LABELS, record=RUN)
        return json.loads(out.read_text(encoding="utf-8"))

    def read(self, tmp_path, text):
        (tmp_path / "other.geojson").write_text(text, encoding="utf-8")
        return read_layer(tmp_path / "other.geojson").history

    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("sort", [True, False])
    def test_other_programs_may_write_it_anew(self, collection, tmp_path, indent, sort):
        """As `jq .` and `jq -S .` do."""
        assert self.read(tmp_path, json.dumps(collection, indent=indent, sort_keys=sort)) == (RUN,)
        text = json.dumps(collection, indent=indent, sort_keys=sort, ensure_ascii=False)
        assert self.read(tmp_path, text) == (RUN,)

    def test_what_only_looks_like_it(self, collection, tmp_path):
        del collection["regionalize"]
        collection["name"] = 'a "regionalize": {} b'
        collection["features"][-1]["properties"]["regionalize"] = {"runs": []}
        for sort in (True, False):
            assert self.read(tmp_path, json.dumps(collection, sort_keys=sort)) == ()

    def test_a_history_longer_than_what_is_looked_at_first(self, layer, tmp_path):
        long = RunRecord(made_by="kmeans", columns=("cluster",), settings={"columns": ["x" * 50] * 4000})
        out = tmp_path / "out.geojson"
        write_layer(layer, out, added=LABELS, record=long)
        assert read_layer(out).history == (long,)

    def test_little_of_a_file_is_read(self, layer, tmp_path):
        """A member is looked for at both ends, whatever lies between."""
        out = tmp_path / "large.geojson"
        write_layer(layer, out, added=LABELS)
        source, _ = find_source(out, None)
        read = []

        class Watched:
            def __init__(self, file):
                self.file = file

            def read(self, size=-1):
                found = self.file.read(size)
                read.append(len(found))
                return found

        with out.open("rb") as file:
            assert list(members_before_features(Watched(file))) == ["type", "name"]
        assert read == [min(out.stat().st_size, FIRST)]
        assert kept_in_geojson(source, read_head(source)) is None

    def test_standard_input(self, collection, monkeypatch):
        import io
        import sys

        data = json.dumps(collection).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert read_layer("-").history == (RUN,)


class TestBeside:
    """Formats that have no place for it: a file beside the layer, which comes and goes with it."""

    @pytest.mark.parametrize("ending", BESIDE)
    def test_goes_with_a_layer_that_is_replaced(self, ending, layer, tmp_path):
        out = tmp_path / f"out.{ending}"
        beside = tmp_path / f"out.{ending}.run.json"
        write_layer(layer, out, added=LABELS, record=RUN)
        assert beside.exists()
        write_layer(layer, out, added=LABELS, overwrite=True)
        assert not beside.exists()

    @pytest.mark.parametrize("ending", BESIDE)
    def test_is_not_overwritten_unasked(self, ending, layer, tmp_path):
        beside = tmp_path / f"out.{ending}.run.json"
        beside.write_text("somebody's")
        with pytest.raises(OutputError, match=r"run\.json already exists; use --overwrite"):
            write_layer(layer, tmp_path / f"out.{ending}", added=LABELS, record=RUN)
        assert [path.name for path in tmp_path.iterdir()] == [beside.name]
        assert beside.read_text() == "somebody's"

    @pytest.mark.parametrize("ending", BESIDE)
    def test_both_or_neither(self, ending, layer, tmp_path, monkeypatch):
        """Where the layer cannot be put in place, the old record stays as well."""
        import os

        out = tmp_path / f"out.{ending}"
        write_layer(layer, out, added=LABELS, record=RUN)
        before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

        def failing(move):
            def fail(source, target):
                if str(target) == str(out) and Path(source).parent.name != "old":
                    raise OSError(5, "Input/output error")
                move(source, target)

            return fail

        for name in ("rename", "replace"):
            monkeypatch.setattr(os, name, failing(getattr(os, name)))
        with pytest.raises(OutputError):
            write_layer(layer, out, added={"regions": LABELS["cluster"]}, overwrite=True, record=SECOND)
        monkeypatch.undo()
        assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before

    def test_is_no_layer_of_an_archive(self, layer, tmp_path):
        out = tmp_path / "out.shp.zip"
        write_layer(layer, out, added=LABELS, record=RUN)
        assert len(read_layer(out)) == 4
        assert len(geopandas.read_file(f"zip://{out}")) == 4

    def test_two_formats_in_one_folder(self, layer, tmp_path):
        write_layer(layer, tmp_path / "out.shp", added=LABELS, record=RUN)
        regions = {"regions": pa.array([1, 1, 2, 2], pa.int32())}
        write_layer(layer, tmp_path / "out.csv", added=regions, record=SECOND)
        assert read_layer(tmp_path / "out.shp").history == (RUN,)
        assert read_layer(tmp_path / "out.csv").history == (SECOND,)


def test_rows_that_are_taken_keep_it(layer, tmp_path):
    for ending in ("gpkg", "parquet", "csv"):
        out = tmp_path / f"out.{ending}"
        write_layer(layer, out, added=LABELS, record=RUN)
        assert read_layer(out, where="a > 2").history == (RUN,), ending
