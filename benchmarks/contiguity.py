"""Queen contiguity beside pygeoda, libpysal and a bulk STRtree query: ``python -m benchmarks.contiguity``.

The bars: at 3,085 polygons at most twice pygeoda; at 100,000 irregular ones no slower than pygeoda and at
least 6 times faster than libpysal's Graph; on England's 32,844 small areas, where no border matches exactly,
no slower than one bulk STRtree ``intersects`` query; a million in linear time, under 6 GiB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.timing import interleave, medians, shared, show_growth

REAL = {"natregimes": "natregimes/natregimes.shp", "England": "england/lsoa_imd2019.gpkg"}
LIBPYSAL_UP_TO = 100_000


def irregular(n: int, seed: int = 1, bends: int = 3) -> np.ndarray:
    """Return n Voronoi cells of random points in a square, their shared borders bent at the same places."""
    from scipy.spatial import Voronoi

    rng = np.random.default_rng(seed)
    sites = rng.random((n, 2))
    rim = 8 / np.sqrt(n)
    mirrored = [sites]
    for axis in (0, 1):
        for edge in (0.0, 1.0):
            near = sites[np.abs(sites[:, axis] - edge) < rim].copy()
            near[:, axis] = 2 * edge - near[:, axis]
            mirrored.append(near)
    cells = Voronoi(np.concatenate(mirrored))
    ends = np.asarray(cells.ridge_vertices)
    sides = cells.ridge_points
    kept = (ends >= 0).all(axis=1) & (sides < n).any(axis=1)
    ends, sides = ends[kept], sides[kept]
    corners = np.clip(cells.vertices, 0, 1) * 1e6
    start, step = corners[ends[:, 0]], corners[ends[:, 1]] - corners[ends[:, 0]]
    along = (np.arange(1, bends + 1) / (bends + 1))[:, None]
    across = (
        rng.uniform(-0.1, 0.1, (len(ends), bends, 1)) * np.stack([-step[:, 1], step[:, 0]], axis=1)[:, None]
    )
    inner = start[:, None] + along * step[:, None] + across * (sides < n).all(axis=1)[:, None, None]
    border = np.concatenate([start[:, None], inner], axis=1)
    backwards = np.concatenate([corners[ends[:, 1]][:, None], inner[:, ::-1]], axis=1)
    unit, ridge = sides.ravel(), np.repeat(np.arange(len(ends)), 2)
    ridge, unit = ridge[unit < n], unit[unit < n]
    middle = start[ridge] + step[ridge] / 2 - sites[unit] * 1e6
    order = np.lexsort((np.arctan2(middle[:, 1], middle[:, 0]), unit))
    ridge, unit = ridge[order], unit[order]
    arm = start[ridge] - sites[unit] * 1e6
    forwards = arm[:, 0] * step[ridge, 1] - arm[:, 1] * step[ridge, 0] > 0
    pieces = np.where(forwards[:, None, None], border[ridge], backwards[ridge])
    offsets = np.searchsorted(unit, np.arange(n + 1)) * (bends + 1)
    first = np.zeros(len(pieces) * (bends + 1) + n, dtype=np.int64)  # every ring ends where it starts
    where = np.arange(n) + offsets[1:]
    first[where] = offsets[:-1]
    others = np.ones(len(first), dtype=bool)
    others[where] = False
    first[others] = np.arange(len(pieces) * (bends + 1))
    coords = pieces.reshape(-1, 2)[first]
    rings = (offsets + np.arange(n + 1)).astype(np.int64)
    polygons: np.ndarray = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, coords, (rings, np.arange(n + 1))
    )
    return polygons


def contestants(geometry: np.ndarray, *, pygeoda_too: bool) -> dict[str, Callable[[], Any]]:
    """Return the ways to build queen weights, everything they need in memory."""
    import geopandas
    import libpysal.graph
    import pyarrow as pa

    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    frame = geopandas.GeoDataFrame(geometry=geometry)
    layer = Layer(pa.table({"row": np.arange(len(geometry))}), None, None, shapes=geometry)

    def strtree() -> Any:
        return shapely.STRtree(geometry).query(geometry, predicate="intersects")

    ways: dict[str, Callable[[], Any]] = {"ours": lambda: build_weights(layer, "queen"), "STRtree": strtree}
    if len(geometry) <= LIBPYSAL_UP_TO:
        ways["libpysal"] = lambda: libpysal.graph.Graph.build_contiguity(frame, rook=False)
    if pygeoda_too:
        import pygeoda

        opened = pygeoda.open(frame)
        ways["pygeoda"] = lambda: pygeoda.queen_weights(opened)
    return ways


def measure(geometry: np.ndarray, rounds: int, *, pygeoda_too: bool = True) -> dict[str, float]:
    """Return median seconds of interleaved runs."""
    ways = contestants(geometry, pygeoda_too=pygeoda_too)
    for run in ways.values():
        run()  # load libraries, compile, fill caches
    return medians(interleave({name: lambda _, run=run: run() for name, run in ways.items()}, rounds))


def show(name: str, n: int, seconds: dict[str, float]) -> None:
    """Print a layer's row."""
    ours = seconds["ours"]
    peers = "   ".join(
        f"{peer} {took:8.3f} s ({took / ours:5.2f} x)" for peer, took in seconds.items() if peer != "ours"
    )
    print(f"{name:<12} {n:>9,}   ours {ours:8.3f} s   {peers}", flush=True)


def alone(n: int) -> tuple[float, float, float]:
    """Return seconds, and memory in GiB before and at the peak, of one build in a process of its own."""
    import pyarrow as pa

    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    geometry = irregular(n)
    with Path("/proc/self/statm").open() as file:
        before = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**30
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making the layer
    layer = Layer(pa.table({"row": np.arange(n)}), None, None, shapes=geometry)
    start = time.perf_counter()
    build_weights(layer, "queen")
    took = time.perf_counter() - start
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return took, before, int(status["VmHWM"].split()[0]) / 2**20


def main() -> None:
    """Print seconds, ratios and growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--million", action="store_true", help="also a million polygons, with the peak of memory"
    )
    options = parser.parse_args()
    print("queen contiguity, median of interleaved runs; in brackets the peer's time over ours")
    for name, path in REAL.items():
        file = shared(path)
        if file is None:
            continue
        import geopandas

        geometry = np.asarray(geopandas.read_file(file).geometry.values)
        show(name, len(geometry), measure(geometry, options.rounds, pygeoda_too=name != "England"))
    grown: dict[int, float] = {}
    for n in (10_000, 100_000):
        seconds = measure(irregular(n), options.rounds if n < 50_000 else min(options.rounds, 3))
        show("irregular", n, seconds)
        grown[n] = seconds["ours"]
    if options.million:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            grown[1_000_000], before, peak = pool.apply(alone, (1_000_000,))
        show("irregular", 1_000_000, {"ours": grown[1_000_000]})
        print(f"             memory: {before:.2f} GiB with the layer, {peak:.2f} GiB at the peak")
    show_growth(grown)


if __name__ == "__main__":
    main()
