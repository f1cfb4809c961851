"""The interactive map: one page that holds units and labelings, and asks nobody for anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import DataError, counted
from regionalize.maps.colors import MISSING_COLOR, NOISE_COLOR, cluster_color, shade_color
from regionalize.maps.ground import Ground
from regionalize.maps.html import data_block, escape, page
from regionalize.maps.scale import length_text
from regionalize.maps.sheet import Entry
from regionalize.maps.text import clean
from regionalize.maps.web.drawing import Drawing
from regionalize.maps.web.packing import packed
from regionalize.model.partition import count_labels

if TYPE_CHECKING:
    import pyproj

SCRIPTS = (
    "decode",
    "thin",
    "shapes",
    "camera",
    "paint",
    "screen",
    "words",
    "legend",
    "search",
    "controls",
    "start",
)
"""Files of `assets/` that make up the script, in this order."""
MOST_VALUES = 2_000_000
"""Values of all units that a page holds for hovering: about twelve megabytes."""
DIGITS = 5
"""Digits that a number with a fraction is shown with."""

_AT_NIGHT = {NOISE_COLOR: "#6f7680", MISSING_COLOR: "#3a3f47"}
"""Greys for a dark page, where those for a light one would be the brightest of all."""
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Coloring:
    """One way to colour the units; a page may hold several to choose from.

    Attributes
    ----------
    name : str
        What the reader chooses it by.
    labels : (n,) int
        Code of every unit: clusters from 1, 0 for noise, negative for no data.
    entries : sequence of Entry
        The legend: every code that occurs (no data is -1), with its words and members.
    color : callable
        Colour of a code as ``"#rrggbb"``.
    legend_title, detail : str
        What the colours stand for, and a line on this labeling.
    regions : (n,) int, optional
        Regions to outline, where they are not the classes.
    """

    name: str
    labels: ArrayLike
    entries: Sequence[Entry]
    color: Callable[[int], str] = cluster_color
    legend_title: str = "cluster"
    detail: str = ""
    regions: ArrayLike | None = None

    @staticmethod
    def of_clusters(
        name: str,
        labels: ArrayLike,
        names: Mapping[int, str] | None = None,
        *,
        color: Callable[[int], str] = cluster_color,
        **words: str,
    ) -> Coloring:
        """Colour clusters as every map does.

        Parameters
        ----------
        name, labels, color
            As the class has them.
        names : mapping of int to str, optional
            What clusters are called where that is not their number.
        **words : str
            ``legend_title`` and ``detail``, as the class has them.

        Examples
        --------
        >>> coloring = Coloring.of_clusters("two", [2, 1, 1, -1])
        >>> [(entry.text, entry.count) for entry in coloring.entries]
        [('1', 2), ('2', 1), ('no data', 1)]
        """
        from regionalize.maps.classes import cluster_entries

        entries = cluster_entries(count_labels(labels), names or {})
        return Coloring(name, labels, entries, color, **words)

    @staticmethod
    def of_shares(
        name: str, shares: NDArray[np.float64], *, regions: ArrayLike | None = None, **words: str
    ) -> Coloring:
        """Colour shares by their shade, NaN grey.

        Parameters
        ----------
        name, regions
            As the class has them.
        shares : (n,) float64
            0 … 1.
        **words : str
            ``legend_title`` and ``detail``, as the class has them.

        Examples
        --------
        >>> coloring = Coloring.of_shares("stability", np.array([0.2, 1.0, np.nan]))
        >>> [(entry.text, entry.count) for entry in coloring.entries if entry.count]
        [('99 % and more', 1), ('below 50 %', 1), ('no data', 1)]
        """
        from regionalize.maps.shades import classes, shade_entries

        codes = classes(shares)
        return Coloring(name, codes, shade_entries(codes), shade_color, regions=regions, **words)


@dataclass(frozen=True)
class Units:
    """What is told of every unit.

    Attributes
    ----------
    ids : sequence of str
        What a unit is found by, n of them.
    title : str
        What the ids are.
    columns : mapping of str to sequence
        Values by name, n each: numbers, text or None.
    """

    ids: Sequence[str]
    title: str = "unit"
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def draw_page(
    geometry: NDArray[np.object_],
    colorings: Sequence[Coloring],
    target: Path | IO[bytes],
    *,
    title: str,
    units: Units | None = None,
    subtitle: str = "",
    footer: str = "",
    crs: str | pyproj.CRS | None = None,
    shown: int = 0,
    dissolve_lines: bool = False,
) -> tuple[str, ...]:
    """Write an interactive map: pan, zoom, hover, search, isolate a cluster, choose a labeling.

    The page is one file that makes no request; names and values in it are text, whatever they hold. The
    same input makes the same bytes.

    Parameters
    ----------
    geometry : (n,) object
        As `regionalize.maps.static.draw_map` takes it.
    colorings : sequence of Coloring
        One or more.
    target : Path or binary file
        Where to write.
    title, subtitle, footer : str
        Lines above the map, large and small, and below it.
    units : Units, optional
        What is told of every unit; row numbers by default.
    crs : str or pyproj.CRS, optional
        As `draw_map` takes it.
    shown : int
        Place of the coloring that is shown at the beginning.
    dissolve_lines : bool
        Outline the clusters, however small the units are on the screen.

    Returns
    -------
    tuple of str
        What the person should know of the map. The page says it too.

    Raises
    ------
    DataError
        When there is nothing to draw, or labels, ids and geometries differ in number.

    Examples
    --------
    >>> import io, shapely
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> draw_page(squares, [Coloring.of_clusters("k-means", [1, 1, 2])], io.BytesIO(), title="Two")
    ()
    """
    count = len(geometry)
    units = units or Units([f"no. {row}" for row in range(1, count + 1)])
    told = [
        *(len(np.asarray(one.labels)) for one in colorings),
        len(units.ids),
        *map(len, units.columns.values()),
    ]
    for length in told:
        if length != count:
            raise DataError(f"{length} labels or values do not fit {count} geometries")
    ground = Ground.survey(geometry, crs)
    drawing = Drawing.of(ground)
    room = MOST_VALUES // max(count, 1)
    columns = dict(list(units.columns.items())[:room])
    notes = [*ground.notes]
    if drawing.simplified:
        notes.append(f"borders are simplified by up to {_length(drawing.error, ground, crs)}, to stay fluid")
    if len(columns) < len(units.columns):
        notes.append(
            f"the map has room for the values of {counted(len(columns), 'column')} of {len(units.columns)}"
        )
    data = {
        "title": clean(title),
        "id": clean(units.title),
        "ids": [clean(one) or "–" for one in units.ids],
        "columns": [{"name": clean(name), "values": _shown(values)} for name, values in columns.items()],
        "colorings": [_coloring(one) for one in colorings],
        "width": drawing.width,
        "height": drawing.height,
        "shown": shown,
        "outlined": dissolve_lines,
        "metres": None if ground.metres is None else drawing.step * ground.metres,
        "shapes": drawing.packed(),
    }
    body = _read("map.html").format(
        title=escape(title),
        subtitle=escape(subtitle),
        footer=escape(footer),
        notes="".join(f"<li>{escape(note)}</li>" for note in notes),
        data=data_block("data", data),
    )
    script = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    text = page(
        clean(title), body, style=_read("map.css"), script=f"(() => {{\n'use strict';\n{script}}})();"
    )
    if isinstance(target, Path):
        target.write_bytes(text.encode())
    else:
        target.write(text.encode())
    return tuple(notes)


def _read(name: str) -> str:
    """Return a file of the page."""
    return resources.files("regionalize.maps.web").joinpath("assets", name).read_text(encoding="utf-8")


def _coloring(one: Coloring) -> dict[str, Any]:
    """Return a labeling as plain data: units hold the place of their class in the legend."""
    place = {entry.label: number for number, entry in enumerate(one.entries)}
    codes, inverse = np.unique(np.maximum(np.asarray(one.labels), -1), return_inverse=True)
    places = np.array([place[code] for code in codes.tolist()], dtype=np.int64)
    return {
        "name": clean(one.name),
        "detail": clean(one.detail),
        "legend": clean(one.legend_title),
        "classes": [
            {
                "text": entry.text,
                "count": entry.count,
                "day": one.color(entry.label),
                "night": _AT_NIGHT.get(one.color(entry.label), one.color(entry.label)),
            }
            for entry in one.entries
        ],
        "places": packed(places[inverse]),
        "regions": None if one.regions is None else packed(one.regions),
    }


def _shown(values: Sequence[Any]) -> list[Any]:
    """Return values as JSON has them: numbers with sensible digits, None, and everything else as text.

    Examples
    --------
    >>> _shown([1234567, 1234.5678, 0.000123456, -1.23456789e300, None, float("nan"), True, "a  b"])
    [1234567, 1234.6, 0.00012346, -1.2346e+300, None, None, 'True', 'a b']
    """
    if all(value is None or type(value) is float for value in values):
        return list(_decimals(np.array(values, dtype=np.float64)))
    return [_one_shown(value) for value in values]


def _decimals(values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Round to `DIGITS` digits, but no digit before the point is lost; NaN becomes None."""
    size = np.abs(values)
    usual = (size > 1e-12) & (size < 2**53)
    places = DIGITS - 1 - np.floor(np.log10(size, where=usual, out=np.zeros_like(size)))
    power = 10.0 ** np.maximum(places, 0)
    rounded = np.where(usual, np.rint(np.where(usual, values, 0) * power) / power, values)
    odd = ~usual & np.isfinite(values) & (size > 0)
    short = np.array([float(f"{value:.{DIGITS}g}") for value in values[odd]])
    rounded[odd] = np.where(np.isinf(short), values[odd], short)
    whole = usual & (rounded == np.floor(rounded)) | (size == 0)
    found = rounded.astype(object)
    found[whole] = rounded[whole].astype(np.int64)
    found[np.isnan(values)] = None
    found[np.isinf(values)] = values[np.isinf(values)].astype(str)
    return found


def _one_shown(value: Any) -> Any:
    if type(value) is float:
        return _decimals(np.array([value])).item()
    if type(value) is int:
        return value if abs(value) < 2**53 else str(value)
    return None if value is None or value == "" else clean(value)


def _length(units: float, ground: Ground, crs: str | pyproj.CRS | None) -> str:
    """Write a length in map units as people read it."""
    metres = ground.metres
    if metres is None and crs is not None:
        import pyproj

        if pyproj.CRS.from_user_input(crs).is_geographic:
            metres = _METRES_PER_DEGREE
    if metres is None:
        return f"{units:.2g} map units"
    digits = 1 - math.floor(math.log10(units * metres))
    return length_text(round(units * metres, digits))
