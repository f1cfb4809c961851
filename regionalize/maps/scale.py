"""What a map unit is on the ground: its length, and where north is; round lengths for a scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyproj

Bounds = tuple[float, float, float, float]

_LARGEST_DISTORTION = 1.1
"""A bar that is wrong by more than this somewhere on the map is not drawn."""
_LARGEST_TURN = 7.5
"""The same of an arrow to north, in degrees: what is seen at a glance."""


def ground_length(crs: pyproj.CRS | None, bounds: Bounds) -> float | None:
    """Return metres on the ground per map unit within `bounds`, or None when no single number is true.

    Short geodesics east and north at nine places are compared, so Mercator far from the equator, a layer of
    continental size or one without a projection gets no bar.

    Examples
    --------
    >>> import pyproj
    >>> round(ground_length(pyproj.CRS("EPSG:27700"), (4e5, 3e5, 5e5, 4e5)), 2)
    1.0
    """
    if crs is None or not crs.is_projected:
        return None
    import pyproj

    west, south, east, north = bounds
    step = max(east - west, north - south) / 20
    if not step > 0:
        return None
    x, y = _places(bounds)
    try:
        to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        here = to_degrees.transform(x, y)
        geod = pyproj.Geod(ellps="WGS84")
        lengths = np.concatenate(
            [geod.inv(*here, *to_degrees.transform(x + dx, y + dy))[2] for dx, dy in ((step, 0), (0, step))]
        )
    except pyproj.exceptions.ProjError:
        return None
    if not np.isfinite(lengths).all() or lengths.max() > _LARGEST_DISTORTION * lengths.min():
        return None
    return float(lengths.mean() / step)


def north_bearing(crs: pyproj.CRS | None, bounds: Bounds) -> float | None:
    """Return where true north is in the middle of `bounds`, or None where one arrow would not tell it.

    North of the grid is not north of the Earth: away from the central meridian of a projection the meridians
    lean, by the meridian convergence. An arrow shows how they lean in the middle of the map. Where they lean
    otherwise elsewhere, by more than 7.5°, as on maps of continents, only a graticule tells north, and an
    arrow would mislead; where coordinates are degrees, north is up all over and everybody expects it there.

    Parameters
    ----------
    crs : pyproj.CRS or None
        Of the layer.
    bounds : (float, float, float, float)
        West, south, east, north, in map units.

    Returns
    -------
    float or None
        Degrees clockwise from upwards.

    Examples
    --------
    Three degrees of longitude east of the central meridian, at 52.6° north:

    >>> import pyproj
    >>> round(north_bearing(pyproj.CRS("EPSG:27700"), (6.0e5, 3.0e5, 6.1e5, 3.1e5)), 1)
    -2.4
    """
    if crs is None or not crs.is_projected:
        return None
    import pyproj

    x, y = _places(bounds)
    try:
        to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        longitude, latitude = to_degrees.transform(x, y)
        step = np.where(latitude > 89, -1e-4, 1e-4)  # some 11 metres
        # both ends go the same way: far out at sea, the way there and back may not end where it began
        here, ahead = (
            np.asarray(to_degrees.transform(longitude, latitude + by, direction="INVERSE"))
            for by in (0.0, step)
        )
    except pyproj.exceptions.ProjError:
        return None
    if not np.isfinite([*here, *ahead]).all():
        return None
    vector = np.sign(step) * ((ahead - here)[0] + 1j * (ahead - here)[1])
    if not vector.all():
        return None
    middle = vector[len(vector) // 2]
    if np.abs(np.angle(vector / middle, deg=True)).max() > _LARGEST_TURN:
        return None
    return float(90 - np.angle(middle, deg=True))


def _places(bounds: Bounds) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of nine places, the middle one fifth."""
    west, south, east, north = bounds
    x, y = np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3))
    return x.ravel(), y.ravel()


def round_length(longest: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is at most `longest`.

    Examples
    --------
    >>> [round_length(value) for value in (0.7, 42, 999)]
    [0.5, 20.0, 500.0]
    """
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-12)))


def length_text(metres: float) -> str:
    """Return a length as people write it.

    Examples
    --------
    >>> length_text(20000.0), length_text(500.0), length_text(0.5)
    ('20 km', '500 m', '0.5 m')
    """
    return f"{metres / 1000:,.0f} km" if metres >= 1000 else f"{metres:g} m"
