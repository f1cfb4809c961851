"""Steps of k-means in NumPy, against the same in plain words."""

from __future__ import annotations

import numpy as np
import pytest

from regionalize.methods.masks import Masks


def masks_of(distance):
    masks = Masks(*distance.shape, distance.dtype)
    masks.distance[:] = distance
    return masks


@pytest.mark.parametrize("k", [1, 3, 255, 256, 300])
def test_every_row_joins_the_nearest(k):
    distance = np.random.default_rng(k).random((4, k, 20)).astype(np.float32)
    masks = masks_of(distance)
    masks.join_nearest()
    assert np.array_equal(masks.labels(), distance.argmin(axis=1))
    assert (masks.inside.sum(axis=1) == 1).all()


def test_ties_go_to_the_first_cluster():
    distance = np.random.default_rng(0).integers(3, size=(5, 7, 40)).astype(float)
    masks = masks_of(distance)
    masks.join_nearest()
    assert np.array_equal(masks.labels(), distance.argmin(axis=1))


def test_sums_are_those_of_every_cluster_by_itself():
    rng = np.random.default_rng(1)
    labels, values = rng.integers(4, size=(3, 30)), rng.random((30, 2))
    masks = Masks(3, 5, 30, values.dtype)
    masks.put(labels)
    sums = masks.sums(values)
    for candidate in range(3):
        for cluster in range(5):
            expected = values[labels[candidate] == cluster].sum(axis=0)
            assert sums[candidate, cluster] == pytest.approx(expected)


def test_distances_to_the_own_cluster_and_to_others_are_weighed_apart():
    rng = np.random.default_rng(2)
    labels, distance = rng.integers(3, size=(2, 12)), rng.random((2, 3, 12))
    stay, go = 1 + rng.random((2, 3)), rng.random((2, 3))
    masks = masks_of(distance)
    masks.put(labels)
    masks.weigh(stay, go)
    for (candidate, cluster, row), value in np.ndenumerate(distance):
        factor = (stay if labels[candidate, row] == cluster else go)[candidate, cluster]
        assert masks.distance[candidate, cluster, row] == pytest.approx(value * factor)
