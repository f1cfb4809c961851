"""`batch_writer`: a layer that need not fit into memory, written some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.errors import OutputError, listed, located
from regionalize.io.atomic import staging, target_of
from regionalize.io.batch_files import IN_BATCHES, BatchFile, Destination, batch_file
from regionalize.io.batch_fit import BatchFit
from regionalize.io.check_output import check_path
from regionalize.io.formats import Format, find_format
from regionalize.io.history import history_text
from regionalize.io.lock import alone
from regionalize.io.staged import complete_layer, place_layer, put_in_place, short_of_space, told
from regionalize.io.styles import renamed_style, style_beside
from regionalize.model.layer import Layer
from regionalize.model.record import RunRecord, history_of, renamed
from regionalize.model.style import Style

if TYPE_CHECKING:
    import pyarrow as pa


class BatchWriter:
    """Takes the rows of a layer, some at a time: it is called with them.

    Attributes
    ----------
    rows : int
        How many rows it has taken.
    notes : tuple of str
        What changed form on the way; all of it when the block of `batch_writer` has ended.
    """

    def __init__(self, path: str | Path, folder: Path, fit: BatchFit, file: BatchFile) -> None:
        self.rows = 0
        self.notes: tuple[str, ...] = ()
        self._path, self._folder, self._fit, self._file = path, folder, fit, file

    def __call__(self, layer: Layer, added: Mapping[str, pa.Array | pa.ChunkedArray]) -> None:
        """Write rows after those written before.

        Parameters
        ----------
        layer : Layer
            m rows, with the columns and types of the head.
        added : mapping of str to pyarrow array
            m values of each column that is added.

        Raises
        ------
        OutputError
            If the format cannot hold them, or they cannot be written. Leave the block then: nothing is put in
            place.
        """
        with told(self._path), short_of_space(self._folder), _arrow_understood():
            table, wkb = self._fit.rows(layer, added)
            self._file.write(table, wkb, layer.origin.metadata.get("fids"))
        self.rows += len(table)


@contextmanager
def batch_writer(
    path: str | Path,
    head: Layer,
    *,
    added: Mapping[str, pa.DataType],
    layer_name: str | None = None,
    overwrite: bool = False,
    styles: Sequence[Style] = (),
    qml: bool = False,
    record: RunRecord | None = None,
) -> Iterator[BatchWriter]:
    """Write a layer as `regionalize.io.write.write_layer` does, but some rows at a time.

    What is held in memory is a batch, or 64 MB of it where rows are gathered (GeoParquet). The output is the
    old file or the whole new one, and the same as if all rows had been written at once. Some formats need to
    know of all rows before the first is written (the kind of geometry, whether it has heights), or take them
    in one go: for a GeoPackage, FlatGeobuf or File Geodatabase, rows wait in a file beside it, which takes as
    much space again until the end.

    Parameters
    ----------
    path : path
        GeoParquet, GeoPackage, FlatGeobuf, GeoJSON, CSV or File Geodatabase, by extension.
    head : Layer
        The layer without rows, as `regionalize.io.row_batches.RowBatches.head`: its columns and their types,
        reference system, origin and history.
    added : mapping of str to pyarrow type
        Columns to append.
    layer_name, overwrite, styles, qml, record
        As for `regionalize.io.write.write_layer`.

    Yields
    ------
    BatchWriter
        To be called with rows, and with values of the added columns.

    Raises
    ------
    OutputError
        Before any row is taken: if the output must not or cannot be written, or is of a format that cannot be
        written so. At the end: if it is not whole. What was there is then as it was.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from regionalize.io.read import read_layer
    >>> from regionalize.io.row_batches import RowBatches
    >>> batches = RowBatches(None, rows=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder) / "out.parquet"
    ...     with batch_writer(out, batches.head, added={"cluster": pa.int32()}) as write:
    ...         for batch in batches:
    ...             write(batch, {"cluster": pa.array([1] * len(batch), pa.int32())})
    ...     len(read_layer(out)), read_layer(out).column_names[-1]
    (159, 'cluster')
    """
    with located(str(path)):
        form = format_in_batches(path)
        target = target_of(path)
    with alone(target):
        with located(str(path)):
            check_path(path, form, layer_name, overwrite)
            fit = BatchFit(head, added, form)
        history = renamed(history_of(head.history, fit.names, record), fit.names)
        named = [renamed_style(style, fit.names) for style in styles]
        with staging(target) as folder:
            with told(path), short_of_space(folder), _arrow_understood():
                staged, name = place_layer(form, target, folder, layer_name)
                kind = None if fit.whole is None else fit.whole.wkb.type
                to = Destination(head, form, fit.schema, kind, staged, name, history_text(history))
                file = batch_file(to)
            try:
                writer = BatchWriter(path, folder, fit, file)
                yield writer
                with told(path), short_of_space(folder), _arrow_understood():
                    notes = fit.notes(layer_name)
                    file.finish(fit.whole)
                    columns = fit.schema.names
                    shown, more = complete_layer(staged, form, name, columns, writer.rows, history, named)
                    writer.notes = (*notes, *more)
            except BaseException:
                with suppress(Exception):  # what went wrong first is told
                    file.close()
                raise
            with style_beside(Path(path), shown[0] if qml and shown else None, overwrite), told(path):
                put_in_place(staged, form, target, folder)


def format_in_batches(path: str | Path) -> Format:
    """Return the format of an output, or refuse one that cannot be written some rows at a time.

    Raises
    ------
    OutputError

    Examples
    --------
    >>> format_in_batches("out.parquet").name
    'GeoParquet'
    """
    form = find_format(path)
    if str(path) == "-":
        raise OutputError("rows in batches are not written to standard output", advice="name a file")
    if form not in IN_BATCHES:
        known = [one.extensions[0] for one in IN_BATCHES]
        raise OutputError(
            f"a {form.name} cannot be written some rows at a time",
            advice=f"write one of {listed(known, limit=len(known))}",
        )
    return form


@contextmanager
def _arrow_understood() -> Iterator[None]:
    """Say of what Arrow cannot write that it cannot be written."""
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise OutputError(f"could not be written: {reason}", advice="write another format") from error
