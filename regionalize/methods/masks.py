"""Steps of k-means on many candidate solutions at once, in NumPy: the memory they work in.

Who belongs to what is kept as truth values, a row of them for every cluster: the nearest of a few centres is
found by comparison with the least distance, and sums over clusters are a matrix product. Arrays are laid out
(candidates, clusters, rows), so that every pass runs along memory; they are filled again and again, since
memory that is new costs more than the numbers that are put into it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]


class Masks:
    """Distances of n rows to k centres of some candidates, and the cluster every row is in.

    Parameters
    ----------
    candidates, k, n : int
        Solutions, clusters of each, rows.
    dtype : dtype
        Of the distances.

    Attributes
    ----------
    distance : (candidates, k, n)
        Squared distances, or what is compared in their place.
    inside : (candidates, k, n) bool
        Whether a row is in a cluster: true once for every candidate and row.
    """

    def __init__(self, candidates: int, k: int, n: int, dtype: np.dtype[Any]) -> None:
        self.distance: FloatArray = np.empty((candidates, k, n), dtype)
        self.inside: BoolArray = np.empty((candidates, k, n), dtype=np.bool_)
        self._number: FloatArray = np.empty((candidates, k, n), dtype)
        self._least: FloatArray = np.empty((candidates, 1, n), dtype)

    def put(self, labels: IntArray) -> None:
        """Take over clusters, labels of shape (candidates, n)."""
        names = np.arange(self.inside.shape[1], dtype=labels.dtype)
        np.equal(labels[:, None, :], names[:, None], out=self.inside)

    def labels(self) -> NDArray[np.int64]:
        """Return the cluster of every row, shape (candidates, n)."""
        k = self.inside.shape[1]
        if k <= np.iinfo(np.uint8).max:
            names = np.arange(k, dtype=np.uint8)
            found: NDArray[Any] = np.einsum("k,bkn->bn", names, self.inside.view(np.uint8))
        else:
            found = self.inside.argmax(axis=1)
        return found.astype(np.int64)

    def join_nearest(self) -> None:
        """Put every row into the cluster of least distance; ties go to the first."""
        np.min(self.distance, axis=1, keepdims=True, out=self._least)
        np.equal(self.distance, self._least, out=self.inside)
        if np.count_nonzero(self.inside) != self._least.size:
            self.put(self.distance.argmin(axis=1))

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum values (n, q) over the clusters, shape (candidates, k, q)."""
        candidates, k, n = self.inside.shape
        np.copyto(self._number, self.inside)
        with np.errstate(invalid="ignore"):  # see `regionalize.methods.lloyd.matrix_product`
            summed: FloatArray = self._number.reshape(candidates * k, n) @ values
        return summed.reshape(candidates, k, -1)

    def weigh(self, stay: FloatArray, go: FloatArray) -> None:
        """Multiply distances to a row's own cluster by `stay` and to others by `go`, (candidates, k) each."""
        np.copyto(self._number, self.inside)
        self._number *= (stay - go)[:, :, None]
        self._number += go[:, :, None]
        self.distance *= self._number
