"""The look of our maps as data: what a desktop program needs to draw the same colours and legend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from regionalize.errors import counted
from regionalize.maps.colors import LIMITS, SHADES, cluster_color, cluster_turn, shade_color, shade_text
from regionalize.model.style import Kind, Sign, Style

_POINT = 25.4 / 72
"""Millimetres."""
_PAGE = 200_000.0
"""Square points of the map that line widths are meant for: a page or a screen filled by the layer."""
_OUTLINED = 4.0
"""Units at least this many points across have a white line between them, as on our maps."""


def kind_of(geometry_kinds: Mapping[str, int]) -> Kind | None:
    """Say what most units are; None without any geometry.

    Parameters
    ----------
    geometry_kinds : mapping of str to int
        Number of rows per geometry type, as `regionalize.model.layer.Layer.geometry_kinds`.

    Examples
    --------
    >>> kind_of({"Point": 2, "MultiPolygon": 3}), kind_of({"LineString": 1}), kind_of({})
    ('areas', 'lines', None)
    """
    of: dict[Kind, Callable[[str], bool]] = {
        "areas": lambda name: name.endswith("Polygon") or name == "GeometryCollection",
        "lines": lambda name: name.endswith(("LineString", "LinearRing")),
        "markers": lambda name: name.endswith("Point"),
    }
    counts = {
        kind: sum(count for name, count in geometry_kinds.items() if belongs(name))
        for kind, belongs in of.items()
    }
    most = max(counts, key=lambda kind: counts[kind])
    return most if counts[most] else None


def cluster_style(
    column: str,
    title: str,
    kind: Kind,
    units: int,
    members: Mapping[int, int],
    values: Mapping[int, Any] | None = None,
) -> Style:
    """Return the style of a column of labels: the colours and the legend of our maps.

    Parameters
    ----------
    column : str
        Where the labels are.
    title : str
        What is shown.
    kind : {"areas", "lines", "markers"}
        What the units are.
    units : int
        Features drawn, which says how thin lines have to be.
    members : mapping of int to int
        Units of every label: clusters from 1, 0 for noise, negative for rows left out.
    values : mapping of int to object, optional
        What the column holds for a label, where that is not its number.

    Examples
    --------
    >>> style = cluster_style("cluster", "k-means, k = 2", "areas", 12, {1: 7, 2: 4, -1: 1})
    >>> [(sign.value, sign.text, sign.color) for sign in style.signs][1:]
    [(2, '2 (4 units)', '#ffd24b'), (None, 'no data (1 unit)', '#dcdcdc')]
    """
    values = values or {}
    order = [
        *sorted(label for label in members if label > 0),
        *(label for label in (0, -1) if label in members),
    ]
    signs = []
    for label in order:
        value = values.get(label, label if label >= 0 else None)
        text = "no data" if value is None else "not clustered" if label == 0 else str(value)
        signs.append(
            Sign(
                value,
                f"{text} ({counted(members[label], 'unit')})",
                cluster_color(label),
                cluster_turn(label),
            )
        )
    return Style(column, title, kind, tuple(signs), **_lines(kind, units))


def share_style(column: str, title: str, kind: Kind, units: int) -> Style:
    """Return the style of a column of shares from 0 to 1; rows without one are not drawn.

    Parameters
    ----------
    column, title, kind, units
        As in `cluster_style`.

    Examples
    --------
    >>> style = share_style("stability", "kmeans, k = 4", "areas", 12)
    >>> [(sign.value, sign.text) for sign in style.signs][-2:]
    [((0.5, 0.75), '50 to 75 %'), ((0.0, 0.5), 'below 50 %')]
    """
    pairs = pairwise([0.0, *LIMITS, 1.0])
    signs = [Sign(pair, shade_text(shade), shade_color(shade)) for shade, pair in enumerate(pairs, 1)]
    return Style(column, title, kind, tuple(reversed(signs)), **_lines(kind, units))


def class_style(column: str, title: str, kind: Kind, units: int, low: float, high: float) -> Style:
    """Return the style of a column of numbers in classes of equal width, the highest the darkest.

    Parameters
    ----------
    column, title, kind, units
        As in `cluster_style`.
    low, high : float
        The least and the greatest number; what is beyond is not drawn.

    Examples
    --------
    >>> style = class_style("score", "score", "areas", 12, 0.0, 1.0)
    >>> [(sign.value, sign.text) for sign in style.signs][:2]
    [((0.8, 1.0), '0.8 to 1'), ((0.6, 0.8), '0.6 to 0.8')]
    """
    if low == high:
        signs = [Sign((low, high), f"{low:.4g}", SHADES[-1])]
    else:
        limits = [low + (high - low) * share / len(SHADES) for share in range(len(SHADES))] + [high]
        signs = [
            Sign((least, most), f"{least:.4g} to {most:.4g}", color)
            for (least, most), color in zip(pairwise(limits), SHADES, strict=True)
        ]
    return Style(column, title, kind, tuple(reversed(signs)), **_lines(kind, units))


def _lines(kind: Kind, units: int) -> dict[str, Any]:
    """Return thickness and size for a page filled by so many units of like size."""
    units = max(units, 1)
    if kind == "lines":
        return {"thickness": _millimetres(np.clip(25 / np.sqrt(units), 0.4, 1.8))}
    if kind == "markers":
        size = np.clip(0.4 * np.sqrt(_PAGE / units), 1.0, 8.0)
        return {"thickness": _millimetres(0.3), "size": _millimetres(size), "outlined": bool(size > 3)}
    across = float(np.sqrt(_PAGE / units))
    outlined = across >= _OUTLINED
    return {
        "thickness": _millimetres(min(0.05 + 0.016 * across, 0.7) if outlined else 0.2),
        "outlined": outlined,
    }


def _millimetres(points: float) -> float:
    return round(float(points) * _POINT, 3)
