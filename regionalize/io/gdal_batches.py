"""Rows of whatever GDAL reads, some at a time."""

from __future__ import annotations

import json
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, located
from regionalize.io import gdal
from regionalize.io.column_choice import choose_columns
from regionalize.io.database_numbers import NoNumbers
from regionalize.io.gdal_layer import (
    csv_geometry,
    describe,
    heard,
    linear_shapes,
    prepared,
    split,
    stream_options,
)
from regionalize.io.gdal_messages import misread_notes
from regionalize.io.layers import choose_layer
from regionalize.io.refusals import refuse_no_rows, understood
from regionalize.io.seen import Seen, check_rows, misread_dates
from regionalize.io.source import Source
from regionalize.io.text import (
    LIKE_UTF8,
    NOT_UTF8,
    decoded,
    fallback_encoding,
    guessed_encoding,
    latin1_filter,
    mend_text,
    misread_utf8,
    unreadable_column,
    unreadable_row,
)
from regionalize.model.layer import Layer
from regionalize.model.record import history_of

if TYPE_CHECKING:
    import pyarrow as pa

_GDAL_TYPES = {
    "int32": {"type": "Integer"},
    "int64": {"type": "Integer64"},
    "double": {"type": "Real"},
    "string": {"type": "String"},
    "bool": {"type": "Integer", "subType": "Boolean"},
    "date32[day]": {"type": "Date"},
    "time32[ms]": {"type": "Time"},
    "timestamp[ms]": {"type": "DateTime"},
}
"""What GDAL calls the types that it finds in a CSV file."""
_SCANNED = 1 << 14
"""Rows that are looked at together, when all are looked at before any is read."""


@dataclass(frozen=True)
class Text:
    """How text is read: what GDAL is told, and what is then made of it.

    Attributes
    ----------
    encoding : str or None
        For GDAL.
    codec : str or None
        What text that was read as Latin-1, byte for byte, really is in.
    where : str or None
        The filter, as GDAL needs it for that.
    stated : str or None
        The encoding that the layer is said to have been read in.
    notes : tuple of str
    """

    encoding: str | None
    codec: str | None
    where: str | None
    stated: str | None
    notes: tuple[str, ...] = ()


class GdalRows:
    """Rows of a layer that GDAL reads, with the columns asked for."""

    def __init__(
        self,
        source: Source,
        layer: str | None,
        where: str | None,
        codec: str | None,
        columns: Sequence[str] | None,
        geometry: bool,
    ) -> None:
        with understood(source, where):
            self._layer, notes = choose_layer(source, layer)
        self._whole: GdalRows | None = None
        self._said: list[str] = []
        self._misread: dict[str, str] = {}
        held = ExitStack()
        weakref.finalize(self, held.close)  # of temporary copies
        with located("", self._layer or ""):
            dataset, more = held.enter_context(prepared(source, codec))
            self._source, self._where = replace(source, dataset=dataset), where
            self._options: dict[str, Any] = {}
            self._text = self._settle_text(codec)
            try:
                meta, raw = self._look()
            except UnicodeDecodeError as error:  # a column name
                raise DataError(NOT_UTF8, advice=mend_text(source.format)) from error
            names = self._attributes(raw, 0).column_names
            choose_columns(names, columns, where)  # refused before anything is read
            self._given = dict(zip(names, raw.attributes.column_names, strict=True))
            self._about = describe(self._source, self._layer, meta, self._text.stated)
            self._crs = self._about.crs
            notes = (*notes, *more, *self._text.notes, *self._about.notes)
            if source.format == "CSV":
                self._keep_types(raw.attributes)
                if geometry and not self._has_geometry(raw):
                    geometry, self._crs = False, None
                elif raw.wkb is not None:
                    self._crs, more = csv_geometry(names, self._crs)
                    notes += more if geometry else ()
            self._geometry, self._notes, self._checked = geometry, notes, False
            self.count = self._about.count if where is None else None
            self._take(columns, geometry)
            if self.count == 0:
                refuse_no_rows(0, where)

    def only(self, columns: Sequence[str], geometry: bool) -> GdalRows:
        """Return the same rows with some of the columns, without looking at the file anew."""
        found = copy(self)
        found._whole = self  # whose temporary copies are read
        with located("", self._layer or ""):
            found._take(columns, geometry)
        return found

    def _take(self, columns: Sequence[str] | None, geometry: bool) -> None:
        """Settle what is read."""
        self._columns = choose_columns(list(self._given), columns, self._where)
        geometry = geometry and self._geometry
        self._options = dict(self._options)
        if not geometry:
            self._options["read_geometry"] = False
        if len(self._columns.read) < len(self._given):
            self._options["columns"] = [self._given[name] for name in self._columns.read]
        self.head = replace(self._piece(self._look()[1], 0), notes=self._notes)
        source, rows = self._source, self._about.count
        known = rows and geometry and source.path is not None and source.path.is_file()
        self.row_bytes = source.size() / rows if known and rows else None

    def pieces(self, rows: int) -> Iterator[Layer]:
        """Give all rows once, in file order, in layers of at most `rows` rows."""
        seen = Seen()
        with located("", self._layer or ""), closing(self._stream(rows)) as stream:
            for raw in stream:
                yield self._piece(raw, seen.rows)
                seen.add(raw.attributes, raw.wkb, raw.fids)
            if not self._checked:
                check_rows(self._source, self._layer, self._about, seen, self._where)
                dates = misread_dates(self._source, self._layer, self._text.where, seen)
                self._note(misread_notes(dates))
                self._checked = True
            refuse_no_rows(seen.rows, self._where)
        if self._where is None:
            self.count = seen.rows

    def _piece(self, raw: Raw, start: int) -> Layer:
        """Make a layer of rows, the first of which is number `start` of those selected."""
        origin, misread = self._about.origin, raw.misread
        if raw.fids is not None:
            origin = replace(origin, fid_name=raw.fid_name, metadata={"fids": raw.fids})
            if not self._source.member:  # SQLite reads no archives
                misread = NoNumbers(
                    self._source, origin.layer, raw.fid_name, raw.fids, raw.attributes, misread
                )
        shapes = linear_shapes(self._source, self._layer, self._text.where, raw.wkb, start)
        attributes = self._attributes(raw, start).select(self._columns.kept)
        history = history_of(self._about.history, self._columns.kept)
        return Layer(attributes, raw.wkb, self._crs, origin, shapes=shapes, history=history, misread=misread)

    def _attributes(self, raw: Raw, start: int) -> pa.Table:
        """Return columns with their text decoded."""
        table = raw.attributes
        if self._text.codec is not None:
            return decoded(table, self._text.codec)
        bad = unreadable_column(table)
        if bad is not None:
            row = None if self._where is not None else start + unreadable_row(table[bad]) + 1
            raise DataError(NOT_UTF8, column=bad, row=row, advice=mend_text(self._source.format))
        return table

    def _settle_text(self, codec: str | None) -> Text:
        """Settle how text is read for the whole file: a shapefile may be in any encoding, and say another."""
        source, where = self._source, self._where
        if source.format != "shapefile" or codec == "utf-8":
            return Text(codec if source.format == "shapefile" else None, None, where, codec)
        if codec is None:
            self._text = Text(None, None, where, None)
            like_utf8 = False
            with suppress(UnicodeDecodeError):  # a column name
                for table in self._texts():
                    if unreadable_column(table) is not None:
                        break
                    like_utf8 = like_utf8 or misread_utf8(source, table)
                else:
                    return replace(self._text, notes=(LIKE_UTF8,) if like_utf8 else ())
        chosen, guessed = (codec, False) if codec is not None else fallback_encoding(source)
        notes = (guessed_encoding(chosen),) if guessed else ()
        return Text("ISO-8859-1", chosen, latin1_filter(where, chosen), chosen, notes)

    def _texts(self) -> Iterator[pa.Table]:
        """Give the columns of text, some rows at a time."""
        import pyarrow as pa

        _, raw = self._look()
        schema = raw.attributes.schema
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        if not texts:
            return
        columns = choose_columns(schema.names, texts, self._where).read
        with closing(self._stream(_SCANNED, columns=list(columns), read_geometry=False)) as stream:
            yield from (found.attributes for found in stream)

    def _keep_types(self, table: pa.Table) -> None:
        """Tell GDAL the types in a CSV file: to find them, it reads all of it whenever it is opened."""
        import pyogrio

        kinds = [_GDAL_TYPES.get(str(kind)) for kind in table.schema.types]
        if None in kinds or pyogrio.__gdal_version__ < (3, 11, 0):
            return
        with gdal.quiet():
            layer = str(pyogrio.list_layers(self._source.dataset)[0, 0])
        columns = [
            {"name": name, **(kind or {})} for name, kind in zip(table.column_names, kinds, strict=True)
        ]
        known = json.dumps({"layers": [{"name": layer, "fields": columns}]})
        self._options |= {"AUTODETECT_TYPE": "NO", "OGR_SCHEMA": known}
        if not self._look()[1].attributes.schema.equals(table.schema):
            del self._options["AUTODETECT_TYPE"], self._options["OGR_SCHEMA"]

    def _has_geometry(self, raw: Raw) -> bool:
        """Whether any row of a CSV file has a geometry: columns may only be called as if."""
        if raw.wkb is None:
            return False
        columns = choose_columns(raw.attributes.column_names, [], self._where).read
        with closing(self._stream(_SCANNED, columns=list(columns))) as stream:
            shapes = (found.wkb for found in stream)
            return any(wkb is not None and wkb.null_count < len(wkb) for wkb in shapes)

    def _look(self) -> tuple[dict[str, Any], Raw]:
        """Open the layer; return its description, and its columns without rows."""
        with self._opened(1) as (meta, reader):
            table = reader.schema.empty_table()
        return meta, Raw(*split(table, meta, self._source), meta["fid_column"])

    def _stream(self, rows: int, **options: Any) -> Generator[Raw]:
        """Give what GDAL reads, as it is, at most `rows` rows at a time."""
        import pyarrow as pa

        with self._opened(rows, **options) as (meta, reader):
            while True:
                with heard(self._source, self._text.where, self._layer) as said:
                    batch = next(reader, None)
                self._note(said.notes())
                if batch is None:
                    return
                table, wkb, fids = split(pa.Table.from_batches([batch]), meta, self._source)
                misread = said.misread_columns(table.column_names)
                self._note(
                    misread_notes({name: misread[name] for name in misread if name not in self._misread})
                )
                self._misread |= misread
                yield Raw(table, wkb, fids, meta["fid_column"], misread)

    @contextmanager
    def _opened(self, rows: int, **options: Any) -> Iterator[tuple[dict[str, Any], Any]]:
        import pyogrio.raw

        where, encoding = self._text.where, self._text.encoding
        told = stream_options(self._source, self._layer, where, encoding) | self._options | options
        with ExitStack() as held:
            with heard(self._source, where, self._layer) as said:
                stream = pyogrio.raw.open_arrow(
                    self._source.dataset, batch_size=rows, use_pyarrow=True, **told
                )
                meta, reader = held.enter_context(stream)
            self._note(said.notes())
            yield meta, reader

    def _note(self, notes: Sequence[str]) -> None:
        """Keep what was noticed, once."""
        self._said += [note for note in notes if note not in self._said]

    @property
    def said(self) -> tuple[str, ...]:
        """What was noticed while rows were read."""
        return (*self._said, *misread_notes(self._misread))


@dataclass(frozen=True)
class Raw:
    """Rows as GDAL reads them.

    Attributes
    ----------
    attributes : pyarrow.Table
    wkb, fids : pyarrow.ChunkedArray or None
    fid_name : str
        What the identifiers of rows are called in the file.
    misread : dict of str to str
        As `Layer` has it.
    """

    attributes: pa.Table
    wkb: pa.ChunkedArray | None
    fids: pa.ChunkedArray | None
    fid_name: str
    misread: Mapping[str, str] = field(default_factory=dict)
