"""HDBSCAN: clusters that stand out over a range of densities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.threads import threads
from regionalize.methods.density import check_density, without_warnings
from regionalize.methods.density_tree import DensityTree
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED


def hdbscan(
    X: NDArray[np.floating],
    k: None = None,
    *,
    min_cluster_size: int = 10,
    min_samples: int | None = None,
    eps: float | None = None,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Group rows into the clusters that last longest while density is raised, and leave the others out.

    Two rows are as far apart as the greatest of their distance and of the distances within which each has
    `min_samples` rows, itself among them. Single linkage over that is a tree of DBSCAN's clusters for every
    distance. Of those with at least `min_cluster_size` rows the ones are taken that do not overlap and have
    the greatest stability, the sum over their rows of the range of density (one over the distance) for which
    the row is in them.

    Parameters
    ----------
    X : (n, p) float
        Variables, or places on a plane or in space.
    k : None
        Not used: the number of clusters follows from the data.
    min_cluster_size : int
        Fewest rows of a cluster, at least 2. GeoDa's default.
    min_samples : int, optional
        Rows within a row's core distance, itself among them; `min_cluster_size` by default.
    eps : float, optional
        Clusters that part only below this distance stay one.
    seed : int
        Not used: nothing is drawn.
    bounds : sequence of Bound
        Must be empty.
    jobs : int, optional
        Threads (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Not used.
    findings : Findings, optional
        Given ``columns["probability"]``, (n,) float64, how deep in its cluster a row is, 0 for noise to 1;
        and ``columns["outlier_score"]``, (n,) float64, see `DensityTree.outlier_scores`.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 …; -1 for noise. Those of scikit-learn.

    Raises
    ------
    UsageError
        A number out of its range, or bounds.

    References
    ----------
    Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density estimates.
    Campello, Moulavi, Zimek and Sander (2015), Hierarchical density estimates for data clustering,
    visualization, and outlier detection. Malzer and Baum (2020), A hybrid approach to hierarchical
    density-based cluster selection.

    Examples
    --------
    >>> X = np.array([[0.0], [1], [2], [50], [51], [52], [200]])
    >>> hdbscan(X, min_cluster_size=3, min_samples=2).tolist()
    [0, 0, 0, 1, 1, 1, -1]
    """
    if min_cluster_size < 2:
        raise UsageError(f"--min-cluster-size is {min_cluster_size}; it must be at least 2")
    if min_cluster_size > len(X):
        raise UsageError(
            f"--min-cluster-size is {min_cluster_size}, but there are only {len(X)} units",
            advice="ask for fewer",
        )
    count = min_cluster_size if min_samples is None else min_samples
    points = check_density(X, bounds, count, eps)
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=count,
        algorithm="kd_tree",
        n_jobs=threads(jobs),
        copy=True,
    )
    with without_warnings():
        labels = np.asarray(model.fit(points).labels_, dtype=np.int64)
    probability = np.asarray(model.probabilities_, dtype=np.float64)
    joins = model._single_linkage_tree_
    tree = DensityTree(
        np.column_stack([joins["left_node"], joins["right_node"]]).astype(np.int64),
        np.asarray(joins["value"], dtype=np.float64),
        min_cluster_size,
    )
    if eps is not None:
        labels, probability = tree.merged(labels, float(eps))
    if findings is not None:
        findings.columns["probability"] = probability
        findings.columns["outlier_score"] = tree.outlier_scores()
    return labels
