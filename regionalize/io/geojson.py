"""GeoJSON out, with every number as it was.

GDAL's writer rounds coordinates and numbers such as 0.30000000000000004; the shortest text that reads back
as the same number is exact, shorter and several times faster to make.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json.encoder import encode_basestring
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from regionalize.io.shapes import is_wgs84
from regionalize.model.layer import plain_values, shapes_of
from regionalize.model.record import KEY

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer

_BLOCK = 8192
"""Rows turned into text at a time."""


def write_geojson(
    layer: Layer,
    attributes: pa.Table,
    wkb: pa.ChunkedArray | None,
    name: str,
    file: IO[bytes],
    history: str = "",
) -> None:
    """Write a feature collection, one feature per line.

    Parameters
    ----------
    layer : Layer
        For its coordinate system.
    attributes : pyarrow.Table
        The properties, n rows.
    wkb : pyarrow.ChunkedArray or None
        Geometry without curves or measures.
    name : str
        Name of the layer, which GDAL reads.
    file : binary file
        Where to write.
    history : str
        What is kept of the runs that made columns, as `regionalize.io.history.history_text` has it.
    """
    with geojson_file(layer, name, file, history) as write:
        for start in range(0, len(layer), _BLOCK):
            write(attributes.slice(start, _BLOCK), None if wkb is None else wkb.slice(start, _BLOCK))


@contextmanager
def geojson_file(
    layer: Layer, name: str, file: IO[bytes], history: str = ""
) -> Iterator[Callable[[pa.Table, pa.ChunkedArray | None], None]]:
    """Give a function that writes rows into a feature collection, after those that it wrote before.

    Parameters
    ----------
    layer, name, file, history
        As for `write_geojson`.
    """
    head: dict[str, object] = {"type": "FeatureCollection", "name": name}
    crs = urn(layer)
    if layer.crs is None and layer.has_geometry:
        head["crs"] = None  # no system can be assumed
    elif crs is not None:
        head["crs"] = {"type": "name", "properties": {"name": crs}}
    file.write(json.dumps(head, ensure_ascii=False)[:-1].encode())
    if history:
        file.write(f', "{KEY}": {history}'.encode())
    file.write(b', "features": [\n')
    between = ""

    def write(attributes: pa.Table, wkb: pa.ChunkedArray | None) -> None:
        nonlocal between
        rows = len(attributes)
        if not rows:
            return
        shapes = ["null"] * rows if wkb is None else _shapes(wkb)
        lines = [
            f'{{"type": "Feature", "properties": {about}, "geometry": {shape}}}'
            for about, shape in zip(_properties(attributes, rows), shapes, strict=True)
        ]
        file.write((between + ",\n".join(lines)).encode())
        between = ",\n"

    yield write
    file.write(b"\n]}\n")


def urn(layer: Layer) -> str | None:
    """Return the coordinate system for a ``crs`` member: its name, or its definition; None for WGS 84."""
    if layer.crs is None or is_wgs84(layer) or layer.projection is None:
        return None
    authority = layer.projection.to_authority(min_confidence=100)
    if authority is None:
        return str(layer.projection.to_wkt())
    return f"urn:ogc:def:crs:{authority[0]}::{authority[1]}"


def _properties(table: pa.Table, rows: int) -> list[str]:
    if not table.num_columns:
        return ["{}"] * rows
    keys = [f"{encode_basestring(name)}: " for name in table.column_names]
    texts = [
        [f"{key}{text}" for text in _column(column)] for key, column in zip(keys, table.columns, strict=True)
    ]
    return [f"{{{', '.join(row)}}}" for row in zip(*texts, strict=True)]


def _column(column: pa.ChunkedArray) -> list[str]:
    """Return each value of a column as JSON."""
    import pyarrow as pa

    kind, values = column.type, plain_values(column)
    encode: Callable[[Any], str]
    if pa.types.is_boolean(kind):
        encode = {True: "true", False: "false"}.__getitem__
    elif pa.types.is_integer(kind):
        encode = str
    elif pa.types.is_floating(kind):
        encode = _number
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        encode = encode_basestring
    elif pa.types.is_temporal(kind):
        encode = _time
    elif isinstance(kind, pa.BaseExtensionType):  # JSON already
        encode = _json
    else:
        encode = _nested
    return ["null" if value is None else encode(value) for value in values]


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else "null"


def _time(value: Any) -> str:
    text = value if isinstance(value, str) else value.isoformat()
    return f'"{text}"'.replace("+00:00", "Z")


def _nested(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)


def _shapes(wkb: pa.ChunkedArray) -> list[str]:
    import shapely

    shapes = shapes_of(wkb.to_numpy(zero_copy_only=False))
    if shapely.has_z(shapes).any() and "7" not in shapely.to_geojson(shapely.Point(1, 2, 7)):
        # GEOS wrote no heights before version 3.12
        texts = [None if shape is None else json.dumps(shapely.geometry.mapping(shape)) for shape in shapes]
    else:
        texts = list(shapely.to_geojson(shapes))
    for row in np.flatnonzero(shapely.is_empty(shapes)):
        if shapes[row].geom_type != "GeometryCollection":
            texts[row] = f'{{"type":"{shapes[row].geom_type}","coordinates":[]}}'
    return ["null" if text is None else text for text in texts]
