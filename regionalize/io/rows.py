"""Layers cut into runs of rows, and laid end to end."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from regionalize.model.layer import Layer

if TYPE_CHECKING:
    import pyarrow as pa


def sliced(layer: Layer, start: int, rows: int) -> Layer:
    """Return up to `rows` rows from a row on, without copying them."""
    if start == 0 and rows >= len(layer):
        return layer
    known = layer.origin.metadata
    if "fids" in known:
        known = known | {"fids": known["fids"].slice(start, rows)}
    return replace(
        layer,
        attributes=_sliced(layer.attributes, start, rows),
        wkb=None if layer.wkb is None else layer.wkb.slice(start, rows),
        origin=replace(layer.origin, metadata=known),
        shapes=None if layer.shapes is None else layer.shapes[start : start + rows],
    )


def joined(layers: Sequence[Layer]) -> Layer:
    """Lay layers of the same columns end to end, without copying their rows.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not layers:
        raise ValueError("there is no layer")
    first = layers[0]
    if len(layers) == 1:
        return first
    known = first.origin.metadata
    if "fids" in known:
        known = known | {"fids": _end_to_end([layer.origin.metadata["fids"] for layer in layers])}
    with_shapes = any(layer.shapes is not None for layer in layers)
    return replace(
        first,
        attributes=_concatenated([layer.attributes for layer in layers]),
        wkb=None if first.wkb is None else _end_to_end([layer.wkb for layer in layers]),
        origin=replace(first.origin, metadata=known),
        shapes=np.concatenate([layer.geometry for layer in layers]) if with_shapes else None,
        misread=ChainMap(*(layer.misread for layer in layers)),  # type: ignore[arg-type]  # none is written to
    )


def _end_to_end(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], type=columns[0].type)


def _sliced(table: pa.Table, start: int, rows: int) -> pa.Table:
    if table.num_columns:
        return table.slice(start, rows)
    return _without_columns(max(min(rows, len(table) - start), 0))


def _concatenated(tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables) if tables[0].num_columns else _without_columns(sum(map(len, tables)))


def _without_columns(rows: int) -> pa.Table:
    """Return a table of no columns that has rows all the same: Arrow forgets them in most operations."""
    import pyarrow as pa

    return pa.table({"": pa.nulls(rows)}).select([])
