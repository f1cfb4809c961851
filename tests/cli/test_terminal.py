"""What a person sees: reports that fit the terminal, help that reads well, no colour where none is wanted."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from rich.cells import cell_len

from regionalize.cli.program import COMMANDS

KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")
HOSTILE = [
    "[red]alarm[/red]",
    "100%s %d {0}",
    "größe – 大小",
    "two words",
    "a'b\"c",
    "\x1b[31mred",
    "two\nlines",
    "x" * 90,
]


@pytest.fixture
def wide(grid, save):
    """A layer of 25 rows and 30 variables."""
    values = np.random.default_rng(1).lognormal(sigma=4, size=(25, 30))
    return save(grid().assign(**{f"variable_{i}": values[:, i] for i in range(30)}))


@pytest.mark.parametrize("columns", [40, 80, 140])
@pytest.mark.parametrize("k", [2, 12])
def test_reports_fit_the_terminal(columns, k, wide, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    commands = [
        ("kmeans", wide, "--k", k, "--with-centroids"),
        ("kmeans", wide, "--k", k, "--columns", "a,b", "--centroid-weight", 0.5),
        ("validate", wide, "--label-column", "name", "--columns", "a"),
        ("weights", wide),
        ("info", wide),
    ]
    for command in commands:
        found = cli(*command)
        assert found.code == 0, found.err
        assert max(map(cell_len, found.out.splitlines())) <= columns
        assert all(line == line.rstrip() for line in found.out.splitlines())


NAMES = [
    "人口密度と平均所得の変化率（二〇二〇年から）",
    "🙂 happiness of everybody who was asked, in per cent 🙂",
]
NAMES += ["share_of_households_with_an_income_below_the_national_median", "a"]


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("k", [2, 24])
def test_long_and_wide_names_leave_room_for_figures(columns, k, grid, save, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    values = np.random.default_rng(1).lognormal(size=(25, 4))
    source = save(grid().assign(**dict(zip(NAMES, values.T, strict=True))), "in.parquet")
    args = ("kmeans", source, "--k", k, "--exclude", "b,pop,constant", "--missing", "drop")
    found = cli(*args)
    assert found.code == 0, found.err
    assert max(map(cell_len, found.out.splitlines())) <= columns
    squeezed = "".join(found.out.split())  # however names are folded, all of each is there
    assert all("".join(name.split())[:4] in squeezed for name in NAMES)
    whole = re.split(r"\s+", found.out)
    centers = found.out.split("Centres in original units")[1].split("Fragmentation")[0]
    monkeypatch.setenv("COLUMNS", "4000")
    unbroken = cli(*args).out.split("Centres in original units")[1].split("Fragmentation")[0]
    figures = re.findall(r"(?<=\s)-?[0-9]+\.[0-9]+(?=\s)", unbroken)
    assert len(figures) >= 4 * k
    assert all(figure in whole for figure in figures)
    if columns == 80 and k == 2:
        assert centers.count("continued") == 0


def test_the_width_of_what_is_piped_is_eighty(tmp_path, wide, process, process_environment):
    """Whatever the terminal that the pipe was made on, and as COLUMNS says if it says anything."""
    args = ("kmeans", wide, "--k", 3)
    narrow = process(*args, COLUMNS="80")
    assert 70 < max(map(cell_len, narrow.out.splitlines())) <= 80
    assert process(*args, COLUMNS="").out == narrow.out
    assert max(map(cell_len, process(*args, COLUMNS="120").out.splitlines())) > 80


def test_narrower_than_anything(squares, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "3")
    assert cli(*KMEANS, squares).code == 0


def test_every_centre_is_shown_once(wide, cli):
    """However the blocks are cut, every variable and every cluster is there."""
    found = cli("kmeans", wide, "--k", 12, "--columns", "variable_*")
    assert all(f"variable_{i} " in found.out for i in range(30))
    document = json.loads(cli("kmeans", wide, "--k", 12, "--columns", "variable_*", "--json").out)
    sizes = [line.split()[1] for line in found.out.split("Clusters")[1].splitlines()[2:14]]
    assert sizes == [str(size) for size in document["sizes"]]


def test_what_the_report_must_say(squares, cli):
    found = cli(*KMEANS, squares, "--with-centroids", "--seed", 7)
    for words in (
        "kmeans, k = 3",
        "in.gpkg",
        "25 units",
        "seed 7",
        "a, b, X, Y",
        "total",
        "within",
        "between",
    ):
        assert words in found.out
    for words in (
        "all variables",
        "attributes alone",
        "coordinates carry 50.0%",
        "pieces",
        "entropy",
        "Simpson",
    ):
        assert words in found.out
    assert "numpy" in found.out
    assert ("Contiguous: " in found.out) != ("Not contiguous: " in found.out)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_column_names(name, grid, save, cli, tmp_path):
    source = save(grid().rename(columns={"a": name}), "in.parquet")
    outputs = ("-o", tmp_path / "out.parquet", "--map", tmp_path / "x.svg", "--report", tmp_path / "x.md")
    found = cli(
        "kmeans", "--k", 3, "--exclude", "constant,pop", source, *outputs, "--centers", tmp_path / "x.csv"
    )
    assert found.code == 0, found.err
    text = found.out + found.err
    assert "\x1b" not in text
    assert all(letter.isprintable() for letter in text.replace("\n", ""))
    if name.isprintable() and len(name) < 40:
        assert name in found.out
    assert max(map(cell_len, found.out.splitlines())) <= 80
    for command in (("info", source), ("smooth", source, "-o", tmp_path / "s.parquet")):
        assert "\x1b" not in cli(*command).out
    refused = cli("kmeans", "--k", 3, "--columns", name.replace("a", "e") + "!", source)
    assert len(refused.err.splitlines()) == 1
    assert "\x1b" not in refused.err


@pytest.mark.parametrize("name", ["with space", "[bold]", "größe", "100%s", "-dash", "a'b"])
def test_hostile_file_names(name, squares, cli, tmp_path, monkeypatch, read):
    monkeypatch.chdir(tmp_path)
    squares.rename(tmp_path / f"{name}.gpkg")
    found = cli(*KMEANS, "-o", f"{name}2.gpkg", "--map", f"{name}.png", "--", f"{name}.gpkg")
    assert found.code == 0, found.err
    assert f"{name}.gpkg" in found.out
    assert f"layer written to {name}2.gpkg" in found.err
    assert len(read(f"{name}2.gpkg")) == 25


@pytest.mark.parametrize("label", ["größe", "two words", "[red]", "100%"])
def test_hostile_label_columns(label, squares, cli, tmp_path, read):
    assert cli(*KMEANS, squares, "-o", tmp_path / "x.gpkg", "--label-column", label).code == 0
    assert sorted(read(tmp_path / "x.gpkg")[label].unique()) == [1, 2, 3]
    assert cli("validate", tmp_path / "x.gpkg", "--label-column", label, "--columns", "a,b").code == 0


@pytest.mark.parametrize("args", [(*KMEANS, "--json"), ("info", "--json"), ("weights", "--json")])
def test_json_is_one_document_and_nothing_else(args, squares, cli):
    found = cli(args[0], squares, *args[1:])
    document = json.loads(found.out)
    assert found.code == 0
    if args[0] == "kmeans":
        assert document["k"] == 3
        assert sum(document["sizes"]) == 25


def test_json_has_no_numbers_that_json_lacks(grid, save, cli):
    def refuse(word):
        raise AssertionError(word)

    frame = grid()
    frame["b"] = frame["a"]
    for args in (("--columns", "a,constant"), ("--columns", "a", "--hops", 40, "--alpha", 0)):
        found = cli("kmeans", save(frame), "--k", 2, *args, "--json")
        json.loads(found.out, parse_constant=refuse)


def test_quiet_says_nothing_but_errors(tmp_path, cli):
    found = cli("-q", "kmeans", "--k", 3, "--with-centroids", "-o", tmp_path / "x.gpkg")
    assert (found.code, found.err) == (0, "")
    assert cli("-q", "kmeans", "--k", 0).err.startswith("error: ")


@pytest.mark.parametrize("given", [("-v", "kmeans"), ("kmeans", "--timing")])
def test_stages_are_timed(given, squares, cli):
    found = cli(*given, squares, "--k", 3)
    timing = [line for line in found.err.splitlines() if line.startswith("timing: ")]
    assert len(timing) == 1
    assert all(stage in timing[0] for stage in ("read", "weights", "features", "kmeans", "measure", "write"))


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("command", ["", "kmeans", "azp", "hdbscan", *COMMANDS])
def test_help_fits_and_says_every_option(command, columns, cli, monkeypatch):
    import click

    from regionalize.cli.program import program

    monkeypatch.setenv("COLUMNS", str(columns))
    found = cli(*filter(None, [command]), "--help")
    assert (found.code, found.err) == (0, "")
    assert max(map(len, found.out.splitlines())) <= columns
    assert not re.search(r"[=,:]\S+-\n", found.out)  # an example that is broken cannot be typed
    context = click.Context(program)
    params = (program.get_command(context, command) if command else program).params
    for param in params:
        if isinstance(param, click.Option):
            assert param.opts[-1] in found.out
            assert param.help
    assert found.out == cli(*filter(None, [command]), "-h").out


def test_defaults_in_the_help_are_the_real_ones():
    """What the help says is the default is the default."""
    import click

    from regionalize.cli.methods import method_command
    from regionalize.maps.plots.branches import LEAVES
    from regionalize.model.catalog import METHODS
    from regionalize.model.job import Job, Outputs

    checked = set()
    for method in METHODS.values():
        own = {param.name: param.default for param in method.params}
        own |= {"compactness": method.compactness, "truncate": LEAVES}
        for param in method_command(method).params:
            said = re.search(r"\[default:\s([^\]\s,]+)\]", getattr(param, "help", "") or "")
            if said is None or not isinstance(param, click.Option):
                continue
            holder = own.get(param.name, getattr(Job(), param.name, getattr(Outputs(), param.name, None)))
            if param.name in own and holder is None:  # told in words
                continue
            shown = str(float(said[1][:-1]) / 100) if said[1].endswith("%") else said[1]
            assert shown == str(holder), f"{method.name} {param.name}"
            checked.add(param.name)
    assert {"transform", "missing", "alpha", "seed", "n_init", "islands"} <= checked
