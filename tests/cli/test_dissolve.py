"""--dissolve, --aggregate and --qml at the shell; what a labelled layer looks like in QGIS is in it."""

import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas
import pyogrio
import pytest
import shapely

from regionalize.maps.colors import cluster_color


def styles(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(
            "SELECT f_table_name, styleName, useAsDefault, styleQML FROM layer_styles ORDER BY id"
        ).fetchall()


def legend(qml):
    return [(one.get("value"), one.get("label")) for one in ET.fromstring(qml).iter("category")]


def colors(qml):
    fills = [layer.find("layer") for layer in ET.fromstring(qml).iter("symbol")]
    texts = [
        next(one.get("value") for one in fill.iter("Option") if one.get("name") == "color") for fill in fills
    ]
    return ["#" + "".join(f"{int(part):02x}" for part in text.split(",")[:3]) for text in texts]


def test_a_labelled_geopackage_has_the_legend_and_colours_of_the_map(cli, squares, tmp_path, read):
    out = tmp_path / "out.gpkg"
    assert cli("kmeans", squares, "--k", 5, "--columns", "a,b", "-o", out).code == 0
    ((table, name, default, qml),) = styles(out)
    assert (table, name, default) == ("out", "cluster", 1)
    sizes = read(out)["cluster"].value_counts().sort_index()
    expected = [(str(k), f"{k} ({n} unit{'s' if n > 1 else ''})") for k, n in sizes.items()]
    assert legend(qml) == expected
    assert colors(qml) == [cluster_color(label) for label in range(1, 6)]


def test_noise_and_rows_left_out_are_grey(cli, grid, save, tmp_path, read):
    frame = grid()
    frame["a"] = [0.0] * 20 + [50.0] + [9.0] * 4
    frame.loc[0, "a"] = None
    source, out = save(frame), tmp_path / "out.gpkg"
    options = ["--columns", "a", "--eps", 1, "--transform", "raw", "--missing", "drop"]
    assert cli("dbscan", source, *options, "-o", out).code == 0
    ((_, _, _, qml),) = styles(out)
    assert legend(qml) == [
        ("1", "1 (19 units)"),
        ("2", "2 (4 units)"),
        ("0", "not clustered (1 unit)"),
        ("", "no data (1 unit)"),
    ]
    assert colors(qml)[2:] == [cluster_color(0), cluster_color(-1)]


def test_several_numbers_of_regions(cli, squares, tmp_path):
    out, regions = tmp_path / "out.gpkg", tmp_path / "regions.gpkg"
    said = cli("schc", squares, "--k", "2,4", "--columns", "a,b", "-o", out, "--dissolve", regions)
    assert said.code == 0
    assert [row[:3] for row in styles(out)] == [("out", "cluster_4", 1), ("out", "cluster_2", 0)]
    assert [name for name, _ in pyogrio.list_layers(regions)] == ["cluster_2", "cluster_4", "layer_styles"]
    assert [row[:3] for row in styles(regions)] == [
        ("cluster_2", "cluster_2", 1),
        ("cluster_4", "cluster_4", 1),
    ]
    assert len(pyogrio.read_dataframe(regions, layer="cluster_4")) == 4


def test_values_of_a_column_are_in_the_legend(cli, grid, save, tmp_path, read):
    frame = grid()
    frame["side"] = ["north & <west>"] * 13 + ["süd"] * 12
    out, regions = tmp_path / "out.gpkg", tmp_path / "regions.geojson"
    options = ["--label-column", "side", "--columns", "a", "-o", out, "--dissolve", regions, "--qml"]
    assert cli("contiguous", save(frame), *options).code == 0
    ((_, name, _, qml),) = styles(out)
    assert name == "contiguous"
    assert [value for value, _ in legend(qml)] == ["north & <west>", "süd"]
    assert read(regions)["contiguous"].tolist() == ["north & <west>", "süd"]
    assert [value for value, _ in legend((tmp_path / "regions.qml").read_text())] == ["north & <west>", "süd"]


def test_assign_and_stability_and_compare(cli, squares, tmp_path):
    centers, out, regions = (tmp_path / name for name in ("c.csv", "a.gpkg", "regions.shp"))
    assert cli("kmeans", squares, "--k", 3, "--columns", "a,b", "--centers", centers).code == 0
    said = cli(
        "assign", squares, "--centers", centers, "-o", out, "--dissolve", regions, "--aggregate", "pop:sum"
    )
    assert said.code == 0
    assert [row[:3] for row in styles(out)] == [("a", "cluster", 1)]
    assert pyogrio.read_dataframe(regions)["pop_sum"].sum() == pyogrio.read_dataframe(squares)["pop"].sum()
    stable = tmp_path / "s.gpkg"
    options = ["--method", "kmeans", "--k", 2, "--columns", "a", "--runs", 3, "-o", stable]
    assert cli("stability", squares, *options).code == 0
    assert [row[:3] for row in styles(stable)] == [("s", "stability", 1), ("s", "cluster", 0)]
    assert "graduatedSymbol" in styles(stable)[0][3]


@pytest.mark.parametrize("name", ["r.gpkg", "r.shp", "r.shp.zip", "r.geojson", "r.fgb", "r.parquet", "r.gdb"])
def test_regions_in_any_format(cli, squares, tmp_path, read, name):
    out = tmp_path / name
    said = cli(
        "kmeans",
        squares,
        "--k",
        3,
        "--columns",
        "a",
        "--dissolve",
        out,
        "--aggregate",
        "pop:sum",
        "--aggregate",
        "b:sd",
    )
    assert said.code == 0
    assert f"written to {out}" in said.err
    frame = read(out)
    columns = [column for column in frame.columns if not column.startswith(("geom", "Shape_"))]
    assert columns == ["cluster", "n", "area", "pop_sum", "b_sd"]
    assert frame["n"].sum() == 25
    assert frame["area"].sum() == pytest.approx(25e6, rel=1e-6)
    assert frame["pop_sum"].sum() == read(squares)["pop"].sum()


def test_rows_in_no_region_are_told_of(cli, grid, save, tmp_path):
    frame = grid()
    frame.loc[4, "a"] = None
    said = cli(
        "kmeans",
        save(frame),
        "--k",
        2,
        "--columns",
        "a",
        "--missing",
        "drop",
        "--dissolve",
        tmp_path / "r.gpkg",
    )
    assert "note: 1 row is in no region, and not in the dissolved layer" in said.notes


def test_a_style_beside_the_layer(cli, squares, tmp_path):
    out = tmp_path / "out.shp"
    said = cli("kmeans", squares, "--k", 3, "--columns", "a", "-o", out, "--qml")
    assert said.code == 0
    assert f"style written to {tmp_path / 'out.qml'}" in said.err
    assert len(legend((tmp_path / "out.qml").read_text())) == 3


KMEANS = ("kmeans", "--k", "3", "--columns", "a")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--qml",), 2, "--qml writes a style beside a layer, and none is written; name one with -o"),
        (("--qml", "-o", "-"), 2, "--qml and -o - exclude each other"),
        (("--qml", "-o", "out.csv"), 1, "CSV holds no geometry to style"),
        (("--aggregate", "pop:sum"), 2, "--aggregate is for --dissolve"),
        (("--dissolve", "-"), 1, "--dissolve - would write regions to standard output"),
        (("--dissolve", "r.csv"), 1, "CSV holds no regions"),
        (("--dissolve", "r.xyz"), 1, "'.xyz' is not a format"),
        (("--dissolve", "r.gpkg", "--aggregate", "popp:sum"), 2, "did you mean 'pop'?"),
        (("--dissolve", "r.gpkg", "--aggregate", "pop:summ"), 2, "did you mean 'sum'?"),
        (("--dissolve", "r.gpkg", "--aggregate", "name:sum"), 1, "name: holds text, which has no sum"),
        (("--dissolve", "r.gpkg", "-o", "r.gpkg"), 2, "are the same file"),
        (("--dissolve", "a.shp", "-o", "a.geojson", "--qml"), 2, "are the same file"),
        (("--dissolve", "r.shp", "--aggregate", "constant:sum,constant:sd"), 1, "constant_s"),
        (("--dissolve", "nowhere/r.gpkg"), 1, "there is no folder"),
    ],
)
def test_what_is_refused_before_any_work(refused, squares, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    refused(KMEANS[0], squares, *KMEANS[1:], *words, code=code, says=says)


def test_existing_files_are_not_replaced_unasked(refused, cli, squares, tmp_path):
    (tmp_path / "out.qml").write_text("mine")
    (tmp_path / "r.gpkg").write_text("mine")
    refused(
        "kmeans", squares, "--k", 3, "-o", tmp_path / "out.shp", "--qml", says=("out.qml", "already exists")
    )
    refused("kmeans", squares, "--k", 3, "--dissolve", tmp_path / "r.gpkg", says=("r.gpkg", "already exists"))
    refused("kmeans", squares, "--k", 3, "--dissolve", squares, "--overwrite", says="is the input")
    assert cli("kmeans", squares, "--k", 3, "-o", tmp_path / "out.shp", "--qml", "--overwrite").code == 0
    assert (tmp_path / "out.qml").read_text().startswith("<!DOCTYPE qgis")


def test_several_numbers_need_a_format_of_several_layers(refused, squares, tmp_path):
    regions = tmp_path / "r.geojson"
    refused(
        "schc",
        squares,
        "--k",
        "2,4",
        "--columns",
        "a",
        "--dissolve",
        regions,
        says="write a GeoPackage (.gpkg)",
    )


def test_tables_have_neither_regions_nor_style(refused, grid, tmp_path):
    table = tmp_path / "in.csv"
    grid().drop(columns="geometry").to_csv(table, index=False)
    options = ("--k", 2, "--columns", "a")
    refused("kmeans", table, *options, "--dissolve", tmp_path / "r.gpkg", says="nothing can be dissolved")
    refused("kmeans", table, *options, "-o", tmp_path / "r.gpkg", "--qml", says="nothing to style")


def test_nothing_is_written_when_the_layer_cannot_be(refused, squares, tmp_path, monkeypatch):
    from regionalize.errors import OutputError
    from regionalize.io import write

    wrote = write.write_layer

    def fail(layer, path, **options):
        if str(path).endswith("out.gpkg"):
            raise OutputError("the disk is full")
        return wrote(layer, path, **options)

    monkeypatch.setattr(write, "write_layer", fail)
    refused(
        *("kmeans", squares, "--k", 3, "--columns", "a", "-o", tmp_path / "out.gpkg"),
        *("--dissolve", tmp_path / "r.shp", "--qml"),
        says="the disk is full",
    )


@pytest.mark.parametrize(("crs", "unit"), [(3435, "US survey feet"), (32616, "m"), (None, "map units")])
def test_the_grid_is_told_in_the_units_of_the_layer(crs, unit, cli, tmp_path):
    squares = [shapely.box(1000 * i, 0, 1000 * i + 1000 + 1e-5 * (i % 2), 1000) for i in range(6)]
    frame = geopandas.GeoDataFrame({"a": [1.0, 2, 1, 9, 8, 9]}, geometry=squares, crs=crs)
    frame.to_parquet(tmp_path / "units.parquet")
    words = ("--columns", "a", "--k", "2", "--dissolve", tmp_path / "regions.gpkg")
    result = cli("kmeans", tmp_path / "units.parquet", *words)
    assert result.code == 0
    assert f"were put on a grid of 0.1 {unit}" in result.err
