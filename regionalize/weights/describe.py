"""What weights look like, and making one-way links go both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.model.weights import Weights


def describe_weights(weights: Weights, names: NDArray[np.object_]) -> dict[str, Any]:
    """Describe weights in plain numbers, ready for JSON.

    Parameters
    ----------
    weights : Weights
    names : (n,) array of str
        What to call the rows.

    Returns
    -------
    dict
        ``kind``, ``n``, ``links`` (directed), ``min_degree``, ``mean_degree``, ``max_degree``, ``degrees``
        (number of units by number of neighbours, ascending), ``islands`` (names), ``components`` (by falling
        size: ``size`` and ``first``, the name of the first unit), ``symmetric``, ``added`` (links made on
        purpose: two names and the distance).

    Examples
    --------
    >>> weights = Weights.from_links(3, np.array([0, 1]), np.array([1, 0]), kind="queen")
    >>> found = describe_weights(weights, np.array(["a", "b", "c"], dtype=object))
    >>> found["degrees"], found["islands"], found["components"]
    ({0: 1, 1: 2}, ['c'], [{'size': 2, 'first': 'a'}, {'size': 1, 'first': 'c'}])
    """
    degree = weights.degree
    values, counts = np.unique(degree, return_counts=True)
    _, first, sizes = np.unique(weights.component, return_index=True, return_counts=True)
    by_size = np.lexsort((first, -sizes))
    return {
        "kind": weights.kind,
        "n": len(weights),
        "links": weights.n_links,
        "min_degree": int(degree.min()) if len(weights) else 0,
        "mean_degree": float(degree.mean()) if len(weights) else 0.0,
        "max_degree": int(degree.max()) if len(weights) else 0,
        "degrees": {int(value): int(count) for value, count in zip(values, counts, strict=True)},
        "islands": [str(name) for name in names[weights.islands]],
        "components": [{"size": int(sizes[at]), "first": str(names[first[at]])} for at in by_size],
        "symmetric": weights.is_symmetric,
        "added": [[str(names[a]), str(names[b]), float(distance)] for a, b, distance in weights.added],
    }


def symmetrize(weights: Weights, how: str) -> Weights:
    """Make every link go both ways.

    Parameters
    ----------
    weights : Weights
        Such as k nearest neighbours, where i may be near j without j being near i.
    how : str
        ``"union"``: a link either way becomes both; ``"mutual"``: only links that go both ways stay. Where
        the two ways weigh differently, both get the mean.

    Returns
    -------
    Weights
        With ``is_symmetric`` true.

    Examples
    --------
    >>> one_way = Weights.from_links(3, np.array([0, 0, 1]), np.array([1, 2, 0]), kind="knn:2")
    >>> symmetrize(one_way, "union").n_links, symmetrize(one_way, "mutual").n_links
    (4, 2)
    """
    if how not in {"union", "mutual"}:
        raise UsageError(f"'{how}' is not a way to make weights symmetric", advice="use union or mutual")
    n, row, neighbor = len(weights), weights.row, weights.indices
    key = np.concatenate([row * n + neighbor, neighbor * n + row])
    key, inverse, times = np.unique(key, return_inverse=True, return_counts=True)
    values = np.bincount(inverse, np.tile(weights.values, 2), minlength=len(key)) / times
    if how == "mutual":
        key, values = key[times == 2], values[times == 2]
    made = Weights.from_links(n, key // max(n, 1), key % max(n, 1), values, kind=weights.kind)
    return replace(made, notes=weights.notes, added=weights.added)
