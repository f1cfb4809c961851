"""`Partition`: labels in canonical order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

NOISE = 0
"""Label of a unit a density method leaves out."""
LEFT_OUT = -1
"""Label of a row that took no part (missing values): written as null."""


@dataclass(frozen=True)
class Partition:
    """A grouping of n units.

    Attributes
    ----------
    labels : (n,) int64
        1 … k by falling cluster size (ties: first row), `NOISE` or `LEFT_OUT`.
    """

    labels: NDArray[np.int64]

    @staticmethod
    def canonical(codes: ArrayLike) -> Partition:
        """Give clusters the numbers 1 … k by falling size, ties by first row; negative codes are left out.

        Code 0 and above are clusters here: a method with noise passes `LEFT_OUT` and marks it afterwards.

        Examples
        --------
        >>> Partition.canonical([7, 3, 3, 0]).labels.tolist()
        [2, 1, 1, 3]
        """
        code = np.asarray(codes, dtype=np.int64)
        labels = np.full(len(code), LEFT_OUT, dtype=np.int64)
        used = code >= 0
        values, first, inverse, counts = np.unique(
            code[used], return_index=True, return_inverse=True, return_counts=True
        )
        rank = np.empty(len(values), dtype=np.int64)
        rank[np.lexsort((first, -counts))] = np.arange(1, len(values) + 1)
        labels[used] = rank[inverse]
        return Partition(labels)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def k(self) -> int:
        """Number of clusters."""
        return int(self.labels.max(initial=0))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Members per cluster, shape (k,), cluster 1 first."""
        return np.bincount(self.labels[self.labels > 0], minlength=self.k + 1)[1:]


def count_labels(labels: ArrayLike) -> dict[int, int]:
    """Return the units of every label that occurs, rising; negative ones count as `LEFT_OUT`.

    Examples
    --------
    >>> count_labels([2, 1, 1, -2, -1])
    {-1: 2, 1: 2, 2: 1}
    """
    found, counts = np.unique(np.maximum(np.asarray(labels, dtype=np.int64), LEFT_OUT), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
