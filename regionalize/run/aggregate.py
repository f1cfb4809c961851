"""Columns of units summed up per region: ``pop:sum,income:mean``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, UsageError, listed, nearest
from regionalize.run.options import split_list

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regionalize.model.layer import Layer

Aggregate = tuple[str, str]
"""A column, and what is made of it: a key of `FUNCTIONS`."""


def _sum(values: Sequence[Any]) -> Any:
    whole = all(isinstance(value, int) for value in values)
    return sum(values) if whole else math.fsum(values)


def _median(values: Sequence[Any]) -> float:
    import numpy as np

    return float(np.median(np.asarray(values, dtype=np.float64)))


def _sd(values: Sequence[Any]) -> float | None:
    import numpy as np

    return None if len(values) < 2 else float(np.std(np.asarray(values, dtype=np.float64), ddof=1))


FUNCTIONS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "sum": _sum,
    "mean": lambda values: math.fsum(values) / len(values),
    "median": _median,
    "min": min,
    "max": max,
    "sd": _sd,
}
"""What can be made of the values of a column in one region, of which there is at least one. ``sd`` divides by
their number less one, and is none of a single value."""


def parse_aggregates(given: Any) -> tuple[Aggregate, ...]:
    """Read ``pop:sum,income:mean``, several of these, or a mapping of columns to one function or several.

    Raises
    ------
    UsageError
        An unknown function, with the nearest name; the same asked for twice; no pair at all.

    Examples
    --------
    >>> parse_aggregates("pop:sum,a:b:mean"), parse_aggregates({"pop": ["min", "max"]})
    ((('pop', 'sum'), ('a:b', 'mean')), (('pop', 'min'), ('pop', 'max')))
    """
    found: list[Aggregate] = []
    if isinstance(given, Mapping):
        for column, functions in given.items():
            several = [functions] if isinstance(functions, str) else functions
            if not isinstance(several, Iterable):
                raise UsageError(f"--aggregate of '{column}' is {functions!r}", advice="give sum, mean …")
            found += [(str(column), str(function)) for function in several]
    else:
        for text in split_list(given):
            column, colon, function = text.rpartition(":")
            if not colon or not column.strip():
                raise UsageError(f"--aggregate is '{text}'", advice="write COLUMN:FUNCTION, such as pop:sum")
            found.append((column.strip(), function.strip()))
    for place, (column, function) in enumerate(found):
        if function not in FUNCTIONS:
            raise UsageError(
                f"--aggregate of '{column}' is '{function}'; it must be one of {', '.join(FUNCTIONS)}",
                advice=nearest(function, FUNCTIONS),
            )
        if (column, function) in found[:place]:
            raise UsageError(f"--aggregate has '{column}:{function}' twice", advice="leave one out")
    return tuple(found)


def check_aggregates(layer: Layer, aggregates: Iterable[Aggregate]) -> None:
    """Refuse columns that are not there, or are not numbers.

    Raises
    ------
    UsageError, DataError
    """
    from regionalize.features.columns import not_numeric

    for column, function in aggregates:
        if column not in layer.column_names:
            raise UsageError(
                f"there is no column '{column}' for --aggregate",
                advice=nearest(column, layer.column_names)
                or f"the columns are {listed(layer.column_names, 20)}",
            )
        layer.refuse_misread(column)
        kind = not_numeric(layer, column)
        if kind:
            raise DataError(
                f"holds {kind}, which has no {function}", column=column, advice="leave it out of --aggregate"
            )


def aggregate(
    layer: Layer, aggregates: Iterable[Aggregate], groups: Sequence[NDArray[np.int64]]
) -> list[list[Any]]:
    """Return what every aggregate makes of the rows of every group; None where there is no value.

    Nulls and NaN are left out. Sums of whole numbers are exact, and those of others are rounded once.

    Parameters
    ----------
    layer : Layer
    aggregates : iterable of (str, str)
        Numeric columns and functions.
    groups : sequence of (m,) int64
        Row numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> from regionalize.model.layer import Layer
    >>> layer = Layer(pa.table({"pop": [1, 2, None, 5]}), None, None)
    >>> rows = [np.array([0, 1, 2]), np.array([3]), np.array([2])]
    >>> aggregate(layer, [("pop", "sum"), ("pop", "sd")], rows)
    [[3, 5, None], [0.7071067811865476, None, None]]
    """
    columns: dict[str, list[Any]] = {}
    found = []
    for column, function in aggregates:
        if column not in columns:
            columns[column] = [plain_number(value) for value in layer.attributes[column].to_pylist()]
        values = columns[column]
        present = ([values[row] for row in rows if values[row] is not None] for rows in groups)
        found.append([FUNCTIONS[function](some) if some else None for some in present])
    return found


def plain_number(value: Any) -> int | float | None:
    """Return a value of a numeric column as a plain number, truth as 0 or 1, None where there is none.

    Examples
    --------
    >>> from decimal import Decimal
    >>> [plain_number(value) for value in (True, Decimal("2.5"), float("nan"), None)]
    [1, 2.5, None, None]
    """
    if isinstance(value, int):
        return int(value)
    return None if value is None or math.isnan(value) else float(value)
