"""The static cluster map: PNG, SVG and PDF, drawn offline and the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.colors import PALETTE
from regionalize.maps.page import Parts, Window
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.scale import ground_length
from regionalize.maps.sheet import SWATCH, Entry, Sheet, compose
from regionalize.maps.text import clean, fonts_for, unknown_letters
from regionalize.maps.units import draw_units, scale_bar, symbol

if TYPE_CHECKING:
    import pyproj
    from matplotlib.figure import Figure


def draw_map(
    geometry: NDArray[np.object_],
    labels: ArrayLike,
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str = "",
    footer: str = "",
    legend_title: str = "cluster",
    sizes: Sequence[int] | NDArray[np.int64] | None = None,
    crs: str | pyproj.CRS | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw units in the colour of their cluster, with title, legend, scale bar and source line.

    Parameters
    ----------
    geometry : (n,) object
        Shapely points, lines, polygons, their multi-parts and collections, mixed at will. Rows that are
        null, empty or not finite are left out of the picture, and counted in a note.
    labels : (n,) int
        Clusters from 1; 0 for noise, negative for rows left out: both grey.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer : str
        Lines above the map, large and small, and below it. Long ones are wrapped, then cut with an
        ellipsis.
    legend_title : str
        What the colours stand for.
    sizes : (k,) int, optional
        Members of clusters 1 … k for the legend (counted from `labels` by default).
    crs : str or pyproj.CRS, optional
        Degrees are drawn with the proportions of the middle latitude, in one piece across the
        antimeridian; a projected layer gets a scale bar, where one length is true all over.
    names : mapping of int to str, optional
        Legend text by label, where it is not the number.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        When there is nothing to draw, or labels and geometries differ in number.
    UsageError
        For another file format.

    Examples
    --------
    >>> import io, shapely
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> file = io.BytesIO()
    >>> draw_map(squares, [1, 1, 2], file, file_format="svg", title="k-means, k = 2")
    ()
    """
    check_format(file_format, "map")
    label = np.asarray(labels, dtype=np.int64)
    if len(label) != len(geometry):
        raise DataError(f"{len(label)} labels do not fit {len(geometry)} geometries")
    projection = _projection(crs)
    in_degrees = projection is not None and bool(projection.is_geographic)
    parts = Parts.explode(geometry, in_degrees)
    if not len(parts):
        raise DataError("there is nothing to draw: no row has a geometry", advice="leave the map out")
    notes = []
    undrawn = len(geometry) - len(np.unique(parts.row))
    if undrawn:
        notes.append(f"the map leaves out {_count(undrawn, 'row')} without a geometry")

    title, subtitle, footer, legend_title = map(clean, (title, subtitle, footer, legend_title))
    entries = _entries(label, sizes, names or {})
    most = max((entry.label for entry in entries), default=0)
    if most > len(PALETTE):
        notes.append(
            f"only {len(PALETTE)} colours stay apart: clusters {len(PALETTE) + 1} to {most} repeat them in"
            " other tints, told apart by pattern, marker or dash"
        )
    west, south, east, north = _extent(parts)
    narrowing = 1.0
    if in_degrees and south >= -90 and north <= 90:  # else the layer says degrees and holds something else
        narrowing = max(float(np.cos(np.radians((south + north) / 2))), 0.1)
    ground = ground_length(projection, (west, south, east, north))

    with drawing():
        texts = [title, subtitle, footer, legend_title, *(entry.text for entry in entries)]
        families, unknown = fonts_for(texts)
        if unknown:
            notes.append(unknown_letters(unknown))
        sheet = compose(
            ((east - west) * narrowing, north - south),
            families,
            title=title,
            subtitle=subtitle,
            footer=footer,
            legend_title=legend_title,
            entries=entries,
            ground=ground,
        )
        if sheet.left_out:
            notes.append(f"the legend has room for {len(entries) - sheet.left_out} of {len(entries)} entries")
        scale = sheet.map_height / (north - south)
        window = Window((west, south), (scale * narrowing, scale), (sheet.map_x, sheet.map_y))
        figure, specks, heavy = _draw(sheet, parts, window, label)
        if specks:
            notes.append(f"{_count(specks, 'polygon')} too small to be seen are drawn as dots")
        if heavy and file_format != "png":
            notes.append(f"the layer is heavy: the {file_format.upper()} holds its units as an image")
        save_page(figure, target, file_format, title)
    return tuple(notes)


def _draw(sheet: Sheet, parts: Parts, window: Window, labels: NDArray[np.int64]) -> tuple[Figure, int, bool]:
    """Put everything on a page; return it, polygons drawn as dots, and if it is heavy for a vector file."""
    figure, points = blank_page(sheet.width, sheet.height)
    artists, kind, specks, heavy = draw_units(
        parts, window, labels, sheet.map_width * sheet.map_height, points
    )
    for artist in artists:
        artist.set_rasterized(heavy)
    for x, y, entry in sheet.signs:
        artists += symbol(kind, (x, y), SWATCH, entry.label, points)
    if sheet.bar is not None:
        artists.append(scale_bar(*sheet.bar, points))
    fill_page(figure, artists, sheet.words, points)
    return figure, specks, heavy


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _projection(crs: str | pyproj.CRS | None) -> pyproj.CRS | None:
    if crs is None:
        return None
    import pyproj

    return pyproj.CRS.from_user_input(crs)


def _extent(parts: Parts) -> tuple[float, float, float, float]:
    """Bounds of the whole layer, never without width or height."""
    bounds = parts.bounds
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    least = max(east - west, north - south) / 50 or max(abs(west), abs(south), 1.0) * 1e-6
    if east - west < least:
        west, east = (west + east - least) / 2, (west + east + least) / 2
    if north - south < least:
        south, north = (south + north - least) / 2, (south + north + least) / 2
    return float(west), float(south), float(east), float(north)


def _entries(
    label: NDArray[np.int64], sizes: Sequence[int] | NDArray[np.int64] | None, names: Mapping[int, str]
) -> list[Entry]:
    """Legend entries of the labels that occur: clusters in order, then noise, then left out."""
    values, counts = np.unique(np.maximum(label, -1), return_counts=True)
    count = dict(zip(values.tolist(), counts.tolist(), strict=True))
    if sizes is not None:
        count |= {number: int(size) for number, size in enumerate(sizes, start=1) if size}
    order = [*sorted(value for value in count if value > 0), *(value for value in (0, -1) if value in count)]
    known = {0: "not clustered", -1: "no data"} | dict(names)
    return [Entry(value, clean(known.get(value, value)), count[value]) for value in order]
