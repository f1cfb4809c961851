"""What users chose: a table of users, items and labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, counted, listed, located, nearest
from regionalize.model.layer import Layer
from regionalize.studies.rank.places import Items, Users

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LABELS = ("label", "rating", "clicked")


@dataclass(frozen=True)
class Clicks:
    """What users chose, each pair of a user and an item once: m rows, users rising, then items.

    Attributes
    ----------
    user, item : (m,) int64
        Rows among users and items.
    label : (m,) float64
        Above 0: the more, the more wanted.
    """

    user: IntArray
    item: IntArray
    label: FloatArray

    def __len__(self) -> int:
        return len(self.user)

    def of(self, user: int) -> slice:
        """Return where the rows of a user are."""
        return slice(*np.searchsorted(self.user, [user, user + 1]).tolist())

    def take(self, kept: NDArray[np.bool_]) -> Clicks:
        """Return some of the rows, by a mask of shape (m,)."""
        return Clicks(self.user[kept], self.item[kept], self.label[kept])


def read_clicks(path: str | Path, users: Users, items: Items, *, layer: str | None = None) -> Clicks:
    """Read a table of clicks from a file: see `clicks_of`."""
    from regionalize.io.read import read_layer

    return clicks_of(read_layer(path, layer=layer), users, items)


def clicks_of(layer: Layer, users: Users, items: Items) -> Clicks:
    """Take every row of a table as a choice of an item by a user.

    Parameters
    ----------
    layer : Layer
        Columns ``user`` and ``item`` with ids of both, and one of ``label``, ``rating`` or ``clicked`` where
        choices differ; 1 each by default. Names in any case. Clicks on the same item add up; two labels or
        ratings of the same item by one user are refused. Items that are not there, and those with 0, count as
        not wanted.
    users : Users
    items : Items

    Raises
    ------
    DataError
        With the row of an unknown user or item, or of a label that is missing, negative or no number; a
        column that is not there; no label above 0.

    Examples
    --------
    >>> import pyarrow as pa
    >>> layer = Layer(pa.table({"user": [2, 2, 1], "item": ["a", "a", "b"]}), None, None)
    >>> users = Users(np.array([1, 2]), np.zeros((2, 2)))
    >>> found = clicks_of(layer, users, Items(np.array(["a", "b"]), np.zeros((2, 2))))
    >>> found.user.tolist(), found.item.tolist(), found.label.tolist()
    ([0, 1], [1, 0], [1.0, 2.0])
    """
    with located(layer.origin.file, layer.origin.layer):
        user = _rows(layer, "user", users.ids)
        item = _rows(layer, "item", items.ids)
        column = _label_column(layer)
        label = np.ones(len(layer)) if column is None else _labels(layer, column)
        pair = user * len(items) + item
        once, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
        if column is not None and column.lower() != "clicked" and len(once) < len(pair):
            again = int(np.setdiff1d(np.arange(len(pair)), first)[0])
            raise DataError(
                f"user '{users.ids[user[again]]}' has two labels for item '{items.ids[item[again]]}'",
                column=column,
                row=again + 1,
                advice="keep one of them",
            )
        total = np.bincount(inverse, label, len(once)).astype(np.float64)
        wanted = total > 0
        if not wanted.any():
            raise DataError("no label is above 0", advice="give what is wanted a label of 1 or more")
        once = once[wanted]
        return Clicks(once // len(items), once % len(items), total[wanted])


def _column(layer: Layer, name: str) -> str | None:
    """Return the column of that name in any case, the exact one before others."""
    alike = [column for column in layer.column_names if column.lower() == name]
    return name if name in alike else alike[0] if alike else None


def _label_column(layer: Layer) -> str | None:
    found = [column for column in (_column(layer, name) for name in _LABELS) if column is not None]
    if len(found) > 1:
        raise DataError(f"there are {listed(found)}, all of them labels", advice="keep one of the columns")
    return found[0] if found else None


def _rows(layer: Layer, name: str, ids: NDArray[Any]) -> IntArray:
    """Return which of the ids every row names, shape (rows,)."""
    column = _column(layer, name)
    if column is None:
        raise DataError(
            f"there is no column '{name}' of clicks", advice=f"the columns are {listed(layer.column_names)}"
        )
    known: dict[str, int] = {}
    twice: set[str] = set()
    for row, one in enumerate(map(str, ids.tolist())):
        if known.setdefault(one, row) != row:
            twice.add(one)
    missing = layer.attributes[column].is_null().to_numpy(zero_copy_only=False)
    found = np.empty(len(layer), dtype=np.int64)
    for row, one in enumerate(layer.names(column)):
        if missing[row] or one not in known:
            what = f"the {name} is missing" if missing[row] else f"there is no {name} '{one}'"
            advice = nearest(one, known) if len(known) <= 1000 else ""
            raise DataError(
                what, column=column, row=row + 1, advice=advice or f"there are {counted(len(known), name)}"
            )
        if one in twice:
            advice = f"give each {name} an id of its own"
            raise DataError(f"there are two {name}s '{one}'", column=column, row=row + 1, advice=advice)
        found[row] = known[one]
    return found


def _labels(layer: Layer, column: str) -> FloatArray:
    found = np.empty(len(layer))
    for row, value in enumerate(layer.attributes[column].to_pylist()):
        try:
            found[row] = math.nan if value is None else float(value)
        except (TypeError, ValueError):
            found[row] = math.nan
        if not 0 <= found[row] < math.inf:
            what = "the label is missing" if value is None or value == "" else f"'{value}' is no label"
            raise DataError(what, column=column, row=row + 1, advice="use numbers of 0 or more")
    return found
