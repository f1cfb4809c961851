"""Units in classes on a page: what maps of clusters, of shares and of several labelings have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError, counted
from regionalize.maps.colors import PALETTE, cluster_color
from regionalize.maps.furniture import north_arrow, scale_bar
from regionalize.maps.ground import Ground
from regionalize.maps.picture import FileFormat, blank_page, drawing, fill_page, save_page
from regionalize.maps.sheet import SWATCH, Captions, Entry, Sheet
from regionalize.maps.text import clean, fonts_for, unknown_letters
from regionalize.maps.units import Colors, Units, symbol

if TYPE_CHECKING:
    import pyproj
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform

Layout = Callable[[Ground, list[str], Captions, Sequence[Entry]], Sheet]
"""Works out where everything goes: `regionalize.maps.sheet.compose` for one map."""


def draw_classes(
    geometry: NDArray[np.object_],
    labelings: Sequence[NDArray[np.int64]],
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    captions: Captions,
    entries: Sequence[Entry],
    layout: Layout,
    crs: str | pyproj.CRS | None = None,
    colors: Colors = cluster_color,
    outlines: Sequence[NDArray[np.int64]] = (),
    other_words: Sequence[str] = (),
    over: Callable[[Units, Transform], Iterable[Artist]] | None = None,
) -> tuple[str, ...]:
    """Draw a page with a map for each labeling.

    Parameters
    ----------
    geometry : (n,) object
        As `regionalize.maps.static.draw_map` takes it.
    labelings : sequence of (n,) int64
        Class of every unit, a map each.
    target : Path or binary file
        Where to write.
    file_format : {"png", "svg", "pdf"}
        What to write.
    captions : Captions
        Words around the maps.
    entries : sequence of Entry
        The legend.
    layout : callable
        Where everything goes.
    crs : str or pyproj.CRS, optional
        As `draw_map` takes it.
    colors : callable
        Colour of a class.
    outlines : sequence of (n,) int64, optional
        Regions to outline on each map.
    other_words : sequence of str
        What `layout` writes besides captions and entries, so that fonts with its letters are found.
    over : callable, optional
        Makes what is drawn over the units of each map, from these and what takes points from the map's lower
        left corner to the device.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        When there is nothing to draw.
    """
    ground = Ground.survey(geometry, crs)
    captions = captions.cleaned()
    notes = [*ground.notes, *repeated_colors(entries)]
    with drawing():
        from matplotlib.transforms import Affine2D

        page = (captions.title, captions.subtitle, captions.footer, captions.legend_title)
        families, unknown = fonts_for([*page, *other_words, *(entry.text for entry in entries)])
        if unknown:
            notes.append(unknown_letters(unknown))
        sheet = layout(ground, families, captions, entries)
        if sheet.left_out:
            notes.append(f"the legend has room for {len(entries) - sheet.left_out} of {len(entries)} entries")
        figure, points = blank_page(sheet.width, sheet.height)
        units = Units.place(ground, sheet.map_width, sheet.map_height)
        heavy = units.heavy(len(labelings))
        if heavy and file_format != "png":
            units = units.lighter(len(labelings))
            heavy = units.heavy(len(labelings))
        artists = []
        for number, (labels, corner) in enumerate(zip(labelings, sheet.maps, strict=True)):
            here = Affine2D().translate(*corner) + points
            drawn = units.draw(labels, here, colors)
            for artist in drawn:
                artist.set_rasterized(heavy)
            drawn += units.outline(outlines[number], here) if outlines else []
            drawn += over(units, here) if over is not None else []
            for artist in drawn if len(labelings) > 1 else []:
                artist.set_gid(f"map-{number + 1}-{artist.get_gid()}")
            artists += drawn
        for x, y, entry in sheet.signs:
            artists += symbol(units.kind, (x, y), SWATCH, entry.label, points, colors)
        if sheet.bar is not None:
            artists.append(scale_bar(*sheet.bar, points))
        if sheet.arrow is not None:
            artists += north_arrow(*sheet.arrow, points)
        fill_page(figure, artists, sheet.words, points)
        if units.specks:
            notes.append(f"{counted(units.specks, 'polygon')} too small to be seen are drawn as dots")
        if heavy and file_format != "png":
            notes.append(f"the layer is heavy: the {file_format.upper()} holds its units as an image")
        if outlines and units.rings is None:
            notes.append("no unit is an area, so there are no region outlines to draw")
        save_page(figure, target, file_format, captions.title, captions.footer)
    return tuple(notes)


def read_classes(labels: ArrayLike, geometry: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return labels as numbers, or refuse those that are not one for each geometry."""
    found = np.asarray(labels, dtype=np.int64)
    if len(found) != len(geometry):
        raise DataError(f"{len(found)} labels do not fit {len(geometry)} geometries")
    return found


def repeated_colors(entries: Sequence[Entry]) -> list[str]:
    """Say which clusters have no colour of their own."""
    most = max((entry.label for entry in entries), default=0)
    if most <= len(PALETTE):
        return []
    return [
        f"only {len(PALETTE)} colours stay apart: clusters {len(PALETTE) + 1} to {most} repeat them in"
        " other tints, told apart by pattern, marker or dash"
    ]


def cluster_entries(count: Mapping[int, int | None], names: Mapping[int, str]) -> list[Entry]:
    """Legend entries of labels and their members: clusters in order, then noise, then left out."""
    order = [*sorted(value for value in count if value > 0), *(value for value in (0, -1) if value in count)]
    known = {0: "not clustered", -1: "no data"} | dict(names)
    return [Entry(value, clean(known.get(value, value)), count[value]) for value in order]
