"""SKATER of rows that lie in parts on workers: each finds a spanning forest, and their forests join to one.

A link that is not of the minimum spanning forest of one part's links is not of that of all. So of each part
no more links go on than it has rows and halo, and of all parts one less than there are rows: these are cut in
the memory of one machine, with the variables. The tree, ties included, and so the regions are those of
`regionalize.methods.skater.skater`.

Ward's criterion has no such bound: which regions it joins next hangs on all units of both. So SCHC is not
done in parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError
from regionalize.kernels.forest import Links, joined_forests
from regionalize.model.bounds import Bound

if TYPE_CHECKING:
    from distributed import Client, Future

    from regionalize.model.findings import Findings
    from regionalize.model.tile_links import TileLinks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TOGETHER = 8
"""Forests that a worker joins at a time."""
PER_UNIT, PER_VALUE = 400, 48
"""Bytes that cutting a tree takes for each unit, and besides for each of its values."""


def forest_in_parts(
    client: Client, values: Sequence[Future], links: Sequence[Future], counts: Sequence[int]
) -> Links:
    """Find the minimum spanning forest of linked rows.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    values : sequence of Future
        Variables (m, p) of each part.
    links : sequence of Future
        `TileLinks` of each part: `regionalize.run.dask.neighbours.weights_in_parts`. A link counts in both
        directions.
    counts : sequence of int
        Rows of each part; row numbers run through all parts.

    Returns
    -------
    Links
        In this process: fewer than there are rows, by rising length.
    """
    from regionalize.run.dask.smoothing import Exchange

    exchange = Exchange(client, links, counts)
    forests = [
        client.submit(
            forest_of,
            values[part],
            links[part],
            exchange.starts[part],
            exchange.halo[part],
            *exchange.pieces(values, part),
        )
        for part in range(len(values))
    ]
    while len(forests) > TOGETHER:
        forests = [
            client.submit(join, *forests[at : at + TOGETHER]) for at in range(0, len(forests), TOGETHER)
        ]
    return joined_forests(client.gather(forests))


def skater_in_parts(
    client: Client,
    values: Sequence[Future],
    links: Sequence[Future],
    counts: Sequence[int],
    k: int,
    *,
    bounds: Sequence[Bound] = (),
    findings: Findings | None = None,
) -> IntArray:
    """Group rows into k contiguous regions: the answer of `regionalize.methods.skater.skater`.

    Parameters
    ----------
    client, values, links, counts
        As `forest_in_parts` takes them.
    k : int
        Number of regions: at least the number of connected components, at most n.
    bounds : sequence of Bound
        What every region must hold. Only cuts of the tree are tried.
    findings : Findings, optional
        Told the tree.

    Returns
    -------
    (n,) int64
        Region of each row, 0 … k - 1.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        Fewer regions than components; bounds that no cuts of the tree keep; a tree that the memory of this
        machine does not hold.
    """
    from regionalize.methods.contiguous_links import check_regions
    from regionalize.methods.tree_cuts import cut_trees, spanning_trees
    from regionalize.model.weights import Weights

    n = sum(counts)
    refuse_large(n, client.submit(width, values[0]).result() if values else 0)
    for bound in bounds:
        bound.check_possible(k)
    forest = forest_in_parts(client, values, links, counts)
    check_regions(n, k, Weights.from_links(n, forest.first, forest.second, kind="tree"))
    units, size, order = spanning_trees(n, *forest)
    if findings is not None:
        findings.tree = np.stack([forest.first[order], forest.second[order]], axis=1)
    X = np.concatenate([np.asarray(part, dtype=np.float64) for part in client.gather(list(values))])
    return cut_trees(X, units, size, k, bounds)


def refuse_large(n: int, columns: int) -> None:
    """Refuse more rows than can be cut into regions in the memory of this machine.

    Raises
    ------
    InfeasibleError
    """
    from regionalize.kernels.memory import available_memory

    needed, there = n * (PER_UNIT + PER_VALUE * columns), available_memory()
    if needed > there:
        raise InfeasibleError(
            f"the tree of {n:,} units with {columns} variables takes {needed / 1e9:.1f} GB of memory on this "
            f"machine, where it is cut, and {there / 1e9:.1f} GB are free",
            advice="start it on a machine with more, dissolve units first, or use kmeans with --hops",
        )


# What workers do: pure functions, so that they may do it again.


def forest_of(
    values: NDArray[np.floating[Any]],
    links: TileLinks,
    start: int,
    halo: IntArray,
    *others: NDArray[np.floating[Any]],
) -> Links:
    """Return the minimum spanning forest of the links of a part's rows."""
    table = np.concatenate([values, *others]).astype(np.float64, copy=False)
    row, neighbor = links.row + start, links.neighbor
    own = (neighbor >= start) & (neighbor < start + len(links))
    place = np.where(own, neighbor - start, len(links) + np.searchsorted(halo, neighbor))
    difference = table[links.row] - table[place]
    length = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return joined_forests([Links(np.minimum(row, neighbor), np.maximum(row, neighbor), length)])


def join(*forests: Links) -> Links:
    """Return the minimum spanning forest of several parts' forests."""
    return joined_forests(forests)


def width(values: NDArray[Any]) -> int:
    """Return the number of variables."""
    return int(values.shape[1])
