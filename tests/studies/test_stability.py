"""Stability: what must be 1, what must be a half, and the shares counted once more from the runs' labels."""

from __future__ import annotations

from itertools import permutations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import regionalize as rz
from regionalize.errors import InfeasibleError, UsageError
from regionalize.model.bounds import Bound
from regionalize.model.layer import Layer
from regionalize.run.recipes import read_single
from regionalize.run.task import read_task
from regionalize.run.weights import ready_weights
from regionalize.studies.resampling import draws, joined, restricted, shrunk
from regionalize.studies.stability import Tally, measure_stability, run_again


@pytest.fixture
def squares():
    """Return 8 × 8 unit squares whose four quarters differ, with an amount to bound."""
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(8), np.arange(8)))
    rng = np.random.default_rng(3)
    quarter = 2 * (x > 3) + (y > 3)
    return geopandas.GeoDataFrame(
        {
            "a": quarter + rng.normal(scale=0.5, size=64),
            "b": -quarter + rng.normal(scale=0.5, size=64),
            "pop": rng.integers(10, 99, 64),
            "half": np.where(x > 3, "east", "west"),
        },
        geometry=shapely.box(1000 * x, 1000 * y, 1000 * x + 1000, 1000 * y + 1000),
        crs="EPSG:32633",
    )


AB = {"columns": ["a", "b"]}


def task_of(frame, method, options):
    layer = Layer.from_frame(frame)
    job = read_single(method, options)
    return read_task(layer, job, ready_weights(layer, job))


@pytest.mark.parametrize("method", ["kmeans", "skater", "schc", "redcap"])
@pytest.mark.parametrize("reseed", [False, True])
def test_groups_far_apart_are_stable(method, reseed, squares):
    squares["a"] = 100.0 * (squares.geometry.centroid.x > 4000) + 0.01 * squares["a"]
    squares["b"] = 100.0 * (squares.geometry.centroid.y > 4000) + 0.01 * squares["b"]
    found = rz.stability(squares, method, k=4, runs=12, reseed=reseed, **AB)
    assert found.stability.tolist() == [1.0] * 64
    assert found.report["stability"] == 1
    assert found.report["adjusted_rand"] == {"mean": 1, "least": 1}
    assert [region["mean"] for region in found.report["regions"]] == [1, 1, 1, 1]


def test_a_unit_between_two_groups_is_half_stable():
    """Two mirrored groups and one unit in the middle: which group takes it is a matter of who is there."""
    rng = np.random.default_rng(8)
    right = rng.normal(10, 3, size=60)
    frame = pd.DataFrame({"a": np.concatenate([right, -right, [0.0]])})
    starts = "kmeans:search=starts,n-init=3"
    found = rz.stability(frame, starts, k=2, columns=["a"], runs=200, transform="raw", resample="50%")
    assert 0.35 < found.stability.iloc[-1] < 0.65  # of some 100 runs, where 0.5 has a deviation of 0.05
    assert found.stability[np.abs(frame["a"]) > 8].min() == 1


@pytest.mark.parametrize(
    ("method", "options", "resample"),
    [
        ("kmeans", {"k": 4}, 0.6),
        ("skater", {"k": 4}, 0.6),
        ("azp:search=greedy,start=random,iterations=50", {"k": 3}, None),
        ("maxp:iterations=50", {"min_bound": "pop=15%"}, 0.7),
    ],
)
def test_shares_counted_once_more(method, options, resample, squares):
    """All ways of numbering are tried, where the program asks for the best assignment."""
    runs = 8
    task = task_of(squares, method, {**AB, **options})
    found = measure_stability(task.layer, task.job, runs=runs, resample=resample)
    reference = found.partition.labels
    stayed, there = np.zeros(64), np.zeros(64)
    for draw in draws(task.job.seed, runs, 64, resample):
        labels = run_again(task, draw)
        rows = np.arange(64) if draw.kept is None else draw.kept
        there[rows] += 1
        k = max(labels.max(), reference.max())
        ways = np.array(list(permutations(range(1, k + 1))))
        agreed = (ways[:, labels - 1] == reference[rows]).sum(axis=1)
        best = ways[agreed == agreed.max()]
        if len(best) > 1:  # of equally good ways any may be taken; the one there is must be among them
            best = best[:1]
        stayed[rows] += best[0][labels - 1] == reference[rows]
    np.testing.assert_allclose(found.share * there, stayed)
    assert there.max() <= runs


def test_it_is_the_same_again(squares):
    first = rz.stability(squares, "kmeans", k=4, runs=9, jobs=1, **AB)
    second = rz.stability(squares, "kmeans", k=4, runs=9, jobs=2, **AB)
    assert first.stability.equals(second.stability)
    assert first.labels.tolist() == rz.regionalize(squares, "kmeans", k=4, **AB).labels.tolist()
    other = rz.stability(squares, "kmeans", k=4, runs=9, seed=5, **AB)
    assert not first.stability.equals(other.stability)


def test_runs_are_drawn_one_by_one():
    """The first runs of many are the runs of few; no unit is likelier than others, and none comes twice."""
    few, many = list(draws(7, 3, 50, 0.3)), list(draws(7, 400, 50, 0.3))
    assert [one.seed for one in few] == [one.seed for one in many[:3]]
    assert all(np.array_equal(a.kept, b.kept) for a, b in zip(few, many, strict=False))
    assert all(len(one.kept) == 15 and (np.diff(one.kept) > 0).all() for one in many)
    often = np.bincount(np.concatenate([one.kept for one in many]), minlength=50)
    assert 70 < often.min() < often.max() < 175  # 120 expected, standard deviation 9
    assert len({one.seed for one in many}) == 400
    assert all(one.kept is None for one in draws(7, 3, 50, None))


@given(st.integers(2, 30), st.floats(0.001, 0.999))
def test_a_part_is_never_all_and_never_none(n, share):
    (one,) = draws(1, 1, n, share)
    assert 1 <= len(one.kept) < n


def test_amounts_go_where_units_go(squares):
    options = {**AB, "k": 3, "min_size": 5, "min_bound": "pop=10%"}
    task = task_of(squares, "skater", options)
    (draw,) = draws(1, 1, 64, 0.5)
    part = restricted(task, draw)
    assert part.features.rows.tolist() == draw.kept.tolist()
    assert [float(bound.amount.sum()) for bound in part.bounds] == [64, squares["pop"].sum()]
    assert [bound.lower for bound in part.bounds] == [bound.lower for bound in task.bounds]
    labels = run_again(task, draw)
    held = np.bincount(labels, part.bounds[1].amount)[1:]
    assert held.min() >= 0.1 * squares["pop"].sum()
    free = restricted(task_of(squares, "kmeans", options), draw)
    assert free.bounds[0].lower == pytest.approx(2.5)
    assert free.bounds[1].lower == pytest.approx(0.1 * squares["pop"].iloc[draw.kept].sum())


def test_bounds_of_nothing_left():
    bound = Bound("pop", np.array([0.0, 5.0]), lower=1, upper=9)
    assert (shrunk(bound, np.array([0])).lower, shrunk(bound, np.array([0])).upper) == (1, 9)
    assert joined(bound, np.array([1, 1]), np.array([1])).amount.tolist() == [5]
    assert joined(bound, np.array([0, -1]), np.array([0])).amount.tolist() == [0]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("skater", {"k": 4, "within": "half"}),
        ("balance:balance=pop,iterations=50", {"k": 3, "tolerance": "20%"}),
        ("kmeans", {"k": 3, "make_contiguous": True}),
        ("kmeans:search=starts,n-init=1", {"k": 3, "centroid_weight": "auto"}),
        ("kmeans", {"k": 3, "hops": 1, "with_centroids": True}),
        ("azp:start=plan,locked=fixed,iterations=50", {}),
    ],
)
def test_every_kind_of_option(method, options, squares):
    squares["plan"] = 1 + (squares.geometry.centroid.x > 4000) + (squares.geometry.centroid.y > 4000)
    squares["fixed"] = (squares.index % 9 == 0).astype(int)
    found = rz.stability(squares, method, runs=3, **AB, **options)
    assert found.report["runs_solved"] == 3
    assert found.stability.between(0, 1).all()


def test_noise_is_a_place_to_stay(squares):
    tally = Tally(np.array([1, 1, 2, 2, 0]))
    tally.add(None, np.array([2, 2, 1, 0, 0]))
    assert tally.share.tolist() == [1, 1, 1, 0, 1]
    tally.add(np.array([0, 1, 4]), np.array([1, 0, 1]))
    assert tally.share.tolist() == [1, 0.5, 1, 0, 0.5]
    assert tally.regions == [2, 1]


def test_noise_has_a_row_of_its_own(squares):
    found = rz.stability(squares, "dbscan", eps=0.35, min_samples=4, runs=5, **AB)
    noise = found.labels == 0
    assert 0 < noise.sum() < 64
    last = found.report["regions"][-1]
    assert (last["label"], last["size"]) == ("noise", noise.sum())
    assert last["mean"] == pytest.approx(found.stability[noise].mean())
    assert found.report["stability"] == pytest.approx(found.stability.mean())


def test_rows_with_gaps_and_units_that_were_never_drawn(squares):
    squares.loc[[3, 40], "a"] = np.nan
    found = rz.stability(squares, "skater", k=3, runs=1, missing="drop", **AB)
    assert found.labels[[3, 40]].isna().all()
    assert found.stability.isna().sum() == 2 + 12  # a fifth of 62 took part in nothing
    assert any("12 units took part in no run" in note for note in found.notes)
    assert found.report["input"] == {"file": "", "layer": "", "rows": 64, "rows_used": 62}


def test_runs_without_a_solution_are_counted(squares):
    """Two clusters with somebody in each do not exist where one of the two inhabited units is left out."""
    frame = squares.copy()
    frame["pop"] = 0
    frame.loc[[0, 63], "pop"] = 1
    starts = "kmeans:search=starts,n-init=1"
    found = rz.stability(frame, starts, k=2, min_bound=("pop", 1), runs=40, **AB)
    lost = 40 - found.report["runs_solved"]
    assert 0 < lost < 40
    assert any(note.startswith(f"{lost} of 40 runs found no solution") for note in found.notes)
    with pytest.raises(InfeasibleError, match="none of 3 runs found a solution; the first: "):
        rz.stability(frame, "skater", k=60, runs=3, **AB)


def test_other_seeds_that_change_nothing_are_said(squares):
    found = rz.stability(squares, "skater", k=4, runs=5, reseed=True, **AB)
    assert any("every run gave the same regions: skater draws nothing" in note for note in found.notes)
    assert not any("transformed once" in note for note in found.notes)
    drawn = rz.stability(
        squares, "azp:search=greedy,start=random,iterations=20", k=4, runs=5, reseed=True, **AB
    )
    assert drawn.report["stability"] < 1
    assert not any("same regions" in note for note in drawn.notes)


def test_regions_that_are_not_the_reference_s_number(squares):
    found = rz.stability(squares, "maxp:iterations=50", min_size=9, runs=6, **AB)
    least, most = found.report["regions_found"].values()
    assert 1 <= least <= most <= 7
    assert found.report["k"] == found.labels.max()


def test_the_answer_has_the_frame_s_index_and_a_picture(squares, tmp_path):
    index = pd.Index([f"u{i}" for i in range(64)])
    found = rz.stability(squares.set_axis(index), "skater", k=4, runs=5, **AB)
    pd.testing.assert_index_equal(found.stability.index, index)
    pd.testing.assert_index_equal(found.labels.index, index)
    assert found.stability.dtype == "float64"
    assert found.plot()[1:4] == b"PNG"
    assert found.plot(tmp_path / "m.svg").read_text().startswith("<?xml")
    with pytest.raises(UsageError, match="cannot be written"):
        found.plot(tmp_path / "m.gif")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"k": 3, "runs": 0}, "--runs is 0"),
        ({"k": 3, "runs": 2.5}, "--runs is 2.5"),
        ({"k": 3, "resample": 1}, "must be above 0% and below 100%"),
        ({"k": 3, "resample": "0%"}, "must be above 0% and below 100%"),
        ({"k": 3, "resample": "lots"}, "share such as 5%"),
        ({"k": [3, 4]}, "one number of regions"),
        ({}, "number of clusters is missing"),
        ({"k": 3, "n_init": 5}, "unknown option 'n_init'"),
        ({"k": 3, "where": "a > 1"}, "'where' is for reading a file"),
    ],
)
def test_what_cannot_be_meant(options, says, squares):
    with pytest.raises(UsageError, match=says):
        rz.stability(squares, "schc", **AB, **options)
    with pytest.raises(UsageError, match="no option of kmeans"):
        read_single("kmeans:inits=3", {"k": 3})
    with pytest.raises(UsageError, match="none of them"):
        read_single("kmeans", {"k": 3, "within": "half"})
    with pytest.raises(UsageError, match="--k and --cut exclude each other"):
        read_single("hierarchical:cut=2", {"k": 3})


def test_replaced_task_leaves_the_first_alone(squares):
    squares["plan"] = np.repeat([1, 2, 3, 4], 16)
    task = task_of(squares, "azp:start=plan", {**AB})
    before = task.start.plan.copy()
    for draw in draws(1, 3, 64, 0.1):
        part = restricted(task, draw)
        assert sorted(set(part.start.plan)) == list(range(len(set(part.start.plan))))
        assert part.columns["start"] is part.start.plan
    assert np.array_equal(task.start.plan, before)


def test_distances_of_a_file_are_those_of_the_units_drawn(squares, tmp_path):
    from scipy.spatial.distance import pdist

    np.save(tmp_path / "d.npy", pdist(squares[["a", "b"]]))
    own = rz.stability(squares, "hierarchical", k=4, runs=6, transform="raw", **AB)
    given = rz.stability(squares, "hierarchical", k=4, runs=6, distances=str(tmp_path / "d.npy"), **AB)
    assert given.report["runs_solved"] == 6
    assert given.stability.tolist() == own.stability.tolist()
