"""`Style`: how a desktop program is to show a column of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["areas", "lines", "markers"]


@dataclass(frozen=True)
class Sign:
    """One line of a legend, and what it stands for.

    Attributes
    ----------
    value : object
        What the column holds: a number, text or a truth value; None where it holds nothing. A pair of
        numbers is a class of them, from the first, which belongs to it, to below the second.
    text : str
        What the legend says.
    color : str
        Hex colour, ``"#rrggbb"``.
    turn : int
        Which second sign tells it from others of like colour: 0 is none, then patterns of areas, dashes of
        lines and markers of points, in an order that every format keeps.
    """

    value: Any
    text: str
    color: str
    turn: int = 0


@dataclass(frozen=True)
class Style:
    """How a column is shown.

    Attributes
    ----------
    column : str
        Column of the layer.
    title : str
        What is shown, in one line.
    kind : {"areas", "lines", "markers"}
        What the units are.
    signs : tuple of Sign
        The legend, in order.
    thickness : float
        Of lines, and of the outlines of areas and markers, in millimetres.
    size : float
        Of markers, in millimetres.
    outlined : bool
        Whether units have a white outline; they are so small otherwise that it would hide them.
    """

    column: str
    title: str
    kind: Kind
    signs: tuple[Sign, ...]
    thickness: float
    size: float = 0.0
    outlined: bool = True

    @property
    def graduated(self) -> bool:
        """Whether signs stand for classes of numbers, not for single values."""
        return any(isinstance(sign.value, tuple) for sign in self.signs)


def ink_on(color: str) -> str:
    """Return the colour of patterns: black or white, whichever is seen on `color` without drowning it.

    Examples
    --------
    >>> ink_on("#ffd24b"), ink_on("#003c87")
    ('#00000099', '#ffffffb3')
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#00000099" if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else "#ffffffb3"


def style_file(layer: Path) -> Path:
    """Return where QGIS looks for the style of a layer that is a file: beside it.

    Examples
    --------
    >>> style_file(Path("out/regions.shp.zip")).name, style_file(Path("a.b.geojson")).name
    ('regions.qml', 'a.b.qml')
    """
    name = layer.name[:-4] if layer.name.lower().endswith(".shp.zip") else layer.name
    return layer.with_name(name).with_suffix(".qml")
