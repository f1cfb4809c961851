"""How alike two units are: the matrices that spectral clustering cuts."""

from __future__ import annotations

from math import ceil, log10, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.memory import available_memory
from regionalize.kernels.threads import threads
from regionalize.model.distances import size

if TYPE_CHECKING:
    import scipy.sparse

FloatArray = NDArray[np.float64]


def default_neighbors(n: int) -> int:
    """Return the order of magnitude of n, rounded up, and at least 2: a unit and one other.

    Examples
    --------
    >>> [default_neighbors(n) for n in (5, 184, 1000, 33_000)]
    [2, 3, 3, 5]
    """
    return max(ceil(log10(n)), 2) if n > 1 else 1


def neighbor_affinity(
    X: NDArray[np.floating], neighbors: int, *, mutual: bool = False
) -> scipy.sparse.csr_array[np.float64]:
    """Return affinity 1 between rows that are both among the nearest of the other.

    Parameters
    ----------
    X : (n, p) float
        Variables.
    neighbors : int
        Nearest rows of each, itself among them.
    mutual : bool
        Whether rows of which only one is among the nearest of the other are 0 to each other; else 1/2.

    Returns
    -------
    (n, n) sparse float64
        Symmetric, 1 on the diagonal.

    Raises
    ------
    UsageError
        Fewer than 2 neighbours; or all rows, of which every two would be equally alike, or more.

    Examples
    --------
    >>> neighbor_affinity(np.array([[0.0], [1.0], [3.0]]), 2).toarray().tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    import scipy.sparse
    from scipy.spatial import KDTree

    n = len(X)
    most = max(n - 1, min(n, 2))
    if not min(2, n) <= neighbors <= most:
        raise UsageError(
            f"--neighbors is {neighbors}; it must be from 2, a unit itself and one other, to {most}",
            advice="with all units among the nearest every two are equally alike" if neighbors > most else "",
        )
    points = np.ascontiguousarray(X, dtype=np.float64)
    points = points - points.mean(axis=0)
    near = np.asarray(KDTree(points).query(points, k=np.arange(1, neighbors + 1), workers=threads())[1])
    itself = np.arange(n)
    lost = ~(near == itself[:, None]).any(axis=1)  # where more rows are equal
    near[lost, -1] = itself[lost]
    ends = np.repeat(itself, neighbors), near.ravel()
    row, column = np.concatenate(ends), np.concatenate(ends[::-1])
    half = np.full(len(row), 0.5)  # of every link, once in each direction
    links: scipy.sparse.csr_array[np.float64] = scipy.sparse.coo_array((half, (row, column)), (n, n)).tocsr()
    if mutual:
        links.data[links.data < 1] = 0
        links.eliminate_zeros()
    return links


def gaussian_affinity(X: NDArray[np.floating], sigma: float | None = None) -> FloatArray:
    """Return the affinity exp(-d² / (2 sigma²)) of rows at a distance d.

    Parameters
    ----------
    X : (n, p) float
        Variables.
    sigma : float, optional
        The distance at which it has fallen to 0.61; the square root of 1 / p by default.

    Returns
    -------
    (n, n) float64

    Raises
    ------
    UsageError
        sigma is not above 0.
    InfeasibleError
        The table does not fit in memory.

    Examples
    --------
    >>> gaussian_affinity(np.array([[0.0], [1.0]])).round(4).tolist()
    [[1.0, 0.6065], [0.6065, 1.0]]
    """
    from scipy.spatial.distance import cdist

    n, p = X.shape
    width = sqrt(1 / p) if sigma is None else sigma
    if not 0 < width < np.inf:
        raise UsageError(f"--sigma is {width:g}; it must be above 0")
    check_pairs(n)
    points = np.ascontiguousarray(X, dtype=np.float64)
    affinity = cdist(points, points, "sqeuclidean")
    affinity *= -1 / (2 * width**2)
    np.exp(affinity, out=affinity)
    return affinity


def check_pairs(n: int) -> None:
    """Refuse a table of affinities of n units that would not fit into memory.

    Raises
    ------
    InfeasibleError

    Examples
    --------
    >>> check_pairs(1000)
    """
    needed = 2 * 8 * n**2  # once more while eigenvectors are found
    free = available_memory()
    if needed > free:
        raise InfeasibleError(
            f"the affinities of all pairs of {n:,} units take {size(needed)}, "
            f"and {size(free)} of memory are free",
            advice="use --affinity knn, which looks at the nearest units alone",
        )
