"""A layer that every method finds something in, and what to ask each for: that follows from its row."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import shapely
from scipy.spatial import Voronoi

from regionalize.model.catalog import METHODS

COLUMNS = ["v0", "v1", "v2"]
KINDS = np.array([[0.0, 0, 0], [3, 1, 0], [0, 3, 2], [2, 2, 4]])
"""Of units, in three variables: far enough apart for methods that go by density."""
SHORT = 300
"""Iterations of a search where what is asked is not how good it is."""


def country(n: int, seed: int) -> geopandas.GeoDataFrame:
    """Return n cells whose borders match to the bit, in a square, and values of which no two are equal.

    What kind a unit is goes by its quarter of the square, with some disorder along the borders.
    """
    rng = np.random.default_rng(seed)
    place = rng.random((n, 2))
    disorder = rng.normal(0, 0.1, (n, 2))
    across, up = (place + disorder > 0.5).T
    values = rng.permutation(KINDS)[2 * across + up] + rng.normal(0, 0.5, (n, 3))
    names = [f"u{unit:05}" for unit in range(n)]
    table = {"id": names, **dict(zip(COLUMNS, values.T, strict=True))}
    return geopandas.GeoDataFrame(table, geometry=cells(place), crs="EPSG:32633")


def cells(place: np.ndarray) -> np.ndarray:
    """Return the Voronoi cells of places in the unit square, a thousand kilometres wide, on whole metres."""
    mirrored = [place * [-1, 1], place * [1, -1], place * [-1, 1] + [2, 0], place * [1, -1] + [0, 2]]
    found = Voronoi(np.vstack([place, *mirrored]))
    corners = np.round(found.vertices * 1e6)
    rings = [corners[found.regions[found.point_region[unit]]] for unit in range(len(place))]
    return np.array([shapely.Polygon(ring) for ring in rings])


def asked(name: str, n: int, *, iterations: int | None = SHORT) -> dict[str, Any]:
    """Return options for a method on a `country`: six clusters, or what finds about as many."""
    method = METHODS[name]
    options: dict[str, Any] = {"columns": COLUMNS}
    params = {param.name for param in method.params}
    if method.takes_k:
        options["k"] = 6
    if method.contiguous:
        options["weights"] = "queen"
        if not method.takes_k:
            options["min_size"] = n // 7
    if method.places and method.value({}, "eps") is None:
        options |= {"min_cluster_size": 6} if "min_cluster_size" in params else {"eps": 0.55}
    if iterations is not None and "iterations" in params:
        options["iterations"] = iterations
    return options


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two lists of labels group units alike, whatever the numbers; 0 is noise in both."""
    pairs = {*zip(one.tolist(), other.tolist(), strict=True)}
    noise = np.array_equal(one == 0, other == 0)
    return noise and len(pairs) == len({*one.tolist()}) == len({*other.tolist()})
