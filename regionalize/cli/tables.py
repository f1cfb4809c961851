"""Plain tables that fit the terminal, and numbers that are easy to read down a column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from regionalize.cli.console import printable
from regionalize.model.document import decimals_of, with_decimals

if TYPE_CHECKING:
    import rich.console
    from rich.console import JustifyMethod
    from rich.text import Text

GAP = 2
"""Blanks between columns."""
PATCH = "  "
"""Two cells, which are about as wide as high: their background is the colour of a cluster."""
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
    numbers = list(values)
    return with_decimals(numbers, decimals_of(numbers, digits), digits)


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


class Label(str):
    """What a cluster is called; where colours are shown, its colour on the map stands before it."""

    __slots__ = ("color",)
    color: str


def cluster_label(label: int, text: str | None = None) -> Label:
    """Return the label of a cluster, 0 for noise: its number, or what else it is called.

    Examples
    --------
    >>> cluster_label(1), cluster_label(2, "north").color == cluster_label(2).color
    ('1', True)
    """
    from regionalize.maps.colors import cluster_color

    made = Label(label if text is None else text)
    made.color = cluster_color(label)
    return made


def shows_colors(console: rich.console.Console) -> bool:
    """Tell whether colours get to a person: on a terminal that has any, and not refused."""
    return console.is_terminal and console.color_system is not None and not console.no_color


def patched(color: str, text: Text) -> Text:
    """Put a patch of colour before a text."""
    from rich.text import Text

    return Text.assemble((PATCH, f"on {color}"), " ", text)


def show_text(
    console: rich.console.Console, text: str, style: str = "", indent: int = 0, *, color: str | None = None
) -> None:
    """Print a paragraph wrapped to the terminal.

    `indent` hangs all lines but the first; where colours are shown, a patch of `color` stands before them.
    """
    from rich.text import Text

    rest = printable(text)
    lead = patched(color, Text()) if color and shows_colors(console) else Text()
    while rest:
        line = Text(rest).wrap(console, console.width - lead.cell_len, overflow="fold")[0].plain
        console.print(lead + line.rstrip(), style=style)
        rest = rest[len(line) :].lstrip()
        lead = Text(" " * indent)


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
    words (`numeric` False), which are folded where they are too long. Names that take more than a third of
    the terminal are folded, if the table is too wide otherwise.
    """
    lines = _with_colors(console, [header, *rows])
    names, figures = lines[0], list(zip(*lines[1:], strict=True)) or [()] * len(lines[0])
    widths = [max((cell.cell_len for cell in cells), default=0) for cells in figures]
    third = console.width // 3
    full = [max(width, name.cell_len) for width, name in zip(widths, names, strict=True)]
    if sum(full) + GAP * (len(full) - 1) > console.width:
        full = [max(width, min(name.cell_len, third)) for width, name in zip(widths, names, strict=True)]
        full[0] = min(full[0], third)
    start = 1
    while start < len(full):
        end, room = start + 1, console.width - full[0] - GAP - full[start]
        while end < len(full) and (not numeric or room >= full[end] + GAP):
            room -= full[end] + GAP
            end += 1
        console.print()
        show_text(console, title if start == 1 else f"{title}, continued", "bold")
        block = _block([[line[0], *line[start:end]] for line in lines], [full[0], *full[start:end]], numeric)
        with console.capture() as drawn:
            console.print(block)
        console.file.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())
        start = end


def _with_colors(console: rich.console.Console, lines: Iterable[Sequence[str]]) -> list[list[Text]]:
    """Put a patch of colour before labels of clusters, if colours are shown, and blanks before their like."""
    from rich.text import Text

    found = list(lines)
    made = [[Text(printable(cell)) for cell in line] for line in found]
    if not shows_colors(console):
        return made
    for column in range(len(found[0])):
        labels = [line[column] for line in found[1:]]
        colored = any(isinstance(label, Label) for label in labels)
        for at, line in enumerate(found):
            cell = line[column]
            if isinstance(cell, Label):
                made[at][column] = patched(cell.color, made[at][column])
            elif colored and at:
                made[at][column] = Text(" " * (len(PATCH) + 1)) + made[at][column]
    return made


def _block(lines: list[list[Text]], widths: list[int], numeric: bool) -> rich.console.RenderableType:
    from rich.table import Table

    made = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for position, name in enumerate(lines[0]):
        justify: JustifyMethod = "right" if numeric and position else "left"
        width = widths[position] if numeric else None
        made.add_column(name, justify=justify, overflow="fold", width=width)
    for line in lines[1:]:
        made.add_row(*line)
    return made
