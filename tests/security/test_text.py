"""Names and values of a layer are text, wherever they are shown or written."""

from __future__ import annotations

import csv
import json
import os

import geopandas
import numpy as np
import pyarrow as pa
import pytest
import shapely

from regionalize.cli.program import run_program
from regionalize.io.lock import alone, lock_of
from regionalize.io.write import write_layer
from regionalize.model.layer import Layer

HOSTILE = [
    "\x1b]8;;http://127.0.0.1/\x07press",  # a link
    "\x1b]52;c;AAAA\x07",  # what is pasted next
    "\x9b31mred",  # as ESC [, in one character
    "\u202egnp.exe",  # from right to left
    "\u2066\u200bhidden",
    "line\u2028line\x85line\rline\nline",
    "\x07\x7f",
]
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", '=HYPERLINK("http://127.0.0.1/","x")']


@pytest.fixture
def layer(tmp_path, monkeypatch):
    """A layer whose file, layer, columns and values are hostile, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    at = np.arange(36)
    rng = np.random.default_rng(1)
    frame = geopandas.GeoDataFrame(
        {text: rng.normal(size=36) for text in HOSTILE} | {"zone": [HOSTILE[i // 9] for i in at]},
        geometry=shapely.box(at % 6, at // 6, at % 6 + 1, at // 6 + 1),
        crs=32633,
    )
    frame["other"] = [HOSTILE[i % 6 // 2] for i in at]
    name = "a\x1b]0;title\x07\x9b\u202e.gpkg"
    frame.to_parquet("in.parquet")
    frame[["zone", "other", "geometry"]].assign(v=at, w=at % 7).to_file("a.gpkg", layer="l\x1b[31m\x9b")
    os.rename("a.gpkg", name)
    return name


COMMANDS = [
    ["info", "in.parquet"],
    ["kmeans", "in.parquet", "--k", "3", "--timing"],
    ["smooth", "in.parquet", "-o", "s\x9b.parquet"],
    ["info", "{}"],
    ["info", "{}", "--layer", "\x9bx"],
    ["kmeans", "{}", "--k", "3", "-o", "o{}", "--map", "\x9b.svg"],
    ["kmeans", "{}", "--k", "3", "--where", "\x9b = 'x\x1b'"],
    ["kmeans", "{}", "--k", "3", "--columns", "\x9b"],
    ["validate", "{}", "--label-column", "zone", "--columns", "v"],
    ["compare", "{}", "zone", "other"],
    ["contiguous", "{}", "--label-column", "zone", "--keep-k", "-o", "c.gpkg"],
    ["batch", "{}", "--by", "zone", "--method", "kmeans", "--k", "2", "--jobs", "1", "--out-dir", "out"],
    ["weights", "{}", "--weights", "\x9b.gal"],
    ["assign", "{}", "--centers", "\x9b.csv"],
    ["\x9b"],
    ["kmeans", "--\x9b"],
    ["--config", "\x9b.toml", "kmeans", "--k", "3"],
]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda words: " ".join(words).encode("unicode_escape").decode()
)
def test_nothing_drives_the_terminal(command, as_json, layer, capfd):
    """Neither from Python nor from the libraries that it calls."""
    args = [word.format(layer) for word in command] + (["--json"] if as_json else [])
    code = run_program(args)
    said = capfd.readouterr()
    assert code in (0, 1, 2, 3)
    assert "Traceback" not in said.err
    for text in (said.out, said.err):
        assert all(letter.isprintable() for letter in text.replace("\n", "")), text
    if as_json and code == 0 and said.out:
        json.loads(said.out)


def test_json_says_the_names_themselves(layer, capfd):
    assert run_program(["kmeans", "in.parquet", "--k", "3", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["variables"] == HOSTILE


def test_items_of_a_batch_stay_in_their_folder(tmp_path, monkeypatch, capfd):
    """Whatever stands in the column that parts the layer."""
    monkeypatch.chdir(tmp_path)
    at = np.arange(36)
    words = ["../../escaped", "/etc/escaped", ".."]
    frame = geopandas.GeoDataFrame(
        {"zone": [words[i // 12] for i in at], "v": at, "w": at % 5},
        geometry=shapely.box(at % 6, at // 6, at % 6 + 1, at // 6 + 1),
        crs=32633,
    )
    frame.to_parquet("in.parquet")
    (tmp_path / "out").mkdir()
    for pattern in ("{name}.csv", "x/{name}/{name}.csv"):
        before = {path for path in tmp_path.parent.rglob("*") if tmp_path / "out" not in path.parents}
        args = ["batch", "in.parquet", "--by", "zone", "--method", "kmeans", "--k", "2", "--jobs", "1"]
        assert run_program([*args, "--out-dir", "out", "-o", pattern, "--overwrite"]) == 0, (
            capfd.readouterr().err
        )
        assert {path for path in tmp_path.parent.rglob("*") if tmp_path / "out" not in path.parents} == before
        assert len(list((tmp_path / "out").rglob("*.csv"))) >= 3


def test_data_are_not_changed_for_the_sake_of_spreadsheets(tmp_path, monkeypatch):
    """SECURITY.md says so: a value that begins like a formula is that value."""
    monkeypatch.chdir(tmp_path)
    texts = FORMULAS * 4
    frame = geopandas.GeoDataFrame(
        {"=name": texts, "v": range(24)}, geometry=geopandas.points_from_xy(range(24), range(24)), crs=32633
    )
    frame.to_parquet("in.parquet")
    assert run_program(["kmeans", "in.parquet", "--k", "2", "--columns", "v", "-o", "out.csv"]) == 0
    with open("out.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["=name"] for row in rows] == texts


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        *(([None, text], True) for text in [*FORMULAS, "@a", "\ta", "+1 + a", "-cmd|' /c'!A0", "=1"]),
        *(([None, text], False) for text in ["a=1", "-1.5e-3", "+49 30 12", "-", "", " =1", "a\n=1", "1-2"]),
        ([None, None], False),
    ],
)
def test_text_that_a_spreadsheet_may_take_for_a_formula_is_told(tmp_path, texts, told):
    layer = Layer(pa.table({"t": pa.array(texts, pa.string()), "n": [-1, 1]}), None, None)
    for name, of_this_format in (("out.csv", told), ("out.gpkg", False)):
        notes = " ".join(write_layer(layer, tmp_path / name, added={}))
        assert ("formula: t." in notes) is of_this_format


@pytest.mark.unix
def test_a_lock_that_is_a_link_makes_nothing(tmp_path):
    """Where others may write to the folder: the name of a lock can be guessed."""
    target = tmp_path / "out.gpkg"
    elsewhere = tmp_path / "elsewhere"
    lock_of(target).symlink_to(elsewhere)
    with alone(target):
        assert not elsewhere.exists()
    elsewhere.write_text("mine")
    with alone(target):
        pass
    assert elsewhere.read_text() == "mine"
    assert os.path.lexists(lock_of(target))
