"""Values in documents: as JSON takes them, and as tables of Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any


def plain(value: Any) -> Any:
    """Return nested data ready for JSON: keys are text, and NaN and infinity null.

    Examples
    --------
    >>> plain({1: (float("nan"), 2.0)})
    {'1': [None, 2.0]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Write a table in Markdown.

    Examples
    --------
    >>> print(markdown_table(("k", "contiguous"), [(2, True), (3, None)]).strip())
    | k | contiguous |
    | --- | --- |
    | 2 | yes |
    | 3 | – |
    """
    lines = [[text_of(cell) for cell in header]]
    lines.append(["---"] * len(lines[0]))
    lines += [[text_of(cell) for cell in row] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def text_of(value: Any) -> str:
    """Write a value as a cell of a Markdown table."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(text_of(item) for item in value)
    return str(value).replace("|", "\\|").replace("\n", " ")
