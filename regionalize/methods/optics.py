"""OPTICS: rows in an order in which dense clusters are valleys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.methods.density import check_density, without_warnings
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED


def optics(
    X: NDArray[np.floating],
    k: None = None,
    *,
    min_samples: int = 5,
    eps: float | None = None,
    xi: float = 0.05,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Order rows by reachability and take clusters from the order.

    The next row is always the one that is reached from those before over the shortest distance, which is
    never less than the one within which the row it is reached from has `min_samples` rows, itself among them.
    Clusters are valleys of that distance. With `eps`, they are what lies below it: DBSCAN's clusters, but for
    rows on their rims. Without, valleys of any depth with slopes of at least `xi`, the innermost where one
    lies in another.

    Parameters
    ----------
    X : (n, p) float
        Variables, or places on a plane or in space.
    k : None
        Not used: the number of clusters follows from the data.
    min_samples : int
        Rows that make a row dense, itself among them, and fewest rows of a valley; at least 2.
    eps : float, optional
        Where to cut. Nothing farther is looked at, which also saves time.
    xi : float
        Steepness, above 0 and below 1: the distance falls (rises) by this share at the rim of a valley.
    seed : int
        Not used: nothing is drawn.
    bounds : sequence of Bound
        Must be empty.
    jobs : int, optional
        Not used: one row follows from the other, and threads only cost time.
    progress : callable, optional
        Not used.
    findings : Findings, optional
        Given ``columns["reachability"]``, (n,) float64, infinite for a row that begins anew; and
        ``columns["core_distance"]``, (n,) float64, within which a row has `min_samples` rows.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 …; -1 for noise. Equal to scikit-learn's.

    Raises
    ------
    UsageError
        A number out of its range, or bounds.

    References
    ----------
    Ankerst, Breunig, Kriegel and Sander (1999), OPTICS: ordering points to identify the clustering structure.
    Schubert and Gertz (2018), Improving the cluster structure extracted from OPTICS plots.

    Examples
    --------
    >>> X = np.array([[0.0], [1], [2], [50], [51], [52], [99]])
    >>> optics(X, min_samples=2, eps=5.0).tolist()
    [0, 0, 0, 1, 1, 1, -1]
    """
    if min_samples < 2:
        raise UsageError(f"--min-samples is {min_samples}; it must be at least 2")
    if not 0 < xi < 1:
        raise UsageError(f"--xi is {xi}; it must be above 0 and below 1")
    points = check_density(X, bounds, min_samples, eps)
    from sklearn.cluster import OPTICS

    model = OPTICS(
        min_samples=min_samples,
        max_eps=np.inf if eps is None else float(eps),
        cluster_method="xi" if eps is None else "dbscan",
        eps=eps,
        xi=xi,
        algorithm="kd_tree",
    )
    with without_warnings():
        labels = model.fit(points).labels_
    if findings is not None:
        findings.columns["reachability"] = np.asarray(model.reachability_, dtype=np.float64)
        findings.columns["core_distance"] = np.asarray(model.core_distances_, dtype=np.float64)
    return np.asarray(labels, dtype=np.int64)
