"""Tell variables from identifiers, coordinates, sizes of shapes and labels, when nobody named the columns.

Only a default is at stake: what is left out is listed for the person, and a column that is named is
always taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")

_IDENTIFIER_WORDS = frozenset(
    {"id", "ids", "idnum", "idno", "fid", "gid", "oid", "uid", "pid", "pk", "recid", "rowid", "rownum"}
    | {"objectid", "geoid", "geocode", "fips", "code", "cod", "codigo", "codno", "codeno", "zip", "cep"}
)
_IDENTIFIER_NAME = re.compile(
    r"index|level_0|unnamed.*|field_?1|.*fips.*|.*geoid\d*|.*geocod(e|igo)?\d*|.*code(no|num)?\d*"
    r"|(object|record|row|poly|polygon|unit|feature|area|region|zone|district|county|state|city|place|tract"
    r"|block|parcel|station|site|cell|grid|cluster|carto|cartodb|ogc_f)_?id\d*"
    r"|(state|county|cousub|place|tract|blkgrp|block|zcta\d*|puma|cbsa|csa|region|division)(fp|ce|ns)\d*"
)
_SHAPE_NAME = re.compile(r"(shape|st|geom|geometry)_?_?(area|len|leng|length|perim|perimeter)\b.*|perimeter")
_COORDINATE_NAME = re.compile(
    r"(lon|long|lng|longitude|lat|latitude|easting|northing|intptlat|intptlon)"
    r"|(x|y|lon|lat)_?(coord|coords|coordinate|cent|centr|centroid|center|centre)s?"
    r"|(coord|coords|coordinate|cent|centr|centroid|center|centre|point|pt)_?(x|y|lon|lat)"
    r"|(centroid|center|centre)_?(longitude|latitude)"
)
_VARIABLES_OF = frozenset({"smooth"})
"""What makes variables; all other runs make labels, and what goes with them."""
_SMALLEST_SEQUENCE = 10
"""Fewer rows than this may count 1, 2, 3 … by chance or by design of an example."""


def why_left_out(layer: Layer, name: str) -> str | None:
    """Say why a numeric column is not taken for a variable by default.

    Parameters
    ----------
    layer : Layer
        The layer.
    name : str
        A numeric column of it.

    Returns
    -------
    str or None
        ``"label"``, ``"identifier"``, ``"row number"``, ``"shape"`` or ``"coordinate"``; None for a variable.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from regionalize.model.layer import Layer
    >>> layer = Layer(pa.table({"FIPS": [1001, 1003], "literacy": [37, 51]}), None, None)
    >>> why_left_out(layer, "FIPS"), why_left_out(layer, "literacy")
    ('identifier', None)
    """
    import pyarrow as pa

    if any(name in record.columns and record.made_by not in _VARIABLES_OF for record in layer.history):
        return "label"
    lowered = name.strip().lower()
    column = layer.attributes[name]
    if _SHAPE_NAME.fullmatch(lowered) or (lowered == "area" and _has_perimeter(layer)):
        return "shape"
    if _COORDINATE_NAME.fullmatch(lowered) or (lowered in {"x", "y"} and _inside_layer(layer, lowered, name)):
        return "coordinate"
    if pa.types.is_boolean(column.type):
        return None
    words = {word.lower() for word in _WORDS.findall(name)}
    if (words & _IDENTIFIER_WORDS or _IDENTIFIER_NAME.fullmatch(lowered)) and _whole(_numbers(column)):
        return "identifier"
    if pa.types.is_integer(column.type) and "rank" not in lowered and _counts_rows(column):
        return "row number"
    return None


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers: NDArray[np.float64] = pc.cast(column, pa.float64(), safe=False).to_numpy()
    return numbers


def _whole(values: NDArray[np.float64]) -> bool:
    """Whether every value present is a whole number: an identifier has no fraction."""
    present = values[np.isfinite(values)]
    return bool(np.all(present == np.floor(present)))


def _counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether values count the rows: first, first ± 1, first ± 2, … starting or ending at 0 or 1."""
    if len(column) < _SMALLEST_SEQUENCE or column.null_count:
        return False
    values = column.to_numpy()
    step = np.diff(values.astype(np.float64))
    return min(values[0], values[-1]) in (0, 1) and bool(np.all(step == 1) or np.all(step == -1))


def _has_perimeter(layer: Layer) -> bool:
    """Whether an area is that of shapes: coverages have both. By itself it may be a variable."""
    return any(name.strip().lower() == "perimeter" for name in layer.column_names)


def _inside_layer(layer: Layer, axis: str, name: str) -> bool:
    """Whether a column called x or y holds positions: every value within the layer's own extent."""
    if not layer.has_geometry or {"x", "y"} - {other.strip().lower() for other in layer.column_names}:
        return False
    import shapely

    west, south, east, north = shapely.total_bounds(layer.geometry)
    low, high = (west, east) if axis == "x" else (south, north)
    values = _numbers(layer.attributes[name])
    present = values[np.isfinite(values)]
    slack = 1e-6 * max(high - low, abs(high), abs(low))
    return bool(len(present) and present.min() >= low - slack and present.max() <= high + slack)
