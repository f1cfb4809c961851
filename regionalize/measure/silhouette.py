"""Silhouettes: how much nearer every unit is to its own cluster than to the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.model.job import DEFAULT_SEED
from regionalize.model.progress import Told
from regionalize.model.report import Silhouettes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Adder = Callable[[FloatArray], list[FloatArray]]

LIMIT = 20_000
"""Units above which a sample is measured: their 400 million distances take a second or two."""
_BLOCK = 64
"""Units whose distances to all others are held at a time: few enough for the cache."""
_SCIPY_PAYS = 100_000_000
"""Distances, times variables and labelings, above which loading SciPy (0.3 s) is earned back."""


def silhouettes(
    X: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[FloatArray, IntArray]:
    """Return the silhouette of every unit, and the other cluster it is nearest to.

    With a(i) the mean Euclidean distance of unit i to the others of its cluster and b(i) the least mean
    distance to the units of another cluster, ``s(i) = (b(i) - a(i)) / max(a(i), b(i))``: near 1 well inside,
    0 between two clusters, negative where the other cluster is nearer. A unit alone in its cluster has 0, and
    so has one with a(i) = b(i) = 0.

    Parameters
    ----------
    X : (m, p) float
        Transformed variables.
    labels : (m,) int
        Clusters 1 … k; 0 and below are left out.

    Returns
    -------
    values : (m,) float64
        -1 … 1; NaN for units left out, and for all when there are fewer than two clusters.
    nearest : (m,) int64
        The other cluster with the least mean distance, the lowest of equal ones; 0 where there is none.

    Raises
    ------
    DataError
        When `X` and `labels` differ in length.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.

    Examples
    --------
    >>> values, nearest = silhouettes(np.array([[0.0], [2.0], [10.0], [10.0]]), np.array([1, 1, 2, 2]))
    >>> values.tolist(), nearest.tolist()
    ([0.8, 0.75, 1.0, 1.0], [2, 2, 1, 1])
    """
    return _silhouettes(X, [labels])[0]


def measure_silhouettes(
    X: NDArray[np.floating[Any]],
    labelings: Sequence[NDArray[np.integer[Any]]],
    *,
    limit: int = LIMIT,
    seed: int = DEFAULT_SEED,
    progress: Told | None = None,
) -> list[Silhouettes | None]:
    """Measure the silhouettes of several labelings of the same units; the distances are computed once.

    Parameters
    ----------
    X : (m, p) float
        Transformed variables.
    labelings : sequence of (m,) int
        Clusters 1 … k each; 0 and below are left out.
    limit : int
        Units above which a random sample of so many is measured, each against the sample.
    seed : int
        Of the sample.
    progress : callable, optional
        Called with the units done, and how many there are.

    Returns
    -------
    list of Silhouettes or None
        None for a labeling with fewer than two clusters, or whose units are all clusters by themselves.

    Examples
    --------
    >>> X = np.array([[0.0], [2.0], [10.0], [10.0]])
    >>> two, one = measure_silhouettes(X, [np.array([1, 1, 2, 2]), np.array([1, 1, 1, 1])])
    >>> two.mean, two.by_cluster, one
    (0.8875, (0.775, 1.0), None)
    """
    rows = sample_units(labelings, limit=limit, seed=seed)
    if rows is None:
        measured = _silhouettes(X, labelings, progress)
        return [
            summarize_silhouettes(values, labels)
            for (values, _), labels in zip(measured, labelings, strict=True)
        ]
    drawn = [labels[rows] for labels in labelings]
    measured = _silhouettes(X[rows], drawn, progress)
    return [
        summarize_silhouettes(values, some, k=int(labels.max()), sampled=True)
        for (values, _), some, labels in zip(measured, drawn, labelings, strict=True)
    ]


def sample_units(
    labelings: Sequence[NDArray[np.integer[Any]]], *, limit: int = LIMIT, seed: int = DEFAULT_SEED
) -> IntArray | None:
    """Draw the units to measure, or None where all can be: not more than `limit` are in clusters.

    Every cluster of every labeling is represented by two units, where it has as many and `limit` allows:
    without another of its own cluster a unit has no silhouette.

    Returns
    -------
    (limit,) int64 or None
        Rows, rising.

    Examples
    --------
    >>> labels = np.repeat([1, 2], [1000, 1])
    >>> rows = sample_units([labels], limit=10)
    >>> len(rows), int(rows[-1])
    (10, 1000)
    >>> sample_units([labels], limit=2000) is None
    True
    """
    clustered = np.zeros(len(labelings[0]) if labelings else 0, dtype=bool)
    for labels in labelings:
        clustered |= labels > 0
    units = np.flatnonzero(clustered)
    if len(units) <= limit:
        return None
    order = np.random.default_rng(seed).permutation(units)
    needed = np.zeros(len(order), dtype=bool)
    for labels in labelings:
        needed[_first_two_of_each(labels[order])] = True
    # the rest follow in the order they were drawn in, so that only small clusters are favoured
    first = np.argsort(~needed, kind="stable")[:limit]
    return np.sort(order[first])


def _first_two_of_each(labels: NDArray[np.integer[Any]]) -> IntArray:
    by_label = np.argsort(labels, kind="stable")
    ordered = labels[by_label]
    first = np.ones(len(ordered), dtype=bool)
    first[2:] = ordered[2:] != ordered[:-2]
    return by_label[first & (ordered > 0)]


def summarize_silhouettes(
    values: FloatArray, labels: NDArray[np.integer[Any]], *, k: int | None = None, sampled: bool = False
) -> Silhouettes | None:
    """Average silhouettes over all units and over each cluster, and count those below zero.

    Parameters
    ----------
    values : (m,) float64
        From `silhouettes`.
    labels : (m,) int
        What they were computed with.
    k : int, optional
        Clusters of the whole, where the units are a sample.
    sampled : bool
        Whether they are.

    Returns
    -------
    Silhouettes or None
        None for fewer than two clusters, or when all units are clusters by themselves.
    """
    used = labels > 0
    cluster, values = labels[used] - 1, values[used]
    sizes = np.bincount(cluster, minlength=k or 0)
    if not 2 <= np.count_nonzero(sizes) < len(cluster):
        return None
    sums = np.bincount(cluster, weights=values, minlength=len(sizes))
    negative = np.bincount(cluster[values < 0], minlength=len(sizes))
    return Silhouettes(
        mean=float(values.mean()),
        by_cluster=tuple(
            total / size if size else None for total, size in zip(sums.tolist(), sizes.tolist(), strict=True)
        ),
        negative=int(negative.sum()),
        negative_by_cluster=tuple(negative.tolist()),
        units=len(values),
        sampled=sampled,
    )


def _silhouettes(
    X: NDArray[np.floating[Any]],
    labelings: Sequence[NDArray[np.integer[Any]]],
    progress: Told | None = None,
) -> list[tuple[FloatArray, IntArray]]:
    """Silhouettes and nearest other clusters of every labeling, by one pass over the distances."""
    for labels in labelings:
        if len(labels) != len(X):
            raise DataError(f"there are {len(labels)} labels for {len(X)} rows")
    answers = [(np.full(len(X), np.nan), np.zeros(len(X), dtype=np.int64)) for _ in labelings]
    # a single cluster has no other to compare with
    several = [(labels, _sizes(labels), answer) for labels, answer in zip(labelings, answers, strict=True)]
    several = [(labels, sizes, answer) for labels, sizes, answer in several if np.count_nonzero(sizes) > 1]
    if several:
        compared = [labels for labels, _, _ in several]
        for rows, blocks in _sums_of_distances(np.asarray(X, dtype=np.float64), compared):
            for (labels, sizes, (values, nearest)), sums in zip(several, blocks, strict=True):
                values[rows], nearest[rows] = _from_sums(sums, labels[rows], sizes)
            if progress is not None:
                progress(rows.stop, len(X))
    return answers


def _sizes(labels: NDArray[np.integer[Any]]) -> IntArray:
    """Units of each cluster, cluster 1 first."""
    return np.bincount(labels[labels > 0] - 1)


def _from_sums(
    sums: FloatArray, labels: NDArray[np.integer[Any]], sizes: IntArray
) -> tuple[FloatArray, IntArray]:
    """Silhouettes of b units from their sums of distances to each of k clusters, shape (k, b)."""
    inside = np.flatnonzero(labels > 0)
    own, at = labels[inside] - 1, np.arange(len(inside))
    values = np.full(len(labels), np.nan)
    nearest = np.zeros(len(labels), dtype=np.int64)
    sums = sums[:, inside]
    with np.errstate(invalid="ignore", divide="ignore"):  # alone in its cluster, or a number nobody bears
        a = sums[own, at] / (sizes[own] - 1)
        means = sums / sizes[:, None]
        means[sizes == 0] = np.inf
        means[own, at] = np.inf
        b = means.min(axis=0)
        s = (b - a) / np.maximum(a, b)
    s[(sizes[own] == 1) | np.isnan(s)] = 0.0
    values[inside], nearest[inside] = s, means.argmin(axis=0) + 1
    return values, nearest


def _sums_of_distances(
    X: FloatArray, labelings: Sequence[NDArray[np.integer[Any]]]
) -> Iterator[tuple[slice, list[FloatArray]]]:
    """Yield for a block of units at a time, per labeling, their sums of distances to each cluster (k, b)."""
    m, p = X.shape
    fast = m * m * (p + len(labelings)) > _SCIPY_PAYS
    distances = _scipy_distances if fast else _plain_distances
    add = _sparse_sums(labelings) if fast else _plain_sums(labelings)
    for start in range(0, m, _BLOCK):
        rows = slice(start, min(start + _BLOCK, m))
        yield rows, add(distances(X, rows))


def _plain_distances(X: FloatArray, rows: slice) -> FloatArray:
    """Euclidean distances of all units to a block of them, (m, b), by differences: equal rows are at 0."""
    squared = np.zeros((len(X), rows.stop - rows.start))
    for column in X.T:
        apart = column[:, None] - column[rows]
        squared += apart * apart
    return np.sqrt(squared)


def _scipy_distances(X: FloatArray, rows: slice) -> FloatArray:
    from scipy.spatial.distance import cdist

    distances: FloatArray = cdist(X, X[rows])
    return distances


def _plain_sums(labelings: Sequence[NDArray[np.integer[Any]]]) -> Adder:
    """Return what sums (m, b) distances over the clusters of every labeling."""
    sizes = [_sizes(labels) for labels in labelings]
    orders = [
        np.argsort(labels, kind="stable")[len(labels) - of.sum() :]
        for labels, of in zip(labelings, sizes, strict=True)
    ]

    def add(distances: FloatArray) -> list[FloatArray]:
        answer = []
        for of, order in zip(sizes, orders, strict=True):
            sums = np.zeros((len(of), distances.shape[1]))
            borne = np.flatnonzero(of)  # `reduceat` knows no empty stretches
            if len(borne):
                sums[borne] = np.add.reduceat(distances[order], (np.cumsum(of) - of)[borne], axis=0)
            answer.append(sums)
        return answer

    return add


def _sparse_sums(labelings: Sequence[NDArray[np.integer[Any]]]) -> Adder:
    """Return the same as a product with one sparse matrix of memberships."""
    from scipy.sparse import csr_array

    ends = np.cumsum([0, *(labels.max(initial=0) for labels in labelings)])
    units = [np.flatnonzero(labels > 0) for labels in labelings]
    clusters = [end + labels[rows] - 1 for end, labels, rows in zip(ends[:-1], labelings, units, strict=True)]
    at = (np.concatenate(clusters), np.concatenate(units))
    members = csr_array((np.ones(len(at[0])), at), shape=(int(ends[-1]), len(labelings[0])))

    def add(distances: FloatArray) -> list[FloatArray]:
        return np.split(np.asarray(members @ distances), ends[1:-1])

    return add
