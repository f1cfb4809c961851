"""The scikit-learn shell behaves as scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from regionalize import Regionalizer
from regionalize.errors import UsageError
from regionalize.model.bounds import Bound

X, Y = make_blobs(200, centers=5, random_state=4)


def test_finds_what_scikit_learn_finds():
    own = Regionalizer("kmeans", n_clusters=5).fit_predict(X)
    theirs = KMeans(5, n_init=20, random_state=0).fit_predict(X)
    assert adjusted_rand_score(own, theirs) == pytest.approx(1.0)
    counts = np.bincount(own)
    assert counts.tolist() == sorted(counts, reverse=True)
    assert own.dtype == np.int64


def test_clone_and_parameters():
    made = Regionalizer("kmeans", n_clusters=4, seed=9, search="starts", n_init=5)
    copy = clone(made)
    assert copy is not made
    assert copy.get_params() == made.get_params()
    assert copy.get_params()["n_init"] == 5
    assert not hasattr(copy, "labels_")
    assert copy.set_params(n_clusters=3, n_init=6) is copy
    assert (copy.n_clusters, copy.get_params()["n_init"], made.get_params()["n_init"]) == (3, 6, 5)
    assert np.array_equal(clone(made).fit(X).labels_, made.fit(X).labels_)


def test_an_unknown_parameter_is_refused_and_changes_nothing():
    made = Regionalizer("kmeans", n_clusters=4)
    with pytest.raises(UsageError, match="unknown option 'n_cluster'; did you mean 'n_clusters'"):
        made.set_params(seed=3, n_cluster=5)
    assert made.get_params() == Regionalizer("kmeans", n_clusters=4).get_params()


def test_connectivity_for_contiguous_clusters():
    chain = scipy.sparse.diags_array(np.ones(199), offsets=1)
    labels = Regionalizer("skater", n_clusters=5, connectivity=chain).fit_predict(X)
    assert np.count_nonzero(np.diff(labels)) == 4
    with pytest.raises(UsageError, match="skater needs connectivity"):
        Regionalizer("skater").fit(X)
    with pytest.raises(UsageError, match="connectivity is of 3 units, but X has 200 rows"):
        Regionalizer("skater", connectivity=np.eye(3)).fit(X)


def test_bounds_and_a_start_plan():
    chain = scipy.sparse.diags_array(np.ones(199), offsets=1)
    forty = Bound("rows", np.ones(200), lower=40)
    found = Regionalizer("maxp", connectivity=chain, bounds=[forty], iterations=5).fit_predict(X)
    assert np.bincount(found).tolist() == [40] * 5
    plan = np.repeat(np.arange(4), 50)
    made = Regionalizer("azp", n_clusters=4, connectivity=chain, start=plan, iterations=50, bounds=[forty])
    labels = clone(made).fit_predict(X)
    assert np.count_nonzero(np.diff(labels)) == 3
    assert np.bincount(labels).min() >= 40


def test_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Regionalizer(n_clusters=5))
    direct = Regionalizer(n_clusters=5).fit_predict(StandardScaler().fit_transform(X))
    assert np.array_equal(pipeline.fit_predict(X), direct)
    assert np.array_equal(clone(pipeline).set_params(regionalizer__n_clusters=5).fit_predict(X), direct)
    assert np.array_equal(pipeline[-1].labels_, direct)


def test_shows_what_it_is():
    shown = repr(Regionalizer("kmeans", n_clusters=3, n_init=7))
    assert shown.startswith("Regionalizer(")
    assert "n_clusters=3" in shown
    assert "n_init=7" in shown


def test_does_not_fit_in_place():
    before = X.copy()
    Regionalizer(n_clusters=3).fit(X)
    assert np.array_equal(before, X)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Regionalizer("kmean").fit(X), "did you mean 'kmeans'"),
        (lambda: Regionalizer(n_int=3).fit(X), "did you mean 'n_init'"),
        (lambda: Regionalizer(n_init=0).fit(X), "--n-init is 0"),
        (lambda: Regionalizer(n_clusters=0).fit(X), "n-clusters is 0"),
        (lambda: Regionalizer(n_clusters=2.5).fit(X), "n-clusters is 2.5"),
        (lambda: Regionalizer(seed=-1).fit(X), "seed is -1"),
        (lambda: Regionalizer(n_clusters=201).fit(X), "201"),
        (lambda: Regionalizer().fit(X[:, 0]), "1 dimensions"),
        (lambda: Regionalizer().fit(np.where(X > 5, np.nan, X)), "missing"),
        (lambda: Regionalizer().fit([["a", "b"], ["c", "d"]]), "numbers"),
    ],
)
def test_what_cannot_be_meant(make, says):
    with pytest.raises(UsageError, match=says):
        make()
