"""Mini-batch k-means against Sculley's own loop, scikit-learn and plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import MiniBatchKMeans as Peer
from threadpoolctl import threadpool_limits

from regionalize.kernels.compiler import compiled
from regionalize.kernels.minibatch import add_gains, nearest_rows, update_centers
from regionalize.methods import minibatch as module
from regionalize.methods.kmeans import kmeans
from regionalize.methods.minibatch import MiniBatchKMeans, assign, gains_of_places, nearest_centers

ROWS = 20_000
TESTED = 5_000


@pytest.fixture(params=["compiled", "numpy"])
def engine(request, monkeypatch):
    """Both ways of doing the steps, whatever the size."""
    monkeypatch.setattr(module, "COMPILED", 0 if request.param == "compiled" else 1 << 60)


def sculley(X, batch_size, centers, counts):
    """Algorithm 1 of the paper, row by row."""
    centers, counts = centers.copy(), counts.copy()
    for start in range(0, len(X), batch_size):
        batch = X[start : start + batch_size]
        cached = [int(((x - centers) ** 2).sum(axis=1).argmin()) for x in batch]
        for x, own in zip(batch, cached, strict=True):
            counts[own] += 1
            rate = 1 / counts[own]
            centers[own] = (1 - rate) * centers[own] + rate * x
    return centers, counts


def squares(X, centers):
    return ((X[:, None, :] - centers[None]) ** 2).sum(axis=2)


def inertia(X, centers):
    """Sum of squared distances from the nearest centre, apart from the code under test."""
    return sum(
        cdist(X[at : at + 4096], centers, "sqeuclidean").min(axis=1).sum() for at in range(0, len(X), 4096)
    )


cases = given(
    st.integers(0, 10_000),
    st.integers(1, 700),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 300),
    st.booleans(),
)


@cases
@settings(max_examples=30)
@pytest.mark.parametrize("kernel", [update_centers, compiled(update_centers)], ids=["plain", "compiled"])
def test_kernel_does_what_the_paper_does_row_by_row(kernel, seed, n, p, k, batch_size, counted):
    rng = np.random.default_rng(seed)
    X, centers = rng.normal(size=(n, p)), rng.normal(size=(k, p))
    counts = rng.integers(1, 50, size=k).astype(float) if counted else np.zeros(k)
    expected, held = sculley(X, batch_size, centers, counts)
    kernel(X, batch_size, centers, counts)
    np.testing.assert_allclose(centers, expected, atol=1e-12)
    assert np.array_equal(counts, held)


@cases
@settings(max_examples=20)
def test_the_class_does_it_too_wherever_rows_are_cut(seed, n, p, k, batch_size, counted):
    rng = np.random.default_rng(seed)
    X, centers = rng.normal(size=(n, p)), rng.normal(size=(k, p))
    counts = rng.integers(1, 50, size=k)
    expected, held = sculley(X, batch_size, centers, counts.astype(float))
    whole, cut = MiniBatchKMeans(centers, counts), MiniBatchKMeans(centers, counts)
    whole.update(X, batch_size)
    step = batch_size * int(rng.integers(1, 4))
    for start in range(0, n, step):
        cut.update(X[start : start + step], batch_size)
    np.testing.assert_allclose(whole.centers, expected, atol=1e-12)
    assert np.array_equal(whole.counts, held)
    assert cut.centers.tobytes() == whole.centers.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_compiled_and_plain_give_the_same_bytes(dtype, offset, monkeypatch):
    rng = np.random.default_rng(1)
    X = (rng.normal(size=(3000, 7)) * 5 + offset).astype(dtype)
    found = []
    for threshold in (0, 1 << 60):
        monkeypatch.setattr(module, "COMPILED", threshold)
        model = MiniBatchKMeans(X[:9])
        model.update(X[:1000], 100)
        model.update(X[1000:], 256)
        labels, within = assign(X, model.centers)
        found.append(
            model.centers.tobytes() + model.counts.tobytes() + labels.tobytes() + within.hex().encode()
        )
    assert found[0] == found[1]


@given(st.integers(0, 10_000), st.integers(1, 600), st.integers(1, 5), st.integers(1, 9))
@settings(max_examples=30)
def test_nearest_is_exact_and_ties_go_to_the_first(seed, n, p, k):
    rng = np.random.default_rng(seed)
    X, centers = rng.integers(-3, 4, size=(n, p)), rng.integers(-3, 4, size=(k, p))  # many ties, all exact
    far = squares(X, centers)
    labels, within = assign(X.astype(float), centers.astype(float))
    assert np.array_equal(labels, far.argmin(axis=1))
    assert within == far.min(axis=1).sum()
    fast, squared = np.empty(n, np.int64), np.empty(n)
    for kernel in (nearest_rows, compiled(nearest_rows)):
        kernel(X.astype(float), centers.astype(float), fast, squared)
        assert np.array_equal(fast, labels)
        assert np.array_equal(squared, far.min(axis=1))


def test_a_large_offset_costs_no_digits(engine):
    rng = np.random.default_rng(2)
    X, centers = rng.normal(size=(5000, 3)).round(6), rng.normal(size=(6, 3)).round(6)
    moved = (X * 2**20).round(), (centers * 2**20).round()
    labels, within = assign(*moved)
    again, same = assign(moved[0] + 2.0**40, moved[1] + 2.0**40)
    assert np.array_equal(labels, again)
    assert within == same


def test_rows_are_assigned_piece_by_piece(monkeypatch, engine):
    X = np.random.default_rng(3).normal(size=(1000, 2))
    labels, within = assign(X, X[:5])
    monkeypatch.setattr(module, "PIECE", 77)
    monkeypatch.setattr(module, "CELLS", 200)
    cut, total = assign(X, X[:5])
    assert np.array_equal(labels, cut)
    assert total == pytest.approx(within, rel=1e-14)
    none, nothing = assign(X[:0], X[:5])
    assert (len(none), nothing) == (0, 0.0)


def paged(X, rng):
    """Bring sorted rows into random order as a run does: pages from everywhere, shuffled together."""
    pages = rng.permutation(-(-len(X) // 256))
    groups = [
        np.concatenate([X[256 * page : 256 * (page + 1)] for page in pages[at : at + 32]])
        for at in range(0, len(pages), 32)
    ]
    return np.concatenate([group[rng.permutation(len(group))] for group in groups])


def spatial(rng, n, p=5):
    """Return fields that vary smoothly over a map whose rows run from west to east."""
    place = rng.random((n, 2))
    place = place[np.argsort(place[:, 0])]
    waves = [np.cos(place @ rng.normal(0, 9, 2) + rng.uniform(0, 6)) for _ in range(p)]
    return np.stack(waves, axis=1) + 0.3 * rng.normal(size=(n, p))


KINDS = {
    "blobs": lambda rng, n: 3 * rng.normal(size=(20, 8))[rng.integers(20, size=n)] + rng.normal(size=(n, 8)),
    "correlated": lambda rng, n: rng.normal(size=(n, 6)) @ rng.normal(size=(6, 6)),
    "heavy tails": lambda rng, n: rng.standard_t(3, size=(n, 4)),
    "skewed": lambda rng, n: rng.lognormal(size=(n, 3)),
    "one variable": lambda rng, n: rng.normal(size=(n, 1)),
    "repeated rows": lambda rng, n: rng.integers(0, 4, size=(n, 3)).astype(float),
    "sorted by place": lambda rng, n: paged(spatial(rng, n), rng),
    "sorted by value": lambda rng, n: paged(np.sort(rng.normal(size=(n, 1)), axis=0), rng),
}


@pytest.mark.parametrize("k", [1, 4, 50])
@pytest.mark.parametrize("kind", KINDS)
def test_inertia_is_that_of_scikit_learn_from_the_same_warm_start(kind, k):
    rng = np.random.default_rng([list(KINDS).index(kind), k])
    X = KINDS[kind](rng, ROWS + TESTED)
    test = np.zeros(len(X), dtype=bool)
    test[rng.choice(len(X), TESTED, replace=False)] = True
    train = X[~test]
    warm = train[rng.choice(ROWS, 2000, replace=False)]
    codes = kmeans(warm, k, search="starts", n_init=3)
    start = np.stack([warm[codes == code].mean(axis=0) for code in range(k)])
    model = MiniBatchKMeans(start, np.bincount(codes))
    model.update(train, 256)
    peer = Peer(k, init=start, n_init=1, batch_size=256, random_state=0)
    with threadpool_limits(limits=1):  # by itself it takes all processors, and waits for them where others do
        for first in range(0, ROWS, 256):
            peer.partial_fit(train[first : first + 256])
    for rows in (train, X[test]):
        assert inertia(rows, model.centers) <= 1.03 * inertia(rows, peer.cluster_centers_) + 1e-9


def test_one_pass_improves_on_the_warm_start():
    rng = np.random.default_rng(5)
    X = KINDS["correlated"](rng, 40_000)
    warm = X[:500]
    codes = kmeans(warm, 12, search="starts", n_init=3)
    start = np.stack([warm[codes == code].mean(axis=0) for code in range(12)])
    model = MiniBatchKMeans(start, np.bincount(codes))
    model.update(X, 256)
    assert inertia(X, model.centers) < 0.98 * inertia(X, start)


def test_one_cluster_ends_at_the_mean_of_all_rows(engine):
    X = np.random.default_rng(6).normal(size=(1000, 3)) + 1e6
    model = MiniBatchKMeans(np.zeros((1, 3)))
    for start in range(0, 1000, 300):
        model.update(X[start : start + 300], 64)
    np.testing.assert_allclose(model.centers[0], X.mean(axis=0), rtol=1e-13)
    assert model.counts.tolist() == [1000]


def test_centres_that_no_row_is_nearest_to_find_another_place(engine):
    rng = np.random.default_rng(7)
    X = rng.choice([0.0, 10.0, 20.0], size=(3000, 1)) + rng.normal(0, 0.1, size=(3000, 1))
    start = np.array([[0.0], [900.0], [900.0]])
    found = []
    for _ in range(2):
        model = MiniBatchKMeans(start, seed=3)
        model.update(X, 50)
        found.append(model.centers.tobytes())
        np.testing.assert_allclose(np.sort(model.centers[:, 0]), [0, 10, 20], atol=0.1)
        assert (model.counts > 0).all()
    assert found[0] == found[1]


def test_more_centres_than_distinct_rows_is_no_trouble(engine):
    X = np.tile([[1.0, 2.0]], (500, 1))
    model = MiniBatchKMeans(np.arange(8.0).reshape(4, 2))
    model.update(X, 20)
    labels, within = assign(X, model.centers)
    assert within == 0
    assert len(np.unique(labels)) == 1


def test_a_centre_with_few_rows_keeps_them():
    """A far row that has a centre to itself is worth it, however many rows the others have."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(20_000, 2))
    model = MiniBatchKMeans(np.array([[0.0, 0.0], [1e4, 1e4]]), [25_000, 1])
    model.update(X, 256)
    assert model.centers[1].tolist() == [1e4, 1e4]


def test_no_rows_change_nothing_and_wrong_shapes_are_refused():
    model = MiniBatchKMeans(np.eye(2), [3, 4])
    model.update(np.empty((0, 2)), 256)
    assert model.centers.tolist() == np.eye(2).tolist()
    for wrong in (
        lambda: MiniBatchKMeans(np.zeros(3)),
        lambda: MiniBatchKMeans(np.zeros((0, 3))),
        lambda: MiniBatchKMeans(np.eye(2), [1]),
        lambda: model.update(np.zeros((4, 3)), 256),
        lambda: model.update(np.zeros((4, 2)), 0),
        lambda: assign(np.zeros((4, 3)), np.eye(2)),
    ):
        with pytest.raises(ValueError, match=r"shape|batch_size"):
            wrong()


def test_the_data_and_the_start_are_not_changed(engine):
    X, start, counts = np.random.default_rng(9).normal(size=(500, 2)), np.eye(2), np.ones(2)
    before = X.copy()
    model = MiniBatchKMeans(start, counts)
    model.update(X, 64)
    nearest_centers(X, model.centers)
    assert np.array_equal(X, before)
    assert start.tolist() == np.eye(2).tolist()
    assert counts.tolist() == [1, 1]


@given(st.integers(0, 10_000), st.integers(1, 600), st.integers(1, 4), st.integers(1, 6))
@settings(max_examples=20)
def test_what_one_more_centre_gains(seed, n, p, m):
    rng = np.random.default_rng(seed)
    X, places = rng.normal(size=(n, p)), rng.normal(size=(m, p))
    _, squared = nearest_centers(X, rng.normal(size=(2, p)))
    expected = np.maximum(squared[:, None] - squares(X, places), 0).sum(axis=0)
    plain, fast = np.zeros(m), np.zeros(m)
    add_gains(X, squared, places, plain)
    compiled(add_gains)(X, squared, places, fast)
    np.testing.assert_allclose(plain, expected, atol=1e-9)
    assert fast.tobytes() == plain.tobytes() == gains_of_places(X, squared, places).tobytes()
