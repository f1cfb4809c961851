"""What is written in batches is what `write_layer` writes of all rows at once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from datetime import time
from decimal import Decimal

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from regionalize.errors import OutputError
from regionalize.io.batch_files import IN_BATCHES
from regionalize.io.batch_writer import batch_writer
from regionalize.io.formats import FORMATS
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches
from regionalize.io.rows import sliced
from regionalize.io.write import write_layer
from regionalize.model.layer import Layer, LayerOrigin
from regionalize.model.record import RunRecord
from regionalize.model.style import Sign, Style

SUFFIXES = [form.extensions[0] for form in IN_BATCHES]


def labels_of(n):
    return pa.array(np.arange(n) % 7 + 1, pa.int32(), mask=np.arange(n) % 11 == 3)


def write_in_batches(layer, path, added, rows, **options):
    """Write a layer in memory in batches; return what is said."""
    kinds = {name: column.type for name, column in added.items()}
    with batch_writer(path, sliced(layer, 0, 0), added=kinds, **options) as write:
        for start in range(0, len(layer), rows):
            write(sliced(layer, start, rows), {name: part.slice(start, rows) for name, part in added.items()})
    return write.notes


def check_same(layer, tmp_path, suffix, rows=7, added=None, **options):
    """Write a layer at once and in batches, and compare: what is said, read and listed."""
    added = {"cl_x": labels_of(len(layer))} if added is None else added
    once, batches = tmp_path / "once" / f"out{suffix}", tmp_path / "batches" / f"out{suffix}"
    outcomes = []
    for path, write in ((once, write_layer), (batches, write_in_batches)):
        path.parent.mkdir(exist_ok=True)
        more = {"rows": rows} if write is write_in_batches else {}
        try:
            outcomes.append(write(layer, path, added=added, **more, **options))
        except OutputError as error:
            outcomes.append(f"{error.column}: {error.reason}; {error.advice}")
    assert outcomes[0] == outcomes[1]
    assert sorted(part.name for part in once.parent.iterdir()) == sorted(
        part.name for part in batches.parent.iterdir()
    )
    if isinstance(outcomes[0], tuple):
        check_same_files(once, batches, options["layer_name"].lower() if "layer_name" in options else None)
    return outcomes[1]


def check_same_files(once, batches, name):
    first, second = read_layer(once, layer=name), read_layer(batches, layer=name)
    assert second.attributes.schema == first.attributes.schema
    assert str(second.attributes.to_pydict()) == str(first.attributes.to_pydict())
    assert (second.wkb is None) == (first.wkb is None)
    assert second.wkb is None or second.wkb.to_pylist() == first.wkb.to_pylist()
    assert second.crs == first.crs
    assert second.history == first.history
    for one, other in ((asdict(first.origin), asdict(second.origin)),):
        for known in (one, other):
            known.pop("file")
            known["metadata"] = {
                name: str(value) for name, value in known["metadata"].items() if name != "fids"
            }
        assert other == one
    fids = first.origin.metadata.get("fids")
    assert fids is None or second.origin.metadata["fids"].to_pylist() == fids.to_pylist()
    if once.suffix in {".csv", ".geojson", ".fgb"}:
        assert batches.read_bytes() == once.read_bytes()
    if once.suffix == ".parquet":
        one, other = (pq.read_metadata(path) for path in (once, batches))
        assert other.metadata == one.metadata
        assert other.schema.equals(one.schema)
        assert other.num_row_groups == one.num_row_groups
    if once.suffix == ".gpkg":
        assert outline(batches) == outline(once)


def outline(path):
    """Return all that a GeoPackage's own tables say, but times."""
    found = {}
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in sorted(names):
            if (
                name.startswith("rtree")
                and "_rowid" not in name
                and "_node" not in name
                and "_parent" not in name
            ):
                continue  # what it says is in the tables beside it
            if "_node" in name or "_parent" in name:
                found[name] = "how the index is laid out"
                continue
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')]
            kept = [column for column in columns if column not in {"last_change", "timestamp", "update_time"}]
            chosen = ", ".join(f'"{column}"' for column in kept)
            rows = database.execute(f'SELECT {chosen} FROM "{name}"').fetchall()
            found[name] = (columns, len(rows) if name.endswith("_rowid") else rows)
        sql = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return found, sorted(sql)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [1, 7, 100, 1000])
def test_the_sample(tmp_path, suffix, rows):
    check_same(read_layer(None), tmp_path, suffix, rows)


REAL = [
    "guerry/Guerry.shp",
    "chi_sdoh/Chi-SDOH.shp",
    "brazil/municipalities.gpkg",
    "messy/liverpool/liverpool_lsoa.geojson",
    "messy/nyc/nyc.shp",
    "messy/tokyo/tokyomet262a.shp",
    "messy/scotlip/scotlip.shp",
    "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp",
]


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".fgb", ".csv"])
@pytest.mark.parametrize("relative", REAL)
def test_real_layers(shared_data, tmp_path, relative, suffix):
    layer = read_layer(shared_data(relative))
    check_same(layer, tmp_path, suffix, rows=1000 if len(layer) > 3000 else 50)


def test_from_file_to_file(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("lon,lat,name\n" + "".join(f"{row / 10},{row},n{row}\n" for row in range(50)))
    layer = read_layer(source)
    labels = labels_of(50)
    for suffix in SUFFIXES:
        once, out = tmp_path / f"once{suffix}", tmp_path / f"out{suffix}"
        said = write_layer(layer, once, added={"label": labels}, layer_name="x")
        batches, start = RowBatches(source, rows=7), 0
        with batch_writer(out, batches.head, added={"label": pa.int32()}, layer_name="x") as write:
            for batch in batches:
                write(batch, {"label": labels.slice(start, len(batch))})
                start += len(batch)
        assert write.notes == said
        assert write.rows == 50
        assert read_layer(out).attributes.equals(read_layer(once).attributes)


def awkward_columns(n):
    """Columns of every type, of which the awkward values come late."""
    late = np.arange(n) >= n - 3
    return pa.table(
        {
            "i8": pa.array(np.arange(n) % 100, pa.int8()),
            "u32": pa.array(np.arange(n) + 2**31, pa.uint32()),
            "u64": pa.array(np.arange(n), pa.uint64()),
            "f16": pa.array(np.arange(n).astype(np.float16)),
            "f32": pa.array(np.arange(n) / 3, pa.float32()),
            "f64": pa.array(np.where(late, np.nan, 1.5), pa.float64()),
            "inf": pa.array(np.where(late, np.inf, 1.5), pa.float64()),
            "text": pa.array([None if row % 5 == 0 else f'é "{row}", x' for row in range(n)]),
            "large": pa.array([f"t{row}" for row in range(n)], pa.large_string()),
            "kind": pa.array([f"k{row % 3}" for row in range(n)]).dictionary_encode(),
            "flag": pa.array([None if row % 4 == 0 else row % 2 == 0 for row in range(n)]),
            "day": pa.array(np.arange(n).astype("datetime64[D]")),
            "utc": pa.array(np.arange(n) * 1000, pa.timestamp("ms", "UTC")),
            "local": pa.array(np.arange(n) * 1000 + np.where(late, 1, 0), pa.timestamp("us")),
            "time": pa.array([time(row % 24, 30) for row in range(n)], pa.time32("ms")),
            "took": pa.array(np.arange(n), pa.duration("s")),
            "money": pa.array([Decimal(row) / 4 for row in range(n)], pa.decimal128(12, 2)),
            "raw": pa.array([bytes([row % 256]) for row in range(n)], pa.binary()),
            "list": pa.array([[row, None] for row in range(n)]),
            "struct": pa.array([{"a": row, "b": "x"} for row in range(n)]),
            "null": pa.nulls(n),
        }
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_of_every_type(tmp_path, suffix):
    n = 40
    table = awkward_columns(n)
    layer = Layer(table, points(n), "EPSG:4326", LayerOrigin(geometry_type="Point"))
    check_same(layer, tmp_path, suffix)


def points(n):
    return wkb_of(shapely.points(np.arange(n) * 1.0, 0.0))


def wkb_of(shapes):
    return pa.chunked_array([pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary())])


SQUARE = shapely.box(0, 0, 1, 1)
HIGH = shapely.force_3d(SQUARE, 5)
TWO = shapely.MultiPolygon([SQUARE, shapely.box(2, 2, 3, 3)])
HIGH_TWO = shapely.force_3d(TWO, 7)
LINE = shapely.LineString([(0, 0), (1, 1)])
MEASURED = shapely.from_wkt("POLYGON M ((0 0 1, 1 0 2, 1 1 3, 0 0 1))")
EMPTY = shapely.Polygon()
KINDS = {
    "one kind": [SQUARE] * 12,
    "another kind late": [SQUARE] * 10 + [TWO] * 2,
    "lines late": [SQUARE] * 10 + [LINE] * 2,
    "heights late": [SQUARE] * 10 + [HIGH] * 2,
    "heights and parts late": [SQUARE] * 8 + [HIGH] * 2 + [HIGH_TWO] * 2 + [None],
    "heights and lines late": [SQUARE] * 8 + [HIGH] * 2 + [LINE] * 2,
    "nulls": [None] * 9 + [SQUARE],
    "all null": [None] * 9,
    "empty": [SQUARE] * 9 + [EMPTY] * 3,
    "measured": [SQUARE] * 9 + [MEASURED] * 3,
    "collection": [SQUARE] * 9 + [shapely.GeometryCollection([SQUARE, LINE])],
}


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix != ".csv"])
@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("declared", ["Polygon", "Unknown", "MultiPolygon Z"])
def test_kinds_of_geometry(tmp_path, suffix, kinds, declared):
    shapes = np.array(KINDS[kinds], dtype=object)
    table = pa.table({"id": np.arange(len(shapes))})
    check_same(
        Layer(table, wkb_of(shapes), "EPSG:4326", LayerOrigin(geometry_type=declared)), tmp_path, suffix, 3
    )


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".fgb", ".geojson"])
def test_curves(tmp_path, suffix):
    texts = ["LINESTRING (0 0, 1 1)", "LINESTRING (0 0, 2 1)", "CIRCULARSTRING (0 0, 1 1, 2 0)"] * 4
    (tmp_path / "c.csv").write_text(
        "id,wkt\n" + "".join(f'{row},"{text}"\n' for row, text in enumerate(texts))
    )
    write_layer(read_layer(tmp_path / "c.csv"), tmp_path / "c.gpkg", added={})
    layer, labels = read_layer(tmp_path / "c.gpkg"), labels_of(12)
    said = write_layer(layer, tmp_path / f"once{suffix}", added={"cl": labels})
    batches = RowBatches(tmp_path / "c.gpkg", rows=2)  # of which the first holds no curve
    with batch_writer(tmp_path / f"batches{suffix}", batches.head, added={"cl": pa.int32()}) as write:
        for number, batch in enumerate(batches):
            write(batch, {"cl": labels.slice(2 * number, 2)})
    assert write.notes == said
    first, second = (read_layer(tmp_path / f"{name}{suffix}") for name in ("once", "batches"))
    assert second.attributes.equals(first.attributes)
    np.testing.assert_array_equal(shapely.to_wkb(second.geometry), shapely.to_wkb(first.geometry))


@pytest.mark.parametrize(
    "fids", [range(5, 45), [*range(20), *range(15, 35)], [*range(30), None, *range(40, 49)]]
)
def test_row_identifiers(tmp_path, fids):
    kept = pa.chunked_array([pa.array(list(fids), pa.int64())])
    origin = LayerOrigin(fid_name="fid", metadata={"fids": kept}, geometry_name="geom")
    layer = Layer(pa.table({"id": np.arange(40)}), points(40), "EPSG:4326", origin)
    check_same(layer, tmp_path, ".gpkg", rows=10)
    taken = Layer(pa.table({"FID": np.arange(40)}), points(40), "EPSG:4326", origin)
    check_same(taken, tmp_path, ".gpkg", rows=10, overwrite=True)


def test_bounding_boxes_of_geoparquet_stay_there(tmp_path):
    frame = geopandas.GeoDataFrame(
        {"id": range(30)}, geometry=shapely.box(0, 0, np.arange(30) + 1, 1), crs=4326
    )
    frame.to_parquet(tmp_path / "in.parquet", write_covering_bbox=True, schema_version="1.1.0")
    layer = read_layer(tmp_path / "in.parquet")
    for suffix in (".parquet", ".gpkg"):
        check_same(layer, tmp_path, suffix)
    written = tmp_path / "batches" / "out.parquet"
    assert len(geopandas.read_parquet(written, bbox=(9.5, 0, 10, 1))) == 21
    about = json.loads(pq.read_schema(written).metadata[b"geo"])
    assert about["version"] == "1.1.0"


def test_other_programs_read_geoparquet(tmp_path):
    layer = read_layer(None)
    write_in_batches(layer, tmp_path / "o.parquet", {"cl": labels_of(159)}, 20)
    frame = geopandas.read_parquet(tmp_path / "o.parquet")
    assert frame.crs == layer.crs
    assert frame.geometry.name == "geom"
    np.testing.assert_array_equal(shapely.to_wkb(frame.geometry), shapely.to_wkb(layer.geometry))


def test_tables_without_geometry(tmp_path):
    table = pa.table({"id": np.arange(20), "name": [f"n{row}" for row in range(20)]})
    for suffix in SUFFIXES:
        if suffix != ".gdb":
            check_same(Layer(table, None, None), tmp_path, suffix)


RECORD = RunRecord(made_by="kmeans", columns=("cl_x",), k=7)
SIGNS = tuple(Sign(value, f"{value}", "#aabbcc") for value in range(1, 8))
STYLE = Style("cl_x", "Clusters", "areas", SIGNS, 0.2)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_history_and_styles(tmp_path, suffix):
    layer = read_layer(None)
    first = replace(layer, history=(RunRecord(made_by="skater", columns=("name",)),))
    check_same(first, tmp_path, suffix, record=RECORD, styles=(STYLE,), qml=True)
    assert read_layer(tmp_path / "batches" / f"out{suffix}").history[-1] == RECORD
    assert (tmp_path / "batches" / "out.qml").exists()


def test_a_layer_beside_others(tmp_path):
    layer = read_layer(None)
    for folder in ("once", "batches"):
        (tmp_path / folder).mkdir()
        write_layer(layer, tmp_path / folder / "out.gpkg", added={}, layer_name="before")
    check_same(layer, tmp_path, ".gpkg", layer_name="new", styles=(STYLE,), record=RECORD)
    with pytest.raises(OutputError, match="already has a layer 'NEW'; use --overwrite"):
        write_in_batches(layer, tmp_path / "batches" / "out.gpkg", {}, 50, layer_name="NEW")
    check_same(layer, tmp_path, ".gpkg", layer_name="NEW", overwrite=True)
    names = {str(name) for name, _ in pyogrio.list_layers(tmp_path / "batches" / "out.gpkg")}
    assert names == {"before", "new", "layer_styles"}


@pytest.mark.parametrize(
    "form", [form for form in FORMATS if form not in IN_BATCHES], ids=lambda form: form.name
)
def test_formats_that_are_refused(tmp_path, form):
    head = sliced(read_layer(None), 0, 0)
    with (
        pytest.raises(OutputError, match=r"cannot be written some rows at a time; write one of \.parquet"),
        batch_writer(tmp_path / f"o{form.extensions[0]}", head, added={}),
    ):
        raise AssertionError("no row should be asked for")
    with (
        pytest.raises(OutputError, match="not written to standard output"),
        batch_writer("-", head, added={}),
    ):
        raise AssertionError("no row should be asked for")


def test_what_is_refused_before_any_row(tmp_path):
    layer = read_layer(None)
    head = sliced(layer, 0, 0)

    def refusal(path, **options):
        with pytest.raises(OutputError) as caught, batch_writer(path, head, **{"added": {}} | options):
            raise AssertionError("no row should be asked for")
        return str(caught.value)

    out = tmp_path / "out.parquet"
    out.write_bytes(b"of a person")
    assert refusal(out).startswith(f"{out}: already exists; use --overwrite")
    assert "there is no folder" in refusal(tmp_path / "no" / "o.gpkg")
    assert "already has a column 'name'" in refusal(tmp_path / "o.csv", added={"name": pa.int32()})
    assert "already has a column 'NAME'" in refusal(tmp_path / "o.gpkg", added={"NAME": pa.int32()})
    assert "keeps for itself" in refusal(tmp_path / "o.gpkg", layer_name="gpkg_x")
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_left_when_it_fails(tmp_path, suffix):
    layer = read_layer(None)
    path = tmp_path / f"out{suffix}"
    write_layer(layer, path, added={})
    before = {part: part.read_bytes() for part in sorted(tmp_path.rglob("*")) if part.is_file()}

    def fail(what):
        head = sliced(layer, 0, 0)
        with (
            pytest.raises((OutputError, KeyboardInterrupt)),
            batch_writer(path, head, added={"cl": pa.int32()}, overwrite=True) as write,
        ):
            what(write)

    def stop(write):
        write(sliced(layer, 0, 50), {"cl": labels_of(50)})
        raise KeyboardInterrupt

    def other_type(write):
        write(sliced(layer, 0, 50), {"cl": labels_of(50)})
        table = layer.attributes.set_column(2, "tot_pop", pa.array(["not a number"] * 159))
        write(sliced(replace(layer, attributes=table), 50, 159), {"cl": labels_of(109)})

    def fewer_columns(write):
        write(replace(layer, attributes=layer.attributes.select([0])), {"cl": labels_of(159)})

    fail(stop)
    fail(fewer_columns)
    fail(other_type)
    after = {part: part.read_bytes() for part in sorted(tmp_path.rglob("*")) if part.is_file()}
    assert after == before


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".geojson"])
def test_values_that_a_format_cannot_hold_come_late(tmp_path, suffix):
    layer = Layer(pa.table({"big": pa.array([1] * 30 + [2**63], pa.uint64())}), points(31), "EPSG:4326")
    check_same(layer, tmp_path, suffix, rows=10)
    assert not list((tmp_path / "batches").iterdir())


def test_many_small_batches_become_large_row_groups(tmp_path):
    table = pa.table({"id": np.arange(70_000)})
    layer = Layer(table, None, None)
    write_in_batches(layer, tmp_path / "o.parquet", {"cl": labels_of(70_000)}, 256)
    about = pq.read_metadata(tmp_path / "o.parquet")
    assert about.num_row_groups == 2
    assert pq.read_table(tmp_path / "o.parquet")["id"].to_pylist() == list(range(70_000))


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".fgb", ".csv", ".geojson"])
def test_a_full_disk(small_disk, suffix):
    layer = read_layer(None)

    def write_much(path):
        with batch_writer(path, sliced(layer, 0, 0), added={}) as write:
            for _ in range(30):
                write(layer, {})

    with small_disk("64k") as folder:
        with pytest.raises(OutputError, match="no space left on the device"):
            write_much(folder / f"o{suffix}")
        assert not list(folder.iterdir())
