"""What charts over k show: every point in its place, marks where they belong, words on the page."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from regionalize.errors import UsageError
from regionalize.maps.plots.curves import (
    COLORS,
    DASHES,
    HEIGHT,
    SIGNS,
    WIDTH,
    Chart,
    Curve,
    Mark,
    draw_curves,
)

SVG = "{http://www.w3.org/2000/svg}"
SAID = {"title": "k-means", "subtitle": "k = 3: because", "footer": "a.gpkg"}


def drawn(charts, file_format="svg", **said):
    target = io.BytesIO()
    notes = draw_curves(charts, target, file_format=file_format, **{**SAID, **said})
    return target.getvalue(), notes


def lines(svg):
    """Points of every curve, by its identifier, in the order they are on the page."""
    found = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        name = group.get("id", "")
        path = group.find(f"{SVG}path")
        if name.startswith(("curve-", "mark")):
            found.setdefault(name, []).append(path.get("d") if path is not None else None)
    return found


def vertices(d):
    return np.array([[float(n) for n in pair] for pair in re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", d)])


def words(svg):
    return [
        re.sub(r"\s+", " ", "".join(text.itertext())).strip()
        for text in ET.fromstring(svg).iter(f"{SVG}text")
    ]


def test_points_are_where_their_values_are():
    values = ((2, 0.3), (3, 0.6), (5, 0.7), (9, 0.8))
    svg, notes = drawn([Chart("fit", (Curve("", values),))])
    assert notes == ()
    xy = vertices(lines(svg)["curve-0"][0])
    k, value = np.array(values).T
    assert np.diff(xy[:, 0]) / (xy[-1, 0] - xy[0, 0]) == pytest.approx(np.diff(k) / (k[-1] - k[0]), abs=1e-4)
    assert np.diff(-xy[:, 1]) / (xy[0, 1] - xy[-1, 1]) == pytest.approx(
        np.diff(value) / (value[-1] - value[0]), abs=1e-4
    )
    assert xy[-1, 0] - xy[0, 0] == pytest.approx(WIDTH - 16, abs=0.01)
    assert xy[0, 1] - xy[-1, 1] <= HEIGHT


def test_what_is_said_is_on_the_page_and_charts_without_points_are_not():
    charts = [
        Chart(
            "fit",
            (Curve("hops 0", ((2, 1.0), (3, 2.0))), Curve("hops 1", ((2, 2.0), (3, 4.0)))),
            (Mark(1, 3, "elbow"),),
        ),
        Chart("nothing", (Curve("hops 0", ()), Curve("hops 1", ()))),
    ]
    svg, _ = drawn(charts, title="população $x$", footer="")
    said = words(svg)
    for text in ("população $x$", "k = 3: because", "fit", "elbow", "hops 0", "hops 1"):
        assert text in said
    assert "nothing" not in said
    assert len(lines(svg)["mark"]) == 1
    single, _ = drawn([Chart("fit", (Curve("hops 0", ((2, 1.0), (3, 2.0))),))])
    assert "hops 0" not in words(single)  # no legend for one curve


def test_a_ring_lies_on_its_point():
    svg, _ = drawn([Chart("fit", (Curve("", ((2, 1.0), (3, 5.0), (4, 6.0))),), (Mark(0, 3),))])
    root = ET.fromstring(svg)
    ring = next(group for group in root.iter(f"{SVG}g") if group.get("id") == "mark")
    use = next(ring.iter(f"{SVG}use"))
    point = vertices(lines(svg)["curve-0"][0])[1]
    assert (float(use.get("x")), float(use.get("y"))) == pytest.approx(tuple(point), abs=0.01)


@pytest.mark.parametrize(
    "points",
    [((4, 0.5),), ((4, 0.0), (5, 0.0)), ((2, -3.0), (3, 5e9)), ((2, 1e-12), (40, 3e-12))],
    ids=["one", "flat", "large", "small"],
)
def test_odd_values_are_drawn_inside_the_chart(points):
    svg, _ = drawn([Chart("a", (Curve("", points),), (Mark(0, points[0][0], "here"),))])
    xy = vertices(lines(svg)["curve-0"][0]) if len(points) > 1 else np.zeros((0, 2))
    box = [float(part) for part in ET.fromstring(svg).get("viewBox").split()]
    assert np.isfinite(xy).all()
    assert ((xy > 0) & (xy < box[2:])).all()


def test_thirty_curves_look_different():
    looks = {
        (COLORS[n % len(COLORS)], str(DASHES[(n + n // len(SIGNS)) % len(DASHES)]), SIGNS[n % len(SIGNS)])
        for n in range(30)
    }
    assert len(looks) == 30
    curves = tuple(Curve(f"hops {n}, alpha 0.5", ((2, float(n)), (3, n + 1.0))) for n in range(30))
    svg, _ = drawn([Chart("fit", curves)] * 4)
    assert sum(word.startswith("hops") for word in words(svg)) == 30
    box = [float(part) for part in ET.fromstring(svg).get("viewBox").split()]
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        if group.get("id", "").startswith("key-"):
            xy = vertices(group.find(f"{SVG}path").get("d"))
            assert ((xy > 0) & (xy < box[2:])).all()


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(file_format):
    charts = [Chart("fit", (Curve("", ((2, 1.0), (3, 2.0))),), (Mark(0, 3, "elbow"),))] * 4
    first, _ = drawn(charts, file_format)
    assert drawn(charts, file_format)[0] == first
    if file_format == "png":
        picture = Image.open(io.BytesIO(first))
        assert 1.1 < picture.width / picture.height < 1.5


def test_other_formats_are_refused():
    with pytest.raises(UsageError, match="a plot cannot be written as 'gif'"):
        drawn([Chart("fit", (Curve("", ((2, 1.0),)),))], "gif")


@pytest.mark.parametrize("values", [(0.2276, 0.1789), (1.0, 0.0), (0.23, 0.17, 0.2), (-0.1, -0.5)])
def test_words_beside_a_peak_are_above_it(values):
    """Below it the falling curve would run through them."""
    points = tuple(enumerate(values, 3))
    svg, _ = drawn([Chart("silhouette", (Curve("", points),), (Mark(0, 3, "suggested"),))])
    peak = vertices(lines(svg)["curve-0"][0])[0, 1]
    found = [
        text
        for text in ET.fromstring(svg).iter(f"{SVG}text")
        if "".join(text.itertext()).strip() == "suggested"
    ]
    at = float(found[0].get("y"))
    assert at < peak  # y runs downwards
