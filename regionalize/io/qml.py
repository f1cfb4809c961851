"""A style as QML, the words of QGIS (3.20 and later)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from regionalize.model.style import Sign, Style, ink_on

_SYMBOLS = {"markers": ("marker", 0), "lines": ("line", 1), "areas": ("fill", 2)}
"""What a symbol is called, and the number of its kind of geometry."""
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.22.0"

PATTERNS = ("", "b_diagonal", "dense6", "f_diagonal", "diagonal_x")
DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1, 1), (4, 1, 1, 1), (8, 2))
MARKERS = (("circle", 0), ("square", 0), ("triangle", 0), ("diamond", 0), ("triangle", 180))
"""The second sign of a class by its turn: brushes of areas, dashes in widths of the line, markers and their
turning in degrees. Our maps have the same, see `regionalize.maps.units`."""

_NO_XML = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), 0xFFFE, 0xFFFF) if code not in (9, 10, 13)
}


def qml_text(style: Style) -> str:
    """Return a style as QML: symbols and legend, nothing else of a layer's settings.

    Examples
    --------
    >>> from regionalize.model.style import Sign, Style
    >>> text = qml_text(Style("cluster", "k = 1", "areas", (Sign(1, "1 (9 units)", "#8778f0"),), 0.2))
    >>> root = ET.fromstring(text)
    >>> root.find("renderer-v2").get("type"), root.find(".//category").attrib["label"]
    ('categorizedSymbol', '1 (9 units)')
    """
    root = ET.Element("qgis", {"version": _VERSION, "styleCategories": "Symbology"})
    renderer = ET.SubElement(root, "renderer-v2", _renderer(style))
    _add_classes(renderer, style)
    symbols = ET.SubElement(renderer, "symbols")
    for number, sign in enumerate(style.signs):
        _add_symbol(symbols, str(number), style, sign)
    if not style.graduated:
        ET.SubElement(renderer, "rotation")
        ET.SubElement(renderer, "sizescale")
    for name, text in (("blendMode", "0"), ("featureBlendMode", "0"), ("layerOpacity", "1")):
        ET.SubElement(root, name).text = text
    ET.SubElement(root, "layerGeometryType").text = str(_SYMBOLS[style.kind][1])
    ET.indent(root)
    return _DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _renderer(style: Style) -> dict[str, str]:
    common = {
        "attr": xml_text(style.column),
        "forceraster": "0",
        "symbollevels": "0",
        "enableorderby": "0",
        "referencescale": "-1",
    }
    if style.graduated:
        return {"type": "graduatedSymbol", "graduatedMethod": "GraduatedColor", **common}
    return {"type": "categorizedSymbol", **common}


def _add_classes(renderer: ET.Element, style: Style) -> None:
    """List what the symbols stand for."""
    parent = ET.SubElement(renderer, "ranges" if style.graduated else "categories")
    for number, sign in enumerate(style.signs):
        about = {"label": xml_text(sign.text), "render": "true", "symbol": str(number)}
        if isinstance(sign.value, tuple):
            low, high = (repr(float(limit)) for limit in sign.value)
            ET.SubElement(parent, "range", {"lower": low, "upper": high, **about})
        else:
            ET.SubElement(parent, "category", {**_value(sign.value), **about})


def _value(value: Any) -> dict[str, str]:
    """Return a value and its type; QGIS takes empty text for nulls, and for what no other category names."""
    if value is None:
        return {"value": "", "type": "NULL"}
    if isinstance(value, bool):
        return {"value": str(value).lower(), "type": "bool"}
    kind = "long" if isinstance(value, int) else "double" if isinstance(value, float) else "string"
    return {"value": xml_text(str(value)), "type": kind}


def _add_symbol(parent: ET.Element, name: str, style: Style, sign: Sign) -> None:
    about = {
        "name": name,
        "type": _SYMBOLS[style.kind][0],
        "alpha": "1",
        "clip_to_extent": "1",
        "force_rhr": "0",
    }
    symbol = ET.SubElement(parent, "symbol", about)
    for kind, settings in _layers(style, sign):
        layer = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
        options = ET.SubElement(layer, "Option", {"type": "Map"})
        for option, value in settings.items():
            ET.SubElement(options, "Option", {"name": option, "type": "QString", "value": value})


def _layers(style: Style, sign: Sign) -> list[tuple[str, Mapping[str, str]]]:
    """Return the layers of a symbol, the lowest first: its class and settings."""
    color, width = _color(sign.color), f"{style.thickness:g}"
    if style.kind == "lines":
        line = {
            "line_color": color,
            "line_width": width,
            "line_width_unit": "MM",
            "line_style": "solid",
            "capstyle": "flat",
            "joinstyle": "round",
        }
        dashes = DASHES[sign.turn % len(DASHES)]
        if dashes:
            line |= {
                "use_custom_dash": "1",
                "customdash": ";".join(f"{part * style.thickness:g}" for part in dashes),
                "customdash_unit": "MM",
            }
        return [("SimpleLine", line)]
    outline = {
        "outline_color": _color("#ffffff") if style.outlined else color,
        "outline_style": "solid",
        "outline_width": width,
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }
    if style.kind == "markers":
        shape, angle = MARKERS[sign.turn % len(MARKERS)]
        size = {"size": f"{style.size:g}", "size_unit": "MM", "scale_method": "diameter"}
        return [("SimpleMarker", {"name": shape, "angle": str(angle), "color": color, **size, **outline})]
    fill = {"color": color, "style": "solid", **outline}
    layers: list[tuple[str, Mapping[str, str]]] = [("SimpleFill", fill)]
    pattern = PATTERNS[sign.turn % len(PATTERNS)]
    if sign.turn and pattern:
        layers.append(
            ("SimpleFill", {"color": _color(ink_on(sign.color)), "style": pattern, "outline_style": "no"})
        )
    return layers


def _color(text: str) -> str:
    """Write ``"#rrggbb"`` or ``"#rrggbbaa"`` as four numbers."""
    return ",".join(str(int(f"{text[1:]}ff"[i : i + 2], 16)) for i in (0, 2, 4, 6))


def xml_text(text: str) -> str:
    r"""Replace what XML cannot hold.

    Examples
    --------
    >>> xml_text("a\x00b")
    'a�b'
    """
    return text.translate(_NO_XML)
