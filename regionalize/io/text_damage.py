"""Notice damaged texts (GeoJSON, MapInfo's MIF), of which GDAL leaves out what it does not understand."""

from __future__ import annotations

import json
from io import BytesIO
from typing import BinaryIO, cast

from regionalize.errors import DataError
from regionalize.io.damage import AGAIN, check_count
from regionalize.io.source import Source

_BLOCK = 1 << 20
_MEMBER = b'"geometry"'
"""Stands once in every feature, and seldom elsewhere."""
_MOST = 1 << 28
"""Bytes of a file that a second reader holds in memory at most; of larger ones, doubts are left."""
_LINES = (".geojsonl", ".geojsons", ".geojsonseq", ".ndjson", ".jsonl")
"""Endings of files that hold a feature in each line."""


def check_features(source: Source, rows: int | None) -> None:
    """Refuse GeoJSON that holds more features than were read, or bytes of zero.

    Parameters
    ----------
    source : Source
    rows : int or None
        How many were read; None where a filter hides some.

    Raises
    ------
    DataError
    """
    members, size, before = 0, 0, b""
    with _opened(source) as file:
        while block := file.read(_BLOCK):
            if b"\0" in block:
                raise DataError("the file is damaged: there are bytes of zero in its text", advice=AGAIN)
            size += len(block)
            block = before + block
            members, before = members + block.count(_MEMBER), block[1 - len(_MEMBER) :]
    if rows is None or rows == members or size > _MOST:
        return
    with _opened(source) as file:  # there is doubt: a second reader tells
        try:
            whole = json.loads(file.read().decode(errors="replace"))
        except (ValueError, RecursionError):  # GDAL takes more for JSON than Python does
            return
    if isinstance(whole, dict) and isinstance(whole.get("features"), list):
        check_count(len(whole["features"]), rows)


def rows_of_text(source: Source) -> int | None:
    """Return how many rows the lines of a file say there are; None for a format where they do not."""
    suffix = "" if source.path is None or source.member else source.path.suffix.lower()
    if suffix not in (".mif", *_LINES):
        return None
    table = source.open(".mid" if suffix == ".mif" else None)
    if table is None:
        return None
    with table:
        if table.read(1) == b"\x1e":  # features between separators, over any number of lines
            return None
        table.seek(0)
        return sum(1 for line in table if line.strip())


def _opened(source: Source) -> BinaryIO:
    file = source.open() if isinstance(source.dataset, str) else BytesIO(source.dataset)
    return cast(BinaryIO, file)
