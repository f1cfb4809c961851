"""Connected components: the one place that answers "is this region connected"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

COMPILED_LINKS = 5_000_000
"""Links from which the compiled union-find is used: below, NumPy ends before the compiler is loaded."""


def connected_components(indptr: IntArray, indices: IntArray) -> IntArray:
    """Find the connected components of a graph.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Row i's neighbours are ``indices[indptr[i]:indptr[i + 1]]``.
    indices : (m,) int64
        Neighbour row numbers; a link counts in both directions even if only one is listed.

    Returns
    -------
    (n,) int64
        Component of each row: 0, 1, … in the order of their first rows.

    Examples
    --------
    >>> connected_components(np.array([0, 1, 1, 1, 2]), np.array([2, 1])).tolist()
    [0, 1, 0, 1]
    """
    return components_within(indptr, indices, np.zeros(len(indptr) - 1, dtype=np.int64))


def components_within(indptr: IntArray, indices: IntArray, labels: NDArray[np.integer]) -> IntArray:
    """Find the connected components that remain when links between different labels are cut.

    Parameters
    ----------
    indptr, indices
        Graph as in :func:`connected_components`.
    labels : (n,) int
        Region of each row; any integers, zero and negative ones are regions like the rest.

    Returns
    -------
    (n,) int64
        Component of each row: 0, 1, … in the order of their first rows. A region is connected when
        all its rows bear one number.

    Examples
    --------
    A path of four units whose ends bear one label: two regions, three pieces.

    >>> indptr, indices = np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2])
    >>> components_within(indptr, indices, np.array([1, 2, 2, 1])).tolist()
    [0, 1, 1, 2]
    """
    labels = np.ascontiguousarray(labels, dtype=np.int64)
    indptr = np.ascontiguousarray(indptr, dtype=np.int64)
    indices = np.ascontiguousarray(indices, dtype=np.int64)
    if len(indices) >= COMPILED_LINKS:
        from regionalize.kernels.compiler import compiled

        component: IntArray = compiled(union_find)(indptr, indices, labels)
        return component
    row = np.repeat(np.arange(len(labels)), np.diff(indptr))
    same = labels[row] == labels[indices]
    return components_of_links(len(labels), row[same], indices[same])


def components_of_links(n: int, first: IntArray, second: IntArray) -> IntArray:
    """Find the connected components of n rows and the links ``first[i]``–``second[i]``.

    Returns
    -------
    (n,) int64
        Component of each row: 0, 1, … in the order of their first rows.

    Examples
    --------
    >>> components_of_links(4, np.array([3]), np.array([0])).tolist()
    [0, 1, 2, 0]
    """
    parent = np.arange(n)
    while len(first):  # join larger roots to smaller ones and shorten paths until no link joins two roots
        first, second = parent[first], parent[second]
        still_open = first != second
        first, second = first[still_open], second[still_open]
        np.minimum.at(parent, np.maximum(first, second), np.minimum(first, second))
        while True:
            shorter = parent[parent]
            if np.array_equal(shorter, parent):
                break
            parent = shorter
    # every root is the first row of its component, so the rank of the root is the number asked for
    number = np.cumsum(parent == np.arange(n)) - 1
    return np.asarray(number[parent], dtype=np.int64)


def union_find(indptr: IntArray, indices: IntArray, labels: IntArray) -> IntArray:
    """Do what :func:`components_within` does, one link at a time (for the compiler)."""
    n = len(labels)
    parent = np.arange(n)
    for i in range(n):
        for position in range(indptr[i], indptr[i + 1]):
            j = indices[position]
            if labels[i] != labels[j]:
                continue
            a, b = find_root(i, parent), find_root(j, parent)
            parent[max(a, b)] = min(a, b)
    number = np.empty(n, dtype=np.int64)
    found = 0
    for i in range(n):  # a parent never comes after its child, so it is numbered before it
        if parent[i] == i:
            number[i] = found
            found += 1
        else:
            number[i] = number[parent[i]]
    return number


def find_root(unit: int, parent: IntArray) -> int:
    """Return the root of a unit's tree, and shorten the way to it for the next that asks."""
    while parent[unit] != unit:
        parent[unit] = parent[parent[unit]]
        unit = parent[unit]
    return unit
