"""Searches for contiguous regions beside pygeoda and spopt: ``python -m benchmarks.searches``.

The bars, over 8 variables:

- AZP, k = 12: at 3,085 units BSS/TSS of .43 within 5 seconds and .445 within 60; at 10,000 ten times faster
  than pygeoda's greedy search, and better; at 100,000 at most 60 seconds.
- Max-p at 3,085 units, a twenty-fourth of the population to each region: no fewer regions than pygeoda in
  99 iterations, a better fit, five times faster. At 100,000 units at most 60 seconds.
- AZP on Guerry, six variables: from every seed the best partitions known, within a second or two.

Weights and variables are in memory, z-scored, the same for all. Ours runs with seeds 1, 2, 3 …, the others
once; seconds are medians. spopt's AZP is run on Guerry alone, as it takes minutes on more.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.kmeans import ratio
from benchmarks.regions import layers
from benchmarks.spopt_regions import spopt_labels
from benchmarks.timing import shared

K = 12
GUERRY = ("Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids")
BEST_KNOWN = {3: 0.32236, 4: 0.38496, 5: 0.44530, 6: 0.48653, 8: 0.54943, 10: 0.60566}
PARTS = 24
"""Regions that there could be if all held no more of the population than they must."""
PYGEODA_UP_TO = 10_000


def timed(run: Any) -> tuple[float, Any]:
    """Return seconds and result."""
    start = perf_counter()
    found = run()
    return perf_counter() - start, found


def theirs_of(frame: Any, X: np.ndarray) -> tuple[Any, list[list[float]]]:
    """Return weights and columns as pygeoda takes them."""
    import pygeoda

    return pygeoda.queen_weights(pygeoda.open(frame)), [column.tolist() for column in X.T]


def show(name: str, X: np.ndarray, runs: list[tuple[float, np.ndarray]], bar: str = "") -> None:
    """Print median seconds and least and greatest fit."""
    runs = [(seconds, np.unique(labels, return_inverse=True)[1]) for seconds, labels in runs]
    fits = [ratio(X, labels) for _, labels in runs]
    regions = sorted({len(np.unique(labels)) for _, labels in runs})
    print(
        f"  {name:<28} {median(seconds for seconds, _ in runs):8.2f} s   "
        f"BSS/TSS {min(fits):.5f} to {max(fits):.5f}   regions {', '.join(map(str, regions))}   {bar}",
        flush=True,
    )


def measure_azp(frame: Any, X: np.ndarray, weights: Any, seeds: int) -> None:
    """Time AZP by default, with a time limit on the real layer, and pygeoda's."""
    from regionalize.methods.azp import azp

    azp(X, K, weights=weights, iterations=1)  # libraries loaded
    runs = [timed(lambda seed=seed: azp(X, K, weights=weights, seed=seed)) for seed in range(1, seeds + 1)]
    show("azp", X, runs)
    if len(X) < PYGEODA_UP_TO:
        for limit in (5, 60):
            run = timed(lambda limit=limit: azp(X, K, weights=weights, seed=1, time_limit=limit))
            show(f"azp --time-limit {limit}", X, [run])
        for search in ("greedy", "tabu", "annealing"):
            show(
                f"azp --search {search}",
                X,
                [timed(lambda search=search: azp(X, K, weights=weights, search=search))],
            )
    if len(X) <= PYGEODA_UP_TO:
        import pygeoda

        links, columns = theirs_of(frame, X)
        theirs = timed(
            lambda: np.array(pygeoda.azp_greedy(K, links, columns, scale_method="raw")["Clusters"])
        )
        show("pygeoda azp_greedy", X, [theirs], f"{theirs[0] / median(s for s, _ in runs):.1f} times ours")


def measure_maxp(frame: Any, X: np.ndarray, weights: Any, amount: np.ndarray, parts: int, seeds: int) -> None:
    """Time max-p, and pygeoda's."""
    from regionalize.methods.maxp import maxp
    from regionalize.model.bounds import Bound

    bound = Bound("amount", amount, lower=amount.sum() / parts)
    maxp(X, weights=weights, bounds=(bound,), iterations=1)
    runs = [
        timed(lambda seed=seed: maxp(X, weights=weights, bounds=(bound,), seed=seed))
        for seed in range(1, seeds + 1)
    ]
    show(f"maxp, bound total / {parts}", X, runs)
    if len(X) < PYGEODA_UP_TO:
        import pygeoda

        links, columns = theirs_of(frame, X)
        held = amount.tolist()
        theirs = timed(
            lambda: pygeoda.maxp_greedy(links, columns, held, bound.lower, scale_method="raw")["Clusters"]
        )
        show("pygeoda maxp_greedy", X, [theirs], f"{theirs[0] / median(s for s, _ in runs):.1f} times ours")
        theirs = timed(
            lambda: spopt_labels(
                "MaxPHeuristic",
                X,
                weights,
                amount,
                threshold=bound.lower,
                max_iterations_construction=1,
                max_iterations_sa=1,  # ten, its default, take minutes
            )
        )
        show("spopt MaxPHeuristic, 1 and 1", X, [theirs])


def measure_guerry(seeds: int) -> None:
    """Tell from how many seeds AZP reaches the best that is known."""
    import geopandas

    from regionalize.methods.azp import azp
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    file = shared("guerry/Guerry.shp")
    if file is None:
        return
    frame = geopandas.read_file(file)
    X = frame[list(GUERRY)].to_numpy(float)
    X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    weights = build_weights(Layer.from_frame(frame), "queen")
    print(f"Guerry, {len(X)} units, {seeds} seeds")
    for k, best in BEST_KNOWN.items():
        runs = [timed(lambda k=k, seed=seed: azp(X, k, weights=weights, seed=seed)) for seed in range(seeds)]
        reached = sum(ratio(X, labels) > best - 5e-6 for _, labels in runs)
        show(f"azp, k = {k}", X, runs, f"best known {best:.5f} from {reached} seeds")
        theirs = timed(lambda k=k: spopt_labels("AZP", X, weights, n_clusters=k, random_state=1))
        show("spopt AZP", X, [theirs])


def main() -> None:
    """Print seconds and fit."""
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    import_module("spopt.region")  # which takes seconds
    measure_guerry(4 * options.seeds)
    for name, frame, X in layers([10_000, 100_000]):
        print(f"{name}, {len(X):,} units, k = {K}")
        weights = build_weights(Layer.from_frame(frame), "queen")
        seeds = options.seeds if len(X) <= PYGEODA_UP_TO else 1
        measure_azp(frame, X, weights, seeds)
        if name == "natregimes":
            measure_maxp(frame, X, weights, frame["PO90"].to_numpy(float), PARTS, seeds)
        elif len(X) > PYGEODA_UP_TO:
            ones = np.ones(len(X))
            for parts in (PARTS, len(X) // 100):
                measure_maxp(frame, X, weights, ones, parts, 1)


if __name__ == "__main__":
    main()
