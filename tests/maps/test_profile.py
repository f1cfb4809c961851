"""Time profiles: means and standard deviations are where they should be, and gaps are gaps."""

from __future__ import annotations

import io
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from regionalize.errors import DataError, UsageError
from regionalize.maps.plots.profile import MOST_PANELS, draw_profile
from regionalize.maps.text import Font

SAID = {"title": "k-means", "footer": "a.gpkg"}


def drawn(means, deviations, file_format="svg", sizes=None, **said):
    target = io.BytesIO()
    steps = said.pop("steps", [f"d{number}" for number in range(1, means.shape[1] + 1)])
    sizes = sizes or {label: 10 * label for label in range(1, len(means) + 1)}
    notes = draw_profile(
        means, deviations, target, file_format=file_format, steps=steps, sizes=sizes, **{**SAID, **said}
    )
    return target.getvalue(), notes


@pytest.fixture
def profile():
    rng = np.random.default_rng(1)
    return rng.normal(size=(3, 8)).cumsum(axis=1) * 5 + 40, rng.random((3, 8)) + 0.5


def test_lines_are_means_and_ribbons_a_standard_deviation(profile, svg):
    means, deviations = profile
    groups = svg.groups(drawn(means, deviations)[0])
    slopes = []
    for row, label in enumerate((1, 2, 3)):
        line = svg.vertices(groups[f"mean-cluster-{label}"][0])
        ribbon = svg.vertices(groups[f"sd-cluster-{label}"][0])
        low, high = ribbon[:8], ribbon[8:16][::-1]
        np.testing.assert_allclose(low[:, 0], line[:, 0], atol=1e-3)
        values = np.concatenate([means[row], means[row] - deviations[row], means[row] + deviations[row]])
        slope, _ = svg.fitted(values, np.concatenate([line[:, 1], low[:, 1], high[:, 1]]))
        slopes.append(slope)
        np.testing.assert_allclose(np.diff(line[:, 0]), np.diff(line[:, 0])[0], atol=0.01)
    assert max(slopes) < 0  # y runs downwards
    assert np.ptp(slopes) < 1e-4  # panels share their axes


def test_what_is_said_is_on_the_page(profile, svg):
    means, deviations = profile
    picture, notes = drawn(
        means, deviations, sizes={1: 1200, 2: 7, 0: 3}, names={1: "São", 2: "b<c"}, subtitle="lines are means"
    )
    said = svg.words(picture)
    assert notes == ()
    expected = {"São", "n = 1,200", "b<c", "n = 7", "not clustered", "n = 3", "d1", "lines are means"}
    assert expected <= set(said)


@pytest.mark.parametrize("steps", [2, 3, 8])
@pytest.mark.parametrize("form", ["disposable_income_{}", "{} disposable income", "d{}"])
def test_names_of_steps_are_told_apart_and_do_not_meet(svg, steps, form):
    years = [f"{2010 + step}" for step in range(steps)]
    values = np.arange(4.0 * steps).reshape(4, steps)
    sizes = dict.fromkeys(range(1, 5), 9)
    picture, _ = drawn(values, values, steps=[form.format(year) for year in years], sizes=sizes)
    font = Font(["DejaVu Sans"], 7)
    texts = [
        text for text in ET.fromstring(picture).iter(f"{svg.SVG}text") if re.search(r"20[12]\d", text.text)
    ]
    names = sorted((float(text.get("y")), float(text.get("x")), text.text) for text in texts)
    gaps = [
        right[1] - left[1] - font.width(left[2])
        for left, right in itertools.pairwise(names)
        if left[0] == right[0]
    ]
    told = {re.search(r"20..", name)[0] for *_, name in names}
    assert min(gaps) > 4
    assert years[0] in told
    assert len(told) > 1


def test_missing_steps_are_gaps(profile, svg):
    means, deviations = profile
    means[0, 3], deviations[0, 3] = np.nan, np.nan
    means[1, [1, 3]] = np.nan  # a step by itself stands between
    deviations[2] = np.nan  # one unit only
    picture, _ = drawn(means, deviations)
    groups = svg.groups(picture)
    assert b"nan" not in picture
    line = groups["mean-cluster-1"][0].find(f"{svg.SVG}path").get("d")
    assert line.count("M") == 2
    ribbons = groups["sd-cluster-2"][0].find(f"{svg.SVG}path").get("d")
    assert ribbons.count("M") == 3
    assert len(svg.vertices(groups["mean-cluster-3"][0])) == 8


@pytest.mark.parametrize(("k", "steps"), [(1, 1), (2, 2), (7, 40), (20, 400)])
def test_everything_is_on_the_page(k, steps, svg):
    rng = np.random.default_rng(0)
    names = [f"year_{number:04d}" for number in range(steps)]
    picture, _ = drawn(rng.normal(size=(k, steps)), np.ones((k, steps)), steps=names)
    box = np.array(svg.ET.fromstring(picture).get("viewBox").split()[2:], float)
    for name, found in svg.groups(picture).items():
        if name.startswith(("mean-", "sd-")):
            for group in found:
                corners = svg.vertices(group)
                assert ((corners > 0) & (corners < box)).all()
    assert names[0] in svg.words(picture)


def test_flat_values_are_drawn(svg):
    picture, _ = drawn(np.full((2, 3), 5.0), np.zeros((2, 3)), of_all=np.full(3, 5.0))
    assert b"nan" not in picture
    assert len(svg.groups(picture)["of-all"]) == 2


def test_more_clusters_than_fit_are_said():
    means = np.arange(MOST_PANELS + 3.0)[:, None] * np.ones(2)
    notes = drawn(means, np.ones_like(means))[1]
    assert notes == (f"the profile shows {MOST_PANELS} of {MOST_PANELS + 3} clusters, the first",)


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(profile, file_format):
    assert drawn(*profile, file_format)[0] == drawn(*profile, file_format)[0]


def test_what_cannot_be_drawn_is_refused(profile):
    with pytest.raises(UsageError, match="a plot cannot be written as 'gif'"):
        drawn(*profile, "gif")
    with pytest.raises(DataError, match="no step has a value"):
        drawn(np.full((2, 3), np.nan), np.full((2, 3), np.nan))
