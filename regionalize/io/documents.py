"""Documents as text: JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regionalize.model.document import (
    Block,
    Document,
    Facts,
    Figures,
    Heading,
    Heat,
    Notes,
    Sentence,
    Shell,
    Table,
    text_of,
)


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


_CONTROLS = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""What JSON leaves as it is, and a terminal may obey: old control characters, and turns of the direction."""


def json_text(document: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    r"""Write a document as JSON that any reader takes, with a line end; nothing in it drives a terminal.

    Examples
    --------
    >>> from pathlib import PurePosixPath
    >>> json_text({"a": float("inf"), "b": PurePosixPath("x")})
    '{\n  "a": null,\n  "b": "x"\n}\n'
    >>> print(json_text({"name": "\x9b31m"}), end="")
    {
      "name": "\u009b31m"
    }
    """
    text = json.dumps(
        plain(document), indent=2, ensure_ascii=ascii_only, default=plain_value, allow_nan=False
    )
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def plain_value(value: Any) -> Any:
    """Return what stands in JSON for a value of another kind: of NumPy's the plain one, or else its text."""
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)


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


def markdown(document: Document) -> str:
    """Write a document in Markdown as issues and pages understand it; pictures and curves are left out.

    Examples
    --------
    >>> table = Table(("k", "contiguous"), ((2, True), (3, None)))
    >>> print(markdown(Document("Regions", (Heading("Numbers"), table))), end="")
    # Regions
    <BLANKLINE>
    ## Numbers
    <BLANKLINE>
    | k | contiguous |
    | ---: | --- |
    | 2 | yes |
    | 3 | – |
    """
    parts = [f"# {escaped(document.title)}\n"]
    parts += [part for block in document.blocks if (part := markdown_block(block))]
    return "\n".join(parts)


def markdown_block(block: Block) -> str:
    """Write one block, with a line end; empty for one that Markdown cannot hold."""
    match block:
        case Heading():
            return f"## {escaped(block.text)}\n"
        case Sentence():
            return f"{escaped(block.text)}\n"
        case Notes():
            return "".join(f"- {escaped(text)}\n" for text in block.texts)
        case Shell():
            return fenced(block.text)
        case Figures():
            return markdown_rows(("", ""), ["---"] * 2, block.figures)
        case Facts():
            return markdown_rows(block.header, ["---"] * 2, block.rows)
        case Table():
            sides = ["---:" if block.is_numeric(place) else "---" for place in range(len(block.header))]
            return _captioned(block.caption, markdown_rows(block.header, sides, block.rows))
        case Heat():
            texts = (
                [None if z is None else f"{round(z, 2) + 0.0:.2f}" for z in row[1:]] for row in block.rows
            )
            rows = [[row[0], *text] for row, text in zip(block.rows, texts, strict=True)]
            sides = ["---", *["---:"] * (len(block.header) - 1)]
            return _captioned(block.caption, markdown_rows(block.header, sides, rows))
        case _:
            return ""


def _captioned(caption: str, table: str) -> str:
    return f"{table}\n{escaped(caption)}\n" if caption else table


def markdown_rows(header: Iterable[Any], sides: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Write a table; `sides` are the marks under its header that say to which side columns go."""
    lines = [[escaped(text_of(cell)) for cell in header], list(sides)]
    lines += [[escaped(text_of(cell)) for cell in row] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def fenced(text: str) -> str:
    """Write a block to copy, between fences longer than any run of backticks inside.

    Examples
    --------
    >>> print(fenced("regionalize kmeans --k 4"), end="")
    ```sh
    regionalize kmeans --k 4
    ```
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}\n"


def escaped(text: str) -> str:
    r"""Write text so that Markdown takes nothing in it for markup, on one line.

    Underscores within words, as names of columns have them, mean nothing and stay.

    Examples
    --------
    >>> escaped("a|b\n<b>*c*</b> pct_rural [x](y) 3 - 1")
    'a\\|b &lt;b&gt;\\*c\\*&lt;/b&gt; pct_rural \\[x\\](y) 3 - 1'
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = re.sub(r"([\\`*\[\]|~$])|(?<![^\W_])(_)|(_)(?![^\W_])", r"\\\g<0>", line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"@(?=\w)", "@&#8203;", line)  # a name after it would be told
    line = re.sub(r"#(?=\d)", "#&#8203;", line)
    return re.sub(r"^([#+-]|\d+[.)])(?=\s|$)", _harmless, line)


def _harmless(found: re.Match[str]) -> str:
    """Escape what begins a list or a heading."""
    return found[1][:-1] + "\\" + found[1][-1]
