"""The silhouette plot: as long as the silhouette, sorted within clusters, with the means where they are."""

from __future__ import annotations

import io

import numpy as np
import pytest

from regionalize.errors import DataError, UsageError
from regionalize.maps.plots.silhouettes import draw_silhouettes


def drawn(values, labels, file_format="svg", **said):
    target = io.BytesIO()
    notes = draw_silhouettes(
        np.asarray(values), labels, target, file_format=file_format, **{"title": "k-means", **said}
    )
    return target.getvalue(), notes


@pytest.fixture
def units():
    rng = np.random.default_rng(6)
    return rng.uniform(-0.5, 1, 40), np.array([*rng.integers(1, 4, 38), 0, -1])


def test_bars_are_as_long_as_silhouettes_and_sorted(units, svg):
    values, labels = units
    picture, notes = drawn(values, labels)
    assert notes == ()
    groups = svg.groups(picture)
    expected, places = [], []
    for label in (1, 2, 3):
        own = np.sort(values[labels == label])[::-1]
        corners = svg.vertices(groups[f"silhouettes-cluster-{label}"][0]).reshape(len(own), -1, 2)
        assert len(corners) == len(own)  # a bar each
        expected.append(own)
        places.append(corners[:, 1, 0])
        assert (np.diff(corners[:, 0, 1]) > 0).all()  # downwards
    slope, zero = svg.fitted(np.concatenate(expected), np.concatenate(places))
    assert np.allclose(corners[:, 0, 0], zero, atol=0.02)
    mean = np.concatenate(expected).mean()
    assert svg.vertices(groups["mean"][0])[0, 0] == pytest.approx(slope * mean + zero, abs=0.02)


def test_what_is_said_is_on_the_page(units, svg):
    values, labels = units
    said = svg.words(drawn(values, labels, names={1: "São & <b>"}, sizes={2: 5000}, footer="a.gpkg")[0])
    for label, name in ((1, "São & <b>"), (3, "3")):
        own = values[labels == label]
        below = f", {(own < 0).sum()} below 0" if (own < 0).any() else ""
        assert f"n = {len(own)}, mean {own.mean():.3f}{below}" in said
        assert name in said
    assert any(text.startswith("n = 5,000,") for text in said)
    assert f"mean of all {values[labels > 0].mean():.3f}" in said
    ticks = [float(text) for text in said if text.replace("-", "").replace(".", "").isdigit() and "." in text]
    assert ticks == pytest.approx(np.arange(-3, 6) / 5)  # -0.6 is as far as the lowest needs


def test_thousands_of_units_are_areas_of_the_same_shape(svg):
    rng = np.random.default_rng(0)
    values, labels = rng.uniform(-0.3, 0.9, 20_000), rng.integers(1, 5, 20_000)
    picture, _ = drawn(values, labels)
    assert len(picture) < 1_500_000
    corners = svg.vertices(svg.groups(picture)["silhouettes-cluster-2"][0])
    own = np.sort(values[labels == 2])[::-1]
    edge = corners[1:-2]
    span = edge[:, 1].max() - edge[:, 1].min()
    share = (edge[:, 1] - edge[:, 1].min()) / span
    slope, zero = np.polyfit(np.quantile(own, 1 - share), edge[:, 0], 1)
    np.testing.assert_allclose(slope * np.quantile(own, 1 - share) + zero, edge[:, 0], atol=1.0)


@pytest.mark.parametrize(
    ("values", "labels"),
    [([0.5], [1]), ([0.0, 0.0], [1, 2]), ([-1.0, 1.0], [1, 2]), (np.linspace(-1, 1, 300), np.arange(1, 301))],
)
def test_odd_values_are_drawn_on_the_page(values, labels, svg):
    picture, _ = drawn(values, labels)
    assert b"nan" not in picture
    box = np.array(svg.ET.fromstring(picture).get("viewBox").split()[2:], float)
    for name, found in svg.groups(picture).items():
        if name.startswith("silhouettes"):
            corners = svg.vertices(found[0])
            assert ((corners > 0) & (corners < box)).all()


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(units, file_format):
    assert drawn(*units, file_format)[0] == drawn(*units, file_format)[0]


def test_what_cannot_be_drawn_is_refused(units):
    with pytest.raises(UsageError, match="a plot cannot be written as 'gif'"):
        drawn(*units, "gif")
    with pytest.raises(DataError, match="no unit has a silhouette"):
        drawn([np.nan, 0.3], [1, 0])
