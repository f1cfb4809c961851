"""Command lines to be broken, for every kind of file that is written."""

from __future__ import annotations

from faults_stage import Scenario  # as conftest.py calls it

KMEANS = ("kmeans", "in/units.gpkg", "--columns", "a,b", "--overwrite")
IN_BATCHES = ("--batch-size", "4", "--warm-start", "8")
BATCH = (
    *("batch", "in/units.gpkg", "--method", "kmeans,skater", "--columns", "a,b"),
    *("--out-dir", "out", "--report", ".json", "--summary", "out/summary.csv", "--overwrite"),
)


def writes(name: str, *words: str, fresh: bool = False) -> Scenario:
    """Two clusters are there, if anything, and three are to take their place."""
    old = None if fresh else (*KMEANS, "--k", "2", *words)
    return Scenario(name, old, (*KMEANS, "--k", "3", *words))


def weighs(ending: str, old: str, new: str) -> Scenario:
    """Weights are there, and others are to take their place."""
    words = ("weights", "in/units.gpkg", "-o", f"out/w{ending}", "--overwrite", "--weights")
    return Scenario(f"weights{ending}", (*words, old), (*words, new))


FORMATS = (".gpkg", ".shp", ".shp.zip", ".geojson", ".fgb", ".gdb", ".kml", ".parquet", ".csv")
LAYERS = (
    *(writes(ending, "-o", f"out/x{ending}") for ending in FORMATS),
    *(writes(f"new{ending}", "-o", f"out/x{ending}", fresh=True) for ending in (".gpkg", ".shp", ".csv")),
    *(
        writes(f"batches{one}", "-o", f"out/x{one}", *IN_BATCHES)
        for one in (".gpkg", ".fgb", ".parquet", ".csv")
    ),
    Scenario(
        "added.gpkg",
        (*KMEANS, "--k", "2", "-o", "out/x.gpkg"),
        (*KMEANS, "--k", "3", "-o", "out/x.gpkg", "--output-layer", "more"),
    ),
)
"""What a layer is written to, whole or some rows at a time."""
BESIDE = (
    writes("tables", "--report", "out/r.json", "--centers", "out/c.csv", "--silhouettes", "out/h.csv"),
    writes("settings", "--save-config", "out/s.toml", "--profile", "out/p.csv", "--time-columns", "a,b"),
    writes("layers", "--dissolve", "out/d.gpkg", "--save-links", "out/l.geojson", "--islands", "nearest"),
    writes("pages", "--report", "out/r.html", "--map", "out/m.html"),
    writes("pictures", "--map", "out/m.png", "--plot", "out/p.svg", "--parallel", "out/q.pdf"),
    writes("together", "-o", "out/x.shp", "--qml", "--report", "out/r.md", "--map", "out/m.svg"),
    weighs(".gal", "rook", "queen"),
    weighs(".gwt", "knn:2", "knn:3"),
    weighs(".parquet", "rook", "queen"),
    Scenario("batch", (*BATCH, "--jobs", "1", "--k", "2"), (*BATCH, "--jobs", "1", "--k", "3")),
)
"""What is written beside it, and many at once."""
SCENARIOS = (*LAYERS, *BESIDE)
DASK = (
    *("kmeans", "in/units.parquet", "--columns", "a,b", "--engine", "dask", "--jobs", "1", "--overwrite"),
    *("-o", "out/x.parquet", "--report", "out/r.json"),
)
PROCESSES = (
    Scenario("two at a time", (*BATCH, "--jobs", "2", "--k", "2"), (*BATCH, "--jobs", "2", "--k", "3")),
    Scenario("dask", (*DASK, "--k", "2"), (*DASK, "--k", "3")),
)
"""What starts others that work for it."""
