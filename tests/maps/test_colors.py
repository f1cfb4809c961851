"""The palette keeps clusters apart, for every reader; first that the ruler itself is right."""

from __future__ import annotations

import re

import numpy as np
import pytest

from regionalize.maps.colors import (
    MISSING_COLOR,
    NOISE_COLOR,
    PALETTE,
    cluster_color,
    cluster_turn,
)

BLIND = ("protanopia", "deuteranopia", "tritanopia")
OKABE_ITO = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"]


def first_colors(k):
    """Return the colours of clusters 1 … k."""
    return [cluster_color(label) for label in range(1, k + 1)]


def closest(vision, colors, name):
    """The smallest distance between any two of `colors`."""
    apart = vision.distances(vision.parse(colors), name)
    return float(apart[np.triu_indices(len(colors), 1)].min())


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [  # Sharma, Wu and Dalal (2005), "The CIEDE2000 color-difference formula", table 1
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_ruler_gives_published_differences(vision, one, two, expected):
    assert vision.ciede2000(one, two) == pytest.approx(expected, abs=5e-5)
    assert vision.ciede2000(two, one) == pytest.approx(expected, abs=5e-5)


def test_lab_of_srgb_primaries_is_the_published_one(vision):
    lab = vision.to_lab(vision.parse(["#ffffff", "#ff0000", "#00ff00", "#0000ff", "#000000"]))
    published = [
        (100, 0, 0),
        (53.24, 80.09, 67.20),
        (87.73, -86.18, 83.18),
        (32.30, 79.19, -107.86),
        (0, 0, 0),
    ]
    np.testing.assert_allclose(lab, published, atol=0.02)


@pytest.mark.parametrize("name", BLIND)
def test_simulated_dichromats_see_greys_as_greys(vision, name):
    greys = vision.parse(["#000000", "#404040", "#808080", "#c0c0c0", "#ffffff"])
    np.testing.assert_allclose(vision.to_lab(greys, name), vision.to_lab(greys), atol=0.01)


def test_simulated_dichromats_confuse_what_they_do(vision):
    """Red and olive lose most of their difference for protanopes and deuteranopes, not for tritanopes."""
    pair = vision.parse(["#c80000", "#6e6e00"])

    def hue_apart(name):
        lab = vision.to_lab(pair, name)
        return np.hypot(*(lab[0] - lab[1])[1:])

    assert hue_apart("protanopia") < 0.35 * hue_apart("normal")
    assert hue_apart("deuteranopia") < 0.35 * hue_apart("normal")
    assert hue_apart("tritanopia") > 0.8 * hue_apart("normal")


@pytest.mark.parametrize("name", BLIND)
def test_twelve_stay_apart_for_colour_blind_readers(vision, name):
    """No two of twelve are nearer than the closest two of Okabe and Ito's eight, made for these readers."""
    standard = min(closest(vision, OKABE_ITO, blind) for blind in BLIND)
    assert closest(vision, first_colors(12), name) >= standard
    assert closest(vision, first_colors(8), name) >= 1.3 * standard


@pytest.mark.parametrize("name", BLIND)
def test_twenty_stay_apart_for_colour_blind_readers(vision, name):
    """Nine is four just noticeable differences (about 2.3): seen when two patches do not touch."""
    assert closest(vision, first_colors(20), name) >= 9


@pytest.mark.parametrize(("k", "least"), [(8, 23), (12, 18), (20, 14)])
def test_all_stay_apart_in_ordinary_vision(vision, k, least):
    """matplotlib's ten (tab10), a common choice, have 16; its twenty 12."""
    assert closest(vision, first_colors(k), "normal") >= least


def test_neighbours_in_the_legend_are_far_apart(vision):
    colors = vision.parse(PALETTE)
    for name in vision.VISIONS:
        apart = np.diagonal(vision.distances(colors, name), 1)
        assert apart[:11].min() >= 20, name
        assert apart.min() >= 14, name


def test_greys_and_page_are_not_taken_for_clusters(vision):
    greys = [NOISE_COLOR, MISSING_COLOR, "#ffffff"]
    for name in vision.VISIONS:
        apart = vision.distances(vision.parse([*greys, *PALETTE]), name)
        assert apart[:3, 3:].min() >= 7, name
        assert apart[:3, :3][np.triu_indices(3, 1)].min() >= 7, name
    chroma = np.hypot(*vision.to_lab(vision.parse(greys)).T[1:])
    assert chroma.max() < 0.1


def test_lightness_carries_much_of_the_difference(vision):
    lightness = vision.to_lab(vision.parse(first_colors(12)))[:, 0]
    assert np.ptp(lightness) > 55
    assert lightness.std() > 18
    assert lightness.max() < 90  # seen on white paper


def test_a_hundred_clusters_have_each_its_own_colour():
    assert first_colors(20) == list(PALETTE)
    assert len(set(first_colors(100))) == 100
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in first_colors(250))


def test_colours_beyond_the_palette_have_a_second_sign():
    """Two clusters of one colour differ in turn until tints and signs are both used up."""
    seen = [(cluster_color(label), cluster_turn(label)) for label in range(1, 101)]
    assert len(set(seen)) == 100
    assert {cluster_turn(label) for label in range(-1, 21)} == {0}
    assert [cluster_turn(label) for label in (21, 40, 41, 100)] == [1, 1, 2, 4]
