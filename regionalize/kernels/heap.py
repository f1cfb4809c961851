"""A heap of numbered items, the least key on top and of equal keys the lowest item.

Every item has four below it, so that those compared lie side by side in memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def rise(key: FloatArray, heap: IntArray, place: IntArray, at: int, item: int, new: float) -> None:
    """Put an item where it belongs, at the free place `at` or above it.

    Parameters
    ----------
    key : (m,) float64
        Keys, in the order of the heap.
    heap : (m,) int64
        Items.
    place : (m,) int64
        Where in the heap each item is.
    at : int
        A place whose item may be overwritten.
    item, new : int, float
        The item and its key.

    Examples
    --------
    >>> key, heap, place = np.array([5.0, 0.0]), np.array([0, 0]), np.array([0, -1])
    >>> rise(key, heap, place, 1, 1, 2.0)
    >>> key.tolist(), heap.tolist(), place.tolist()
    ([2.0, 5.0], [1, 0], [1, 0])
    """
    while at > 0:
        above = (at - 1) >> 2
        if key[above] < new or (key[above] == new and heap[above] < item):
            break
        key[at], heap[at] = key[above], heap[above]
        place[heap[at]] = at
        at = above
    key[at], heap[at], place[item] = new, item, at


def sink(key: FloatArray, heap: IntArray, place: IntArray, count: int, item: int, new: float) -> None:
    """Put an item where it belongs in a heap of `count` whose top may be overwritten.

    Parameters
    ----------
    key, heap, place
        As in :func:`rise`.
    count : int
        Items in the heap, this one included.
    item, new : int, float
        The item and its key.

    Examples
    --------
    >>> key, heap, place = np.array([1.0, 2.0]), np.array([1, 0]), np.array([1, 0])
    >>> sink(key, heap, place, 2, 1, 3.0)
    >>> key.tolist(), heap.tolist(), place.tolist()
    ([2.0, 3.0], [0, 1], [0, 1])
    """
    at = 0
    while True:
        least = 4 * at + 1
        if least >= count:
            break
        for rival in range(least + 1, min(least + 3, count - 1) + 1):
            if key[rival] < key[least] or (key[rival] == key[least] and heap[rival] < heap[least]):
                least = rival
        if new < key[least] or (new == key[least] and item < heap[least]):
            break
        key[at], heap[at] = key[least], heap[least]
        place[heap[at]] = at
        at = least
    key[at], heap[at], place[item] = new, item, at
