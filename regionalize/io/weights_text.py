"""The text of weights files: `.gal` and `.gwt`, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from regionalize.errors import DataError
from regionalize.model.kinds import is_digits

MEND = "correct the line, or write the file again"


@dataclass
class Entries:
    """What a weights file says, in its own ids.

    Attributes
    ----------
    declared : int or None
        Number of units in the header.
    focal, neighbor, values, lines : list
        Links, and the line each stands on.
    heads, head_lines : list
        Units that have an entry of their own, with or without links.
    """

    declared: int | None
    focal: list[str] = field(default_factory=list)
    neighbor: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    head_lines: list[int] = field(default_factory=list)


def first_line(path: Path) -> list[str]:
    """Return the tokens of the header."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return tokens_of(file.readline())
    except OSError as error:
        raise unreadable(error) from None


def text_of(path: Path) -> str:
    """Return a file's text, whether UTF-8 or, as older programs write, Latin-1."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(error) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


TOKEN = re.compile(r'"([^"]*)"|(\S+)')


def tokens_of(line: str) -> list[str]:
    """Split at blanks, but not within quotes.

    Examples
    --------
    >>> tokens_of('"Los Angeles" 2')
    ['Los Angeles', '2']
    """
    if '"' not in line:
        return line.split()
    return [quoted or plain for quoted, plain in TOKEN.findall(line)]


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers from 1 and tokens of the lines that are not blank."""
    for number, line in enumerate(lines, start=1):
        tokens = tokens_of(line)
        if tokens:
            yield number, tokens


def header_count(lines: Iterator[tuple[int, list[str]]]) -> int:
    """Take the first line, and return the number of units that it declares: ``n`` or ``0 n layer id``."""
    number, tokens = next(lines, (1, []))
    if not tokens:
        raise DataError("the file is empty", advice="write it again")
    text = tokens[0] if len(tokens) == 1 else tokens[1]
    if len(tokens) not in {1, 2, 3, 4} or not is_digits(text):
        raise DataError(
            f"the header '{' '.join(tokens)[:60]}' is neither 'n' nor '0 n layer id_variable'",
            advice="is this a weights file?",
            row=number,
        )
    return int(text)


def gal_units(lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[str, int, list[str], int]]:
    """Read lines in twos: a unit with its number of neighbours, then the neighbours.

    Yields
    ------
    str, int, list of str, int
        A unit and its line; its neighbours and their line (that of the unit where there are none).
    """
    for number, tokens in lines:
        if len(tokens) != 2:
            raise DataError(
                f"a unit and its number of neighbours should stand here, not '{' '.join(tokens)[:60]}'",
                advice='ids with blanks need quotes ("Los Angeles" 2)',
                row=number,
            )
        name, count = tokens
        if not is_digits(count.removeprefix("-")):
            raise DataError(
                f"'{count}' is not a number of neighbours (unit '{name}')", advice=MEND, row=number
            )
        wanted = int(count)
        if wanted < 0:
            raise DataError(f"unit '{name}' has {wanted} neighbours, less than none", advice=MEND, row=number)
        if wanted == 0:
            yield name, number, [], number
            continue
        line, around = next(lines, (number, []))
        if not around:
            raise truncated(f"the file ends before the neighbours of unit '{name}'", number)
        if len(around) != wanted:
            raise DataError(
                f"unit '{name}' should have {wanted} neighbours and {len(around)} are listed",
                advice=MEND,
                row=line,
            )
        yield name, number, around, line


def parse_gal(path: Path) -> Entries:
    """Read a whole `.gal` file."""
    lines = numbered(text_of(path).splitlines())
    found = Entries(header_count(lines))
    last = 1
    for name, number, around, line in gal_units(lines):
        found.heads.append(name)
        found.head_lines.append(number)
        found.focal += [name] * len(around)
        found.neighbor += around
        found.values += [1.0] * len(around)
        found.lines += [line] * len(around)
        last = line
    if found.declared is not None and len(found.heads) < found.declared:
        raise truncated(f"the file declares {found.declared} units and holds {len(found.heads)}", last)
    return found


def gwt_links(lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[str, str, float, int]]:
    """Read one link a line: yield unit, neighbour, value and line."""
    for number, tokens in lines:
        if len(tokens) != 3:
            if len(tokens) < 3 and next(lines, None) is None:
                raise truncated(f"the file ends within a link, '{' '.join(tokens)[:60]}'", number)
            raise DataError(
                f"a unit, its neighbour and a weight should stand here, not '{' '.join(tokens)[:60]}'",
                advice='ids with blanks need quotes ("Los Angeles" "San Diego" 1.5)',
                row=number,
            )
        yield tokens[0], tokens[1], weight(tokens[2], number), number


def parse_gwt(path: Path) -> Entries:
    """Read a whole `.gwt` file."""
    lines = numbered(text_of(path).splitlines())
    found = Entries(header_count(lines))
    for focal, neighbor, value, line in gwt_links(lines):
        found.focal.append(focal)
        found.neighbor.append(neighbor)
        found.values.append(value)
        found.lines.append(line)
    if found.declared and not found.focal:
        raise truncated(f"the file declares {found.declared} units and holds no link", 1)
    return found


def unreadable(error: OSError) -> DataError:
    """Return the error of a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return DataError(
            "there is no such file", advice="check the name, or make it with regionalize weights"
        )
    return DataError(f"the file cannot be read ({error.strerror})", advice="check who may read it")


def truncated(reason: str, line: int) -> DataError:
    """Return the error of a file that ends too early."""
    return DataError(reason, advice="it looks truncated: write it again", row=line)


def weight(text: str, line: int) -> float:
    """Return a weight, or raise a `DataError` when it is none."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise DataError(f"'{text}' is not a weight", advice=MEND, row=line)
    if value < 0:
        raise DataError(f"the weight {text} is negative", advice=MEND, row=line)
    return value
