"""The kernels of k-means against plain NumPy, compiled and not."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regionalize.kernels.compiler import compiled
from regionalize.kernels.lloyd import add_rows, lloyd_steps, move_units


def sums_of(X, labels, k):
    ones = np.column_stack([X, np.ones(len(X))])
    return np.array([ones[labels == cluster].sum(axis=0) for cluster in range(k)])


def plain_steps(X, centers, labels, steps, by_moves, still):
    """Labels after the steps, each distance written out."""
    k, labels = len(centers), labels.copy()
    for step in range(steps):
        sums = sums_of(X, labels, k)
        counts = sums[:, -1]
        if step:
            held = counts > 0
            centers[held] = sums[held, :-1] / counts[held, None]
        distance = ((X[:, None] - centers[None]) ** 2).sum(axis=2)
        if by_moves:
            assume(counts.all())  # by the criterion every row is at no distance from an empty cluster: a tie
            own = labels[:, None] == np.arange(k)
            distance *= np.where(own, counts / np.maximum(counts - 1, 0.5), counts / (counts + 1))
        previous, labels = labels, distance.argmin(axis=1)
        if (previous != labels).sum() <= still:
            break
    return labels


@pytest.mark.parametrize("kernel", [lloyd_steps, compiled(lloyd_steps)], ids=["plain", "compiled"])
@given(
    st.integers(0, 10_000),
    st.integers(1, 300),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([0, 3]),
)
@settings(max_examples=20)
def test_steps(kernel, seed, n, p, k, steps, by_moves, still):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    labels = rng.integers(k, size=n).astype(np.int32) if by_moves else np.full(n, -1, np.int32)
    sums = sums_of(X, labels, k)
    centers = sums[:, :-1] / np.maximum(sums[:, -1:], 1) if by_moves else rng.normal(size=(k, p))
    expected = plain_steps(X, centers.copy(), labels, steps, by_moves, still)
    before = labels.copy()
    changed = kernel(X, np.ascontiguousarray(X.T), centers, labels, sums, steps, by_moves, still)
    assert np.array_equal(labels, expected)
    np.testing.assert_allclose(sums, sums_of(X, labels, k), atol=1e-9)
    if steps == 1:
        assert changed == (before != labels).sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_and_plain_give_the_same_bytes(dtype):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(700, 4)).astype(dtype)
    found = []
    for kernel in (lloyd_steps, compiled(lloyd_steps)):
        centers, labels, sums = X[:5].copy(), np.full(700, -1, np.int32), np.zeros((5, 5))
        kernel(X, np.ascontiguousarray(X.T), centers, labels, sums, 9, False, 0)
        found.append(centers.tobytes() + labels.tobytes() + sums.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("kernel", [add_rows, compiled(add_rows)], ids=["plain", "compiled"])
def test_rows_are_added_to_their_clusters(kernel):
    rng = np.random.default_rng(2)
    X, labels = rng.normal(size=(50, 3)), rng.integers(4, size=50)
    sums = np.zeros((4, 4))
    kernel(X, labels, sums)
    np.testing.assert_allclose(sums, sums_of(X, labels, 4), atol=1e-12)


@pytest.mark.parametrize("kernel", [move_units, compiled(move_units)], ids=["plain", "compiled"])
def test_moves_lower_the_within_sum_and_keep_the_sums(kernel):
    rng = np.random.default_rng(3)
    X, labels = rng.normal(size=(60, 3)), np.arange(60) % 5
    within = [((X - sums_of(X, labels, 5)[labels, :-1] / 12) ** 2).sum()]
    sums = sums_of(X, labels, 5)
    while kernel(X, np.arange(60), labels, sums, -1e-12):
        np.testing.assert_allclose(sums, sums_of(X, labels, 5), atol=1e-9)
        within.append(((X - (sums[:, :-1] / sums[:, -1:])[labels]) ** 2).sum())
    assert len(within) > 2
    assert (np.diff(within) < 0).all()


def test_the_centre_of_a_single_unit_is_that_unit():
    X = np.array([[0.0], [3.3], [10.0]])
    centers, labels, sums = np.array([[-4.0], [6.0]]), np.full(3, -1, np.int32), np.zeros((2, 2))
    lloyd_steps(X, np.ascontiguousarray(X.T), centers, labels, sums, 10, False, 0)
    # at first only the unit at 0 is nearer to -4; the means are then 0 and 6.65, and 3.3 is nearer to 0
    assert labels.tolist() == [0, 0, 1]
    np.testing.assert_allclose(centers.ravel(), [1.65, 10])
