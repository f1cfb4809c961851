"""From plans to items: names, parts, and outputs that are refused before any work."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from regionalize.errors import DataError, OutputError, RegionalizeError, UsageError
from regionalize.run.batch.items_of_plan import carry_out, make_batch
from regionalize.run.batch.plan import Input, Plan, Runs

OPTIONS = {"k": 2, "columns": "a,b"}


@pytest.fixture
def make(layers, tmp_path, monkeypatch):
    """Return `make(*files, method="kmeans", options…)`, which makes a batch in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def batch(*files, method="kmeans", by=None, out_dir="out", plan=None, shown=False, **given):
        settings = {
            name: given.pop(name) for name in ("overwrite", "resume", "summary", "jobs") if name in given
        }
        made = plan or Plan(
            inputs=tuple(Input(path=str(file)) for file in files),
            methods=(method,) if isinstance(method, str) else tuple(method),
            by=by,
            out_dir=None if out_dir is None else Path(out_dir),
            **settings,
        )
        return make_batch(made, {**OPTIONS, **given}, shown=shown)

    return batch


def outputs(batch):
    """Return the paths of all items."""
    return {
        item.name: {key: path.as_posix() for key, path in item.outputs.paths().items()}
        for item in batch.items
    }


def test_outputs_are_named_by_patterns(make, layers):
    layers(0), layers(1)
    batch = make(
        "in*.gpkg", map=".png", report="reports/{name}-{method}-{k}.html", centers="{name}.csv", qml=True
    )
    assert outputs(batch) == {
        name: {
            "output": f"out/{name}.gpkg",
            "map": f"out/{name}.png",
            "report": f"out/reports/{name}-kmeans-2.html",
            "centers": f"out/{name}.csv",
            "qml": f"out/{name}.qml",
        }
        for name in ("in0", "in1")
    }
    assert Path("out/reports").is_dir()


def test_without_a_folder_patterns_start_here_and_no_layer_is_written(make, layers):
    layers(0)
    assert outputs(make("in0.gpkg", out_dir=None, map="maps/{name}.png")) == {"in0": {"map": "maps/in0.png"}}
    with pytest.raises(UsageError, match=r"--map \.png names no place; say where with --out-dir"):
        make("in0.gpkg", out_dir=None, map=".png")
    with pytest.raises(UsageError, match="nothing would be written"):
        make("in0.gpkg", out_dir=None)
    assert make("in0.gpkg", out_dir=None, summary=Path("s.csv")).items[0].outputs.paths() == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"map": "map.png"}, "--map would be one file, out/map.png, for 'in0' and 'in1'; write {name} in it"),
        ({"output": "{k}.gpkg"}, "--output would be one file"),
        ({"output": "-"}, "standard output"),
        ({"map": "{nam}.png"}, "unknown {nam}; did you mean 'name'"),
        ({"map": "{name}.gpkg"}, "--map"),
        ({"map": "{name}.jpg"}, "--map cannot be written as '.jpg'"),
        ({"output": "{name}.docx"}, "'.docx' is not a format"),
        ({"map": "{name}", "output": "{name}.gpkg"}, "--map cannot be written"),
        ({"dissolve": "{name}.gpkg"}, "same file"),
        ({"truncate": 3}, "kmeans has nothing for 'truncate'"),
        ({"dissolve_lines": True}, "--dissolve-lines is for the map"),
        ({"label_column": " "}, "--label-column is empty"),
        ({"kk": 3}, "unknown option 'kk'"),
        ({"linkage": "ward"}, "unknown option 'linkage'"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(make, layers, given, said):
    layers(0), layers(1)
    with pytest.raises(RegionalizeError) as caught:
        make("in*.gpkg", **given)
    assert said in str(caught.value)
    assert not Path("out").exists()


def test_k_is_asked_for_in_a_name_and_the_method_finds_it(make, layers):
    layers(0)
    with pytest.raises(UsageError, match=r"asks for k, which dbscan finds"):
        make("in0.gpkg", method="dbscan", k=None, eps=1.0, map="{name}-{k}.png")


def test_existing_outputs_are_counted_and_told_once(make, layers):
    layers(0), layers(1), layers(2)
    make("in*.gpkg")
    for name in ("in1.gpkg", "in2.gpkg", "in2.png"):
        Path("out", name).touch()
    with pytest.raises(OutputError) as caught:
        make("in*.gpkg", map=".png")
    assert str(caught.value).startswith("3 of 6 outputs exist already, out/in1.gpkg first")
    assert "--resume" in caught.value.advice
    assert "--overwrite" in caught.value.advice
    assert make("in*.gpkg", map=".png", overwrite=True).items[0].outputs.overwrite
    assert make("in*.gpkg", map=".png", resume=True).resume


def test_no_input_is_ever_written(make, layers):
    layers(0)
    for given in ({"out_dir": "."}, {"out_dir": None, "output": "{name}.gpkg"}):
        with pytest.raises(OutputError, match="is an input"):
            make("in0.gpkg", overwrite=True, **given)
    Path("out").mkdir()
    Path("out/in0.gpkg").symlink_to("../in0.gpkg")
    with pytest.raises(OutputError, match="is an input"):
        make("in0.gpkg", overwrite=True)


def test_no_part_of_an_input_is_ever_written(make, layers, tmp_path):
    """A shapefile is several files, whether it is read or written."""
    import shutil

    layers(0, "x.gpkg")
    (tmp_path / "shapes").mkdir()
    layers(1, "shapes/y.shp")
    shutil.copy("shapes/y.dbf", "y.dbf")
    plan = Plan(
        inputs=(Input(path="x.gpkg", name="y"), Input(path="y.dbf", name="z")),
        methods=("kmeans",),
        options={"output": "{name}.shp"},
        out_dir=Path("."),
        overwrite=True,
    )
    with pytest.raises(OutputError, match=r"y\.shp: would write y\.dbf, which is an input"):
        make(plan=plan)
    os.remove("y.dbf")
    Path("y.csv").write_text("X,Y,a,b\n0,0,1,1\n")
    Path("y.prj").touch()  # is read with the table
    plan = replace(plan, inputs=(plan.inputs[0], Input(path="y.csv", name="z")))
    with pytest.raises(OutputError, match=r"y\.shp: would write y\.prj, which is an input"):
        make(plan=plan)


def test_an_input_in_capitals_is_not_written_on_any_system(make, layers):
    layers(0, "IN0.gpkg")
    with pytest.raises(OutputError, match="is an input"):
        make("IN0.gpkg", out_dir=None, output="in0.gpkg", overwrite=True)


def test_a_folder_is_not_called_by_a_pattern(make, layers):
    layers(0)
    with pytest.raises(UsageError, match=r"--out-dir x\{method\} is one folder.*use -o"):
        make("in0.gpkg", out_dir="x{method}")
    assert make("in0.gpkg", out_dir="x{y}").items[0].outputs.output == Path("x{y}/in0.gpkg")


def test_the_sample_stands_in_and_that_is_told(make):
    assert make().notes == ("no INPUT given: using the bundled sample, 159 counties of Georgia (USA)",)


def test_one_file_under_two_names_is_read_once(make, layers):
    layers(0)
    os.symlink("in0.gpkg", "in1.gpkg")
    plan = Plan(
        inputs=tuple(
            Input(path=name, options={"where": "a > 0"}) for name in ("in0.gpkg", "in1.gpkg", "./in0.gpkg")
        ),
        methods=("kmeans",),
        out_dir=Path("out"),
    )
    assert [item.source for item in make(plan=plan).items] == ["in0.gpkg"]


def test_after_a_layer_that_cannot_be_split_nothing_is_started(make, layers):
    layers(0)
    Path("in1.gpkg").write_bytes(b"damaged")
    for fail_fast, started in ((True, 0), (False, 3)):
        plan = Plan(
            inputs=(Input(path="in*.gpkg", by="state"),),
            methods=("kmeans",),
            out_dir=Path(f"out{started}"),
            fail_fast=fail_fast,
            jobs=1,
        )
        finished = carry_out(make(plan=plan))
        assert [one.status for one in finished] == ["done"] * started + ["failed"]


def test_a_summary_is_refused_with_the_others(make, layers):
    layers(0)
    for summary, said in (
        ("s.txt", "cannot be written as '.txt'"),
        ("out/in0.csv", "is an output of 'in0', too"),
        ("in0.parquet", "is an input|is the input"),
    ):
        if summary == "in0.parquet":
            layers(0, "in0.parquet")
        file = "in0.parquet" if summary == "in0.parquet" else "in0.gpkg"
        with pytest.raises(OutputError, match=said):
            make(file, centers=".csv", summary=Path(summary), overwrite=True)
    Path("s.csv").touch()
    with pytest.raises(OutputError, match=r"s\.csv: already exists"):
        make("in0.gpkg", summary=Path("s.csv"))
    assert not Path("out").exists()


def test_equal_stems_and_values_get_names_of_their_own(make, layers):
    for folder in ("x", "y"):
        os.mkdir(folder)
        layers(0, f"{folder}/in.gpkg")
    assert make("*/in.gpkg").names == ("x-in", "y-in")
    names = make("x/in.gpkg", by="state").names
    assert names == ("in-Ceará", "in-d'Oeste", "in-x y")
    assert make("x/in.gpkg", by="year", method=["kmeans", "skater"]).names == (
        "in-2000-kmeans",
        "in-2001-kmeans",
        "in-2000-skater",
        "in-2001-skater",
    )


def test_a_column_that_parts_is_no_variable(make, layers):
    layers(0)

    def excluded(**given):
        return {item.job.exclude for item in make("in0.gpkg", **given).items}

    assert excluded(by="year", columns=None) == {("year",)}
    assert excluded(by="year", columns="*") == {("year",)}
    assert excluded(by="year", columns="a,b") == {()}
    assert excluded(by="state", columns=None) == {()}


def test_rows_without_a_value_are_told(make, layers):
    import geopandas

    path = layers(0)
    frame = geopandas.read_file(path)
    frame.loc[[0, 4], "state"] = None
    path.unlink()
    frame.to_file(path)
    assert any("2 rows have no 'state'" in note for note in make("in0.gpkg", by="state").notes)
    assert not make("in0.gpkg", by="state", where="state IS NOT NULL").notes


def test_a_layer_that_cannot_be_split_fails_alone(make, layers):
    import geopandas

    layers(0)
    path = layers(1)
    frame = geopandas.read_file(path).drop(columns="state")
    path.unlink()
    frame.to_file(path)
    Path("in2.gpkg").write_bytes(b"damaged")
    batch = make("in*.gpkg", by="state")
    assert [item.source for item in batch.items] == ["in0.gpkg"] * 3
    assert [one.item.source for one in batch.refused] == ["in1.gpkg", "in2.gpkg"]
    assert "there is no column 'state'" in batch.refused[0].error
    assert batch.names[:3] == ("in0-Ceará", "in0-d'Oeste", "in0-x y")
    with pytest.raises(UsageError, match="there is no column 'state'"):
        make("in1.gpkg", by="state")
    with pytest.raises(DataError, match="in2"):
        make("in2.gpkg", by="state")


def test_the_first_of_every_run_is_looked_at(make, layers):
    layers(0)
    runs = (
        Runs(methods=("kmeans",), options={"k": 2}),
        Runs(methods=("schc",), options={"k": 3, "dendrogram": ".x"}),
    )
    plan = Plan(inputs=(Input(path="in0.gpkg"),), runs=runs, out_dir=Path("out"))
    with pytest.raises(OutputError, match=r"--dendrogram cannot be written as '\.x'"):
        make(plan=plan)


def test_resume_needs_a_folder(make, layers):
    layers(0)
    with pytest.raises(UsageError, match="--resume"):
        make("in0.gpkg", out_dir=None, resume=True, map="{name}.png")


def test_a_folder_that_cannot_be_made(make, layers):
    layers(0)
    Path("file").touch()
    with pytest.raises(OutputError, match="file"):
        make("in0.gpkg", out_dir="file/out")
