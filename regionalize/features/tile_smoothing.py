"""Smooth a tile's rows over one hop, from their own values and those of the rows they are linked to.

A tile is any part of a layer's rows. H hops are H times: fetch the values of the halo (the rows of other
tiles that links lead to) as they are after the last hop, then `smooth_tile`. What comes out are the values
that `regionalize.features.smoothing.smooth` gives the whole layer, up to the order of adding up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.features.smoothing import link_lengths, mixing
from regionalize.model.tile_links import TileLinks
from regionalize.model.weights import Weights

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TileMixing:
    """What one hop makes of a tile of n rows with a halo of h.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Row i takes from the places ``place[indptr[i]:indptr[i + 1]]``.
    place : (m,) int64
        Positions among the tile's rows and, from n, the halo's.
    share : (m,) float64
        How much of each.
    kept : (n,) float64
        How much of its own value a row keeps.
    beyond : int
        Rows of the halo, h.
    """

    indptr: IntArray
    place: IntArray
    share: FloatArray
    kept: FloatArray
    beyond: int


def tile_mixing(
    links: TileLinks,
    start: int,
    halo: IntArray,
    *,
    alpha: float,
    mode: str,
    kind: str = "",
    coordinates: FloatArray | None = None,
    sphere: bool = False,
    mean_length: float | None = None,
    used: BoolArray | None = None,
) -> TileMixing:
    """Make ready to smooth a tile.

    Parameters
    ----------
    links : TileLinks
        Of the tile's n rows.
    start : int
        Row number of the first of them in the layer; the others follow.
    halo : (h,) int64
        Row numbers of the other tiles' rows, ascending, `links.beyond(start)` among them.
    alpha, mode
        As `regionalize.features.smoothing.smooth` takes them.
    kind : str
        How the links were made; the numbers of a ``.gwt`` file are distances, and each link counts one.
    coordinates : (n + h, 2) float64, optional
        Where the tile's rows and then the halo's are; needed by "idw" and "gaussian".
    sphere : bool
        `coordinates` are longitude and latitude in degrees.
    mean_length : float, optional
        For "gaussian": the mean length of the links of all tiles (`tile_length`).
    used : (n + h,) bool, optional
        Rows that take part. The others keep their values, missing ones too, and give nothing.

    Examples
    --------
    Row 1 of a path of three, alone in its tile.

    >>> links = TileLinks(np.array([0, 2]), np.array([0, 2]))
    >>> middle = tile_mixing(links, 1, np.array([0, 2]), alpha=0.5, mode="mean")
    >>> smooth_tile(np.array([[6.0]]), np.array([[0.0], [0.0]]), middle).tolist()
    [[3.0]]
    """
    weights = _local(links, start, halo, used, kind)
    share, kept = mixing(
        weights, alpha, mode, coordinates=coordinates, sphere=sphere, mean_length=mean_length
    )
    n = len(links)
    return TileMixing(weights.indptr[: n + 1], weights.indices, share, kept[:n], len(halo))


def smooth_tile(
    values: NDArray[np.floating[Any]], halo: NDArray[np.floating[Any]], tile: TileMixing
) -> NDArray[np.floating[Any]]:
    """Return a tile's values after one hop more.

    Parameters
    ----------
    values : (n, p) float32 or float64
        After the hop before; of the tile.
    halo : (h, p) of the same type
        Of its halo.
    tile : TileMixing
        Made by `tile_mixing`.

    Returns
    -------
    (n, p) of the same type
        A new array.
    """
    import scipy.sparse

    kind, n = values.dtype, len(values)
    small = np.int32 if max(n + len(halo), len(tile.place)) < 2**31 else np.int64
    entries = tile.share.astype(kind), tile.place.astype(small), tile.indptr.astype(small)
    matrix = scipy.sparse.csr_array(entries, shape=(n, n + tile.beyond))
    out = np.asarray(matrix @ np.concatenate([values, halo]))
    out += values * tile.kept.astype(kind)[:, None]
    return out


def tile_length(
    links: TileLinks,
    start: int,
    halo: IntArray,
    coordinates: FloatArray,
    *,
    sphere: bool = False,
    used: BoolArray | None = None,
) -> tuple[float, int]:
    """Return the length of a tile's links together, and how many they are.

    Sums over all tiles, divided, are the mean length that the mode "gaussian" goes by. Parameters as
    `tile_mixing` takes them.
    """
    weights = _local(links, start, halo, used, "")
    return float(link_lengths(weights, coordinates, sphere).sum()), weights.n_links


def tile_degrees(links: TileLinks, start: int, halo: IntArray, used: BoolArray) -> IntArray:
    """Return how many neighbours that take part each of a tile's rows has, (n,); parameters as above."""
    return np.diff(_local(links, start, halo, used, "").indptr[: len(links) + 1])


def _local(links: TileLinks, start: int, halo: IntArray, used: BoolArray | None, kind: str) -> Weights:
    """Return the links as weights among n + h places, of which the halo's have none; unused ones left out."""
    n = len(links)
    own = (links.neighbor >= start) & (links.neighbor < start + n)
    place = np.where(own, links.neighbor - start, n + np.searchsorted(halo, links.neighbor))
    degree, values = np.diff(links.indptr), links.values
    if used is not None:
        counts = used[links.row] & used[place]
        degree = np.bincount(links.row[counts], minlength=n)
        place, values = place[counts], None if values is None else values[counts]
    indptr = np.concatenate([[0], np.cumsum(degree)])
    indptr = np.concatenate([indptr, np.full(len(halo), indptr[-1])])
    return Weights(indptr, place, np.ones(len(place)) if values is None else values, kind)
