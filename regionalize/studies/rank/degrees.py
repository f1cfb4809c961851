"""Latitude and longitude: read from text, and refused where they can be none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, counted

FloatArray = NDArray[np.float64]

TRANSFORM = "transform projected coordinates to longitude and latitude (EPSG:4326)"


def parse_place(text: str) -> tuple[float, float]:
    """Read ``"LAT,LON"``.

    Examples
    --------
    >>> parse_place("34.0522, -118.2437")
    (34.0522, -118.2437)
    >>> parse_place("-95,40")
    Traceback (most recent call last):
    regionalize.errors.UsageError: --at -95,40: latitude and longitude look swapped; write 40,-95
    """
    parts = text.split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError:
        raise UsageError(f"--at {text} is no place", advice="write LAT,LON in degrees") from None
    fault = place_fault(latitude, longitude)
    if fault is not None:
        raise UsageError(f"--at {text}: {fault[0]}", advice=fault[1])
    return latitude, longitude


def place_fault(latitude: float, longitude: float) -> tuple[str, str] | None:
    """Say why latitude and longitude are none, and what to do; None where they are.

    Examples
    --------
    >>> place_fault(10, 190)
    ('longitude 190 is not between -180 and 180', 'write it as -170')
    """
    if not (np.isfinite(latitude) and np.isfinite(longitude)):
        return "the place is missing or no number", "give latitude and longitude in degrees, or leave it out"
    if abs(latitude) > 180 or abs(longitude) > 360:
        return f"{latitude:.10g}, {longitude:.10g} are no degrees of latitude and longitude", TRANSFORM
    if abs(latitude) > 90 and abs(longitude) <= 90:
        return "latitude and longitude look swapped", f"write {longitude:.10g},{latitude:.10g}"
    if abs(latitude) > 90:
        return f"latitude {latitude:.10g} is not between -90 and 90", "correct it"
    if abs(longitude) > 180:
        inside = (longitude + 180) % 360 - 180
        return f"longitude {longitude:.10g} is not between -180 and 180", f"write it as {inside:.10g}"
    return None


def check_places(places: FloatArray, names: NDArray[Any]) -> None:
    """Refuse latitudes and longitudes, shape (n, 2), of which one is none, with the row's name."""
    with np.errstate(invalid="ignore"):
        good = (np.abs(places) <= [90, 180]).all(axis=1)
    bad = np.flatnonzero(~good)
    if not len(bad):
        return
    fault = place_fault(*places[bad[0]].tolist())
    assert fault is not None
    others = f" (and {counted(len(bad) - 1, 'row')} more)" if len(bad) > 1 else ""
    raise DataError(f"{fault[0]}{others}", advice=fault[1], row=str(names[bad[0]]))
