"""A map of shares: the darker a unit, the more; region borders over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError
from regionalize.maps.colors import cluster_color
from regionalize.maps.ground import Ground, counted
from regionalize.maps.page import Parts, Window, line_paths
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.sheet import INK, SWATCH, Entry, compose
from regionalize.maps.text import clean, fonts_for, unknown_letters
from regionalize.maps.units import draw_units, scale_bar, symbol

if TYPE_CHECKING:
    import pyproj
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform

SHADES = ("#f4edca", "#b9c48e", "#749b83", "#3c6f7c", "#254164")
"""From pale to dark in even steps of lightness, so that grey paper and every eye keep their order."""
LIMITS = (0.5, 0.75, 0.9, 0.99)
"""Shares from which the next shade is taken: what stays by chance, mostly, nearly always and always."""
MOST_OUTLINED = 20_000
"""Units whose regions are outlined: dissolving more takes longer than all the rest."""


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
    ground = Ground.survey(geometry, crs)
    notes = [*ground.notes]
    shade = classes(share)
    title, subtitle, footer, legend_title = map(clean, (title, subtitle, footer, legend_title))
    entries = entries_of(shade)
    with drawing():
        texts = [title, subtitle, footer, legend_title, *(entry.text for entry in entries)]
        families, unknown = fonts_for(texts)
        if unknown:
            notes.append(unknown_letters(unknown))
        sheet = compose(
            ground.size,
            families,
            title=title,
            subtitle=subtitle,
            footer=footer,
            legend_title=legend_title,
            entries=entries,
            ground=ground.metres,
        )
        figure, points = blank_page(sheet.width, sheet.height)
        window = ground.window(sheet.map_x, sheet.map_y, sheet.map_height)
        area = sheet.map_width * sheet.map_height
        artists, kind, specks, heavy = draw_units(ground.parts, window, shade, area, points)
        for artist in artists:
            artist.set_rasterized(heavy)
        if regions is not None and kind == "areas" and len(geometry) <= MOST_OUTLINED:
            artists += borders(geometry, regions, ground, window, points)
        for x, y, entry in sheet.signs:
            artists += symbol(kind, (x, y), SWATCH, entry.label, points)
        shaded(artists)
        if sheet.bar is not None:
            artists.append(scale_bar(*sheet.bar, points))
        fill_page(figure, artists, sheet.words, points)
        if specks:
            notes.append(f"{counted(specks, 'polygon')} too small to be seen are drawn as dots")
        if heavy and file_format != "png":
            notes.append(f"the layer is heavy: the {file_format.upper()} holds its units as an image")
        save_page(figure, target, file_format, title)
    return tuple(notes)


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


def entries_of(shade: NDArray[np.int64]) -> list[Entry]:
    """Legend entries of all shades, the darkest first, and of units without a share."""
    edges = [0.0, *LIMITS, 1.0]
    entries = []
    for label in range(len(SHADES), 0, -1):
        low, high = 100 * edges[label - 1], 100 * edges[label]
        text = f"{low:g} % and more" if label == len(SHADES) else f"{low:g} to {high:g} %"
        text = f"below {high:g} %" if label == 1 else text
        entries.append(Entry(label, text, int((shade == label).sum())))
    unknown = int((shade < 0).sum())
    return [*entries, Entry(-1, "no data", unknown)] if unknown else entries


def shaded(artists: Iterable[Artist]) -> None:
    """Give what was drawn in the colour of cluster 1, 2, … the first, second, … shade instead."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_hex, to_rgba_array
    from matplotlib.patches import PathPatch

    shade = {cluster_color(label): color for label, color in enumerate(SHADES, 1)}

    def new(colors: Sequence[object]) -> NDArray[np.float64]:
        named = [to_hex(tuple(color)) for color in np.atleast_2d(np.asarray(colors))]
        return to_rgba_array([shade.get(name, name) for name in named])

    for artist in artists:
        if isinstance(artist, PathPatch):
            if artist.get_fill():
                artist.set_facecolor(tuple(new([artist.get_facecolor()])[0]))
            artist.set_edgecolor(tuple(new([artist.get_edgecolor()])[0]))
        elif isinstance(artist, PathCollection):
            artist.set_facecolor(list(map(tuple, new(artist.get_facecolor()).tolist())))


def borders(
    geometry: NDArray[np.object_],
    regions: NDArray[np.int64],
    ground: Ground,
    window: Window,
    points: Transform,
) -> list[Artist]:
    """Return the borders of regions as lines."""
    from matplotlib.patches import PathPatch

    drawn = np.isin(shapely.get_type_id(geometry), (3, 6)) & shapely.is_valid(geometry) & (regions > 0)
    shift = np.zeros(len(geometry))
    shift[ground.parts.row] = ground.parts.shift
    outlines = [
        (shapely.boundary(shapely.union_all(geometry[drawn & (regions == label) & (shift == east)])), east)
        for label in np.unique(regions[drawn]).tolist()
        for east in np.unique(shift[drawn & (regions == label)]).tolist()
    ]
    shapes, which = shapely.get_parts(
        np.array([line for line, _ in outlines], dtype=object), return_index=True
    )
    moved = np.array([east for _, east in outlines])
    parts = Parts(shapes, np.zeros(len(shapes), dtype=np.int64), moved[which] if len(which) else np.empty(0))
    return [
        PathPatch(
            path,
            transform=points,
            fill=False,
            edgecolor=INK,
            linewidth=0.8,
            joinstyle="round",
            gid="borders",
            zorder=2,
        )
        for _, path in line_paths(parts, window, np.zeros(1, dtype=np.int64))
    ]
