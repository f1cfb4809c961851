"""What is refused before any work: paths, the input itself, unknown formats. And the small outputs."""

from __future__ import annotations

import os
import runpy
import shutil

import numpy as np
import pyarrow as pa
import pyogrio.raw
import pytest
import shapely

from regionalize.errors import OutputError
from regionalize.io.check_output import check_output
from regionalize.io.read import read_layer
from regionalize.io.sample import copy_sample, sample_path
from regionalize.io.write import write_layer


def refusal(path, **options):
    with pytest.raises(OutputError) as caught:
        check_output(path, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert caught.value.advice, text
    return text


@pytest.fixture
def source(tmp_path):
    """A folder with an input in several formats."""
    folder = tmp_path / "in"
    folder.mkdir()
    for part in ("gpkg", "shp", "shx", "dbf", "prj", "cpg"):
        shutil.copy(sample_path().with_suffix(f".{part}"), folder / f"g.{part}")
    return folder


def test_formats_by_extension(tmp_path):
    known = ".gpkg .GPKG .shp .shp.zip .zip .geojson .json .fgb .gdb .kml .parquet .geoparquet .csv"
    for suffix in known.split():
        assert check_output(tmp_path / f"a{suffix}") == ()
    assert check_output("-") == ()
    assert "'.gpgk' is not a format that can be written; did you mean '.gpkg'?" in refusal(
        tmp_path / "a.gpgk"
    )
    assert "use one of .gpkg, .shp, .shp.zip, .zip, .geojson" in refusal(tmp_path / "a.qqqqqq")
    assert "only shapefiles are written as .zip; write .gdb" in refusal(tmp_path / "a.gdb.zip")
    assert "the name has no extension" in refusal(tmp_path / "a")


def test_folders(tmp_path):
    assert "there is no folder" in refusal(tmp_path / "none" / "a.gpkg")
    (tmp_path / "file").touch()
    assert "is not a folder" in refusal(tmp_path / "file" / "a.gpkg")
    (tmp_path / "dir.gpkg").mkdir()
    assert "is a folder" in refusal(tmp_path / "dir.gpkg", overwrite=True)
    (tmp_path / "mine.gdb").mkdir()
    (tmp_path / "mine.gdb" / "diary.txt").touch()
    assert "not a File Geodatabase" in refusal(tmp_path / "mine.gdb", overwrite=True)
    assert "not a regular file" in refusal_of_device(tmp_path)


def refusal_of_device(folder):
    link = folder / "null.gpkg"
    link.symlink_to("/dev/null")
    return refusal(link, overwrite=True)


def test_unwritable_folder(read_only_folder):
    with read_only_folder as (folder, seal):
        seal()
        assert "cannot be written" in refusal(folder / "a.gpkg")


def test_existing_outputs(source):
    assert "already exists; use --overwrite" in refusal(source / "g.gpkg", input_path="-")
    assert check_output(source / "g.gpkg", input_path="-", overwrite=True) == ()
    (source / "g.shp").unlink()
    assert "g.shx already exists" in refusal(source / "g.shp", input_path="-")
    assert check_output(source / "g.gpkg", input_path="-", layer_name="new") == ()
    assert "already has a layer 'georgia'" in refusal(source / "g.gpkg", input_path="-", layer_name="georgia")
    assert check_output(source / "g.gpkg", input_path="-", layer_name="georgia", overwrite=True) == ()


@pytest.mark.parametrize(
    "way", ["same", "relative", "symbolic link", "hard link", "linked folder", "new layer"]
)
def test_output_is_the_input(source, tmp_path, monkeypatch, way):
    path = source / "g.gpkg"
    out = {
        "same": path,
        "relative": "in/../in/g.gpkg",
        "symbolic link": tmp_path / "link.gpkg",
        "hard link": tmp_path / "hard.gpkg",
        "linked folder": tmp_path / "folder" / "g.gpkg",
        "new layer": path,
    }[way]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.gpkg").symlink_to(path)
    os.link(path, tmp_path / "hard.gpkg")
    (tmp_path / "folder").symlink_to(source)
    options = {"layer_name": "new"} if way == "new layer" else {}
    text = refusal(out, input_path=path, overwrite=True, **options)
    assert "is the input; the input is never changed" in text


def test_output_is_part_of_the_input(source, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "h.shp"
    (tmp_path / "other" / "h.dbf").symlink_to(source / "g.dbf")
    text = refusal(other, input_path=source / "g.shp", overwrite=True)
    assert "would write h.dbf, which is part of the input" in text
    assert "is the input" in refusal(source / "g.shp", input_path=source / "g.dbf", overwrite=True)
    assert check_output(source / "G2.shp", input_path=source / "g.shp") == ()
    assert "is the input" in refusal(sample_path(), overwrite=True)
    link = tmp_path / "sample.gpkg"
    link.symlink_to(sample_path())
    assert "is the input" in refusal(link, overwrite=True)


def test_output_inside_a_geodatabase(tmp_path):
    path = tmp_path / "g.gdb"
    write_layer(read_layer(None), path, added={})
    assert "is the input" in refusal(path, input_path=path, overwrite=True)
    assert "is part of the input" in refusal(path / "a.geojson", input_path=path)


def test_columns_are_checked_before_any_work(tmp_path):
    layer = read_layer(None)
    assert "already has a column 'name'; choose another name with --label-column" in refusal(
        tmp_path / "o.gpkg", layer=layer, added_names=("name",)
    )
    assert "already has a column 'NAME'" in refusal(tmp_path / "o.gpkg", layer=layer, added_names=("NAME",))
    notes = check_output(tmp_path / "o.shp", layer=layer, added_names=("cluster_kmeans",))
    assert notes == (
        "In a shapefile column names hold 10 bytes; these are cut: cluster_kmeans -> cluster_km.",
    )
    notes = check_output(tmp_path / "o.fgb", layer=layer, layer_name="x")
    assert notes == ()
    notes = check_output(tmp_path / "o.parquet", layer=layer, layer_name="x")
    assert notes == ("The layer of a GeoParquet is named like its file: 'x' was not used.",)
    assert list(tmp_path.iterdir()) == []


def test_standard_output(capfdbinary):
    import json

    layer = read_layer(None, where="tot_pop > 500000")
    write_layer(layer, "-", added={"cluster": pa.array([1, None], pa.int32())})
    found = json.loads(capfdbinary.readouterr().out)
    assert [feature["properties"]["cluster"] for feature in found["features"]] == [1, None]
    assert shapely.from_geojson(json.dumps(found)).geoms[0].equals(layer.geometry[0])


# --- sample -------------------------------------------------------------------------------------------


def test_copy_sample(tmp_path):
    copies = copy_sample(tmp_path / "new" / "folder")
    assert {copy.suffix for copy in copies} == {".gpkg", ".shp", ".shx", ".dbf", ".prj", ".cpg", ".md"}
    assert copies[0].read_bytes() == sample_path().read_bytes()
    with pytest.raises(OutputError, match=r"already holds georgia.gpkg, georgia.shp.*--overwrite"):
        copy_sample(tmp_path / "new" / "folder")
    copies[0].write_text("changed")
    copy_sample(tmp_path / "new" / "folder", overwrite=True)
    assert len(read_layer(copies[0])) == len(read_layer(copies[1])) == 159
    with pytest.raises(OutputError, match="bundled sample itself"):
        copy_sample(sample_path().parent, overwrite=True)
    with pytest.raises(OutputError, match="is not a folder"):
        copy_sample(copies[0])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What the build script makes now."""
    script = sample_path().parent / "build.py"
    if not script.exists():
        pytest.skip("the build script is not installed with the package")
    folder = tmp_path_factory.mktemp("built")
    runpy.run_path(str(script))["build"](folder)
    return folder


def test_sample_is_what_the_script_builds(built):
    for suffix in (".gpkg", ".shp"):
        one, other = read_layer(built / f"georgia{suffix}"), read_layer(sample_path().with_suffix(suffix))
        assert one.attributes.equals(other.attributes)
        assert one.wkb.equals(other.wkb)
        assert one.crs == other.crs == "EPSG:26716"
    assert (built / "georgia.dbf").read_bytes() == sample_path().with_suffix(".dbf").read_bytes()


def test_both_formats_of_the_sample_are_the_same():
    one, other = read_layer(sample_path()), read_layer(sample_path().with_suffix(".shp"))
    assert one.attributes.equals(other.attributes)
    assert shapely.area(one.geometry) == pytest.approx(shapely.area(other.geometry), rel=1e-12)
    assert shapely.equals(one.geometry, other.geometry).all()


def test_sample_is_fit_to_cluster():
    import pandas
    from libpysal.graph import Graph

    layer = read_layer(None)
    numeric = layer.attributes.select(layer.column_names[2:])
    assert numeric.num_columns == 7
    assert all(column.null_count == 0 for column in numeric.columns)
    assert numeric.to_pandas().std().gt(0).all()
    assert shapely.is_valid(layer.geometry).all()
    assert all(len(name) <= 10 for name in layer.column_names)
    shapes = pandas.Series(layer.geometry)
    import geopandas

    graph = Graph.build_contiguity(geopandas.GeoSeries(shapes), rook=False)
    assert (graph.n_components, len(graph.isolates)) == (1, 0)


def test_coordinate_system_of_the_sample():
    """The table's own degrees fit NAD27 / UTM 16N, and no other datum or zone."""
    from pathlib import Path

    import libpysal
    import pandas
    import pyproj

    table = pandas.read_csv(Path(libpysal.__file__).parent / "examples" / "georgia" / "GData_utm.csv")
    layer = read_layer(None)
    assert layer.attributes["fips"].to_pylist() == table["AreaKey"].astype(str).tolist()
    center = shapely.centroid(layer.geometry)

    def off(code):
        crs = pyproj.CRS(code)
        to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
        x, y = to_degrees.transform(shapely.get_x(center), shapely.get_y(center))
        return np.median(x - table["Longitud"]) * 93_500, np.median(y - table["Latitude"]) * 110_900

    assert np.abs(off(26716)).max() < 60  # metres
    assert off(26916)[1] < -190
    assert off(32616)[1] < -190
    assert off(26717)[0] > 500_000


def test_county_names_of_the_sample(shared_data):
    """Against another source of the same names."""
    path = shared_data("natregimes/natregimes.shp")
    _, table = pyogrio.raw.read_arrow(path, where="STATE_NAME = 'Georgia'")
    expected = dict(zip(table["FIPS"].to_pylist(), table["NAME"].to_pylist(), strict=True))
    ours = read_layer(None).attributes
    found = dict(zip(ours["fips"].to_pylist(), ours["name"].to_pylist(), strict=True))
    assert {code: name.replace("De Kalb", "DeKalb") for code, name in expected.items()} == found
