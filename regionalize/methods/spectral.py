"""Spectral clustering: k-means where units that hang together lie together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.components import connected_components
from regionalize.kernels.memory import room_for_linear_algebra
from regionalize.kernels.threads import one_blas_thread
from regionalize.methods.affinity import check_pairs, default_neighbors, gaussian_affinity, neighbor_affinity
from regionalize.methods.kmeans import check_k, kmeans
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    import scipy.sparse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DENSE = 400
"""Rows up to which all eigenvectors at once cost less than the few that are wanted."""
RESTARTS = 40
"""Of the Lanczos iteration, before eigenvalues count as too close to each other for it."""
SHIFT = 1e-6
"""How far beyond 1, the largest eigenvalue, the matrix is inverted."""


def spectral(
    X: NDArray[np.floating],
    k: int,
    *,
    affinity: str = "knn",
    neighbors: int | None = None,
    sigma: float | None = None,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Group rows by normalised cuts of the graph of what is alike.

    With A the affinities of all pairs of rows and D the diagonal of their sums, the k eigenvectors of least
    eigenvalue of I - D^-1/2 A D^-1/2 are the columns of a matrix whose rows, each divided by the square root
    of its sum of affinities, are grouped by k-means.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of clusters, 1 … the number of distinct rows.
    affinity : {"knn", "mutual-knn", "gaussian"}
        See `regionalize.methods.affinity`.
    neighbors : int, optional
        Nearest rows of each, itself among them; log10 n, rounded up, by default, as in GeoDa.
    sigma : float, optional
        Width of the Gaussian; the square root of 1 / p by default, as in GeoDa.
    seed : int
        Seed of k-means.
    bounds : sequence of Bound
        Must be empty.
    jobs : int, optional
        Threads of k-means (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called by k-means.
    findings : Findings, optional
        Told when the nearest rows leave more pieces than there are to be clusters.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 … k - 1, none empty.

    Raises
    ------
    UsageError
        k, `neighbors` or `sigma` out of their ranges, or bounds.
    InfeasibleError
        Fewer than k distinct rows; affinities of all pairs that do not fit in memory.
    MemoryError
        A limit on the memory of the process that linear algebra has no room in.

    References
    ----------
    Shi and Malik (2000), Normalized cuts and image segmentation. Ng, Jordan and Weiss (2002), On spectral
    clustering. Von Luxburg (2007), A tutorial on spectral clustering.

    Examples
    --------
    >>> angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> labels = spectral(np.concatenate([ring, 3 * ring]), 2, neighbors=3)
    >>> len(set(labels[:40])), len(set(labels[40:])), len(set(labels))
    (1, 1, 2)
    """
    if bounds:
        raise UsageError("clusters of spectral cannot be held within bounds")
    check_k(X, k)
    if k == 1:
        return np.zeros(len(X), dtype=np.int64)
    room_for_linear_algebra()
    with one_blas_thread():
        if affinity == "gaussian":
            table = gaussian_affinity(X, sigma)
            alone = int((table.sum(axis=1) - 1 < np.finfo(np.float64).eps).sum())
            if alone > k and findings is not None:
                findings.notes.append(
                    f"the Gaussian is so narrow that {alone} units are like no other, more than k: which of "
                    "them are clusters of their own is arbitrary; give a wider --sigma"
                )
            places = _embedded_table(table, k)
        else:
            count = min(default_neighbors(len(X)), len(X)) if neighbors is None else neighbors
            links = neighbor_affinity(X, count, mutual=affinity == "mutual-knn")
            component = connected_components(links.indptr.astype(np.int64), links.indices.astype(np.int64))
            pieces = int(component.max()) + 1
            if pieces > k:
                if findings is not None:
                    findings.notes.append(
                        f"the nearest {count} of all units leave {pieces} pieces, more than k: these are "
                        "grouped whole, by k-means of their means; give more --neighbors for fewer pieces"
                    )
                places = _means_of_pieces(X, component)
            else:
                places = embedded(links, component, k)
    return kmeans(places, k, seed=seed, jobs=jobs, progress=progress)


def check_room(n: int, affinity: str = "knn", **_: Any) -> None:
    """Refuse more units than there is memory for the affinities of; of the nearest alone there is.

    Raises
    ------
    InfeasibleError

    Examples
    --------
    >>> check_room(1000, affinity="gaussian")
    """
    if affinity == "gaussian":
        check_pairs(n)


def embedded(affinity: scipy.sparse.csr_array[np.float64], component: IntArray, k: int) -> FloatArray:
    """Return the k first eigenvectors of the normalised Laplacian, rows divided by the root of their sums.

    Every component has one eigenvector of eigenvalue 0, which is known; the others are looked for in each
    component by itself, where no eigenvalue is that of another component too.

    Parameters
    ----------
    affinity : (n, n) sparse float64
        Symmetric, with a positive diagonal.
    component : (n,) int64
        Connected component of each row, 0 … c - 1; ``c <= k``.
    k : int
        Number of columns.

    Returns
    -------
    (n, k) float64
    """
    import scipy.sparse

    degree: FloatArray = np.asarray(affinity.sum(axis=1)).ravel()
    scale = scipy.sparse.diags_array(1 / np.sqrt(degree))
    normal = scipy.sparse.csr_array(scale @ affinity @ scale)
    pieces = int(component.max()) + 1
    columns, more, values = [], [], []
    for number in range(pieces):
        rows = np.flatnonzero(component == number)
        columns.append((component == number) / np.sqrt(degree[rows].sum()))
        wanted = min(k - pieces + 1, len(rows))
        if wanted > 1:
            found, vectors = _largest(normal[rows][:, rows], wanted)
            for at in range(wanted - 2, -1, -1):  # the last is the largest, which is known
                column = np.zeros(len(component))
                column[rows] = vectors[:, at] / np.sqrt(degree[rows])
                more.append(column)
                values.append(found[at])
    best = np.argsort(-np.array(values), kind="stable")[: k - pieces]
    return np.column_stack([*columns, *(more[at] for at in best)])


def _largest(normal: scipy.sparse.csr_array[np.float64], count: int) -> tuple[FloatArray, FloatArray]:
    """Return the `count` largest eigenvalues of a symmetric matrix, rising, and their vectors, (n, count).

    Where rows are near in many directions, eigenvalues are far apart, and the Lanczos iteration is quick. On
    a map they crowd below 1 and it hardly gets on; but there the factors of the matrix are nearly as sparse
    as itself, so it is inverted.
    """
    from scipy.sparse import csc_array, eye_array
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

    n = normal.shape[0]
    if n <= max(DENSE, 3 * count):
        return _largest_of_table(normal.toarray(), count)
    start = np.random.default_rng(0).standard_normal(n)
    try:
        found = eigsh(
            normal, k=count, which="LA", v0=start, ncv=max(4 * count, 40), maxiter=RESTARTS, tol=1e-9
        )
    except ArpackNoConvergence:
        shifted = csc_array((1 + SHIFT) * eye_array(n) - normal)
        factors = splu(
            shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        inverse = LinearOperator((n, n), matvec=lambda vector: -factors.solve(vector), dtype=np.float64)
        found = eigsh(normal, k=count, sigma=1 + SHIFT, which="LM", v0=start, OPinv=inverse)
    values, vectors = found
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]


def _embedded_table(affinity: FloatArray, k: int) -> FloatArray:
    """Return what `embedded` does for a table of affinities, which it overwrites."""
    root = np.sqrt(affinity.sum(axis=1))
    affinity /= root
    affinity /= root[:, None]
    vectors = _largest_of_table(affinity, k)[1]
    embedding: FloatArray = vectors / root[:, None]
    return embedding


def _largest_of_table(normal: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    from scipy.linalg import eigh

    n = len(normal)
    values, vectors = eigh(normal, subset_by_index=(n - count, n - 1), overwrite_a=True, check_finite=False)
    return np.asarray(values), np.asarray(vectors)


def _means_of_pieces(X: NDArray[np.floating], component: IntArray) -> FloatArray:
    """Put every row at the mean of its component."""
    size = np.bincount(component)
    means = np.column_stack([np.bincount(component, column) / size for column in X.T])
    placed: FloatArray = means[component]
    return placed
