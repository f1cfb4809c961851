"""Neighbours of rows that come in batches: what is needed of each lies on disk, and the map in tiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.kernels.cells import divided
from regionalize.model.layer import Layer, shapes_of
from regionalize.run.stream.links import (
    AT_ONCE,
    BLOCK,
    GAP,
    LinkSorter,
    LinkStore,
    put_in_groups,
    rows_at,
    stored,
)
from regionalize.run.stream.store import RowStore
from regionalize.weights.build import usable
from regionalize.weights.places import places
from regionalize.weights.spec import WeightsSpec, no_places, parse_spec, refuse_contiguity, too_few_places
from regionalize.weights.tiles import (
    apart,
    by_distance,
    contiguity_of_tile,
    nearer,
    nearest_tile,
    nearest_within,
    outline,
    points_outline,
    rows_seen,
    tiles_meeting,
    unit_boxes,
)

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
IntArray = NDArray[np.int64]

GRID = 1024
"""Squares along each side of the map, of which tiles are made."""


def links_by_tiles(
    batches: Iterable[Layer],
    spec: str,
    *,
    snap: float = 0.0,
    folder: Path | None = None,
    rows_at_once: int = AT_ONCE,
) -> LinkStore:
    """Find the neighbours of all rows, as `regionalize.weights.build.build_weights` does.

    The rows are read once. Then the map is divided into tiles of at most `rows_at_once` units, wherever in
    the file these are, and one tile after the other is compared with what lies around it. Memory holds a
    batch, or a tile with its surroundings, however many rows there are; the disk, the geometry (queen and
    rook) or the centroids once, and the links three times for a while.

    Parameters
    ----------
    batches : iterable of Layer
        The rows in order, such as `regionalize.io.row_batches.RowBatches` gives them.
    spec : str
        ``queen``, ``rook``, ``knn:K`` or ``kernel:FUNCTION:K``.
    snap : float
        For queen and rook: distance in map units that counts as touching.
    folder : Path, optional
        Where temporary files are.
    rows_at_once : int
        Rows of a tile.

    Returns
    -------
    LinkStore
        To be closed by whoever called.

    Raises
    ------
    UsageError
        A spec that cannot be meant, or a band of distance.
    DataError
        Geometries that are no areas for queen and rook; none at all; too few rows for k.
    OutputError
        There is no room on disk.

    Examples
    --------
    >>> from regionalize.io.row_batches import RowBatches
    >>> with links_by_tiles(RowBatches(None, rows=50), "queen", rows_at_once=40) as links:
    ...     len(links), links.read(0, 1).neighbor.tolist()
    (159, [2, 79, 112, 131, 137, 150])
    """
    wanted = parse_spec(spec)
    if not (wanted.is_contiguity or wanted.kind in {"knn", "kernel"}):
        raise UsageError(
            f"neighbours by {spec} are not found in batches",
            advice="use queen, rook, or the nearest, as in knn:6",
        )
    with ExitStack() as opened:
        units = _Areas(wanted.kind, snap, folder) if wanted.is_contiguity else _Points(wanted, folder)
        opened.enter_context(units)
        for batch in batches:
            units.add(batch)
        sorter = opened.enter_context(LinkSorter(len(units.centers), folder, rows_at_once))
        tiles = opened.enter_context(_Tiles(units.centers, rows_at_once))
        units.link(tiles, sorter)
        return stored((links for _, links in sorter.runs()), spec.strip(), folder)


class _Tiles:
    """Rows by where they lie: tiles of at most `most` rows; rows without a place are in none."""

    def __init__(self, centers: RowStore, most: int) -> None:
        low, high = np.full(2, np.inf), np.full(2, -np.inf)
        for _, found in centers.batches(most):
            low, high = np.fmin(low, np.fmin.reduce(found)), np.fmax(high, np.fmax.reduce(found))
        if not np.isfinite(low).all():
            raise no_places()
        step = np.where(high > low, high / GRID - low / GRID, 1.0)
        counts = np.zeros(GRID * GRID, dtype=np.int64)
        for _, found in centers.batches(most):
            counts += np.bincount(_squares(found, low, step)[1], minlength=GRID * GRID)
        cells = divided(counts.reshape(GRID, GRID), most).ravel()
        held = np.bincount(cells, counts).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(held)])
        place = starts[:-1].copy()
        with ExitStack() as opened:
            self._order = opened.enter_context(RowStore(1, np.int64, centers.folder))
            for first, found in centers.batches(most):
                row, square = _squares(found, low, step)
                put_in_groups(self._order, place, cells[square], row[:, None] + first)
            self._open = opened.pop_all()
        # what crowds one square is cut by row number: such tiles cover each other, and are right all the same
        ends = [np.arange(start, stop, most) for start, stop in pairwise(starts.tolist())]
        self._ends = np.concatenate([*ends, starts[-1:]]).tolist()

    def __enter__(self) -> _Tiles:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def rows(self, number: int) -> IntArray:
        """Return the row numbers of a tile, ascending."""
        start, stop = self._ends[number : number + 2]
        found: IntArray = self._order.read(start, stop - start)[:, 0]
        return found

    def __iter__(self) -> Iterator[IntArray]:
        return (self.rows(number) for number in range(len(self)))


def _squares(centers: FloatArray, low: FloatArray, step: FloatArray) -> tuple[IntArray, IntArray]:
    """Return which centres are somewhere, and the square of the grid that each of these is in."""
    row = np.flatnonzero(~np.isnan(centers[:, 0]))
    across = np.clip((centers[row] - low) / step, 0, GRID - 1).astype(np.int64)
    return row, across[:, 1] * GRID + across[:, 0]


class _Areas:
    """Areas on disk: geometries, boxes, centres of boxes."""

    def __init__(self, kind: str, snap: float, folder: Path | None) -> None:
        self.kind, self.snap = kind, snap
        with ExitStack() as opened:
            self.centers = opened.enter_context(RowStore(2, np.float64, folder))
            self._boxes = opened.enter_context(RowStore(4, np.float64, folder))
            self._spans = opened.enter_context(RowStore(2, np.int64, folder))
            self._bytes = opened.enter_context(RowStore(1, np.uint8, folder))
            self._open = opened.pop_all()

    def __enter__(self) -> _Areas:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, batch: Layer) -> None:
        refuse_contiguity(batch, self.kind)
        boxes = unit_boxes(batch.geometry)
        self._boxes.append(boxes)
        self.centers.append(boxes[:, :2] / 2 + boxes[:, 2:] / 2)
        raw = [b"" if shape is None else shape for shape in shapely.to_wkb(batch.geometry).tolist()]
        length = np.fromiter(map(len, raw), dtype=np.int64, count=len(raw))
        stop = np.cumsum(length) + len(self._bytes)
        self._spans.append(np.stack([stop - length, stop], axis=1))
        self._bytes.append(np.frombuffer(b"".join(raw), dtype=np.uint8))

    def at(self, rows: IntArray) -> Geometries:
        """Return the geometries of some rows (ascending)."""
        start, stop = rows_at(self._spans, rows).T
        breaks = np.flatnonzero((start[1:] - stop[:-1] > GAP) | (np.diff(start // BLOCK) > 0)) + 1
        found: list[bytes | None] = []
        for first, last in pairwise([0, *breaks.tolist(), len(rows)]):
            if first == last:
                continue
            base = int(start[first])
            raw = self._bytes.read(base, int(stop[last - 1]) - base).tobytes()
            ends = zip((start[first:last] - base).tolist(), (stop[first:last] - base).tolist(), strict=True)
            found += [raw[begin:end] or None for begin, end in ends]
        raw_shapes = np.array([*found, None], dtype=object)[:-1]
        shapes: Geometries = shapes_of(raw_shapes)
        return shapes

    def link(self, tiles: _Tiles, sorter: LinkSorter) -> None:
        outlines = np.array([outline(rows_at(self._boxes, rows)) for rows in tiles])
        for number, others in enumerate(tiles_meeting(outlines, self.snap)):
            rows = tiles.rows(number)
            boxes = rows_at(self._boxes, rows)
            halo = [rows[:0]]
            for other in others.tolist():
                theirs = tiles.rows(other)
                halo.append(theirs[rows_seen(rows_at(self._boxes, theirs), boxes, self.snap)])
            around = np.sort(np.concatenate(halo))
            links = contiguity_of_tile(
                self.at(rows), rows, self.at(around), around, rook=self.kind == "rook", snap=self.snap
            )
            sorter.add(rows[links.row], links.neighbor)


class _Points:
    """Places on disk."""

    def __init__(self, wanted: WeightsSpec, folder: Path | None) -> None:
        self._wanted, self._folder, self._placed = wanted, folder, 0
        self._sphere: bool | None = None
        self.centers = RowStore(2, np.float64, folder)
        self._points: RowStore = self.centers

    def __enter__(self) -> _Points:
        return self

    def __exit__(self, *error: object) -> None:
        self.centers.__exit__(None, None, None)
        self._points.__exit__(None, None, None)

    def add(self, batch: Layer) -> None:
        if self._sphere is None:
            self._sphere = batch.is_geographic
            if self._sphere:
                self._points = RowStore(3, np.float64, self._folder)
        placed = np.flatnonzero(usable(batch.geometry))
        points = np.full((len(batch), self._points.columns), np.nan)
        points[placed] = places(batch.geometry[placed], geographic=self._sphere)
        self._points.append(points)
        self._placed += len(placed)
        if self._sphere:
            x, y, z = points.T
            self.centers.append(np.stack([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))], axis=1))

    def link(self, tiles: _Tiles, sorter: LinkSorter) -> None:
        k, sphere = self._wanted.neighbors, bool(self._sphere)
        if k >= self._placed:
            raise too_few_places(k, self._placed)
        kernel = self._wanted.function if self._wanted.kind == "kernel" else None
        corners = np.array([points_outline(rows_at(self._points, rows)) for rows in tiles])
        for number, rows in enumerate(tiles):
            points = rows_at(self._points, rows)
            found = nearest_within(points, rows, k)
            for other in by_distance(corners, number).tolist():
                if apart(corners[number], corners[other]) > found.reach.max():
                    break  # and so are all behind it
                theirs = tiles.rows(other)
                found = nearer(points, rows, found, rows_at(self._points, theirs), theirs)
            links = nearest_tile(len(rows), np.arange(len(rows)), found, kernel=kernel, sphere=sphere)
            sorter.add(rows[links.row], links.neighbor, links.values)
