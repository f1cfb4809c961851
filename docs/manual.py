"""Write the man page, ``docs/regionalize.1``, from the commands: ``python docs/manual.py``.

``--check`` writes nothing, and fails where the page is out of date.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from regionalize import __version__
from regionalize.cli.examples import EXAMPLES, examples_of
from regionalize.cli.program import COMMANDS, program
from regionalize.model.catalog import OWN

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "regionalize.1"
SEVERAL = 3
"""Commands that have the same option before it is told of once, for all of them."""

ABOUT = (
    "regionalize groups the rows of a vector layer (counties, census tracts, points) into clusters or "
    "contiguous regions, says how well they fit and how they lie, and writes the layer with labels added.",
    "INPUT is any vector layer that GDAL reads, or GeoParquet; - is GeoJSON on standard input. Left out, the "
    "bundled sample is used. The input is never changed, and nothing is overwritten without --overwrite.",
    "Standard output carries the result: a report, one JSON document with --json, or GeoJSON with -o -. "
    "Notes, progress and errors go to standard error. An error is one line, "
    "FILE[:layer][:column][:row]: reason; what to do.",
)
STATUS = {
    "0": "The whole result is there.",
    "1": "The data, a file or what was asked of them stands in the way, in a batch of some runs; or the "
    "reader of a pipe has gone.",
    "2": "An option or argument cannot be meant.",
    "3": "validate --require found faults.",
    "129, 130, 143": "The terminal has gone, interrupted, terminated. With any but 0, every file is the old "
    "one or the whole new one; those of the runs of a batch that are done stay.",
}
ENVIRONMENT = {
    "NO_COLOR": "If set, no colours.",
    "COLUMNS": "Width of tables that do not go to a terminal; 80 if not set.",
    "TERM": "dumb takes colours and progress off a terminal.",
    "NUMBA_CACHE_DIR": "Where compiled code is kept, in place of the package's folder or the user's cache.",
    "NUMBA_DISABLE_JIT": "If 1, nothing is compiled: the same answers, more slowly.",
}
FILES = {
    ".gpkg .shp .geojson .fgb .gdb .kml .parquet .csv": "Layers, told by their ending; read in a .zip, too.",
    ".gal .gwt .parquet": "Weights.",
    ".toml": "Settings, for --config and from --save-config. No file of settings is read unasked.",
}
SHOWN = {
    "Clusters of the bundled sample; a copy of it, and a labelled one with a map:": EXAMPLES["regionalize"],
    "A pipe, and one number out of a report:": (
        "regionalize -q kmeans georgia.gpkg --k 4 --columns 'pct_*' -o - |\n"
        "    regionalize -q validate - --columns 'pct_*' --json |\n"
        "    python3 -c 'import json, sys; print(json.load(sys.stdin)[\"bss_tss_all\"])'",
    ),
}
"""Examples of the last section, by what they show."""


def manual() -> str:
    """Return the man page."""
    context = click.Context(program, info_name="regionalize")
    commands = {name: program.get_command(context, name) for name in (*OWN, *COMMANDS)}
    shared = shared_options({name: command for name, command in commands.items() if command is not None})
    parts = [f'.TH REGIONALIZE 1 "{released()}" "regionalize {__version__}" "User commands"']
    parts += [".nh", ".ad l", ".SH NAME", f"regionalize {escaped('-')} group places into regions"]
    parts += [".SH SYNOPSIS", *synopsis("regionalize", "[OPTION ...] COMMAND [INPUT] [OPTION ...]")]
    parts += [".SH DESCRIPTION", *paragraphs(ABOUT)]
    parts += [".SH OPTIONS", "These go before the command.", *entries(listed_options(program, context))]
    for title, names in (("METHODS", list(OWN)), ("COMMANDS", list(COMMANDS))):
        parts.append(f".SH {title}")
        for name in names:
            command = commands[name]
            assert command is not None
            parts += command_section(name, command, context, shared)
    parts += [".SH SHARED OPTIONS", "Each command tells which of these it has."]
    parts += entries(shared)
    for title, rows in (("EXIT STATUS", STATUS), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        parts += [f".SH {title}", *(line for name, text in rows.items() for line in entry(bold(name), text))]
    parts.append(".SH EXAMPLES")
    for text, lines in SHOWN.items():
        parts += [".PP", escaped(text), *as_it_is(lines)]
    parts += [".SH SEE ALSO", f"{bold('ogr2ogr')}(1), {bold('regionalize COMMAND --help')}"]
    return re.sub(r"^(\.S[HS] .*\n)\.PP\n", r"\1", "\n".join(parts) + "\n", flags=re.MULTILINE)


def released() -> str:
    """Return the date of the newest release in the changelog; empty before the first."""
    text = (DOCS.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(r"^## \[\d[^\]]*\].*?(\d{4}-\d\d-\d\d)", text, re.MULTILINE)
    return found[1] if found else ""


Options = dict[str, tuple[str, str]]
"""Options by their longest name: how they are typed, and what they do."""


def listed_options(command: click.Command, context: click.Context) -> Options:
    """Return the options of a command, as its help has them."""
    found: Options = {}
    of_command = click.Context(command, info_name=command.name, parent=context)
    for param in command.get_params(of_command):
        record = param.get_help_record(of_command)
        if isinstance(param, click.Option) and record is not None and "--help" not in param.opts:
            found[max(param.opts, key=len)] = record
    return found


def shared_options(commands: dict[str, click.Command]) -> Options:
    """Return the options that several commands have, with the same words."""
    context = click.Context(program, info_name="regionalize")
    counts: Counter[tuple[str, tuple[str, str]]] = Counter()
    for command in commands.values():
        counts.update(listed_options(command, context).items())
    found: Options = {}
    for (name, record), count in counts.most_common():
        if count >= SEVERAL and name not in found:
            found[name] = record
    return dict(sorted(found.items()))


def command_section(name: str, command: click.Command, context: click.Context, shared: Options) -> list[str]:
    """Write what a command does, its own options, and the names of those it shares with others."""
    of_command = click.Context(command, info_name=name, parent=context)
    usage = " ".join(command.collect_usage_pieces(of_command))
    lines = [f".SS {escaped(name)}", *synopsis(f"regionalize {name}", usage)]
    lines += paragraphs(inspect.cleandoc(command.help or "").split("\n\n"))
    lines += as_it_is(examples_of(command))
    options = listed_options(command, context)
    own = {option: record for option, record in options.items() if shared.get(option) != record}
    lines += entries(own)
    others = [bold(option) for option in options if option not in own]
    return [*lines, ".PP", *filled(f"Shared options: {', '.join(others)}.")] if others else lines


def synopsis(name: str, usage: str) -> list[str]:
    """Write how a command is called."""
    return [".PP", f"{bold(name)} {escaped(usage)}"]


def paragraphs(texts: tuple[str, ...] | list[str]) -> Iterator[str]:
    """Write paragraphs; one that click is told to leave as it is keeps its lines."""
    for text in texts:
        yield ".PP"
        if text.lstrip().startswith("\b"):
            yield ".nf"
            yield from (escaped(line) for line in text.lstrip().lstrip("\b\n").splitlines())
            yield ".fi"
        else:
            yield from filled(escaped(text))


def as_it_is(examples: tuple[str, ...]) -> list[str]:
    """Write command lines, set in."""
    lines = "\n".join(examples).splitlines()
    return [".PP", ".RS 4", ".nf", *map(escaped, lines), ".fi", ".RE"]


def entries(options: Options) -> list[str]:
    """Write options."""
    return [line for typed, text in options.values() for line in entry(option_words(typed), text)]


def entry(head: str, text: str) -> list[str]:
    """Write a term and what it stands for."""
    return [".TP", head, *filled(escaped(text))]


def filled(text: str) -> list[str]:
    """Break what is written at blanks; no line may begin as a request does."""
    lines = textwrap.wrap(text, 79, break_long_words=False, break_on_hyphens=False)
    return [f"\\&{line}" if line.startswith(".") else line for line in lines]


def option_words(typed: str) -> str:
    """Set names of options bold and what stands for a value in italics: ``-o, --output PATH``."""
    words = []
    for word in typed.split(", "):
        name, blank, value = word.partition(" ")
        words.append(bold(name) + (f" {italic(value)}" if blank else ""))
    return ", ".join(words)


def bold(text: str) -> str:
    """Set text bold."""
    return f"\\fB{escaped(text)}\\fR"


def italic(text: str) -> str:
    """Set text in italics."""
    return f"\\fI{escaped(text)}\\fR"


MARKS = {"\\": "\\(rs", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}


def escaped(text: str) -> str:
    r"""Write text so that roff prints it as it is, whatever it begins with and whatever letters it has.

    Examples
    --------
    >>> escaped(r".gal, a\b, it's, --k, é")
    '\\&.gal, a\\(rsb, it\\(aqs, \\-\\-k, \\[u00E9]'
    """
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    marked = "".join(
        MARKS.get(letter, letter if letter.isascii() else f"\\[u{ord(letter):04X}]") for letter in plain
    )
    return f"\\&{marked}" if marked.startswith(".") else marked


def main() -> None:
    """Write the page, or see whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where the page is out of date"
    )
    if parser.parse_args().check:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == manual()
        sys.exit(None if current else f"{PAGE.name} is out of date, run docs/manual.py")
    PAGE.write_text(manual(), encoding="utf-8")


if __name__ == "__main__":
    main()
