"""What is written with columns added comes back as it was: against pyogrio and geopandas as readers."""

from __future__ import annotations

import warnings

import geopandas
import numpy as np
import pyarrow as pa
import pyogrio.raw
import pytest
import shapely

from regionalize.errors import OutputError
from regionalize.io.read import read_layer
from regionalize.io.write import write_layer

LAYERS = [
    "guerry/Guerry.shp",
    "natregimes/natregimes.shp",
    "chi_sdoh/Chi-SDOH.shp",
    "chicago_cca/Chicago_2020_sdoh.shp",
    "brazil/municipalities.gpkg",
    "england/lsoa_imd2019.gpkg",
    "messy/liverpool/liverpool_lsoa.geojson",
    "messy/nyc/nyc.shp",
    "messy/tokyo/tokyomet262a.shp",
    "messy/scotlip/scotlip.shp",
    "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp",
]
EXACT = {".gpkg", ".fgb", ".parquet"}
"""Formats that keep every type and value of these layers."""


def read_plain(path):
    """Read with pyogrio alone: attribute table and geometry bytes."""
    with warnings.catch_warnings():
        # brazil has rings that wind the wrong way
        warnings.filterwarnings("ignore", ".*winding order", RuntimeWarning)
        meta, table = pyogrio.raw.read_arrow(path)
    name = meta["geometry_name"] or "wkb_geometry"
    return meta, table.drop_columns([name]), table[name].to_pylist()


def labels_for(n):
    values = np.arange(n) % 7 + 1
    return pa.array(values, pa.int32(), mask=np.arange(n) % 11 == 3)


@pytest.mark.parametrize(
    ("relative", "suffix"),
    [
        (relative, suffix)
        for relative in LAYERS
        for suffix in (".gpkg", ".shp", ".geojson", ".fgb", ".parquet", ".shp.zip", ".gdb")
        if "england" not in relative or suffix in EXACT  # the largest; the others take long at no gain
    ],
)
def test_real_layers(shared_data, tmp_path, relative, suffix):
    path = shared_data(relative)
    layer = read_layer(path)
    meta, before, shapes = read_plain(path)
    assert layer.attributes.equals(before.replace_schema_metadata(None))
    assert layer.wkb.to_pylist() == shapes
    labels = labels_for(len(layer))
    out = tmp_path / f"out{suffix}"
    added = {"cl_x": labels, "score": pa.array(np.linspace(0, 1, len(layer)))}
    loss = shapefile_loss(before) if suffix in {".shp", ".shp.zip"} else None
    if loss is not None:
        with pytest.raises(OutputError, match=loss):
            write_layer(layer, out, added=added)
        assert list(tmp_path.iterdir()) == []
        return
    notes = write_layer(layer, out, added=added)
    if suffix == ".parquet":
        frame = geopandas.read_parquet(out)
        after = pa.Table.from_pandas(frame.drop(columns=frame.geometry.name), preserve_index=False)
        back = list(shapely.to_wkb(frame.geometry.to_numpy()))
        expected = list(shapely.to_wkb(shapely.from_wkb(shapes)))
        assert (frame.crs is None) == (layer.crs is None)
        assert frame.crs is None or frame.crs == layer.projection
    else:
        meta_after, after, back = read_plain(out if suffix != ".shp.zip" else f"/vsizip/{out}/out.shp")
        expected = shapes
        assert (
            meta_after["crs"] == meta["crs"] or layer.crs is None or same_crs(meta_after["crs"], meta["crs"])
        )
    if suffix == ".parquet":
        again = read_layer(out)
        assert again.wkb.to_pylist() == shapes
        after = again.attributes
    names = before.column_names
    cut = [name.encode()[:10].decode("utf-8", "ignore") for name in names]
    if suffix in {".shp", ".shp.zip"}:
        assert after.column_names == [*cut, "cl_x", "score"]
    else:
        renamed = [f"{a} -> {b}" for a, b in zip(names, after.column_names, strict=False) if a != b]
        assert not renamed or (
            suffix == ".gdb" and all(any(one in note for note in notes) for one in renamed)
        )
        assert after.column_names[-2:] == ["cl_x", "score"]
    assert after["cl_x"].to_pylist() == labels.to_pylist()
    assert after["score"].to_numpy() == pytest.approx(np.linspace(0, 1, len(layer)), abs=6e-16)
    for position, name in enumerate(names):
        was, now = before[name], after.column(position)
        if suffix in EXACT:
            assert now.type == was.type, name
            assert now.to_pylist() == was.to_pylist() or was.type == pa.float64(), name
        if pa.types.is_floating(was.type) or pa.types.is_integer(was.type):
            x, y = was.to_numpy().astype(float), now.to_numpy().astype(float)
            if suffix in {".shp", ".shp.zip"} and path.suffix != ".shp":
                np.testing.assert_allclose(y, x, rtol=1e-12, atol=6e-16)
            else:
                np.testing.assert_array_equal(y, x)
        else:
            assert [str(v) for v in now.to_pylist()] == [str(v) for v in was.to_pylist()], name
    if suffix == ".gdb":  # stored on a grid, as multipart: see the note
        assert any("grid" in note for note in notes)
        far = shapely.hausdorff_distance(shapely.from_wkb(back), shapely.from_wkb(expected))
        assert np.nanmax(far) < 1e-3
    elif suffix in {".shp", ".shp.zip"} and path.suffix != ".shp":
        # rings are turned round, single parts unwrapped; a hole outside its shell becomes a part of its own
        was, now = shapely.from_wkb(expected), shapely.from_wkb(back)
        valid = shapely.is_valid(was)
        assert np.array_equal(shapely.get_num_coordinates(was), shapely.get_num_coordinates(now))
        assert shapely.equals_identical(
            shapely.normalize(multi(now[valid])), shapely.normalize(multi(was[valid]))
        ).all()
    else:
        assert back == expected


def shapefile_loss(table):
    """What of a table a shapefile cannot hold, worked out from its definition."""
    short = [name.encode()[:10].lower() for name in table.column_names]
    if len(set(short)) < len(short):
        return "column names hold 10 bytes"
    texts = [column.to_pylist() for column in table.columns if pa.types.is_string(column.type)]
    if any(len(value.encode()) > 254 for values in texts for value in values if value):
        return "254 bytes"
    return None


def multi(shapes):
    return np.array([s if s.geom_type.startswith("Multi") else shapely.MultiPolygon([s]) for s in shapes])


def same_crs(one, other):
    import pyproj

    return pyproj.CRS(one).equals(pyproj.CRS(other), ignore_axis_order=True)


def test_geopackage_is_what_geopandas_reads(tmp_path):
    layer = read_layer(None)
    out = tmp_path / "out.gpkg"
    write_layer(layer, out, added={"cluster": labels_for(len(layer))})
    ours, theirs = geopandas.read_file(out), geopandas.read_file(layer.origin.file and read_path())
    assert ours.crs == theirs.crs
    assert ours.drop(columns="cluster").equals(theirs)


def read_path():
    from regionalize.io.sample import sample_path

    return sample_path()


def test_no_warning_is_let_through(tmp_path):
    """Those of GDAL are caught; any other fails this test, as it would fail every test."""
    layer = read_layer(None)
    for suffix in (".gpkg", ".shp", ".geojson", ".fgb", ".parquet", ".csv", ".gdb"):
        write_layer(layer, tmp_path / f"o{suffix}", added={"cluster": labels_for(159)})
