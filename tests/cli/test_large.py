"""Rows in batches, samples and engines at the command line."""

import json

import pytest

from regionalize.model.catalog import OWN

COLUMNS = ("--columns", "pct_*")


def test_batches_are_told_and_kept_with_the_layer(cli, tmp_path):
    out = tmp_path / "out.gpkg"
    told = cli("kmeans", "--k", "4", *COLUMNS, "--batch-size", "32", "--warm-start", "80", "-o", out)
    assert told.code == 0, told.err
    assert "batches: 5 of 32 rows, after 80 drawn at random" in " ".join(told.out.split())
    assert max(map(len, told.out.splitlines())) <= 80
    made = json.loads(cli("info", out, "--json").out)
    assert "--batch-size 32 --warm-start 80" in json.dumps(made)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "batches: none needed: the warm start held all 159 rows; mean squared distance"),
        (["--test-share", "20%"], "rows that are not of the test share; mean squared distance"),
        (["--warm-start", "50"], "batches: 1 of 159 rows, after 50 drawn at random"),
    ],
)
def test_the_rows_learnt_from_are_told(cli, given, said):
    told = cli("kmeans", "--k", "3", *COLUMNS, "--batch-size", "99999999", *given)
    assert said in " ".join(told.out.split())


def test_json_has_the_inertia_of_both_parts(cli):
    told = cli("kmeans", "--k", "3", *COLUMNS, "--batch-size", "16", "--test-share", "25%", "--json")
    found = json.loads(told.out)["extra"]["batches"]
    assert found["train"]["rows"] + found["test"]["rows"] == 159
    assert found["test"]["inertia"] > 0


def test_the_command_told_repeats_the_run(cli, tmp_path):
    first, second = tmp_path / "a.gpkg", tmp_path / "b.gpkg"
    given = ["kmeans", "--k", "3", *COLUMNS, "--batch-size", "16", "--test-share", "0.25", "--seed", "4"]
    line = json.loads(cli(*given, "--json", "-o", first).out)["command"]
    assert "--batch-size 16" in line
    again = json.loads(cli(*given, "--json", "-o", second).out)
    assert again["fit"] == json.loads(cli(*given, "--json").out)["fit"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--batch-size", "0"], "--batch-size is 0"),
        (["--batch-size", "many"], "--batch-size"),
        (["--test-share", "20%"], "add --batch-size 256"),
        (["--batch-size", "32", "--map", "m.png"], "--batch-size and --map exclude each other"),
        (["--batch-size", "32", "--sample", "9%"], "both read a part of the rows"),
        (["--scheduler", "tcp://nowhere:1"], "add --engine dask"),
        (["--engine", "dusk"], "did you mean"),
    ],
)
def test_what_cannot_be_meant_is_one_line(cli, given, said):
    told = cli("kmeans", "--k", "3", *COLUMNS, *given)
    assert told.code == 2
    assert said in told.err
    assert len(told.errors) == 1


@pytest.mark.parametrize("method", sorted(name for name, method in OWN.items() if not method.large))
@pytest.mark.parametrize(
    ("given", "way"),
    [
        (["--engine", "dask"], "kmeans --engine dask"),
        (["--scheduler", "tcp://nowhere:1"], "kmeans --engine dask"),
        (["--batch-size", "256"], "kmeans --batch-size 256"),
        (["--sample", "1%"], "kmeans --sample 1%"),
    ],
)
def test_methods_that_need_all_rows_say_so(cli, method, given, way):
    told = cli(method, *COLUMNS, *given)
    assert told.code == 2
    said = f"{given[0]} is for k-means, and {method} needs all rows at once"
    assert told.errors == [f"error: {said}; use {way}, or fewer rows (--where)"]


@pytest.mark.parametrize("command", ["batch", "choose-k", "stability", "assign", "validate"])
def test_commands_without_an_engine_say_what_it_is_for(cli, command):
    told = cli(command, "--engine", "dask")
    assert told.errors == [
        "error: there is no option --engine here: it is for k-means, as in kmeans --engine dask"
    ]


def test_a_batch_of_methods_that_need_all_rows(cli, tmp_path):
    told = cli("batch", "--method", "skater", "--k", "4", "--sample", "9%", "--out-dir", tmp_path / "out")
    assert told.code == 2
    assert told.errors == [
        "error: there is no option --sample here: it is for k-means, as in kmeans --sample 1%"
    ]
    assert not (tmp_path / "out").exists()


def test_a_batch_takes_them_and_knows_its_outputs_again(cli, tmp_path):
    given = ["batch", "--method", "kmeans", "--k", "4", *COLUMNS, "--batch-size", "32", "--out-dir", tmp_path]
    first = cli(*given)
    assert first.code == 0, first.err
    again = cli(*given, "--resume")
    assert "1 done before" in again.out


def test_studies_that_hold_all_rows_say_so(cli):
    told = cli("compare", "kmeans:batch-size=32", "skater", "--k", "3", *COLUMNS)
    assert told.code == 2
    assert "--batch-size reads a file some rows at a time" in told.errors[0]
