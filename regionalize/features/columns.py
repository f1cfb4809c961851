"""Choose columns and read them as numbers: Layer → values (n, p)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, listed, nearest
from regionalize.features.identifiers import why_left_out
from regionalize.features.ranges import spelled_out
from regionalize.model.job import CHOICES
from regionalize.model.layer import Layer

if TYPE_CHECKING:
    import pyarrow as pa

FloatArray = NDArray[np.float64]

MISSING_POLICIES = CHOICES["missing"]
_EXACT = 2**53
"""Whole numbers up to here are exact as float64."""
_LISTED = 40
"""Columns named in a note before it is cut."""


@dataclass(frozen=True)
class Columns:
    """Columns read as numbers.

    Attributes
    ----------
    values : (m, p) float64
        Values less `offset`, of the rows kept.
    offset : (p,) float64
        Zero but for columns of whole or decimal numbers too long for float64: those have their minimum
        subtracted in exact arithmetic, so that neighbouring values stay apart.
    rows : (m,) int64
        Row numbers kept.
    notes : tuple of str
        What was noticed, for the person.
    """

    values: FloatArray
    offset: FloatArray
    rows: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def raw(self) -> FloatArray:
        """Values in original units, as exact as float64 can be."""
        return self.values + self.offset if self.offset.any() else self.values


def select_columns(
    layer: Layer, columns: Sequence[str] = (), exclude: Sequence[str] = (), id_column: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose the columns that take part.

    Parameters
    ----------
    layer : Layer
        The layer, n rows.
    columns : sequence of str
        Names, ranges such as ``d1-d40`` or shell patterns (case matters; a name that exists is taken as it
        stands). Empty: every
        numeric column that does not look like an identifier, a coordinate or the size of a shape.
    exclude : sequence of str
        Names, ranges or patterns to leave out again.
    id_column : str, optional
        The column of identifiers, which only an explicit name brings in.

    Returns
    -------
    names : tuple of str
        In the order given, what a pattern matches in file order, each once.
    notes : tuple of str
        What was chosen or left out without being named.

    Raises
    ------
    UsageError
        A name or pattern that matches nothing; everything excluded.
    DataError
        A named column that is not numeric; no numeric column at all.

    Examples
    --------
    >>> import pyarrow as pa
    >>> layer = Layer(pa.table({"name": ["a", "b"], "pop": [5, 7], "pop_f": [2, 4]}), None, None)
    >>> select_columns(layer, ["pop_*", "pop"])
    (('pop_f', 'pop'), ())
    """
    if id_column is not None and id_column not in layer.column_names:
        raise UsageError(
            f"there is no column '{id_column}' for --id", advice=nearest(id_column, layer.column_names)
        )
    columns, exclude = (spelled_out(patterns, layer.column_names) for patterns in (columns, exclude))
    excluded = {name for pattern in exclude for name in matching_columns(layer, pattern)}
    if columns:
        asked, notes = _asked(layer, columns, id_column)
        names = [name for name in asked if name not in excluded]
    else:
        names, notes = _by_default(layer, excluded, id_column)
    if not names:
        raise UsageError("--exclude leaves no numeric column to cluster", advice="exclude fewer columns")
    return tuple(names), tuple(notes)


def matching_columns(layer: Layer, pattern: str) -> list[str]:
    """Return the column of that name, or all that the pattern matches."""
    names = layer.column_names
    if pattern in names:
        return [pattern]
    found = [name for name in names if fnmatchcase(name, pattern)]
    if found:
        return found
    if any(sign in pattern for sign in "*?["):
        raise UsageError(f"no column matches '{pattern}'", advice=f"the columns are {listed(names, 20)}")
    raise UsageError(
        f"there is no column '{pattern}'",
        advice=nearest(pattern, names) or f"the columns are {listed(names, 20)}",
    )


def _asked(layer: Layer, columns: Sequence[str], id_column: str | None) -> tuple[list[str], list[str]]:
    """Resolve names and patterns; only a pattern may pass over what is not numeric."""
    chosen: dict[str, None] = {}
    notes = []
    for pattern in columns:
        found = matching_columns(layer, pattern)
        if found == [pattern]:
            kind = not_numeric(layer, pattern)
            if kind:
                raise DataError(
                    f"column '{pattern}' holds {kind}, not numbers",
                    advice="name numeric columns",
                    column=pattern,
                )
            chosen[pattern] = None
            continue
        fit = [name for name in found if name != id_column and not not_numeric(layer, name)]
        if not fit:
            raise DataError(
                f"'{pattern}' matches no numeric column, only {listed(found)}", advice="name numeric columns"
            )
        passed = [name for name in found if name not in fit]
        if passed:
            notes.append(f"'{pattern}' passes over {listed(passed)}: not numeric, or the --id column")
        chosen.update(dict.fromkeys(fit))
    return list(chosen), notes


def _by_default(layer: Layer, excluded: set[str], id_column: str | None) -> tuple[list[str], list[str]]:
    """Take every numeric column that looks like a variable, and say what was left out and why."""
    numeric = [name for name in layer.column_names if name != id_column and not not_numeric(layer, name)]
    if not numeric:
        raise DataError(
            "there is no numeric column to cluster",
            advice=f"the columns are {listed(layer.column_names, 20)}",
        )
    numeric = [name for name in numeric if name not in excluded]
    reasons = {name: why_left_out(layer, name) for name in numeric}
    names = [name for name in numeric if reasons[name] is None]
    if not names:  # a column that merely counts 1, 2, 3 … is better than none
        names = [name for name in numeric if reasons[name] == "row number"]
    if numeric and not names:
        raise DataError(
            "every numeric column looks like an identifier, a coordinate, a size or a label: "
            f"{listed(numeric, 20)}",
            advice="name the variables with --columns",
        )
    notes = [f"no --columns given, numeric columns taken: {listed(names, _LISTED)} ({len(names)} in all)"]
    plural = {
        "label": "labels of earlier runs",
        "identifier": "identifiers",
        "row number": "row numbers",
        "shape": "sizes of shapes",
        "coordinate": "coordinates",
    }
    left = []
    for reason, text in plural.items():
        alike = [name for name in numeric if reasons[name] == reason and name not in names]
        if alike:
            left.append(f"{listed(alike, 20)} ({text})")
    if left:
        notes.append(f"numeric columns left out: {'; '.join(left)}; name them in --columns to take them")
    return names, notes


def not_numeric(layer: Layer, name: str) -> str | None:
    """Say what a column holds instead of numbers; None when it can be clustered.

    Examples
    --------
    >>> import pyarrow as pa
    >>> not_numeric(Layer(pa.table({"name": ["a", "b"]}), None, None), "name")
    'text'
    """
    from pyarrow import types

    kind = layer.attributes[name].type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind):
        return None
    if types.is_string(kind) or types.is_large_string(kind):
        return "text"
    if types.is_temporal(kind):
        return "dates or times"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return "binary data"
    if types.is_dictionary(kind):
        return "categories"
    if types.is_null(kind):
        return "nothing but nulls"
    if getattr(kind, "extension_name", "") == "arrow.json":
        return "text, lists or the like"  # of a GeoJSON property, in some rows at least
    return f"{kind} values"


def read_columns(
    layer: Layer, names: Sequence[str], missing: str = "error", id_column: str | None = None
) -> Columns:
    """Read columns as numbers and settle missing values.

    Parameters
    ----------
    layer : Layer
        The layer, n rows.
    names : sequence of str
        Numeric columns; booleans become 0 and 1.
    missing : {"error", "drop", "mean", "median"}
        What null and NaN mean: an error, a row left out, or a value filled in from the others.
    id_column : str, optional
        Names rows in messages.

    Returns
    -------
    Columns
        Values, the rows kept and notes.

    Raises
    ------
    UsageError
        An unknown policy.
    DataError
        Infinite values, missing values under "error", a column without any value, no row left.

    Examples
    --------
    >>> import pyarrow as pa
    >>> layer = Layer(pa.table({"a": [1, None, 3], "b": [True, False, True]}), None, None)
    >>> read_columns(layer, ["a", "b"], "mean").values.tolist()
    [[1.0, 1.0], [2.0, 0.0], [3.0, 1.0]]
    """
    if missing not in MISSING_POLICIES:
        raise UsageError(
            f"unknown policy '{missing}' for --missing", advice=f"use {', '.join(MISSING_POLICIES)}"
        )
    values, offset = read_numbers(layer, names, id_column)
    absent = np.isnan(values)
    notes: list[str] = []
    rows = np.arange(len(layer), dtype=np.int64)
    if absent.any():
        counts = {name: int(count) for name, count in zip(names, absent.sum(axis=0), strict=True) if count}
        for name, count in counts.items():
            if count == len(layer):
                raise DataError(
                    f"column '{name}' has no value at all", advice="leave it out with --exclude", column=name
                )
        where = listed([f"{name} ({count})" for name, count in counts.items()], 20)
        gaps = np.flatnonzero(absent.any(axis=1))
        if missing == "error":
            raise DataError(
                f"values are missing in {len(gaps)} of {len(layer)} rows: {where}",
                advice="use --missing drop, mean or median",
                column=next(iter(counts)) if len(counts) == 1 else "",
            )
        if missing == "drop":
            rows = np.setdiff1d(rows, gaps)
            values = values[rows]
            if not len(rows):
                raise DataError(
                    f"every row has a missing value: {where}", advice="use --missing mean or median"
                )
            which = listed(layer.names(id_column)[gaps])
            notes.append(f"{len(gaps)} of {len(layer)} rows left out for missing values in {where}: {which}")
        else:
            for j in np.flatnonzero(absent.any(axis=0)).tolist():
                values[absent[:, j], j] = _middle(values[~absent[:, j], j], missing)
            notes.append(f"missing values replaced by the {missing} of their column: {where}")
    return Columns(values, offset, rows, tuple(notes))


def read_numbers(
    layer: Layer, names: Sequence[str], id_column: str | None = None, *, first: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Read columns as numbers, missing values as NaN.

    Parameters
    ----------
    layer, names, id_column
        As `read_columns` takes them.
    first : int, optional
        Rows before these, where these are some rows of a layer.

    Returns
    -------
    values : (n, p) float64
        Less `offset`.
    offset : (p,) float64
        As `Columns` has it.

    Raises
    ------
    DataError
        Infinite values, texts that a file holds in place of numbers.

    Examples
    --------
    >>> import pyarrow as pa
    >>> read_numbers(Layer(pa.table({"a": [1, None, 3]}), None, None), ["a"])[0].ravel().tolist()
    [1.0, nan, 3.0]
    """
    values = np.empty((len(layer), len(names)))
    offset = np.zeros(len(names))
    for j, name in enumerate(names):
        layer.refuse_misread(name)
        numbers, offset[j] = _as_numbers(layer.attributes[name])
        values[:, j] = numbers
        _refuse_infinite(layer, name, values[:, j], id_column, first)
    return values, offset


def _middle(present: FloatArray, how: str) -> float:
    """Return the mean or median without leaving the range of the values, however large."""
    power = int(np.frexp(np.abs(present).max())[1])  # scaling by a power of two is exact
    scaled = np.ldexp(present, -power)
    apart = scaled - scaled[0]
    return float(np.ldexp((apart.mean() if how == "mean" else np.median(apart)) + scaled[0], power))


def _as_numbers(column: pa.ChunkedArray) -> tuple[FloatArray, float]:
    """Return a column as float64, NaN for null, and what was subtracted to keep its values apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_decimal(kind):
        return _from_decimals(column)
    if pa.types.is_boolean(kind):
        column = pc.cast(column, pa.int8())
    elif pa.types.is_integer(kind) and kind.bit_width == 64:
        extremes = pc.min_max(column).as_py()
        low, high = extremes["min"], extremes["max"]
        if low is not None and max(abs(low), abs(high)) > _EXACT:
            whole = pc.fill_null(column, pa.scalar(low, kind)).to_numpy()
            # modulo 2**64 the difference is exact, whatever the signs
            apart = whole.astype(np.uint64) - np.array([low], whole.dtype).astype(np.uint64)
            return np.where(column.is_null().to_numpy(), np.nan, apart.astype(np.float64)), float(low)
    if not pa.types.is_floating(kind):
        column = pc.cast(column, pa.float64())
    numbers: FloatArray = column.to_numpy().astype(np.float64)  # nulls become NaN
    return numbers, 0.0


def _from_decimals(column: pa.ChunkedArray) -> tuple[FloatArray, float]:
    """Return decimals as float64, less their minimum when they have too many digits for it."""
    from decimal import localcontext

    cells: list[Any] = column.to_pylist()
    present = [cell for cell in cells if cell is not None]
    if not present:
        return np.full(len(cells), np.nan), 0.0
    low, high = min(present), max(present)
    with localcontext() as context:
        context.prec = 200  # wider than any Arrow decimal
        digits = max(abs(low), abs(high)).scaleb(max(0, column.type.scale))
        if digits <= _EXACT:
            low *= 0
        numbers = np.array([np.nan if cell is None else float(cell - low) for cell in cells])
    return numbers, float(low)


def _refuse_infinite(
    layer: Layer, name: str, values: FloatArray, id_column: str | None, first: int | None
) -> None:
    infinite = np.flatnonzero(np.isinf(values))
    if not len(infinite):
        return
    row = layer.names(id_column)[infinite[0]]
    reason = f"{len(infinite)} of {len(layer)} values of '{name}' are infinite, the first in row {row}"
    advice = "correct them, or leave the rows out with --where"
    if first is not None:  # of the other rows nothing is known
        where = row if id_column else first + int(infinite[0]) + 1
        reason = f"the value of '{name}' in row {where} is infinite"
        advice = "correct it, or leave the row out with --where"
    raise DataError(reason, advice=advice, column=name)
