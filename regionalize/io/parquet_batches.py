"""Rows of Parquet files, some at a time: one file, or a folder of parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

from regionalize.errors import located
from regionalize.io.parquet import parquet_understood
from regionalize.io.parquet_files import open_parquet
from regionalize.io.refusals import refuse_no_rows
from regionalize.io.source import Source
from regionalize.model.layer import Layer

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
        self._files, groups = open_parquet(source, layer, where)
        self._paths = tuple(dict.fromkeys(group.path for group in groups))
        self._choice, self._names = self._files.choose(columns, geometry)
        self.said: Sequence[str] = ()
        self.row_bytes: float | None = _row_bytes(self._paths[0], self._names)
        self.count: int | None = sum(group.rows for group in groups) if where is None else None
        self.head = self._files.head(columns, geometry)

    def only(self, columns: Sequence[str], geometry: bool) -> ParquetRows:
        """Return the same rows with some of the columns, without looking at the files anew."""
        found = copy(self)
        found._choice, found._names = self._files.choose(columns, geometry)
        found.row_bytes = _row_bytes(self._paths[0], found._names)
        found.head = self._files.head(columns, geometry)
        return found

    def pieces(self, rows: int) -> Iterator[Layer]:
        """Give all rows once, in file order, in layers of at most `rows` rows."""
        import pyarrow as pa

        seen = 0
        for path in self._paths:
            with located(path), parquet_understood(), _opened(path) as file:
                for batch in _released(
                    file.iter_batches(batch_size=rows, columns=self._names, use_threads=False)
                ):
                    table = pa.Table.from_batches([batch]).select(self._names)  # of 'a', it gives 'a.b' too
                    layer = self._files.layer(table, self._choice)
                    seen += len(layer)
                    yield layer
        refuse_no_rows(seen, self._files.where)


def _row_bytes(path: str, names: Sequence[str]) -> float:
    """Return how long a row is when it is unpacked, by the first row groups of a file."""
    wanted, size, rows = set(names), 0, 0
    with parquet_understood(), _opened(path) as file:
        paths = [file.schema.column(place).path for place in range(len(file.schema))]
        places = [place for place, name in enumerate(paths) if name.split(".")[0] in wanted]
        for number in range(min(file.metadata.num_row_groups, _SAMPLED)):
            # asked of a damaged column, Arrow ends the process; reading it is refused in the usual way
            next(file.iter_batches(1, [number], list(names), use_threads=False), None)
            group = file.metadata.row_group(number)
            rows += group.num_rows
            size += sum(group.column(place).total_uncompressed_size for place in places)
    return size / max(rows, 1)


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
def _opened(path: str) -> Iterator[Any]:
    """Open a Parquet file so that no more of it is held than what is asked for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with (
        pa.OSFile(os.fsencode(path)) as raw,
        pq.ParquetFile(raw, buffer_size=_PAGE, pre_buffer=False) as file,
    ):
        yield file
