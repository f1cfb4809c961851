"""Run the examples of a Markdown page, so that what it shows is what happens.

Blocks marked ``console`` are run line by line in a shell (what follows ``$``) and compared with the output
shown, if any: ``...`` stands for anything, as in doctest, and a shown ``error:``, ``fault:`` or ``Traceback``
means that the command fails. A command may go on where its line ends in a backslash, and holds a file from
``<<'END'`` to ``END``. Blocks marked ``python`` are run as doctest, or as they are when they hold no
``>>>``. Those marked ``make`` are the Makefile of the folder. The blocks of a page share one folder and one
Python namespace. Other blocks are not run.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warm import warm_program

REPOSITORY = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RULES = re.compile(r"^```make\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VERSIONS = re.compile(r"^regionalize \d+\.\d+\..*\n", re.MULTILINE)
COMMAND = re.compile(
    r"^\$ ((?:.*\\\n)*.*<<'END'\n(?:.*\n)*?END|(?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE
)

LONGEST = 300.0
"""Seconds that a command may take: some draw maps, and a busy machine is several times slower."""


@dataclass(frozen=True)
class Example:
    """A command of a page, or a block of Python (without a place to put output)."""

    text: str
    expected: str
    place: tuple[int, int] | None


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    example: Example
    actual: str
    failed: bool

    @property
    def fault(self) -> str:
        """Return what is wrong, or the empty string."""
        wanted = self.example.expected
        should_fail = re.search(r"^(error:|fault:|Traceback )", wanted, re.MULTILINE) is not None
        if self.failed != should_fail:
            return f"{self.example.text}\n{'should have failed' if should_fail else 'failed'}:\n{self.actual}"
        if wanted and not same_output(wanted, self.actual):
            return f"{self.example.text}\nshows:\n{wanted}\nbut printed:\n{self.actual}"
        return ""


def find_examples(page: str) -> list[Example]:
    """Return the examples of a page in order."""
    found = []
    for block in BLOCK.finditer(page):
        kind, content = block.groups()
        if kind == "python":
            found.append(Example(content, "", None))
            continue
        for command in COMMAND.finditer(content):
            start, end = (block.start(2) + at for at in command.span(2))
            found.append(Example(command[1], trimmed(command[2]), (start, end)))
    return found


def run_page(page: str, folder: Path) -> Iterator[Outcome]:
    """Run the examples of a page in a folder."""
    found = find_examples(page)
    if not found:
        return
    names: dict[str, Any] = {"__name__": "example"}
    programs = folder / ".bin"
    programs.mkdir()
    environment = shell_environment(programs)
    if rules := RULES.findall(page):
        (folder / "Makefile").write_text("\n".join(rules), encoding="utf-8")
    warm_program(programs, environment)
    for example in found:
        if example.place is not None:
            yield run_command(example, folder, environment)
        else:
            with contextlib.chdir(folder):
                yield run_python(example, names)


def shell_environment(programs: Path) -> dict[str, str]:
    """Make `regionalize` the one in a folder, this checkout's, and output as in a terminal of 80 columns."""
    outer = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}  # of a make that runs the tests: an example's is the first
    return {
        **{name: value for name, value in os.environ.items() if name not in outer},
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",  # both streams in the order in which they were written
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",  # other programs' words and order, wherever this runs
        "COLUMNS": "80",
    }


def run_command(example: Example, folder: Path, environment: dict[str, str]) -> Outcome:
    """Run one command in a shell; one that does not come to an end fails."""
    with subprocess.Popen(
        ["/bin/sh", "-c", example.text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,  # so that what the shell started can be ended with it
    ) as shell:
        try:
            said, _ = shell.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            said, _ = shell.communicate()
            return Outcome(example, f"{said}\nnot done after {LONGEST:g} s", True)
        except BaseException:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    return Outcome(example, trimmed(said), shell.returncode != 0)


def run_python(example: Example, names: dict[str, Any]) -> Outcome:
    """Run one block of Python."""
    said: list[str] = []
    if ">>>" in example.text:
        test = doctest.DocTestParser().get_doctest(example.text, names, "example", None, None)
        test.globs = names  # shared by the blocks of a page
        failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
            test, out=said.append, clear_globs=False
        )
        return Outcome(example, "".join(said), failed.failed > 0)
    try:
        exec(compile(example.text, "example", "exec"), names)
    except Exception as error:  # whatever an example raises is its fault
        return Outcome(example, repr(error), True)
    return Outcome(example, "", False)


def trimmed(text: str) -> str:
    """Drop blanks at line ends and empty lines at both ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def same_output(expected: str, actual: str) -> bool:
    """Compare as doctest does, ``...`` for anything; numbers of versions do not count."""
    wanted, got = (VERSIONS.sub("(versions)\n", f"{text}\n") for text in (expected, actual))
    return doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS)


def refreshed(page: str, folder: Path) -> str:
    """Return the page with outputs as they are now, where they were shown and differ."""
    changes = []
    for outcome in run_page(page, folder):
        example = outcome.example
        if example.place is None:
            if outcome.failed:
                raise SystemExit(f"{example.text}\nfailed:\n{outcome.actual}")
        elif example.expected and not same_output(example.expected, outcome.actual):
            if "..." in example.expected:
                raise SystemExit(f"to be cut anew by hand:\n{outcome.fault}")
            changes.append((example.place, outcome.actual))
    for (start, end), actual in reversed(changes):
        page = f"{page[:start]}{actual}\n{page[end:]}"
    return page
