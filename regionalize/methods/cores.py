"""Choose the piece of each cluster that stays: its largest, unless a component would be left without any."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, listed

IntArray = NDArray[np.int64]


def choose_cores(
    size: IntArray, cluster: IntArray, component: IntArray, name: Callable[[int], str] = str
) -> IntArray:
    """Choose a core for every cluster so that every component holds one.

    A core is the largest piece of its cluster, the first of equally large ones. Where a component would hold
    none, the cluster with the largest piece there that can be spared elsewhere has its core there; others
    give way along an augmenting path (Kuhn 1955), so that cores are found whenever there are any.

    Parameters
    ----------
    size, cluster, component : (q,) int64
        Units of each piece, its cluster 0 … k - 1, and the component of the graph it is in.
    name : callable
        Turns a component into what it is called in an error.

    Returns
    -------
    (k,) int64
        Piece of each cluster.

    Raises
    ------
    InfeasibleError
        Some components hold fewer clusters than they are.

    Examples
    --------
    The cluster 0 has a larger piece in component 0, but is alone in component 1.

    >>> choose_cores(np.array([5, 4, 1]), np.array([0, 1, 0]), np.array([0, 0, 1])).tolist()
    [2, 1]
    """
    core = largest_per_key(cluster, size)
    held = np.bincount(component[core], minlength=component.max() + 1)
    if not held.all():
        best = largest_per_key(component * (cluster.max() + 1) + cluster, size)
        best = best[np.lexsort((best, -size[best], component[best]))]
        ends = np.searchsorted(component[best], np.arange(len(held) + 1))
        options = [best[ends[c] : ends[c + 1]].tolist() for c in range(len(held))]
        for bare in np.flatnonzero(held == 0):
            cover(int(bare), core, held, options, cluster, component, name)
    return core


def largest_per_key(key: IntArray, size: IntArray) -> IntArray:
    """Return the largest piece of each key, in the order of the keys; the first of equally large ones."""
    order = np.lexsort((np.arange(len(key)), -size, key))
    kept: IntArray = order[np.diff(key[order], prepend=-1) != 0]
    return kept


def cover(
    bare: int,
    core: IntArray,
    held: IntArray,
    options: list[list[int]],
    cluster: IntArray,
    component: IntArray,
    name: Callable[[int], str],
) -> None:
    """Move cores, in place, so that component `bare` holds one and no other loses its last."""
    wanted: dict[int, int] = {}  # the piece each cluster reached would have as its core
    owner: dict[int, int] = {}  # the only cluster with its core in each component reached
    queue = [bare]
    for place in queue:  # grows as it is walked
        for piece in options[place]:
            c = int(cluster[piece])
            if c in wanted:
                continue
            wanted[c] = piece
            home = int(component[core[c]])
            if held[home] == 1:
                owner[home] = c
                queue.append(home)
                continue
            held[home] -= 1
            held[bare] += 1
            while True:
                place = int(component[wanted[c]])  # noqa: PLW2901  # the walk ends here
                core[c] = wanted[c]
                if place == bare:
                    return
                c = owner[place]
    raise InfeasibleError(
        f"{len(queue)} components that no region can span hold only {len(wanted)} "
        f"{'cluster' if len(wanted) == 1 else 'clusters'} between them (the components of "
        f"{listed(name(place) for place in sorted(queue))})",
        advice="join components with --islands nearest, or make other regions: regionalize contiguous "
        "has --best, which needs no such clusters, and --split, which makes every piece a region",
    )
