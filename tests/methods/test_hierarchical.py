"""Hierarchical clustering against SciPy, of which it is made, and against what must hold anyhow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from regionalize.errors import InfeasibleError, UsageError
from regionalize.estimator import Regionalizer
from regionalize.methods.hierarchical import LINKAGES, hierarchical
from regionalize.model import distances as table
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.partition import Partition
from regionalize.model.thresholds import nearest_the_top, reached, thresholds

every_linkage = pytest.mark.parametrize("how", LINKAGES)

SIX = np.array([[0.0, 10], [0, 11], [5, 0], [5, 2], [8, 0], [8, 2.5]])
"""Five, three and two clusters at 1.5, 3 and 5, as an example of six points in a SciPy tutorial has them."""


def three_blobs():
    """Draw 150 points that any cut from 13.5 to 36.8 leaves in three clusters, as in a SciPy tutorial."""
    rng = np.random.default_rng(102)
    middles = rng.integers(-4, 9, (3, 2)).astype(float)
    spread = [[1.5, 0.8], [0.8, 1.5]]
    return np.vstack([rng.multivariate_normal(middle, spread, 50) for middle in middles]).round(3)


def same(codes, labels):
    return np.array_equal(Partition.canonical(codes).labels, Partition.canonical(labels).labels)


# few distinct values make ties, and centroids that come nearer: both where implementations go apart
points = st.integers(2, 25).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.integers(-4, 4).map(float))
)


@given(X=points, how=st.sampled_from(LINKAGES), share=st.floats(0, 1.2))
@settings(max_examples=300)
def test_a_cut_is_scipys(X, how, share):
    joined = linkage(pdist(X), how)
    at = share * joined[:, 2].max()
    for cut in (at, float(joined[len(joined) // 2, 2])):
        assert same(hierarchical(X, None, cut=cut, linkage=how), fcluster(joined, cut, "distance"))


@every_linkage
def test_k_clusters_are_scipys(how):
    X = np.random.default_rng(5).normal(size=(80, 3))
    joined = linkage(pdist(X), how)
    for k in (1, 2, 5, 17, 80):
        codes = hierarchical(X, k, linkage=how)
        theirs = fcluster(joined, k, "maxclust")
        assert len(np.unique(codes)) == k
        if len(np.unique(theirs)) == k:  # inversions leave SciPy with fewer
            assert same(codes, theirs)


@given(X=points, how=st.sampled_from(LINKAGES), data=st.data())
@settings(max_examples=100)
def test_k_is_kept_whatever_is_tied_and_numbers_nest(X, how, data):
    n = len(X)
    k = data.draw(st.integers(1, n))
    coarse = data.draw(st.integers(1, k))
    findings = Findings()
    codes = hierarchical(X, k, linkage=how, levels=(coarse,), findings=findings)
    above = findings.levels[coarse]
    assert sorted(set(codes.tolist())) == list(range(k))
    assert sorted(set(above.tolist())) == list(range(coarse))
    assert len(np.unique(np.stack([codes, above]), axis=1).T) == k  # each finer one lies in one coarser
    assert np.array_equal(above, hierarchical(X, coarse, linkage=how))


@every_linkage
def test_joins_are_scipys_to_the_last_bit(how):
    X = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    findings = Findings()
    hierarchical(X, 4, linkage=how, findings=findings)
    assert np.array_equal(findings.merges, linkage(pdist(X), how)[:, :3])


@every_linkage
def test_distances_in_place_of_variables(how):
    X = np.random.default_rng(2).normal(size=(40, 3))
    findings = Findings()
    nothing = np.empty((40, 0))
    codes = hierarchical(nothing, 6, linkage=how, distances=pdist(X), findings=findings)
    assert np.array_equal(codes, hierarchical(X, 6, linkage=how))
    assert bool(findings.notes) == (how in {"ward", "centroid", "median"})


def test_ward_is_scikit_learns():
    from sklearn.cluster import AgglomerativeClustering

    X = np.random.default_rng(8).normal(size=(120, 5))
    assert same(hierarchical(X, 9), AgglomerativeClustering(9).fit_predict(X))


@pytest.mark.parametrize(("cut", "clusters"), [(1.5, 5), (3, 3), (5, 2)])
def test_six_points(cut, clusters):
    assert len(set(hierarchical(SIX, None, cut=cut).tolist())) == clusters


def test_three_blobs():
    X = three_blobs()
    findings = Findings()
    for cut in (13.5, 15.0, 25.0, 36.8):
        assert same(hierarchical(X, None, cut=cut), fcluster(linkage(X, "ward"), cut, "distance"))
        assert same(hierarchical(X, None, cut=cut), hierarchical(X, 3, findings=findings))
    assert len(set(hierarchical(X, None, cut=6).tolist())) == 8
    (best,) = (row for row in findings.facts["thresholds"] if row["largest_gap"])
    assert best["clusters"] == 3
    assert best["from"] <= 13.5 < 36.8 < best["to"]


@given(X=points, how=st.sampled_from(LINKAGES))
@settings(max_examples=100)
def test_every_row_of_the_table_is_what_scipy_cuts(X, how):
    joined = linkage(pdist(X), how)
    rows = thresholds(joined[:, 2])
    assert [row["clusters"] for row in rows] == sorted({row["clusters"] for row in rows})
    for row in rows:
        cuts = [row["from"]]
        if row["to"] is not None:
            cuts.append(float(np.nextafter(row["to"], -1)))
            assert row["gap"] == row["to"] - row["from"] > 0
        for cut in cuts:
            assert fcluster(joined, cut, "distance").max() == row["clusters"]
    assert rows[0]["clusters"] == 1
    assert rows[0]["to"] is None
    # end to end, none left out
    assert [row["from"] for row in rows[:-1]] == [row["to"] for row in rows[1:]]
    assert rows[-1]["from"] == 0
    marked = [row for row in rows if row["largest_gap"]]
    inner = [row["gap"] for row in rows if 1 < row["clusters"] < len(X)]
    assert [row["gap"] for row in marked] == ([max(inner)] if inner else [])


def test_the_table_that_is_shown_has_the_largest_gap():
    heights = np.concatenate([np.linspace(1, 2, 30), np.linspace(50, 60, 30)])
    shown = nearest_the_top(thresholds(heights))
    assert [row["clusters"] for row in shown] == [*range(1, 13), 31]
    assert shown[-1]["largest_gap"]


def test_heights_that_fall():
    triangle = np.array([[0.0, 0], [1, 0], [0.5, 0.9]])  # the third is nearer to the middle of the others
    heights = linkage(pdist(triangle), "centroid")[:, 2]
    assert heights[1] < heights[0]
    assert reached(heights).tolist() == [1.0, 1.0]
    assert [row["clusters"] for row in thresholds(heights)] == [1, 3]
    assert len(set(hierarchical(triangle, 2, linkage="centroid").tolist())) == 2
    assert len(set(hierarchical(triangle, None, linkage="centroid", cut=0.95).tolist())) == 3


@every_linkage
def test_few_units_and_equal_ones(how):
    findings = Findings()
    assert hierarchical(np.array([[3.0]]), 1, linkage=how, findings=findings).tolist() == [0]
    assert findings.merges.shape == (0, 3)
    assert hierarchical(np.array([[3.0], [4.0]]), 2, linkage=how).tolist() == [0, 1]
    alike = np.zeros((6, 2))
    assert len(set(hierarchical(alike, 4, linkage=how).tolist())) == 4
    assert set(hierarchical(alike, None, cut=0.0, linkage=how).tolist()) == {0}


class TestWhatCannotBe:
    """One line each."""

    X = np.arange(5.0)[:, None]

    @pytest.mark.parametrize("k", [0, 6])
    def test_k(self, k):
        with pytest.raises(UsageError, match="use a k from 1 to 5"):
            hierarchical(self.X, k)

    @pytest.mark.parametrize(("k", "cut"), [(None, None), (2, 1.0)])
    def test_where_to_stop(self, k, cut):
        with pytest.raises(UsageError, match="k and cut"):
            hierarchical(self.X, k, cut=cut)

    def test_a_height_below_all(self):
        with pytest.raises(UsageError, match="at least 0"):
            hierarchical(self.X, None, cut=-1.0)

    def test_a_linkage(self):
        with pytest.raises(UsageError, match="no linkage 'wards'"):
            hierarchical(self.X, 2, linkage="wards")

    def test_bounds(self):
        with pytest.raises(InfeasibleError, match="keeps no bounds"):
            hierarchical(self.X, 2, bounds=(Bound("units", np.ones(5), lower=2),))

    def test_distances_of_others(self):
        for wrong in (np.ones(9), np.ones((5, 5)), "d.csv"):
            with pytest.raises(UsageError, match="give the 10 of the upper triangle"):
                hierarchical(self.X, 2, distances=wrong)


class TestMemory:
    """What does not fit is refused before it is made."""

    @pytest.fixture(autouse=True)
    def _no_table(self, monkeypatch):
        def made(_):
            raise AssertionError("a table was made")

        monkeypatch.setattr("scipy.spatial.distance.pdist", made)

    def test_the_estimate(self, monkeypatch):
        monkeypatch.setattr(table, "available_memory", lambda: 7_900_000_000)
        with pytest.raises(UsageError) as caught:
            hierarchical(np.zeros((200_000, 1)), 3)
        said = str(caught.value)
        assert "200,000 units need a table of 160 GB of distances" in said
        assert "7.9 GB" in said
        assert "schc" in said
        assert "kmeans" in said
        assert caught.value.exit_code == 2

    @pytest.mark.parametrize(("how", "tables"), [("single", 1), ("ward", 2), ("median", 2)])
    def test_the_limit(self, how, tables, monkeypatch):
        """SciPy copies the distances, except for single linkage."""
        monkeypatch.setattr(table, "available_memory", lambda: tables * 8 * 4950 - 1)
        with pytest.raises(UsageError, match="100 units need a table"):
            hierarchical(np.zeros((100, 1)), 3, linkage=how)
        monkeypatch.setattr(table, "available_memory", lambda: tables * 8 * 4950)
        with pytest.raises(AssertionError, match="a table was made"):
            hierarchical(np.zeros((100, 1)), 3, linkage=how)

    def test_an_estimate_that_was_too_low(self, monkeypatch):
        def full(_):
            raise MemoryError

        monkeypatch.setattr("scipy.spatial.distance.pdist", full)
        with pytest.raises(UsageError, match="100 units need a table"):
            hierarchical(np.zeros((100, 1)), 3)


def test_in_the_scikit_learn_shell():
    by_cut = Regionalizer("hierarchical", cut=3.0).fit(SIX)
    assert len(set(by_cut.labels_.tolist())) == 3
    given_distances = Regionalizer("hierarchical", 3, distances=pdist(SIX)).fit_predict(SIX)
    assert given_distances.tolist() == by_cut.labels_.tolist()
    assert Regionalizer("hierarchical", 2, linkage="single").fit_predict(SIX).tolist() == [1, 1, 0, 0, 0, 0]
