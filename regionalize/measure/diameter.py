"""The longest way through a cluster, in steps from unit to unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import listed
from regionalize.kernels.diameter import cluster_diameters
from regionalize.model.weights import Weights

DIAMETER_LINKS = 200_000_000
"""Most links followed for diameters (one to two seconds): a cluster not finished by then has none."""


def measure_diameters(
    labels: NDArray[np.integer[Any]], weights: Weights, clusters: NDArray[np.integer[Any]]
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Find the longest shortest path within some contiguous clusters.

    Paths stay inside the cluster and take links in both directions. The answer is exact; small
    clusters are done first, and those for which too much work would be needed are left out.

    Parameters
    ----------
    labels : (n,) int
        Cluster of each unit.
    weights : Weights
        Of the same n units.
    clusters : (c,) int
        Labels of contiguous clusters.

    Returns
    -------
    dict of int to int
        Steps by label.
    tuple of str
        Which clusters were left out.

    Examples
    --------
    >>> path = Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "example")
    >>> measure_diameters(np.array([1, 1, 1, 2]), path, np.array([1, 2]))
    ({1: 2, 2: 0}, ())
    """
    n = len(weights)
    kept = np.isin(labels, clusters)
    inside = kept[weights.row] & (labels[weights.row] == labels[weights.indices])
    row, other = weights.row[inside], weights.indices[inside]
    if not weights.is_symmetric:
        links = Weights.from_links(
            n, np.concatenate([row, other]), np.concatenate([other, row]), kind="both ways"
        )
        row, other = links.row, links.indices
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])

    sizes = np.bincount(labels[kept])
    by_size = clusters[np.argsort(sizes[clusters], kind="stable")]
    place = np.zeros(len(sizes), dtype=np.int64)
    place[by_size] = np.arange(len(by_size))
    rows = np.flatnonzero(kept)
    members = rows[np.argsort(place[labels[rows]], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(sizes[by_size])])

    steps = cluster_diameters(indptr, other, members, starts, DIAMETER_LINKS)
    found = {int(label): int(steps[place[label]]) for label in clusters if steps[place[label]] >= 0}
    missed = [int(label) for label in clusters if int(label) not in found]
    if not missed:
        return found, ()
    which = f"cluster {missed[0]}" if len(missed) == 1 else f"clusters {listed(missed)}"
    return found, (f"The diameter of {which} is left out: proving it would take too long.",)
