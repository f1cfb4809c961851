"""The runs that made columns of a layer, in each kind of place that a format has for them.

- GeoPackage: the tables of its metadata extension (`regionalize.io.geopackage_metadata`);
- GeoParquet: a key of the file's metadata; FlatGeobuf: the same, in its header;
- GeoJSON: a member of the feature collection, before the features;
- a zipped shapefile: a file of its own in the archive;
- all others: a file beside the layer (`regionalize.model.record.record_file`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from regionalize.io.documents import plain
from regionalize.io.source import Source
from regionalize.model.record import (
    KEY,
    RECORD_FILE,
    History,
    RunRecord,
    history_document,
    read_history,
    record_file,
)

_TAIL = 1 << 16
"""Bytes at the end of a GeoJSON file in which other programs may have put our member."""
_QUOTED = f'"{KEY}"'.encode()


def history_text(history: Iterable[RunRecord]) -> str:
    """Write a history as one line of JSON, empty for none.

    Examples
    --------
    >>> history_text([RunRecord(made_by="kmeans", columns=("cluster",))])
    '{"format": 1, "runs": [{"made_by": "kmeans", "columns": ["cluster"]}]}'
    """
    history = tuple(history)
    if not history:
        return ""
    document = plain(history_document(history))
    text = json.dumps(document, ensure_ascii=False, default=str)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # the name of a file that is not UTF-8
        text = json.dumps(document, default=str)
    return text


def understood_history(kept: Any) -> tuple[History, tuple[str, ...]]:
    """Return the history that a layer keeps, as JSON or read from it, and a note if nobody can understand it.

    Examples
    --------
    >>> understood_history("{")[1][0].startswith("how its columns were made is kept with the layer, but")
    True
    """
    if not kept:
        return (), ()
    try:
        return read_history(json.loads(kept) if isinstance(kept, str | bytes) else kept), ()
    except (ValueError, RecursionError) as error:
        return (), (f"how its columns were made is kept with the layer, but cannot be understood ({error})",)


def kept_in_metadata(items: Mapping[str, str] | None) -> str | None:
    """Return what GDAL tells of a history among the metadata of a layer.

    A FlatGeobuf file has it under its own name; of a GeoPackage, GDAL numbers what it did not write itself.
    """
    for name, text in (items or {}).items():
        if name == KEY or (name.startswith("GPKG_METADATA_ITEM") and text.startswith('{"format": ')):
            return text
    return None


def kept_beside(source: Source) -> bytes | None:
    """Return what lies beside a layer, or in its archive, under the name of its records."""
    if source.member:
        import zipfile

        with zipfile.ZipFile(source.path or "") as archive:
            name = f"{source.member}{RECORD_FILE}"
            return archive.read(name) if name in archive.namelist() else None
    file = None if source.path is None else record_file(source.path)
    if file is None:
        return None
    try:
        return file.read_bytes()
    except OSError:
        return None


def kept_in_geojson(source: Source, head: Mapping[str, Any]) -> Any:
    """Return the member of a feature collection that holds its history.

    Parameters
    ----------
    source : Source
        The collection.
    head : mapping
        Its members before the features (`regionalize.io.geojson_head.read_head`).
    """
    if KEY in head:
        return head[KEY]
    if isinstance(source.dataset, bytes):
        return last_member(source.dataset[-_TAIL:])
    file = None if source.member else source.open()  # what is compressed has no end that could be read first
    if file is None:
        return None
    with file:
        file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
        return last_member(file.read())


def last_member(tail: bytes) -> Any:
    """Return our member where another program has put it after the features.

    Examples
    --------
    >>> last_member(b'"features": [], "regionalize": {"runs": []}, "type": "FeatureCollection"}')
    {'runs': []}
    >>> last_member(b'"properties": {"regionalize": {"runs": []}}}]}')
    """
    at = tail.rfind(_QUOTED)
    while at >= 0:
        try:
            found = json.loads("{" + tail[at:].decode("utf-8"))[KEY]
            return found if isinstance(found, dict) else None
        except (ValueError, RecursionError):  # it stands deeper, as the name in a list of versions does
            at = tail.rfind(_QUOTED, 0, at)
    return None
