"""Documents as text: JSON, CSV, and tables of Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
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


def json_text(document: Mapping[str, Any]) -> str:
    """Write a document as JSON, with a line end."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def csv_text(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """Write a table as CSV, numbers in full precision, None as an empty field.

    Examples
    --------
    >>> print(csv_text(("k", "ratio"), [(2, 0.1 + 0.2), (3, None)]).strip())
    k,ratio
    2,0.30000000000000004
    3,
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def versions_text(versions: Mapping[str, str]) -> str:
    """Write the last line of a document in Markdown: what made it."""
    return "Versions: " + ", ".join(f"{name} {number}" for name, number in versions.items()) + "\n"


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
