"""Plain tables that fit the terminal, and numbers that are easy to read down a column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, isfinite, log10
from statistics import median
from typing import TYPE_CHECKING

from regionalize.cli.console import printable

if TYPE_CHECKING:
    import rich.console
    from rich.console import JustifyMethod

GAP = 2
"""Blanks between columns."""
NONE = "–"


def number(value: float | None, digits: int = 4) -> str:
    """Write one number in few characters, without powers of ten where they can be avoided.

    Examples
    --------
    >>> number(19904.26), number(0.123456), number(12.0), number(None)
    ('19904', '0.1235', '12', '–')
    """
    return column([value], digits)[0]


def column(values: Iterable[float | None], digits: int = 4) -> list[str]:
    """Write numbers with the same decimals, so many that the one in the middle shows `digits` digits.

    Examples
    --------
    >>> column([9.873, 31.73, 0.05])
    ['9.873', '31.730', '0.050']
    >>> column([3, 12, None]), column([498861.0, 7484.25])
    (['3', '12', '–'], ['498861', '7484'])
    >>> column([1e-9, 2.5e15])
    ['1e-09', '2.5e+15']
    """
    given = [None if value is None or not isfinite(value) else float(value) for value in values]
    sizes = [abs(value) for value in given if value]
    decimals = 0
    if any(not value.is_integer() for value in given if value is not None):
        decimals = max(0, digits - 1 - floor(log10(median(sizes))))
    plain = decimals <= digits + 3 and max(sizes, default=0.0) < 1e12

    def written(value: float | None) -> str:
        if value is None:
            return NONE
        text = f"{value:.{decimals}f}"
        lost = value != 0 and float(text) == 0
        return text if plain and not lost else f"{value:.{digits}g}"

    return [written(value) for value in given]


def decimals(values: Iterable[float | None], digits: int) -> list[str]:
    """Write numbers with so many decimals.

    Examples
    --------
    >>> decimals([0.25, None], 3)
    ['0.250', '–']
    """
    return [NONE if value is None else f"{value:.{digits}f}" for value in values]


def answers(values: Iterable[bool | None]) -> list[str]:
    """Write truth values.

    Examples
    --------
    >>> answers([True, False, None])
    ['yes', 'no', '–']
    """
    return [NONE if value is None else "yes" if value else "no" for value in values]


def units_text(rows: int, used: int) -> str:
    """Write how many units there are, and how many of them were used.

    Examples
    --------
    >>> units_text(159, 159), units_text(159, 150)
    ('159 units', '150 of 159 units')
    """
    return f"{rows} units" if used == rows else f"{used} of {rows} units"


def show_text(console: rich.console.Console, text: str, style: str = "", indent: int = 0) -> None:
    """Print a paragraph wrapped to the terminal; `indent` hangs all lines but the first."""
    from rich.text import Text

    rest = printable(text)
    lead = ""
    while rest:
        line = Text(rest).wrap(console, console.width - len(lead), overflow="fold")[0].plain
        console.print(lead + line.rstrip(), style=style)
        rest = rest[len(line) :].lstrip()
        lead = " " * indent


def show_table(
    console: rich.console.Console,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: bool = True,
) -> None:
    """Print a table under a title; what is too wide for the terminal continues in further blocks of columns.

    The first column is aligned left and repeated in every block; the others are aligned right, or left for
    words (`numeric` False), which are folded where they are too long.
    """
    from rich.cells import cell_len

    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(cell_len(cell) for cell in cells) for cells in zip(*lines, strict=True)]
    start = 1
    while start < len(widths):
        end, room = start + 1, console.width - widths[0] - GAP - widths[start]
        while end < len(widths) and (not numeric or room >= widths[end] + GAP):
            room -= widths[end] + GAP
            end += 1
        console.print()
        show_text(console, title if start == 1 else f"{title}, continued", "bold")
        with console.capture() as drawn:
            console.print(_block([[line[0], *line[start:end]] for line in lines], numeric))
        console.file.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())
        start = end


def _block(lines: list[list[str]], numeric: bool) -> rich.console.RenderableType:
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for position, name in enumerate(lines[0]):
        justify: JustifyMethod = "right" if numeric and position else "left"
        made.add_column(Text(name), justify=justify, overflow="fold")
    for line in lines[1:]:
        made.add_row(*map(Text, line))
    return made
