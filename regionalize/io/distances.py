"""Distances between units, read from a file: a square table or a flat one."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, located
from regionalize.io.weights_ids import IdMatcher, Ids
from regionalize.model.distances import FloatArray, check_table, number_of_pairs, pairs_begin

TOLERANCE = 1e-8
"""Share of the largest distance that is taken for rounding, between the two of a pair or on the diagonal."""
SUFFIXES = (".csv", ".npy")


def read_distances(
    path: str | Path, n: int, ids: Ids | None = None
) -> tuple[FloatArray, NDArray[np.int64], tuple[str, ...]]:
    r"""Read the distance of every two units.

    Parameters
    ----------
    path : path
        ``.csv`` or ``.npy``: a square table, n by n, as a CSV with or without a header and a first column of
        names; or the upper triangle row by row as one row or column of n (n - 1) / 2 numbers.
    n : int
        Units of the layer.
    ids : (n,) array of str, optional
        Names of the units, to match those of the table by. Without them, or without names in the table, units
        are taken in the table's order.

    Returns
    -------
    condensed : (n (n - 1) / 2,) float64
        Distances of all pairs, in the file's order.
    units : (n,) int64
        Where each unit of the layer is in the file.
    notes : tuple of str
        What was noticed, for the person.

    Raises
    ------
    DataError
        The file cannot be read, is of another size, or holds something other than finite distances of at
        least 0 that are the same in both directions and 0 from a unit to itself; names that do not match.
    UsageError
        The distances are larger than memory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "d.csv"
    ...     _ = file.write_text("name,b,a,c\nb,0,1,2\na,1,0,3\nc,2,3,0\n")
    ...     condensed, units, _ = read_distances(file, 3, np.array(["a", "b", "c"], dtype=object))
    >>> condensed.tolist(), units.tolist()
    ([1.0, 2.0, 3.0], [1, 0, 2])
    """
    path = Path(path)
    check_table(n)
    with located(str(path)):
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(
                f"distances cannot be read from '{path.suffix or path.name}'",
                advice=f"use {' or '.join(SUFFIXES)}",
            )
        try:
            if path.suffix.lower() == ".npy":
                condensed, names = _read_npy(path, n), None
            else:
                condensed, names = _read_csv(path, n)
        except UnicodeDecodeError as error:
            raise DataError("the text is not UTF-8", advice="save the table as UTF-8") from error
        except csv.Error as error:
            raise DataError(f"is no table of numbers ({error})", advice="save it as CSV") from error
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror or error})", advice="check the path") from error
        return condensed, *_matched(names, n, ids)


def _matched(names: list[str] | None, n: int, ids: Ids | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Find where each unit of the layer is in the file."""
    as_they_come = np.arange(n, dtype=np.int64)
    if names is None:
        note = "the distances have no names, so they are taken in the order of the layer's rows"
        return as_they_come, () if ids is None else (note,)
    if ids is None:
        note = "the distances are taken in the order of the layer's rows; --id matches them by name"
        return as_they_come, (note,)
    matcher = IdMatcher(ids)
    units = np.full(n, -1, dtype=np.int64)
    for place, name in enumerate(names):
        row = matcher.row(name, place + 1)
        if units[row] >= 0:
            raise DataError(f"the unit '{name}' is there twice")
        units[row] = place
    return units, ()


def _read_npy(path: Path, n: int) -> FloatArray:
    try:
        found = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # its header is read as Python, in which a great many things can be wrong
        raise DataError("is not a NumPy array of numbers", advice="write it with numpy.save") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf":
        raise DataError("does not hold an array of numbers", advice="write it with numpy.save")
    flat = found.ndim == 1 or (found.ndim == 2 and 1 in found.shape and n > 1)
    if flat and found.size == number_of_pairs(n):
        return _checked_flat(np.array(found, dtype=np.float64).ravel())
    if found.shape != (n, n):
        raise _wrong_size(" by ".join(f"{size:,}" for size in found.shape), n)
    return _folded((np.asarray(row, dtype=np.float64) for row in found), n, (1, 1))


def _read_csv(path: Path, n: int) -> tuple[FloatArray, list[str] | None]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = sum(1 for _ in _filled(file))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = _filled(file)
        first = next(rows, [])
        flat = number_of_pairs(n)
        if lines == 1 and len(first) == flat:
            return _checked_flat(_numbers(first, 1, 1)), None
        if lines == flat and len(first) == 1 and flat > 1:
            return _checked_flat(_numbers([first[0], *(_only(row) for row in rows)], 1, 1, down=True)), None
        if lines not in {n, n + 1} or len(first) not in {n, n + 1}:
            raise _wrong_size(f"{lines:,} by {len(first):,}", n)
        header = first if lines == n + 1 else None
        body = rows if header is not None else _with(first, rows)
        named: list[str] = []
        begin = (1 if header is None else 2, 1)
        condensed = _folded(_cells(body, n, begin[0], named), n, begin, named)
    return condensed, _names(header, named, n)


def _filled(file: Iterable[str]) -> Iterator[list[str]]:
    """Give the rows that are not blank; a name in quotes may have several lines."""
    return (row for row in csv.reader(file) if len(row) > 1 or "".join(row).strip())


def _only(row: list[str]) -> str:
    return row[0] if len(row) == 1 else ",".join(row)  # what is no number is refused as such


def _with(first: list[str], rest: Iterable[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _cells(rows: Iterable[list[str]], n: int, line: int, named: list[str]) -> Iterator[FloatArray]:
    """Turn the rows of a square table to numbers, and put the names before them, if any, into `named`."""
    for at, row in enumerate(rows, line):
        if len(row) not in {n, n + 1} or (at > line and (len(row) > n) != bool(named)):
            raise DataError(f"has {len(row):,} cells, not {n + bool(named):,}", row=at)
        if len(row) > n:
            named.append(row[0].strip())
        yield _numbers(row[len(row) - n :], at, 1 + len(row) - n)


def _names(header: list[str] | None, named: list[str], n: int) -> list[str] | None:
    """Return the names of the units, which rows and columns must agree on."""
    across = None if header is None else [cell.strip() for cell in header[len(header) - n :]]
    if across is None or not named:
        return named or across
    for place, (down, over) in enumerate(zip(named, across, strict=True)):
        if down != over:
            raise DataError(
                f"row {place + 2} is of '{down}', but column {place + 2} of '{over}'",
                advice="put rows and columns into the same order",
            )
    return named


def _numbers(cells: list[str], row: int, column: int, *, down: bool = False) -> FloatArray:
    """Turn text to numbers; the first cell is in that row and column of the file."""
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        for at, cell in enumerate(cells):
            try:
                float(cell)
            except ValueError:
                place = _place(row + at, column) if down else _place(row, column + at)
                what = f"'{cell.strip()}'" if cell.strip() else "nothing"
                raise DataError(f"{place} holds {what}, not a distance") from None
        raise


def _folded(
    rows: Iterable[FloatArray], n: int, begin: tuple[int, int], named: list[str] | None = None
) -> FloatArray:
    """Check a square table row by row, and keep its upper triangle; `begin` is its corner in the file."""
    condensed = np.empty(number_of_pairs(n))
    offset = pairs_begin(n, np.arange(n)) - np.arange(n) - 1
    largest = 0.0
    for i, values in enumerate(rows):
        down, right = begin[0] + i, begin[1] + bool(named)
        _refuse_impossible(values, lambda j, down=down, right=right: _place(down, right + j))
        largest = max(largest, float(values.max(initial=0.0)))
        if values[i] > TOLERANCE * largest:
            raise DataError(f"{_place(down, right + i)} holds {values[i]:g}, but a unit is 0 from itself")
        condensed[offset[i] + i + 1 : offset[i] + n] = values[i + 1 :]
        above = condensed[offset[:i] + i]
        apart = np.flatnonzero(np.abs(above - values[:i]) > TOLERANCE * largest)
        if len(apart):
            j = int(apart[0])
            raise DataError(
                f"is not symmetric: {_place(down, right + j)} holds {values[j]:g}, "
                f"and {_place(begin[0] + j, right + i)} {above[j]:g}",
                advice="give one distance for both directions",
            )
    return condensed


def _checked_flat(condensed: FloatArray) -> FloatArray:
    _refuse_impossible(condensed, lambda at: f"number {at + 1:,}")
    return condensed


def _refuse_impossible(values: FloatArray, place: Any) -> None:
    """Refuse distances that are none."""
    bad = np.flatnonzero(~((values >= 0) & np.isfinite(values)))
    if len(bad):
        at = int(bad[0])
        raise DataError(
            f"{place(at)} holds {values[at]:g}", advice="a distance is a finite number of at least 0"
        )


def _place(row: int, column: int) -> str:
    return f"row {row:,}, column {column:,}"


def _wrong_size(size: str, n: int) -> DataError:
    return DataError(
        f"holds a table of {size}, not of the distances of the layer's {n:,} units",
        advice=f"give {n:,} by {n:,} numbers, or the {number_of_pairs(n):,} of the upper triangle",
    )
