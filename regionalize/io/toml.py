"""TOML in, as editors of all systems write it, and out: plain values, read back as they were."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from regionalize.errors import UsageError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_RAW = re.compile("[\x7f]")
"""What JSON leaves as it is inside of text, and TOML does not."""
_DEEPEST = 6
"""Tables and lists within each other: a plan has four at most."""


def read_toml(path: str, what: str) -> dict[str, Any]:
    """Read a TOML file, whose values anything can be asked of: texts fit to be paths, numbers of 64 bits.

    Parameters
    ----------
    path : str
        The file.
    what : str
        What it is, for messages: ``"plan"``.

    Raises
    ------
    UsageError
        With the line, where there is one.
    """
    import tomllib

    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")  # some editors begin with a mark
        content = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"the {what} cannot be read ({error.strerror})", file=path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(
            f"is not TOML: line {line} is not UTF-8", advice="save it as UTF-8", file=path
        ) from error
    except RecursionError as error:
        raise UsageError("is not TOML that anybody wrote: it is nested too deeply", file=path) from error
    except ValueError as error:  # TOMLDecodeError is one, and a number of too many digits another
        end = f"at line {len(text.splitlines())}, the end"
        raise UsageError(
            f"is not TOML: {str(error).replace('at end of document', end)}", file=path
        ) from error
    for key, value in content.items():
        fault = _fault("", key) or _fault(key, value)
        if fault:
            raise UsageError(fault, file=path)
    return content


def _fault(key: str, value: Any, depth: int = 0) -> str:
    """Return what is wrong with a value that TOML allows and no option takes; empty for nothing."""
    if isinstance(value, str):
        where = f"{key} holds" if key else "a key holds"
        return f"{where} the character of code 0, which is in no text" if "\0" in value else ""
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**63 else f"{key} is a whole number of more than 64 bits"
    if not isinstance(value, dict | list):
        return ""
    if depth == _DEEPEST:
        return f"{key} is nested too deeply"
    if isinstance(value, list):
        return next(filter(None, (_fault(key, one, depth + 1) for one in value)), "")
    faults = (_fault("", name) or _fault(f"{key}.{name}", one, depth + 1) for name, one in value.items())
    return next(filter(None, faults), "")


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
