"""`RowBatches`: the rows of a layer that need not fit into memory, some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from regionalize.errors import DataError, legible, located
from regionalize.io.column_choice import choose_columns
from regionalize.io.gdal_batches import GdalRows
from regionalize.io.parquet_batches import ParquetRows
from regionalize.io.read import read_source
from regionalize.io.rows import joined, sliced
from regionalize.io.source import Source, find_source
from regionalize.io.text import codec_name
from regionalize.model.layer import Layer

LARGEST_BATCH = 1 << 27
"""Bytes of a batch, about: of long rows, as of polygons of very many points, there are fewer in one."""
LARGEST_WHOLE = 1 << 28
"""Bytes of a file that is read whole, because its format cannot be read otherwise."""


class Rows(Protocol):
    """The rows of one layer, in pieces: what the formats have in common."""

    head: Layer
    count: int | None
    row_bytes: float | None

    @property
    def said(self) -> Sequence[str]:
        """What was noticed while rows were read."""
        ...

    def only(self, columns: Sequence[str], geometry: bool) -> Rows:
        """Return the same rows with some of the columns."""
        ...

    def pieces(self, rows: int) -> Iterator[Layer]:
        """Give all rows once, in file order, in layers of at most `rows` rows."""
        ...


class RowBatches:
    """The rows of a layer in file order, some at a time, as often as they are asked for.

    What is held in memory is a batch, whatever the size of the file. The batches laid end to end are what
    `regionalize.io.read.read_layer` reads: columns, types, nulls, geometry bytes.

    GeoParquet (a file, or a folder of its parts, sorted by name, the numbers in them as numbers), GeoPackage,
    CSV, FlatGeobuf, shapefiles and most of what else GDAL reads are read piece by piece. KML, Parquet in an
    archive and what comes through a pipe are read whole when they are small, and refused otherwise.

    Parameters
    ----------
    path, layer, where, encoding
        As for `regionalize.io.read.read_layer`. A filter sees one row at a time.
    columns : sequence of str, optional
        Columns to read; all by default. The others are not read. The order is the file's.
    geometry : bool
        Whether the geometry is read.
    rows : int
        Rows of a batch. All batches have as many, but for the last; fewer where rows are so long that a
        batch would be of more than 128 MB.

    Attributes
    ----------
    head : Layer
        No rows: columns, types, reference system, origin, history, and what was noticed while opening it.
    count : int or None
        Number of rows, where the file tells and there is no filter. None: nobody knows without reading it.

    Raises
    ------
    DataError
        As `regionalize.io.read.read_layer` does. What is wrong in the middle of a file, or that no row
        satisfies `where`, shows only while it is read.
    ValueError
        If `rows` is less than 1.

    Examples
    --------
    >>> batches = RowBatches(None, columns=["name"], rows=100)
    >>> batches.count, batches.head.column_names, batches.head.crs
    (159, ['name'], 'EPSG:26716')
    >>> [len(batch) for batch in batches]
    [100, 59]
    >>> next(iter(batches)).attributes["name"][0].as_py()
    'Appling'
    """

    def __init__(
        self,
        path: str | Path | None,
        *,
        layer: str | None = None,
        where: str | None = None,
        encoding: str | None = None,
        columns: Sequence[str] | None = None,
        geometry: bool = True,
        rows: int = 65536,
    ) -> None:
        if rows < 1:
            raise ValueError(f"a batch of {rows} rows")
        with legible(str(path)):
            source, chosen = find_source(path, layer)
        self._shown = source.shown
        self._rows: Rows
        with located(source.shown, chosen or ""), legible(source.shown):
            codec = None if encoding is None else codec_name(encoding, source.format)
            if _only_whole(source):
                _refuse_large(source)
                whole = read_source(source, chosen, where, encoding)
                self._rows = _Whole(whole, columns, geometry)
            elif source.format == "GeoParquet":
                self._rows = ParquetRows(source, chosen, where, columns, geometry)
            else:
                self._rows = GdalRows(source, chosen, where, codec, columns, geometry)
        self._settle(rows)

    def only(self, columns: Sequence[str], *, geometry: bool = True) -> RowBatches:
        """Return the same rows with some of the columns, without opening the layer anew.

        Parameters
        ----------
        columns : sequence of str
            Columns to read.
        geometry : bool
            Whether the geometry is read, if it is read here.

        Examples
        --------
        >>> next(iter(RowBatches(None).only(["pct_pov"], geometry=False))).column_names
        ['pct_pov']
        """
        found = copy(self)
        with located(self._shown):
            found._rows = self._rows.only(columns, geometry)
        found._settle(self._asked)
        return found

    def _settle(self, rows: int) -> None:
        """Settle how many rows a batch has, of as many as were asked for."""
        self.head, self.rows, self._asked = self._rows.head, rows, rows
        if self._rows.row_bytes is not None:
            self.rows = max(1, min(rows, int(LARGEST_BATCH / max(self._rows.row_bytes, 1))))

    @property
    def count(self) -> int | None:
        """Number of rows as the file states it; None where it does not, and where there is a filter.

        When all rows have been read once, it is the number of these.
        """
        return self._rows.count

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed while opening the file, and while reading what has been read of it."""
        return tuple(dict.fromkeys((*self.head.notes, *self._rows.said)))

    def __iter__(self) -> Iterator[Layer]:
        """Give the rows from the first on."""
        with located(self._shown):
            yield from _of_equal_size(self._rows.pieces(self.rows), self.rows)


def _only_whole(source: Source) -> bool:
    return source.format == "KML" or isinstance(source.dataset, bytes) or bool(source.member)


def _refuse_large(source: Source) -> None:
    if source.path is None:  # it is in memory already
        return
    size = sum(entry.file_size for entry in source.entries()) if source.member else source.size()
    if size > LARGEST_WHOLE:
        what = "what is in an archive" if source.member else source.format
        raise DataError(
            f"{what} cannot be read some rows at a time, and this is {size / 1e9:.1f} GB",
            advice="unpack it first" if source.member else "convert it to GeoParquet or a GeoPackage",
        )


class _Whole:
    """Rows that are in memory."""

    def __init__(self, layer: Layer, columns: Sequence[str] | None, geometry: bool) -> None:
        if columns is not None:
            chosen = choose_columns(layer.column_names, columns, None)
            layer = replace(layer, attributes=layer.attributes.select(chosen.kept))
        if not geometry:
            layer = replace(layer, wkb=None, shapes=None)
        self.count: int | None = len(layer)
        self.row_bytes: float | None = None
        self.said: Sequence[str] = ()
        self.head = sliced(layer, 0, 0)
        self._layer = replace(layer, notes=())

    def only(self, columns: Sequence[str], geometry: bool) -> _Whole:
        return _Whole(self._layer, columns, geometry)

    def pieces(self, rows: int) -> Iterator[Layer]:
        for start in range(0, len(self._layer), rows):
            yield sliced(self._layer, start, rows)


def _of_equal_size(pieces: Iterator[Layer], rows: int) -> Iterator[Layer]:
    """Put rows together anew, so that how a file stores them does not show."""
    waiting: list[Layer] = []
    held = 0
    for piece in pieces:
        start = 0
        while len(piece) - start + held >= rows:
            part = sliced(piece, start, rows - held)
            yield joined([*waiting, part])
            start, waiting, held = start + len(part), [], 0
        if start < len(piece):
            waiting.append(sliced(piece, start, len(piece)))
            held += len(waiting[-1])
    if waiting:
        yield joined(waiting)
