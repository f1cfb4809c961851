"""The scale bar: how long a map unit is on the ground, and a round length to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyproj

_LARGEST_DISTORTION = 1.1
"""A bar that is wrong by more than this somewhere on the map is not drawn."""


def ground_length(crs: pyproj.CRS | None, bounds: tuple[float, float, float, float]) -> float | None:
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
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3)))
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
