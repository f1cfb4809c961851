"""Random numbers of rows by their numbers alone: it does not matter where a file is cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE, SPLIT = range(2)
"""What numbers are drawn for: with the same seed, those for one purpose tell nothing of those for another."""
STEP = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, odd: what splitmix64 counts by."""


def keys(rows: NDArray[np.int64], seed: int, purpose: int) -> NDArray[np.uint64]:
    """Return 64 random bits for each row, as splitmix64 draws them (Steele, Lea and Flood 2014).

    The state it begins with is mixed from the seed and the purpose, so that the rows of another seed do not
    get the same bits a few rows later.

    Parameters
    ----------
    rows : (m,) int64
        Row numbers, 0 or more.
    seed : int
        0 … 2^64 - 1.
    purpose : int
        One of those above.

    Returns
    -------
    (m,) uint64

    Examples
    --------
    >>> bool((keys(np.array([5, 6]), 1, SAMPLE) == keys(np.array([6, 5]), 1, SAMPLE)[::-1]).all())
    True
    """
    begin = mixed(np.array([seed], dtype=np.uint64) + STEP)
    begin = mixed(begin + np.array([purpose], dtype=np.uint64) * STEP)  # arrays, which may wrap around
    return mixed(begin + (rows.astype(np.uint64) + np.uint64(1)) * STEP)


def uniform(rows: NDArray[np.int64], seed: int, purpose: int) -> NDArray[np.float64]:
    """Return a random number from 0, and below 1, for each row.

    Examples
    --------
    >>> drawn = uniform(np.arange(1000), 7, SPLIT)
    >>> bool(drawn.min() >= 0 and drawn.max() < 1)
    True
    """
    bits = keys(rows, seed, purpose)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread bits, of no two numbers to the same (Stafford's variant 13 of what ends MurmurHash3)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
