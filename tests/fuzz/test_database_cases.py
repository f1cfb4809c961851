"""Damage to the pages of a GeoPackage, of which GDAL made rows that are not in it."""

import sqlite3
import struct
from contextlib import closing

import pyarrow as pa
import pytest
from layers import ROWS, build

from regionalize.errors import DataError
from regionalize.features.columns import read_columns
from regionalize.io.database_numbers import NoNumbers
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches
from regionalize.io.rows import joined
from regionalize.io.source import Source
from regionalize.model.job import Job
from regionalize.run.describe import describe_source

PAGE = 4096
WAYS = {
    "whole": read_layer,
    "in tens": lambda path: list(RowBatches(path, rows=10)),
    "in sevens": lambda path: list(RowBatches(path, rows=7)),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    (path,) = build(tmp_path_factory.mktemp("good"))["gpkg"]
    return path


def leaves_of(raw, root):
    """Return where the pages with rows of a table begin, which its root page points at (SQLite, 1.6)."""
    at = (root - 1) * PAGE
    kind, cells, last = struct.unpack(">BxxHxxxI", raw[at : at + 12])
    assert kind == 5
    cells = struct.unpack(f">{cells}H", raw[at + 12 : at + 12 + 2 * cells])
    left = [struct.unpack(">I", raw[at + cell : at + cell + 4])[0] for cell in cells]
    return [(page - 1) * PAGE for page in (*left, last)]


@pytest.fixture
def moved(good, tmp_path):
    """Return `moved(leaf, change)`: the pointers of a page to its rows are others."""

    def write(leaf, change):
        raw = bytearray(good.read_bytes())
        with closing(sqlite3.connect(good)) as database:
            (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'units'").fetchone()
        at = leaves_of(raw, root)[leaf]
        (count,) = struct.unpack(">H", raw[at + 3 : at + 5])
        form = f">{count}H"
        pointers = change(struct.unpack(form, raw[at + 8 : at + 8 + 2 * count]))
        raw[at + 8 : at + 8 + 2 * count] = struct.pack(form, *pointers)
        path = tmp_path / "units.gpkg"
        path.write_bytes(raw)
        return path

    return write


@pytest.mark.parametrize("way", WAYS)
def test_pages_are_as_expected(way, moved):
    """Else nothing would be damaged."""
    found = WAYS[way](moved(0, lambda pointers: pointers))
    assert (len(found) if way == "whole" else sum(map(len, found))) == ROWS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("leaf", [0, -1])
def test_rows_that_lie_outside_of_their_page(way, leaf, moved):
    """Something was read in their place, and nothing said where rows were read some at a time."""
    path = moved(leaf, lambda pointers: (*pointers[:-5], 48454, 50022, 7509, 45780, pointers[-1]))
    with pytest.raises(DataError, match="the file is damaged"):
        WAYS[way](path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("leaf", [0, -1])
@pytest.mark.parametrize("repeated", [1, 5])
def test_rows_that_are_there_twice_in_place_of_others(way, leaf, repeated, moved):
    """There were as many as the file states, and so they were taken for all.

    Five rows in the place of the last are more than GDAL makes room for, and it says that memory is wanting.
    """
    path = moved(leaf, lambda pointers: (*pointers[5 : 5 + repeated], *pointers[repeated:]))
    with pytest.raises(DataError, match="the database is damaged"):
        WAYS[way](path)


@pytest.fixture
def changed(good, tmp_path):
    """Return `changed(statement, ...)`: a GeoPackage in which something else stands."""

    def change(*statements):
        path = tmp_path / "units.gpkg"
        path.write_bytes(good.read_bytes())
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        with closing(sqlite3.connect(path)) as database, database:
            for (name,) in database.execute(triggers).fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            for statement in statements:
                database.execute(statement)
        return path

    return change


@pytest.mark.parametrize("where", [None, "a > -100"])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("value", ["'x2020'", "5"])
def test_what_is_no_date_is_told_however_it_is_read(value, gaps, where, changed):
    """GDAL takes it for 1970-01-01, and read rows in a thread whose words nobody heard."""
    path = changed(
        f"UPDATE units SET day = {value} WHERE fid = 13",
        f"UPDATE units SET fid = fid + 1000 WHERE fid > 20 AND {gaps:d}",
    )
    batches = RowBatches(path, where=where, rows=7)
    assert sum(map(len, batches)) == ROWS
    for notes in (read_layer(path, where=where).notes, batches.notes):
        (note,) = notes
        assert note.startswith("In column 'day', ")
        assert note.endswith(" stands where a date should, and was taken for 1970-01-01.")


class TestNoNumbers:
    """SQLite takes a text in a column of numbers, and GDAL took it for 3, without a word."""

    @pytest.fixture
    def path(self, changed):
        return changed(
            "UPDATE units SET a = '3,5' WHERE fid = 14",
            "UPDATE units SET pop = 1.5 WHERE fid = 15",
            "UPDATE units SET b = X'00' WHERE fid = 36",
        )

    def test_they_are_not_computed_with(self, path):
        layer = read_layer(path)
        for column, what in (
            ("a", "a: '3,5' stands where a number should"),
            ("b", "b: a run of bytes stands where a number should"),
            ("pop", "pop: 1.5 stands where a whole number should"),
        ):
            with pytest.raises(DataError, match=what):
                read_columns(layer, [column])

    def test_info_tells_of_them(self, path):
        said = describe_source(str(path), Job(method="kmeans"))["advice"]
        assert "In column 'a', '3,5' stands where a number should." in said

    def test_rows_that_are_left_out_may_hold_anything(self, path):
        layer = read_layer(path, where="fid < 14 OR fid = 15")
        assert list(layer.misread) == ["pop"]
        assert read_columns(layer, ["a", "b"]).values.shape == (14, 2)

    def test_nor_in_batches(self, path):
        batches = [list(batch.misread) for batch in RowBatches(path, rows=10)]
        assert batches == [[], ["a", "pop"], [], ["b"]]
        assert list(RowBatches(path, rows=10).only(["b"]))[3].misread.keys() == {"b"}
        whole = joined(list(RowBatches(path, rows=10)))
        assert set(whole.misread) == {"a", "b", "pop"}

    @pytest.mark.parametrize("content", [None, b"another file"], ids=["gone", "replaced"])
    def test_a_layer_that_was_read_does_not_need_its_file(self, good, tmp_path, content):
        path = tmp_path / "units.gpkg"
        path.write_bytes(good.read_bytes())
        layer = read_layer(path)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        assert read_columns(layer, ["a", "b"]).values.shape == (ROWS, 2)

    def test_of_more_columns_than_one_query_takes(self, tmp_path):
        names = [f"v{number}" for number in range(1100)]
        path = tmp_path / "wide.gpkg"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"CREATE TABLE t (fid INTEGER PRIMARY KEY, {' REAL, '.join(names)} REAL)")
            database.execute("INSERT INTO t (fid, v3, v1099) VALUES (1, 0.5, 'x')")
        table = pa.table({name: [0.0] for name in names})
        source = Source(str(path), str(path), "GeoPackage", path)
        assert list(NoNumbers(source, "t", "fid", pa.chunked_array([[1]]), table, {})) == ["v1099"]
