"""What is said where next to nothing is typed."""

from __future__ import annotations

import pytest

from regionalize.cli.examples import EXAMPLES
from regionalize.cli.program import COMMANDS
from regionalize.model.catalog import OWN


def test_nothing_at_all_shows_the_help(cli):
    """On standard error, for there is no result; in lines, not in one."""
    bare, helped = cli(), cli("--help")
    assert (bare.code, bare.out) == (2, "")
    assert bare.err == helped.out
    assert len(bare.err.splitlines()) > 40


@pytest.mark.parametrize("given", [("-q",), ("--no-color", "-v")])
def test_options_without_a_command(given, cli):
    found = cli(*given)
    assert (found.code, found.out) == (2, "")
    assert found.err == "error: no command is named; see regionalize --help\n"


@pytest.mark.parametrize("name", [*OWN, *COMMANDS])
def test_a_command_alone_does_what_it_can_or_says_what_is_missing(name, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = cli("-q", name)
    if name in {"choose-k", "weights", "info", "optics", "sample"}:
        assert (found.code, found.err) == (0, "")
    else:
        reached = name == "hdbscan"  # it ran, and left all of the sample out
        assert (found.code, found.out) == (1 if reached else 2, "")
        assert len(found.err.splitlines()) == 1
        assert found.err.startswith("error: ")
        assert len(found.err) < 300


def test_every_command_has_an_example_of_itself():
    assert set(EXAMPLES) == {"regionalize", *OWN, *COMMANDS}
    for name, lines in EXAMPLES.items():
        start = "regionalize " if name == "regionalize" else f"regionalize {name} "
        assert any(line.startswith(start) for line in lines)


def test_the_help_of_another_packages_method_has_an_example(cli):
    from regionalize.cli.methods import method_command
    from regionalize.model.method import Method

    def shown(row):
        import click

        command = method_command(row)
        return command.get_help(click.Context(command, info_name=row.name))

    row = Method("near", "Group.", "near:near", (), "Doe (2020)")
    assert "Example:\n  regionalize near --k 6 -o near.gpkg\n" in shown(row)
    row = Method("near", "Group.", "near:near", (), "Doe (2020)", takes_k=False)
    assert "Example:\n  regionalize near -o near.gpkg\n" in shown(row)
