"""Layers opened in QGIS, by the Python it is installed for: renderer, legend, and the colours it draws."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from regionalize.cli.program import run_program
from regionalize.maps.colors import PALETTE, cluster_color

pytestmark = pytest.mark.qgis

PYTHON = "/usr/bin/python3"
LOOK = Path(__file__).with_name("look.py")


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """Return `found = look("a.gpkg|layername=a", …)`: what QGIS makes of each layer."""
    environment = {"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    home = tmp_path_factory.mktemp("home")
    environment |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    try:
        subprocess.run([PYTHON, "-c", "import qgis.core"], check=True, capture_output=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"needs QGIS for {PYTHON} (apt-get install python3-qgis qgis-providers)")

    def run(*sources):
        pairs = [f"{source}={home / f'{at}.png'}" for at, source in enumerate(sources)]
        done = subprocess.run(
            [PYTHON, LOOK, *pairs], check=False, capture_output=True, text=True, timeout=300, env=environment
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)["layers"]

    return run


def regionalize(*words):
    assert run_program(["-q", *map(str, words)]) == 0


def check(found, column, labels, legend):
    """See that a layer opens with our colours, and that these are what is drawn."""
    assert found["renderer"] == "categorizedSymbol"
    assert found["column"] == column
    assert found["opacity"] == 1.0
    assert [one["color"] for one in found["classes"]] == [cluster_color(label) for label in labels]
    assert found["legend"] == legend
    drawn = set(found["colors"])
    assert {cluster_color(label) for label in labels} <= drawn


def test_the_sample_opens_coloured(look, tmp_path):
    out, regions = tmp_path / "georgia.gpkg", tmp_path / "regions.gpkg"
    regionalize("schc", "--k", "3,5", "-o", out, "--dissolve", regions, "--qml")
    units, joined = look(f"{out}|layername=georgia", f"{regions}|layername=cluster_5")
    counts = geopandas.read_file(out, layer="georgia")["cluster_5"].value_counts().sort_index()
    legend = [f"{label} ({count} unit{'s' if count > 1 else ''})" for label, count in counts.items()]
    check(units, "cluster_5", range(1, 6), legend)
    assert units["rows"] == 159
    assert set(units["styles"]) == {"cluster_3", "cluster_5"}
    check(joined, "cluster_5", range(1, 6), legend)
    assert joined["rows"] == 5


@pytest.mark.parametrize("name", ["a.shp", "a.geojson", "a.fgb", "a.gpkg"])
def test_every_format_with_a_style_beside_or_within(look, tmp_path, name):
    regionalize("kmeans", "--k", 4, "-o", tmp_path / name, "--qml")
    (found,) = look(tmp_path / name)
    check(found, "cluster", range(1, 5), found["legend"])
    assert found["legend"][0].startswith("1 (")


@pytest.fixture
def layer(tmp_path):
    """Return `path = layer(geometry)`: a layer of 100 units with as many values as half of them."""

    def make(geometry, **columns):
        values = {"a": np.arange(100) // 2 * 1.0, **columns}
        frame = geopandas.GeoDataFrame(values, geometry=geometry, crs=32633)
        frame.to_file(tmp_path / "in.gpkg")
        return tmp_path / "in.gpkg"

    return make


def grid():
    x, y = (axis.ravel() * 1000.0 for axis in np.meshgrid(np.arange(10), np.arange(10)))
    return shapely.box(5e5 + x, 4e6 + y, 5e5 + x + 1000, 4e6 + y + 1000)


def lines():
    corners = shapely.bounds(grid())
    return shapely.linestrings(np.stack([corners[:, :2], corners[:, :2] + [800, 600]], axis=1))


@pytest.mark.parametrize(
    ("geometry", "kind", "signs"),
    [
        (grid(), "SimpleFill", ("style", "b_diagonal", "dense6")),
        (shapely.centroid(grid()), "SimpleMarker", ("name", "square", "triangle")),
        (lines(), "SimpleLine", ("use_custom_dash", "1", "1")),
    ],
)
def test_beyond_the_palette_there_is_a_second_sign(look, layer, tmp_path, geometry, kind, signs):
    out = tmp_path / "out.gpkg"
    regionalize("kmeans", layer(geometry), "--k", 45, "--columns", "a", "--weights", "knn:4", "-o", out)
    (found,) = look(f"{out}|layername=out")
    assert [one["color"] for one in found["classes"]] == [cluster_color(label) for label in range(1, 46)]
    assert {one["symbol"][0]["kind"] for one in found["classes"]} == {kind}
    option, second, third = signs
    place = len(PALETTE)
    assert found["classes"][place]["symbol"][-1][option] == second
    assert found["classes"][2 * place]["symbol"][-1][option] == third


def test_noise_missing_values_and_hostile_text(look, layer, tmp_path):
    values = np.where(np.arange(100) < 60, 0.0, 50.0)
    values[99], values[98] = 200.0, np.nan
    source, out = layer(grid(), b=values), tmp_path / "out.gpkg"
    options = ["--columns", "b", "--eps", 1, "--transform", "raw", "--missing", "drop", "-o", out]
    regionalize("dbscan", source, *options)
    (found,) = look(f"{out}|layername=out")
    legend = ["1 (60 units)", "2 (38 units)", "not clustered (1 unit)", "no data (1 unit)"]
    check(found, "cluster", [1, 2, 0, -1], legend)
    assert [one["value"] for one in found["classes"]] == ["1", "2", "0", None]

    side = np.where(np.arange(100) < 60, 'north "&" <b>', "süd'; DROP")
    source, out = layer(grid(), side=side), tmp_path / "text.gpkg"
    regionalize("contiguous", source, "--label-column", "side", "--columns", "a", "-o", out)
    (found,) = look(f"{out}|layername=text")
    check(found, "contiguous", [1, 2], ['north "&" <b> (60 units)', "süd'; DROP (40 units)"])


def test_stability_opens_in_its_shades(look, tmp_path):
    out = tmp_path / "stable.gpkg"
    regionalize("stability", "--method", "kmeans", "--k", 4, "--runs", 5, "-o", out)
    (found,) = look(f"{out}|layername=stable")
    assert found["renderer"] == "graduatedSymbol"
    assert found["column"] == "stability"
    assert found["legend"][0] == "99 % and more"
    assert [one["value"] for one in found["classes"]][::4] == [[0.99, 1.0], [0.0, 0.5]]
    assert set(found["styles"]) == {"stability", "cluster"}


def test_other_programs_are_told_the_same(look, layer, tmp_path):
    """SLD, as QGIS understands it when it knows nothing else."""
    values = np.where(np.arange(100) < 60, 0.0, 50.0)
    values[98] = np.nan
    out = tmp_path / "out.gpkg"
    options = ["--k", 2, "--columns", "b", "--missing", "drop", "-o", out]
    regionalize("kmeans", layer(grid(), b=values), *options)
    with closing(sqlite3.connect(out)) as database:
        ((text,),) = database.execute("SELECT styleSLD FROM layer_styles").fetchall()
    (tmp_path / "out.sld").write_text(text)
    code = (
        "import json, sys; from qgis.core import *; app = QgsApplication([], False); app.initQgis();"
        "layer = QgsVectorLayer(sys.argv[1] + '|layername=out', 'x', 'ogr');"
        "assert layer.loadSldStyle(sys.argv[2])[1];"
        "rules = layer.renderer().rootRule().children();"
        "found = [[rule.label(), rule.symbol().color().name(), rule.filterExpression()] for rule in rules];"
        "print(json.dumps(found));"
        "del layer, rules; app.exitQgis()"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    done = subprocess.run(
        [PYTHON, "-c", code, out, tmp_path / "out.sld"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    rules = json.loads(done.stdout)
    assert [rule[0] for rule in rules] == ["1 (60 units)", "2 (39 units)", "no data (1 unit)"]
    assert [rule[1] for rule in rules] == [cluster_color(label) for label in (1, 2, -1)]
    assert rules[2][2].replace('"', "").lower() == "cluster is null"


def test_qgis_saves_its_own_style_beside_ours(look, tmp_path):
    """The table is one QGIS goes on using; our next run takes its default back and keeps its style."""
    out = tmp_path / "out.gpkg"
    regionalize("kmeans", "--k", 3, "-o", out, "--output-layer", "regions")
    code = (
        "import sys; from qgis.core import *; app = QgsApplication([], False); app.initQgis();"
        "layer = QgsVectorLayer(sys.argv[1] + '|layername=regions', 'x', 'ogr');"
        "layer.setRenderer(QgsSingleSymbolRenderer(QgsSymbol.defaultSymbol(layer.geometryType())));"
        "layer.saveStyleToDatabase('mine', 'by hand', True, ''); del layer; app.exitQgis()"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    subprocess.run([PYTHON, "-c", code, out], check=True, capture_output=True, timeout=120, env=environment)
    (found,) = look(f"{out}|layername=regions")
    assert found["renderer"] == "singleSymbol"
    assert found["styles"].keys() == {"cluster", "mine"}
    regionalize("kmeans", "--k", 3, "-o", out, "--output-layer", "regions", "--overwrite")
    (found,) = look(f"{out}|layername=regions")
    assert found["renderer"] == "categorizedSymbol"
    assert found["styles"].keys() == {"cluster", "mine"}
