"""A map of shares: the darker a unit, the more; region borders over it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.classes import draw_classes
from regionalize.maps.colors import LIMITS, SHADES, shade_color, shade_text
from regionalize.maps.picture import FileFormat, check_format
from regionalize.maps.sheet import Captions, Entry, compose

if TYPE_CHECKING:
    import pyproj


def draw_shares(
    geometry: NDArray[np.object_],
    shares: ArrayLike,
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str = "",
    footer: str = "",
    legend_title: str = "stability",
    crs: str | pyproj.CRS | None = None,
    regions: NDArray[np.int64] | None = None,
) -> tuple[str, ...]:
    """Draw units in the shade of their share, from pale for little to dark for all.

    Parameters
    ----------
    geometry : (n,) object
        As `regionalize.maps.static.draw_map` takes it.
    shares : (n,) float
        0 … 1; NaN is grey.
    target : Path or binary file
        Where to write.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer, legend_title, crs
        As `draw_map` takes them.
    regions : (n,) int64, optional
        Regions from 1, whose borders are drawn where units are areas.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        When there is nothing to draw, or shares and geometries differ in number.
    UsageError
        For another file format.

    Examples
    --------
    >>> import io, shapely
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> draw_shares(squares, [1.0, 0.6, np.nan], io.BytesIO(), file_format="svg", title="Stability")
    ()
    """
    check_format(file_format, "map")
    share = np.asarray(shares, dtype=np.float64)
    if len(share) != len(geometry):
        raise DataError(f"{len(share)} shares do not fit {len(geometry)} geometries")
    shade = classes(share)
    return draw_classes(
        geometry,
        [shade],
        target,
        file_format=file_format,
        captions=Captions(title, subtitle, footer, legend_title),
        entries=shade_entries(shade),
        layout=compose,
        crs=crs,
        colors=shade_color,
        outlines=[] if regions is None else [regions],
    )


def classes(share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the shade of each share, 1 for the palest, -1 for none.

    Examples
    --------
    >>> classes(np.array([0.0, 0.5, 0.98, 1.0, np.nan])).tolist()
    [1, 2, 4, 5, -1]
    """
    known = np.isfinite(share)
    shade = np.full(len(share), -1, dtype=np.int64)
    shade[known] = 1 + np.searchsorted(LIMITS, share[known], side="right")
    return shade


def shade_entries(shade: NDArray[np.int64]) -> list[Entry]:
    """Legend entries of all shades, the darkest first, and of units without a share."""
    entries = [
        Entry(label, shade_text(label), int((shade == label).sum())) for label in range(len(SHADES), 0, -1)
    ]
    unknown = int((shade < 0).sum())
    return [*entries, Entry(-1, "no data", unknown)] if unknown else entries
