"""Units are where their coordinates are, in the colour of their cluster, and centres where they belong."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from regionalize.errors import DataError, UsageError
from regionalize.maps.colors import cluster_color
from regionalize.maps.plots.scatter import MOST_CLOUDS, MOST_POINTS, Cloud, draw_scatter

SAID = {"axes": ("income", "rent"), "title": "k-means"}


def drawn(places, clouds, file_format="svg", **said):
    target = io.BytesIO()
    notes = draw_scatter(places, clouds, target, file_format=file_format, **{**SAID, **said})
    return target.getvalue(), notes


@pytest.fixture
def cloud():
    """Thirty units in three clusters, one of noise and one that takes no part."""
    rng = np.random.default_rng(4)
    places = rng.normal(size=(32, 2)) * (3, 0.5) + (100, 7)
    labels = np.array([*np.repeat([1, 2, 3], 10), 0, -1])
    return places, labels


def test_units_and_centres_are_where_they_belong(cloud, svg):
    places, labels = cloud
    centers = {k: places[labels == k].mean(axis=0).tolist() for k in (1, 2, 3)}
    picture, notes = drawn(places, [Cloud(labels, centers=centers)])
    assert notes == ()
    found = svg.points(picture, "units-1")
    assert set(found) == {cluster_color(k) for k in (0, 1, 2, 3)}  # who takes no part is not drawn
    assert sum(len(some) for some in found.values()) == 31
    of_axis = []
    for axis in (0, 1):
        values = np.concatenate([places[labels == k][:, axis] for k in (0, 1, 2, 3)])
        at = np.concatenate([found[cluster_color(k)][:, axis] for k in (0, 1, 2, 3)])
        of_axis.append(svg.fitted(values, at))
    assert of_axis[0][0] > 0 > of_axis[1][0]  # y runs downwards
    groups = svg.groups(picture)
    for k, center in centers.items():
        expected = [slope * value + offset for value, (slope, offset) in zip(center, of_axis, strict=True)]
        np.testing.assert_allclose(svg.middle(groups[f"center-1-{k}"][0]), expected, atol=0.03)


def test_what_is_said_is_on_the_page(cloud, svg):
    places, labels = cloud
    picture, _ = drawn(
        places,
        [Cloud(labels, centers={1: (100.0, 7.0)})],
        title="população $x$ <b>",
        footer="a.gpkg",
        names={1: "São & Paulo", 2: "</svg>"},
    )
    said = svg.words(picture)
    for text in ("população $x$ <b>", "São & Paulo", "</svg>", "3", "not clustered", "10", "a.gpkg"):
        assert text in said
    assert {"→ income", "↑ rent"} <= set(said)
    assert said.count("São & Paulo") == 2  # in the legend, and at its centre
    assert "no data" not in said


def test_lengths_are_alike_where_asked(cloud, svg):
    places, labels = cloud
    picture, _ = drawn(places, [Cloud(labels)], alike=True)
    found = svg.points(picture, "units-1")[cluster_color(1)]
    slopes = [svg.fitted(places[labels == 1][:, axis], found[:, axis])[0] for axis in (0, 1)]
    assert slopes[0] == pytest.approx(-slopes[1], rel=1e-3)


def test_one_variable_is_a_strip_per_cluster(cloud, svg):
    places, labels = cloud
    centers = {k: [float(places[labels == k, 0].mean())] for k in (1, 2, 3)}
    picture, _ = drawn(places[:, :1], [Cloud(labels, centers=centers)], axes=("income",))
    found = svg.points(picture, "units-1")
    slope, offset = svg.fitted(places[labels == 1][:, 0], found[cluster_color(1)][:, 0])
    spans = [(found[cluster_color(k)][:, 1].min(), found[cluster_color(k)][:, 1].max()) for k in (1, 2, 3)]
    assert spans[0][1] < spans[1][0]  # strips do not overlap
    assert spans[1][1] < spans[2][0]
    groups = svg.groups(picture)
    for k, span in zip((1, 2, 3), spans, strict=True):
        x, y = svg.middle(groups[f"center-1-{k}"][0])
        assert x == pytest.approx(slope * centers[k][0] + offset, abs=0.03)
        assert span[0] < y < span[1]


def test_panels_share_axes_and_say_what_they_are(cloud, svg):
    places, labels = cloud
    other = np.where(labels > 0, 4 - labels, labels)
    clouds = [Cloud(labels, "kmeans"), Cloud(other, "ward", "ARI 1.000"), Cloud(-np.ones(32), "none")]
    picture, _ = drawn(places, clouds)
    said = svg.words(picture)
    assert {"kmeans", "ward", "ARI 1.000", "none"} <= set(said)
    first, second = (svg.points(picture, f"units-{number}") for number in (1, 2))
    shift = second[cluster_color(3)] - first[cluster_color(1)]
    assert shift == pytest.approx(np.broadcast_to(shift[0], shift.shape), abs=0.02)
    assert "units-3" not in svg.groups(picture)


def test_values_that_are_missing_leave_their_unit_out(cloud, svg):
    places, labels = cloud
    places[0, 1] = np.nan
    picture, _ = drawn(places, [Cloud(labels)])
    assert len(svg.points(picture, "units-1")[cluster_color(1)]) == 9


@pytest.mark.parametrize("places", [np.zeros((3, 2)), np.full((3, 1), 1e300), np.eye(3)[:, :2] * 1e-300])
@pytest.mark.parametrize("alike", [False, True])
def test_odd_values_are_drawn_on_the_page(places, alike, svg):
    picture, _ = drawn(places, [Cloud([1, 2, 2], centers={1: places[0].tolist()})], alike=alike)
    assert b"nan" not in picture
    found = np.concatenate(list(svg.points(picture, "units-1").values()))
    assert ((found > 0) & (found < 900)).all()


def test_many_clusters_have_a_second_sign(svg):
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(1, 46), 2)
    places = rng.normal(size=(90, 2))
    centers = {k: places[labels == k].mean(axis=0).tolist() for k in range(1, 46)}
    picture, notes = drawn(places, [Cloud(labels, centers=centers)])
    assert any("only 20 colours stay apart" in note for note in notes)
    shapes = [
        re.sub(r"-?[\d.]+|\s", "", path.get("d"))
        for group in svg.groups(picture)["units-1"]
        for path in group.iter(f"{svg.SVG}path")
    ]
    assert {letters.count("C") > 0 for letters in shapes} == {True, False}  # circles, and others
    assert len(set(shapes)) == 3  # squares and triangles
    assert svg.words(picture).count("45") == 1  # so many centres have no room for their names
    assert sum(name.startswith("center-1-") for name in svg.groups(picture)) == 45


def test_many_units_go_into_a_vector_file_as_an_image(svg):
    rng = np.random.default_rng(0)
    places = rng.normal(size=(MOST_POINTS + 1, 2))
    picture, notes = drawn(places, [Cloud(np.ones(len(places)))])
    assert notes == ("the plot is heavy: the SVG holds its points as an image",)
    assert b"<image" in picture
    assert len(picture) < 1_500_000
    assert svg.points(picture, "units-1") == {}
    assert drawn(places[:-1], [Cloud(np.ones(len(places) - 1))])[1] == ()


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(cloud, file_format):
    places, labels = cloud
    clouds = [Cloud(labels, "a", centers={1: (100.0, 7.0)})]
    assert drawn(places, clouds, file_format)[0] == drawn(places, clouds, file_format)[0]


def test_what_cannot_be_drawn_is_refused(cloud):
    places, labels = cloud
    with pytest.raises(UsageError, match="a plot cannot be written as 'gif'"):
        drawn(places, [Cloud(labels)], "gif")
    with pytest.raises(DataError, match="nothing to draw"):
        drawn(places, [Cloud(-np.ones(32))])
    with pytest.raises(DataError, match="13 panels do not fit"):
        drawn(places, [Cloud(labels)] * (MOST_CLOUDS + 1))
