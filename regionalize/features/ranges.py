"""Ranges of columns, such as ``d1-d40``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from regionalize.errors import UsageError

MOST_STEPS = 10_000
"""A range of more is a slip of the finger."""
_LONGEST = 1000
"""Letters; in what is longer, a range would be looked for very long, and no column is called so."""
_RANGE = re.compile(r"(?P<stem>.*?)(?P<first>\d+)\s*-\s*(?P=stem)(?P<last>\d+)", re.DOTALL)


def expand_range(text: str) -> list[str]:
    """Return the names from the first to the last of a range such as ``d1-d40``; other text as it is.

    Numbers are written as the first is: with leading zeros as in ``d01-d40``, or without.

    Raises
    ------
    UsageError
        A range that runs backwards, or is far too long.

    Examples
    --------
    >>> expand_range("d8-d11"), expand_range("d08-d10"), expand_range("birth-rate")
    (['d8', 'd9', 'd10', 'd11'], ['d08', 'd09', 'd10'], ['birth-rate'])
    """
    found = _RANGE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None:
        return [text]
    stem, first, last = found["stem"], found["first"], found["last"]
    steps = int(last) - int(first) + 1
    if steps < 1:
        raise UsageError(f"'{text}' runs backwards", advice=f"give {stem}{last}-{stem}{first}")
    if steps > MOST_STEPS:
        raise UsageError(f"'{text}' is a range of {steps:,} columns", advice="name its first and last column")
    width = len(first) if first.startswith("0") else 0
    return [f"{stem}{number:0{width}d}" for number in range(int(first), int(last) + 1)]


def spelled_out(patterns: Iterable[str], there: Collection[str]) -> list[str]:
    """Return names and patterns with every range spelled out; a column of that very name is none.

    Parameters
    ----------
    patterns : iterable of str
    there : collection of str
        The columns there are.

    Examples
    --------
    >>> spelled_out(["d1-d2", "a-1-a-2", "p*"], ["a-1-a-2"])
    ['d1', 'd2', 'a-1-a-2', 'p*']
    """
    return [
        name for pattern in patterns for name in ([pattern] if pattern in there else expand_range(pattern))
    ]
