"""JSON in, from whoever wrote it: plain values of limited size, and nothing that JSON has not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regionalize.errors import DataError

MOST_BYTES = 1 << 25
"""Of a file that is read whole."""


def read_json(path: str | Path, what: str) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Parameters
    ----------
    path : path
        The file.
    what : str
        What it is, for messages: ``"model"``.

    Raises
    ------
    DataError
        If it cannot be read, has more than 32 MB, or is no JSON object: NaN and infinity, which other readers
        take, keys that are there twice, and what is nested too deeply.
    """

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is no number of JSON")

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key is there twice")
        return found

    try:
        with open(path, "rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise DataError(f"is too large for a {what}", advice=f"name a {what}", file=str(path))
        found = json.loads(raw.decode("utf-8-sig"), parse_constant=refuse, object_pairs_hook=table)
    except OSError as error:
        raise DataError(f"the {what} cannot be read ({error.strerror})", file=str(path)) from error
    except RecursionError as error:
        raise DataError("is not JSON that anybody wrote: it is nested too deeply", file=str(path)) from error
    except ValueError as error:  # of decoding, too
        raise DataError(f"is not JSON: {error}", advice=f"name a {what}", file=str(path)) from error
    if not isinstance(found, dict):
        raise DataError(f"is no {what}: it holds no object", advice=f"name a {what}", file=str(path))
    return found
