"""What stands before the features of GeoJSON: its name, and whether it is in a reference system at all."""

from __future__ import annotations

import json
import re
from typing import Any

from regionalize.io.source import Source

LONGEST = 1 << 20
"""Bytes in which the features must have begun."""


def read_head(source: Source) -> dict[str, Any]:
    """Return the members before the features, empty where there are none or the file is no GeoJSON.

    Examples
    --------
    >>> text = b'{"name": "a", "crs": null, "features": [{"type": "Feature"}]}'
    >>> read_head(Source("a.geojson", text, "GeoJSON", None))
    {'name': 'a', 'crs': None}
    """
    if isinstance(source.dataset, bytes):
        start = source.dataset[:LONGEST]
    else:
        file = source.open()
        if file is None:
            return {}
        with file:
            start = file.read(LONGEST)
    before, mark, _ = start.decode("utf-8-sig", "replace").partition('"features"')
    try:
        found = json.loads(re.sub(r",\s*$", "", before) + "}") if mark else {}
    except ValueError:
        return {}
    found = found if isinstance(found, dict) else {}
    found.pop("type", None)
    return found
