"""`Document`: what is written for people to read, before it is Markdown or a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10
from statistics import median
from typing import Any

NAMES = {
    "bss_tss_attributes": "BSS/TSS",
    "wss": "WSS",
    "pseudo_f": "pseudo-F",
    "join_count_ratio": "joins",
    **{name: name.upper() for name in ("ari", "ami", "nmi", "nid")},
}
"""What figures are called where people read them, by their names in JSON and CSV."""


@dataclass(frozen=True)
class Spread:
    """A cell that holds a mean and a standard deviation; None where there is none."""

    mean: float | None
    sd: float | None


@dataclass(frozen=True)
class ClusterName:
    """A cell that names a cluster, by its number and by what a person calls it."""

    label: int
    text: str


@dataclass(frozen=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A paragraph; a `strong` one says what matters most."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Figures:
    """The few numbers to see first, each with its name."""

    figures: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Facts:
    """Names and their values, in two columns."""

    rows: tuple[tuple[str, Any], ...]
    header: tuple[str, str] = ("measure", "value")


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first cell of a row is its head.

    Attributes
    ----------
    header : tuple
        Names of the columns, text or `ClusterName`.
    rows : tuple of tuple
        Cells: None, bool, int, float, text, `Spread`, `ClusterName`, or a sequence of these.
    caption : str
        What the numbers are.
    bars : tuple of (str, float or None)
        Columns whose numbers may be drawn as bars as well, and what a whole bar is: the largest, for None.
    by_row : bool
        Whether the numbers of a row are of one kind, not those of a column.
    """

    header: tuple[Any, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: str = ""
    bars: tuple[tuple[str, float | None], ...] = ()
    by_row: bool = False

    def is_numeric(self, place: int) -> bool:
        """Tell whether a column holds numbers alone, so that it is best read aligned to the right."""
        cells = [row[place] for row in self.rows if row[place] is not None]
        return bool(cells) and all(
            isinstance(cell, int | float | Spread) and not isinstance(cell, bool) for cell in cells
        )


@dataclass(frozen=True)
class Heat:
    """A table of numbers about 0 that may be coloured by them: its first column and its header are names."""

    header: tuple[Any, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: str


@dataclass(frozen=True)
class Picture:
    """A picture in memory: its bytes, of what kind they are, and what a reader who cannot see it is told."""

    data: bytes
    media_type: str
    alt: str


@dataclass(frozen=True)
class Curve:
    """Numbers over another, one line or several with axes of their own, beside the table that has them.

    Attributes
    ----------
    across : str
        What is told on the axis below.
    lines : tuple of (str, tuple of (float, float))
        What each line shows, and its points, rising across.
    chosen : float or None
        A place on the axis to be marked.
    """

    across: str
    lines: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    chosen: float | None = None


@dataclass(frozen=True)
class Shell:
    """A line to copy into a shell."""

    text: str


@dataclass(frozen=True)
class Notes:
    """Remarks, one by one."""

    texts: tuple[str, ...]


Block = Heading | Sentence | Figures | Facts | Table | Heat | Picture | Curve | Shell | Notes


@dataclass(frozen=True)
class Document:
    """A title, and what stands below it in order."""

    title: str
    blocks: tuple[Block, ...]


def table_of(rows: Sequence[dict[str, Any]], caption: str = "") -> Table:
    """Make a table of rows that all have the same keys; its header has the words that people use.

    Examples
    --------
    >>> table_of([{"k": 2, "bss_tss_attributes": 0.5, "below_half": 3}]).header
    ('k', 'BSS/TSS', 'below half')
    """
    header = tuple(NAMES.get(name, name.replace("_", " ")) for name in (rows[0] if rows else ()))
    return Table(header, tuple(tuple(row.values()) for row in rows), caption)


def alike(values: Iterable[float | None], digits: int = 4) -> list[str]:
    """Write numbers of one kind with the same decimals, so many that the middle one shows `digits` digits.

    Decimals that none of them needs are left out.

    Examples
    --------
    >>> alike([9.873, 31.73, 0.05]), alike([3, 12, None]), alike([498861.0, 7484.25])
    (['9.873', '31.730', '0.050'], ['3', '12', '–'], ['498861', '7484'])
    >>> alike([0.01, 0.5, 1.0])
    ['0.01', '0.50', '1.00']
    """
    numbers = list(values)
    decimals = decimals_of(numbers, digits)
    known = [value for value in numbers if value and isfinite(value)]
    while decimals and all(f"{value:.{decimals}f}".endswith("0") for value in known):
        decimals -= 1
    return with_decimals(numbers, decimals, digits)


def decimals_of(values: Iterable[float | None], digits: int) -> int:
    """Return how many decimals the number in the middle needs to show `digits` digits; none if all are whole.

    Examples
    --------
    >>> decimals_of([9.873, 31.73, 0.05], 4), decimals_of([3, 12, None], 4)
    (3, 0)
    """
    known = [float(value) for value in values if value is not None and isfinite(value)]
    if all(value.is_integer() for value in known):
        return 0
    return max(0, digits - 1 - floor(log10(median(abs(value) for value in known if value))))


def with_decimals(values: Iterable[float | None], decimals: int, digits: int) -> list[str]:
    """Write numbers with so many decimals, or those in `digits` digits that would be long or nothing so.

    Examples
    --------
    >>> with_decimals([0.05, 12.0, None], 3, 4), with_decimals([1e-9, 2.5e15], 1, 4)
    (['0.050', '12.000', '–'], ['1e-09', '2.5e+15'])
    """
    given = [None if value is None or not isfinite(value) else float(value) for value in values]
    long = decimals > digits + 3 or max((abs(value) for value in given if value), default=0.0) >= 1e12

    def written(value: float | None) -> str:
        if value is None:
            return "–"
        text = f"{value:.{decimals}f}"
        lost = value != 0 and float(text) == 0
        return f"{value:.{digits}g}" if long or lost else text

    return [written(value) for value in given]


def number_text(value: float, digits: int = 6) -> str:
    """Write a number in `digits` digits, without a power of ten where it is a large one.

    Examples
    --------
    >>> number_text(0.123456789), number_text(1234567.8), number_text(12.0), number_text(1e-9)
    ('0.123457', '1234568', '12', '1e-09')
    """
    if 10**digits <= abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def text_of(value: Any, digits: int = 6) -> str:
    """Write a cell in words and digits, on one line.

    Examples
    --------
    >>> text_of(None), text_of(True), text_of((1, 2.5)), text_of(Spread(3.14159, 1.2345), 5)
    ('–', 'yes', '1, 2.5', '3.1416 ± 1.23')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_text(value, digits)
    if isinstance(value, Spread):
        return f"{text_of(value.mean, digits)} ± {text_of(value.sd, max(digits - 2, 3))}"
    if isinstance(value, ClusterName):
        return value.text
    if isinstance(value, dict):
        return ", ".join(f"{name}={text_of(item, digits)}" for name, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(text_of(item, digits) for item in value)
    return str(value)
