"""The map of shares: right classes, shades that everybody can order, and a picture with all its parts."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError, UsageError
from regionalize.maps.colors import LIMITS, MISSING_COLOR, SHADES
from regionalize.maps.shades import classes, draw_shares

SQUARES = shapely.box([0, 1, 2, 3, 4, 5], 0, [1, 2, 3, 4, 5, 6], 1)
SHARES = [1.0, 0.95, 0.8, 0.6, 0.1, np.nan]


def drawn(geometry=SQUARES, shares=SHARES, notes=(), **options) -> str:
    file = io.BytesIO()
    found = draw_shares(geometry, shares, file, file_format="svg", title="Stability", **options)
    assert found == notes
    return file.getvalue().decode()


@given(st.floats(0, 1))
def test_classes_by_hand(share):
    wanted = 1
    for label, limit in enumerate(LIMITS, 2):
        if share >= limit:
            wanted = label
    assert classes(np.array([share])).tolist() == [wanted]


def test_shades_are_in_order_for_every_reader(vision):
    """Lightness falls evenly from shade to shade, as everybody sees it, and so on grey paper."""
    for name in vision.VISIONS:
        lightness = vision.to_lab(vision.parse(SHADES), name)[:, 0]
        np.testing.assert_allclose(np.diff(lightness), -16.5, atol=1.5)
    missing = vision.to_lab(vision.parse([MISSING_COLOR, *SHADES]))
    assert vision.ciede2000(missing[0], missing[1:]).min() > 10


def test_every_unit_has_the_shade_of_its_share():
    text = drawn()
    for label, color in enumerate(SHADES, 1):
        group = re.search(rf'<g id="cluster-{label}">(.*?)</g>', text, re.DOTALL)
        assert group is not None
        assert f"fill: {color}" in group[1]
    assert f"fill: {MISSING_COLOR}" in text
    for words in ("99 % and more", "90 to 99 %", "75 to 90 %", "50 to 75 %", "below 50 %", "no data"):
        assert words in text


@pytest.mark.parametrize("kind", ["points", "lines"])
def test_points_and_lines(kind):
    x = np.arange(6.0)
    lines = shapely.linestrings(
        np.stack([np.column_stack([x, 0 * x]), np.column_stack([x, 0 * x + 2])], axis=1)
    )
    shapes = lines if kind == "lines" else shapely.points(x, x % 2)
    told = ("no unit is an area, so there are no region outlines to draw",)
    text = drawn(shapes, notes=told, regions=np.ones(6, dtype=np.int64))
    for color in SHADES:
        assert color in text
    assert 'id="borders"' not in text


def test_borders_are_those_between_regions():
    """Two regions of three squares: two rectangles, and no line between squares of one region."""
    text = drawn(regions=np.array([1, 1, 1, 2, 2, 2]))
    group = re.search(r'<g id="borders">(.*?)</g>', text, re.DOTALL)
    assert group is not None
    places = np.array(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", group[1]), dtype=float)
    upright = (places[1:, 0] == places[:-1, 0]) & (places[1:, 1] != places[:-1, 1])
    assert len(np.unique(np.round(places[1:][upright, 0]))) == 3  # west, middle, east
    assert 'id="borders"' not in drawn()


def test_across_the_antimeridian_borders_lie_on_their_units():
    squares = shapely.box([178, 179, -180, -179], 0, [179, 180, -179, -178], 1)
    text = drawn(squares, [1.0, 0.95, 0.8, 0.6], regions=np.array([1, 1, 2, 2]), crs="EPSG:4326")
    places = {}
    for name in ("borders", "cluster-5", "cluster-2"):
        group = re.search(rf'<g id="{name}">(.*?)</g>', text, re.DOTALL)[1]
        pairs = re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", group)
        places[name] = np.array(pairs, float)[:, 0]
    assert places["borders"].min() == pytest.approx(places["cluster-5"].min(), abs=0.2)
    assert places["borders"].max() == pytest.approx(places["cluster-2"].max(), abs=0.2)


def test_broken_shapes_and_gaps():
    bow = shapely.from_wkt("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))")
    shapes = np.array([bow, SQUARES[1], None, shapely.Polygon()], dtype=object)
    file = io.BytesIO()
    notes = draw_shares(
        shapes, [1, 0.5, 1, 1], file, file_format="png", title="x", regions=np.array([1, 1, 2, -1])
    )
    assert notes == ("the map leaves out 2 rows without a geometry",)
    assert file.getvalue()[1:4] == b"PNG"


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_bytes_repeat(file_format):
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        draw_shares(
            SQUARES, SHARES, file, file_format=file_format, title="x", regions=np.array([1, 1, 1, 2, 2, 2])
        )
    assert files[0].getvalue() == files[1].getvalue()


def test_refusals():
    with pytest.raises(DataError, match="5 shares do not fit 6 geometries"):
        drawn(shares=SHARES[:5])
    with pytest.raises(DataError, match="nothing to draw"):
        drawn(np.array([None]), [1.0])
    with pytest.raises(UsageError, match="gif"):
        draw_shares(SQUARES, SHARES, io.BytesIO(), file_format="gif", title="x")
