"""Smooth rows that lie on disk, some at a time, over links that lie on disk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionalize.features.smoothing import check_smoothing
from regionalize.features.tile_smoothing import smooth_tile, tile_degrees, tile_length, tile_mixing
from regionalize.model.job import BY_DISTANCE
from regionalize.model.tile_links import TileLinks
from regionalize.run.stream.links import AT_ONCE, LinkStore, rows_at
from regionalize.run.stream.store import RowStore

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def smooth_rows(
    store: RowStore,
    links: LinkStore,
    *,
    hops: int,
    alpha: float = 0.5,
    mode: str = "mean",
    coordinates: RowStore | None = None,
    sphere: bool = False,
    rows_at_once: int = AT_ONCE,
) -> RowStore:
    """Mix every row's values with its neighbours', as `regionalize.features.smoothing.smooth` does.

    Each hop passes once over the rows, reads of a batch's neighbours what it needs, and writes a file anew.
    Memory holds a batch with the values of its neighbours, however many rows there are; the disk, two files
    as large as the store besides it.

    A layer that comes in batches is smoothed so: append the scaled variables of each batch to a `RowStore`,
    make a `LinkStore` (`regionalize.run.stream.neighbours.links_by_tiles` from geometry,
    `regionalize.run.stream.weights_file.links_of_file` from a file), call this, and read the answer batch by
    batch (`RowStore.batches`).

    Parameters
    ----------
    store : RowStore
        Variables (n, p), float32 or float64. Rows with a NaN take no part: they keep what they have, and give
        nothing to their neighbours.
    links : LinkStore
        Neighbours of the n rows.
    hops, alpha, mode, sphere
        As there.
    coordinates : RowStore, optional
        Where rows are (n, 2), of those that take part finite; needed by "idw" and "gaussian".
    rows_at_once : int
        Rows of a batch.

    Returns
    -------
    RowStore
        (n, p) of the same type; to be closed by whoever called. The one given is as it was.

    Raises
    ------
    UsageError
        An unknown mode, a negative number of hops, alpha outside 0 … 1.
    OutputError
        There is no room on disk.

    Examples
    --------
    >>> path = TileLinks(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]))
    >>> with RowStore(1) as store, LinkStore("path") as links:
    ...     store.append(np.array([0.0, 6.0, 0.0]))
    ...     links.append(path)
    ...     with smooth_rows(store, links, hops=1, rows_at_once=2) as smoothed:
    ...         smoothed.read(0, 3).ravel().tolist()
    [3.0, 3.0, 3.0]
    """
    check_smoothing(hops, alpha, mode)
    by_distance = mode in BY_DISTANCE
    if by_distance and coordinates is None:
        raise ValueError(f"mode {mode!r} needs coordinates")
    if len(links) != len(store):
        raise ValueError(f"{len(links)} rows have links, and {len(store)} have values")
    where = coordinates if by_distance else None
    mean_length = None
    if mode == "gaussian" and where is not None and hops:
        mean_length = _mean_length(store, links, where, sphere, rows_at_once)
    before = store
    for _ in range(hops if alpha < 1 else 0):
        after = RowStore(store.columns, store.dtype, store.folder)
        try:
            for first, own in before.batches(rows_at_once):
                tile, halo, others, used = _tile(before, links, first, own)
                ready = tile_mixing(
                    tile,
                    first,
                    halo,
                    alpha=alpha,
                    mode=mode,
                    kind=links.kind,
                    sphere=sphere,
                    coordinates=_places(where, first, len(own), halo),
                    mean_length=mean_length,
                    used=used,
                )
                after.append(smooth_tile(own, others, ready))
        except BaseException:
            after.__exit__(None, None, None)
            raise
        finally:
            if before is not store:
                before.__exit__(None, None, None)
        before = after
    return before if before is not store else _copy(store, rows_at_once)


def degrees(
    store: RowStore, links: LinkStore, first: int, own: NDArray[np.floating]
) -> tuple[IntArray, BoolArray]:
    """Return the number of neighbours of a batch's rows, and which rows take part: no others are counted."""
    tile, halo, _, used = _tile(store, links, first, own)
    if used is None:
        return np.diff(tile.indptr), np.ones(len(own), dtype=np.bool_)
    return tile_degrees(tile, first, halo, used), used[: len(own)]


def _tile(
    store: RowStore, links: LinkStore, first: int, own: NDArray[np.floating]
) -> tuple[TileLinks, IntArray, NDArray[np.floating], BoolArray | None]:
    """Return the links of a batch, its halo, the halo's values, and which of all these take part."""
    tile = links.read(first, len(own))
    halo = tile.beyond(first)
    others = rows_at(store, halo)
    used = ~np.concatenate([np.isnan(own).any(axis=1), np.isnan(others).any(axis=1)])
    return tile, halo, others, None if used.all() else used


def _places(where: RowStore | None, first: int, count: int, halo: IntArray) -> FloatArray | None:
    return None if where is None else np.concatenate([where.read(first, count), rows_at(where, halo)])


def _mean_length(store: RowStore, links: LinkStore, where: RowStore, sphere: bool, rows: int) -> float:
    """Return the mean length of the links between rows that take part."""
    total, count = 0.0, 0
    for first, own in store.batches(rows):
        tile, halo, _, used = _tile(store, links, first, own)
        places = _places(where, first, len(own), halo)
        assert places is not None
        length, number = tile_length(tile, first, halo, places, sphere=sphere, used=used)
        total, count = total + length, count + number
    return total / max(count, 1)


def _copy(store: RowStore, rows: int) -> RowStore:
    copy = RowStore(store.columns, store.dtype, store.folder)
    for _, values in store.batches(rows):
        copy.append(values)
    return copy
