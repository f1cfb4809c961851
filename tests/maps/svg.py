"""Read what a plot in SVG is made of."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def groups(svg):
    """Return the groups of every identifier, in the order they are on the page."""
    found = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        found.setdefault(group.get("id", ""), []).append(group)
    return found


def vertices(group):
    """Return the corners (n, 2) of the first path of a group, control points left out."""
    d = group.find(f"{SVG}path").get("d")
    return np.array([[float(n) for n in pair] for pair in re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", d)])


def middle(group):
    """Return the middle of a group's first path."""
    d = group.find(f"{SVG}path").get("d")
    xy = np.array([float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", d)]).reshape(-1, 2)
    return (xy.min(axis=0) + xy.max(axis=0)) / 2


def points(svg, name):
    """Return places (n, 2) of the markers of an identifier, by their colours, in order."""
    found = {}
    for group in groups(svg).get(name, []):
        for use in group.iter(f"{SVG}use"):
            fill = re.search(r"fill: (#\w+)", use.get("style", ""))
            place = float(use.get("x")), float(use.get("y"))
            found.setdefault(fill[1] if fill else "", []).append(place)
    return {color: np.array(places) for color, places in found.items()}


def words(svg):
    """Return every line of text."""
    texts = ET.fromstring(svg).iter(f"{SVG}text")
    return [re.sub(r"\s+", " ", "".join(text.itertext())).strip() for text in texts]


def fitted(values, places):
    """Return slope and offset of places over values, which must lie on a line."""
    slope, offset = np.polyfit(values, places, 1)
    np.testing.assert_allclose(slope * values + offset, places, atol=0.02)
    return slope, offset
