"""The whole measurement against pygeoda's validation of Guerry and published figures."""

import math

import numpy as np
import pytest
import shapely

from regionalize.errors import DataError
from regionalize.measure import diameter as diameter_module
from regionalize.measure.regions import measure_regions
from regionalize.model.weights import Weights


@pytest.fixture(scope="session", params=range(4), ids=["skater", "kmeans", "schc", "make-spatial"])
def validation(request, shared_reference, guerry, guerry_queen):
    expected = shared_reference["validation"][request.param]
    labels = np.array(expected["labels"])
    found, notes = measure_regions(labels, guerry_queen, guerry.geometry.to_numpy())
    assert notes == ()
    return expected, labels, found


def by_falling_size(rows, labels):
    """Match a list of pygeoda's, which runs by falling cluster size, to labels (ties: any way round)."""
    sizes = np.bincount(labels)[1:]
    return dict(zip((np.argsort(-sizes, kind="stable") + 1).tolist(), rows, strict=True))


def test_fragmentation_equals_pygeoda(validation):
    expected, _, found = validation
    assert found.contiguous == expected["spatially_constrained"]
    assert len(found.clusters) == expected["fragmentation"]["n"]
    assert found.entropy == pytest.approx(expected["fragmentation"]["entropy"])
    assert found.entropy_normalized == pytest.approx(expected["fragmentation"]["std_entropy"])
    assert found.simpson == pytest.approx(expected["fragmentation"]["simpson"])
    assert found.simpson_normalized == pytest.approx(expected["fragmentation"]["std_simpson"])


def test_subclusters_equal_pygeoda(validation):
    expected, labels, found = validation
    if expected["cluster_fragmentation"] is None:
        assert {shape.subclusters for shape in found.clusters} == {1}
        return
    rows = by_falling_size(expected["cluster_fragmentation"], labels)
    for shape in found.clusters:
        row = rows[shape.label]
        assert shape.subclusters == row["n"]
        assert shape.entropy == pytest.approx(row["entropy"])
        assert shape.entropy_normalized == pytest.approx(row["std_entropy"])
        assert shape.simpson == pytest.approx(row["simpson"])
        assert shape.simpson_normalized == pytest.approx(row["std_simpson"])


def test_joins_equal_pygeoda(validation):
    expected, _, found = validation
    rows = [(row["n"], row["neighbors"], row["join_count"]) for row in expected["joincount"]]
    assert [(shape.members, shape.neighbors, shape.joins) for shape in found.clusters] == rows
    for shape, row in zip(found.clusters, expected["joincount"], strict=True):
        assert shape.join_count_ratio == pytest.approx(row["ratio"])
    total = expected["all_joincount"]
    assert (found.neighbors, found.joins) == (total["neighbors"], total["join_count"])
    assert found.join_count_ratio == pytest.approx(total["ratio"])


def test_compactness_equals_pygeoda(validation):
    expected, labels, found = validation
    if expected["compactness"] is None:
        assert {shape.ipq_geoda for shape in found.clusters} == {None}
        return
    rows = by_falling_size(expected["compactness"], labels)
    for shape in found.clusters:
        assert shape.area == pytest.approx(rows[shape.label]["area"])
        assert shape.perimeter == pytest.approx(rows[shape.label]["perimeter"])
        assert shape.ipq_geoda == pytest.approx(rows[shape.label]["ipq"])


def test_diameter_equals_pygeoda(validation):
    expected, labels, found = validation
    if expected["diameter"] is None:
        assert {shape.diameter for shape in found.clusters} == {None}
        return
    rows = by_falling_size(expected["diameter"], labels)
    for shape in found.clusters:
        assert shape.diameter == rows[shape.label]["steps"]
        assert shape.diameter_ratio == pytest.approx(shape.diameter / shape.members)


def test_skater_equals_what_was_published(shared_reference, guerry, guerry_queen, published):
    rows = {
        row["metric"]: [float(value) for value in row["value"].split(";")]
        for row in published
        if (row["method"], row["parameters"]) == ("SKATER validation", "k=6")
    }
    labels = np.array(shared_reference["validation"][0]["labels"])
    found, _ = measure_regions(labels, guerry_queen, guerry.geometry.to_numpy())
    assert [found.entropy] == pytest.approx(rows["entropy"])
    assert [found.entropy_normalized] == pytest.approx(rows["entropy*"])
    assert [found.simpson] == pytest.approx(rows["simpson"])
    assert [found.simpson_normalized] == pytest.approx(rows["simpson*"])
    for name, metric in {
        "diameter": "diameter steps",
        "diameter_ratio": "diameter ratio",
        "ipq_geoda": "IPQ",
        "area": "area",
        "perimeter": "perimeter",
        "join_count_ratio": "join count ratio",
    }.items():
        assert [getattr(shape, name) for shape in found.clusters] == pytest.approx(rows[metric]), metric
    # the specification's figure for the dissolved outline of the largest region
    assert found.clusters[0].ipq_dissolved == pytest.approx(0.145, abs=5e-4)


def test_the_dissolved_outline_is_that_of_geopandas(shared_reference, guerry, guerry_queen):
    labels = np.array(shared_reference["validation"][0]["labels"])
    found, _ = measure_regions(labels, guerry_queen, guerry.geometry.to_numpy())
    union = guerry.dissolve(by=labels).geometry
    expected = 4 * math.pi * union.area / union.length**2
    assert [shape.ipq_dissolved for shape in found.clusters] == pytest.approx(expected.tolist(), rel=1e-6)


def test_a_whole_cluster_is_measured_beside_a_broken_one(path_of_four):
    squares = np.array([shapely.box(x, 0, x + 1, 1) for x in range(4)])
    found, notes = measure_regions(np.array([1, 2, 2, 1]), path_of_four, squares)
    broken, whole = found.clusters
    assert (broken.area, broken.ipq_geoda, broken.ipq_dissolved, broken.diameter) == (None, None, None, None)
    assert (whole.area, whole.diameter, whole.diameter_ratio, notes) == (2.0, 1, 0.5, ())


def test_without_shapes_there_is_no_compactness(path_of_four):
    found, notes = measure_regions(np.array([1, 1, 1, 1]), path_of_four)
    assert (found.clusters[0].diameter, found.clusters[0].area, notes) == (3, None, ())


def test_one_way_links_are_walked_both_ways():
    """A star of nearest neighbours, all arrows inwards: every outer unit reaches every other in two."""
    star = Weights(np.array([0, 0, 1, 2, 3]), np.zeros(3, dtype=np.int64), np.ones(3), "knn:1")
    found, _ = measure_regions(np.array([1, 1, 1, 1]), star)
    assert (found.clusters[0].diameter, found.joins) == (2, 3)


def test_noise_is_no_way_through():
    ring = Weights.from_links(
        6, np.r_[0:6, (np.arange(6) + 1) % 6], np.r_[(np.arange(6) + 1) % 6, 0:6], kind="ring"
    )
    found, _ = measure_regions(np.array([1, 1, 0, 1, 1, 0]), ring)
    assert found.clusters[0].subclusters == 2
    found, _ = measure_regions(np.array([1, 1, 1, 1, 1, 0]), ring)
    assert found.clusters[0].diameter == 4


def test_a_diameter_that_takes_too_long_is_left_out(monkeypatch, path_of_four):
    monkeypatch.setattr(diameter_module, "DIAMETER_LINKS", 10)
    found, notes = measure_regions(np.array([1, 1, 1, 2]), path_of_four)
    assert [shape.diameter for shape in found.clusters] == [None, 0]
    assert notes == ("The diameter of cluster 1 is left out: proving it would take too long.",)


def test_geometry_must_match_labels(path_of_four):
    with pytest.raises(DataError, match="4 labels for 1 geometries"):
        measure_regions(np.array([1, 1, 2, 2]), path_of_four, np.array([shapely.Point(0, 0)]))
