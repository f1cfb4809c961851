"""All libraries side by side, on good layers and awkward ones: ``python -m benchmarks.comparison``.

Every call runs in a process of its own, with a limit of time and memory, because some of them end the
process, or never end. ``--write`` puts the tables into docs/comparison.md. The whole takes some ten minutes.
What each offers is in `offered`, the awkward layers are in `probes`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import shapely

from benchmarks import peers
from benchmarks.contiguity import irregular
from benchmarks.geoda_steps import GUERRY, TRACTS
from benchmarks.kmeans import HOMICIDE, ratio, synthetic_matrix
from benchmarks.offered import capabilities
from benchmarks.pages import machine, publish, table
from benchmarks.probes import awkward, pieces
from benchmarks.timing import growth, shared

PAGE = "comparison.md"
LIMIT = 10
"""Seconds of processor time that a call may take."""
MEASURABLE = 0.01
LEAST_GROWN = 500
"""Units of the smallest layer from which growth is told."""
TOO_LONG = 3
"""A call that took more seconds than this is not tried on the next larger layer, nor one that failed."""


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
    file = shared(TRACTS.path)
    if file is not None:
        frame = geopandas.read_file(file)
        people = frame[TRACTS.population].to_numpy(float)
        yield Layer(
            "Chicago, 791", frame, z_scored(frame, TRACTS.columns), 8, people, float(people.sum() / 16)
        )
    file = shared("natregimes/natregimes.shp")
    if file is not None:
        frame = geopandas.read_file(file)
        people = frame["PO90"].to_numpy(float)
        yield Layer(
            "natregimes, 3,085", frame, z_scored(frame, HOMICIDE), 12, people, float(people.sum() / 24)
        )
    for n in (10_000, 100_000):
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
    """Write seconds with two digits that count; a clock of processor time may tick by the hundredth."""
    if value < MEASURABLE:
        return f"< {MEASURABLE} s"
    return f"{value:.0f} s" if value >= 9.95 else f"{value:.2g} s"


def regions() -> Iterator[dict[str, str]]:
    """Every task by every library, on layers of growing size; a table after each of them."""
    ways = {(task, name): call for task, calls in TASKS.items() for name, call in calls.items()}
    cells: dict[tuple[str, str], list[str]] = {key: [] for key in ways}
    times: dict[tuple[str, str], dict[int, float]] = {key: {} for key in ways}
    over: set[tuple[str, str]] = set()
    names = []

    def one(layer: Layer, key: tuple[str, str]) -> None:
        """Do one task by one library, unless it failed or took long on a smaller layer."""
        if key in over:
            cells[key].append("not tried")
            return
        task, name = key
        outcome = ways[key](layer)
        flags = {"counted": task == "max-p", "contiguous": "not contiguous" not in task}
        cells[key].append(cell(outcome, layer, **flags))
        print(f"{layer.name}: {name}: {cells[key][-1]}", flush=True)
        if outcome.labels is not None:
            times[key][len(layer.X)] = outcome.seconds
        if outcome.labels is None or outcome.seconds > TOO_LONG:
            over.add(key)

    for layer in layers():
        names.append(layer.name)
        with ThreadPoolExecutor(
            os.cpu_count()
        ) as pool:  # processor time is told, so that two may run at once
            list(pool.map(partial(one, layer), ways))
        rows = [[*key, *cells[key], grown(times[key])] for key in ways]
        yield {"regions": table(["task", "by", *names, "growth"], rows)}


def grown(times: dict[int, float]) -> str:
    """Exponent of n over the last two layers that were done, the smallest left out."""
    done = {n: took for n, took in times.items() if n >= LEAST_GROWN and took >= MEASURABLE}
    if len(done) < 2:
        return "–"
    return f"n^{growth(done)[-1][2]:.1f}"


NEIGHBOURS = {"regionalize": peers.our_neighbours, "libpysal": peers.libpysal, "pygeoda": peers.pygeoda_queen}


def neighbours() -> Iterator[dict[str, str]]:
    """Queen neighbours by every library, on layers of growing size; a table after each of them."""
    names: list[str] = []
    cells: dict[str, list[str]] = {name: [] for name in NEIGHBOURS}
    times: dict[str, dict[int, float]] = {name: {} for name in NEIGHBOURS}
    for layer in layers():
        names.append(layer.name)
        first = None
        for name, prepare in NEIGHBOURS.items():
            outcome = peers.attempt(prepare, layer.frame, limit=LIMIT)
            if outcome.labels is None:
                cells[name].append(outcome.trouble)
                continue
            first = outcome.labels if first is None else first
            same = np.array_equal(first, outcome.labels)
            memory = "" if np.isnan(outcome.memory) else f"; {outcome.memory:,.0f} MiB"
            cells[name].append(f"{seconds(outcome.seconds)}{memory}{'' if same else '; others'}")
            times[name][len(layer.X)] = outcome.seconds
            print(f"{layer.name}: neighbours by {name}: {cells[name][-1]}", flush=True)
        rows = [[name, *cells[name], grown(times[name])] for name in NEIGHBOURS]
        yield {"neighbours": table(["by", *names, "growth"], rows)}


PARTS: dict[str, Callable[[], Iterable[dict[str, str]]]] = {
    "capabilities": lambda: [capabilities()],
    "awkward": lambda: [awkward()],
    "neighbours": neighbours,
    "regions": regions,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/comparison.md")
    parser.add_argument("--only", choices=PARTS, help="one of the tables")
    options = parser.parse_args()
    versions = machine("pygeoda", "spopt", "libpysal", "scikit-learn")
    publish(PAGE, "comparison", {"machine": versions}, write=options.write)
    for title, make in PARTS.items():
        if options.only in {None, title}:
            for part in make():
                publish(PAGE, "comparison", part, write=options.write)


if __name__ == "__main__":
    main()
