"""GeoPackages that do more than hold layers: queries in the place of tables, triggers, what has no end."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pyarrow as pa
import pyogrio
import pyogrio.errors
import pytest

from regionalize.errors import DataError, OutputError
from regionalize.io import gdal
from regionalize.io.check_output import check_output
from regionalize.io.geopackage_metadata import LONGEST
from regionalize.io.layers import list_layers
from regionalize.io.read import read_layer
from regionalize.io.sample import sample_path
from regionalize.io.source import find_source
from regionalize.io.write import write_layer
from regionalize.model.record import RunRecord
from regionalize.model.style import Sign, Style

ENDLESS = "WITH RECURSIVE all_of_them(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM all_of_them)"
LABELS = {"cluster": pa.array([1] * 159, pa.int32())}
STYLE = Style("cluster", "by cluster", "areas", (Sign(1, "1 (159 units)", "#112233"),), 0.2)
RUN = RunRecord(made_by="kmeans", columns=("cluster",))


@pytest.fixture
def package(tmp_path):
    """A GeoPackage with one layer."""
    return shutil.copyfile(sample_path(), tmp_path / "package.gpkg")


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as database, database:
        return [database.execute(statement).fetchall() for statement in statements][-1]


@pytest.mark.parametrize("name", ["gpkg_metadata", "GPKG_OGR_CONTENTS", "gpkg_extensions", "gpkg_contents"])
def test_a_query_in_the_place_of_a_table_is_not_asked(package, name):
    execute(
        package,
        f"DROP TABLE IF EXISTS {name}",
        f"CREATE VIEW {name} AS {ENDLESS} SELECT id, id AS table_name, id AS feature_count FROM all_of_them",
    )
    with pytest.raises(DataError, match=f"is not a sound GeoPackage: its table '{name}' is a view"):
        read_layer(package)
    with pytest.raises(OutputError, match="is not a sound GeoPackage"):
        check_output(package, layer_name="new")
    with pytest.raises(OutputError, match="is not a sound GeoPackage"):
        write_layer(read_layer(None), package, added=LABELS, layer_name="new")
    write_layer(read_layer(None), package, added=LABELS, overwrite=True)
    assert read_layer(package).column_names[-1] == "cluster"


@pytest.mark.parametrize("filler", ["zeroblob({})", "CAST(zeroblob({}) AS TEXT)"])
def test_a_history_without_end(package, filler):
    write_layer(read_layer(None), package, added=LABELS, overwrite=True, record=RUN)
    assert read_layer(package).history == (RUN,)
    execute(package, f"UPDATE gpkg_metadata SET metadata = {filler.format(LONGEST + 1)}")
    found = read_layer(package)
    assert found.history == ()
    assert any("too long" in note for note in found.notes)
    assert len(found) == 159


@pytest.mark.parametrize(
    "table",
    ["gpkg_contents", "gpkg_geometry_columns", "gpkg_metadata", "gpkg_metadata_reference", "layer_styles"],
)
def test_a_layer_that_is_added_changes_no_other(package, table):
    layer = read_layer(None)
    about = {"added": LABELS, "record": RUN, "styles": (STYLE,) if table == "layer_styles" else ()}
    write_layer(layer, package, layer_name="first", **about)
    spoil = f'CREATE TRIGGER "sp""oil" AFTER INSERT ON {table} BEGIN DELETE FROM georgia; END'
    execute(package, spoil)
    write_layer(layer, package, layer_name="second", **about)
    assert execute(package, "SELECT count(*) FROM georgia") == [(159,)]
    for name in ("georgia", "first", "second"):
        assert len(read_layer(package, layer=name)) == 159
    assert execute(package, "SELECT sql FROM sqlite_master WHERE name = 'sp\"oil'") == [(spoil,)]
    if table == "layer_styles":
        assert execute(package, "SELECT f_table_name FROM layer_styles") == [("first",), ("second",)]


def test_styles_are_counted_as_gdal_does(package):
    """GDAL states the number of rows of a table of styles that it made, and believes it."""
    layer = read_layer(None)
    write_layer(layer, package, added=LABELS, layer_name="first", styles=(STYLE,))
    execute(package, "INSERT INTO gpkg_ogr_contents VALUES ('layer_styles', 1)")
    write_layer(layer, package, added=LABELS, layer_name="second", styles=(STYLE,))
    assert pyogrio.read_info(package, layer="layer_styles")["features"] == 2


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "CREATE TABLE notes (note TEXT)",
        "CREATE VIEW few AS SELECT * FROM georgia",
        "DELETE FROM gpkg_geometry_columns",
        "UPDATE gpkg_contents SET data_type = 'tiles'",
        "UPDATE gpkg_contents SET table_name = 'GEORGIA'",
        "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('gone', 'attributes', 0)",
        "CREATE TABLE rtree_notes (note TEXT)",
    ],
)
def test_layers_are_those_that_gdal_lists(package, statement):
    execute(package, statement)
    source, _ = find_source(package, None)
    try:
        with gdal.quiet():
            expected = [(str(name), kind is not None) for name, kind in pyogrio.list_layers(package)]
    except pyogrio.errors.DataSourceError:
        with pytest.raises(pyogrio.errors.DataSourceError):
            list_layers(source)
    else:
        assert list_layers(source) == expected
