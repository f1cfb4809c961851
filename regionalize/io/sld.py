"""A style as SLD 1.1, the words of the Open Geospatial Consortium that other programs read.

It has the colours, widths and legend texts of the QML beside it. Patterns and dashes, which the standard
leaves to each program, are left out.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from regionalize.io.qml import MARKERS, xml_text
from regionalize.model.style import Sign, Style

_SLD = "http://www.opengis.net/sld"
_SE = "http://www.opengis.net/se"
_OGC = "http://www.opengis.net/ogc"
_PIXELS = 1 / 0.28
"""In a millimetre: the standard's pixel."""
_WELL_KNOWN = {"diamond": "square"}
"""Markers of QGIS that the standard does not name: a diamond is a square on its corner."""


def sld_text(style: Style, layer: str) -> str:
    """Return a style as SLD.

    Parameters
    ----------
    style : Style
    layer : str
        Name of the layer it is for.

    Examples
    --------
    >>> from regionalize.model.style import Sign, Style
    >>> style = Style("cluster", "k = 1", "areas", (Sign(1, "1 (9 units)", "#8778f0"),), 0.2)
    >>> text = sld_text(style, "regions")
    >>> [element.text for element in ET.fromstring(text).iter(f"{{{_SE}}}Title")]
    ['1 (9 units)']
    """
    for prefix, namespace in (("sld", _SLD), ("se", _SE), ("ogc", _OGC)):
        ET.register_namespace(prefix, namespace)
    root = ET.Element(f"{{{_SLD}}}StyledLayerDescriptor", {"version": "1.1.0"})
    named = ET.SubElement(root, f"{{{_SLD}}}NamedLayer")
    ET.SubElement(named, f"{{{_SE}}}Name").text = xml_text(layer)
    user = ET.SubElement(named, f"{{{_SLD}}}UserStyle")
    ET.SubElement(user, f"{{{_SE}}}Name").text = xml_text(style.column)
    kind = ET.SubElement(user, f"{{{_SE}}}FeatureTypeStyle")
    for sign in style.signs:
        rule = ET.SubElement(kind, f"{{{_SE}}}Rule")
        ET.SubElement(rule, f"{{{_SE}}}Name").text = xml_text(sign.text)
        ET.SubElement(ET.SubElement(rule, f"{{{_SE}}}Description"), f"{{{_SE}}}Title").text = xml_text(
            sign.text
        )
        _add_filter(rule, style, sign)
        _add_symbolizer(rule, style, sign)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_filter(rule: ET.Element, style: Style, sign: Sign) -> None:
    condition = ET.SubElement(rule, f"{{{_OGC}}}Filter")
    pairs: list[tuple[str, Any]] = [("PropertyIsEqualTo", sign.value)]
    if isinstance(sign.value, tuple):
        last = sign.value[1] == max(one.value[1] for one in style.signs)
        below = "PropertyIsLessThanOrEqualTo" if last else "PropertyIsLessThan"
        pairs = [("PropertyIsGreaterThanOrEqualTo", sign.value[0]), (below, sign.value[1])]
        condition = ET.SubElement(condition, f"{{{_OGC}}}And")
    elif sign.value is None:
        pairs = [("PropertyIsNull", None)]
    for name, value in pairs:
        operator = ET.SubElement(condition, f"{{{_OGC}}}{name}")
        ET.SubElement(operator, f"{{{_OGC}}}PropertyName").text = xml_text(style.column)
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            ET.SubElement(operator, f"{{{_OGC}}}Literal").text = xml_text(text)


def _add_symbolizer(rule: ET.Element, style: Style, sign: Sign) -> None:
    outline = ("#ffffff" if style.outlined else sign.color), style.thickness
    if style.kind == "lines":
        _add_stroke(ET.SubElement(rule, f"{{{_SE}}}LineSymbolizer"), sign.color, style.thickness)
    elif style.kind == "areas":
        polygon = ET.SubElement(rule, f"{{{_SE}}}PolygonSymbolizer")
        _add_fill(polygon, sign.color)
        _add_stroke(polygon, *outline)
    else:
        shape, angle = MARKERS[sign.turn % len(MARKERS)]
        point = ET.SubElement(rule, f"{{{_SE}}}PointSymbolizer")
        graphic = ET.SubElement(point, f"{{{_SE}}}Graphic")
        mark = ET.SubElement(graphic, f"{{{_SE}}}Mark")
        ET.SubElement(mark, f"{{{_SE}}}WellKnownName").text = _WELL_KNOWN.get(shape, shape)
        _add_fill(mark, sign.color)
        _add_stroke(mark, *outline)
        ET.SubElement(graphic, f"{{{_SE}}}Size").text = f"{style.size * _PIXELS:.3g}"
        turned = 45 if shape in _WELL_KNOWN else angle
        if turned:
            ET.SubElement(graphic, f"{{{_SE}}}Rotation").text = str(turned)


def _add_fill(parent: ET.Element, color: str) -> None:
    _add_parameter(ET.SubElement(parent, f"{{{_SE}}}Fill"), "fill", color)


def _add_stroke(parent: ET.Element, color: str, thickness: float) -> None:
    stroke = ET.SubElement(parent, f"{{{_SE}}}Stroke")
    _add_parameter(stroke, "stroke", color)
    _add_parameter(stroke, "stroke-width", f"{thickness * _PIXELS:.3g}")
    _add_parameter(stroke, "stroke-linejoin", "round")


def _add_parameter(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_SE}}}SvgParameter", {"name": name}).text = text
