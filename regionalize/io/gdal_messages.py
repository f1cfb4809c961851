"""What GDAL says while it works: warnings, and faults after which it goes on.

pyogrio raises what makes a call of its own fail. Where a driver leaves out a damaged row and goes on, or ends
a layer early, GDAL tells its error handler alone, and pyogrio's lets that pass. So we put a handler there.
"""

from __future__ import annotations

import ctypes
import re
import threading
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from regionalize.errors import shortened

WARNING, FAULT = 2, 3
"""GDAL's numbers for how bad it is."""
_MOST = 20
"""Messages of different kinds that are kept."""
_LOST = ("NULL geometry", "NONE geometry")
"""In warnings: a geometry that the file holds is left out."""
_PLAINLY = {
    "Non closed ring": "There are rings that are not closed; they are closed to measure them",
}
"""What is said in place of some warnings."""
_MISREAD = re.compile(
    r"Value '(.*)' of field (.*) parsed incompletely to (?:integer|real) (.*?)\.?$", re.DOTALL
)
_NO_DATE = re.compile(
    r"(?:Invalid content|Unexpected data type) for record -?\d+ in column (.*?)(?:: ?(.*))?", re.DOTALL
)
"""Of a GeoPackage; GDAL takes it for the day that it counts from."""
_FIRST_DAY = "1970-01-01"
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int, ctypes.c_char_p)
_listening = threading.local()


@dataclass
class Messages:
    """What was said, each kind once however many rows it is said of.

    Attributes
    ----------
    warnings, faults : dict of str to (str, int)
        The first message of each kind, and how many there were.
    misread : dict of str to (str, str)
        Columns of numbers or dates, as GDAL names them (numbers after their layer and a dot), in which there
        are texts: the first of them, and what it was taken for.
    """

    warnings: dict[str, tuple[str, int]] = field(default_factory=dict)
    faults: dict[str, tuple[str, int]] = field(default_factory=dict)
    misread: dict[str, tuple[str, str]] = field(default_factory=dict)

    def hear(self, level: int, text: str) -> None:
        """Keep a message.

        Examples
        --------
        >>> said = Messages()
        >>> for row in (1, 2):
        ...     said.hear(2, f"Row {row} is odd")
        >>> said.hear(2, "Value '0,5' of field towns.share parsed incompletely to real 0.")
        >>> said.notes(), said.misread
        (['GDAL says: Row 1 is odd (2 times)'], {'towns.share': ('0,5', '0')})
        """
        text = " ".join(_legible(text).split())
        number = _MISREAD.fullmatch(text)
        if number is not None:
            value, column, made = number.groups()
            self.misread.setdefault(column, (value, made))
        elif (date := _NO_DATE.fullmatch(text)) is not None:
            self.misread.setdefault(date[1], (date[2] or "", _FIRST_DAY))
        elif level in (WARNING, FAULT):
            lost = level == FAULT or any(mark in text for mark in _LOST)
            kept = self.faults if lost else self.warnings
            kind = re.sub(r"'[^']*'|-?\d+(\.\d+)?", "#", text)
            first, count = kept.get(kind, (text, 0))
            if count or len(kept) < _MOST:
                kept[kind] = (first, count + 1)

    def forget(self, mark: str) -> bool:
        """Drop warnings with some words in them; tell whether there were any."""
        found = [kind for kind, (text, _) in self.warnings.items() if mark in text]
        for kind in found:
            del self.warnings[kind]
        return bool(found)

    def misread_columns(self, names: Sequence[str]) -> dict[str, str]:
        """Say of columns that hold texts in place of numbers or dates what became of them.

        Parameters
        ----------
        names : sequence of str
            Of all columns.

        Examples
        --------
        >>> Messages(misread={"towns.share": ("0,5", "0")}).misread_columns(["name", "share"])
        {'share': "'0,5' stands where a number should, and was taken for 0"}
        """
        found = {}
        for qualified, (text, made) in self.misread.items():
            whose = [name for name in names if f".{qualified}".endswith(f".{name}")]
            kind = "date" if made == _FIRST_DAY else "number"
            what = f"'{shortened(text, 40)}' stands where a {kind} should, and was taken for {made}"
            found[max(whose, key=len, default=qualified)] = what
        return found

    def notes(self) -> list[str]:
        """Return the warnings as notes."""
        return [
            next((said for mark, said in _PLAINLY.items() if mark in text), f"GDAL says: {text}")
            + (f" ({count:,} times)" if count > 1 else "")
            for text, count in self.warnings.values()
        ]


def _legible(text: str) -> str:
    r"""Return a message that pyogrio could not decode, as it quotes it, in letters all the same.

    Examples
    --------
    >>> _legible("Could not decode error message to UTF-8.  Raw error: b'no charset \\xe9'")
    'no charset �'
    >>> _legible("Could not decode error message to UTF-8.  Raw error: b'cut").endswith("b'cut")
    True
    """
    raw = re.fullmatch(r"Could not decode error message to UTF-8\.\s+Raw error: (b.*)", text, re.DOTALL)
    if raw is None:
        return text
    try:
        content: bytes = literal_eval(raw[1])
    except (ValueError, SyntaxError):  # cut short
        return text
    return content.decode(errors="replace")


def misread_notes(misread: Mapping[str, str]) -> list[str]:
    """Return notes on columns in which texts stand for numbers or dates."""
    return [f"In column '{name}', {what}." for name, what in misread.items()]


@contextmanager
def listening() -> Iterator[Messages]:
    """Collect what GDAL says in this thread; nothing of it is shown.

    Where GDAL cannot be reached past pyogrio, nothing is heard but what pyogrio passes on as warnings.
    """
    gdal, before = library(), getattr(_listening, "now", None)
    _listening.now = heard = Messages()
    if gdal is not None:
        gdal.CPLPushErrorHandler(_HEAR)
    try:
        yield heard
    finally:
        if gdal is not None:
            gdal.CPLPopErrorHandler()
        _listening.now = before


def _hear(level: int, number: int, text: bytes) -> None:
    now = getattr(_listening, "now", None)
    if now is not None:  # a block of pyogrio's may end after ours, and take its handler off in place of ours
        now.hear(level, (text or b"").decode(errors="replace"))


_HEAR = _Handler(_hear)


@cache
def library() -> ctypes.CDLL | None:
    """Return the GDAL that pyogrio has loaded, by a library that is linked with it."""
    import pyogrio._err

    own = Path(pyogrio._err.__file__)
    for path in (own, *own.parents[1].glob("pyogrio.libs/gdal*.dll")):
        gdal = ctypes.CDLL(str(path))
        if hasattr(gdal, "CPLPushErrorHandler"):
            gdal.CPLPushErrorHandler.argtypes = [_Handler]
            return gdal
    return None
