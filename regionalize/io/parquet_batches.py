"""Rows of Parquet files, some at a time: one file, or a folder of parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, located
from regionalize.io.column_choice import choose_columns
from regionalize.io.parquet import (
    parquet_filtered,
    parquet_layer,
    parquet_layer_name,
    parquet_origin,
    parquet_schema,
    parquet_understood,
)
from regionalize.io.refusals import refuse_no_rows
from regionalize.io.source import Source, parquet_parts
from regionalize.model.layer import Layer
from regionalize.model.record import history_of

if TYPE_CHECKING:
    import pyarrow as pa

_PAGE = 1 << 18
"""Bytes that are read ahead in each column, instead of the whole of its part in a row group."""
_SAMPLED = 8
"""Row groups that tell how long rows are."""
_KEPT = 1 << 25
"""Bytes that are read before memory is given back."""


class ParquetRows:
    """Rows of a Parquet file, or of the parts in a folder, with the columns asked for."""

    def __init__(
        self,
        source: Source,
        layer: str | None,
        where: str | None,
        columns: Sequence[str] | None,
        geometry: bool,
    ) -> None:
        name = parquet_layer_name(source, layer)
        assert source.path is not None
        self._where = where
        self._files = parquet_parts(source.path) if source.path.is_dir() else [source.path]
        parts = [_look(path) for path in self._files]
        schema, count = (
            _common_schema(self._files, [part.schema for part in parts]),
            sum(p.rows for p in parts),
        )
        self._kinds, self._schema = schema.remove_metadata(), parquet_schema(schema)
        self._origin = parquet_origin(self._schema, source, name)
        left_out = {*self._schema.unnamed, self._schema.geometry}
        there = [name for name in schema.names if name not in left_out]
        self._columns = choose_columns(there, columns, where)
        shapes = self._schema.geometry if geometry else None
        self._read = [*self._columns.read, *([] if shapes is None else [shapes])]
        self.row_bytes: float | None = _row_bytes(self._files[0], self._read)
        self.count: int | None = count if where is None else None
        if self.count == 0:
            refuse_no_rows(0, where)
        empty = schema.remove_metadata().empty_table()
        if where is not None:
            parquet_filtered(parquet_layer(empty, self._schema, self._origin), where)  # can it be understood?
        history = history_of(self._schema.history, there)
        self.head = replace(self._layer(empty), notes=self._schema.notes, history=history)

    def pieces(self, rows: int) -> Iterator[Layer]:
        """Give all rows once, in file order, in layers of at most `rows` rows."""
        import pyarrow as pa

        seen = 0
        for path in self._files:
            with located(str(path)), parquet_understood(), _opened(path) as file:
                for batch in _released(
                    file.iter_batches(batch_size=rows, columns=self._read, use_threads=False)
                ):
                    layer = self._layer(pa.Table.from_batches([batch]))
                    if self._where is not None:
                        layer = parquet_filtered(layer, self._where)
                        layer = replace(layer, attributes=layer.attributes.select(self._columns.kept))
                    seen += len(layer)
                    yield layer
        refuse_no_rows(seen, self._where)

    def _layer(self, table: pa.Table) -> Layer:
        import pyarrow as pa

        names = [name for name in table.column_names if name in self._read]  # of 'a', Parquet gives 'a.b' too
        table = table.select(names)
        kinds = pa.schema([self._kinds.field(name) for name in names])
        if not table.schema.equals(kinds):  # a part in which all values of a column are missing
            table = table.cast(kinds)
        return parquet_layer(table, self._schema, self._origin)


@dataclass(frozen=True)
class _Part:
    """What the end of a Parquet file says: its columns and the number of its rows."""

    schema: pa.Schema
    rows: int


def _look(path: Path) -> _Part:
    with located(str(path)), parquet_understood(), _opened(path) as file:
        return _Part(file.schema_arrow, file.metadata.num_rows)


def _row_bytes(path: Path, names: Sequence[str]) -> float:
    """Return how long a row is when it is unpacked, by the first row groups of a file."""
    wanted, size, rows = set(names), 0, 0
    with _opened(path) as file:
        for number in range(min(file.metadata.num_row_groups, _SAMPLED)):
            group = file.metadata.row_group(number)
            rows += group.num_rows
            columns = (group.column(place) for place in range(group.num_columns))
            size += sum(
                one.total_uncompressed_size for one in columns if wanted & {one.path_in_schema.split(".")[0]}
            )
    return size / max(rows, 1)


def _common_schema(files: Sequence[Path], schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the columns of all parts, with the metadata of the first and the kinds of geometry of all.

    Raises
    ------
    DataError
        If the parts do not belong together.
    """
    import pyarrow as pa

    if len(schemas) == 1:
        return schemas[0]
    first, about = schemas[0], [parquet_schema(schema) for schema in schemas]
    for path, schema, other in zip(files[1:], schemas[1:], about[1:], strict=True):
        same = other.geometry == about[0].geometry and other.crs == about[0].crs
        if sorted(schema.names) != sorted(first.names) or not same:
            raise DataError(
                f"its columns or its coordinate system are not those of {files[0].name}",
                file=str(path),
                advice="name one of the files, or put only parts of one layer into the folder",
            )
    try:
        common = pa.unify_schemas([schema.remove_metadata() for schema in schemas])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"its parts have columns of different types: {error}", advice="write them with the same types"
        ) from error
    metadata = dict(first.metadata or {})
    if about[0].geo is not None:
        kinds = [set(other.about.get("geometry_types") or []) for other in about]
        union = sorted(set().union(*kinds)) if all(kinds) else []
        geo = json.loads(metadata[b"geo"])
        geo["columns"][about[0].geometry]["geometry_types"] = union
        metadata[b"geo"] = json.dumps(geo).encode()
    return common.with_metadata(metadata)


def _released(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give memory back to the system now and then: Arrow keeps what it no longer needs."""
    import pyarrow as pa

    kept = 0
    for batch in batches:
        yield batch
        kept += batch.nbytes
        if kept >= _KEPT:
            pa.default_memory_pool().release_unused()
            kept = 0


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file so that no more of it is held than what is asked for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pa.OSFile(str(path)) as raw, pq.ParquetFile(raw, buffer_size=_PAGE, pre_buffer=False) as file:
        yield file
