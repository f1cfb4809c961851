"""Whether files that a record tells of are still what was written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from regionalize.errors import OutputError, RegionalizeError, listed
from regionalize.io.formats import SHAPEFILE_PARTS
from regionalize.model.layer import plain_values
from regionalize.run.batch.digests import DIGEST_BYTES
from regionalize.run.batch.file_state import State
from regionalize.run.batch.fingerprint import relative
from regionalize.run.batch.record import SUMMARY, Record, Records

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Outputs
    from regionalize.run.solve import Solution

Standing = Literal["whole", "lost", "changed"]
"""Of a file: as it was written; not there or cut off, with nothing else in it; or somebody's work since."""
_NEEDED = (".shp", ".shx", ".dbf")
"""Of a shapefile, what is always written."""


@dataclass(frozen=True)
class FilesFound:
    """What has become of the files that a record tells of.

    Attributes
    ----------
    own : frozenset of str
        Those that may be replaced: as they were written, or lost.
    whole : bool
        Whether every output is there and as it was written, or has the labels that were written.
    """

    own: frozenset[str]
    whole: bool


def look(record: Record, records: Records, outputs: Outputs) -> FilesFound:
    """Look at the files of the outputs asked for, and at no others.

    Parameters
    ----------
    record : Record
        What was written.
    records : Records
        Says where.
    outputs : Outputs
        What is asked for.
    """
    own: set[str] = set()
    whole = True
    for option, path in outputs.paths().items():
        main = relative(path, records.folder)
        standing = {
            name: file_standing(records.path(name), states)
            for name, states in record.files.items()
            if is_part(name, main)
        }
        own |= {name for name, said in standing.items() if said != "changed"}
        if not standing:
            whole = whole and option.endswith("qml")  # there is no style for some columns
        elif is_shapefile(main):
            whole = whole and {Path(name).suffix.lower() for name in standing}.issuperset(_NEEDED)
        others = set(standing.values()) - {"whole"}
        if others == {"changed"} and path == outputs.output:
            whole = whole and has_labels(path, record)
        elif others:
            whole = False
    return FilesFound(frozenset(own), whole)


def is_shapefile(main: str) -> bool:
    """Whether an output is a shapefile, whose parts lie beside it."""
    return main.lower().endswith(".shp")


def is_part(name: str, main: str) -> bool:
    """Whether a file is an output, lies in the folder that it is, or is a part of the shapefile that it is.

    Examples
    --------
    >>> [is_part(name, "a/b.shp") for name in ("a/b.shp", "a/b.dbf", "a/b.md", "b.dbf", "a/b.shp.run.json")]
    [True, True, False, False, False]
    >>> is_part("a.gdb/x.gdbtable", "a.gdb")
    True
    """
    if name == main or name.startswith(f"{main}/"):
        return True
    file, shape = Path(name), Path(main)
    same = file.with_suffix("") == shape.with_suffix("")
    return same and is_shapefile(main) and file.suffix.lower() in SHAPEFILE_PARTS


def file_standing(path: Path, states: Iterable[State]) -> Standing:
    """Compare a file with what it may hold."""
    try:
        if not os.path.lexists(path):
            return "lost"
        if not path.is_file():
            return "changed"
        if any(state.is_of(path) for state in states):
            return "whole"
        return "lost" if any(state.is_begun_in(path) for state in states) else "changed"
    except OSError:
        return "changed"


def has_labels(path: Path, record: Record) -> bool:
    """Whether a layer has the columns of labels that were written, whatever else somebody has added."""
    from regionalize.io.read import read_layer

    try:
        found = read_layer(path, layer=record.layer, where=None, encoding=None)
    except RegionalizeError:
        return False
    there = {column_digest(column) for column in found.attributes.columns}
    return bool(record.labels) and there.issuperset(record.labels)


def labels_of(solution: Solution, outputs: Outputs) -> dict[str, Any]:
    """Return what finds the labels written again: the fields `layer` and `labels` of a record."""
    from regionalize.io.formats import GEOPACKAGE, find_format, layer_name_of
    from regionalize.run.outputs import label_array

    if outputs.output is None:
        return {}
    form = find_format(outputs.output)
    name = layer_name_of(Path(os.path.realpath(outputs.output)).name, form, outputs.output_layer)
    labels = [label_array(partition, solution.label_values) for partition in solution.partitions]
    return {
        "layer": name if form is GEOPACKAGE else None,  # no other has several
        "labels": tuple(map(column_digest, labels)),
    }


def column_digest(column: pa.ChunkedArray | pa.Array) -> str:
    """Return what stands for the values of a column in their order, whatever type a format gives them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> column_digest(pa.array([1, 2, None])) == column_digest(pa.array([1.0, 2.0, None]))
    True
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = None
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        with suppress(pa.ArrowInvalid):
            whole = pc.cast(column, pa.int64())
    if whole is not None:
        table = pa.table({"absent": whole.is_null(), "value": whole.fill_null(0)})
        held = b"".join(column.to_numpy().tobytes() for column in table.columns)
    else:
        held = json.dumps(plain_values(column), default=str).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(held, digest_size=DIGEST_BYTES).hexdigest()


def may_replace(outputs: Outputs, record: Record, found: FilesFound, folder: Path) -> bool:
    """Whether files that are there are the item's own: all may be replaced then, and else none.

    Raises
    ------
    OutputError
        If somebody has changed one since it was written; if only some are the item's own.
    """
    there = {relative(file, folder): file for path in outputs.paths().values() for file in existing(path)}
    theirs = [name for name in there if name not in found.own]
    for name in theirs:
        if record.done and name in record.files:
            advice = "use --overwrite to make it anew"
            raise OutputError("was changed since it was written", advice=advice, file=str(there[name]))
    if theirs and (len(theirs) < len(there) or not record.files.keys().isdisjoint(theirs)):
        advice = "use --overwrite to replace it"
        raise OutputError("already exists", advice=advice, file=str(there[theirs[0]]))
    return bool(there) and not theirs


def existing(path: Path) -> list[Path]:
    """List the files that are there of an output: of a shapefile its parts, of a folder what is in it."""
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file()]
    if path.suffix.lower() == ".shp":
        return [part for ending in SHAPEFILE_PARTS if (part := path.with_suffix(ending)).exists()]
    return [path] if path.exists() else []


def leftovers_note(record: Record | None, records: Records, outputs: Outputs) -> tuple[str, ...]:
    """Name the files of earlier runs of an item that are there still, and are not asked for now."""
    asked = [relative(path, records.folder) for path in outputs.paths().values()]
    left = [
        name
        for name in (record.files if record is not None else ())
        if not any(is_part(name, main) for main in asked)
        and not Path(name).is_absolute()  # as a record in a folder of somebody else's may say
        and records.path(name).exists()
    ]
    shapes = [name for name in left if is_shapefile(name)]
    parts = {name for name in left for shape in shapes if name != shape and is_part(name, shape)}
    shown = dict.fromkeys(folder_of(name) for name in left if name not in parts)
    if not shown:
        return ()
    return (f"{listed(shown)} {'is' if len(shown) == 1 else 'are'} of an earlier run",)


def folder_of(name: str) -> str:
    """Return the output that a file is of, where that is a folder.

    Examples
    --------
    >>> folder_of("a/b.gdb/c.gdbtable"), folder_of("a/b.md")
    ('a/b.gdb', 'a/b.md')
    """
    folder = next((parent for parent in Path(name).parents if parent.suffix.lower() == ".gdb"), None)
    return name if folder is None else folder.as_posix()


def is_own_summary(path: Path, folder: Path) -> bool:
    """Whether a file is a summary that a batch has written into or beside a folder, or what is left of it."""
    record = Records(folder).read(SUMMARY)
    states = () if record is None else record.files.get(relative(path, folder), ())
    return file_standing(path, states) != "changed"
