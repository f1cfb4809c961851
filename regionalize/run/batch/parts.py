"""`--by COLUMN`: the values of a column, the rows that have each, and the filter that selects them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, RegionalizeError, UsageError, counted, listed, located, nearest
from regionalize.model.layer import plain_values
from regionalize.run.batch.items import Part
from regionalize.run.batch.names import natural

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer

SQLITE = ("GeoPackage", "GeoParquet")
"""Formats whose filters SQLite reads; GDAL reads those of all others."""
EXACT = 2**53
"""Whole numbers below are told apart by floats."""


def parts_of(layer: Layer, column: str) -> tuple[tuple[Part, ...], int]:
    """Return a part for each value of a column, in natural order, and how many rows have none.

    Parameters
    ----------
    layer : Layer
        n rows.
    column : str
        Text, whole numbers (floats count that are all whole) or truth values. Blank text is no value.

    Raises
    ------
    UsageError
        No such column.
    DataError
        A column of another kind, or without any value.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from regionalize.model.layer import Layer
    >>> layer = Layer(pa.table({"zone": ["b10", "b9", None, "b10"]}), None, None)
    >>> parts, without = parts_of(layer, "zone")
    >>> [part.value for part in parts], without
    (['b9', 'b10'], 1)
    """
    values = values_of(layer, column)
    present = [value for value in values if value is not None]
    if not present:
        raise DataError("no row has a value to go by", column=column, advice="name another column with --by")
    distinct = sorted(dict.fromkeys(present), key=lambda value: natural(value) if is_text(value) else value)
    alike: dict[Any, int] = {}
    for value in distinct:
        key = value.casefold() if is_text(value) else value
        alike[key] = alike.get(key, 0) + 1
    parts = tuple(
        Part(
            column=column,
            value=value,
            filter=equality(
                column,
                value,
                sqlite=layer.origin.driver in SQLITE,
                cased=is_text(value) and alike[value.casefold()] > 1,
            ),
        )
        for value in distinct
    )
    return parts, len(values) - len(present)


def values_of(layer: Layer, column: str) -> list[Any]:
    """Return the value of each row: all of one type, whole numbers as int, None where there is none.

    Raises
    ------
    UsageError, DataError
        As `parts_of`.
    """
    names = layer.column_names
    if column not in names:
        raise UsageError(
            f"there is no column '{column}' for --by",
            advice=nearest(column, names) or f"the columns are {listed(names, 20)}",
        )
    values = plain_values(layer.attributes[column])
    given = [None if is_absent(value) else value for value in values]
    present = [value for value in given if value is not None]
    if all(is_text(value) for value in present) or all(isinstance(value, bool) for value in present):
        return given
    if all(is_whole(value) for value in present):
        return [None if value is None else int(value) for value in given]
    odd = next(value for value in present if not is_whole(value))
    raise DataError(
        f"--by goes by text, whole numbers or truth values, and this column holds {odd}",
        column=column,
        advice="name a column of names or codes",
    )


def is_text(value: Any) -> bool:
    """Whether a value is text."""
    return isinstance(value, str)


def is_absent(value: Any) -> bool:
    """Whether a cell says nothing: null, NaN or blank text."""
    return (
        value is None or (isinstance(value, float) and isnan(value)) or (is_text(value) and not value.strip())
    )


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, of whatever type.

    Examples
    --------
    >>> is_whole(3), is_whole(3.0), is_whole(3.5), is_whole(True), is_whole("3")
    (True, True, False, False, False)
    """
    from decimal import Decimal

    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    number: Any = value
    return isinstance(value, int) or bool(abs(number) < EXACT and number == int(number))


def equality(column: str, value: Any, *, sqlite: bool = True, cased: bool = False) -> str:
    r"""Write the filter that selects the rows with a value, quoted for who reads it.

    Parameters
    ----------
    column : str
        Its name.
    value : str, int or bool
        What the rows have there.
    sqlite : bool
        Whether SQLite reads the filter: a quote in a name is doubled then, for GDAL it is escaped.
    cased : bool
        Whether another value differs in case alone: texts that GDAL calls equal may do so, texts that are
        LIKE each other may not.

    Examples
    --------
    >>> print(equality("state", "d'Oeste"), equality("year", 2010), equality("coast", True), sep="\n")
    "state" = 'd''Oeste'
    "year" = 2010
    "coast" = 1
    """
    quoted = column.replace('"', '""') if sqlite else column.replace("\\", r"\\").replace('"', r"\"")
    name = f'"{quoted}"'
    if not is_text(value):
        return f"{name} = {int(value)}"
    text = "'" + value.replace("'", "''") + "'"
    return f"{name} = {text} AND {name} LIKE {text}" if cased and not sqlite else f"{name} = {text}"


def where_of(part: Part, where: str | None) -> str:
    """Return the filter that selects a part of the rows that another filter selects.

    Examples
    --------
    >>> print(where_of(Part(column="state", value="CE"), "pop > 5 OR pop < 1"))
    (pop > 5 OR pop < 1) AND "state" = 'CE'
    """
    own = part.filter or equality(part.column, part.value)
    return own if not where or not where.strip() else f"({where}) AND {own}"


def part_label(part: Part) -> str:
    """Return what a part is called in names: its value, and for a truth value the column too.

    Examples
    --------
    >>> part_label(Part(column="state", value="CE")), part_label(Part(column="coast", value=False))
    ('CE', 'coast-false')
    """
    if isinstance(part.value, bool):
        return f"{part.column}-{str(part.value).lower()}"
    return str(part.value)


def without_note(source: str, column: str, rows: int) -> str:
    """Say how many rows belong to no part.

    Examples
    --------
    >>> without_note("towns.gpkg", "state", 3)
    "towns.gpkg: 3 rows have no 'state', and are in no run"
    """
    verbs = ("has", "is") if rows == 1 else ("have", "are")
    return f"{source}: {counted(rows, 'row')} {verbs[0]} no '{column}', and {verbs[1]} in no run"


@dataclass
class Splitter:
    """Finds the parts of layers, each of which it reads once."""

    found: dict[Any, tuple[tuple[Part, ...], bool] | RegionalizeError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def parts(self, source: str, job: Job, column: str) -> tuple[tuple[Part, ...], bool] | RegionalizeError:
        """Return the parts of a layer by a column and whether it holds numbers, or what is wrong with it."""
        asked = (source, job.layer, job.where, job.encoding, column)
        if asked not in self.found:
            try:
                self.found[asked] = self._split(source, job, column)
            except RegionalizeError as error:
                self.found[asked] = error
        return self.found[asked]

    def _split(self, source: str, job: Job, column: str) -> tuple[tuple[Part, ...], bool]:
        from regionalize.features.columns import not_numeric
        from regionalize.io.read import read_layer

        layer: Layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
        with located(source, layer.origin.layer):
            parts, without = parts_of(layer, column)
            if without:
                self.notes.append(without_note(source, column, without))
            return parts, not_numeric(layer, column) is None
