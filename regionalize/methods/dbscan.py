"""DBSCAN: clusters are what can be walked through from dense unit to dense unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.memory import available_memory
from regionalize.kernels.threads import threads
from regionalize.methods.density import check_density
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

BYTES_PER_NEIGHBOR = 16
"""Row numbers of the neighbours of all units are held at once, and for a moment twice."""


def dbscan(
    X: NDArray[np.floating],
    k: None = None,
    *,
    eps: float | None = None,
    min_samples: int = 4,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Group rows that lie densely, and leave the others out.

    A row is dense ("core") when at least `min_samples` rows, itself among them, lie within `eps`. Dense rows
    within `eps` of each other are of one cluster. A row that is not dense, but within `eps` of one that is,
    belongs to its cluster; where there are several, to that whose first dense row comes first.

    Parameters
    ----------
    X : (n, p) float
        Variables, or places on a plane or in space.
    k : None
        Not used: the number of clusters follows from the data.
    eps : float
        Distance in units of X; it counts as within.
    min_samples : int
        Units within `eps` of a dense one, itself among them.
    seed : int
        Not used: nothing is drawn.
    bounds : sequence of Bound
        Must be empty.
    jobs : int, optional
        Threads (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Not used.
    findings : Findings, optional
        Given ``columns["core"]``, (n,) bool, and ``columns["neighbors"]``, (n,) int64: units within `eps`,
        itself among them.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 … in the order of their first dense rows; -1 for noise. Those of scikit-learn.

    Raises
    ------
    UsageError
        No `eps` or one that is no distance, bounds, or more `min_samples` than rows.
    InfeasibleError
        At this distance the neighbours of all units do not fit in memory.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), A density-based algorithm for discovering clusters in large spatial
    databases with noise. Schubert, Sander, Ester, Kriegel and Xu (2017), DBSCAN revisited, revisited.

    Examples
    --------
    >>> dbscan(np.array([[0.0], [1.0], [2.0], [9.0]]), eps=1.0, min_samples=2).tolist()
    [0, 0, 0, -1]
    """
    if eps is None:
        raise UsageError("dbscan needs --eps, the distance within which units are neighbours")
    points = check_density(X, bounds, min_samples, eps)
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import KDTree

    neighbors = np.asarray(KDTree(points).query_radius(points, eps, count_only=True), dtype=np.int64)
    if BYTES_PER_NEIGHBOR * neighbors.sum() > available_memory():
        raise InfeasibleError(
            f"at this distance the {len(points)} units have {neighbors.mean():.0f} neighbours each, "
            f"{neighbors.sum()} in all, which do not fit in memory",
            advice="use a shorter --eps",
        )
    model = DBSCAN(eps=float(eps), min_samples=min_samples, algorithm="kd_tree", n_jobs=threads(jobs))
    labels = model.fit(points).labels_
    if findings is not None:
        findings.columns["core"] = neighbors >= min_samples
        findings.columns["neighbors"] = neighbors
    return np.asarray(labels, dtype=np.int64)
