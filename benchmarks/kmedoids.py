"""k-medoids and k-medians beside peers: ``python -m benchmarks.kmedoids``.

The bar: on natregimes (3,085 x 8, k = 12, Euclidean distances) a sum no larger than that of FasterPAM in the
package `kmedoids` from PyPI, in no more time than it takes, its table of distances included. The package is
under the GPL: it is measured where it is installed, and otherwise passed over with a message. k-medians is
measured beside as many plain starts as fit into its time.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from benchmarks.kmeans import LAYERS, real_matrix, synthetic_matrix
from benchmarks.timing import interleave, medians

K = 12
LARGE = 100_000
LARGE_K = 8
METRICS = {"euclidean": "euclidean", "manhattan": "cityblock"}


def summed(X: np.ndarray, medoids: np.ndarray, distance: str) -> float:
    """Sum of the distances to the nearest medoid, computed apart from both sides."""
    from scipy.spatial.distance import cdist

    return float(cdist(X, X[medoids], METRICS[distance]).min(axis=1).sum())


def ours(X: np.ndarray, k: int, distance: str, threads: int, seed: int) -> np.ndarray:
    """Return the medoids of regionalize, default options."""
    from regionalize.methods.kmedoids import kmedoids
    from regionalize.model.findings import Findings

    found = Findings()
    kmedoids(X, k, seed=seed, distance=distance, jobs=threads, findings=found)
    assert found.medoids is not None
    return found.medoids


def theirs(X: np.ndarray, k: int, distance: str, seed: int) -> np.ndarray:
    """Return the medoids of the package, one start, default options."""
    import kmedoids
    from scipy.spatial.distance import cdist

    return np.asarray(kmedoids.fasterpam(cdist(X, X, METRICS[distance]), k, random_state=seed).medoids)


def compare(X: np.ndarray, k: int, distance: str, rounds: int, *, peer: bool) -> None:
    """Time all in turn, another seed every round, and print what was found."""
    ways: dict[str, Any] = {
        "regionalize, 1 thread": partial(ours, X, k, distance, 1),
        "regionalize, 2 threads": partial(ours, X, k, distance, 2),
    }
    if peer:
        ways["kmedoids.fasterpam"] = partial(theirs, X, k, distance)
    found = interleave(ways, rounds)
    seconds = medians(found)
    for name, runs in found.items():
        sums = [summed(X, medoids, distance) for _, medoids in runs]
        print(
            f"  {name:<24} {seconds[name]:8.3f} s   "
            f"sum least {min(sums):.1f}, median {median(sums):.1f}, greatest {max(sums):.1f}",
            flush=True,
        )
    if peer:
        for name in ways:
            print(f"  {name}: ratio of medians {seconds[name] / seconds['kmedoids.fasterpam']:.2f}")


def beside_starts(X: np.ndarray, distance: str, rounds: int) -> None:
    """Print the sums of k-medians, and of plain starts in as much time."""
    from regionalize.kernels.central import distances_to
    from regionalize.methods import kmedians as module

    units = module.Units(X, distance == "euclidean")
    searched, plain, took = [], [], []
    for seed in range(rounds):
        start = time.perf_counter()
        labels = module.kmedians(X, K, seed=seed, distance=distance, jobs=1)
        took.append(time.perf_counter() - start)
        centers = units.centers(labels, K)
        searched.append(float(distances_to(X, centers, units.euclidean)[np.arange(len(X)), labels].sum()))
        rng = np.random.default_rng(seed)
        best, start = np.inf, time.perf_counter()
        while time.perf_counter() - start < took[-1]:
            first = module.draw_centers(units, K, rng)
            best = min(best, module.settle(units, first, module.MOST_STEPS).within)
        plain.append(best)
    print(f"  k-medians, {distance}: {median(took):.2f} s, 1 thread")
    for name, sums in (("regionalize", searched), ("starts in as much time", plain)):
        print(
            f"    {name:<24} sum least {min(sums):.1f}, median {median(sums):.1f}, greatest {max(sums):.1f}"
        )


def main() -> None:
    """Print time and sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--large-rounds", type=int, default=2, help="0: leave the large table out")
    options = parser.parse_args()
    peer = find_spec("kmedoids") is not None
    if not peer:
        print("not here: the package kmedoids (pip install kmedoids, where its licence will do)")
    X = real_matrix(*LAYERS["natregimes"])
    if X is not None:
        ours(X[:1000], 3, "manhattan", 1, 0)  # compiled
        for distance in METRICS:
            print(f"natregimes: {X.shape[0]:,} x {X.shape[1]}, k = {K}, {distance}, {options.rounds} rounds")
            compare(X, K, distance, options.rounds, peer=peer)
        for distance in METRICS:
            beside_starts(X, distance, options.rounds)
    if options.large_rounds:
        print(f"synthetic: {LARGE:,} x 8, k = {LARGE_K}, manhattan (samples), {options.large_rounds} rounds")
        compare(synthetic_matrix(LARGE), LARGE_K, "manhattan", options.large_rounds, peer=False)


if __name__ == "__main__":
    main()
