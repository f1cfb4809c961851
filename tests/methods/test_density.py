"""DBSCAN, HDBSCAN and OPTICS: by their definitions, by scikit-learn, and at their limits."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.cluster.hierarchy
import scipy.spatial.distance
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, HDBSCAN, OPTICS

from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods import dbscan as dbscan_module
from regionalize.methods.dbscan import dbscan
from regionalize.methods.density import reach
from regionalize.methods.density_tree import DensityTree
from regionalize.methods.hdbscan import hdbscan
from regionalize.methods.optics import optics
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings

METHODS = {"dbscan": (dbscan, {"eps": 1.0}), "hdbscan": (hdbscan, {}), "optics": (optics, {})}
every_method = pytest.mark.parametrize(("function", "needed"), METHODS.values(), ids=METHODS)


def distances(X):
    return np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))


def mixed(seed, n=120):
    """Clusters of different density among scattered rows."""
    rng = np.random.default_rng(seed)
    parts = [
        rng.normal((0, 0), 0.3, (n // 3, 2)),
        rng.normal((5, 1), 0.8, (n // 3, 2)),
        rng.uniform(-4, 9, (n // 3, 2)),
    ]
    return rng.permutation(np.concatenate(parts))


@st.composite
def few_values(draw):
    """Points of a small grid: equal rows, and distances that are exactly eps."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(1, 30))
    return rng.integers(0, draw(st.integers(1, 8)), size=(n, 2)).astype(float)


def density_connected(X, eps, min_samples):
    """Labels by the definition of Ester and others: walk from dense row to dense row."""
    near = distances(X) <= eps
    dense = near.sum(axis=1) >= min_samples
    labels = np.full(len(X), -1)
    found = 0
    for first in np.flatnonzero(dense):
        if labels[first] >= 0:
            continue
        reached, front = {first}, [first]
        while front:
            row = front.pop()
            if dense[row]:
                new = [*set(np.flatnonzero(near[row]).tolist()) - reached]
                reached.update(new)
                front += new
        members = [row for row in reached if labels[row] < 0]
        labels[members] = found
        found += 1
    return labels


class TestDbscan:
    @given(few_values(), st.sampled_from([0.5, 1.0, 1.5, 2.0]), st.integers(1, 6))
    def test_it_is_the_definition(self, X, eps, min_samples):
        if min_samples > len(X):
            return
        findings = Findings()
        labels = dbscan(X, eps=eps, min_samples=min_samples, findings=findings)
        assert labels.tolist() == density_connected(X, eps, min_samples).tolist()
        counted = (distances(X) <= eps).sum(axis=1)
        assert findings.columns["neighbors"].tolist() == counted.tolist()
        assert findings.columns["core"].tolist() == (counted >= min_samples).tolist()

    @pytest.mark.parametrize("seed", range(4))
    def test_it_is_that_of_scikit_learn_on_any_number_of_threads(self, seed):
        X = mixed(seed, 600)
        plain = DBSCAN(eps=0.4, min_samples=4).fit(X)
        for jobs in (None, 1, 3):
            findings = Findings()
            assert np.array_equal(dbscan(X, eps=0.4, jobs=jobs, findings=findings), plain.labels_)
            assert np.flatnonzero(findings.columns["core"]).tolist() == plain.core_sample_indices_.tolist()

    def test_large_coordinates_lose_no_digits(self):
        """On a grid far from the origin, eps is its step: products of coordinates would round that away."""
        x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
        X = np.column_stack([x.ravel(), y.ravel()]) * 0.25 + 5_000_000
        assert set(dbscan(X, eps=0.25, min_samples=3).tolist()) == {0}
        assert set(dbscan(X, eps=np.nextafter(0.25, 0), min_samples=3).tolist()) == {-1}

    def test_single_precision_is_taken(self):
        X = mixed(1).astype(np.float32)
        assert np.array_equal(dbscan(X, eps=0.5), dbscan(X.astype(np.float64), eps=0.5))

    def test_neighbours_that_do_not_fit_are_refused_before_they_are_listed(self, monkeypatch):
        monkeypatch.setattr(dbscan_module, "available_memory", lambda: 120 * 120 * 16 - 1)
        with pytest.raises(InfeasibleError, match=r"120 neighbours each, 14400 in all.*shorter --eps"):
            dbscan(mixed(0), eps=100.0)

    def test_eps_must_be_given(self):
        with pytest.raises(UsageError, match="needs --eps"):
            dbscan(mixed(0))


class TestHdbscan:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("options", [{}, {"min_samples": 4}, {"min_cluster_size": 5}])
    def test_it_is_that_of_scikit_learn(self, seed, options):
        """By its way over the table of all distances, which shares no tree with ours."""
        X = mixed(seed)
        given = {"min_cluster_size": 10, **options}
        given["min_samples"] = options.get("min_samples", given["min_cluster_size"])
        plain = HDBSCAN(algorithm="brute", metric="precomputed", copy=True, **given).fit(distances(X))
        findings = Findings()
        for jobs in (1, 3):
            assert np.array_equal(hdbscan(X, jobs=jobs, findings=findings, **options), plain.labels_)
        assert findings.columns["probability"] == pytest.approx(plain.probabilities_, abs=1e-9)

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("eps", [0.5, 1.0, 2.0, 100.0])
    def test_eps_puts_back_what_split_below_it(self, seed, eps):
        X = nested(seed)
        findings = Findings()
        labels = hdbscan(X, min_cluster_size=5, min_samples=3, eps=eps, findings=findings)
        plain = hdbscan(X, min_cluster_size=5, min_samples=3)
        expected, attached = merged_by_definition(X, plain, 5, 3, eps)
        assert labels[expected >= 0].tolist() == expected[expected >= 0].tolist()
        more = (labels >= 0) & (expected < 0)
        assert attached[labels[more], np.flatnonzero(more)].all()
        probability = findings.columns["probability"]
        assert ((probability > 0) == (labels >= 0)).all()
        assert probability.max() == 1

    @pytest.mark.parametrize("seed", range(8))
    def test_eps_that_merges_nothing_changes_nothing(self, seed):
        found, labels = [], []
        for eps in (None, 1e-9):
            found.append(Findings())
            labels.append(hdbscan(nested(seed), min_cluster_size=5, eps=eps, findings=found[-1]).tolist())
        assert labels[0] == labels[1]
        plain, other = (findings.columns["probability"] for findings in found)
        assert other == pytest.approx(plain, abs=1e-12)

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize(("smallest", "count"), [(3, 3), (8, 2), (4, 10)])
    def test_outlier_scores_are_their_definition(self, seed, smallest, count):
        X = mixed(seed, 60)
        findings = Findings()
        hdbscan(X, min_cluster_size=smallest, min_samples=count, findings=findings)
        expected = scores_by_definition(X, smallest, count)
        assert findings.columns["outlier_score"] == pytest.approx(expected, abs=1e-9)
        assert 0.5 < expected.max() < 1

    def test_equal_rows_are_no_outliers(self):
        X = np.repeat([[0.0, 0.0], [5.0, 5.0]], 12, axis=0)
        findings = Findings()
        labels = hdbscan(X, findings=findings)
        assert labels.tolist() == [0] * 12 + [1] * 12
        assert findings.columns["outlier_score"].tolist() == [0.0] * 24

    def test_one_far_row_scores_highest(self):
        X = np.concatenate([mixed(2)[:90], [[60.0, 60.0]]])
        findings = Findings()
        assert hdbscan(X, findings=findings)[-1] == -1
        scores = findings.columns["outlier_score"]
        assert scores.argmax() == 90
        assert scores[90] > 0.95

    def test_sizes_are_refused_in_one_line(self):
        for size, words in ((1, "at least 2"), (121, "only 120 units")):
            with pytest.raises(UsageError, match=words):
                hdbscan(mixed(0), min_cluster_size=size)


def nested(seed):
    """Small clusters within larger ones, and rows between."""
    rng = np.random.default_rng(seed)
    large = [(0, 0), (12, 2), (3, 14)]
    small = [np.array(at) + rng.normal(0, 1.2, 2) for at in large for _ in range(3)]
    return np.concatenate([*(rng.normal(at, 0.15, (12, 2)) for at in small), rng.uniform(-3, 16, (15, 2))])


def merged_by_definition(X, labels, smallest, count, eps):
    """For each cluster, the one around it that split off at no less than eps, or else first of all.

    Also, for each of these, the rows that hang on it at the very distance at which it splits off: they may
    have gone either way.
    """
    from scipy.sparse.csgraph import connected_components

    M, levels = mutual_reachability(X, count)
    below = [connected_components(level > M)[1] for level in levels]  # once all of that distance are gone
    found, attached = np.full(len(X), -1), []
    for label in range(labels.max() + 1):
        row = np.flatnonzero(labels == label)[0]
        splits, around = [], np.ones(len(X), dtype=bool)
        for level, component in zip(levels, below, strict=True):
            sizes = np.bincount(component[around])
            inside = around & (component == component[row])
            if (sizes >= smallest).sum() > 1:
                splits.append((level, inside, component))
            around = inside
            if 2 * around.sum() < (labels == label).sum():
                break
        mine = labels == label
        own = [split for split in splits if 2 * (split[1] & mine).sum() > mine.sum()]
        high = [split for split in own if split[0] >= eps]
        level, chosen, component = high[-1] if high else own[0]
        if found[chosen].max() < 0:
            found[chosen] = found.max() + 1
            near = (M[:, chosen].min(axis=1) <= level) & ~chosen
            attached.append(np.isin(component, component[near]))
    return found, np.array(attached)


def mutual_reachability(X, count):
    """The table of all distances, and those at which something falls apart, falling."""
    D = distances(X)
    core = np.sort(D, axis=1)[:, count - 1]
    M = np.maximum(D, np.maximum(core[:, None], core[None]))
    np.fill_diagonal(M, 0)
    heights = scipy.cluster.hierarchy.single(scipy.spatial.distance.squareform(M))[:, 2]
    return M, np.unique(heights)[::-1]


def scores_by_definition(X, smallest, count):
    """GLOSH of every row, level by level over the graph of mutual reachability."""
    from scipy.sparse.csgraph import connected_components

    M, levels = mutual_reachability(X, count)
    component = np.array([connected_components(level >= M)[1] for level in levels])
    big = np.array([(np.bincount(row)[row] >= smallest) for row in component])
    scores = np.zeros(len(X))
    for row in range(len(X)):
        left = np.flatnonzero(big[:, row])[-1]
        mates = component[left] == component[left, row]
        ends = np.flatnonzero(big[:, mates].any(axis=1))[-1]
        scores[row] = 1 - levels[ends] / levels[left]
    return scores


def reachability_by_definition(X, count):
    """OPTICS over the table of all distances: core distances, order and reachability."""
    D = distances(X)
    core = np.sort(D, axis=1)[:, count - 1]
    reached, waiting, order = np.full(len(X), np.inf), [*range(len(X))], []
    while waiting:
        row = min(waiting, key=lambda one: (reached[one], one))
        waiting.remove(row)
        order.append(row)
        for other in waiting:
            reached[other] = min(reached[other], max(core[row], D[row, other]))
    return core, reached


class TestOptics:
    @pytest.mark.parametrize("seed", range(4))
    def test_reachability_is_its_definition(self, seed):
        X = mixed(seed, 90)
        findings = Findings()
        optics(X, findings=findings)
        core, reached = reachability_by_definition(X, 5)
        assert findings.columns["core_distance"] == pytest.approx(core)
        assert findings.columns["reachability"] == pytest.approx(reached)

    @pytest.mark.parametrize("seed", range(4))
    def test_it_is_that_of_scikit_learn(self, seed):
        X = mixed(seed)
        plain = OPTICS(min_samples=5, algorithm="ball_tree").fit(X)
        assert np.array_equal(optics(X), plain.labels_)
        cut = OPTICS(min_samples=5, max_eps=0.5, cluster_method="dbscan", eps=0.5, algorithm="ball_tree").fit(
            X
        )
        assert np.array_equal(optics(X, eps=0.5), cut.labels_)

    @given(st.integers(0, 1000), st.sampled_from([0.3, 0.6, 1.0]))
    def test_a_cut_has_the_dense_rows_of_dbscan(self, seed, eps):
        X = mixed(seed, 60)
        findings = Findings()
        ours, theirs = optics(X, eps=eps), dbscan(X, eps=eps, min_samples=5, findings=findings)
        core = findings.columns["core"]
        pairs = {*zip(ours[core].tolist(), theirs[core].tolist(), strict=True)}
        assert len(pairs) == len({*ours[core].tolist()}) == len({*theirs[core].tolist()})
        assert not (ours[core] < 0).any()
        assert (theirs[ours >= 0] >= 0).all()

    def test_limits_are_refused_in_one_line(self):
        for options, words in (
            ({"min_samples": 1}, "at least 2"),
            ({"xi": 1.0}, "below 1"),
            ({"xi": 0}, "above 0"),
        ):
            with pytest.raises(UsageError, match=words):
                optics(mixed(0), **options)


@every_method
def test_equal_rows_and_few_rows_raise_no_warning(function, needed):
    """Warnings are errors in these tests."""
    small = {"min_cluster_size": 2} if function is hdbscan else {}
    for X in (np.zeros((20, 2)), np.zeros((2, 1)), np.array([[0.0], [1e9]])):
        labels = function(X, min_samples=2, **{**needed, **small})
        assert labels.shape == (len(X),)
        assert labels.dtype == np.int64


@every_method
def test_what_cannot_be_meant_is_refused(function, needed):
    X = mixed(0)
    for eps in (0.0, -1.0, np.inf, np.nan, "1km"):
        with pytest.raises(UsageError, match="must be a number above 0"):
            function(X, eps=eps)
    with pytest.raises(UsageError, match="only 120 units"):
        function(X, min_samples=121, **needed)
    with pytest.raises(UsageError, match="cannot be held within bounds"):
        function(X, bounds=(Bound("units", np.ones(120), lower=3.0),), **needed)


@given(few_values(), st.integers(1, 5))
def test_reach_is_the_distance_of_so_many_rows(X, count):
    if count > len(X):
        return
    farthest = np.sort(distances(X), axis=1)[:, count - 1]
    assert reach(X, count, (0.0, 0.5, 1.0)) == pytest.approx(np.quantile(farthest, [0, 0.5, 1]).tolist())


def test_a_chain_has_no_outliers_in_the_middle():
    """Joined one after the other at one height, all rows leave at once, whatever order the joins are in."""
    joins = np.array([[0, 1], [4, 2], [5, 3]])
    for order in (joins, np.array([[2, 3], [4, 1], [5, 0]])):
        assert DensityTree(order, np.ones(3), 2).outlier_scores().tolist() == [0.0] * 4
