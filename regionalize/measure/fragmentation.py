"""How a partition sits on the map: sizes, pieces and joins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.kernels.components import components_within
from regionalize.measure.agreement import entropy
from regionalize.model.report import ClusterShape, Fragmentation
from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def measure_fragmentation(labels: NDArray[np.integer[Any]], weights: Weights) -> Fragmentation:
    """Measure how evenly units are spread over clusters, and how far clusters hang together.

    A cluster's subclusters are its connected components, links taken in both directions; joins are
    counted link by link as listed. Formulas in ``docs/formulas.md``.

    Parameters
    ----------
    labels : (n,) int
        Clusters 1 … k; noise (0) and rows left out (-1) belong to none, but neighbour like the rest.
    weights : Weights
        Of the same n units.

    Returns
    -------
    Fragmentation
        Without compactness and diameter.

    Raises
    ------
    DataError
        When labels and weights differ in length.

    References
    ----------
    Anselin (2024), *An Introduction to Spatial Data Science with GeoDa*, volume 2, chapter 12.

    Examples
    --------
    >>> path = Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "example")
    >>> found = measure_fragmentation(np.array([1, 2, 2, 1]), path)
    >>> found.contiguous, found.subclusters, round(found.entropy, 4)
    (False, 3, 0.6931)
    """
    if len(labels) != len(weights):
        raise DataError(f"there are {len(labels)} labels for the {len(weights)} units of the weights")
    piece_cluster, piece_size = pieces(labels, weights)
    k = int(piece_cluster.max(initial=0))
    size = np.bincount(piece_cluster, weights=piece_size, minlength=k + 1).astype(np.int64)
    subclusters = np.bincount(piece_cluster, minlength=k + 1)
    smallest = np.full(k + 1, len(labels))
    np.minimum.at(smallest, piece_cluster, piece_size)
    largest = np.zeros(k + 1, dtype=np.int64)
    np.maximum.at(largest, piece_cluster, piece_size)

    n = int(size.sum())
    share = piece_size / size[piece_cluster]
    spread = np.bincount(piece_cluster, weights=-share * np.log(share), minlength=k + 1)
    simpson = np.bincount(piece_cluster, weights=share**2, minlength=k + 1)

    cluster = np.maximum(labels, 0)
    neighbors = np.bincount(cluster, weights=weights.degree, minlength=k + 1).astype(np.int64)
    inside = cluster[weights.row] == cluster[weights.indices]
    joins = np.bincount(cluster[weights.row[inside]], minlength=k + 1)

    shapes = []
    for label in (np.flatnonzero(size[1:]) + 1).tolist():
        parts, members = int(subclusters[label]), int(size[label])
        broken = parts > 1
        shapes.append(
            ClusterShape(
                label=label,
                members=members,
                subclusters=parts,
                subcluster_ratio=parts / members,
                fraction=members / n,
                entropy=float(spread[label]) if broken else None,
                entropy_normalized=float(spread[label] / np.log(parts)) if broken else None,
                simpson=float(simpson[label]) if broken else None,
                simpson_normalized=float(simpson[label] * parts) if broken else None,
                smallest=int(smallest[label]),
                largest=int(largest[label]),
                mean_size=members / parts,
                neighbors=int(neighbors[label]),
                joins=int(joins[label]),
                join_count_ratio=_ratio(int(joins[label]), int(neighbors[label])),
            )
        )
    found = len(shapes)
    p = size[size > 0] / max(n, 1)
    h = entropy(labels)
    all_neighbors, all_joins = int(neighbors[1:].sum()), int(joins[1:].sum())
    return Fragmentation(
        contiguous=len(piece_size) == found,
        subclusters=len(piece_size),
        subcluster_ratio=len(piece_size) / n if n else 0.0,
        entropy=h,
        entropy_normalized=h / float(np.log(found)) if found > 1 else None,
        simpson=float((p**2).sum()),
        simpson_normalized=float((p**2).sum()) * found,
        neighbors=all_neighbors,
        joins=all_joins,
        join_count_ratio=_ratio(all_joins, all_neighbors),
        clusters=tuple(shapes),
        weights=weights.kind,
    )


def pieces(labels: NDArray[np.integer[Any]], weights: Weights) -> tuple[IntArray, IntArray]:
    """Return the cluster (q,) and the size (q,) of every connected piece of a cluster, by first row."""
    component = components_within(weights.indptr, weights.indices, labels)
    sizes = np.bincount(component)
    cluster = np.zeros(len(sizes), dtype=np.int64)
    cluster[component] = labels
    return cluster[cluster > 0], sizes[cluster > 0]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
