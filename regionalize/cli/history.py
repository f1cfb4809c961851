"""How the columns of a layer were made, as text for the terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from regionalize.cli.console import printable
from regionalize.cli.tables import number, show_text
from regionalize.errors import listed
from regionalize.run.settings import setting_text

if TYPE_CHECKING:
    import rich.console

    from regionalize.model.record import History, RunRecord

INDENT = "  "
HIDDEN = ("method", "k", "levels")
"""Settings that the first line tells."""
MEASURES = {"bss_tss_all": "BSS/TSS", "bss_tss_attributes": "attributes alone", "subclusters": "pieces"}
"""Words for the figures of a record."""


def show_history(console: rich.console.Console, history: History) -> None:
    """Print every run that made columns, the latest last; its command can be copied."""
    if not history:
        return
    console.print()
    show_text(console, "Made by", "bold")
    for record in history:
        k = "" if record.k is None else f", k = {record.k}"
        noun = "column" if len(record.columns) == 1 else "columns"
        show_text(console, f"{record.made_by}{k}: {noun} {listed(record.columns)}", indent=4)
        for line in filter(None, described(record)):
            show_text(console, f"{INDENT}{line}", indent=4)
        for line in shell_lines(record.command, console.width - len(INDENT)):
            console.print(f"{INDENT}{printable(line)}", soft_wrap=True)  # folded, a word could not be copied


def described(record: RunRecord) -> Iterator[str]:
    """Say in lines what was read, what was told and what came out."""
    read = record.input
    rows = f"{read['rows']} rows" if "rows" in read else ""
    layer = f"layer {read['layer']}" if "layer" in read and read["layer"] != read.get("file") else ""
    yield ", ".join(filter(None, (f"from {read['file']}" if "file" in read else "", layer, rows)))
    yield ", ".join(
        recorded_setting(name, value) for name, value in record.settings.items() if name not in HIDDEN
    )
    measures = {name: value for name, value in record.measures.items() if value is not None}
    if measures.get("bss_tss_all") == measures.get("bss_tss_attributes"):
        measures.pop("bss_tss_attributes", None)
    yield ", ".join(measure_text(name, value) for name, value in measures.items())
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    yield f"with {versions}" if versions else ""


def recorded_setting(name: str, value: Any) -> str:
    """Write a setting as it is typed, and as JSON where no option is typed so.

    Examples
    --------
    >>> recorded_setting("columns", ["a", "b"]), recorded_setting("runs", {"a": {"k": 3}})
    ('columns a,b', 'runs {"a": {"k": 3}}')
    """
    numbers = isinstance(value, dict) and all(isinstance(item, int | float) for item in value.values())
    if isinstance(value, str | list | tuple) or numbers or value is True:
        return setting_text(name, value)
    return f"{name.replace('_', '-')} {json.dumps(value)}"


def measure_text(name: str, value: Any) -> str:
    """Write a figure with what it is.

    Examples
    --------
    >>> measure_text("bss_tss_all", 0.49512), measure_text("contiguous", False)
    ('BSS/TSS 0.4951', 'not contiguous')
    """
    if isinstance(value, bool):
        return name if value else f"not {name}"
    text = number(value) if isinstance(value, int | float) else str(value)
    return f"{MEASURES.get(name, name.replace('_', ' '))} {text}"


def shell_lines(command: str, width: int) -> list[str]:
    r"""Break a command line between words, where a shell goes on reading; a long word stays whole.

    Examples
    --------
    >>> shell_lines("regionalize kmeans 'my towns.gpkg' --k 4", 32)
    ['regionalize kmeans \\', "  'my towns.gpkg' --k 4"]
    """
    try:
        words = [shlex.quote(word) for word in shlex.split(command)]
    except ValueError:  # not what we have written
        words = [command]
    pieces: list[str] = []  # an option and its value stay together
    for word in words:
        alone = not pieces or word.startswith("-") or not pieces[-1].startswith("-") or " " in pieces[-1]
        pieces = [*pieces, word] if alone else [*pieces[:-1], f"{pieces[-1]} {word}"]
    lines = pieces[:1]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) <= width - len(" \\"):
            lines[-1] += f" {piece}"
        else:
            lines.append(f"{INDENT}{piece}")
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]
