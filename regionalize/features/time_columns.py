"""Columns that are steps of time: named one by one, by a pattern, or from the first to the last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from regionalize.errors import RegionalizeError, UsageError
from regionalize.features.columns import select_columns

if TYPE_CHECKING:
    from regionalize.model.layer import Layer


def select_steps(layer: Layer, patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose columns in the order of time.

    Parameters
    ----------
    layer : Layer
        n rows.
    patterns : iterable of str
        Names, ranges such as ``d1-d40``, and shell patterns, whose columns come in file order.

    Returns
    -------
    names : tuple of str
        Each once.
    notes : tuple of str
        What a pattern passes over.

    Raises
    ------
    RegionalizeError
        A column that is not there (with the nearest name) or not numeric, or nothing named.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from regionalize.model.layer import Layer
    >>> layer = Layer(pa.table({"d2": [5], "d1": [7], "name": ["a"]}), None, None)
    >>> select_steps(layer, ["d1-d2"])
    (('d1', 'd2'), ())
    """
    wanted = tuple(patterns)
    try:
        if not wanted:
            raise UsageError("no column is named", advice="give a range or a list, such as d1-d40")
        return select_columns(layer, wanted)
    except RegionalizeError as error:
        error.reason = f"--time-columns: {error.reason}"
        raise
