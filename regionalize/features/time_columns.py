"""Columns that are steps of time: named one by one, by a pattern, or from the first to the last."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from regionalize.errors import RegionalizeError, UsageError
from regionalize.features.columns import select_columns

if TYPE_CHECKING:
    from regionalize.model.layer import Layer

MOST_STEPS = 10_000
"""A range of more is a slip of the finger."""
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
    found = _RANGE.fullmatch(text.strip())
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


def select_steps(layer: Layer, patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose columns in the order of time.

    Parameters
    ----------
    layer : Layer
        n rows.
    patterns : iterable of str
        Names, ranges as `expand_range` reads them, and shell patterns, whose columns come in file order.

    Returns
    -------
    names : tuple of str
        Each once.
    notes : tuple of str
        What a pattern passes over.

    Raises
    ------
    RegionalizeError
        A column that is not there (with the nearest name) or not numeric, or nothing named.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from regionalize.model.layer import Layer
    >>> layer = Layer(pa.table({"d2": [5], "d1": [7], "name": ["a"]}), None, None)
    >>> select_steps(layer, ["d1-d2"])
    (('d1', 'd2'), ())
    """
    wanted: list[str] = []
    try:
        for pattern in patterns:
            wanted += [pattern] if pattern in layer.column_names else expand_range(pattern)
        if not wanted:
            raise UsageError("no column is named", advice="give a range or a list, such as d1-d40")
        return select_columns(layer, wanted)
    except RegionalizeError as error:
        error.reason = f"--time-columns: {error.reason}"
        raise
