"""Text in encodings other than UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.errors import DataError, nearest
from regionalize.io.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

USUAL = "windows-1252"
"""What text is most likely to be in when a shapefile says nothing."""
_COMMON = (
    "utf-8",
    "latin-1",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "cp437",
    "cp850",
    "cp1250",
    "cp1251",
    "cp1252",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "cp932",
    "euc-jp",
    "euc-kr",
    "cp949",
    "koi8-r",
)
NOT_UTF8 = "the text is not UTF-8"
SAY_ENCODING = "say its encoding with --encoding"
_SAVE_AGAIN = "get the file again, or save it as UTF-8"
LIKE_UTF8 = "The text looks like UTF-8, but the shapefile does not say so: see --encoding."
_BLOCK = 1 << 20
"""Bytes of a file that are decoded at a time."""


def codec_name(encoding: str, form: str) -> str:
    """Return Python's name of an encoding; refuse an unknown one, or one for a format that is UTF-8."""
    try:
        name = codecs.lookup(encoding).name
        codecs.decode(b"", name)
    except (LookupError, ValueError) as error:
        raise DataError(
            f"there is no encoding '{encoding}'",
            advice=nearest(encoding, _COMMON) or "use utf-8, windows-1252, gbk, … ",
        ) from error
    if form not in {"shapefile", "CSV"} and name != "utf-8":
        raise DataError(
            "--encoding is for shapefiles and CSV files"
            + ("" if form == "other" else f"; {form} text is UTF-8"),
            advice="leave it out",
        )
    return name


def mend_text(form: str) -> str:
    """Say what to do about text of a format that is not UTF-8."""
    return SAY_ENCODING if form in {"shapefile", "CSV", "other"} else _SAVE_AGAIN


def guessed_encoding(name: str) -> str:
    """Say that text was read in an encoding which nobody gave."""
    return f"The text is not in the encoding the file says; it was read as {name} (see --encoding)."


def latin1_filter(where: str | None, encoding: str) -> str | None:
    """Return a filter as it is to be put to text that is read as Latin-1, byte for byte.

    Raises
    ------
    DataError
        If it has letters that the encoding lacks.
    """
    try:
        return None if where is None else where.encode(encoding).decode("latin-1")
    except UnicodeEncodeError as error:
        raise DataError(f"--where has letters that {encoding} lacks", advice="check --encoding") from error


def unreadable_row(column: pa.ChunkedArray) -> int:
    """Return the number, from 0, of the first row of a text column whose bytes are not UTF-8."""
    import pyarrow as pa

    for row, raw in enumerate(column.cast(pa.binary())):
        try:
            (raw.as_py() or b"").decode("utf-8")
        except UnicodeDecodeError:
            return row
    raise ValueError("all rows are UTF-8")


def unreadable_column(table: pa.Table) -> str | None:
    """Return the first text column whose bytes are not UTF-8, or None."""
    import pyarrow as pa

    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_string(field.type):
            try:
                column.cast(pa.binary()).cast(pa.string())
            except pa.ArrowInvalid:
                return str(field.name)
    return None


def decoded(table: pa.Table, encoding: str) -> pa.Table:
    """Decode names and text that were read as Latin-1, byte for byte, from what they really are in.

    Raises
    ------
    DataError
        If a text has bytes the encoding lacks.
    """
    import pyarrow as pa

    def decode(text: str) -> str:
        return text.encode("latin-1").decode(encoding)

    fields, columns = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        try:
            fields.append(field.with_name(decode(field.name)))
            columns.append(_decoded_column(column, decode) if pa.types.is_string(field.type) else column)
        except UnicodeError as error:
            raise DataError(
                f"the text is not {encoding}", column=str(field.name), advice="give another --encoding"
            ) from error
    return pa.table(columns, schema=pa.schema(fields))


def _decoded_column(column: pa.ChunkedArray, decode: Callable[[str], str]) -> pa.ChunkedArray:
    import pyarrow as pa

    plain = {text: text if text is None else decode(text) for text in column.unique().to_pylist()}
    if all(text == new for text, new in plain.items()):
        return column
    return pa.chunked_array([pa.array([plain[text] for text in column.to_pylist()], pa.string())])


def fallback_encoding(source: Source) -> tuple[str, bool]:
    """Return the encoding of a shapefile GDAL could not decode: what its .cpg says, else a guess (True)."""
    file = source.open(".cpg")
    if file is None:
        return USUAL, True
    with file:
        said = file.read(64).decode("ascii", "replace").strip()
    for name in (
        said,
        f"cp{said}",
        re.sub(r"^(?:ansi|oem|ms)\W*", "cp", said.lower()),
        said.replace(" ", "-"),
    ):
        try:
            return codecs.lookup(name).name, False
        except (LookupError, ValueError):
            continue
    return USUAL, True


def misread_utf8(source: Source, table: pa.Table) -> bool:
    """Whether text that was taken as Latin-1, for want of a .cpg, would make sense as UTF-8."""
    import pyarrow as pa

    if source.size(".cpg"):
        return False
    for field, column in zip(table.schema, table.columns, strict=True):
        if not pa.types.is_string(field.type):
            continue
        for text in column.unique().to_pylist():
            if text and not text.isascii():
                try:
                    if text.encode("latin-1").decode("utf-8") != text:
                        return True
                except UnicodeError:
                    return False
    return False


def copy_as_utf8(source: Source, encoding: str, copy: Path) -> None:
    """Copy a file, decoded and encoded again as UTF-8, a block at a time.

    Raises
    ------
    DataError
        If it has bytes the encoding lacks.
    """
    file = source.open()
    assert file is not None
    decoder = codecs.getincrementaldecoder(encoding)()
    with file, copy.open("wb") as copied:
        try:
            while block := file.read(_BLOCK):
                copied.write(decoder.decode(block).encode("utf-8"))
            copied.write(decoder.decode(b"", final=True).encode("utf-8"))
        except UnicodeError as error:
            raise DataError(f"the text is not {encoding}", advice="give another --encoding") from error
