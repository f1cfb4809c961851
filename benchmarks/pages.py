"""Tables that a measurement writes into a page of docs/, between two comments."""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.timing import REPOSITORY

DOCS = REPOSITORY / "docs"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def markers(title: str, script: str) -> tuple[str, str]:
    """Return the comments before and after a part of a page."""
    return f"<!-- {title}: written by python -m benchmarks.{script} --write -->", f"<!-- {title}: end -->"


def part(page: str, title: str, script: str) -> str:
    """Return what a page has between the comments of this title."""
    start, end = markers(title, script)
    text = (DOCS / page).read_text(encoding="utf-8")
    if start not in text or end not in text:
        raise SystemExit(f"docs/{page} has no place for {title}: put it between {start} and {end}")
    return text.partition(start)[2].partition(end)[0].strip()


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of a table in Markdown, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def publish(page: str, script: str, parts: dict[str, str], *, write: bool) -> None:
    """Print the parts by title; with `write`, put them into the page as well."""
    for title, text in parts.items():
        print(f"== {title}\n{text}\n", flush=True)
        if write:
            part(page, title, script)  # there is a place
            start, end = markers(title, script)
            before, _, rest = (DOCS / page).read_text(encoding="utf-8").partition(start)
            whole = f"{before}{start}\n\n{text}\n\n{end}{rest.partition(end)[2]}"
            (DOCS / page).write_text(whole, encoding="utf-8")


def machine(*packages: str) -> str:
    """Say in a sentence when and on what it was measured, and with which versions."""
    import regionalize

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    with contextlib.suppress(OSError):
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    name = names[0].partition(":")[2].strip() if names else platform.machine()
    versions = []
    for package in ("numpy", *packages):
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    return (
        f"Measured on {date.today().isoformat()}: {platform.system()}, {os.cpu_count()} processors ({name}) "
        f"that others were using, {memory:.0f} GiB of memory; Python {platform.python_version()}, "
        f"regionalize {regionalize.__version__}, {', '.join(versions)}."
    )


class Ran(NamedTuple):
    """A command that ran: its seconds, and the JSON document it printed."""

    seconds: float
    document: dict[str, Any]


def run_command(*words: object) -> Ran:
    """Run one command of the program in this process, and read the JSON that it prints."""
    from regionalize.cli.program import run_program

    said = io.StringIO()
    start = time.perf_counter()
    with contextlib.redirect_stdout(said):
        code = run_program(["-q", *map(str, words), "--json"])
    if code:
        raise SystemExit(f"regionalize {' '.join(map(str, words))}: exit code {code}")
    return Ran(time.perf_counter() - start, json.loads(said.getvalue()))
