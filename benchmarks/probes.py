"""Awkward layers, and what every library does with them: a table of `benchmarks.comparison`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import shapely

from benchmarks import peers
from benchmarks.pages import table

LIMIT = 5
"""Seconds of processor time that a call may take."""
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
        seed = {"random_state": 1} if name == "AZP" else {}
        return peers.spopt, (frame, X, name), {"n_clusters": 5, **bound, **seed}

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


def again(ask: Probe) -> str:
    """Tell whether two processes find the same regions of one layer."""
    prepare, arguments, options = ask(*grid(), None)
    one, other = (peers.attempt(prepare, *arguments, limit=LIMIT, **options) for _ in range(2))
    if one.labels is None or other.labels is None:
        return one.trouble or other.trouble
    return "the same" if np.array_equal(one.labels, other.labels) else "others"


def row(name: str) -> list[str]:
    """Tell what one library does with every probe."""
    ask, cells = PROBED[name], [name]
    for title, (frame, X) in probes().items():
        least = bounded(title)
        asked = ask(frame, X, least)
        if asked is None:
            cells.append("no such option")
            continue
        prepare, arguments, options = asked
        outcome = peers.attempt(prepare, *arguments, limit=LIMIT, **options)
        cells.append(judged(outcome, frame, least))
    cells.append(again(ask))
    print(" | ".join(cells), flush=True)
    return cells


def awkward() -> dict[str, str]:
    """Tell what every library does with every probe; nothing is timed, so some are done at once."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(row, PROBED))
    return {"awkward": table(["five regions by", *probes(), "again"], rows)}


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
