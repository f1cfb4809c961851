"""The nearest of some centres for every row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_BLOCK = 1 << 16
"""Numbers worked on at once: what a processor's cache holds beside the results."""


def nearest_center(
    X: NDArray[np.floating], centers: NDArray[np.floating], distance: str = "euclidean"
) -> tuple[IntArray, FloatArray]:
    """Find the nearest centre of every row.

    Differences are taken before they are squared, so that a large common offset costs no digits, and ties
    go to the first centre.

    Parameters
    ----------
    X : (n, p) float
        Rows.
    centers : (k, p) float
        Centres on the same scale.
    distance : {"euclidean", "manhattan"}
        What nearest means.

    Returns
    -------
    labels : (n,) int64
        0 … k - 1.
    distances : (n,) float64
        To that centre.

    Examples
    --------
    >>> labels, distances = nearest_center(np.array([[0.0], [3.0], [5.0]]), np.array([[1.0], [5.0]]))
    >>> labels.tolist(), distances.tolist()
    ([0, 0, 1], [1.0, 2.0, 0.0])
    """
    labels = np.zeros(len(X), dtype=np.int64)
    distances = np.empty(len(X))
    step = max(_BLOCK // max(X.shape[1], 1), 1)
    for start in range(0, len(X), step):
        columns = np.ascontiguousarray(X[start : start + step].T, dtype=np.float64)
        here, best = labels[start : start + step], distances[start : start + step]
        for number, center in enumerate(centers):
            apart = columns - center[:, None]
            if distance == "manhattan":
                length = np.abs(apart, out=apart).sum(axis=0)
            else:
                length = np.einsum("ji,ji->i", apart, apart)
            if number == 0:
                best[:] = length
                continue
            nearer = length < best
            here[nearer] = number
            np.minimum(best, length, out=best)
    return labels, distances if distance == "manhattan" else np.sqrt(distances)
