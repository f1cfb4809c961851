"""Hierarchical clustering: clusters joined two by two, the least different first, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.components import components_of_links
from regionalize.model.bounds import Bound
from regionalize.model.distances import check_table, number_of_pairs, too_large
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED
from regionalize.model.thresholds import clusters_at, thresholds

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LINKAGES = ("ward", "single", "complete", "average", "weighted", "centroid", "median")
EUCLIDEAN = ("ward", "centroid", "median")
"""Linkages that mean something for Euclidean distances alone."""


def hierarchical(
    X: NDArray[np.floating[Any]],
    k: int | None,
    *,
    linkage: str = "ward",
    cut: float | None = None,
    distances: FloatArray | None = None,
    levels: Sequence[int] = (),
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Any = None,
    findings: Findings | None = None,
) -> IntArray:
    """Group units by joining the two clusters that differ least, again and again.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int or None
        Number of clusters, 1 … n: the last k - 1 joins are undone. None where `cut` is given.
    linkage : {"ward", "single", "complete", "average", "weighted", "centroid", "median"}
        How different two clusters are: Ward's criterion, the least, greatest or mean distance of a unit of
        the one and a unit of the other, the mean of what it was for the two parts, the distance of the
        centroids, or of the midpoints of their parts.
    cut : float, optional
        Joins above this height are undone, in place of k.
    distances : (n (n - 1) / 2,) float64, optional
        Distance of every two units, row by row of the upper triangle, in place of those in `X`.
    levels : sequence of int
        Other numbers of clusters wanted of the same hierarchy.
    seed, jobs, progress
        Taken for the sake of the other methods: there is no chance in it, and one thread.
    bounds
        Must be empty.
    findings : Findings, optional
        Told the joins (`merges`), the clusters of each of `levels`, and in `facts` the linkage and which cut
        leads to how many clusters (`thresholds`).

    Returns
    -------
    (n,) int64
        Cluster of each unit, 0 … k - 1.

    Raises
    ------
    UsageError
        A number of clusters not between 1 and n, neither or both of k and `cut`, no such linkage, or a table
        of distances larger than memory.
    InfeasibleError
        Bounds.

    References
    ----------
    Ward (1963), Hierarchical grouping to optimize an objective function.
    Lance and Williams (1967), A general theory of classificatory sorting strategies.
    Müllner (2011), Modern hierarchical, agglomerative clustering algorithms.

    Examples
    --------
    >>> X = np.array([[0.0], [1], [5], [6.5], [20]])
    >>> hierarchical(X, 2).tolist(), hierarchical(X, None, cut=1.2, linkage="single").tolist()
    ([0, 0, 0, 0, 1], [0, 0, 1, 2, 3])
    """
    if linkage not in LINKAGES:
        raise UsageError(f"there is no linkage '{linkage}'", advice=f"use one of {', '.join(LINKAGES)}")
    if bounds:
        raise InfeasibleError(
            "hierarchical clustering keeps no bounds", advice="use kmeans, or schc for contiguous regions"
        )
    n = len(X)
    _check_numbers(n, k, cut, levels)
    if distances is not None and np.shape(distances) != (number_of_pairs(n),):
        raise UsageError(
            f"distances of {n:,} units were given with the shape {np.shape(distances)}",
            advice=f"give the {number_of_pairs(n):,} of the upper triangle row by row",
        )
    joined = join_all(np.asarray(X, dtype=np.float64) if distances is None else distances, n, linkage)
    number = clusters_at(joined[:, 2], cut) if k is None and cut is not None else int(k or 1)
    if findings is not None:
        findings.merges = joined[:, :3]
        findings.levels.update({level: undone(joined, level) for level in levels})
        findings.facts |= {"linkage": linkage, "thresholds": thresholds(joined[:, 2])}
        if distances is not None and linkage in EUCLIDEAN:
            findings.notes.append(f"{linkage} linkage takes the distances of the file for Euclidean ones")
    return undone(joined, number)


def join_all(given: FloatArray, n: int, linkage: str) -> FloatArray:
    """Join n units to one cluster.

    Parameters
    ----------
    given : (n, p) or (n (n - 1) / 2,) float64
        Variables, or distances of all pairs.
    n : int
        Units.
    linkage : str
        One of `LINKAGES`.

    Returns
    -------
    (n - 1, 4) float64
        SciPy's linkage matrix: two nodes, their height, and the units they hold. Units are nodes 0 … n - 1,
        and join i makes node n + i.

    Raises
    ------
    UsageError
        The table of distances is larger than memory.
    """
    if n < 2:
        return np.empty((0, 4))
    copies = tables_held(linkage)
    check_table(n, copies - (given.ndim == 1))
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import pdist

    try:
        condensed = given if given.ndim == 1 else pdist(given)
        joined: FloatArray = hierarchy.linkage(condensed, linkage)  # type: ignore[arg-type]  # of `LINKAGES`
    except MemoryError:
        raise too_large(n, copies) from None
    return joined


def tables_held(linkage: str) -> int:
    """Return how often distances are held: SciPy works on a copy, except for single linkage."""
    return 1 if linkage == "single" else 2


def check_room(n: int, linkage: str = "ward", distances: Any = None, **_: Any) -> None:
    """Refuse more units than there is memory for the distances of.

    Parameters
    ----------
    n : int
        Units.
    linkage : str
        One of `LINKAGES`.
    distances
        Given in place of those of variables: they fit by themselves, or are refused where they are read.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_room(1000)
    """
    if distances is None:
        check_table(n, tables_held(linkage))


def undone(joined: FloatArray, k: int) -> IntArray:
    """Undo the last k - 1 joins; number the clusters by their first units."""
    n = len(joined) + 1
    one_of = list(range(n))  # a unit of every node
    for first in joined[: n - k, 0].astype(np.int64).tolist():
        one_of.append(one_of[first])
    unit = np.array(one_of, dtype=np.int64)
    first, second = unit[joined[: n - k, :2].astype(np.int64)].T
    return components_of_links(n, first, second)


def _check_numbers(n: int, k: int | None, cut: float | None, levels: Sequence[int]) -> None:
    if (k is None) == (cut is None):
        raise UsageError("k and cut are two ways to say where to stop", advice="give one of them")
    if cut is not None and not cut >= 0:
        raise UsageError(f"the cut is {cut:g}; it must be at least 0")
    for number in (*levels, *(() if k is None else (k,))):
        if not 1 <= number <= n:
            raise UsageError(f"{n} units cannot form {number} clusters", advice=f"use a k from 1 to {n}")
