"""The minimum spanning forest of links, all at once or part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.trees import spanning_forest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COMPILED_LINKS = 5000
"""Links from which the compiled kernel is used: below, Python ends before the compiler is loaded."""


class Links(NamedTuple):
    """Undirected links: ``first < second``, both (m,) int64, and their lengths, (m,) float64."""

    first: IntArray
    second: IntArray
    length: FloatArray

    def take(self, places: IntArray) -> Links:
        """Return some of the links."""
        return Links(self.first[places], self.second[places], self.length[places])


def minimum_forest(first: IntArray, second: IntArray, length: FloatArray, n: int) -> IntArray:
    """Find the minimum spanning forest of links; of equal lengths, those of the lower rows are taken.

    Parameters
    ----------
    first, second : (m,) int64
        Ends of each link, ``first < second``.
    length : (m,) float64
        Lengths.
    n : int
        Number of units.

    Returns
    -------
    (t,) int64
        Which links are of the forest, by rising length.

    References
    ----------
    Kruskal (1956), On the shortest spanning subtree of a graph.

    Examples
    --------
    >>> minimum_forest(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([3.0, 1.0, 1.0]), 3).tolist()
    [1, 2]
    """
    order = _by_length(first, second, length, n)
    choose = compiled(spanning_forest) if len(first) >= COMPILED_LINKS and compiles() else spanning_forest
    return np.asarray(order[choose(first[order], second[order], n)])


def _by_length(first: IntArray, second: IntArray, length: FloatArray, n: int) -> IntArray:
    """Return the order of links (m,) by length, ties by row, which may be their order already."""
    key = first * n + second
    if np.all(key[1:] >= key[:-1]):
        return np.argsort(length, kind="stable")
    return np.lexsort((key, length))


def joined_forests(parts: Sequence[Links]) -> Links:
    """Return the minimum spanning forest of all links in several parts.

    A link that is not of the forest of some of the links, any part of them, is of no forest of all: there the
    circle stays closed, and it is still the last of it, since ties are told apart by rows. So parts may be
    reduced to their forests first, in any groups and any order, and nothing changes.

    Parameters
    ----------
    parts : sequence of Links
        Rows are numbered through all parts; a link may be in several.

    Returns
    -------
    Links
        Fewer than there are rows with links, by rising length.

    Examples
    --------
    >>> one = Links(np.array([4, 4]), np.array([7, 9]), np.array([2.0, 1.0]))
    >>> two = Links(np.array([7]), np.array([9]), np.array([1.5]))
    >>> joined_forests([one, two]).second.tolist()
    [9, 9]
    """
    every = Links(*(np.concatenate(ends) for ends in zip(*parts, strict=True))) if parts else _nothing()
    rows = np.unique(np.concatenate([every.first, every.second]))  # ascending, so that ties fall as before
    first, second = np.searchsorted(rows, every.first), np.searchsorted(rows, every.second)
    return every.take(minimum_forest(first, second, every.length, len(rows)))


def _nothing() -> Links:
    nobody = np.empty(0, dtype=np.int64)
    return Links(nobody, nobody, np.empty(0))
