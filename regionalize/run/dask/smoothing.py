"""Smooth rows that lie in parts on workers; before each hop these give each other the rows linked to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.model.job import BY_DISTANCE

if TYPE_CHECKING:
    from distributed import Client, Future

    from regionalize.features.tile_smoothing import TileMixing
    from regionalize.model.tile_links import TileLinks

IntArray = NDArray[np.int64]
Values = NDArray[Any]


class Exchange:
    """Who needs which rows of whom.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    links : sequence of Future
        `TileLinks` of each part.
    counts : sequence of int
        Rows of each part; row numbers run through all parts.

    Attributes
    ----------
    starts : list of int
        Row number of each part's first row, and of all rows together.
    halo : list of Future
        Row numbers that each part needs of others, ascending.
    """

    def __init__(self, client: Client, links: Sequence[Future], counts: Sequence[int]) -> None:
        self.client = client
        self.starts = [0, *np.cumsum(counts).tolist()]
        self.halo = client.map(halo_of, links, self.starts[:-1])
        owners = client.gather(client.map(owners_of, self.halo, starts=self.starts))
        self._asked = [
            [
                (owner, client.submit(positions_of, halo, self.starts[owner], self.starts[owner + 1]))
                for owner in found
            ]
            for halo, found in zip(self.halo, owners, strict=True)
        ]

    def pieces(self, parts: Sequence[Future], part: int) -> list[Future]:
        """Return what a part needs of the rows of all parts; laid end to end, in the order of its halo."""
        return [self.client.submit(rows_at, parts[owner], asked) for owner, asked in self._asked[part]]


def smooth_in_parts(
    client: Client,
    values: Sequence[Future],
    links: Sequence[Future],
    counts: Sequence[int],
    *,
    hops: int,
    alpha: float = 0.5,
    mode: str = "mean",
    kind: str = "",
    coordinates: Sequence[Future] | None = None,
    sphere: bool = False,
    used: Sequence[Future] | None = None,
) -> list[Future]:
    """Mix every row's values with its neighbours', as `regionalize.features.smoothing.smooth` does.

    Parameters
    ----------
    client : distributed.Client
        Of the workers. One holds a part, and of others those rows that it is linked to.
    values : sequence of Future
        (m, p) float32 or float64 of each part.
    links : sequence of Future
        `TileLinks` of each part: `regionalize.run.dask.neighbours.weights_in_parts`.
    counts : sequence of int
        Rows of each part.
    hops, alpha, mode, sphere
        As there.
    kind : str
        How the links were made; the numbers of a ``.gwt`` file are distances.
    coordinates : sequence of Future, optional
        (m, 2) float64 of each part; needed by "idw" and "gaussian".
    used : sequence of Future, optional
        (m,) bool of each part: rows that take part. The others keep what they have, and give nothing.

    Returns
    -------
    list of Future
        Of each part, as `values`.

    Raises
    ------
    UsageError
        An unknown mode, a negative number of hops, alpha outside 0 … 1.
    """
    from regionalize.features.smoothing import check_smoothing

    check_smoothing(hops, alpha, mode)
    if not hops or alpha == 1:
        return list(values)
    exchange = Exchange(client, links, counts)
    parts = range(len(values))
    by_distance = mode in BY_DISTANCE
    if by_distance and coordinates is None:
        raise ValueError(f"mode {mode!r} needs coordinates")
    where: list[Any] = [None] * len(values)
    takes_part: list[Any] = [None] * len(values)
    for part in parts:
        if by_distance and coordinates is not None:
            where[part] = client.submit(end_to_end, coordinates[part], *exchange.pieces(coordinates, part))
        if used is not None:
            takes_part[part] = client.submit(end_to_end, used[part], *exchange.pieces(used, part))
    mean_length = None
    if mode == "gaussian":
        given = links, exchange.starts[:-1], exchange.halo, where, takes_part
        lengths = client.gather(client.map(length_of, *given, sphere=sphere))
        mean_length = sum(length for length, _ in lengths) / max(sum(count for _, count in lengths), 1)
    ready = client.map(
        mixing_of,
        links,
        exchange.starts[:-1],
        exchange.halo,
        where,
        takes_part,
        alpha=alpha,
        mode=mode,
        kind=kind,
        sphere=sphere,
        mean_length=mean_length,
    )
    smoothed = list(values)
    for _ in range(hops):
        smoothed = [
            client.submit(hop, smoothed[part], ready[part], *exchange.pieces(smoothed, part))
            for part in parts
        ]
    return smoothed


# What workers do: pure functions, so that they may do it again.


def halo_of(links: TileLinks, start: int) -> IntArray:
    """Return the rows of other parts that a part is linked to, ascending."""
    return links.beyond(start)


def owners_of(halo: IntArray, starts: Sequence[int]) -> list[int]:
    """Return the parts that rows (ascending) are of."""
    found: list[int] = np.unique(np.searchsorted(starts, halo, side="right") - 1).tolist()
    return found


def positions_of(halo: IntArray, start: int, stop: int) -> IntArray:
    """Return which of a part's rows are in a halo."""
    first, last = np.searchsorted(halo, [start, stop])
    return np.asarray(halo[first:last] - start)


def rows_at(values: Values, at: IntArray) -> Values:
    """Return some rows."""
    return values[at]


def end_to_end(*pieces: Values) -> Values:
    """Return arrays laid end to end."""
    return np.concatenate(pieces)


def length_of(
    links: TileLinks, start: int, halo: IntArray, where: Values, used: Values | None, sphere: bool
) -> tuple[float, int]:
    """Return `regionalize.features.tile_smoothing.tile_length`."""
    from regionalize.features.tile_smoothing import tile_length

    return tile_length(links, start, halo, where, sphere=sphere, used=used)


def mixing_of(
    links: TileLinks, start: int, halo: IntArray, where: Values | None, used: Values | None, **about: Any
) -> TileMixing:
    """Return `regionalize.features.tile_smoothing.tile_mixing`."""
    from regionalize.features.tile_smoothing import tile_mixing

    return tile_mixing(links, start, halo, coordinates=where, used=used, **about)


def hop(values: Values, mixing: TileMixing, *halo: Values) -> Values:
    """Return a part's values after one hop more."""
    from regionalize.features.tile_smoothing import smooth_tile

    return smooth_tile(values, np.concatenate([values[:0], *halo]), mixing)
