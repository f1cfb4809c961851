"""Records of what a batch has done: a small file for each item, beside the outputs, read by ``--resume``.

A record is written before the first output of an item is put in place, with what every output will hold; so a
file is known as our own whenever the process is killed. It is completed when all are in place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regionalize.io.atomic import Moves
from regionalize.run.batch.digests import file_digest
from regionalize.run.batch.fingerprint import relative
from regionalize.run.batch.items import Finished, Item

FOLDER = ".regionalize"
"""Where records are, in the folder of the outputs."""
FORMAT = "regionalize batch record 1"
"""What a record says of itself: any other file is none."""

State = tuple[int, str]
"""Of a file: its size in bytes, and what stands for its content."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of the files of an item.

    Attributes
    ----------
    fingerprint : str
        What it was made from (`regionalize.run.batch.fingerprint`).
    files : mapping of str to tuple of (int, str)
        What every file may hold that is the item's own: the state recorded last, after any earlier one that a
        killed process has perhaps left in place.
    contents : mapping of str to tuple of str
        What stands for the columns of a layer that must be found again in it, where that is known.
    done : bool
        Whether all files are in place.
    seconds, measures, notes
        Of `Finished`, once it is done.
    """

    fingerprint: str
    files: Mapping[str, tuple[State, ...]] = field(default_factory=dict)
    contents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    done: bool = False
    seconds: float = 0.0
    measures: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Records:
    """The records in a folder of outputs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file_of(self, item: Item) -> Path:
        """Return where the record of an item is: names may hold what no name of a file may."""
        name = hashlib.blake2b(item.name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return self.folder / FOLDER / f"{name}.json"

    def read(self, item: Item) -> Record | None:
        """Return the record of an item, None where there is none that can be understood."""
        try:
            found = json.loads(self.file_of(item).read_bytes())
            if found.pop("format") != FORMAT or found.pop("name") != item.name:
                return None
            return understood(found)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def write(self, item: Item, record: Record) -> None:
        """Write the record of an item, whole or not at all.

        Raises
        ------
        OutputError
        """
        from regionalize.io.atomic import output_error

        document = {
            "format": FORMAT,
            "name": item.name,
            "fingerprint": record.fingerprint,
            "done": record.done,
            "files": record.files,
            "contents": record.contents,
            "seconds": record.seconds,
            "measures": dict(record.measures),
            "notes": record.notes,
        }
        file = self.file_of(item)
        beside = file.with_suffix(".new")
        try:
            file.parent.mkdir(exist_ok=True)
            beside.write_text(json.dumps(document, default=plain), encoding="utf-8", errors="surrogatepass")
            beside.replace(file)
        except OSError as error:
            raise output_error(error, file) from error

    def path(self, name: str) -> Path:
        """Return the file that a record calls so."""
        return self.folder / name


class Journal:
    """Writes the record of one item while its outputs are put in place."""

    def __init__(self, records: Records, item: Item, fingerprint: str, former: Record | None) -> None:
        self.records = records
        self.item = item
        self.record = Record(fingerprint=fingerprint, files={} if former is None else former.files)
        self.new: dict[str, State] = {}

    def tell(self, moves: Moves) -> None:
        """Note files that are about to be put in place."""
        for source, target in moves:
            written = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
            for file in written:
                place = target / file.relative_to(source) if source.is_dir() else target
                self.new[relative(place, self.records.folder)] = (file.stat().st_size, file_digest(file))
        known = dict(self.record.files)
        for name, state in self.new.items():
            known[name] = (*(old for old in known.get(name, ()) if old != state), state)
        self.record = replace(self.record, files=known)
        self.records.write(self.item, self.record)

    def forget_inputs(self) -> None:
        """Note that nobody can tell what the outputs were made from."""
        self.record = replace(self.record, fingerprint="")

    def complete(self, finished: Finished, contents: Mapping[str, tuple[str, ...]]) -> None:
        """Note that all is in place."""
        self.records.write(
            self.item,
            replace(
                self.record,
                files={name: (state,) for name, state in self.new.items()},
                contents=contents,
                done=True,
                seconds=finished.seconds,
                measures=finished.measures,
                notes=finished.notes,
            ),
        )


def understood(found: Mapping[str, Any]) -> Record:
    """Return a record from what a file says.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If that is no record.
    """
    record = Record(
        fingerprint=str(found["fingerprint"]),
        files={
            str(name): tuple((int(size), str(digest)) for size, digest in states)
            for name, states in found["files"].items()
        },
        contents={
            str(name): tuple(str(digest) for digest in digests) for name, digests in found["contents"].items()
        },
        done=found["done"] is True,
        seconds=float(found["seconds"]),
        measures={str(name): value for name, value in found["measures"].items()},
        notes=tuple(str(note) for note in found["notes"]),
    )
    if not all(record.files.values()):
        raise ValueError("a file without a state")
    return record


def plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python; anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
