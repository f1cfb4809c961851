"""Parallel coordinates: medians and quartiles of the clusters, where pandas has them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from regionalize.errors import DataError, UsageError
from regionalize.maps.plots.parallel import FEW, MOST_PANELS, MOST_VARIABLES, draw_parallel

SAID = {"title": "k-means", "subtitle": "what it shows", "footer": "a.gpkg"}


def drawn(values, labels, file_format="svg", variables=None, **said):
    target = io.BytesIO()
    variables = variables or [f"v{number}" for number in range(values.shape[1])]
    notes = draw_parallel(
        values, labels, target, file_format=file_format, variables=variables, **{**SAID, **said}
    )
    return target.getvalue(), notes


def sample(k, p, n=200):
    rng = np.random.default_rng(k + p)
    labels = np.concatenate([np.arange(1, k + 1), rng.integers(1, k + 1, n - k)])
    return rng.normal(size=(n, p)) * 3 + labels[:, None] % 3 + 50, labels


@pytest.mark.parametrize(("k", "p"), [(3, 4), (2, 12), (5, 4)])
def test_lines_are_medians_and_ribbons_quartiles(k, p, svg):
    values, labels = sample(k, p)
    labels[:3] = -1  # they take no part, not even in the means
    picture, notes = drawn(values, labels)
    assert notes == ()
    groups = svg.groups(picture)
    used = labels > 0
    z = (values[used] - values[used].mean(axis=0)) / values[used].std(axis=0, ddof=1)
    grouped = pd.DataFrame(z).groupby(labels[used])
    corners = {label: svg.vertices(groups[f"medians-cluster-{label}"][0]) for label in range(1, k + 1)}
    slopes = []
    quartiles = grouped.quantile([0.25, 0.5, 0.75]).stack()
    for label in range(1, k + 1):
        lines = {
            0.25: svg.vertices(groups[f"quartiles-cluster-{label}"][0])[:p],
            0.5: corners[label],
            0.75: svg.vertices(groups[f"quartiles-cluster-{label}"][0])[p : 2 * p][::-1],
        }
        values_of = np.concatenate([quartiles.loc[label, share].to_numpy() for share in lines])
        places = np.concatenate([corner[:, 0] for corner in lines.values()])
        slopes.append(svg.fitted(values_of, places)[0])  # one axis for all three
        np.testing.assert_allclose(np.diff(corners[label][:, 1]), np.diff(corners[label][:, 1])[0], atol=0.01)
    assert min(slopes) > 0
    assert np.ptp(slopes) < 0.01  # and for all clusters


def test_names_ranges_and_units_are_on_the_page(svg):
    values, labels = sample(2, 3)
    picture, _ = drawn(values, labels, variables=["rent", "população", "<i>"], names={1: "north", 2: "a&b"})
    said = svg.words(picture)
    for text in ("rent", "população", "<i>", "north", "a&b", f"n = {(labels == 1).sum()}", "mean", "a.gpkg"):
        assert text in said
    low, high = values[:, 0].min(), values[:, 0].max()
    assert f"{low:.4g} … {high:.4g}" in said


def test_few_units_are_lines_and_many_are_not(svg):
    labels = np.repeat([1, 2], [FEW + 1, FEW])
    values = np.random.default_rng(0).normal(size=(len(labels), 4))
    groups = svg.groups(drawn(values, labels)[0])
    assert "units-cluster-1" not in groups
    lines = groups["units-cluster-2"][0].find(f"{svg.SVG}path").get("d")
    assert lines.count("M") == FEW


def test_more_clusters_have_a_panel_each_with_the_others_behind(svg):
    values, labels = sample(6, 5)
    labels[:20] = 0
    groups = svg.groups(drawn(values, labels)[0])
    assert len(groups["other-medians"]) == 7  # noise is a group as well
    assert groups["other-medians"][0].find(f"{svg.SVG}path").get("d").count("M") == 6
    assert "medians-not-clustered" in groups


@pytest.mark.parametrize(("k", "p"), [(1, 1), (1, 2), (3, 1), (4, 1), (20, 40), (7, 40), (25, 2)])
def test_everything_is_on_the_page(k, p, svg):
    values, labels = sample(k, p)
    values[:, 0] = 7.0  # a constant column
    picture, _ = drawn(values, labels, variables=[f"a rather long name {number}" for number in range(p)])
    assert b"nan" not in picture
    box = svg.ET.fromstring(picture).get("viewBox").split()
    for name, found in svg.groups(picture).items():
        if name.startswith(("medians", "quartiles", "units")):
            corners = np.concatenate([svg.vertices(group) for group in found])
            assert ((corners > 0) & (corners < np.array(box[2:], float))).all()


def test_a_far_away_unit_does_not_squeeze_the_others(svg):
    values = np.random.default_rng(3).normal(size=(500, 3))
    values[0] = 1000.0
    labels = np.repeat([1, 2], 250)
    corners = svg.vertices(svg.groups(drawn(values, labels)[0])["medians-cluster-1"][0])
    assert np.isfinite(corners).all()
    picture, _ = drawn(values, np.repeat([1, 2], [10, 490]))
    lines = svg.vertices(svg.groups(picture)["units-cluster-1"][0])
    box = svg.ET.fromstring(picture).get("viewBox").split()
    assert ((lines > 0) & (lines < np.array(box[2:], float))).all()


def test_what_has_no_room_is_said():
    values, labels = sample(MOST_PANELS + 2, MOST_VARIABLES + 1, 300)
    notes = drawn(values, labels)[1]
    assert f"the plot shows {MOST_PANELS} of {MOST_PANELS + 2} clusters, the first" in notes
    assert f"the plot shows {MOST_VARIABLES} of {MOST_VARIABLES + 1} variables, the first" in notes


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(file_format):
    values, labels = sample(4, 3)
    assert drawn(values, labels, file_format)[0] == drawn(values, labels, file_format)[0]


def test_what_cannot_be_drawn_is_refused():
    values, labels = sample(2, 2)
    with pytest.raises(UsageError, match="a plot cannot be written as 'gif'"):
        drawn(values, labels, "gif")
    with pytest.raises(DataError, match="nothing to draw"):
        drawn(values, -np.ones(200))
