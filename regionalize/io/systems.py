"""Reference systems that a file states and GDAL does not understand: told, never passed over."""

from __future__ import annotations

from typing import Any

from regionalize.errors import DataError, shortened
from regionalize.io.source import Source

LONGITUDE_FIRST = ("CRS84", "4326")
"""In names of the system that GeoJSON is in where it says nothing."""
ABOUT = ("srs_id", "missing [", "missing , or ]", "PROJ: ")
"""In what GDAL says of a reference system."""


def not_understood(reason: str, form: str = "") -> DataError:
    """Say that a reference system cannot be understood.

    Examples
    --------
    >>> print(not_understood("missing [", "shapefile"))
    its coordinate system cannot be understood (missing [); correct the .prj, or remove it
    """
    advice = "correct the .prj, or remove it" if form == "shapefile" else "correct it (ogr2ogr -a_srs)"
    return DataError(f"its coordinate system cannot be understood ({shortened(reason, 120)})", advice=advice)


def check_system(source: Source, crs: str | None, head: dict[str, Any]) -> tuple[str, ...]:
    """Notice what GDAL passes over: a .prj or a name in GeoJSON that is no reference system.

    Parameters
    ----------
    source : Source
    crs : str or None
        What GDAL makes of it.
    head : dict
        What GeoJSON says before its features.

    Returns
    -------
    tuple of str
        A note on a .prj, without which the layer can be read.

    Raises
    ------
    DataError
        For GeoJSON, which GDAL takes for longitude and latitude then.
    """
    if source.format == "shapefile" and crs is None:
        file = source.open(".prj")
        if file is not None:
            with file:
                text = file.read(1000).decode(errors="replace").strip("\0\ufeff \t\r\n")
            if text:
                what = f"The .prj cannot be understood ('{shortened(' '.join(text.split()), 60)}')"
                return (f"{what}: the layer is taken to have no coordinate system.",)
    stated = head.get("crs")
    name = (stated.get("properties") or {}).get("name") if isinstance(stated, dict) else None
    if isinstance(name, str) and crs == "EPSG:4326" and not any(mark in name for mark in LONGITUDE_FIRST):
        import pyproj

        try:
            pyproj.CRS.from_user_input(name)
        except pyproj.exceptions.CRSError as error:
            raise not_understood(f"'{name}'") from error
    return ()
