"""Records of what a batch has done: a small file for each item, beside the outputs, read by ``--resume``.

A record is written before the first output of an item is put in place, with what every output will hold; so a
file is known as our own whenever the process is killed. It is completed when all are in place.
"""

from __future__ import annotations

import hashlib
import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regionalize.io.atomic import Moves
from regionalize.run.batch.file_state import MARK, State, places, state_of
from regionalize.run.batch.fingerprint import relative
from regionalize.run.batch.summary import AFTER, BEFORE, MEASURES

FOLDER = ".regionalize"
"""Where records are, in the folder of the outputs."""
FORMAT = "regionalize batch record 1"
"""What a record says of itself: any other file is none."""
SUMMARY = "\0summary"
"""What the record of the summaries of a folder is called: no item can be."""
_LARGEST = 1 << 26
"""Bytes; a larger file is no record."""
_KINDS = {**BEFORE, **MEASURES, **AFTER}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of the files of an item.

    Attributes
    ----------
    fingerprint : str
        What it was made from (`regionalize.run.batch.fingerprint`).
    files : mapping of str to tuple of State
        What every file may hold that is the item's own: the state recorded last, after any earlier one that a
        killed process has perhaps left in place. Files of earlier runs that are there still are among them.
    layer : str or None
        Which layer of the output has the labels, where it may have several.
    labels : tuple of str
        What stands for each column of labels.
    done : bool
        Whether all files are in place.
    seconds, measures, notes
        Of `Finished`, once it is done.
    """

    fingerprint: str
    files: Mapping[str, tuple[State, ...]] = field(default_factory=dict)
    layer: str | None = None
    labels: tuple[str, ...] = ()
    done: bool = False
    seconds: float = 0.0
    measures: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Records:
    """The records in a folder of outputs, by the names of items."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file_of(self, name: str) -> Path:
        """Return where the record of an item is: names may hold what no name of a file may."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return self.folder / FOLDER / f"{digest}.json"

    def read(self, name: str) -> Record | None:
        """Return the record of an item, None where there is none that can be understood."""
        file = self.file_of(name)
        try:
            about = file.stat()
            if not stat.S_ISREG(about.st_mode) or about.st_size > _LARGEST:
                return None
            found = json.loads(file.read_bytes())
            if found.pop("format") != FORMAT or found.pop("name") != name:
                return None
            return understood(found)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return None

    def write(self, name: str, record: Record) -> None:
        """Write the record of an item, whole or not at all.

        Raises
        ------
        OutputError
        """
        from regionalize.io.atomic import output_error

        document = {
            "format": FORMAT,
            "name": name,
            "fingerprint": record.fingerprint,
            "done": record.done,
            "files": record.files,
            "layer": record.layer,
            "labels": record.labels,
            "seconds": record.seconds,
            "measures": dict(record.measures),
            "notes": record.notes,
        }
        file = self.file_of(name)
        beside = file.with_suffix(".new")
        try:
            file.parent.mkdir(exist_ok=True)
            beside.unlink(missing_ok=True)
            with beside.open("x", encoding="utf-8", errors="surrogatepass") as new:
                new.write(json.dumps(document, default=plain))
            beside.replace(file)
        except OSError as error:
            raise output_error(error, file) from error

    def path(self, name: str) -> Path:
        """Return the file that a record calls so."""
        return self.folder / name


class Journal:
    """Writes the record of one item while its outputs are put in place."""

    def __init__(self, records: Records, name: str, fingerprint: str, former: Record | None) -> None:
        self.records = records
        self.name = name
        self.record = Record(fingerprint=fingerprint, files={} if former is None else former.files)
        self.new: dict[str, State] = {}

    def tell(self, moves: Moves) -> None:
        """Note files that are about to be put in place."""
        for source, target in moves:
            written = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
            for file in written:
                place = target / file.relative_to(source) if source.is_dir() else target
                self.new[relative(place, self.records.folder)] = state_of(file)
        known = dict(self.record.files)
        for name, state in self.new.items():
            known[name] = (*(old for old in known.get(name, ()) if old != state), state)
        self.record = replace(self.record, files=known)
        self.records.write(self.name, self.record)

    def forget_inputs(self) -> None:
        """Note that nobody can tell what the outputs were made from."""
        self.record = replace(self.record, fingerprint="")

    def complete(self, **about: Any) -> None:
        """Note that all is in place, and what is known besides: fields of `Record`."""
        left = {
            name: states
            for name, states in self.record.files.items()
            if name not in self.new and self.records.path(name).exists()
        }
        files = left | {name: (state,) for name, state in self.new.items()}
        self.records.write(self.name, replace(self.record, files=files, done=True, **about))


def understood(found: Mapping[str, Any]) -> Record:
    """Return a record from what a file says.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError, OverflowError
        If that is no record.
    """
    record = Record(
        fingerprint=typed(found["fingerprint"], str),
        files={
            inside(name): tuple(understood_state(state) for state in typed(states, list))
            for name, states in found["files"].items()
        },
        layer=None if found["layer"] is None else typed(found["layer"], str),
        labels=tuple(typed(digest, str) for digest in typed(found["labels"], list)),
        done=typed(found["done"], bool),
        seconds=typed(found["seconds"], float),
        measures={name: measure(name, value) for name, value in found["measures"].items()},
        notes=tuple(typed(note, str) for note in typed(found["notes"], list)),
    )
    if not all(record.files.values()):
        raise ValueError("a file without a state")
    if (record.measures.get("contiguous") is None) != (record.measures.get("subclusters") is None):
        raise ValueError("measures that are taken together")
    return record


def understood_state(found: Any) -> State:
    """Return what is remembered of a file, or raise ValueError."""
    size, digest, marks, tables = typed(found, list)
    state = State(typed(size, int), typed(digest, str), typed(marks, str), typed(tables, str))
    if state.size < 0 or len(state.marks) != MARK * len(places(state.size)):
        raise ValueError("a size that does not fit")
    return state


def inside(name: str) -> str:
    """Return the name of a file, or raise ValueError where it leads out of its folder step by step."""
    if ".." in name.split("/") or "\0" in name:
        raise ValueError("a name that leads elsewhere")
    return name


def measure(name: str, value: Any) -> Any:
    """Return a measure, or raise ValueError where it is not what the summary takes."""
    if value is None:
        return None
    kind = _KINDS.get(name, type(value))
    if kind in (int, float):
        return typed(value, int if type(value) is int else float)
    if kind not in (str, bool):
        raise ValueError("neither text nor a number")
    return typed(value, kind)


def typed(value: Any, kind: type) -> Any:
    """Return a value of a type, a whole number also as a decimal one, or raise ValueError.

    Examples
    --------
    >>> typed(3, float), typed("a", str)
    (3.0, 'a')
    >>> typed(True, int)
    Traceback (most recent call last):
    ValueError: not int
    """
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"not {kind.__name__}")
    bound = (1 << 63) if kind is int else math.inf
    if isinstance(value, int | float) and not -bound < value < bound:
        raise ValueError("a number that is none, or too large")
    return value


def plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python; anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
