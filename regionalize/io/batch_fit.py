"""Rows that come some at a time, brought into the shape that a format takes all of them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from regionalize.errors import OutputError
from regionalize.io.columns import fit_names, fit_values, remark_notes
from regionalize.io.fit import name_notes, with_columns
from regionalize.io.formats import GEOPARQUET, Format
from regionalize.io.shapes import PlainShapes, fit_together, plain_shapes, without_shapes
from regionalize.io.wkb import read_headers, tally
from regionalize.model.layer import Layer

if TYPE_CHECKING:
    import pyarrow as pa


class BatchFit:
    """What `regionalize.io.fit.fit_layer` does to a layer, done to some of its rows at a time.

    Types of columns are settled by the head. What all rows must agree about, kinds and heights of geometry,
    is counted as they come (`whole`), and settled when all are there.

    Parameters
    ----------
    head : Layer
        The layer without rows.
    added : mapping of str to pyarrow type
        Columns that are added.
    form : Format

    Attributes
    ----------
    schema : pyarrow.Schema
        Columns but the geometry, as the format can hold them.
    names : dict of str to str
        What the format makes of each column's name.
    whole : PlainShapes or None
        What is known of the geometry of all rows so far; None where none is written.

    Raises
    ------
    OutputError
        What the format cannot hold, as far as the head tells.
    """

    def __init__(self, head: Layer, added: Mapping[str, pa.DataType], form: Format) -> None:
        import pyarrow as pa

        self._head, self._added, self._form = head, dict(added), form
        nothing = {name: pa.array([], kind) for name, kind in added.items()}
        before, self._covering_notes = with_columns(head, nothing, form)
        table, self._renaming_notes = (before, []) if form is GEOPARQUET else fit_names(before, form)
        self.names = dict(zip(before.column_names, table.column_names, strict=True))
        self._remarks: dict[str, str] = {}
        self.schema = self._values(table).schema
        self.whole = plain_shapes(head, form)
        self.shape_notes()

    def rows(self, layer: Layer, added: Mapping[str, Any]) -> tuple[pa.Table, pa.ChunkedArray | None]:
        """Return attributes and geometry of m rows; what the format demands of all together is still to do.

        Parameters
        ----------
        layer : Layer
            m rows, with the columns of the head.
        added : mapping of str to pyarrow array
            m values of each column that is added.

        Raises
        ------
        OutputError
            If values would be lost, or are of another type than the head said.
        """
        columns = {name: _chunked(added[name]).cast(kind) for name, kind in self._added.items()}
        before, _ = with_columns(layer, columns, self._form)
        table = self._values(before.rename_columns([self.names[name] for name in before.column_names]))
        if not table.schema.equals(self.schema):
            table = _as_before(table, self.schema)
        plain = plain_shapes(layer, self._form)
        if (plain is None) != (self.whole is None):
            raise OutputError("some rows come with geometry and others without", advice="write all alike")
        if plain is None or self.whole is None:
            return table, None
        self.whole = replace(
            self.whole,
            headers=tally([self.whole.headers, plain.headers]),
            curved=self.whole.curved + plain.curved,
            measured=self.whole.measured or plain.measured,
        )
        kind = self.whole.wkb.type
        return table, plain.wkb if plain.wkb.type == kind else plain.wkb.cast(kind)

    def notes(self, layer_name: str | None) -> tuple[str, ...]:
        """Say what changed form in the rows so far."""
        remarks: dict[str, list[str]] = {}
        for name in self.schema.names:
            if name in self._remarks:
                remarks.setdefault(self._remarks[name], []).append(name)
        said = remark_notes(remarks, self._form)
        names = name_notes(self._form, layer_name)
        covering, renamed = self._covering_notes, self._renaming_notes
        return (*self.shape_notes(), *covering, *names, *renamed, *said)

    def shape_notes(self) -> tuple[str, ...]:
        """Say what changed form in the geometry of the rows so far.

        Raises
        ------
        OutputError
            If the format cannot hold these geometries together.
        """
        if self.whole is None:
            return without_shapes(self._head, self._form)
        return fit_together(self._head, no_shapes(self.whole), self.whole, self._form).notes

    def _values(self, table: pa.Table) -> pa.Table:
        if self._form is GEOPARQUET:
            return table
        fitted, remarks = fit_values(table, self._form)
        for remark, names in remarks.items():
            for name in names:  # what rows show together is said in more words than what some of them show
                self._remarks[name] = max(self._remarks.get(name, ""), remark, key=len)
        return fitted


def no_shapes(whole: PlainShapes) -> PlainShapes:
    """Return none of the geometries that `whole` tells of."""
    nothing = whole.wkb.slice(0, 0)
    return PlainShapes(nothing, read_headers(nothing))


def _chunked(column: Any) -> pa.ChunkedArray:
    import pyarrow as pa

    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def _as_before(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Bring columns to the types that the rows before them had."""
    import pyarrow as pa

    if table.schema.names != schema.names:
        raise OutputError("rows have other columns than those before them", advice="write all alike")
    try:
        return table.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise OutputError(
            f"rows have other types than those before them: {error}", advice="write all alike"
        ) from error
