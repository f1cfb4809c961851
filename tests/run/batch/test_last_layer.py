"""A part of a layer from memory is the part that --where reads, and a layer is read once."""

from __future__ import annotations

import shutil
from dataclasses import replace

import geopandas
import pytest

from regionalize.io import read
from regionalize.io.read import read_layer
from regionalize.model.job import Outputs
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.items import Part
from regionalize.run.batch.last_layer import LastLayer
from regionalize.run.batch.parts import parts_of, where_of
from regionalize.run.files import run

FORMATS = ["in.gpkg", "in.shp", "in.parquet", "in.geojson", "in.fgb"]


@pytest.fixture
def opened(monkeypatch):
    """Return the list of what is read from now on: (path, where)."""
    seen = []
    real = read.read_layer

    def spy(path, **more):
        seen.append((str(path), more.get("where")))
        return real(path, **more)

    monkeypatch.setattr(read, "read_layer", spy)
    return seen


def same(layer, other):
    assert layer.attributes.equals(other.attributes)
    assert layer.attributes.schema.equals(other.attributes.schema)
    assert layer.wkb.equals(other.wkb)
    assert layer.crs == other.crs
    assert layer.notes == other.notes
    assert (layer.shapes is None) == (other.shapes is None)
    fids, others = (dict(one.origin.metadata).pop("fids", None) for one in (layer, other))
    assert (fids is None) == (others is None)
    assert fids is None or fids.equals(others)
    assert replace(layer.origin, metadata={}) == replace(other.origin, metadata={})


class TestParts:
    @pytest.mark.parametrize("name", FORMATS)
    @pytest.mark.parametrize("column", ["state", "year"])
    @pytest.mark.parametrize("among", [None, "a < 0.9"])
    def test_equal_what_where_reads(self, layers, opened, name, column, among):
        path = layers(0, name=name)
        last = LastLayer()
        parts, _ = parts_of(read_layer(path), column)
        for part in parts:
            where = where_of(part, among)
            found = last.reader(part, among)(str(path), layer=None, where=where, encoding=None)
            same(found, read_layer(path, where=where))
        assert opened == [(str(path), among)]  # once for all parts

    @pytest.mark.parametrize("name", FORMATS)
    def test_runs_equal_runs_with_where(self, layers, make_item, tmp_path, name):
        path = layers(0, name=name, columns=6, rows=6)
        runner = Runner()
        parts, _ = parts_of(read_layer(path), "state")
        ending = name.removeprefix("in")
        for at, part in enumerate(parts):
            files = {"report": tmp_path / "out" / f"{at}.json"}
            item = make_item(path, f"part{at}", ending=ending, part=part, outputs=files, weights="queen")
            found = runner.attempt(item, Terms())
            assert found.status == "done", found.error
            written = {file: file.read_bytes() for file in sorted((tmp_path / "out").glob(f"*{at}*"))}
            assert len(written) >= 2
            layer = read_layer(item.outputs.output)
            for file in written:
                file.unlink()
            alone = run(str(path), replace(item.job, where=where_of(part, None)), item.outputs)
            assert found.notes == alone.notes
            same(layer, read_layer(item.outputs.output))
            for file, text in written.items():
                if file.suffix != ".gpkg":  # which has the time in it
                    assert file.read_bytes() == text, file

    def test_values_that_need_quotes(self, layers):
        path = layers(0, name="in.gpkg")
        part = Part(column="state", value="d'Oeste")
        found = LastLayer().reader(part, None)(str(path), layer=None, where="no filter", encoding=None)
        assert set(found.attributes["state"].to_pylist()) == {"d'Oeste"}

    def test_a_layer_that_something_was_noted_of_is_read_part_by_part(self, layers, opened, tmp_path):
        """The encoding is a guess from the rows that are read, so it may be another for each part."""
        path = layers(0, name="in.shp")
        geopandas.read_file(path).drop(columns="name").to_file(path, encoding="ISO-8859-1")
        path.with_suffix(".cpg").unlink()
        last = LastLayer()
        asked = {"layer": None, "encoding": None}
        plain = where_of(Part(column="state", value="d'Oeste"), None)
        found = last.reader(Part(column="state", value="d'Oeste"), None)(str(path), where=plain, **asked)
        same(found, read_layer(path, where=plain))
        assert found.notes == ()
        accented = Part(column="state", value="Ceará")  # which no filter finds in an encoding nobody told
        found = last.reader(accented, None)(str(path), where=where_of(accented, None), **asked)
        assert found.attributes["state"].to_pylist() == ["Ceará"] * 4
        assert any("read as" in note for note in found.notes)

    def test_errors_are_those_of_the_part(self, layers):
        path = layers(0, name="in.gpkg")
        part = Part(column="year", value=1999)
        with pytest.raises(read.DataError, match="no row satisfies --where 'year = 1999'"):
            LastLayer().reader(part, None)(str(path), layer=None, where="year = 1999", encoding=None)


class TestOnce:
    def test_a_grid_over_one_file_reads_it_once(self, layers, make_item, opened):
        path, runner = layers(0), Runner()
        for k in (2, 3, 4):
            item = replace(make_item(path, f"k{k}", k=k), outputs=Outputs())
            assert runner.attempt(item, Terms()).status == "done"
        assert len(opened) == 1

    def test_a_file_that_changes_is_read_again(self, layers, opened):
        path, other = layers(0), layers(1)
        last = LastLayer()
        asked = {"layer": None, "where": None, "encoding": None}
        first = last.read(str(path), **asked)
        assert last.read(str(path), **asked) is first
        shutil.copyfile(other, path)
        again = last.read(str(path), **asked)
        assert not again.attributes.equals(first.attributes)
        last.read(str(path), **asked | {"where": "year = 2000"})
        assert len(opened) == 3
