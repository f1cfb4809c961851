"""Rows brought together by where they lie, so that parts of a file in any order need not see each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from distributed import Client, Future

    from regionalize.model.tile_links import TileLinks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Units = tuple[Any, ...]
"""What is known of some units, a value for each in every array; their row numbers last."""

GRID = 256
"""Squares along each side of the map, of which tiles are made."""
COVERED = 3.0
"""How often parts may cover the map before it costs less to bring rows together."""
CROWD = 2
"""How many times the largest part a tile may be."""


def by_place(
    client: Client, parts: Sequence[Future], centers: Sequence[Future], extents: FloatArray
) -> tuple[list[Future], list[list[int]]]:
    """Put units that are near each other into one tile, where parts of the file cover each other.

    Parameters
    ----------
    client : distributed.Client
    parts : sequence of Future
        `Units` of each part.
    centers : sequence of Future
        (m, 2) float64 of each part: where its units are, NaN for one that is nowhere.
    extents : (parts, 2, 2) float64
        Low and high corner of each part's centres; NaN where it has none.

    Returns
    -------
    tiles : list of Future
        `Units` of each tile: none has many more than the largest part has. They are the parts themselves
        where these lie apart, and where so many units are in one place that a tile would be too large.
    parts_of : list of list of int
        Which parts the rows of each tile are of.
    """
    themselves = [[part] for part in range(len(parts))]
    low, high = np.fmin.reduce(extents[:, 0]), np.fmax.reduce(extents[:, 1])
    covered = float(np.nansum(np.prod(extents[:, 1] - extents[:, 0], axis=1)))
    if not covered > COVERED * float(np.prod(high - low)):
        return list(parts), themselves
    from regionalize.kernels.cells import divided

    step = np.where(high > low, high / GRID - low / GRID, 1.0)
    squares = client.map(squares_of, centers, low=low, step=step)
    told = client.gather(client.map(held_by, squares))
    counts = np.zeros(GRID * GRID, dtype=np.int64)
    for square, held in told:
        counts[square] += held
    most = max(int(held.sum()) for _, held in told)
    cells = divided(counts.reshape(GRID, GRID), most).ravel()
    if np.bincount(cells, counts).max() > CROWD * most:
        return list(parts), themselves
    cell_of_square = client.submit(np.array, cells)
    cell_of_row = [client.submit(cells_of, square, cell_of_square) for square in squares]
    pieces: dict[int, list[tuple[int, Future]]] = {}
    for part, (square, _) in enumerate(told):
        for cell in np.unique(cells[square]).tolist():
            piece = client.submit(units_in, parts[part], cell_of_row[part], cell)
            pieces.setdefault(cell, []).append((part, piece))
    tiles = [client.submit(together, *(piece for _, piece in found)) for found in pieces.values()]
    return tiles, [[part for part, _ in found] for found in pieces.values()]


def sent_home(
    client: Client,
    links: Sequence[Future],
    tiles: Sequence[Future],
    parts_of: Sequence[Sequence[int]],
    starts: Sequence[int],
) -> list[Future]:
    """Return the links of tiles to the parts that their rows are of.

    Parameters
    ----------
    client : distributed.Client
    links : sequence of Future
        `TileLinks` of each tile.
    tiles : sequence of Future
        Its `Units`.
    parts_of : sequence of sequence of int
        The parts these are of.
    starts : sequence of int
        Row number of each part's first row, and of all rows together.

    Returns
    -------
    list of Future
        `TileLinks` of each part.
    """
    pieces: list[list[Future]] = [[] for _ in starts[1:]]
    for tile, parts in enumerate(parts_of):
        numbers = client.submit(rows_of, tiles[tile])
        for part in parts:
            pieces[part].append(
                client.submit(links_within, links[tile], numbers, starts[part], starts[part + 1])
            )
    counts = np.diff(starts).tolist()
    return [client.submit(links_of, count, *found) for count, found in zip(counts, pieces, strict=True)]


# What workers do: pure functions, so that they may do it again.


def squares_of(centers: FloatArray, low: FloatArray, step: FloatArray) -> IntArray:
    """Return the square of the grid that each centre is in; -1 for none."""
    across = np.nan_to_num(np.clip((centers - low) / step, 0, GRID - 1)).astype(np.int64)
    return np.where(np.isnan(centers[:, 0]), -1, across[:, 1] * GRID + across[:, 0])


def held_by(squares: IntArray) -> tuple[IntArray, IntArray]:
    """Return which squares hold units, and how many."""
    return np.unique(squares[squares >= 0], return_counts=True)


def cells_of(squares: IntArray, cells: IntArray) -> IntArray:
    """Return the cell of each unit; -1 for none."""
    return np.where(squares >= 0, cells[squares], -1)


def units_in(units: Units, cell_of_row: IntArray, cell: int) -> Units:
    """Return the units that are in a cell."""
    return chosen(units, np.flatnonzero(cell_of_row == cell))


def chosen(units: Units, places: IntArray) -> Units:
    """Return some units."""
    import pyarrow as pa

    wanted = pa.array(places, pa.int64())
    return tuple(one[places] if isinstance(one, np.ndarray) else one.take(wanted) for one in units)


def together(*pieces: Units) -> Units:
    """Lay units end to end."""
    import pyarrow as pa

    return tuple(
        np.concatenate(same)
        if isinstance(same[0], np.ndarray)
        else pa.chunked_array([chunk for one in same for chunk in one.chunks], type=same[0].type)
        for same in zip(*pieces, strict=True)
    )


def rows_of(units: Units) -> IntArray:
    """Return the row numbers of units."""
    rows: IntArray = units[-1]
    return rows


def links_within(
    links: TileLinks, rows: IntArray, start: int, stop: int
) -> tuple[IntArray, IntArray, FloatArray | None]:
    """Return the links of a part's rows: positions in the part, neighbours, weights."""
    row = rows[links.row]
    own = (row >= start) & (row < stop)
    return row[own] - start, links.neighbor[own], None if links.values is None else links.values[own]


def links_of(count: int, *pieces: tuple[IntArray, IntArray, FloatArray | None]) -> TileLinks:
    """Put the links of a part's rows together."""
    from regionalize.model.tile_links import TileLinks

    nobody = np.empty(0, dtype=np.int64)
    row = np.concatenate([nobody, *(row for row, _, _ in pieces)])
    neighbor = np.concatenate([nobody, *(neighbor for _, neighbor, _ in pieces)])
    values = [value for _, _, value in pieces if value is not None]
    return TileLinks.from_links(count, row, neighbor, np.concatenate(values) if values else None)
