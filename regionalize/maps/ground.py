"""What a map shows before anything has a colour: where its units lie, and in which proportions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, counted
from regionalize.maps.paths import Parts, Window
from regionalize.maps.scale import ground_length, north_bearing

if TYPE_CHECKING:
    import pyproj


@dataclass(frozen=True)
class Ground:
    """The units of a layer, ready to be placed on a page.

    Attributes
    ----------
    parts : Parts
        Single-part geometries of the rows that have one.
    extent : (float, float, float, float)
        West, south, east and north in map units, never without width or height.
    narrowing : float
        How much narrower a unit of x is than one of y on the page.
    metres : float or None
        Metres per map unit; None where no length is true all over.
    north : float or None
        Where true north is, in degrees clockwise from upwards; None where it is not the same all over, and
        where the map is not projected.
    notes : tuple of str
        What the person should know.
    """

    parts: Parts
    extent: tuple[float, float, float, float]
    narrowing: float
    metres: float | None
    north: float | None
    notes: tuple[str, ...]

    @staticmethod
    def survey(geometry: NDArray[np.object_], crs: str | pyproj.CRS | None) -> Ground:
        """Take geometries apart and measure how far they reach.

        Parameters
        ----------
        geometry : (n,) object
            Shapely geometries of any kind; what is null, empty or not finite is left out and counted.
        crs : str or pyproj.CRS, optional
            Degrees get the proportions of the middle latitude, in one piece across the antimeridian.

        Raises
        ------
        DataError
            No row has a geometry.

        Examples
        --------
        >>> import shapely
        >>> ground = Ground.survey(shapely.box([0, 1], 59.5, [1, 2], 60.5), "EPSG:4326")
        >>> ground.extent, round(ground.narrowing, 2), ground.metres
        ((0.0, 59.5, 2.0, 60.5), 0.5, None)
        """
        projection = _projection(crs)
        in_degrees = projection is not None and bool(projection.is_geographic)
        parts = Parts.explode(geometry, in_degrees)
        if not len(parts):
            raise DataError("there is nothing to draw: no row has a geometry", advice="leave the map out")
        undrawn = len(geometry) - len(np.unique(parts.row))
        left_out = f"the map leaves out {counted(undrawn, 'row')} without a geometry"
        west, south, east, north = _extent(parts)
        narrowing = 1.0
        if in_degrees and south >= -90 and north <= 90:  # else it says degrees and holds something else
            narrowing = max(float(np.cos(np.radians((south + north) / 2))), 0.1)
        return Ground(
            parts,
            (west, south, east, north),
            narrowing,
            ground_length(projection, (west, south, east, north)),
            north_bearing(projection, (west, south, east, north)),
            (left_out,) if undrawn else (),
        )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the extent, both in the unit of its height."""
        west, south, east, north = self.extent
        return (east - west) * self.narrowing, north - south

    def window(self, x: float, y: float, height: float) -> Window:
        """Put the extent onto the page, `height` points high, its lower left corner at (x, y)."""
        west, south, _, north = self.extent
        scale = height / (north - south)
        return Window((west, south), (scale * self.narrowing, scale), (x, y))


def _projection(crs: str | pyproj.CRS | None) -> pyproj.CRS | None:
    if crs is None:
        return None
    import pyproj

    return pyproj.CRS.from_user_input(crs)


def _extent(parts: Parts) -> tuple[float, float, float, float]:
    """Bounds of the whole layer, never without width or height."""
    bounds = parts.bounds
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    across, unit = max(east - west, north - south), max(abs(west), abs(south), 1.0)
    least = across / 50 if across > 1e-9 * unit else 1e-6 * unit  # what is less may be rounding
    if east - west < least:
        west, east = (west + east - least) / 2, (west + east + least) / 2
    if north - south < least:
        south, north = (south + north - least) / 2, (south + north + least) / 2
    return float(west), float(south), float(east), float(north)
