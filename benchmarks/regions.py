"""Contiguous regions beside pygeoda, scikit-learn and spopt: ``python -m benchmarks.regions``.

The bars, k = 12 over 8 variables, with equal BSS/TSS to five digits:

- SKATER, and REDCAP of first order: 50 times faster than pygeoda at 3,085 units and 200 times at 10,000; at
  most half a second at 100,000 and 8 seconds at a million.
- SCHC with Ward's linkage: 100 times faster than pygeoda at 10,000 units, 10 times faster than scikit-learn
  at 100,000.
- SCHC and REDCAP with complete and average linkage: at most 10 seconds at 100,000.

Memory grows in proportion to the units. Weights and variables are in memory, z-scored, the same for all.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import shapely

from benchmarks.contiguity import REAL, irregular
from benchmarks.kmeans import HOMICIDE, ratio, synthetic_matrix
from benchmarks.spopt_regions import spopt_labels
from benchmarks.timing import in_child, interleave, medians, shared, show_growth

K = 12
PYGEODA_UP_TO = 10_000
SCIKIT_LEARN_UP_TO = 100_000
SPOPT_UP_TO = 4_000
"""Its SKATER takes a minute then, and is run once."""
SINGLE_UP_TO = 10_000
"""Single linkage chains: one cluster takes up unit after unit, each time compared with all its neighbours."""
LINKAGES = ("ward", "single", "complete", "average")


class Way(NamedTuple):
    """A method with its options, and what pygeoda calls it (empty: it has no such)."""

    method: str
    options: dict[str, str]
    pygeoda: str

    @property
    def name(self) -> str:
        """Method and options."""
        return " ".join([self.method, *self.options.values()])

    @property
    def compares_all(self) -> bool:
        """Whether units are compared one by one."""
        return self.method != "skater" and self.options.get("order") != "first"


WAYS = (
    Way("skater", {}, "skater"),
    *(Way("schc", {"linkage": linkage}, linkage) for linkage in LINKAGES),
    *(
        Way("redcap", {"order": order, "linkage": linkage}, f"{order}order-{linkage}linkage")
        for order in ("full", "first")
        for linkage in LINKAGES
    ),
)
NOT_IN_PYGEODA = {f"firstorder-{linkage}linkage" for linkage in ("ward", "complete", "average")}


def contestants(way: Way, frame: Any, X: np.ndarray, weights: Any) -> dict[str, Callable[[int], np.ndarray]]:
    """Return all ways to make the same regions, everything they need in memory."""
    from regionalize.model.catalog import METHODS

    method = METHODS[way.method].load()
    found: dict[str, Callable[[int], np.ndarray]] = {
        "ours": lambda _: method(X, K, weights=weights, **way.options)
    }
    if len(X) <= PYGEODA_UP_TO and way.pygeoda not in NOT_IN_PYGEODA:
        import pygeoda

        links = pygeoda.queen_weights(pygeoda.open(frame))
        columns = [column.tolist() for column in X.T]
        named = () if way.method == "skater" else (way.pygeoda,)
        theirs = getattr(pygeoda, way.method)
        found["pygeoda"] = lambda _: in_child(  # its REDCAP sometimes frees memory twice
            lambda: np.array(theirs(K, links, columns, *named, scale_method="raw")["Clusters"]) - 1
        )
    if way.name == "schc ward" and len(X) <= SCIKIT_LEARN_UP_TO:
        from sklearn.cluster import AgglomerativeClustering

        model = AgglomerativeClustering(n_clusters=K, connectivity=weights.to_scipy())
        found["scikit-learn"] = lambda _: model.fit_predict(X)
    return found


def measure(way: Way, frame: Any, X: np.ndarray, weights: Any, rounds: int) -> float:
    """Print seconds and fit of all; return our seconds."""
    ways = contestants(way, frame, X, weights)
    ways["ours"](0)  # libraries loaded
    found = interleave(ways, rounds)
    if way.method == "skater" and len(X) <= SPOPT_UP_TO:
        found |= interleave({"spopt": lambda _: spopt_labels("Skater", X, weights, n_clusters=K)}, 1)
    seconds = medians(found)
    shown = [f"{way.name:<20} {len(X):>9,}"]
    for other, runs in found.items():
        times = "" if other == "ours" else f" ({seconds[other] / seconds['ours']:.0f} times)"
        shown.append(f"{other} {seconds[other]:8.4f} s{times}, BSS/TSS {ratio(X, runs[-1][1]):.6f}")
    print("   ".join(shown), flush=True)
    return seconds["ours"]


def layers(sizes: list[int]) -> Any:
    """Yield name, frame and variables of every layer, the small real one first."""
    import geopandas

    file = shared(REAL["natregimes"])
    if file is not None:
        frame = geopandas.read_file(file)
        X = frame[list(HOMICIDE)].to_numpy(float)
        yield "natregimes", frame, (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    for n in sizes:
        frame = geopandas.GeoDataFrame(geometry=irregular(n))
        place = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())) / 1e6
        yield "irregular", frame, synthetic_matrix(n, place=place)


def main() -> None:
    """Print seconds, fit and growth."""
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true", help="also a million polygons")
    parser.add_argument("--only", default="", help="only methods whose name begins so, such as 'schc'")
    options = parser.parse_args()
    chosen = [way for way in WAYS if way.name.startswith(options.only)]
    print(f"k = {K}, medians of {options.rounds} interleaved runs")
    grown: dict[str, dict[int, float]] = {way.name: {} for way in chosen}
    sizes = [10_000, 30_000, 100_000, *([1_000_000] if options.million else [])]
    for name, frame, X in layers(sizes):
        print(f"{name}, {len(X):,} units")
        weights = build_weights(Layer.from_frame(frame), "queen")
        for way in chosen:
            single = way.options.get("linkage") == "single" and way.compares_all
            most = (
                SINGLE_UP_TO if single else 100_000 if way.compares_all and "ward" not in way.name else len(X)
            )
            if len(X) <= most:
                seconds = measure(way, frame, X, weights, options.rounds)
                if name == "irregular":
                    grown[way.name][len(X)] = seconds
        print(f"memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    for name, seconds in grown.items():
        print(name)
        show_growth(seconds)


if __name__ == "__main__":
    main()
