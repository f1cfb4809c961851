"""What contiguous regions share, in arrays: upper units, compactness, the checks after a run."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regionalize as rz
from regionalize.errors import UsageError
from regionalize.features.build import build_features
from regionalize.model.job import CHOICES
from regionalize.model.layer import Layer
from regionalize.model.partition import Partition
from regionalize.model.weights import Weights
from regionalize.run.options import make_job
from regionalize.run.upper import undirected
from regionalize.run.verify import verify, verify_locked, verify_nested

links = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30)


@given(links, st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_links_across_groups_are_taken_out(pairs, groups):
    row, neighbor = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    weights = Weights.from_links(8, row, neighbor, np.arange(1.0, len(row) + 1), kind="example")
    inside = weights.within(np.array(groups))
    listed = dict(zip(zip(weights.row, weights.indices, strict=True), weights.values, strict=True))
    kept = {(one, other): value for (one, other), value in listed.items() if groups[one] == groups[other]}
    assert dict(zip(zip(inside.row, inside.indices, strict=True), inside.values, strict=True)) == kept
    assert inside.indptr.dtype == inside.indices.dtype == np.int64
    assert len(inside) == 8
    assert undirected(inside) == len({frozenset(map(int, pair)) for pair in kept})


@pytest.mark.parametrize("transform", CHOICES["transform"])
@pytest.mark.parametrize("extra", [{}, {"hops": 2}, {"column_weights": {"a": 3}}])
def test_compactness_is_a_share_of_what_is_minimised(frame, transform, extra):
    """(1 - W) WSS / TSS + W inertia / inertia of the layer, for any grouping, up to one factor."""
    layer = Layer.from_frame(frame)
    path = Weights.from_links(25, np.arange(24), np.arange(1, 25), kind="path")
    options = {"k": 3, "columns": "a,pop", "transform": transform, **extra}
    plain = build_features(layer, make_job("skater", options), path)
    found = build_features(layer, make_job("skater", {**options, "compactness": 0.3}), path)
    place = frame.centroid.get_coordinates().to_numpy()
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(5):
        labels = rng.integers(0, 3, 25)
        wanted = 0.7 * share_within(plain.X, labels) + 0.3 * share_within(place, labels)
        ratios.append(share_within(found.X, labels) / wanted)
    assert ratios == pytest.approx([1.0] * 5)


def share_within(values, labels):
    total = ((values - values.mean(axis=0)) ** 2).sum()
    groups = [values[labels == label] for label in np.unique(labels)]
    return sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups) / total


def test_compactness_of_zero_leaves_the_variables_alone(frame):
    layer = Layer.from_frame(frame)
    plain = build_features(layer, make_job("skater", {"k": 3}))
    zero = build_features(layer, make_job("skater", {"k": 3, "compactness": 0.0}))
    assert np.array_equal(plain.X, zero.X)
    assert zero.coordinates is None


def test_all_columns_constant_is_refused_with_compactness_too(frame):
    frame["same"] = 1.0
    with pytest.raises(rz.RegionalizeError, match="constant"):
        rz.regionalize(frame, "skater", k=3, columns="same", compactness=0.5)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (
            "kmeans",
            {"within": "a"},
            "--within is for methods that make contiguous regions, and kmeans is none of them",
        ),
        ("kmeans", {"compactness": 0.5}, "--compactness is for methods"),
        (
            "skater",
            {"locked": "a"},
            "--locked is for methods that begin with a plan, and skater is none of them",
        ),
        ("skater", {"within": 3}, "--within is 3; it must be text"),
        ("skater", {"compactness": "x"}, "--compactness is x; it must be a number"),
        ("skater", {"compactness": 0.5, "with_centroids": True}, "both put weight on the coordinates"),
        ("skater", {"k": [4, 8]}, "--k takes one number"),
        ("skater", {"k": []}, "--k is empty"),
        ("skater", {"levels": (4, 8)}, "unknown option 'levels'"),
        ("planned", {"start": 3}, "--start is 3; it must be text"),
        ("nesting", {"k": [4, 0]}, "--k is 0; it must be a whole number of at least 1"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(method, options, message, standin):
    with pytest.raises(UsageError, match=message):
        make_job(method, {"k": 3, **options})


def test_numbers_of_regions_are_sorted_and_each_taken_once(standin):
    job = make_job("nesting", {"k": np.array([12, 4, 8, 4])})
    assert (job.k, job.levels) == (12, (4, 8))
    assert job.settings()["levels"] == (4, 8)
    assert make_job("nesting", {"k": range(2, 5)}).levels == (2, 3)
    assert make_job("nesting", {"k": [7]}) == make_job("nesting", {"k": 7})


def test_every_level_must_meet_the_bounds(frame, standin):
    with pytest.raises(rz.RegionalizeError, match="2 clusters of at most 9 units hold 18, but there are 25"):
        rz.regionalize(frame, "nesting", k=[2, 8], max_size=9)


PATH = Weights.from_links(6, np.arange(5), np.arange(1, 6), kind="path")


def test_regions_that_cross_upper_units_are_found():
    halves, thirds = Partition.canonical(np.repeat([0, 1], 3)), np.repeat([0, 1, 2], 2)
    rows = np.arange(6)
    verify(halves, 2, (), rows, PATH, np.repeat([4, 9], 3))
    verify(Partition.canonical(thirds), 3, (), rows, PATH, np.zeros(6, dtype=np.int64))
    with pytest.raises(AssertionError, match="region 1 crosses upper units"):
        verify(halves, 2, (), rows, PATH, thirds)
    unused = Partition.canonical(np.array([0, 0, -1, 1, 1, 1]))  # a row left out has no upper unit
    verify(unused, 2, (), np.array([0, 1, 3, 4, 5]), PATH, np.array([0, 0, -1, 1, 1, 1]))


@given(
    st.lists(st.integers(-1, 3), min_size=7, max_size=7), st.lists(st.integers(0, 2), min_size=4, max_size=4)
)
def test_joined_regions_nest_and_others_do_not(codes, joined):
    fine = Partition.canonical(np.array(codes))
    coarse = Partition.canonical(np.array([-1 if code < 0 else joined[code] for code in codes]))
    verify_nested([coarse, fine])
    if fine.k > coarse.k:
        with pytest.raises(AssertionError, match="coarser"):
            verify_nested([fine, coarse])


@given(
    st.lists(st.integers(0, 2), min_size=6, max_size=6),
    st.lists(st.integers(0, 2), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_locked_pairs_stay_together_and_apart(labels, plan, locked):
    """Any two locked units share a region in the result exactly when they share one in the plan."""
    labels, plan, locked = np.array(labels), np.array(plan), np.array(locked)
    held = np.flatnonzero(locked)
    kept = all((labels[i] == labels[j]) == (plan[i] == plan[j]) for i in held for j in held)
    if kept:
        verify_locked(labels, plan, locked)
    else:
        with pytest.raises(AssertionError, match="did not keep it"):
            verify_locked(labels, plan, locked)
    verify_locked(labels, plan, None)
    verify_locked(labels, None, None)


def test_levels_come_on_the_frames_index(frame, standin):
    frame = geopandas.GeoDataFrame(frame.set_index(np.arange(100, 125)))
    frame.loc[104, "a"] = np.nan
    found = rz.regionalize(frame, "nesting", k=[2, 5], columns=["a"], missing="drop")
    assert found.levels.index.equals(frame.index)
    assert found.levels.loc[104].isna().all()
    assert found.levels[5].dropna().nunique() == 5
    assert found.levels[5].equals(found.labels.rename(5))
    taken = frame.assign(cluster_2=0)
    with pytest.raises(UsageError, match="already has a column 'cluster_2'"):
        rz.regionalize(taken, "nesting", k=[2, 5], columns=["a"], missing="drop").to_frame()
    one = rz.regionalize(frame, "nesting", k=3, columns=["b"])
    assert one.levels.columns.tolist() == [3]
    assert "cluster" in one.to_frame()


def test_a_table_in_place_of_a_file_is_refused_in_one_short_line(frame):
    with pytest.raises(UsageError) as caught:
        rz.regionalize(frame, "hierarchical", k=3, columns=["a"], distances=np.zeros((500, 500)))
    assert str(caught.value).startswith("--distances is array(")
    assert len(str(caught.value)) < 100
    assert "\n" not in str(caught.value)
