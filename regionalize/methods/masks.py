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

COLUMNS = 8
"""A matrix of a multiple of so many columns is multiplied faster: kernels of BLAS take as many at a time."""


class Masks:
    """Distances of n rows to k centres of some candidates, and the cluster every row is in.

    Parameters
    ----------
    candidates, k : int
        Solutions, clusters of each.
    factors : (p + 2, n)
        ``[-2X | 1 | x·x]``, transposed: times ``[c | c·c | 1]`` it gives squared distances.
    values : (n, p + 1)
        ``[X | 1]``: summed over a cluster it gives the cluster's sum and count.

    Attributes
    ----------
    distance : (candidates, k, n)
        Squared distances less the row's own norm, or what is compared in their place.
    inside : (candidates, k, n) bool
        Whether a row is in a cluster: true once for every candidate and row.
    """

    def __init__(self, candidates: int, k: int, factors: FloatArray, values: FloatArray) -> None:
        (n, width), dtype = values.shape, values.dtype
        self.factors = factors
        self.values: FloatArray = np.zeros((n, -(-width // COLUMNS) * COLUMNS), dtype)
        self.values[:, :width] = values
        self.distance: FloatArray = np.empty((candidates, k, n), dtype)
        self.inside: BoolArray = np.empty((candidates, k, n), dtype=np.bool_)
        self._number: FloatArray = np.empty((candidates, k, n), dtype)  # `inside` as 0 and 1
        self._least: FloatArray = np.empty((candidates, 1, n), dtype)
        self._centers: FloatArray = np.ones((candidates, k, len(factors)), dtype)

    def put(self, labels: IntArray) -> None:
        """Put rows into clusters, labels (candidates, n)."""
        names = np.arange(self.inside.shape[1], dtype=labels.dtype)
        np.equal(labels[:, None, :], names[:, None], out=self.inside)
        np.copyto(self._number, self.inside)

    def counts(self) -> FloatArray:
        """Count the rows of every cluster, shape (candidates, k)."""
        counts: FloatArray = self._number.sum(axis=2)
        return counts

    def sums(self) -> FloatArray:
        """Sum the values of every cluster, shape (candidates, k, p + 1), the last of them its count."""
        summed: FloatArray = self._flat(self._number) @ self.values
        return summed.reshape(*self.inside.shape[:2], -1)[:, :, : len(self.factors) - 1]

    def labels(self) -> NDArray[np.int64]:
        """Return the cluster of every row, shape (candidates, n)."""
        names = np.arange(self.inside.shape[1], dtype=self._number.dtype)
        found: NDArray[np.int64] = (names @ self._number).astype(np.int64)
        return found

    def compare_distances(self, centers: FloatArray) -> None:
        """Set what is compared to the squared distances to centres (candidates, k, p)."""
        p = centers.shape[2]
        self._place(centers)
        factors = self._centers[:, :, : p + 1].reshape(-1, p + 1)
        np.matmul(factors, self.factors[:-1], out=self._flat(self.distance))

    def compare_moves(self, centers: FloatArray, counts: FloatArray) -> None:
        """Set what is compared to what moving a row by itself would change (Hartigan's criterion).

        The clusters are those of `inside`, with these centres and counts (candidates, k). The squared
        distance counts ``n / (n + 1)`` for another cluster, ``n / (n - 1)`` for the row's own; a row alone
        in its cluster stays there. An empty cluster counts as one of a single row.
        """
        counts = np.maximum(counts, 1)
        self._place(centers)
        self._centers[:, :, -1] = 1
        self._centers *= (counts / (counts + 1))[:, :, None]
        np.matmul(self._flat(self._centers), self.factors, out=self._flat(self.distance))
        own_over_other = (counts + 1) / np.maximum(counts - 1, 0.5)
        self._number *= (own_over_other - 1)[:, :, None]
        self._number += 1
        self.distance *= self._number

    def join_nearest(self) -> FloatArray:
        """Put every row into the cluster of the least number, ties into the first; return their `sums`."""
        np.minimum.reduce(self.distance, axis=1, keepdims=True, out=self._least)
        np.equal(self.distance, self._least, out=self.inside)
        np.copyto(self._number, self.inside)
        sums = self.sums()
        if sums[:, :, -1].sum(dtype=np.float64) != self._least.size:  # a row is in two
            self.put(self.distance.argmin(axis=1))
            return self.sums()
        return sums

    def _place(self, centers: FloatArray) -> None:
        p = centers.shape[2]
        self._centers[:, :, :p] = centers
        np.einsum("bkp,bkp->bk", centers, centers, out=self._centers[:, :, p])

    def _flat(self, array: FloatArray) -> FloatArray:
        return array.reshape(-1, array.shape[2])
