"""What the metadata of a Parquet file say of its columns, from whoever wrote it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_INDEXES = ("__index", "__null_dask_index__")


def schema_of(file: pq.ParquetFile) -> pa.Schema:
    """Return the columns of a file with the metadata that come with its rows.

    ``schema_arrow`` has Arrow's own copy of the metadata instead. Other programs do not know it, and may have
    changed what the file says.
    """
    return file.read_row_groups([]).schema


def geo_metadata(schema: pa.Schema) -> dict[str, Any] | None:
    """Return the metadata of GeoParquet, None where there is none.

    What is said of columns is of the right types. Boxes that cover the geometry are left out where they are
    not understood: nothing depends on them.

    Raises
    ------
    DataError

    Examples
    --------
    >>> import pyarrow as pa
    >>> geo_metadata(pa.schema([], {"geo": "[]"}))
    Traceback (most recent call last):
    regionalize.errors.DataError: its 'geo' metadata cannot be understood; get the file again
    """
    raw = (schema.metadata or {}).get(b"geo")
    if raw is None:
        return None
    try:
        geo = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError("its 'geo' metadata is not JSON", advice="get the file again") from error
    columns = geo.get("columns") or {} if isinstance(geo, dict) else None
    if not isinstance(columns, dict) or not all(_is_about(about) for about in columns.values()):
        raise DataError("its 'geo' metadata cannot be understood", advice="get the file again")
    for about in columns.values():
        if not _is_covering(about.get("covering")):
            about.pop("covering", None)
    found: dict[str, Any] = geo
    return found


def _is_about(about: Any) -> bool:
    """Whether this can be said of a column."""
    if not isinstance(about, dict) or not isinstance(about.get("encoding", ""), str):
        return False
    kinds = about.get("geometry_types") or []
    return isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)


def _is_covering(covering: Any) -> bool:
    """Whether this names a column of boxes, and what in it is which side."""
    bbox = covering.get("bbox") if isinstance(covering, dict) else None
    if not isinstance(bbox, dict):
        return False
    sides = [bbox.get(side) for side in ("xmin", "ymin", "xmax", "ymax")]
    return all(isinstance(side, list) and side and isinstance(side[0], str) for side in sides)


def unnamed_index(schema: pa.Schema) -> tuple[str, ...]:
    """Name the columns that are the unnamed index pandas or Dask stores; a named one is a column.

    Examples
    --------
    >>> import pyarrow as pa
    >>> kept = {"pandas": '{"index_columns": ["__index_level_0__", "town"]}'}
    >>> unnamed_index(pa.schema([("__index_level_0__", pa.int64()), ("town", pa.string())], kept))
    ('__index_level_0__',)
    """
    try:
        pandas = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        indexes = pandas["index_columns"]
        named = [name for name in indexes if isinstance(name, str) and name.startswith(_INDEXES)]
    except (ValueError, RecursionError, TypeError, KeyError):  # it is pandas' own business
        return ()
    return tuple(name for name in named if name in schema.names)
