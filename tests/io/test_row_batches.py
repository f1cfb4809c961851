"""Rows in batches are the rows that `read_layer` reads, in its order and types."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError, OutputError
from regionalize.io import row_batches
from regionalize.io.check_output import check_output
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches
from regionalize.io.rows import joined, sliced
from regionalize.io.sample import sample_path
from regionalize.io.write import write_layer

SUFFIXES = [".gpkg", ".parquet", ".csv", ".fgb", ".geojson", ".shp", ".gdb", ".kml", ".shp.zip"]
WITH_GEOMETRY = [suffix for suffix in SUFFIXES if suffix != ".csv"]


def check_same(path, rows=7, **options):
    """Compare all that is known of a layer, read whole and in batches; return the batches."""
    whole, batches = read_layer(path, **options), RowBatches(path, rows=rows, **options)
    parts = list(batches)
    end_to_end = joined(parts)
    assert [len(part) for part in parts[:-1]] == [rows] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= rows
    assert end_to_end.attributes.schema == whole.attributes.schema == batches.head.attributes.schema
    assert end_to_end.attributes.equals(whole.attributes) or str(end_to_end.attributes.to_pydict()) == str(
        whole.attributes.to_pydict()
    )  # NaN is not itself
    for one in (end_to_end, batches.head):
        assert (one.wkb is None) == (whole.wkb is None)
        assert one.wkb is None or one.wkb.type == whole.wkb.type
        assert one.crs == whole.crs
        assert known_origin(one) == known_origin(whole)
    if whole.wkb is not None:
        assert end_to_end.wkb.to_pylist() == whole.wkb.to_pylist()
    np.testing.assert_array_equal(shapely.to_wkb(end_to_end.geometry), shapely.to_wkb(whole.geometry))
    assert batches.head.notes == whole.notes
    assert batches.head.history == whole.history
    fids = whole.origin.metadata.get("fids")
    assert fids is None or end_to_end.origin.metadata["fids"].equals(fids)
    assert batches.count in {None, len(whole)}
    assert joined(list(batches)).attributes.equals(end_to_end.attributes) or "nan" in str(
        whole.attributes.to_pydict()
    )  # again and again
    return batches


def known_origin(layer):
    return {name: value for name, value in asdict(layer.origin).items() if name != "metadata"}


def write_sample(path, rows=40):
    """Write some rows of the sample, with what is awkward: nulls, letters, a date, a missing geometry."""
    layer = sliced(read_layer(None), 0, rows)
    # to degrees, more or less
    wkb = list(shapely.to_wkb(shapely.transform(layer.geometry, lambda places: places / 1e5), flavor="iso"))
    if path.suffix != ".csv":
        wkb[3] = None
    table = layer.attributes.append_column(
        "odd", pa.array([None, 'naïve, "q"', "x"] * (rows // 3) + ["y"] * (rows % 3))
    )
    table = table.append_column("day", pa.array(np.arange(rows).astype("datetime64[D]"), pa.date32()))
    from dataclasses import replace

    layer = replace(
        layer, attributes=table, wkb=pa.chunked_array([pa.array(wkb, pa.binary())]), crs="EPSG:4326"
    )
    write_layer(layer, path, added={"label": pa.array(np.arange(rows) % 3, pa.int32())})
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format(tmp_path, suffix):
    path = write_sample(tmp_path / f"some{suffix}")
    check_same(path)
    check_same(path, rows=1)
    check_same(path, rows=1000)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_filter(tmp_path, suffix):
    path = write_sample(tmp_path / f"some{suffix}")
    batches = check_same(path, where="label = 1 AND pct_pov > 15")
    assert batches.count is None or suffix in {".kml", ".shp.zip"}
    with pytest.raises(DataError, match="no row satisfies --where 'label > 9'"):
        list(RowBatches(path, where="label > 9"))
    with pytest.raises(DataError, match="there is no column 'lable'; did you mean 'label'"):
        list(RowBatches(path, where="lable > 9"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_the_columns_asked_for(tmp_path, suffix):
    path = write_sample(tmp_path / f"some{suffix}")
    whole = read_layer(path)
    names = ["label", "odd"]  # in the file, the other way round
    batches = RowBatches(path, columns=names, geometry=False, rows=7)
    found = joined(list(batches))
    assert found.column_names == batches.head.column_names == ["odd", "label"]
    assert found.attributes.equals(whole.attributes.select(["odd", "label"]))
    assert found.wkb is None
    assert not batches.head.has_geometry
    # what is filtered by need not be asked for
    batches = RowBatches(path, columns=["odd"], where="label = 1", rows=7)
    expected = whole.attributes.filter(pa.compute.equal(whole.attributes["label"], 1))
    assert joined(list(batches)).attributes.equals(expected.select(["odd"]))
    with pytest.raises(DataError, match="there is no column 'lable'; did you mean 'label'"):
        RowBatches(path, columns=["lable"])


@pytest.mark.parametrize("suffix", WITH_GEOMETRY)
def test_geometry_alone(tmp_path, suffix):
    path = write_sample(tmp_path / f"some{suffix}")
    batches = list(RowBatches(path, columns=[], rows=7))
    assert [len(batch) for batch in batches] == [7] * 5 + [5]
    assert joined(batches).wkb.to_pylist() == read_layer(path).wkb.to_pylist()


REAL = [
    "guerry/Guerry.shp",
    "chi_sdoh/Chi-SDOH.shp",
    "brazil/municipalities.gpkg",
    "england/lsoa_imd2019.gpkg",
    "messy/liverpool/liverpool_lsoa.geojson",
    "messy/nyc/nyc.shp",
    "messy/tokyo/tokyomet262a.shp",
    "messy/scotlip/scotlip.shp",
    "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp",
]


@pytest.mark.parametrize("relative", REAL)
def test_real_layers(shared_data, relative):
    check_same(shared_data(relative), rows=5000 if relative.endswith(".gpkg") else 97)


def test_the_sample():
    check_same(None)


@pytest.mark.parametrize("name", ["a b", "tür;1", "q?x", "it's", 'say "x"', "part!1", "comma,", "ünï"])
def test_odd_names(tmp_path, name):
    for suffix in (".parquet", ".csv", ".gpkg", ".shp"):
        folder = tmp_path / f"f {name}"
        folder.mkdir(exist_ok=True)
        check_same(write_sample(folder / f"{name}{suffix}"), rows=30)


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-8", "gbk"])
def test_text_of_a_shapefile(tmp_path, encoding):
    words = ["北京", "上海", "x"] if encoding == "gbk" else ["Ñandú", "é", "x"]
    for cpg in (encoding, None):
        path = tmp_path / f"{cpg}.shp"
        table = pa.table({"name": words * 5, "geom": shapely.to_wkb(shapely.points(np.arange(15.0), 0.0))})
        pyogrio.raw.write_arrow(
            table, path, geometry_name="geom", geometry_type="Point", crs="EPSG:4326", encoding=encoding
        )
        if cpg is None:
            path.with_suffix(".cpg").unlink()
            raw = bytearray(path.with_suffix(".dbf").read_bytes())
            raw[29] = 0  # nor does the table say
            path.with_suffix(".dbf").write_bytes(raw)
        check_same(path)
        batches = check_same(path, encoding=encoding)
        assert joined(list(batches)).attributes["name"].to_pylist() == words * 5
        check_same(path, encoding=encoding, where=f"name = '{words[1]}'")


def test_types_of_csv_are_those_of_the_whole_file(tmp_path):
    path = tmp_path / "late.csv"
    lines = ["id,size,flag,when,none,zip"]
    lines += [f"{row},{row},true,2020-01-{row % 28 + 1:02d},,0{row}" for row in range(500)]
    lines += ["2147483648,0.5,false,,,x"]
    path.write_text("\n".join(lines) + "\n")
    batches = check_same(path)
    kinds = dict(zip(batches.head.column_names, map(str, batches.head.attributes.schema.types), strict=True))
    assert kinds == {
        "id": "int64",
        "size": "double",
        "flag": "bool",
        "when": "date32[day]",
        "none": "string",
        "zip": "string",
    }


@pytest.mark.parametrize(
    "head", ["lon,lat,v", "x,y,v", "v,wkt", "v,longitude,LATITUDE", "geometry,v,x", "lon;lat;v"]
)
def test_geometry_of_csv(tmp_path, head):
    path = tmp_path / "places.csv"
    mark = ";" if ";" in head else ","
    names = head.split(mark)
    rows = [
        mark.join("POINT (1 2)" if name in {"wkt", "geometry"} else str(row + 0.5) for name in names)
        for row in range(20)
    ]
    rows[4] = mark.join("" for _ in names)
    path.write_text("\n".join([head, *rows]) + "\n")
    check_same(path)
    check_same(path, where="v > 5" if "wkt" not in head else "v > 7")
    path.write_text("\n".join([head, *([mark.join("" for _ in names[:-1]) + mark + "1"] * 9)]) + "\n")
    check_same(path)  # columns are called as if, and there is no geometry


def test_bad_text_of_csv_is_named_by_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"id,name\n" + b"1,x\n" * 20 + "2,é\n".encode("latin-1") + b"3,y\n" * 20)
    with pytest.raises(DataError) as caught:
        list(RowBatches(path, rows=7))
    assert str(caught.value) == f"{path}:name:row 21: the text is not UTF-8; say its encoding with --encoding"
    check_same(path, encoding="latin-1")
    check_same(path, encoding="windows-1252")
    with pytest.raises(DataError, match="the text is not shift_jis"):
        RowBatches(path, encoding="shift_jis")


def test_copies_are_removed(tmp_path, monkeypatch):
    import tempfile

    places = tmp_path / "places"
    places.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(places))
    path = tmp_path / "t.csv"
    path.write_bytes("id,name\n1,é\n".encode("latin-1"))
    batches = RowBatches(path, encoding="latin-1")
    assert [batch.attributes["name"][0].as_py() for batch in batches] == ["é"]
    assert list(places.iterdir())
    del batches
    assert not list(places.iterdir())


def geoparquet(path, table, **about):
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB"} | about},
    }
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)


def points(n, start=0):
    places = np.arange(start, start + n)
    return pa.table(
        {
            "id": pa.array(places),
            "name": pa.array([f"n{place}" for place in places]),
            "geometry": pa.array(shapely.to_wkb(shapely.points(places * 1.0, 0.0)), pa.binary()),
        }
    )


def test_a_folder_of_parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(12):  # part.10 comes after part.2
        geoparquet(folder / f"part.{number}.parquet", points(5, number * 5), geometry_types=["Point"])
    (folder / "_metadata").write_bytes(b"of another program")
    (folder / ".part.0.parquet.crc").write_bytes(b"of another program")
    batches = check_same(folder)
    assert batches.count == 60
    assert joined(list(batches)).attributes["id"].to_pylist() == list(range(60))
    assert (batches.head.origin.layer, batches.head.crs) == ("parts", "OGC:CRS84")
    check_same(folder, where="id > 17 AND id < 31")
    # a part in which a column has no values knows no type
    empty = points(5, 60).set_column(1, "name", pa.nulls(5))
    geoparquet(folder / "part.12.parquet", empty, geometry_types=["Point"])
    found = joined(list(check_same(folder)))
    assert found.attributes["name"].to_pylist()[-6:] == ["n59", *[None] * 5]
    # kinds of geometry are those of all parts
    lines = points(1, 65).set_column(
        2, "geometry", pa.array([shapely.to_wkb(shapely.LineString([(0, 0), (1, 1)]))])
    )
    geoparquet(folder / "part.13.parquet", lines, geometry_types=["LineString"])
    assert check_same(folder).head.origin.geometry_type == "Unknown"


def test_metadata_that_are_stored_twice(tmp_path):
    """Arrow's copy is not what other programs read and change."""
    path = tmp_path / "a.parquet"
    geoparquet(path, points(5), crs=None)
    assert check_same(path).head.crs is None
    raw = path.read_bytes()
    assert raw.count(b'"crs"') == raw.count(b'"primary_column"') == 1
    path.write_bytes(raw.replace(b'"crs"', b'"csr"'))
    assert check_same(path).head.crs == "OGC:CRS84"
    assert raw.count(b"\x03geo") == 1  # a text of three letters: the key
    path.write_bytes(raw.replace(b"\x03geo", b"\x03gep"))
    assert not check_same(path).head.has_geometry
    path.write_bytes(raw.replace(b'"primary_column"', b'"primary-column"'))
    for read in (read_layer, RowBatches):
        with pytest.raises(DataError, match="its geometry column 'None' is missing"):
            read(path)


def test_folders_that_are_no_layer(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    geoparquet(folder / "a.parquet", points(5))
    geoparquet(folder / "b.parquet", points(5).rename_columns(["id", "other", "geometry"]))
    with pytest.raises(
        DataError, match=r"b\.parquet: its columns are not those of a\.parquet: 'name' is in one of them only"
    ):
        RowBatches(folder)
    geoparquet(folder / "b.parquet", points(5), crs=None)
    with pytest.raises(DataError, match=r"b\.parquet: its coordinate system is not that of a\.parquet"):
        RowBatches(folder)
    geoparquet(folder / "b.parquet", points(5).set_column(0, "id", pa.array(["x"] * 5)))
    geoparquet(folder / "0.parquet", points(5).set_column(0, "id", pa.nulls(5)))  # all missing: of any type
    with pytest.raises(DataError) as refusal:
        RowBatches(folder)
    expected = f"{folder / 'b.parquet'}:id: it holds string, and a.parquet int64"
    assert str(refusal.value) == f"{expected}; write all parts with the same types"
    (folder / "0.parquet").unlink()
    (folder / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"b\.parquet: cannot be read as Parquet"):
        RowBatches(folder)
    (folder / "b.parquet").unlink()
    shutil.copy(sample_path(), folder / "c.gpkg")
    with pytest.raises(DataError, match="is a folder, not a layer; name one of its files"):
        RowBatches(folder)


def test_nothing_is_written_into_a_folder_that_is_read(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    geoparquet(folder / "a.parquet", points(5))
    for name in ("b.parquet", "b.gpkg"):
        with pytest.raises(OutputError, match=f"would write {name}, which is part of the input"):
            check_output(folder / name, input_path=folder)
    check_output(tmp_path / "b.parquet", input_path=folder)


@pytest.mark.parametrize("encoding", ["point", "WKB"])
def test_geoparquet_of_other_programs(tmp_path, encoding):
    n = 30
    table = points(n).append_column("__index_level_0__", pa.array(np.arange(n)))
    table = table.append_column("a.b", pa.array(np.arange(n) * 0.5))
    table = table.append_column("a", pa.array([{"b": row} for row in range(n)]))
    if encoding == "point":
        shapes = [None if row == 3 else {"x": row * 1.0, "y": 0.0} for row in range(n)]
        table = table.set_column(2, "geometry", pa.array(shapes))
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": encoding, "crs": None}}}
    pandas = {"index_columns": ["__index_level_0__"]}
    kept = {"geo": json.dumps(geo), "pandas": json.dumps(pandas)}
    pq.write_table(table.replace_schema_metadata(kept), tmp_path / "x.parquet", row_group_size=4)
    batches = check_same(tmp_path / "x.parquet")
    assert batches.head.column_names == ["id", "name", "a.b", "a"]
    for name in ("a", "a.b"):
        assert [b.column_names for b in RowBatches(tmp_path / "x.parquet", columns=[name], rows=20)] == [
            [name]
        ] * 2
    pq.write_table(table.drop_columns(["geometry"]), tmp_path / "y.parquet")  # a plain table
    check_same(tmp_path / "y.parquet")


def test_damage_in_the_middle_names_the_file(tmp_path):
    table = points(20000)
    path = tmp_path / "d.parquet"
    geoparquet(path, table)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3 : len(raw) // 3 + 2000] = bytes(2000)
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"d\.parquet: cannot be read as Parquet"):
        list(RowBatches(path, rows=500))


def test_cut_files_are_refused_in_the_end(tmp_path):
    for suffix in (".gpkg", ".fgb", ".shp", ".geojson"):
        path = write_sample(tmp_path / f"cut{suffix}")
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(DataError, match=f"cut{suffix}.*(damaged|cannot be read|cut short)"):
            list(RowBatches(path, rows=5))


def test_what_is_read_whole_is_small(tmp_path, monkeypatch):
    for suffix in (".kml", ".shp.zip"):
        path = write_sample(tmp_path / f"s{suffix}")
        check_same(path)
        with monkeypatch.context() as patched:
            patched.setattr(row_batches, "LARGEST_WHOLE", 100)
            with pytest.raises(DataError, match="cannot be read some rows at a time") as caught:
                RowBatches(path)
            assert ("unpack it first" if "zip" in suffix else "convert it to GeoParquet") in str(caught.value)


def test_long_rows_make_small_batches(tmp_path, monkeypatch):
    ring = shapely.Point(0, 0).buffer(1, quad_segs=2500)  # 10,001 points: 160 kB
    shapes = pa.array(shapely.to_wkb(np.array([ring] * 40)), pa.binary())
    table = pa.table({"id": np.arange(40), "geometry": shapes})
    geoparquet(tmp_path / "long.parquet", table)
    pyogrio.raw.write_arrow(
        table, tmp_path / "long.gpkg", geometry_name="geometry", geometry_type="Polygon", crs="EPSG:4326"
    )
    monkeypatch.setattr(row_batches, "LARGEST_BATCH", 1_000_000)
    for name in ("long.parquet", "long.gpkg"):
        sizes = [len(batch) for batch in RowBatches(tmp_path / name)]
        assert sum(sizes) == 40
        assert 4 <= max(sizes) <= 7 or name == "long.parquet"  # equal shapes are stored once there
        assert len(next(iter(RowBatches(tmp_path / name, geometry=False)))) == 40


def test_curves_become_lines_in_every_batch(tmp_path):
    texts = [
        "CIRCULARSTRING (0 0, 1 1, 2 0)",
        "LINESTRING (0 0, 1 1)",
        "COMPOUNDCURVE ((0 0, 1 1), (1 1, 2 0))",
    ] * 5
    path = tmp_path / "c.csv"
    path.write_text("id,wkt\n" + "".join(f'{row},"{text}"\n' for row, text in enumerate(texts)))
    layer = read_layer(path)
    write_layer(layer, tmp_path / "c.gpkg", added={"n": pa.array(np.arange(15))})
    check_same(tmp_path / "c.gpkg", rows=4)
    check_same(tmp_path / "c.gpkg", rows=4, where="n > 3 AND n <> 7")


def test_columns_of_one_name(tmp_path):
    table = pa.table([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"])
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="1 column names occur twice: a"):
        RowBatches(tmp_path / "t.parquet")


def test_no_rows(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int32())}), tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("a,b\n")
    for name in ("t.parquet", "t.csv"):
        with pytest.raises(DataError, match=r"t\.\w+: the layer is empty \(0 rows\)"):
            list(RowBatches(tmp_path / name))


def test_reading_may_stop_early(tmp_path):
    path = write_sample(tmp_path / "s.gpkg")
    batches = RowBatches(path, rows=7)
    first, second = iter(batches), iter(batches)  # and two may go on beside each other
    assert len(next(first)) == len(next(second)) == 7
    first.close()
    assert sum(len(batch) for batch in second) == 33


def test_options_of_gdal_are_as_before(tmp_path):
    before = pyogrio.get_gdal_config_option("OGR_FLATGEOBUF_STREAM_BASE_IMPL")
    first, second = (iter(RowBatches(write_sample(tmp_path / f"{name}.fgb"), rows=7)) for name in "ab")
    next(first), next(second)
    list(first), list(second)
    assert pyogrio.get_gdal_config_option("OGR_FLATGEOBUF_STREAM_BASE_IMPL") == before


def test_an_index_that_is_rebuilt_stays_out_of_the_folder(tmp_path):
    path = write_sample(tmp_path / "s.shp")
    path.with_suffix(".shx").unlink()
    check_same(path)
    assert not path.with_suffix(".shx").exists()
    assert pyogrio.get_gdal_config_option("SHAPE_RESTORE_SHX") is None


@given(sizes=st.lists(st.integers(0, 9), max_size=8), rows=st.integers(1, 12))
def test_pieces_are_put_together_anew(sizes, rows):
    layer = read_layer(None)
    starts = np.cumsum([0, *sizes])
    pieces = [sliced(layer, int(start), size) for start, size in zip(starts, sizes, strict=False)]
    batches = list(row_batches._of_equal_size(iter(pieces), rows))
    total = sum(sizes)
    assert [len(batch) for batch in batches] == [rows] * (total // rows) + [total % rows] * (total % rows > 0)
    names = [name for batch in batches for name in batch.attributes["name"].to_pylist()]
    assert names == layer.attributes["name"].to_pylist()[:total]
    fids = [fid for batch in batches for fid in batch.origin.metadata["fids"].to_pylist()]
    assert fids == layer.origin.metadata["fids"].to_pylist()[:total]


def test_no_batch_is_of_no_rows():
    with pytest.raises(ValueError, match="a batch of 0 rows"):
        RowBatches(None, rows=0)


def test_layers_of_a_file(tmp_path):
    layer = read_layer(None)
    path = tmp_path / "two.gpkg"
    for name, rows in (("north", 20), ("south", 30)):
        write_layer(sliced(layer, 0, rows), path, added={}, layer_name=name)
    with pytest.raises(DataError, match="holds 2 layers: north, south; choose one with --layer"):
        RowBatches(path)
    assert check_same(path, layer="south").count == 30
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(path, "two.gpkg")
    check_same(tmp_path / "two.zip", layer="north")
