"""Sound geometries to compute with; the user's own stay as they are."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
Geometries = NDArray[np.object_]

THREADED_QUESTIONS = 10_000
"""Questions to GEOS from which several threads pay."""


def repaired(geometry: Geometries, units: NDArray[np.integer] | None = None) -> Geometries:
    """Return the geometries with the invalid ones among `units` (or all) made valid, in a copy.

    Examples
    --------
    >>> bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    >>> float(shapely.area(repaired(np.array([bow_tie])))[0])
    0.5
    """
    asked = np.full(len(geometry), units is None)
    if units is not None:
        asked[units] = True
    units = np.flatnonzero(asked)
    invalid = units[~in_threads(shapely.is_valid, geometry[units])]
    if len(invalid):
        geometry = geometry.copy()
        geometry[invalid] = shapely.make_valid(geometry[invalid])
    return geometry


def in_threads(ask: Callable[..., BoolArray], *sides: Geometries) -> BoolArray:
    """Ask GEOS, which leaves Python's lock, in as many threads as there are processors."""
    workers = 1
    if workers == 1 or len(sides[0]) < THREADED_QUESTIONS:
        return ask(*sides)
    from concurrent.futures import ThreadPoolExecutor

    pieces = zip(*(np.array_split(side, 4 * workers) for side in sides), strict=True)
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(lambda piece: ask(*piece), pieces)))
