"""Principal components: the directions in which units differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """Directions in the space of p variables.

    Attributes
    ----------
    middle : (p,) float64
        Mean of the units.
    loadings : (c, p) float64
        Unit vectors, at right angles to each other.
    shares : (c,) float64
        Share of the variance along each; 0 where units do not differ at all.
    """

    middle: FloatArray
    loadings: FloatArray
    shares: FloatArray

    def project(self, rows: NDArray[np.floating[Any]]) -> FloatArray:
        """Return where rows (m, p) are along the components, shape (m, c)."""
        places: FloatArray = (np.asarray(rows, dtype=np.float64) - self.middle) @ self.loadings.T
        return places


def principal_components(X: NDArray[np.floating[Any]], count: int = 2) -> Components:
    """Find the first principal components of the rows of a matrix.

    The sign of a component says nothing; here its largest loading is positive, the first of equal ones.

    Parameters
    ----------
    X : (m, p) float
        Variables on the scale on which they are to be compared.
    count : int
        Components, at most p; where the rows span fewer directions, the others are of share 0.

    Returns
    -------
    Components

    References
    ----------
    Pearson (1901), On lines and planes of closest fit; Jolliffe (2002), Principal component analysis.

    Examples
    --------
    >>> found = principal_components(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]))
    >>> found.loadings[0].round(3).tolist(), found.shares.round(3).tolist()
    ([0.6, 0.8], [1.0, 0.0])
    """
    values = np.asarray(X, dtype=np.float64)
    middle = values.mean(axis=0)
    away = values - middle
    # the triangle of a QR decomposition has the rows' singular values and directions, and is small
    triangle = np.linalg.qr(away, mode="r") if len(away) > away.shape[1] else away
    _, strengths, directions = np.linalg.svd(triangle, full_matrices=True)
    count = min(count, away.shape[1])
    squares = np.zeros(away.shape[1])
    squares[: len(strengths)] = strengths**2
    total = float(squares.sum())
    loadings = directions[:count]
    largest = np.abs(loadings).max(axis=1, keepdims=True)
    first = (np.abs(loadings) >= largest * (1 - 1e-9)).argmax(axis=1)  # equal but for rounding is equal
    signs = np.where(loadings[np.arange(count), first] < 0, -1.0, 1.0)
    shares = squares[:count] / total if total else np.zeros(count)
    return Components(middle, loadings * signs[:, None] + 0.0, shares)
