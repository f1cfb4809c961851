"""What stands before the features of GeoJSON: its name, its reference system, how its columns were made."""

from __future__ import annotations

import json
from io import BytesIO
from typing import IO, Any

from regionalize.io.source import Source

FIRST = 1 << 16
"""Bytes that are looked at first; four times as many where the features do not begin in them, and so on."""


def read_head(source: Source) -> dict[str, Any]:
    """Return the members before the features, empty where there are none or the file is no collection.

    Examples
    --------
    >>> text = b'{"name": "a", "crs": null, "features": [{"type": "Feature"}]}'
    >>> read_head(Source("a.geojson", text, "GeoJSON", None))
    {'name': 'a', 'crs': None}
    """
    if isinstance(source.dataset, bytes):
        return members_before_features(BytesIO(source.dataset))
    file = source.open()
    if file is None:
        return {}
    with file:
        return members_before_features(file)


def members_before_features(file: IO[bytes]) -> dict[str, Any]:
    """Read a collection from its beginning, as far as is needed.

    Examples
    --------
    >>> members_before_features(BytesIO(b'{"type": "FeatureCollection", "name": "features", "features": ['))
    {'type': 'FeatureCollection', 'name': 'features'}
    """
    head = file.read(FIRST)
    while True:
        found, ended = _members(head.decode("utf-8", "replace"))
        more = b"" if ended else file.read(3 * len(head))
        if not more:
            return found if ended else {}
        head += more


def _members(text: str) -> tuple[dict[str, Any], bool]:
    """Return what stands before the features, and whether that is all: they begin, or never will."""
    found: dict[str, Any] = {}
    decoder, space = json.JSONDecoder(), " \t\r\n"
    place = text.find("{") + 1
    if "[" in text[:place]:  # a list of other things
        return {}, True
    try:
        while True:
            while text[place] in space + ",":
                place += 1
            if text[place] == "}":
                return found, True
            name, place = decoder.raw_decode(text, place)
            while text[place] in space + ":":
                place += 1
            if name == "features" or not isinstance(name, str):
                return found, True
            found[name], place = decoder.raw_decode(text, place)
            if name == "type" and found[name] != "FeatureCollection":
                return {}, True
    except (ValueError, IndexError):  # it goes on, or is not JSON, which the reader of features tells better
        return found, False
    except RecursionError:
        return {}, True
