"""Neighbours of rows that lie in parts on workers: every part with a halo of the others' rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.model.layer import shapes_of as shapes_of_wkb
from regionalize.run.dask.tiles import Units, by_place, chosen, sent_home
from regionalize.weights.spec import WeightsSpec, no_places, parse_spec, too_few_places

if TYPE_CHECKING:
    import pyarrow as pa
    from distributed import Client, Future

    from regionalize.model.layer import Layer
    from regionalize.model.tile_links import TileLinks
    from regionalize.weights.tiles import Nearest

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
IntArray = NDArray[np.int64]


def weights_in_parts(
    client: Client,
    geometry: Sequence[Future],
    counts: Sequence[int],
    spec: str,
    *,
    snap: float = 0.0,
    geographic: bool = False,
) -> list[Future]:
    """Find the neighbours of all rows, as `regionalize.weights.build.build_weights` does.

    Parts may be of any size, and lie anywhere: a file need not be sorted in space. Where parts cover each
    other, rows are first brought together by where they lie (`regionalize.run.dask.tiles`). A worker holds a
    part, and of others those rows that can be neighbours, or two parts.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    geometry : sequence of Future
        WKB of each part, as `Layer.wkb` has it.
    counts : sequence of int
        Rows of each part; row numbers run through all parts.
    spec : str
        ``queen``, ``rook``, ``knn:K`` or ``kernel:FUNCTION:K``.
    snap : float
        For queen and rook: distance in map units that counts as touching.
    geographic : bool
        Whether coordinates are longitude and latitude.

    Returns
    -------
    list of Future
        `regionalize.model.tile_links.TileLinks` of each part.

    Raises
    ------
    UsageError
        A spec that cannot be meant, or a band of distance.
    DataError
        Geometries that are no areas for queen and rook; too few rows for k.
    """
    wanted = parse_spec(spec)
    starts = [0, *np.cumsum(counts).tolist()]
    if wanted.is_contiguity:
        return _contiguity(client, geometry, starts, wanted.kind, snap)
    if wanted.kind in {"knn", "kernel"}:
        return _nearest(client, geometry, starts, wanted, geographic)
    raise UsageError(
        f"neighbours by {spec} are not found in parts", advice="use queen, rook, or the nearest, as in knn:6"
    )


def _contiguity(
    client: Client, geometry: Sequence[Future], starts: Sequence[int], kind: str, snap: float
) -> list[Future]:
    from regionalize.weights.tiles import outline, tiles_meeting

    boxes = client.map(boxes_of_areas, geometry, kind=kind)
    parts = client.map(areas, geometry, boxes, starts[:-1])
    centers = client.map(centers_of_boxes, boxes)
    extents = np.array(client.gather(client.map(extent, centers))).reshape(-1, 2, 2)
    _refuse_no_place(bool(np.isnan(extents).all()))
    tiles, parts_of = by_place(client, parts, centers, extents)
    boxes = client.map(boxes_of, tiles)
    outlines = np.array(client.gather(client.map(outline, boxes)))
    links = []
    for tile, others in enumerate(tiles_meeting(outlines, snap)):
        halo = [client.submit(seen_by, tiles[other], boxes[tile], snap) for other in others.tolist()]
        links.append(client.submit(links_of_areas, tiles[tile], *halo, rook=kind == "rook", snap=snap))
    return sent_home(client, links, tiles, parts_of, starts)


def _nearest(
    client: Client, geometry: Sequence[Future], starts: Sequence[int], wanted: WeightsSpec, geographic: bool
) -> list[Future]:
    from regionalize.weights.tiles import apart, by_distance

    k = wanted.neighbors
    parts = client.map(placed_points, geometry, starts[:-1], geographic=geographic)
    centers = client.map(centers_of_points, parts)
    extents = np.array(client.gather(client.map(extent, centers))).reshape(-1, 2, 2)
    _refuse_no_place(bool(np.isnan(extents).all()))
    tiles, parts_of = by_place(client, parts, centers, extents)
    known = client.map(nearest_of_tile, tiles, k=k)
    about = client.gather(client.map(outline_and_reach, tiles, known))
    placed = sum(count for count, _, _ in about)
    if k >= placed:
        raise too_few_places(k, placed)
    corners = np.array([corner for _, corner, _ in about])
    links = []
    for tile, (_, corner, reach) in enumerate(about):
        found = known[tile]
        for other in by_distance(corners, tile).tolist():
            if apart(corner, corners[other]) > reach:
                break  # and so are all behind it
            found = client.submit(nearer_in, tiles[tile], found, tiles[other])
        function = wanted.function if wanted.kind == "kernel" else None
        links.append(client.submit(links_of_points, found, function, geographic))
    return sent_home(client, links, tiles, parts_of, starts)


def _refuse_no_place(nowhere: bool) -> None:
    if nowhere:
        raise no_places()


# What workers do: pure functions, so that they may do it again.


def decoded(wkb: pa.ChunkedArray) -> Geometries:
    """Return geometries as `Layer.geometry` has them."""
    raw = wkb.to_numpy(zero_copy_only=False) if len(wkb) else np.empty(0, dtype=object)
    found: Geometries = shapes_of_wkb(raw)
    return found


def kinds_of(wkb: pa.ChunkedArray) -> dict[str, int]:
    """Return how many rows of a part have each kind of geometry."""
    return shapes_of(wkb).geometry_kinds


def shapes_of(wkb: pa.ChunkedArray) -> Layer:
    """Return a layer of nothing but shapes."""
    import pyarrow as pa

    from regionalize.model.layer import Layer

    return Layer(pa.table({"row": np.arange(len(wkb))}), None, None, shapes=decoded(wkb))


def boxes_of_areas(wkb: pa.ChunkedArray, kind: str) -> FloatArray:
    """Return `regionalize.weights.tiles.unit_boxes` of areas, or refuse what is none."""
    from regionalize.weights.spec import refuse_contiguity
    from regionalize.weights.tiles import unit_boxes

    units = shapes_of(wkb)
    refuse_contiguity(units, kind)
    return unit_boxes(units.geometry)


def areas(wkb: pa.ChunkedArray, boxes: FloatArray, start: int) -> Units:
    """Return what is known of a part's units: geometry, box, row number."""
    return wkb, boxes, np.arange(start, start + len(boxes))


def boxes_of(units: Units) -> FloatArray:
    """Return the boxes of areas."""
    boxes: FloatArray = units[1]
    return boxes


def centers_of_boxes(boxes: FloatArray) -> FloatArray:
    """Return the middle of each box, (m, 2)."""
    return boxes[:, :2] / 2 + boxes[:, 2:] / 2


def extent(centers: FloatArray) -> FloatArray:
    """Return the low and the high corner, (2, 2); NaN where nothing is anywhere."""
    if np.isnan(centers).all():
        return np.full((2, 2), np.nan)
    return np.stack([np.fmin.reduce(centers), np.fmax.reduce(centers)])


def seen_by(units: Units, asking: FloatArray, snap: float) -> Units:
    """Return the units of a tile that those of another, by their boxes, must see."""
    from regionalize.weights.tiles import rows_seen

    return chosen(units, rows_seen(boxes_of(units), asking, snap))


def links_of_areas(units: Units, *halo: Units, rook: bool, snap: float) -> TileLinks:
    """Return the links of a tile by contiguity."""
    from regionalize.weights.tiles import contiguity_of_tile

    others = np.concatenate([np.empty(0, dtype=object), *(decoded(wkb) for wkb, _, _ in halo)])
    numbers = np.concatenate([np.empty(0, dtype=np.int64), *(rows for _, _, rows in halo)])
    wkb, _, rows = units
    return contiguity_of_tile(decoded(wkb), rows, others, numbers, rook=rook, snap=snap)


def placed_points(wkb: pa.ChunkedArray, start: int, geographic: bool) -> Units:
    """Return the places of a part's units that have one, and their row numbers."""
    from regionalize.weights.build import usable
    from regionalize.weights.places import places

    geometry = decoded(wkb)
    placed = np.flatnonzero(usable(geometry))
    return places(geometry[placed], geographic=geographic), placed + start


def centers_of_points(units: Units) -> FloatArray:
    """Return where points are on a map, (m, 2); of the sphere, by longitude and latitude."""
    points: FloatArray = units[0]
    if points.shape[1] == 2:
        return points
    return np.stack([np.arctan2(points[:, 1], points[:, 0]), np.arcsin(np.clip(points[:, 2], -1, 1))], axis=1)


def nearest_of_tile(units: Units, k: int) -> Nearest:
    """Return the nearest among a tile's own units."""
    from regionalize.weights.tiles import nearest_within

    return nearest_within(units[0], units[1], k)


def nearer_in(units: Units, known: Nearest, others: Units) -> Nearest:
    """Return the nearest of those known and those of another tile."""
    from regionalize.weights.tiles import nearer

    return nearer(units[0], units[1], known, others[0], others[1])


def outline_and_reach(units: Units, known: Nearest) -> tuple[int, FloatArray, float]:
    """Return how many points a tile has, their corners, and how far the nearest may be yet."""
    from regionalize.weights.tiles import points_outline

    return len(units[0]), points_outline(units[0]), float(known.reach.max(initial=0.0))


def links_of_points(known: Nearest, kernel: str | None, sphere: bool) -> TileLinks:
    """Return the links of a tile's units to their nearest."""
    from regionalize.weights.tiles import nearest_tile

    n = len(known.neighbor)
    return nearest_tile(n, np.arange(n), known, kernel=kernel, sphere=sphere)
