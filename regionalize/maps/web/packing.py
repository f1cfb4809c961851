"""Whole numbers as text for a page: few letters for small ones, none lost."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import ArrayLike, NDArray


def packed(values: ArrayLike) -> str:
    """Write whole numbers as base64 of one to five bytes each.

    A number v becomes 2v, or -2v - 1 below zero, and that its seven lowest bits first; all bytes of a
    number but its last have the highest bit set.

    Parameters
    ----------
    values : (n,) int
        From -2³¹ to below 2³¹.

    Examples
    --------
    >>> base64.b64decode(packed([1, -1, 64])).hex()
    '02018001'
    """
    signed = np.asarray(values, dtype=np.int64)
    number = np.where(signed < 0, -2 * signed - 1, 2 * signed).astype(np.uint64)
    length = np.ones(len(number), dtype=np.int64)
    for bits in (7, 14, 21, 28):
        length += number >= 1 << bits
    end = np.cumsum(length)
    data = np.zeros(int(length.sum()), dtype=np.uint8)
    for place in range(5):
        there = length > place
        low = (number[there] >> np.uint64(7 * place)).astype(np.uint8) & 0x7F
        more = (length[there] > place + 1).astype(np.uint8) << 7
        data[(end - length)[there] + place] = low | more
    return base64.b64encode(data.tobytes()).decode("ascii")


def packed_steps(values: NDArray[np.int64]) -> str:
    """Write whole numbers, each as its difference to the one before, the first to 0.

    Examples
    --------
    >>> packed_steps(np.array([1000, 1001, 999])) == packed([1000, 1, -2])
    True
    """
    return packed(np.diff(values, prepend=0))
