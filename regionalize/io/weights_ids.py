"""Which row an id in a weights file means."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, listed, nearest

Ids = NDArray[np.object_]


class IdMatcher:
    """Finds rows by id.

    An id matches by its text, else as a number (``17031.0`` is ``17031``), else with blanks turned into
    underscores (as libpysal writes them into `.gwt` files); each only where that leaves a single row.

    Parameters
    ----------
    ids : (n,) array of str
        Id of each row.

    Raises
    ------
    DataError
        When ids repeat.

    Examples
    --------
    >>> matcher = IdMatcher(np.array(["17031", "17033", "Los Angeles"], dtype=object))
    >>> matcher.row("17033.0", 1), matcher.row("Los_Angeles", 2)
    (1, 2)
    """

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.by_text: dict[str, int] = {name: i for i, name in enumerate(ids)}
        if len(self.by_text) < len(ids):
            raise DataError(
                f"ids repeat, so the file cannot be matched: {listed(repeated(ids))}",
                advice="choose another --id",
            )

    def row(self, name: str, line: int) -> int:
        """Return the row an id means, or raise a `DataError` that names the line."""
        row = self.by_text.get(name, -1)
        if row < 0:
            number = exact_number(name)
            row = self._loosely.get(_underscored(name) if number is None else number, -1)
        if row < 0:
            hint = nearest(name, self.ids[:10_000].tolist()) or f"the layer has {listed(self.ids, limit=3)}"
            raise DataError(
                f"there is no unit '{name}' in the layer",
                advice=f"{hint}; --id names the column to match by",
                row=line,
            )
        return row

    @cached_property
    def _loosely(self) -> dict[object, int]:
        """Rows by number and by underscored text; -1 where two rows would answer."""
        loosely: dict[object, int] = {}
        for key in (exact_number, _underscored):
            for name, i in self.by_text.items():
                loose = key(name)
                if loose is not None:
                    loosely[loose] = -1 if loose in loosely else i
        return loosely


def repeated(ids: Ids) -> list[str]:
    """Return the ids that are there more than once."""
    values, counts = np.unique(ids.astype(str), return_counts=True)
    return [str(value) for value in values[counts > 1]]


def counts_from_zero(ids: Ids, used: Iterable[str]) -> bool:
    """Say whether rows are known as 1 … n here and as 0 … n - 1 in the file."""
    n = len(ids)
    if ids.tolist() != [str(row) for row in range(1, n + 1)]:
        return False
    used = set(used)
    return "0" in used and used <= {str(row) for row in range(n)}


def exact_number(text: str) -> Decimal | None:
    """Return the number a text stands for, exactly, or None.

    Examples
    --------
    >>> exact_number("7.0") == exact_number("7"), exact_number("7a"), exact_number("nan")
    (True, None, None)
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _underscored(name: str) -> str:
    return "_".join(name.split())
