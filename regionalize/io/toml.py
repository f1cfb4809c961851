"""TOML out: a table of plain values, each on a line of its own, read back as it was."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_RAW = re.compile("[\x7f]")
"""What JSON leaves as it is inside of text, and TOML does not."""


def toml_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    r"""Write tables of text, numbers, booleans and lists of these.

    Raises
    ------
    ValueError
        Text that is not valid Unicode, as of a file name that is not UTF-8: TOML cannot hold it.
    TypeError
        A value of another type.

    Examples
    --------
    >>> print(toml_text({"kmeans": {"k": 4, "where": 'name = "Cobb"', "columns": ["a", "b"]}}).strip())
    [kmeans]
    k = 4
    where = "name = \"Cobb\""
    columns = ["a", "b"]
    """
    lines = []
    for name, values in tables.items():
        lines += [f"[{_key(name)}]", *(f"{_key(key)} = {_value(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = repr(value)  # 1e-07 and 1e16 are TOML, too, and so are inf and nan
        return text if "e" in text or "." in text or not math.isfinite(value) else f"{text}.0"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"{type(value).__name__} has no place in TOML")


def _text(text: str) -> str:
    """Write text in double quotes: what JSON escapes, TOML takes."""
    text.encode("utf-8")  # UnicodeEncodeError is a ValueError
    return _RAW.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
