"""What runs of a batch are called where there is little room: by what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from regionalize.cli.console import printable
from regionalize.cli.tables import NONE

if TYPE_CHECKING:
    from regionalize.run.batch.items import Item

LEAST_NAME = 12
"""Cells of a name, however narrow the terminal."""
LEAST_LABEL = 6
"""Cells of an input before what varies, however long that is."""
OF_INPUTS = ("layer", "where", "exclude")
"""Options that vary with inputs and parts, and are told by their names."""


def short_names(items: Sequence[Item], width: int, widest: int) -> list[str]:
    """Return names without what all share, in a width; where some are longer, inputs and what varies.

    These may be as wide as `widest`, or they could not be told apart.
    """
    shared = len(shared_part([item.name for item in items]))
    names = [item.name[shared:] for item in items]
    options = varied_cells(items, ("method", "k", "seed"))
    if not options or all(cells(name) <= width for name in names):
        return [elided(name, width) for name in names]
    found = []
    for at, label in enumerate(labels(items)):
        said = {name: values[at] for name, values in options.items() if values[at] != NONE}
        tail = "".join(f" {text}" if name == "method" else f" {name}={text}" for name, text in said.items())
        found.append(elided(f"{elided(label, max(widest - cells(tail), LEAST_LABEL))}{tail}", widest))
    return found


def labels(items: Sequence[Item]) -> list[str]:
    """Return of each run the part of its name that all runs on the same input share."""
    groups: dict[Any, list[str]] = {}
    for item in items:
        groups.setdefault(input_of(item), []).append(item.name)
    same = {key: shared_part(names).rstrip("-") if len(names) > 1 else "" for key, names in groups.items()}
    whole = [same[input_of(item)] or item.name for item in items]
    shared = len(shared_part(list(dict.fromkeys(whole))))
    return [label[shared:] for label in whole]


def input_of(item: Item) -> tuple[Any, ...]:
    """Return what an item reads."""
    return item.source, item.job.layer, item.job.where, item.part.value if item.part else None


def varied_cells(items: Sequence[Item], also: Iterable[str]) -> dict[str, list[str]]:
    """Return options that are not the same in all runs, and what else is named, as they are shown."""
    from regionalize.run.batch.summary import cell, varied_options, varying

    jobs = [item.job for item in items]
    found: dict[str, list[Any]] = {name: [cell(getattr(job, name)) for job in jobs] for name in also}
    options = [name for name in varied_options(jobs) if name not in OF_INPUTS]
    rows = varying(jobs, options)
    found |= {name: [row[name] for row in rows] for name in options}
    return {
        name.replace("_", "-"): [shown(value) for value in values]
        for name, values in found.items()
        if len(set(map(str, values))) > 1
    }


def shown(value: Any) -> str:
    """Return the value of an option in a few letters.

    Examples
    --------
    >>> shown(True), shown(0.5), shown(None)
    ('yes', '0.5', '–')
    """
    if value is None:
        return NONE
    return elided({True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value), LEAST_NAME)


def shared_part(names: Sequence[str]) -> str:
    """Return what all names begin with, up to a hyphen: it need not be told of each.

    Examples
    --------
    >>> shared_part(["towns-Acre", "towns-Amapá"]), shared_part(["towns"]), shared_part(["a-b", "a"])
    ('towns-', '', '')
    """
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)  # what these two share, those between do too
    same = next(
        (at for at, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first)
    )
    return first[: first.rfind("-", 0, same) + 1]


def cells(text: str) -> int:
    """Return the width of a text on a terminal."""
    from rich.cells import cell_len

    return cell_len(printable(text))


def fitted(name: str, width: int) -> str:
    """Return a name of just this width.

    Examples
    --------
    >>> fitted("Acre", 6), fitted("Rio Grande do Norte", 10)
    ('Acre  ', 'Rio G…orte')
    """
    shown = elided(name, width)
    return shown + " " * (width - cells(shown))


def elided(name: str, width: int) -> str:
    """Return a name of at most this width: long ones differ at their ends, so the middle is left out.

    Examples
    --------
    >>> elided("Acre", 6), elided("Acre-k4-compactness-0.3", 12)
    ('Acre', 'Acre-k…s-0.3')
    """
    from rich.cells import set_cell_size

    shown = printable(name)
    if cells(shown) <= width:
        return shown
    tail = shown[len(shown) - (width - 1) // 2 :]
    while cells(tail) > (width - 1) // 2:  # of wide letters fewer fit
        tail = tail[1:]
    return f"{set_cell_size(shown, width - 1 - cells(tail)).rstrip()}…{tail}"
