"""The man page: written from the commands, sound, and complete."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from regionalize.cli.program import program
from regionalize.model.catalog import METHODS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "regionalize.1"


def load(name):
    """Import a module of docs/, which is not a package."""
    found = importlib.util.spec_from_file_location(f"man_{name}", DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


manual = load("manual")
examples = load("examples")


def test_it_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == manual.manual(), "run `python docs/manual.py`"


def test_every_command_and_option_is_there():
    text = PAGE.read_text(encoding="utf-8").replace("\\-", "-")
    _, *sections = re.split(r"^\.SS (.*)\n", text, flags=re.MULTILINE)
    told = dict(zip(sections[::2], sections[1::2], strict=True))
    context = click.Context(program, info_name="regionalize")
    assert set(told) == set(program.list_commands(context))
    shared = text.partition(".SH SHARED OPTIONS")[2].partition(".SH EXIT STATUS")[0]
    for name in told:
        command = program.get_command(context, name)
        section = told[name].partition("\n.SH ")[0]
        for param in command.params:
            for option in param.opts if isinstance(param, click.Option) else ():
                if option.startswith("--"):
                    assert f"\\fB{option}\\fR" in section, f"{name} {option}"
        others = re.search(r"Shared options: (.*?)\.\n", section + "\n", re.DOTALL)
        for option in re.findall(r"\\fB(\S+?)\\fR", others[1]) if others else ():
            assert f"\\fB{option}\\fR" in shared, f"{name}: {option} is told of nowhere"
    for method in METHODS.values():
        for param in method.params:
            assert f"\\fB{param.option}\\fR" in told[method.name]


@pytest.mark.parametrize(
    "text", [".SH x", "'quoted'", "\\fBbold", "a - b --c", "é … “”", '`~^"', "a\\", "%s {}"]
)
def test_text_is_printed_as_it_is(text):
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc, which is not installed here")
    page = f".TH X 1\n.SH NAME\nx \\- y\n.SH TEXT\n{manual.escaped(text)}\n"
    done = subprocess.run(["mandoc", "-T", "utf8"], input=page, capture_output=True, text=True, check=False)
    plain = re.sub(r".\x08", "", done.stdout)
    body = plain.partition("TEXT\n")[2].strip().splitlines()[0].strip()
    assert body.replace("−", "-").replace("‐", "-") == text.strip()


def test_mandoc_finds_no_fault():
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc, which is not installed here")
    done = subprocess.run(["mandoc", "-T", "lint", str(PAGE)], capture_output=True, text=True, check=False)
    faults = [line for line in done.stdout.splitlines() if "missing date" not in line]  # before a release
    assert faults == []


def test_man_warns_of_nothing():
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("needs man and groff, which are not installed here")
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(PAGE)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat"},
        check=False,
    )
    if "This system has been minimized" in done.stdout:
        pytest.skip("man is switched off here")
    assert done.stderr == ""
    assert "REGIONALIZE(1)" in done.stdout
    assert "--with-centroids" in done.stdout


def test_its_examples_run(tmp_path):
    commands = [command.replace("|\n", "| \\\n") for shown in manual.SHOWN.values() for command in shown]
    page = "".join(f"```console\n$ {command}\n```\n" for command in commands)
    outcomes = list(examples.run_page(page, tmp_path))
    assert len(outcomes) == len(commands) >= 3
    for outcome in outcomes:
        assert not outcome.failed, outcome.actual
    assert 0 < float(outcomes[-1].actual) < 1
