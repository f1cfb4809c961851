"""All libraries side by side, on good layers and awkward ones: ``python -m benchmarks.comparison``.

Every call runs in a process of its own, with a limit of time and memory, because some of them end the
process, or never end. ``--write`` puts the tables into docs/comparison.md. The whole takes some ten minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import shapely

from benchmarks import peers
from benchmarks.contiguity import irregular
from benchmarks.geoda_steps import GUERRY
from benchmarks.kmeans import HOMICIDE, ratio, synthetic_matrix
from benchmarks.pages import machine, publish, table
from benchmarks.timing import growth, shared

PAGE = "comparison.md"
LIMIT = 20
"""Seconds of processor time that a call may take."""
TOO_LONG = 5
"""A call that took more seconds than this is not tried on the next larger layer, nor one that failed."""
PROBE_LIMIT = 5


class Layer(NamedTuple):
    """A layer with z-scored variables, k, and what regions of max-p must hold."""

    name: str
    frame: Any
    X: np.ndarray
    k: int
    amount: np.ndarray
    least: float


def layers() -> Iterator[Layer]:
    """Real layers, then synthetic ones of growing size."""
    import geopandas

    file = shared(GUERRY.path)
    if file is not None:
        frame = geopandas.read_file(file)
        people = frame[GUERRY.population].to_numpy(float)
        yield Layer("Guerry, 85", frame, z_scored(frame, GUERRY.columns), 5, people, 3236.67)
    file = shared("natregimes/natregimes.shp")
    if file is not None:
        frame = geopandas.read_file(file)
        people = frame["PO90"].to_numpy(float)
        yield Layer(
            "natregimes, 3,085", frame, z_scored(frame, HOMICIDE), 12, people, float(people.sum() / 24)
        )
    for n in (10_000, 30_000, 100_000):
        frame = geopandas.GeoDataFrame(geometry=irregular(n))
        place = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())) / 1e6
        yield Layer(f"{n:,}", frame, synthetic_matrix(n, place=place), 12, np.ones(n), n / 24)


def z_scored(frame: Any, columns: tuple[str, ...]) -> np.ndarray:
    """Scale columns."""
    X = frame[list(columns)].to_numpy(float)
    scaled: np.ndarray = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    return scaled


Call = Callable[[Layer], peers.Outcome]


def own(method: str, **options: Any) -> Call:
    """Call a method of ours that takes k."""
    return lambda layer: peers.attempt(
        peers.ours, layer.frame, layer.X, method, k=layer.k, limit=LIMIT, **options
    )


def geoda(function: str, *more: Any) -> Call:
    """Call a function of pygeoda that takes k."""
    return lambda layer: peers.attempt(
        peers.pygeoda, layer.frame, layer.X, function, layer.k, *more, limit=LIMIT
    )


def spopt(name: str, **options: Any) -> Call:
    """Call a class of spopt that takes k."""
    return lambda layer: peers.attempt(
        peers.spopt, layer.frame, layer.X, name, n_clusters=layer.k, limit=LIMIT, **options
    )


def own_maxp(layer: Layer) -> peers.Outcome:
    """Call our max-p."""
    bound = ("amount", layer.amount, layer.least)
    return peers.attempt(peers.ours, layer.frame, layer.X, "maxp", bound, limit=LIMIT)


def geoda_maxp(layer: Layer) -> peers.Outcome:
    """Call pygeoda's max-p, 99 iterations, greedy."""
    amount = layer.amount.tolist()
    return peers.attempt(peers.pygeoda, layer.frame, layer.X, "maxp_greedy", amount, layer.least, limit=LIMIT)


def spopt_maxp(layer: Layer) -> peers.Outcome:
    """Call spopt's max-p with one construction and one annealing: its 99 and 10 take minutes."""
    few = {"max_iterations_construction": 1, "max_iterations_sa": 1}
    return peers.attempt(
        peers.spopt,
        layer.frame,
        layer.X,
        "MaxPHeuristic",
        layer.amount,
        threshold=layer.least,
        limit=LIMIT,
        **few,
    )


def scikit_learn(which: Callable[..., peers.Labels], *more: Any) -> Call:
    """Call scikit-learn."""
    return lambda layer: peers.attempt(which, layer.frame, layer.X, layer.k, *more, limit=LIMIT)


TASKS: dict[str, dict[str, Call]] = {
    "SKATER": {
        "`skater`": own("skater"),
        "pygeoda `skater`": geoda("skater"),
        "spopt `Skater`": spopt("Skater"),
    },
    "Ward, neighbours joined": {
        "`schc`": own("schc"),
        "pygeoda `schc`": geoda("schc", "ward"),
        "scikit-learn `AgglomerativeClustering`": scikit_learn(peers.scikit_learn_ward),
    },
    "REDCAP, full order, Ward": {
        "`redcap`": own("redcap"),
        "pygeoda `redcap`": geoda("redcap", "fullorder-wardlinkage"),
    },
    "best fit for k regions": {
        "`azp`": own("azp"),
        "pygeoda `azp_greedy`": geoda("azp_greedy"),
        "pygeoda `azp_tabu`": geoda("azp_tabu", 10),
        "pygeoda `azp_sa`": geoda("azp_sa", 0.85),
        "spopt `AZP`": spopt("AZP", random_state=1),
    },
    "max-p": {
        "`maxp`": own_maxp,
        "pygeoda `maxp_greedy`": geoda_maxp,
        "spopt `MaxPHeuristic`, 1 and 1": spopt_maxp,
    },
    "k-means, not contiguous": {
        "`kmeans`": own("kmeans"),
        "scikit-learn `KMeans`, 10 starts": scikit_learn(peers.scikit_learn_kmeans, 10),
    },
}


def cell(outcome: peers.Outcome, layer: Layer, *, counted: bool, contiguous: bool) -> str:
    """Write fit, regions, seconds and memory; say when regions are fewer than k or in pieces."""
    if outcome.labels is None:
        return outcome.trouble
    regions = int(outcome.labels.max()) + 1
    said = [f"{ratio(layer.X, outcome.labels):.4f}"]
    if counted or regions != layer.k:
        said.append(f"{regions} regions")
    if contiguous and pieces(layer.frame, outcome.labels) > regions:
        said.append("in pieces")
    memory = "" if np.isnan(outcome.memory) else f"; {outcome.memory:,.0f} MiB"
    return f"{', '.join(said)}; {seconds(outcome.seconds)}{memory}"


def seconds(value: float) -> str:
    """Write seconds with two digits that count."""
    return f"{value:.0f} s" if value >= 9.95 else f"{value:.2g} s"


def pieces(frame: Any, labels: np.ndarray) -> int:
    """Count the connected parts of all regions, by SciPy on bulk intersections."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shapes = frame.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    inside = labels[one] == labels[other]
    one, other = one[inside], other[inside]
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(labels), len(labels)))
    return int(connected_components(links, directed=False)[0])


def regions() -> dict[str, str]:
    """Every task by every library, on layers of growing size."""
    cells: dict[tuple[str, str], list[str]] = {(task, name): [] for task in TASKS for name in TASKS[task]}
    times: dict[tuple[str, str], dict[int, float]] = {key: {} for key in cells}
    over: set[tuple[str, str]] = set()
    names = []
    for layer in layers():
        names.append(layer.name)
        for task, ways in TASKS.items():
            for name, call in ways.items():
                key = task, name
                if key in over:  # it failed or took long on a smaller layer
                    cells[key].append("not tried")
                    continue
                outcome = call(layer)
                flags = {"counted": task == "max-p", "contiguous": "not contiguous" not in task}
                cells[key].append(cell(outcome, layer, **flags))
                print(f"{layer.name}: {name}: {cells[key][-1]}", flush=True)
                if outcome.labels is not None:
                    times[key][len(layer.X)] = outcome.seconds
                if outcome.labels is None or outcome.seconds > TOO_LONG:
                    over.add(key)
    rows = [[task, name, *cells[task, name], grown(times[task, name])] for task, name in cells]
    return {"regions": table(["task", "by", *names, "growth"], rows)}


def grown(times: dict[int, float]) -> str:
    """Exponent of n from some 3,000 units to the largest layer that was done."""
    done = {n: took for n, took in times.items() if n >= 3_000}
    if len(done) < 2:
        return "–"
    first, last = min(done), max(done)
    return f"n^{growth({first: done[first], last: done[last]})[0][2]:.1f}"


SIDE = 12
LEAST = {"kept": SIDE * SIDE / 12, "impossible": SIDE * SIDE / 3}
"""Units that each of five regions must hold: easily; not at all."""


def grid() -> tuple[Any, np.ndarray]:
    """Return a grid of squares, and three variables that vary over it."""
    import geopandas

    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    frame = geopandas.GeoDataFrame(geometry=shapely.box(x, y, x + 1, y + 1), crs="EPSG:32633")
    rng = np.random.default_rng(1)
    X = np.column_stack([x, y, (x - 5.0) * (y - 5.0)]) + rng.normal(0, 2, (len(x), 3))
    return frame, (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


def probes() -> dict[str, tuple[Any, np.ndarray]]:
    """Layers with something awkward."""
    from shapely.affinity import translate

    frame, X = grid()
    shapes = frame.geometry.to_numpy()
    island, halves, hole = shapes.copy(), shapes.copy(), X.copy()
    island[5] = translate(shapes[5], 0, -50)
    halves[: len(halves) // 2] = [translate(shape, 0, -50) for shape in shapes[: len(shapes) // 2]]
    hole[7, 1] = np.nan
    return {
        "an island": (frame.set_geometry(island), X),
        "two components": (frame.set_geometry(halves), X),
        "a missing value": (frame, hole),
        "a bound that can be kept": (frame, X),
        "a bound that cannot": (frame, X),
    }


def bounded(name: str) -> float | None:
    """Return the least units of a region that a probe asks for."""
    if "bound" not in name:
        return None
    return LEAST["impossible" if "cannot" in name else "kept"]


Probe = Callable[[Any, np.ndarray, float | None], Any]
"""Frame, variables and least units to what `attempt` takes, or None where there is no such option."""


def probe_own(method: str) -> Probe:
    """Probe our call from Python, which takes a frame."""

    def ask(frame: Any, X: np.ndarray, least: float | None) -> Any:
        options = {} if least is None else {"min_size": int(least)}
        return peers.ours_by_frame, (frame, X, method), {"k": 5, **options}

    return ask


def probe_geoda(function: str, *more: Any) -> Probe:
    """Probe a function of pygeoda."""

    def ask(frame: Any, X: np.ndarray, least: float | None) -> Any:
        bound = {} if least is None else {"bound_variable": [1.0] * len(X), "min_bound": least}
        return peers.pygeoda, (frame, X, function, 5, *more), bound

    return ask


def probe_spopt(name: str) -> Probe:
    """Probe a class of spopt: of these `Skater` alone takes a bound, on units."""

    def ask(frame: Any, X: np.ndarray, least: float | None) -> Any:
        if least is not None and name != "Skater":
            return None
        bound = {} if least is None else {"floor": int(least)}
        return peers.spopt, (frame, X, name), {"n_clusters": 5, **bound}

    return ask


def probe_ward(frame: Any, X: np.ndarray, least: float | None) -> Any:
    """Probe scikit-learn's hierarchy, which takes no bound."""
    return None if least is not None else (peers.scikit_learn_ward, (frame, X, 5), {})


PROBED: dict[str, Probe] = {
    **{f"`{method}`": probe_own(method) for method in ("skater", "schc", "redcap", "azp")},
    "pygeoda `skater`": probe_geoda("skater"),
    "pygeoda `schc`": probe_geoda("schc", "ward"),
    "pygeoda `redcap`": probe_geoda("redcap", "fullorder-wardlinkage"),
    "pygeoda `azp_greedy`": probe_geoda("azp_greedy"),
    "spopt `Skater`": probe_spopt("Skater"),
    "spopt `AZP`": probe_spopt("AZP"),
    "scikit-learn `AgglomerativeClustering`": probe_ward,
}


def judged(outcome: peers.Outcome, frame: Any, least: float | None) -> str:
    """Say what came of a probe."""
    if outcome.labels is None:
        refused = "refuses: " if "Error" in outcome.trouble else ""
        return refused + outcome.trouble.replace("|", "/")
    count = np.bincount(outcome.labels)
    said = [f"{len(count)} region{'s' if len(count) > 1 else ''}"]
    parts = pieces(frame, outcome.labels)
    if parts > len(count):
        said.append(f"in {parts} pieces")
    if least is not None and count.min() < least:
        said.append(f"one of {count.min()} units, not {least:.0f}")
    return ", ".join(said)


def awkward() -> dict[str, str]:
    """Tell what every library does with every probe."""
    rows = []
    for name, ask in PROBED.items():
        row = [name]
        for title, (frame, X) in probes().items():
            least = bounded(title)
            asked = ask(frame, X, least)
            if asked is None:
                row.append("no such option")
                continue
            prepare, arguments, options = asked
            outcome = peers.attempt(prepare, *arguments, limit=PROBE_LIMIT, **options)
            row.append(judged(outcome, frame, least))
        print(" | ".join(row), flush=True)
        rows.append(row)
    return {"awkward": table(["five regions by", *probes()], rows)}


CAPABILITIES: dict[str, tuple[str, str, str, str]] = {
    "k-means": ("kmeans", "", "", "sklearn.cluster:KMeans"),
    "k-medians": ("kmedians", "", "", ""),
    "k-medoids": ("kmedoids", "", "", ""),
    "hierarchical": ("hierarchical", "", "", "sklearn.cluster:AgglomerativeClustering"),
    "spectral": ("spectral", "", "", "sklearn.cluster:SpectralClustering"),
    "DBSCAN, HDBSCAN, OPTICS": ("hdbscan", "", "", "sklearn.cluster:HDBSCAN"),
    "Gaussian mixtures, mean shift, affinity propagation": ("", "", "", "sklearn.mixture:GaussianMixture"),
    "SKATER": ("skater", "pygeoda:skater", "spopt.region:Skater", ""),
    "Ward, neighbours joined": (
        *("schc", "pygeoda:schc", "spopt.region:WardSpatial"),
        "sklearn.cluster:AgglomerativeClustering",
    ),
    "REDCAP": ("redcap", "pygeoda:redcap", "", ""),
    "AZP": ("azp", "pygeoda:azp_greedy", "spopt.region:AZP", ""),
    "max-p": ("maxp", "pygeoda:maxp_greedy", "spopt.region:MaxPHeuristic", ""),
    "k-means with contiguity, spectral with contiguity": ("", "", "spopt.region:Spenc", ""),
    "random regions": ("", "", "spopt.region:RandomRegions", ""),
    "regions of equal size": ("balance", "", "", ""),
    "labels made contiguous": ("contiguous", "pygeoda:make_spatial", "", ""),
    "Manhattan distance in trees": ("", "pygeoda:skater", "", ""),
    "fragmentation, joins, compactness": ("validate", "pygeoda:spatial_validation", "", ""),
    "agreement of two solutions": ("compare", "", "", "sklearn.metrics:adjusted_rand_score"),
    "how many clusters": ("choose-k", "", "", "sklearn.metrics:silhouette_score"),
    "stability of every unit": ("stability", "", "", ""),
    "local statistics (LISA)": ("", "pygeoda:local_moran", "", ""),
}
"""Name by which each has it: ours, then module and name of pygeoda, spopt and scikit-learn; empty: none."""


def capabilities() -> dict[str, str]:
    """Tell what each has, every name looked up."""
    from regionalize.cli.program import COMMANDS
    from regionalize.model.catalog import METHODS

    rows = []
    for title, (mine, *theirs) in CAPABILITIES.items():
        assert not mine or mine in METHODS or mine in COMMANDS, mine
        for place in filter(None, theirs):
            module, _, name = place.partition(":")
            getattr(import_module(module), name)
        names = [mine, *(place.partition(":")[2] for place in theirs)]
        rows.append([title, *(f"`{name}`" if name else "–" for name in names)])
    return {"capabilities": table(["", "regionalize", "pygeoda", "spopt", "scikit-learn"], rows)}


PARTS = {"capabilities": capabilities, "awkward": awkward, "regions": regions}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/comparison.md")
    parser.add_argument("--only", choices=PARTS, help="one of the tables")
    options = parser.parse_args()
    parts = {"machine": machine("pygeoda", "spopt", "libpysal", "scikit-learn")}
    for title, make in PARTS.items():
        if options.only in {None, title}:
            parts |= make()
    publish(PAGE, "comparison", parts, write=options.write)


if __name__ == "__main__":
    main()
