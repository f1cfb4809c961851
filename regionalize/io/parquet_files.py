"""A layer in Parquet files, one or a folder of parts: what their metadata tell, and rows of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.errors import DataError, located
from regionalize.io.column_choice import ColumnChoice, choose_columns
from regionalize.io.content import check_rows
from regionalize.io.parquet import (
    ParquetSchema,
    parquet_filtered,
    parquet_layer,
    parquet_layer_name,
    parquet_origin,
    parquet_schema,
    parquet_understood,
)
from regionalize.io.parquet_metadata import schema_of
from regionalize.io.refusals import refuse_no_rows
from regionalize.io.source import Source, parquet_parts
from regionalize.model.layer import Layer, LayerOrigin
from regionalize.model.record import history_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class RowGroup:
    """Rows of a file that are stored together: its path, their number in it, and how many they are."""

    path: str
    number: int
    rows: int


@dataclass(frozen=True)
class ParquetFiles:
    """A layer, none of whose rows has been read.

    Attributes
    ----------
    schema : ParquetSchema
        What the files say of their columns.
    kinds : pyarrow.Schema
        Types of the columns that all files have.
    origin : LayerOrigin
        Where the layer is from.
    where : str or None
        Filter of the rows.
    """

    schema: ParquetSchema
    kinds: pa.Schema
    origin: LayerOrigin
    where: str | None

    def choose(self, columns: Sequence[str] | None, geometry: bool) -> tuple[ColumnChoice, list[str]]:
        """Choose the columns of a layer, and all that are read for it, with the geometry or without."""
        left_out = {*self.schema.unnamed, self.schema.geometry}
        there = [name for name in self.kinds.names if name not in left_out]
        choice = choose_columns(there, columns, self.where)
        shapes = [self.schema.geometry] if geometry and self.schema.geometry else []
        return choice, [*choice.read, *shapes]

    def layer(self, table: pa.Table, choice: ColumnChoice) -> Layer:
        """Return the rows of a table that satisfy the filter, of the types that all files have."""
        import pyarrow as pa

        kinds = pa.schema([self.kinds.field(name) for name in table.column_names])
        if not table.schema.equals(kinds):  # a part in which all values of a column are missing
            table = table.cast(kinds)
        found = parquet_layer(table, self.schema, self.origin)
        if self.where is not None:
            found = parquet_filtered(found, self.where)
        return replace(
            found,
            attributes=found.attributes.select(list(choice.kept)),
            history=history_of(self.schema.history, choice.kept),
        )

    def head(self, columns: Sequence[str] | None = None, geometry: bool = True) -> Layer:
        """Return the layer without rows, and with what was noticed on opening it."""
        choice, names = self.choose(columns, geometry)
        return replace(self.layer(self.kinds.empty_table().select(names), choice), notes=self.schema.notes)


def open_parquet(
    source: Source, layer: str | None, where: str | None
) -> tuple[ParquetFiles, tuple[RowGroup, ...]]:
    """Find the rows of a Parquet file, or of a folder of parts, from their metadata alone.

    Parameters
    ----------
    source : Source
        A file, or a folder whose parts are in the order of their names.
    layer : str or None
        Its name: there is only one.
    where : str or None
        Filter, as `regionalize.io.read.read_layer` takes it.

    Raises
    ------
    DataError
        What is no Parquet, damaged or empty; parts that do not belong together.
    """
    import pyarrow.parquet as pq

    name = parquet_layer_name(source, layer)
    assert source.path is not None
    paths = parquet_parts(source.path) if source.path.is_dir() else [source.path]
    schemas, groups = [], []
    for path in paths:
        with located(str(path)), parquet_understood(), pq.ParquetFile(path, pre_buffer=False) as file:
            about = file.metadata
            check_rows(about.num_rows, path.stat().st_size)
            schemas.append(schema_of(file))
            groups += [
                RowGroup(str(path), number, about.row_group(number).num_rows)
                for number in range(about.num_row_groups)
            ]
    kinds = _common_schema(paths, schemas)
    schema = parquet_schema(kinds)
    files = ParquetFiles(schema, kinds.remove_metadata(), parquet_origin(schema, source, name), where)
    if not sum(group.rows for group in groups):
        refuse_no_rows(0, where)
    files.head()  # names and the filter can be understood
    return files, tuple(groups)


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
        apart = sorted(set(first.names) ^ set(schema.names))
        what = None
        if apart or other.geometry != about[0].geometry:
            what = "columns are not those"
        elif other.crs != about[0].crs:
            what = "coordinate system is not that"
        if what is not None:
            which = f": '{apart[0]}' is in one of them only" if apart else ""
            raise DataError(
                f"its {what} of {files[0].name}{which}",
                file=str(path),
                advice="name one of the files, or put only parts of one layer into the folder",
            )
    try:
        common = pa.unify_schemas([schema.remove_metadata() for schema in schemas])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise _different_types(files, schemas) from None
    metadata = dict(first.metadata or {})
    if about[0].geo is not None:
        kinds = [set(other.about.get("geometry_types") or []) for other in about]
        geo = json.loads(metadata[b"geo"])
        shapes = geo["columns"][about[0].geometry]
        shapes["geometry_types"] = sorted(set().union(*kinds)) if all(kinds) else []
        shapes.pop("bbox", None)  # that of the first part
        metadata[b"geo"] = json.dumps(geo).encode()
    return common.with_metadata(metadata)


def _different_types(files: Sequence[Path], schemas: Sequence[pa.Schema]) -> DataError:
    """Say which part has a column of another type than a part before it."""
    import pyarrow as pa

    known: dict[str, tuple[pa.DataType, str]] = {}
    for path, schema in zip(files, schemas, strict=True):
        for field in schema:
            if pa.types.is_null(field.type):  # all values are missing, which goes with every type
                continue
            kind, earlier = known.setdefault(field.name, (field.type, path.name))
            if kind != field.type:
                return DataError(
                    f"it holds {field.type}, and {earlier} {kind}",
                    file=str(path),
                    column=field.name,
                    advice="write all parts with the same types",
                )
    raise AssertionError("types differ")
