"""Steps of k-means in NumPy, against the same in plain words."""

from __future__ import annotations

import numpy as np
import pytest

from regionalize.methods.masks import Masks


def masks_of(distance):
    """Masks with these distances, of rows that are one number each."""
    values = np.stack([np.arange(distance.shape[2]), np.ones(distance.shape[2])], axis=1)
    masks = Masks(*distance.shape[:2], np.zeros((3, len(values))), values)
    masks.distance[:] = distance
    return masks


def rows_of(X):
    """[-2X | 1 | x·x] a column per row, and [X | 1]."""
    ones = np.ones((len(X), 1))
    return np.hstack([-2 * X, ones, (X**2).sum(axis=1, keepdims=True)]).T, np.hstack([X, ones])


@pytest.mark.parametrize("k", [1, 3, 255, 256, 300])
def test_every_row_joins_the_nearest(k):
    distance = np.random.default_rng(k).random((4, k, 20))
    masks = masks_of(distance)
    masks.join_nearest()
    assert np.array_equal(masks.labels(), distance.argmin(axis=1))
    assert (masks.inside.sum(axis=1) == 1).all()


def test_ties_go_to_the_first_cluster():
    distance = np.random.default_rng(0).integers(3, size=(5, 7, 40)).astype(float)
    masks = masks_of(distance)
    sums = masks.join_nearest()
    assert np.array_equal(masks.labels(), distance.argmin(axis=1))
    assert sums[:, :, 1].sum(axis=1).tolist() == [40] * 5


@pytest.mark.parametrize("variables", [1, 6, 7, 8, 20])  # with the counts: fewer columns than 8, 8, more
@pytest.mark.parametrize("joined", [False, True])
def test_sums_are_those_of_every_cluster_by_itself(joined, variables):
    rng = np.random.default_rng(1)
    labels, X = rng.integers(4, size=(3, 30)), rng.random((30, variables))
    masks = Masks(3, 5, *rows_of(X))
    if joined:
        masks.distance[:] = labels[:, None, :] != np.arange(5)[:, None]
        masks.join_nearest()
    else:
        masks.put(labels)
    sums = masks.sums()
    assert sums.shape == (3, 5, variables + 1)
    assert np.array_equal(masks.counts(), sums[:, :, -1])
    for candidate in range(3):
        for cluster in range(5):
            members = X[labels[candidate] == cluster]
            assert sums[candidate, cluster] == pytest.approx([*members.sum(axis=0), len(members)])


def test_distances_are_squared_distances_less_the_own_norm():
    rng = np.random.default_rng(3)
    X, centers = rng.random((12, 4)), rng.random((2, 3, 4))
    masks = Masks(2, 3, *rows_of(X))
    masks.compare_distances(centers)
    for (candidate, cluster, row), found in np.ndenumerate(masks.distance):
        expected = ((X[row] - centers[candidate, cluster]) ** 2).sum() - (X[row] ** 2).sum()
        assert found == pytest.approx(expected)


def test_moves_are_compared_by_what_they_change():
    rng = np.random.default_rng(2)
    X, labels = rng.random((12, 4)), rng.integers(3, size=(2, 12))
    labels[:, :4] = [0, 1, 2, 2]
    labels[1, labels[1] == 1] = 0
    labels[1, 1] = 1  # by itself; and nobody is in the fourth cluster
    masks = Masks(2, 4, *rows_of(X))
    masks.put(labels)
    sums = masks.sums()
    centers = sums[:, :, :-1] / np.maximum(sums[:, :, -1:], 1)
    masks.compare_moves(centers, sums[:, :, -1])

    def within(rows):
        return ((X[rows] - X[rows].mean(axis=0)) ** 2).sum() if rows.any() else 0.0

    for (candidate, cluster, row), found in np.ndenumerate(masks.distance):
        here, count = labels[candidate] == cluster, (labels[candidate] == cluster).sum()
        without, besides = here.copy(), here.copy()
        without[row], besides[row] = False, True
        squared = ((X[row] - centers[candidate, cluster]) ** 2).sum()
        if labels[candidate, row] != cluster:
            expected = within(besides) - within(here) if count else squared / 2
        else:
            expected = within(here) - within(without) if count > 1 else 0.0
        assert found == pytest.approx(expected, abs=1e-12)
