"""Mini-batch k-means beside scikit-learn's partial_fit: ``python -m benchmarks.minibatch``.

The bars: in one pass over rows in batches of 256 no slower than scikit-learn with as many threads as it
takes by itself, and an inertia within 3 % of its, in the rows of the batches and in others. Both begin with
the same centres, found by k-means on rows drawn at random, and get the same rows in the same order; those
that are sorted are shuffled first, as a run does. Then k-means of a sample beside k-means of all rows: the
bar is an inertia within 2 %.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.kmeans import synthetic_matrix
from benchmarks.timing import Timed, interleave, medians

BATCH = 256
WARM = 25_600
TEST = 50_000


def blobs(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Return thirty clusters that overlap a little."""
    return 3 * rng.normal(size=(30, p))[rng.integers(30, size=n)] + rng.normal(size=(n, p))


def heavy(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Return variables with a few rows far from all others."""
    return rng.standard_t(3, size=(n, p))


def repeated(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Return variables of few values."""
    return rng.integers(0, 4, size=(n, p)).astype(float)


def by_place(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Return rows of a map from west to east, shuffled by pages."""
    place = rng.random((n, 2))
    return paged(synthetic_matrix(n, p, place=place[np.argsort(place[:, 0])]), rng)


def paged(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bring rows into random order as a run does: pages from everywhere, shuffled together."""
    pages = rng.permutation(-(-len(X) // 256))
    groups = np.array_split(pages, max(len(pages) // 128, 1))
    parts = [np.concatenate([X[256 * page : 256 * (page + 1)] for page in group]) for group in groups]
    return np.concatenate([part[rng.permutation(len(part))] for part in parts])


KINDS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "blobs": blobs,
    "heavy tails": heavy,
    "repeated rows": repeated,
    "by place": by_place,
}


def ours(X: np.ndarray, start: np.ndarray, counts: np.ndarray, _: int) -> np.ndarray:
    """Pass over the rows by regionalize."""
    from regionalize.methods.minibatch import MiniBatchKMeans

    model = MiniBatchKMeans(start, counts)
    for first in range(0, len(X), 1 << 15):
        model.update(X[first : first + (1 << 15)], BATCH)
    return model.centers


def theirs(X: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    """Pass over the rows by scikit-learn."""
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(len(start), init=start, n_init=1, batch_size=BATCH, random_state=seed)
    for first in range(0, len(X), BATCH):
        model.partial_fit(X[first : first + BATCH])
    centers: np.ndarray = model.cluster_centers_
    return centers


def processor_time(work: Callable[[int], Any], number: int) -> Timed:
    """Return a result with the processor seconds of all threads that it took, which the clock hides."""
    start = time.process_time()
    result = work(number)
    return Timed(time.process_time() - start, result)


def inertia(X: np.ndarray, centers: np.ndarray) -> float:
    """Sum of squared distances from the nearest centre, computed apart from both sides."""
    from scipy.spatial.distance import cdist

    pieces = (X[at : at + 8192] for at in range(0, len(X), 8192))
    return float(sum(cdist(piece, centers, "sqeuclidean").min(axis=1).sum() for piece in pieces))


def within(X: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances from the means of clusters."""
    means = [X[labels == label].mean(axis=0) for label in np.unique(labels)]
    return inertia(X, np.stack(means))


def compare_batches(kind: str, n: int, p: int, k: int, rounds: int) -> None:
    """Time both in turn; print seconds, and inertias as ratios of ours to theirs."""
    from regionalize.methods.kmeans import kmeans

    rng = np.random.default_rng([n, p, k])
    X = KINDS[kind](rng, n + TEST, p)
    tested = rng.permutation(len(X)) < TEST
    train, test = X[~tested], X[tested]
    warm = train[rng.choice(n, min(WARM, n), replace=False)]
    codes = kmeans(warm, k, search="starts", n_init=3)
    start = np.stack([warm[codes == code].mean(axis=0) for code in range(k)])
    counts = np.bincount(codes)
    ways: dict[str, Callable[[int], Any]] = {
        "regionalize": partial(ours, train, start, counts),
        "scikit-learn": partial(theirs, train, start),
    }
    few = train[: 1 << 15]
    for way in (partial(ours, few, start, counts), partial(theirs, few, start)):
        way(0)  # libraries loaded, kernels compiled
    wall = interleave(ways, rounds)
    cpu = interleave({name: partial(processor_time, way) for name, way in ways.items()}, 1)
    clock, worked = medians(wall), medians(cpu)
    print(
        f"{kind}, {n:,} x {p}, k = {k}: {clock['regionalize']:.2f} s beside {clock['scikit-learn']:.2f} s, "
        f"ratio {clock['regionalize'] / clock['scikit-learn']:.3f} "
        f"(processor time {worked['regionalize'] / worked['scikit-learn']:.3f})",
        flush=True,
    )
    for name, rows in (("train", train), ("test", test)):
        found = {
            who: np.median([inertia(rows, centers) for _, centers in runs]) for who, runs in wall.items()
        }
        print(
            f"  inertia, {name}: {found['regionalize'] / found['scikit-learn']:.4f} of scikit-learn's, "
            f"{found['regionalize'] / inertia(rows, start):.4f} of the warm start's",
            flush=True,
        )


def on_sample(X: np.ndarray, k: int, sample: str, seed: int) -> np.ndarray:
    """Group by k-means of a sample."""
    from regionalize.model.catalog import find_method
    from regionalize.run.sample import call_on_sample

    return call_on_sample(find_method("kmeans"), X, k, sample=sample, seed=seed)


def on_all(X: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Group by k-means of all rows."""
    from regionalize.methods.kmeans import kmeans

    return kmeans(X, k, seed=seed)


def compare_sample(kind: str, n: int, p: int, k: int, sample: str, rounds: int) -> None:
    """Time k-means of a sample and of all rows in turn; print processor seconds and the ratio of inertias."""
    X = KINDS[kind](np.random.default_rng([n, p, k]), n, p)
    on_sample(X[: 1 << 16], k, "10%", 0)  # kernels compiled
    found = interleave(
        {
            "sample": partial(processor_time, partial(on_sample, X, k, sample)),
            "all": partial(processor_time, partial(on_all, X, k)),
        },
        rounds,
    )
    seconds = medians(found)
    fits = {name: np.median([within(X, labels) for _, labels in runs]) for name, runs in found.items()}
    print(
        f"--sample {sample}, {kind}, {n:,} x {p}, k = {k}: processor time {seconds['sample']:.2f} s "
        f"beside {seconds['all']:.2f} s, inertia {fits['sample'] / fits['all']:.4f} of that of all rows",
        flush=True,
    )


def main() -> None:
    """Print times and inertias of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=32)
    options = parser.parse_args()
    for kind in KINDS:
        for k in (4, 50):
            compare_batches(kind, options.rows, options.columns, k, options.rounds)
    for kind in ("blobs", "heavy tails", "by place"):
        compare_sample(kind, options.rows, 2, 10, "1%", options.rounds)


if __name__ == "__main__":
    main()
