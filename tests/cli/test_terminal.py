"""What a person sees: reports that fit the terminal, help that reads well, no colour where none is wanted."""

from __future__ import annotations

import json
import os
import re
import sys
import warnings

import numpy as np
import pytest
from rich.cells import cell_len

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


def on_a_terminal(command, environment, folder, code="from regionalize.cli import main; main()"):
    """Run with a terminal for all three streams and return what it shows."""
    pty = pytest.importorskip("pty", reason="a terminal is made the Unix way")
    with warnings.catch_warnings():
        # from Python 3.12 on: threads of the test runner, which the child leaves behind at once
        warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
        pid, descriptor = pty.fork()
    if pid == 0:  # the child becomes the program
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-c", code, *map(str, command)], environment)
    shown = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return shown.decode()


@pytest.mark.parametrize(
    ("options", "variables"),
    [(("--no-color",), {}), ((), {"NO_COLOR": "1"}), ((), {"NO_COLOR": ""}), ((), {})],
)
def test_colour_on_a_terminal(options, variables, tmp_path, process_environment):
    environment = {**process_environment, "TERM": "xterm-256color", **variables}
    shown = on_a_terminal((*options, "kmeans", "--k", 3), environment, tmp_path)
    colours = [f"\x1b[{code}m" for code in (*range(30, 38), *range(90, 98))]
    assert not any(colour in shown for colour in colours)
    assert "BSS/TSS" in shown
    if not options and not variables:
        assert "\x1b[1m" in shown


def test_progress_on_a_terminal_only(tmp_path, process_environment, cli):
    slow = ("kmeans", "--k", 12, "--search", "starts", "--n-init", 1500)
    environment = {**process_environment, "TERM": "xterm-256color"}
    impatient = (
        "import regionalize.cli.console as c; c.PATIENCE = 0.01; from regionalize.cli import main; main()"
    )
    shown = on_a_terminal(slow, environment, tmp_path, impatient)
    bar = re.compile(r"kmeans\W+(\S*m)?━.*%")
    assert bar.search(shown)
    assert "BSS/TSS" in shown
    assert not bar.search(on_a_terminal(("-q", *slow), environment, tmp_path, impatient))
    assert "━" not in cli(*slow).err


def test_a_quick_run_shows_no_progress(tmp_path, process_environment):
    patient = "import regionalize.cli.console as c; c.PATIENCE = 60; from regionalize.cli import main; main()"
    shown = on_a_terminal(("kmeans", "--k", 3), {**process_environment, "TERM": "xterm"}, tmp_path, patient)
    assert "\x1b[?25l" not in shown  # a bar hides the cursor


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("command", ["", "kmeans", "validate", "weights", "smooth", "map", "info", "sample"])
def test_help_fits_and_says_every_option(command, columns, cli, monkeypatch):
    import click

    from regionalize.cli.program import program

    monkeypatch.setenv("COLUMNS", str(columns))
    found = cli(*filter(None, [command]), "--help")
    assert (found.code, found.err) == (0, "")
    assert max(map(len, found.out.splitlines())) <= columns
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
    from regionalize.maps.branches import LEAVES
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
