"""k-means||: draws that do not depend on where rows are, centres that are spread as the rows are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from regionalize.methods.kmeans import kmeans
from regionalize.methods.lloyd import Rows
from regionalize.methods.parallel_seeding import (
    InMemory,
    count_nearest,
    draw_in_parallel,
    draw_rows,
    group_points,
    nearer,
)


def blobs(seed=0, clusters=12, each=200):
    """Clusters far apart, of different sizes: random rows miss the small ones."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-100, 100, size=(clusters, 3))
    sizes = np.maximum(each // 2 ** np.arange(clusters), 5)
    return np.concatenate([rng.normal(center, size=(n, 3)) for center, n in zip(centers, sizes, strict=True)])


def cost(X, centers):
    return ((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1).sum()


@pytest.mark.parametrize("seed", range(5))
def test_centres_find_small_clusters_that_random_rows_miss(seed):
    X = blobs(seed)
    found = draw_in_parallel(InMemory(Rows(X)), 12, (seed,))
    rng = np.random.default_rng(seed)
    random = min(cost(X, X[rng.choice(len(X), 12, replace=False)]) for _ in range(20))
    assert cost(X, found) < 0.2 * random
    # one centre in every cluster: what is left is the spread within, 3 variables of variance 1
    assert cost(X, found) < 1.5 * 3 * len(X)


def test_a_row_is_drawn_or_not_whatever_part_it_is_in():
    distance = np.random.default_rng(1).random(5000)
    whole = draw_rows(distance, 0.3, (4, 5, 6))
    cuts = [0, 1, 700, 700, 4999, 5000]
    parts = [draw_rows(distance[a:b], 0.3, (4, 5, 6), a) for a, b in pairwise(cuts)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert whole.tolist() != draw_rows(distance, 0.3, (4, 5, 7)).tolist()


def test_rows_are_drawn_as_often_as_their_distance_asks():
    distance = np.repeat([0.0, 0.1, 1.0, 5.0], 20_000)
    drawn = draw_rows(distance, 0.5, (9,)) // 20_000
    shares = np.bincount(drawn, minlength=4) / 20_000
    np.testing.assert_allclose(shares, [0, 0.05, 0.5, 1.0], atol=0.015)


def test_distances_and_counts_are_those_of_every_pair():
    rng = np.random.default_rng(2)
    X, centers = rng.normal(size=(300, 4)), rng.normal(size=(7, 4))
    pairs = ((X[:, None] - centers) ** 2).sum(axis=2)
    np.testing.assert_allclose(nearer(X, centers), pairs.min(axis=1))
    before = rng.random(300)
    np.testing.assert_allclose(nearer(X, centers, before), np.minimum(pairs.min(axis=1), before))
    assert count_nearest(X, centers).tolist() == np.bincount(pairs.argmin(axis=1), minlength=7).tolist()


def test_weighted_points_are_grouped_as_repeated_rows_are():
    points = np.array([[0.0], [1.0], [10.0], [12.0]])
    weights = np.array([1, 3, 2, 2])
    found = np.sort(group_points(points, weights, 2, np.random.default_rng(0)).ravel())
    np.testing.assert_allclose(found, [0.75, 11.0])


@pytest.mark.parametrize("k", [1, 2, 5])
def test_as_many_different_centres_as_there_are_different_rows(k):
    X = np.repeat(np.arange(5.0)[:, None], [400, 1, 300, 1, 1], axis=0)
    found = draw_in_parallel(InMemory(Rows(X)), k, (3,))
    assert len(np.unique(found)) == k
    labels = kmeans(X, k, search="starts", init="k-means||", n_init=2)
    assert len(np.unique(labels)) == k
