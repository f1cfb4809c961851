"""What the methods that look for dense places share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.threads import threads
from regionalize.model.bounds import Bound

FloatArray = NDArray[np.float64]


def check_density(
    X: NDArray[np.floating], bounds: Sequence[Bound], min_samples: int, eps: float | None
) -> FloatArray:
    """Return rows ready for scikit-learn's trees, or refuse what cannot be meant.

    Raises
    ------
    UsageError
        Bounds; `min_samples` that the rows do not have; `eps` that is no distance.
    """
    if bounds:
        raise UsageError("clusters of a density method cannot be held within bounds")
    if min_samples < 1:
        raise UsageError(f"--min-samples is {min_samples}; it must be at least 1")
    if min_samples > len(X):
        raise UsageError(
            f"--min-samples is {min_samples}, but there are only {len(X)} units",
            advice="ask for fewer",
        )
    if eps is not None and not (isinstance(eps, int | float) and isfinite(eps) and eps > 0):
        raise UsageError(f"--eps is {eps}; here it must be a number above 0, in units of the variables")
    return np.ascontiguousarray(X, dtype=np.float64)


def reach(X: NDArray[np.floating], count: int, shares: Sequence[float]) -> list[float]:
    """Return the distances within which so many of the units have `count` units, themselves among them.

    Parameters
    ----------
    X : (n, p) float
        Rows; ``1 <= count <= n``.
    shares : sequence of float
        Shares of the units, 0 … 1.

    Examples
    --------
    >>> reach(np.array([[0.0], [1.0], [3.0], [9.0]]), 2, (0.5, 1.0))
    [1.5, 6.0]
    """
    from scipy.spatial import KDTree

    points = np.ascontiguousarray(X, dtype=np.float64)
    farthest = np.asarray(KDTree(points).query(points, k=[count], workers=threads())[0])[:, 0]
    return [float(distance) for distance in np.quantile(farthest, shares)]


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silence scikit-learn where equal rows make it divide by zero, or no unit is near another.

    What follows from that, units of noise, is told in words of this package.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of several kinds and wordings, which change with its version
        yield
