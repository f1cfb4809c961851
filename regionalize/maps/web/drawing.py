"""A layer as a drawing for a page: on a grid of whole numbers, with no more vertices than stay fluid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from regionalize.maps.arcs import Arcs, IntArray
from regionalize.maps.ground import Ground
from regionalize.maps.paths import FloatArray, Parts
from regionalize.maps.web.packing import packed, packed_steps

MOST_VERTICES = 1_500_000
"""Borders have no more vertices than this, if simplifying can help it."""

_STEPS_ACROSS = 2**17
"""Steps of the grid along the longer side, at least: one is a pixel once a screen is a hundredth of it …"""
_STEPS_ACROSS_UNIT = 2**8
"""… and across the middlemost of the units, so that small ones in a wide layer keep their shape …"""
_STEPS_ACROSS_POINTS = 2**20
"""… and along the longer side of a layer of points, which have no size."""
_MOST_TOLERANCE = 2**6
"""Steps, a quarter of a unit: more would leave no shape to see."""
_MOST_STEPS = 2**26
"""A page counts in 32 bits."""


@dataclass(frozen=True)
class Drawing:
    """Units on a grid: x to the right, y down, from the north-western corner of the extent.

    Attributes
    ----------
    step : float
        Width of a place of the grid, in map units of y.
    width, height : int
        Places of the extent.
    areas : Arcs or None
        Borders of polygons.
    part : (m + 1,) int64
        Where each polygon begins among the rings.
    area_row, line_row, point_row : int64
        Row of the layer of every polygon, line and point.
    lines : Arcs or None
        Lines, an arc each.
    points : (p, 2) int64
        Points.
    error : float
        How far a border may lie from where it is, in map units of y.
    simplified : bool
        Whether that is more than the grid asks for, because there are so many vertices.
    """

    step: float
    width: int
    height: int
    areas: Arcs | None
    part: IntArray
    area_row: IntArray
    lines: Arcs | None
    line_row: IntArray
    points: IntArray
    point_row: IntArray
    error: float
    simplified: bool

    @staticmethod
    def of(ground: Ground, most: int = MOST_VERTICES) -> Drawing:
        """Put units on a grid, and simplify their borders until they have at most `most` vertices.

        Examples
        --------
        >>> drawing = Drawing.of(Ground.survey(shapely.box([0, 1], 0, [1, 2], 1), "EPSG:32633"))
        >>> len(drawing.areas.start) - 1, drawing.width, drawing.simplified
        (3, 131072, False)
        """
        polygons, strings, dots = (ground.parts.kind(name) for name in ("polygons", "lines", "points"))
        step, tolerance = _step(ground), 1
        areas, part = _areas(polygons, ground, step)
        borders = (areas, _lines(strings, ground, step))
        simple = _simplified(borders, tolerance)
        while _vertices(simple) > most and tolerance < _MOST_TOLERANCE:
            tolerance *= 2
            simple = _simplified(borders, tolerance)
        factor = max(tolerance // 2, 1)
        rounding = np.sqrt(0.5) * (1 if factor == 1 else 1 + factor)
        error = step * (tolerance + rounding)
        areas, lines = (one if one is None or factor == 1 else one.coarser(factor) for one in simple)
        step *= factor
        long, high = ground.size
        return Drawing(
            step=step,
            width=round(long / step),
            height=round(high / step),
            areas=None if areas is None else areas.oriented(),
            part=part,
            area_row=polygons.row,
            lines=lines,
            line_row=strings.row,
            points=_placed(shapely.get_coordinates(dots.shapes), dots.shift, ground, step),
            point_row=dots.row,
            error=float(error),
            simplified=tolerance > 1,
        )

    def packed(self) -> dict[str, Any]:
        """Return everything as plain data, `regionalize/maps/web/assets/decode.js` being what reads it."""
        borders = [one for one in (self.areas, self.lines) if one is not None]
        xy = np.concatenate([one.points for one in borders] or [np.empty((0, 2), dtype=np.int64)])
        sizes = np.concatenate([np.diff(one.start) for one in borders] or [np.empty(0, dtype=np.int64)])
        areas = self.areas
        refs = np.empty(0, dtype=np.int64) if areas is None else areas.refs
        arc = refs ^ (refs >> 63)
        return {
            "arcs": {"x": packed_steps(xy[:, 0]), "y": packed_steps(xy[:, 1]), "sizes": packed(sizes)},
            "areas": {
                "rows": packed_steps(self.area_row),
                "rings": packed(np.diff(self.part)),
                "sizes": packed([] if areas is None else np.diff(areas.ring)),
                "refs": packed_steps(2 * arc + (refs < 0)),
            },
            "lines": {"rows": packed_steps(self.line_row)},
            "points": {
                "rows": packed_steps(self.point_row),
                "x": packed_steps(self.points[:, 0]),
                "y": packed_steps(self.points[:, 1]),
            },
        }


def _step(ground: Ground) -> float:
    """Width of a place of the grid: finer where units are small."""
    long = max(ground.size)
    bounds = ground.parts.bounds
    across = np.hypot((bounds[:, 2] - bounds[:, 0]) * ground.narrowing, bounds[:, 3] - bounds[:, 1])
    sized = across[across > 0]
    if not len(sized):
        return long / _STEPS_ACROSS_POINTS
    typical = float(np.median(sized)) / _STEPS_ACROSS_UNIT
    return max(min(long / _STEPS_ACROSS, typical), long / _MOST_STEPS)


def _placed(xy: FloatArray, shift: FloatArray, ground: Ground, step: float) -> IntArray:
    """Round map coordinates to the grid."""
    west, _, _, north = ground.extent
    x = (xy[:, 0] + shift - west) * (ground.narrowing / step)
    y = (north - xy[:, 1]) / step
    return np.rint(np.column_stack([x, y])).astype(np.int64)


def _areas(parts: Parts, ground: Ground, step: float) -> tuple[Arcs | None, IntArray]:
    """Cut the borders of polygons into arcs; return them, and where each polygon begins among the rings."""
    if not len(parts):
        return None, np.zeros(1, dtype=np.int64)
    _, xy, (ring, part) = shapely.to_ragged_array(parts.shapes, include_z=False)
    ring, part = ring.astype(np.int64), part.astype(np.int64)
    hole = np.ones(len(ring) - 1, dtype=bool)
    hole[part[:-1]] = False
    shift = np.repeat(np.repeat(parts.shift, np.diff(part)), np.diff(ring))
    return Arcs.cut(_placed(xy, shift, ground, step), ring, hole), part


def _lines(parts: Parts, ground: Ground, step: float) -> Arcs | None:
    """Take each line for an arc."""
    if not len(parts):
        return None
    xy, line = shapely.get_coordinates(parts.shapes, return_index=True)
    count = np.bincount(line, minlength=len(parts))
    number = np.arange(len(parts))
    return Arcs(
        _placed(xy, parts.shift[line], ground, step),
        np.r_[0, np.cumsum(count)],
        number,
        np.arange(len(parts) + 1),
        np.zeros(len(parts), dtype=bool),
    )


def _simplified(borders: tuple[Arcs | None, ...], tolerance: int) -> tuple[Arcs | None, ...]:
    return tuple(None if one is None else one.simplified(tolerance) for one in borders)


def _vertices(borders: tuple[Arcs | None, ...]) -> int:
    return sum(len(one.points) for one in borders if one is not None)
