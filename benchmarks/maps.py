"""A labelled layer on disk to a map: ``python -m benchmarks.maps``.

The bar: 100,000 polygons in a few seconds, reading included. The peer is geopandas' own plot, without words
beside the map; there is none for the page, because those of folium and plotly ask the network for scripts.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from benchmarks.contiguity import irregular
from benchmarks.timing import interleave, medians, shared, show_growth

K = 12
ENDINGS = (".png", ".svg", ".pdf", ".html")
ENGLAND = "england/lsoa_imd2019.gpkg"


def labelled(geometry: np.ndarray, file: Path, crs: Any = "EPSG:27700") -> None:
    """Write a layer whose labels lie like regions: K places, each unit with the nearest."""
    xy = shapely.get_coordinates(shapely.centroid(geometry))
    seeds = xy[np.random.default_rng(1).choice(len(xy), K, replace=False)]
    nearest = ((xy[:, None] - seeds) ** 2).sum(axis=2).argmin(axis=1) + 1
    geopandas.GeoDataFrame({"cluster": nearest}, geometry=geometry, crs=crs).to_file(file)


def ours(file: Path, ending: str, outlines: bool, _: int) -> int:
    """Draw by the library function behind ``regionalize map``; return the bytes of the map."""
    from regionalize.run.existing import draw_existing

    target = file.with_suffix(f".ours{ending}")
    draw_existing(str(file), target, "cluster", dissolve_lines=outlines, overwrite=True)
    return target.stat().st_size


def theirs(file: Path, _: int) -> int:
    """Draw with geopandas, as in its user guide; return the bytes of the map."""
    from matplotlib import pyplot

    target = file.with_suffix(".theirs.png")
    axes = geopandas.read_file(file).plot("cluster", categorical=True, legend=True, cmap="tab20")
    axes.figure.savefig(target, dpi=200)
    pyplot.close(axes.figure)
    return target.stat().st_size


def main() -> None:
    """Print seconds, sizes of files and growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    grown: dict[str, dict[int, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = {f"{n:,} irregular": Path(folder) / f"{n}.gpkg" for n in (10_000, 100_000)}
        for n, file in zip((10_000, 100_000), files.values(), strict=True):
            labelled(irregular(n), file)
        england = shared(ENGLAND)
        if england is not None:
            frame = geopandas.read_file(england)
            files["England"] = Path(folder) / "england.gpkg"
            labelled(frame.geometry.to_numpy(), files["England"], frame.crs)
        for name, file in files.items():
            n = len(geopandas.read_file(file))
            print(
                f"{name}, {n:,} polygons, k = {K}: medians of {options.rounds} interleaved runs", flush=True
            )
            ways: dict[str, Any] = {
                **{
                    ending: partial(ours, file, ending, False) for ending in (".png", ".svg", ".pdf", ".html")
                },
                ".png, outlines": partial(ours, file, ".png", True),
                "geopandas, .png": partial(theirs, file),
            }
            found = interleave(ways, options.rounds)
            for way, seconds in medians(found).items():
                print(f"  {way:<16} {seconds:7.2f} s {found[way][-1][1] / 1e6:8.1f} MB", flush=True)
                if name != "England":
                    grown.setdefault(way, {})[n] = seconds
    for way, seconds in grown.items():
        print(f"{way}: ", end="")
        show_growth(seconds)


if __name__ == "__main__":
    main()
