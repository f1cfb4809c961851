"""Make clusters contiguous: their smaller pieces join neighbours, or become regions of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.compiler import compiled
from regionalize.kernels.components import components_within
from regionalize.kernels.fragments import merge_fragments
from regionalize.methods.contiguous_links import both_ways
from regionalize.methods.cores import choose_cores

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]

COMPILED_UNITS = 10_000
"""Units from which the compiled kernel is used: below, Python ends before the compiler is loaded."""


def row_name(unit: int) -> str:
    """Call a unit by its row number."""
    return f"row {unit + 1}"


def make_contiguous(
    labels: NDArray[np.integer[Any]],
    weights: Weights,
    *,
    name: Callable[[int], str] = row_name,
    noise: bool = False,
) -> IntArray:
    """Make every cluster one piece by merging the smaller ones into their neighbours.

    The number of clusters and their labels stay, and no variable is looked at. The largest piece of a cluster
    is its core. Single units surrounded by one other cluster go to it first. Then smaller pieces go from the
    smallest to the largest, those of the cluster with the smallest core first, each to the largest piece it
    touches; a piece that outgrows the core of its cluster becomes the core.

    Where the units fall into several components, each keeps a core: a cluster that alone can hold one has its
    core there, even if it has a larger piece elsewhere.

    Parameters
    ----------
    labels : (n,) int
        Cluster of each unit, any whole numbers.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    name : callable
        Turns a unit's row into what it is called in errors: its number from 1 unless given.
    noise : bool
        Units of noise were left out, which errors say: they may be what lay between.

    Returns
    -------
    (n,) int64
        As many different labels as before, each on connected units.

    Raises
    ------
    UsageError
        Labels and weights are of different numbers of units.
    InfeasibleError
        Some components hold fewer clusters than they are, so that not each can keep one.

    References
    ----------
    Anselin (2024), An Introduction to Spatial Data Science with GeoDa, volume 2, section 9.5.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(6, np.arange(5), np.arange(1, 6), kind="example")
    >>> make_contiguous(np.array([7, 7, 7, 4, 4, 7]), path).tolist()
    [7, 7, 7, 4, 4, 4]
    """
    labels = labels.astype(np.int64)
    if len(labels) != len(weights):
        raise UsageError(f"there are {len(labels)} labels, but the weights are of {len(weights)} units")
    if not len(labels):
        return np.empty(0, dtype=np.int64)
    links = both_ways(weights)
    found, code, members = np.unique(labels, return_inverse=True, return_counts=True)
    by_size = np.argsort(-members, kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(len(by_size))
    unit_cluster = rank[code]
    piece, first = pieces_in_order(links, unit_cluster)
    cluster, component = unit_cluster[first], links.component[first]
    refuse_too_few(len(found), links, noise=noise)
    core = choose_cores(
        np.bincount(piece), cluster, component, lambda place: name(int(np.argmax(links.component == place)))
    )
    kernel = compiled(merge_fragments) if len(labels) >= COMPILED_UNITS else merge_fragments
    place = kernel(links.indptr, links.indices, piece, cluster, core, component)
    return np.asarray(found[by_size][place], dtype=np.int64)


def split_into_pieces(labels: NDArray[np.integer[Any]], weights: Weights) -> IntArray:
    """Make every connected piece of a cluster a region of its own.

    Parameters
    ----------
    labels : (n,) int
        Cluster of each unit, any whole numbers.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.

    Returns
    -------
    (n,) int64
        Region of each unit: 0, 1, … in the order of their first rows.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(4, np.arange(3), np.arange(1, 4), kind="example")
    >>> split_into_pieces(np.array([1, 2, 2, 1]), path).tolist()
    [0, 1, 1, 2]
    """
    return components_within(weights.indptr, weights.indices, labels)


def pieces_in_order(links: Weights, cluster: IntArray) -> tuple[IntArray, IntArray]:
    """Return the connected piece of each unit, numbered by cluster, then by first row, and the first rows."""
    found = components_within(links.indptr, links.indices, cluster)
    _, first = np.unique(found, return_index=True)
    order = np.lexsort((first, cluster[first]))
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return number[found], first[order]


def refuse_too_few(k: int, links: Weights, *, noise: bool = False) -> None:
    """Refuse fewer clusters than components; with `noise`, such units were left out before."""
    apart = links.n_components
    if k < apart:
        alone = len(links.islands)
        islands = f" ({alone} of them single units without neighbours)" if alone else ""
        raise InfeasibleError(
            f"there {'is 1 cluster' if k == 1 else f'are {k} clusters'}, "
            f"but {'without the noise ' if noise else ''}the units fall into {apart} components{islands}, "
            "which no region can span",
            advice=("leave less out as noise" if noise else "join components with --islands nearest")
            + ", or make every piece a region: regionalize contiguous --split",
        )
