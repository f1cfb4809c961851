"""Sound geometries to compute with; the user's own stay as they are."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]


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
    asked[asked] = ~shapely.is_valid(geometry[asked])
    if asked.any():
        geometry = geometry.copy()
        geometry[asked] = shapely.make_valid(geometry[asked])
    return geometry
