"""Links on disk that are not returned by the neighbour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.run.stream.links import AT_ONCE, GroupedRows, LinkStore

IntArray = NDArray[np.int64]


def one_sided(links: LinkStore, most: int, rows_at_once: int = AT_ONCE) -> tuple[int, IntArray]:
    """Count the links that go one way only, with bounded memory.

    Both directions of a link meet in the group of its lower row.

    Parameters
    ----------
    links : LinkStore
        Of n rows.
    most : int
        How many are given.
    rows_at_once : int
        Rows of a group.

    Returns
    -------
    count : int
        How many there are.
    ends : (m, 2) int64
        The first of them by row and neighbour.

    Examples
    --------
    >>> from regionalize.model.tile_links import TileLinks
    >>> with LinkStore("some") as links:  # 0 to 1, 0 to 2, and 1 to 0
    ...     links.append(TileLinks(np.array([0, 2, 3, 3]), np.array([1, 2, 0])))
    ...     count, ends = one_sided(links, 4)
    >>> count, ends.tolist()
    (1, [[0, 2]])
    """
    n, count, first = len(links), 0, np.empty((0, 2), dtype=np.int64)
    with GroupedRows(2, -(-max(n, 1) // rows_at_once), at_once=rows_at_once) as grouped:
        for start in range(0, n, rows_at_once):
            part = links.read(start, rows_at_once)
            ends = np.column_stack([part.row + start, part.neighbor])
            grouped.add(ends, ends.min(axis=1) // rows_at_once)
        for group in range(len(grouped)):
            row, neighbor = (ends := grouped.read(group)).T
            alone = ends[~np.isin(row * n + neighbor, neighbor * n + row)]
            count += len(alone)
            known = np.concatenate([first, alone])
            first = known[np.lexsort(known.T[::-1])[:most]]
    return count, first
