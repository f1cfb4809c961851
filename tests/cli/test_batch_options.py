"""The options of `regionalize batch`: those of the method's own command join its own."""

from __future__ import annotations

import json

import click
import pytest

from regionalize.cli.batch import BatchCommand, command
from regionalize.cli.methods import method_command
from regionalize.model.catalog import METHODS

COLUMNS = ("--columns", "pct_rural,pct_pov")


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_brings_all_of_its_options(cli, method):
    """The method's own command is built elsewhere; only its threads and stages have no place here."""
    shown = cli("batch", "--method", method.name, "--help").out.replace(",", " ").split()
    for param in method_command(method).params:
        if isinstance(param, click.Option) and param.name not in {"timing", "jobs"}:
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
