"""Contiguous regions beside pygeoda: ``python -m benchmarks.regions``.

The bars for SKATER, k = 12 over 8 variables: 50 times faster than pygeoda at 3,085 units and 200 times at
10,000, with equal BSS/TSS to five digits; at most half a second at 100,000 and 8 seconds at a million, in
linear memory.
Weights and variables are in memory, z-scored, the same for both.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from benchmarks.contiguity import REAL, irregular
from benchmarks.kmeans import HOMICIDE, ratio, synthetic_matrix
from benchmarks.timing import interleave, medians, shared, show_growth

K = 12
PYGEODA_UP_TO = 10_000


def contestants(frame: Any, X: np.ndarray, *, pygeoda_too: bool) -> dict[str, Callable[[int], np.ndarray]]:
    """Return both ways to make the regions, everything they need in memory."""
    from regionalize.methods.skater import skater
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    weights = build_weights(Layer.from_frame(frame), "queen")
    ways: dict[str, Callable[[int], np.ndarray]] = {"ours": lambda _: skater(X, K, weights=weights)}
    if pygeoda_too:
        import pygeoda

        opened = pygeoda.open(frame)
        links = pygeoda.queen_weights(opened)
        columns = [column.tolist() for column in X.T]
        ways["pygeoda"] = lambda _: (
            np.array(pygeoda.skater(K, links, columns, scale_method="raw")["Clusters"]) - 1
        )
    return ways


def measure(name: str, frame: Any, X: np.ndarray, rounds: int) -> float:
    """Print seconds and fit of both; return ours."""
    ways = contestants(frame, X, pygeoda_too=len(X) <= PYGEODA_UP_TO)
    ways["ours"](0)  # libraries loaded
    found = interleave(ways, rounds)
    seconds = medians(found)
    fits = {way: ratio(X, runs[-1][1]) for way, runs in found.items()}
    shown = "   ".join(f"{way} {seconds[way]:8.4f} s, BSS/TSS {fits[way]:.6f}" for way in ways)
    times = f"   {seconds['pygeoda'] / seconds['ours']:.0f} times" if "pygeoda" in ways else ""
    print(f"{name:<12} {len(X):>9,}   {shown}{times}", flush=True)
    return seconds["ours"]


def main() -> None:
    """Print seconds, fit and growth."""
    import geopandas

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true", help="also a million polygons")
    options = parser.parse_args()
    print(f"SKATER, k = {K}, medians of {options.rounds} interleaved runs")
    file = shared(REAL["natregimes"])
    if file is not None:
        frame = geopandas.read_file(file)
        X = frame[list(HOMICIDE)].to_numpy(float)
        X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
        measure("natregimes", frame, X, options.rounds)
    grown = {}
    for n in (10_000, 100_000, *([1_000_000] if options.million else [])):
        frame = geopandas.GeoDataFrame(geometry=irregular(n))
        place = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())) / 1e6
        grown[n] = measure("irregular", frame, synthetic_matrix(n, place=place), options.rounds)
    show_growth(grown)


if __name__ == "__main__":
    main()
