"""The look of a map as data: colours and second signs as drawn, lines as thin as there."""

from itertools import pairwise

import pytest

from regionalize.maps.colors import cluster_color, cluster_turn
from regionalize.maps.style import class_style, cluster_style, kind_of, share_style


def test_colours_and_second_signs_are_those_of_the_map():
    style = cluster_style("cluster", "k = 120", "areas", 500, dict.fromkeys(range(-1, 121), 2))
    labels = [*range(1, 121), 0, -1]
    assert [sign.color for sign in style.signs] == [cluster_color(label) for label in labels]
    assert [sign.turn for sign in style.signs] == [cluster_turn(label) for label in labels]
    assert [sign.value for sign in style.signs] == [*range(1, 121), 0, None]
    assert len({(sign.color, sign.turn) for sign in style.signs}) == 122
    assert not style.graduated


def test_what_a_column_holds_is_what_the_legend_says():
    style = cluster_style("zone", "zones", "areas", 5, {1: 1, 3: 1200, 0: 2}, {1: "ü & <b>", 3: 7})
    assert [(sign.value, sign.text) for sign in style.signs] == [
        ("ü & <b>", "ü & <b> (1 unit)"),
        (7, "7 (1,200 units)"),
        (0, "not clustered (2 units)"),
    ]


@pytest.mark.parametrize("kind", ["areas", "lines", "markers"])
def test_more_units_have_thinner_lines(kind):
    styles = [cluster_style("c", "", kind, units, {1: 1}) for units in (0, 1, 100, 10_000, 1_000_000)]
    widths = [style.size if kind == "markers" else style.thickness for style in styles]
    assert widths[:4] == sorted(widths[:4], reverse=True)
    assert min(widths) > 0
    assert styles[0].outlined
    assert kind == "lines" or not styles[-1].outlined


def test_what_most_units_are():
    assert kind_of({"MultiPoint": 3, "Polygon": 2}) == "markers"
    assert kind_of({"GeometryCollection": 1}) == "areas"
    assert kind_of({"MultiLineString": 1, "LinearRing": 1, "Point": 1}) == "lines"
    assert kind_of({}) is None


def test_shares_are_in_classes_without_gaps():
    values = [sign.value for sign in reversed(share_style("s", "", "areas", 9).signs)]
    assert values[0][0] == 0
    assert values[-1][1] == 1
    assert all(one[1] == other[0] for one, other in pairwise(values))


def test_numbers_are_in_classes_of_equal_width_from_the_highest():
    signs = class_style("s", "", "areas", 9, -1.0, 4.0).signs
    assert [sign.value for sign in signs] == [(3, 4), (2, 3), (1, 2), (0, 1), (-1, 0)]
    assert [sign.text for sign in class_style("s", "", "areas", 9, 0.5, 0.5).signs] == ["0.5"]
