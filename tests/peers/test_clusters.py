"""Clusters that may lie anywhere, and their measures, beside scikit-learn and SciPy on real variables.

On made-up ones they stand beside the methods: tests/methods, tests/measure.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist
from sklearn import cluster, metrics
from sklearn.neighbors import BallTree

from regionalize.measure.fit import measure_fit
from regionalize.methods.dbscan import dbscan
from regionalize.methods.hierarchical import LINKAGES, hierarchical
from regionalize.methods.kmeans import kmeans
from regionalize.methods.kmedoids import kmedoids
from regionalize.methods.optics import optics
from regionalize.model.findings import Findings
from regionalize.model.partition import Partition
from regionalize.studies.rank.distances import RADIUS_KM, great_circle_km


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 8, 12])
def test_kmeans_is_no_worse_than_many_starts_of_scikit_learn(small_layer, k):
    """By its search; and by plain starts, as many as theirs, but for the luck of the draw: 3 %."""
    X = small_layer.X
    theirs = cluster.KMeans(k, n_init=150, random_state=0).fit(X).inertia_
    found = [kmeans(X, k), kmeans(X, k, search="starts", n_init=150)]
    search, starts = (measure_fit(X, labels + 1).wss for labels in found)
    assert search <= theirs * (1 + 1e-9)
    assert starts <= theirs * 1.03


@pytest.mark.parametrize("how", LINKAGES)
def test_hierarchies_are_those_of_scipy_to_the_last_bit(small_layer, how):
    findings = Findings()
    hierarchical(small_layer.X, 5, linkage=how, findings=findings)
    assert np.array_equal(findings.merges, linkage(pdist(small_layer.X), how)[:, :3])


@pytest.mark.parametrize("eps", [0.6, 1.0, 1.6])
def test_dbscan_is_that_of_scikit_learn(layer, eps):
    assert np.array_equal(
        dbscan(layer.X, eps=eps), cluster.DBSCAN(eps=eps, min_samples=4).fit_predict(layer.X)
    )


def test_optics_is_that_of_scikit_learn(small_layer):
    assert np.array_equal(optics(small_layer.X), cluster.OPTICS(min_samples=5).fit_predict(small_layer.X))


@pytest.mark.parametrize("distance", ["manhattan", "euclidean"])
def test_medoids_cannot_be_bettered_by_any_swap(small_layer, distance):
    """Of all n (n - k) swaps, by the table of all distances of scikit-learn."""
    table, findings = metrics.pairwise_distances(small_layer.X, metric=distance), Findings()
    kmedoids(small_layer.X, 4, distance=distance, findings=findings)
    medoids = list(findings.medoids)
    best = table[:, medoids].min(axis=1).sum()
    for place in range(4):
        others = table[:, medoids[:place] + medoids[place + 1 :]].min(axis=1)
        swapped = np.minimum(others[:, None], table).sum(axis=0)
        assert swapped.min() >= best * (1 - 1e-12)


def test_fit_and_agreement_on_real_variables_are_those_of_scikit_learn(layer):
    from regionalize.measure.agreement import measure_agreement
    from regionalize.measure.silhouette import silhouettes

    labels = Partition.canonical(kmeans(layer.X, 6)).labels
    fit = measure_fit(layer.X, labels)
    assert fit.pseudo_f == pytest.approx(metrics.calinski_harabasz_score(layer.X, labels), rel=1e-9)
    mean = silhouettes(layer.X, labels)[0].mean()
    assert mean == pytest.approx(metrics.silhouette_score(layer.X, labels), rel=1e-9)
    other = Partition.canonical(hierarchical(layer.X, 6)).labels
    found = measure_agreement(labels, other)
    assert found.adjusted_rand == pytest.approx(metrics.adjusted_rand_score(labels, other), rel=1e-9)
    assert found.adjusted_mutual_information == pytest.approx(
        metrics.adjusted_mutual_info_score(labels, other), rel=1e-9
    )


def test_nearest_on_the_globe_are_those_of_a_ball_tree():
    rng = np.random.default_rng(2)
    users, items = (
        np.column_stack([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)])
        for n in (200, 1000)
    )
    km, nearest = BallTree(np.radians(items), metric="haversine").query(np.radians(users), k=10)
    found = great_circle_km(users, items)
    order = np.argsort(found, axis=1)[:, :10]
    assert np.array_equal(order, nearest)
    assert np.take_along_axis(found, order, axis=1) == pytest.approx(km * RADIUS_KM, rel=1e-9)
