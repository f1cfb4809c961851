"""Distances of every two units, as one flat array: row by row of the upper triangle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.memory import available_memory

FloatArray = NDArray[np.float64]
BYTES = 8


def number_of_pairs(n: int) -> int:
    """Return how many pairs n units make.

    Examples
    --------
    >>> number_of_pairs(4)
    6
    """
    return n * (n - 1) // 2


def pairs_begin(n: int, i: Any) -> Any:
    """Return where the pairs of unit i with those after it begin: pair (i, j) is at ``begin + j - i - 1``.

    Examples
    --------
    >>> [pairs_begin(4, i) for i in range(4)]
    [0, 3, 5, 6]
    """
    return i * n - i * (i + 1) // 2


def distances_among(condensed: FloatArray, n: int, units: NDArray[np.int64]) -> FloatArray:
    """Return the distances among some of n units, in the order in which they are named.

    Parameters
    ----------
    condensed : (n (n - 1) / 2,) float64
        Distances of all pairs.
    n : int
        Units.
    units : (m,) int64
        Which of them, each at most once.

    Returns
    -------
    (m (m - 1) / 2,) float64
        `condensed` itself where all are wanted as they are.

    Examples
    --------
    >>> distances_among(np.array([1.0, 2, 3, 12, 13, 23]), 4, np.array([3, 1])).tolist()
    [13.0]
    """
    m = len(units)
    if m == n and np.array_equal(units, np.arange(n)):
        return condensed
    found = np.empty(number_of_pairs(m))
    for a, unit in enumerate(units[:-1].tolist()):
        others = units[a + 1 :]
        low, high = np.minimum(unit, others), np.maximum(unit, others)
        begin = pairs_begin(m, a)
        found[begin : begin + m - a - 1] = condensed[pairs_begin(n, low) + high - low - 1]
    return found


def check_table(n: int, copies: int = 1) -> None:
    """Refuse a table of the distances of n units that would not fit, before it is made.

    Parameters
    ----------
    n : int
        Units.
    copies : int
        How often it is held at once.

    Raises
    ------
    UsageError
        With how much is needed, how much there is, and what to do.

    Examples
    --------
    >>> check_table(1000)
    """
    if n > 1 and BYTES * copies * number_of_pairs(n) > available_memory():
        raise too_large(n, copies)


def too_large(n: int, copies: int) -> UsageError:
    """Say that the distances of n units do not fit into memory."""
    table, free = BYTES * number_of_pairs(n), available_memory()
    held = " (held twice)" if copies > 1 else ""
    return UsageError(
        f"{n:,} units need a table of {size(table)} of distances{held}, and {size(free)} of memory are free",
        advice="use a method that needs no such table: skater or schc, which look at neighbours alone, or "
        "kmeans, also of a sample (--sample 1%); or take fewer units with --where",
    )


def size(amount: float) -> str:
    """Write bytes for a person.

    Examples
    --------
    >>> size(159_999_200_000), size(7.9e9), size(4e5)
    ('160 GB', '7.9 GB', '0.4 MB')
    """
    for unit, factor in (("TB", 1e12), ("GB", 1e9)):
        if amount >= factor:
            return f"{amount / factor:.3g} {unit}"
    return f"{amount / 1e6:.2g} MB" if amount < 1e8 else f"{amount / 1e6:.0f} MB"
