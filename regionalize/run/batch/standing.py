"""Whether files that a record tells of are still what was written."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from regionalize.errors import OutputError, RegionalizeError
from regionalize.run.batch.digests import DIGEST_BYTES, file_digest
from regionalize.run.batch.fingerprint import relative
from regionalize.run.batch.record import Record, Records, State

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Outputs
    from regionalize.run.solve import Solution

Standing = Literal["whole", "lost", "changed"]
"""Of a file: as it was written; not there, cut off or otherwise no longer whole; or somebody's work since."""
_BLOCK = 1 << 12
"""Bytes of zeros, at the end of a file, that are no content: a disk gives them for what never got there."""


@dataclass(frozen=True)
class FilesFound:
    """What has become of the files of a record.

    Attributes
    ----------
    own : frozenset of str
        Those that are whole or lost: there is nothing of anybody else's in them.
    lost, changed : tuple of str
        Those that are not as they were written.
    """

    own: frozenset[str]
    lost: tuple[str, ...]
    changed: tuple[str, ...]


def look(record: Record, records: Records, layer: str | None = None) -> FilesFound:
    """Look at all files of a record.

    Parameters
    ----------
    record : Record
        What was written.
    records : Records
        Says where.
    layer : str, optional
        Of a file of several, the one that was written.
    """
    standing = {
        name: file_standing(records.path(name), states, in_place=record.done)
        for name, states in record.files.items()
    }
    for main, digests in record.contents.items():
        parts = [name for name in standing if name == main or is_part(name, main)]
        worst = {standing[name] for name in parts} - {"whole"}
        if worst == {"changed"}:
            judged = layer_standing(records.path(main), layer, digests)
            standing.update({name: judged for name in parts if standing[name] == "changed"})
    changed = tuple(name for name, said in standing.items() if said == "changed")
    lost = tuple(name for name, said in standing.items() if said == "lost")
    return FilesFound(frozenset(standing) - frozenset(changed), lost, changed)


def is_part(name: str, main: str) -> bool:
    """Whether a file is a part of a layer: in its folder, or a shapefile's companion."""
    if name.startswith(f"{main}/"):
        return True
    return main.lower().endswith(".shp") and Path(name).with_suffix("") == Path(main).with_suffix("")


def file_standing(path: Path, states: tuple[State, ...], *, in_place: bool) -> Standing:
    """Compare a file with what it may hold; `in_place` says that the last state did get there."""
    try:
        size = path.stat().st_size
        if any(size == known for known, _ in states):
            digest = file_digest(path)
            if any((size, digest) == state for state in states):
                return "whole"
        cut = in_place and (size < states[-1][0] or ends_in_zeros(path, size))
        return "lost" if cut else "changed"
    except OSError:
        return "changed" if path.exists() else "lost"


def ends_in_zeros(path: Path, size: int) -> bool:
    """Whether a file ends in a block of zeros, or holds nothing else."""
    with path.open("rb") as file:
        file.seek(max(size - _BLOCK, 0))
        return not file.read().strip(b"\0")


def layer_standing(path: Path, layer: str | None, digests: tuple[str, ...]) -> Standing:
    """Look for columns in a layer; opening it in a GIS changes bytes, and no row or label."""
    from regionalize.io.read import read_layer

    try:
        found = read_layer(path, layer=layer, where=None, encoding=None)
    except RegionalizeError:
        return "lost"
    there = {column_digest(column) for column in found.attributes.columns}
    return "whole" if there.issuperset(digests) else "changed"


def contents_of(solution: Solution, outputs: Outputs, folder: Path) -> dict[str, tuple[str, ...]]:
    """Return what stands for the layers written: the labels, and all columns of what is made from them.

    Parameters
    ----------
    solution : Solution
        What was found.
    outputs : Outputs
        What was written.
    folder : Path
        Of the outputs.
    """
    from regionalize.io.read import read_layer
    from regionalize.run.outputs import label_array

    found = {}
    if outputs.output is not None:
        labels = [label_array(partition, solution.label_values) for partition in solution.partitions]
        found[relative(outputs.output, folder)] = tuple(map(column_digest, labels))
    for path in (outputs.dissolve, outputs.save_tree, outputs.save_links):
        if path is not None:
            layer = read_layer(path)
            found[relative(path, folder)] = tuple(map(column_digest, layer.attributes.columns))
    return found


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
        held = json.dumps(column.to_pylist(), default=str).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(held, digest_size=DIGEST_BYTES).hexdigest()


def may_replace(outputs: Outputs, found: FilesFound, folder: Path) -> bool:
    """Whether files that are there are the item's own: all may be replaced then, and else none.

    Raises
    ------
    OutputError
        If some are, and some are not.
    """
    there = {path: file for path in outputs.paths().values() for file in existing(path)}
    theirs = [path for path, file in there.items() if relative(file, folder) not in found.own]
    if theirs and len(theirs) < len(there):
        raise OutputError("already exists", advice="use --overwrite to replace it", file=str(theirs[0]))
    return bool(there) and not theirs


def existing(path: Path) -> list[Path]:
    """List the files that are there of an output: of a shapefile its parts, of a folder what is in it."""
    from regionalize.run.batch.digests import SHAPEFILE

    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file()]
    if path.suffix.lower() == ".shp":
        return [part for ending in SHAPEFILE if (part := path.with_suffix(ending)).exists()]
    return [path] if path.exists() else []
