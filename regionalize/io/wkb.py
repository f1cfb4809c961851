"""What the first bytes of well-known binary say, without building geometries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer

KINDS = {
    1: "Point",
    2: "LineString",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
    7: "GeometryCollection",
    8: "CircularString",
    9: "CompoundCurve",
    10: "CurvePolygon",
    11: "MultiCurve",
    12: "MultiSurface",
    13: "Curve",
    14: "Surface",
    15: "PolyhedralSurface",
    16: "Tin",
    17: "Triangle",
}
BEYOND_GEOS = 8
"""Kinds from here on (curves and surfaces) GEOS cannot hold."""
_HEADER = 9  # byte order, kind, number of parts
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


@dataclass(frozen=True)
class Headers:
    """The first nine bytes of n geometries.

    Attributes
    ----------
    kind : (n,) uint32
        Code of `KINDS`, 0 where null or cut short.
    has_z, has_m : (n,) bool
        Whether there are heights and measures.
    empty : (n,) bool
        Whether the geometry has no parts, points or rings (a point: no coordinates).
    """

    kind: NDArray[np.uint32]
    has_z: NDArray[np.bool_]
    has_m: NDArray[np.bool_]
    empty: NDArray[np.bool_]
    times: NDArray[np.int64] | None = None
    """How often each occurs, (n,), where equal ones have been put together; None: once each."""

    def count(self, rows: NDArray[np.bool_]) -> int:
        """Return how many geometries there are among some of these, (n,) bool."""
        return int(rows.sum() if self.times is None else self.times[rows].sum())

    @property
    def names(self) -> list[str]:
        """The kinds that occur, in the order of their codes; nulls left out."""
        return [KINDS.get(int(code), f"kind {int(code)}") for code in np.unique(self.kind) if code]


def tally(parts: Sequence[Headers]) -> Headers:
    """Put equal headers together: what is left does not grow with the number of geometries.

    Examples
    --------
    >>> import pyarrow as pa, shapely
    >>> column = pa.chunked_array([[shapely.to_wkb(shapely.Point(x, 0)) for x in range(5)]])
    >>> few = tally([read_headers(column), read_headers(column)])
    >>> few.kind.tolist(), few.times.tolist()
    ([1], [10])
    """
    codes = [
        part.kind.astype(np.int64) << 3 | part.has_z * 4 | part.has_m * 2 | part.empty * 1 for part in parts
    ]
    times = [np.ones(len(part.kind), dtype=np.int64) if part.times is None else part.times for part in parts]
    nothing = np.zeros(0, dtype=np.int64)
    distinct, place = np.unique(np.concatenate([nothing, *codes]), return_inverse=True)
    count = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(count, place, np.concatenate([nothing, *times]))
    has_z, has_m, empty = (distinct & bit > 0 for bit in (4, 2, 1))
    return Headers((distinct >> 3).astype(np.uint32), has_z, has_m, empty, count)


def read_headers(column: pa.ChunkedArray) -> Headers:
    """Read the kind, dimensions and emptiness of each geometry of a binary column.

    Both dialects are understood: ISO (thousands of the code) and extended (its high bits).

    Examples
    --------
    >>> import pyarrow as pa, shapely
    >>> column = pa.chunked_array([[shapely.to_wkb(shapely.Point(1, 2, 3), flavor="iso"), None]])
    >>> headers = read_headers(column)
    >>> headers.names, headers.has_z.tolist(), headers.kind.tolist()
    (['Point'], [True, False], [1, 0])
    """
    parts = [_chunk_headers(*chunk) for chunk in _raw_chunks(column)]
    code = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, dtype=np.uint32)
    count = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, dtype=np.uint32)
    no_point = np.concatenate([part[2] for part in parts]) if parts else np.zeros(0, dtype=bool)
    thousands = (code & 0xFFFF) // 1000
    kind = ((code & 0xFFFF) % 1000).astype(np.uint32)
    has_z = (thousands == 1) | (thousands == 3) | (code & 0x80000000 != 0)
    has_m = (thousands == 2) | (thousands == 3) | (code & 0x40000000 != 0)
    empty = np.where(kind == 1, no_point, count == 0) & (kind > 0)
    return Headers(kind, has_z, has_m, empty)


def read_points(column: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Read the coordinates of plain points, shape (n, 2), without making geometries of them.

    Returns
    -------
    (n, 2) float64, or None
        None unless every geometry is a point in two dimensions, of little-endian bytes, none missing.

    Examples
    --------
    >>> import pyarrow as pa, shapely
    >>> column = pa.chunked_array([shapely.to_wkb(shapely.points([[1.0, 2.0], [3.0, 4.0]]))])
    >>> read_points(column).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    parts = [np.empty((0, 2))]
    for data, offsets, valid in _raw_chunks(column):
        if not valid.all() or (np.diff(offsets) != _POINT.itemsize).any():
            return None
        found = np.frombuffer(data[offsets[0] : offsets[-1]].data, dtype=_POINT)
        if (found["order"] != 1).any() or (found["kind"] != 1).any():
            return None
        parts.append(np.column_stack([found["x"], found["y"]]))
    return np.concatenate(parts)


def _raw_chunks(column: pa.ChunkedArray) -> Iterator[tuple[Any, Any, Any]]:
    """Give the bytes, offsets and validity of each chunk, without copying the bytes."""
    import pyarrow as pa

    for part in column.chunks:
        chunk = part.storage if isinstance(part, pa.ExtensionArray) else part
        wide = pa.types.is_large_binary(chunk.type)
        if not wide and not pa.types.is_binary(chunk.type):
            chunk, wide = chunk.cast(pa.large_binary()), True
        _, offsets_buffer, data_buffer = chunk.buffers()
        first, n = chunk.offset, len(chunk)
        if not n:
            continue
        offsets = np.frombuffer(offsets_buffer, dtype=np.int64 if wide else np.int32)[first : first + n + 1]
        data = np.frombuffer(data_buffer or b"", dtype=np.uint8)
        yield data, offsets.astype(np.int64), np.asarray(chunk.is_valid())


def _chunk_headers(data: Any, offsets: Any, valid: Any) -> tuple[Any, Any, Any]:
    usable = valid & (np.diff(offsets) >= _HEADER)
    start = offsets[:-1][usable]
    code, count = np.zeros(len(valid), dtype=np.uint32), np.zeros(len(valid), dtype=np.uint32)
    no_point = np.zeros(len(valid), dtype=bool)
    head = data[start[:, None] + np.arange(_HEADER)] if len(start) else np.zeros((0, _HEADER), np.uint8)
    little = head[:, 0] == 1
    for target, at in ((code, 1), (count, 5)):
        raw = np.ascontiguousarray(head[:, at : at + 4])
        target[usable] = np.where(little, raw.view("<u4")[:, 0], raw.view(">u4")[:, 0])
    points = np.flatnonzero((code & 0xFFFF) % 1000 == 1)
    points = points[np.diff(offsets)[points] >= 21]
    if len(points):
        raw = np.ascontiguousarray(data[offsets[points][:, None] + np.arange(5, 13)])
        little = data[offsets[points]] == 1
        x = np.where(little, raw.view("<f8")[:, 0], raw.view(">f8")[:, 0])
        no_point[points] = np.isnan(x)
    return code, count, no_point


@dataclass(frozen=True)
class GeometryFaults:
    """Rows whose geometry cannot be used as it is.

    Attributes
    ----------
    null, empty, unreadable, invalid : (…,) int64
        Row numbers from 0. Unreadable: there are bytes, but no geometry in them. Invalid: against the rules
        for polygons (a ring that crosses itself, say).
    """

    null: NDArray[np.int64]
    empty: NDArray[np.int64]
    unreadable: NDArray[np.int64]
    invalid: NDArray[np.int64]

    def counts(self) -> dict[str, int]:
        """Return the number of rows per fault, faults that do not occur left out."""
        faults = {
            "null": self.null,
            "empty": self.empty,
            "unreadable": self.unreadable,
            "invalid": self.invalid,
        }
        return {name: len(rows) for name, rows in faults.items() if len(rows)}


def geometry_faults(layer: Layer, *, validity: bool = True) -> GeometryFaults:
    """Find null, empty, unreadable and invalid geometries.

    Parameters
    ----------
    layer : Layer
    validity : bool
        Also ask GEOS whether each polygon is valid (some two seconds for a million small polygons; the rest
        is nearly free once the geometries exist).

    Examples
    --------
    >>> import geopandas, shapely
    >>> from regionalize.model.layer import Layer
    >>> bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    >>> layer = Layer.from_frame(geopandas.GeoDataFrame(geometry=[bow, None, shapely.Polygon()]))
    >>> geometry_faults(layer).counts()
    {'null': 1, 'empty': 1, 'invalid': 1}
    """
    import shapely

    nothing = np.zeros(0, dtype=np.int64)
    if not layer.has_geometry:
        return GeometryFaults(nothing, nothing, nothing, nothing)
    shapes = layer.geometry
    missing = shapely.is_missing(shapes)
    no_bytes = missing if layer.wkb is None else np.asarray(layer.wkb.is_null())
    empty = shapely.is_empty(shapes)
    invalid = ~(shapely.is_valid(shapes) | missing | empty) if validity else np.zeros(len(shapes), dtype=bool)
    return GeometryFaults(
        null=np.flatnonzero(no_bytes),
        empty=np.flatnonzero(empty & ~missing),
        unreadable=np.flatnonzero(missing & ~no_bytes),
        invalid=np.flatnonzero(invalid),
    )
