"""The options of `regionalize batch`: those of the method's own command join its own."""

from __future__ import annotations

import json

import click
import pytest

from regionalize.cli.batch import BatchCommand, command
from regionalize.cli.methods import method_command
from regionalize.io.toml import read_toml
from regionalize.model.catalog import METHODS

COLUMNS = ("--columns", "pct_rural,pct_pov")


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_brings_all_of_its_options(cli, method):
    """The method's own command is built elsewhere; its threads, engine and stages have no place here."""
    shown = cli("batch", "--method", method.name, "--help").out.replace(",", " ").split()
    for param in method_command(method).params:
        if isinstance(param, click.Option) and param.name not in {"timing", "jobs", "engine", "scheduler"}:
            assert set(param.opts) <= set(shown), param.opts


def test_without_a_method_help_has_what_is_shared(cli):
    shown = cli("batch", "--help").out.split()
    assert {"--by", "--k", "--columns", "--within", "--dendrogram", "--summary"} <= set(shown)
    assert "--n-init" not in shown


def test_a_call_leaves_the_command_as_it_was(cli):
    before = [param.name for param in command.params]
    cli("batch", "--method", "schc", "--help")
    assert isinstance(command, BatchCommand)
    assert [param.name for param in command.params] == before


def test_the_help_option_is_the_same_after_any_call(cli):
    for _ in range(2):
        assert "  -h, --help" in cli("batch", "--help").out
        assert "  -h, --help" in cli("batch", "--method", "kmeans", "--help").out


@pytest.mark.parametrize(
    ("recipe", "said"),
    [("schc:linkage=average", "--linkage average"), ("hierarchical:method=single", "--method single")],
)
def test_options_of_a_method_behind_a_colon(cli, tmp_path, recipe, said):
    args = ("batch", "--method", recipe, "--k", 4, *COLUMNS, "--jobs", 1, "--out-dir", tmp_path, "--json")
    done = cli(*args)
    assert done.code == 0, done.err
    assert said in json.loads(done.out)["items"][0]["command"]


@pytest.mark.parametrize(
    "named",
    [
        ("--method", "kmeans", "--method", "skater"),
        ("--method", "kmeans,skater"),
        ("--method", "kmeans", "--method", "skater:compactness=0"),
    ],
)
def test_several_methods_are_each_run(cli, tmp_path, named):
    args = ("--k", 3, "--n-init", 2, *COLUMNS, "--jobs", 1, "--out-dir", tmp_path, "--json")
    done = cli("batch", *named, *args)
    assert done.code == 0, done.err
    assert {path.name for path in tmp_path.glob("*.gpkg")} == {"georgia-kmeans.gpkg", "georgia-skater.gpkg"}
    commands = [one["command"] for one in json.loads(done.out)["items"]]
    assert ["--n-init 2" in one for one in commands] == [True, False]


def test_what_a_file_says_of_one_of_several_methods(cli, refused, tmp_path):
    file = tmp_path / "x.toml"
    args = ("--config", file, "batch", "--k", 3, *COLUMNS, "--jobs", 1, "--summary", tmp_path / "s.csv")
    file.write_text("[kmeans]\nhops = 1\n[batch]\nmethod = ['kmeans', 'skater']\n")
    refused(*args, code=2, says=["[kmeans]", "'hops' is for kmeans alone, and skater has it too"])
    file.write_text("[kmeans]\nn-init = 2\n[batch]\nmethod = ['kmeans', 'skater']\n")
    done = cli(*args)
    assert done.code == 0, done.err
    assert (tmp_path / "s.csv").read_text().count("--n-init 2") == 1


def test_a_batch_of_which_some_runs_failed_is_saved(cli, refused, tmp_path):
    (tmp_path / "bad.gpkg").write_text("nothing")
    args = ("batch", tmp_path / "*.gpkg", "--method", "kmeans", "--k", 3, "--jobs", 1, "--json")
    done = cli(*args, "--overwrite", "--save-config", tmp_path / "x.toml")
    assert done.code == 1
    assert "overwrite" not in (tmp_path / "x.toml").read_text(encoding="utf-8")
    again = cli("--config", tmp_path / "x.toml", "batch")
    assert (again.code, json.loads(again.out)["failed"]) == (1, 1)
    refused(*args, "--by", "", "--save-config", tmp_path / "y.toml", code=2)


def test_several_numbers_are_for_choose_k(refused):
    for words in (("batch", "--method", "kmeans"), ("kmeans",), ("schc",)):
        refused(*words, "--k", "2-5", code=2, says=["--k is '2-5'", "choose-k tries several numbers"])


def test_a_plan_is_read_once(cli, tmp_path, monkeypatch):
    from regionalize.run.batch import plan

    read = []
    monkeypatch.setattr(plan, "read_toml", lambda *args: read.append(args) or read_toml(*args))
    (tmp_path / "p.toml").write_text("method = 'kmeans'\nk = 3\ncolumns = 'pct_rural'\njobs = 1\n")
    assert cli("batch", tmp_path / "p.toml", "--json").code == 0
    assert len(read) == 1


def test_the_linkage_of_one_method_is_a_file_of_another(cli, tmp_path):
    args = ("batch", "--method", "hierarchical", "--k", 4, *COLUMNS, "--jobs", 1, "--out-dir", tmp_path)
    assert cli(*args, "--linkage", ".npy").code == 0
    assert (tmp_path / "georgia.npy").exists()


def test_the_same_in_python(tmp_path, monkeypatch):
    import regionalize as rz

    monkeypatch.chdir(tmp_path)
    options = {"k": 3, "columns": ["pct_rural", "pct_pov"], "jobs": 1}
    found = rz.batch(None, ["kmeans", "skater"], out_dir="out", map=".png", summary="s.csv", **options)
    assert [one.status for one in found.items] == ["done", "done"]
    assert not found.failed
    assert found.table["k"].tolist() == [3, 3]
    assert str(found.table["k"].dtype) == "Int64"
    written = {path.name for path in tmp_path.glob("out/[!.]*")}
    assert written == {
        f"georgia-{name}.{ending}" for name in ("kmeans", "skater") for ending in ("gpkg", "png")
    }
    with pytest.raises(rz.RegionalizeError, match="exist already"):
        rz.batch(None, ["kmeans", "skater"], out_dir="out", **options)
    with pytest.raises(rz.RegionalizeError, match="unknown option 'kk'"):
        rz.batch(None, "kmeans", kk=3)
    assert "using the bundled sample" in found.notes[0]
    with pytest.raises(rz.RegionalizeError, match="inputs is empty"):
        rz.batch([], "kmeans", k=3)
