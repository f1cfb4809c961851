"""What is remembered of a file that was written, so that it is known again whatever becomes of it."""

from __future__ import annotations

import hashlib
import marshal
import sqlite3
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from regionalize.errors import DataError
from regionalize.run.batch.digests import DIGEST_BYTES, file_digest

_MARKS = 256
"""How many pieces of a file are marked at most, besides its beginning."""
MARK = 4
"""Letters of a mark: 16 bits."""
_BLOCK = 1 << 12
"""Bytes of zeros, at the end of a file, that are no content: a disk gives them for what never got there."""
_ROWS = 100
"""That are held at a time: a geometry may be large."""
_BOOKKEEPING = ("gpkg_contents", "gpkg_ogr_contents", "gpkg_extensions")
"""Tables of a GeoPackage that programs change when they only open it."""


class State(NamedTuple):
    """A file as it was written.

    Attributes
    ----------
    size : int
        In bytes.
    digest : str
        What stands for its content.
    marks : str
        What stands for its beginnings: those of 1, 2, 4, … bytes, and then piece by piece.
    tables : str
        What stands for the rows of a GeoPackage; empty for any other file.
    """

    size: int
    digest: str
    marks: str
    tables: str = ""

    def is_of(self, path: Path) -> bool:
        """Whether a file holds this still: its bytes, or its tables after a program has opened it.

        Raises
        ------
        OSError
        """
        if path.stat().st_size == self.size and file_digest(path) == self.digest:
            return True
        return bool(self.tables) and tables_digest(path) == self.tables

    def is_begun_in(self, path: Path) -> bool:
        """Whether a file is a beginning of this: empty, cut off, or zeros from some byte on.

        Raises
        ------
        OSError
        """
        with path.open("rb") as file:
            length = length_of_content(file)
            if length >= self.size:
                return False
            for at, (place, _, mark) in enumerate(pieces(file, self.size)):
                if place > length:
                    break
                if self.marks[at * MARK : (at + 1) * MARK] != mark:
                    return False
        return True


def state_of(path: Path) -> State:
    """Return what is to be remembered of a file.

    Raises
    ------
    OSError
    """
    size = path.stat().st_size
    together = hashlib.blake2b(digest_size=DIGEST_BYTES)
    marks = []
    with path.open("rb") as file:
        for _, piece, mark in pieces(file, size):
            together.update(piece)
            marks.append(mark)
        together.update(file.read())
    tables = tables_digest(path) if path.suffix.lower() == ".gpkg" else ""
    return State(size, together.hexdigest(), "".join(marks), tables)


def places(size: int) -> list[int]:
    """Return where the beginnings of a file of a size end that are marked.

    Examples
    --------
    >>> places(9), places(1000)[:5], places(1000)[-1], len(places(10**9))
    ([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 4, 8, 12], 1000, 260)
    """
    step = 1
    while size > step * _MARKS:
        step *= 2
    return [1 << power for power in range(step.bit_length() - 1)] + list(range(step, size + 1, step))


def pieces(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes, str]]:
    """Yield where each piece of a file of a size ends, the piece, and the mark of all up to its end."""
    file.seek(0)
    sum_so_far = 0
    for before, place in pairwise([0, *places(size)]):
        piece = file.read(place - before)
        sum_so_far = zlib.crc32(piece, sum_so_far)
        yield place, piece, f"{sum_so_far & 0xFFFF:04x}"


def length_of_content(file: BinaryIO) -> int:
    """Return the size of a file without a block or more of zeros at its end, or zeros alone.

    Examples
    --------
    >>> from io import BytesIO
    >>> [length_of_content(BytesIO(text)) for text in (b"ab", b"a" + bytes(9), bytes(9), b"a" + bytes(9999))]
    [2, 10, 0, 1]
    """
    size = end = file.seek(0, 2)
    while end:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        content = file.read(end - start).rstrip(b"\0")
        end = start + len(content)
        if content:
            break
    return end if not end or size - end >= _BLOCK else size


def tables_digest(path: Path) -> str:
    """Return what stands for all rows of a GeoPackage, empty where it cannot be read.

    What programs change when they only open it does not count: the journal, dates and counts of its tables,
    spatial indices, where things lie in the file.
    """
    from regionalize.io.database import read_only

    together = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        with read_only(path) as database:
            listed = "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
            found = database.execute(listed).fetchall()
            database.text_factory = bytes
            for name, kind, made_by in found:
                if name in _BOOKKEEPING or name.startswith(("rtree_", "sqlite_")):
                    continue
                if kind == "view":
                    together.update(repr((name, made_by)).encode())
                    continue
                quoted = name.replace('"', '""')
                rows = database.execute(f'SELECT * FROM "{quoted}"')
                together.update(repr((name, [column[0] for column in rows.description])).encode())
                while some := rows.fetchmany(_ROWS):
                    together.update(marshal.dumps(some, 2))  # of this version, the same for equal values
    except (sqlite3.Error, DataError):
        return ""
    return together.hexdigest()
