"""`TileLinks`: who neighbours the rows of one tile, in all tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TileLinks:
    """Directed links from the n rows of a tile to rows of the whole layer.

    A tile is any part of a layer's rows: a batch of a file, a partition, a cell of a map.

    Attributes
    ----------
    indptr : (n + 1,) int64
        The links of the tile's row i are those from ``indptr[i]`` to ``indptr[i + 1]``.
    neighbor : (m,) int64
        Row numbers in the whole layer, ascending within a row of the tile.
    values : (m,) float64 or None
        Weight of each link; None where all are one.
    """

    indptr: IntArray
    neighbor: IntArray
    values: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @cached_property
    def row(self) -> IntArray:
        """Position in the tile of the row that each link is of, shape (m,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def beyond(self, start: int) -> IntArray:
        """Return the rows linked to that are not the tile's own, ascending: its halo.

        Parameters
        ----------
        start : int
            Row number of the tile's first row, whose rows follow each other.

        Examples
        --------
        >>> TileLinks(np.array([0, 1, 3]), np.array([5, 0, 4])).beyond(4).tolist()
        [0]
        """
        own = (self.neighbor >= start) & (self.neighbor < start + len(self))
        return np.unique(self.neighbor[~own])

    @staticmethod
    def from_links(n: int, row: IntArray, neighbor: IntArray, values: FloatArray | None = None) -> TileLinks:
        """Put directed links into rows.

        Parameters
        ----------
        n : int
            Rows of the tile.
        row, neighbor : (m,) int64
            Position in the tile, and row number in the layer; no link twice.
        values : (m,) float64, optional
            Weights.

        Examples
        --------
        >>> TileLinks.from_links(2, np.array([1, 0, 1]), np.array([4, 5, 0])).neighbor.tolist()
        [5, 0, 4]
        """
        order = np.lexsort((neighbor, row))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
        return TileLinks(indptr, neighbor[order], None if values is None else values[order])


def joined_links(tiles: Sequence[TileLinks], kind: str) -> Weights:
    """Return the weights of a layer whose rows are those of the tiles, one tile after the other.

    Examples
    --------
    >>> tile = TileLinks(np.array([0, 1]), np.array([1])), TileLinks(np.array([0, 1]), np.array([0]))
    >>> joined_links(tile, "queen").indices.tolist()
    [1, 0]
    """
    degree = np.concatenate([[0], *(np.diff(tile.indptr) for tile in tiles)])
    neighbor = np.concatenate([np.empty(0, dtype=np.int64), *(tile.neighbor for tile in tiles)])
    values = [np.ones(len(tile.neighbor)) if tile.values is None else tile.values for tile in tiles]
    return Weights(np.cumsum(degree), neighbor, np.concatenate([np.empty(0), *values]), kind)
