"""Labelled parts: GeoParquet files in a folder, put in place as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import OutputError, UsageError, located
from regionalize.io.atomic import (
    move_into_place,
    output_error,
    staging,
    target_of,
    tidy,
    writable_folder,
)
from regionalize.io.parquet_files import ParquetFiles
from regionalize.io.source import PARQUET
from regionalize.run.dask.cluster import understood
from regionalize.run.dask.partitions import Part, PartedLayer, read_part

if TYPE_CHECKING:
    import pyarrow as pa
    from distributed import Client, Future

    from regionalize.model.job import Job, Outputs
    from regionalize.model.layer import Layer

IntArray = NDArray[np.integer[Any]]

COMMON = "_common_metadata"
"""File of a folder of parts that says what these have in common; readers pass over it."""
PART = "part.{:05d}.parquet"


def check_outputs(
    outputs: Outputs, source: str | None, job: Job, head: Layer | None = None
) -> tuple[str, ...]:
    """Refuse, before any work, what cannot be written; note what changes.

    Raises
    ------
    RegionalizeError
    """
    from regionalize.run.large import WORKERS, refuse_other_outputs
    from regionalize.run.refusals import check_ending, check_side_file, refuse_same_file

    refuse_other_outputs(WORKERS, outputs)
    if not outputs.label_column.strip():
        raise UsageError("--label-column is empty", advice="give the new column a name")
    refuse_same_file(outputs.paths())
    if outputs.output is not None:
        check_folder(outputs.output, source, outputs.overwrite)
    for option, path, endings in (
        ("report", outputs.report, (".md", ".json", ".csv")),
        ("centers", outputs.centers, (".csv",)),
    ):
        if path is not None:
            check_ending(option, path, endings)
            check_side_file(path, (source, *job.files), outputs.overwrite)
    if outputs.output is None or head is None:
        return ()
    import pyarrow as pa

    from regionalize.io.fit import fit_layer
    from regionalize.io.formats import GEOPARQUET

    with located(str(outputs.output)):
        return fit_layer(head, {outputs.label_column: pa.nulls(0, pa.int32())}, GEOPARQUET, None).notes


def check_folder(output: Path, source: str | None, overwrite: bool) -> None:
    """Refuse a folder that cannot be made, or replaced."""
    if str(output) == "-" or output.suffix.lower() not in PARQUET:
        raise OutputError(
            "--engine dask writes a folder of GeoParquet files",
            advice="name it .parquet",
            file="" if str(output) == "-" else str(output),
        )
    with located(str(output)):
        target = target_of(output)
        writable_folder(target.parent, shown=output)
        tidy(target)  # a folder that is to come back counts as there
        read = None if source is None else Path(source).resolve()
        if read is not None and (read == target or target in read.parents or read in target.parents):
            raise OutputError("is the input, or a part of it", advice="choose another name")
        if not target.exists():
            return
        if target.is_dir() and not all(holds_parts(inside) for inside in target.iterdir()):
            raise OutputError("is a folder that holds other things", advice="choose another name")
        if not overwrite:
            raise OutputError(
                "already exists", advice="use --overwrite to replace it, or choose another name"
            )


def holds_parts(inside: Path) -> bool:
    """Whether a file is what a folder of parts is made of."""
    return inside.is_file() and (inside.suffix.lower() in PARQUET or inside.name.startswith("_"))


@contextmanager
def written_parts(
    client: Client,
    layer: PartedLayer,
    labels: Sequence[Future],
    kept: Sequence[Future] | None,
    numbers: IntArray,
    output: Path,
    label_column: str,
    history: str,
    rows: int,
) -> Iterator[None]:
    """Write all parts with their labels beside the target, and put them in place when the block ends well.

    Parameters
    ----------
    client : distributed.Client
        Of the workers, which see the folder as this process does.
    layer : PartedLayer
        What is written.
    labels : sequence of Future
        Codes (1, m) of the rows used of each part.
    kept : sequence of Future or None
        Which rows these are, (rows of the part,) bool; None for all.
    numbers : (k,) int
        Label of each code.
    output : Path
        The folder.
    label_column : str
        Name of the new column.
    history : str
        How columns were made, as `regionalize.io.history.history_text` has it.
    rows : int
        How many there must be.

    Raises
    ------
    OutputError
        If it cannot be written whole; what was there is then as it was.
    """
    import pyarrow.parquet as pq

    target = target_of(output)
    with located(str(output)), staging(target) as folder:
        staged = folder / target.name
        staged.mkdir()
        schema = schema_written(layer, label_column, history)
        places = [str(staged / PART.format(at)) for at in range(len(layer.parts))]
        masks = [None] * len(places) if kept is None else kept
        with understood():  # here, where a lost connection is not taken for a fault of the file
            found = client.gather(
                client.map(
                    write_part,
                    layer.parts,
                    labels,
                    masks,
                    places,
                    files=layer.files,
                    numbers=numbers,
                    schema=schema,
                    shown=str(output),
                    pure=False,
                )
            )
        try:
            there = sum(
                pq.read_metadata(place).num_rows for place, count in zip(places, found, strict=True) if count
            )
            pq.write_metadata(schema, str(staged / COMMON))
        except FileNotFoundError as error:
            raise OutputError(
                "the workers did not write into this folder",
                advice="name one that all machines see under the same path",
            ) from error
        except OSError as error:
            raise output_error(error, output) from error
        if there != rows:
            raise OutputError(
                f"could not be written whole: {there:,} of {rows:,} rows are in the files",
                advice="check the space on the disk, or write elsewhere",
            )
        yield
        try:
            move_into_place([(staged, target)], folder)
        except OSError as error:
            raise output_error(error, output) from error


def schema_written(layer: PartedLayer, label_column: str, history: str) -> pa.Schema:
    """Return the schema of every part: columns as they came, the labels, and the geometry last."""
    import pyarrow as pa

    from regionalize.io.parquet import free_name
    from regionalize.model.record import KEY

    head, about = layer.head, layer.files.schema.about
    columns = [*head.attributes.schema, pa.field(label_column, pa.int32())]
    kept = {KEY: history} if history else {}
    if head.wkb is not None:
        name = free_name(head.origin.geometry_name, [field.name for field in columns])
        geo = dict(layer.files.schema.geo or {})
        others = {
            other: said
            for other, said in geo["columns"].items()
            if other in {field.name for field in columns}
        }
        about = {said: value for said, value in about.items() if said != "bbox"} | {"encoding": "WKB"}
        geo |= {"primary_column": name, "columns": {name: about, **others}}
        columns.append(pa.field(name, head.wkb.type))
        kept = {"geo": json.dumps(geo), **kept}
    return pa.schema(columns, metadata=kept or None)


def write_part(
    part: Part,
    codes: IntArray,
    kept: NDArray[np.bool_] | None,
    path: str,
    files: ParquetFiles,
    numbers: IntArray,
    schema: pa.Schema,
    shown: str,
) -> int:
    """Write one part of what is called `shown` with its labels; return how many rows it has.

    It may be done again.
    """
    import os
    from uuid import uuid4

    import pyarrow as pa
    import pyarrow.parquet as pq

    layer = read_part(files, part)
    if not len(layer):
        return 0
    labels = np.zeros(len(layer), dtype=np.int32)
    used = np.ones(len(layer), dtype=bool) if kept is None else kept
    labels[used] = numbers[codes[0]]
    columns = [*layer.attributes.columns, pa.chunked_array([pa.array(labels, mask=~used)])]
    if layer.wkb is not None:
        columns.append(layer.wkb)
    table = pa.table(columns, schema=schema)
    place = Path(path)
    making = place.parent.with_name(f"{place.name}.{uuid4().hex}")  # not beside it, where a worker may die
    try:
        pq.write_table(table, making)
        os.replace(making, path)  # another worker may be doing the same, where one was taken for dead
    except OSError as error:
        raise output_error(error, shown) from error
    return len(layer)
