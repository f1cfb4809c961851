"""The text of weights files: `.gal` and `.gwt`, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from regionalize.errors import DataError


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
        raise DataError(f"the file cannot be read ({error.strerror})") from None


def text_of(path: Path) -> str:
    """Return a file's text, whether UTF-8 or, as older programs write, Latin-1."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})") from None
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


def _numbered(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers from 1 and tokens of the lines that are not blank."""
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        tokens = tokens_of(line)
        if tokens:
            yield number, tokens


def _header(lines: Iterator[tuple[int, list[str]]]) -> int:
    """Return the number of units that the first line declares: ``n`` or ``0 n layer id``."""
    number, tokens = next(lines, (1, []))
    if not tokens:
        raise DataError("the file is empty", advice="write it again")
    text = tokens[0] if len(tokens) == 1 else tokens[1]
    if len(tokens) not in {1, 2, 3, 4} or not re.fullmatch(r"[0-9]+", text):
        raise DataError(
            f"the header '{' '.join(tokens)[:60]}' is neither 'n' nor '0 n layer id_variable'",
            advice="is this a weights file?",
            row=number,
        )
    return int(text)


def parse_gal(path: Path) -> Entries:
    """Read lines in twos: a unit with its number of neighbours, then the neighbours."""
    lines = _numbered(path)
    found = Entries(_header(lines))
    for number, tokens in lines:
        if len(tokens) != 2:
            raise DataError(
                f"a unit and its number of neighbours should stand here, not '{' '.join(tokens)[:60]}'",
                advice='ids with blanks need quotes ("Los Angeles" 2)',
                row=number,
            )
        name, count = tokens
        if not re.fullmatch(r"-?[0-9]+", count):
            raise DataError(f"'{count}' is not a number of neighbours (unit '{name}')", row=number)
        wanted = int(count)
        if wanted < 0:
            raise DataError(f"unit '{name}' has {wanted} neighbours, less than none", row=number)
        found.heads.append(name)
        found.head_lines.append(number)
        if wanted == 0:
            continue
        number, around = next(lines, (number, []))  # noqa: PLW2901  # one record is two lines
        if not around:
            raise _truncated(f"the file ends before the neighbours of unit '{name}'", number)
        if len(around) != wanted:
            raise DataError(
                f"unit '{name}' should have {wanted} neighbours and {len(around)} are listed", row=number
            )
        found.focal += [name] * wanted
        found.neighbor += around
        found.values += [1.0] * wanted
        found.lines += [number] * wanted
    if found.declared is not None and len(found.heads) < found.declared:
        last = found.lines[-1:] + found.head_lines[-1:] + [1]
        raise _truncated(f"the file declares {found.declared} units and holds {len(found.heads)}", max(last))
    return found


def parse_gwt(path: Path) -> Entries:
    """Read one link a line: unit, neighbour, value."""
    lines = _numbered(path)
    found = Entries(_header(lines))
    for number, tokens in lines:
        if len(tokens) != 3:
            if len(tokens) < 3 and next(lines, None) is None:
                raise _truncated(f"the file ends within a link, '{' '.join(tokens)[:60]}'", number)
            raise DataError(
                f"a unit, its neighbour and a weight should stand here, not '{' '.join(tokens)[:60]}'",
                advice='ids with blanks need quotes ("Los Angeles" "San Diego" 1.5)',
                row=number,
            )
        found.focal.append(tokens[0])
        found.neighbor.append(tokens[1])
        found.values.append(weight(tokens[2], number))
        found.lines.append(number)
    if found.declared and not found.focal:
        raise _truncated(f"the file declares {found.declared} units and holds no link", 1)
    return found


def _truncated(reason: str, line: int) -> DataError:
    return DataError(reason, advice="it looks truncated: write it again", row=line)


def weight(text: str, line: int) -> float:
    """Return a weight, or raise a `DataError` when it is none."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise DataError(f"'{text}' is not a weight", row=line)
    if value < 0:
        raise DataError(f"the weight {text} is negative", row=line)
    return value
