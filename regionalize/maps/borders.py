"""Where regions end: the edges of units with something else beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.maps.paths import GRID, Parts, Window
from regionalize.maps.rings import Rings

if TYPE_CHECKING:
    from matplotlib.path import Path

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEYOND = 0.2
"""Points beyond an edge where is looked for a unit: more than borders digitised twice lie apart, less than
the lines are thick."""
PIECE = 0.5
"""Points of an edge that are asked about at one time."""
ROUND = 3.0
"""Points round the least thing that is outlined: gaps between units that are smaller would be dots."""

_MOVE, _LINE = 1, 2  # matplotlib path codes


def region_borders(rings: Rings, polygons: Parts, labels: IntArray, window: Window) -> Path | None:
    """Return the lines that bound regions, None where there are none.

    Two units that share an edge on the grid settle what it is: inside a region or between two. Only about
    the rest, the rim of the layer and borders that do not match, is asked what lies beyond, piece by piece.
    So no geometry is united, and no line is drawn inside a region because borders differ in the last bits.

    Parameters
    ----------
    rings : Rings
        The polygons on the grid.
    polygons : Parts
        The polygons.
    labels : (m,) int64
        Region of each polygon, from 1; others have no border of their own.
    window : Window
        Where map units fall on the grid's page.
    """
    _, after = rings.around
    tail, head = rings.grid, rings.grid[after]
    label = labels[rings.part][rings.ring]
    drawn, settled = _matched(tail, head, label)
    asked = np.flatnonzero(~settled & (label > 0) & (tail != head).any(axis=1))

    long = np.hypot(*(head - tail)[asked].T) * GRID
    count = np.maximum(np.ceil(long / PIECE), 1).astype(np.int64)
    of_piece = np.repeat(np.arange(len(asked)), count)  # which of those asked
    place = np.arange(len(of_piece)) - np.repeat(np.cumsum(count) - count, count)
    edge = asked[of_piece]
    along = ((place + 0.5) / count[of_piece])[:, None]
    step = (head - tail)[edge]
    outward = np.column_stack([step[:, 1], -step[:, 0]]) * (BEYOND / np.hypot(*step.T))[:, None]
    outside = ~_within(polygons, labels, label[edge], (tail[edge] + along * step) * GRID + outward, window)
    # edges that end a region from end to end are drawn whole
    whole = np.bincount(of_piece, outside, minlength=len(asked)) == count
    apart = outside & ~whole[of_piece]
    drawn[asked[whole]] = True

    edges = np.concatenate([np.flatnonzero(drawn), edge[apart]])
    start = np.concatenate([np.zeros(int(drawn.sum())), (place / count[of_piece])[apart]])
    end = np.concatenate([np.ones(int(drawn.sum())), ((place + 1) / count[of_piece])[apart]])
    if not len(edges):
        return None
    return _lines(rings, edges, start, end)


def _matched(tail: IntArray, head: IntArray, label: IntArray) -> tuple[BoolArray, BoolArray]:
    """Return the edges that end a region for certain, each once, and those that two units settle."""
    span = np.ptp(tail[:, 1]) + 1 if len(tail) else 1
    tails, heads = (xy[:, 0] * span + xy[:, 1] for xy in (tail, head))
    low, high = np.minimum(tails, heads), np.maximum(tails, heads)
    order = np.lexsort((high, low))
    first = np.flatnonzero(np.diff(low[order], prepend=-1) | np.diff(high[order], prepend=-1))
    pairs = first[np.diff(np.append(first, len(order))) == 2]
    one, two = order[pairs], order[pairs + 1]
    opposite = tails[one] == heads[two]
    one, two = one[opposite], two[opposite]
    drawn, settled = np.zeros(len(tail), dtype=bool), np.zeros(len(tail), dtype=bool)
    settled[one] = settled[two] = True
    # the greater label draws it: a cluster against noise, and one side all along a border
    drawn[one], drawn[two] = label[one] > np.maximum(label[two], 0), label[two] > np.maximum(label[one], 0)
    return drawn, settled


def _within(
    polygons: Parts, labels: IntArray, label: IntArray, places: FloatArray, window: Window
) -> BoolArray:
    """Say which places on the page a polygon of the same label covers."""
    found = np.zeros(len(places), dtype=bool)
    for east in np.unique(polygons.shift):  # two, where a layer straddles the antimeridian
        here = np.flatnonzero(polygons.shift == east)
        points = shapely.points(window.locate(places) - (east, 0.0))
        place, polygon = shapely.STRtree(polygons.shapes[here]).query(points, predicate="intersects")
        found[place[labels[here[polygon]] == label[place]]] = True
    return found


def _lines(rings: Rings, edge: IntArray, start: FloatArray, end: FloatArray) -> Path | None:
    """Join edges, from share `start` to share `end` of each, into lines as long as may be."""
    from matplotlib.path import Path

    _, after = rings.around
    tail = rings.grid[edge] * GRID
    step = rings.grid[after[edge]] * GRID - tail
    ends = np.stack([tail + start[:, None] * step, tail + end[:, None] * step], axis=1)
    merged = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(ends)))
    lines = shapely.simplify(shapely.get_parts(merged), GRID / 2, preserve_topology=False)  # line by line
    lines = lines[~shapely.is_closed(lines) | (shapely.length(lines) >= ROUND)]
    if not len(lines):
        return None
    vertices, line = shapely.get_coordinates(lines, return_index=True)
    codes = np.where(np.diff(line, prepend=-1), _MOVE, _LINE).astype(np.uint8)
    return Path(vertices, codes)
