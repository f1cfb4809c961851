"""A small frame to group from Python."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely


@pytest.fixture
def frame():
    """Return 5 × 5 unit squares in metres, with two variables and a weight to bound."""
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(5), np.arange(5)))
    rng = np.random.default_rng(11)
    return geopandas.GeoDataFrame(
        {"a": rng.normal(size=25), "b": rng.normal(size=25), "pop": rng.integers(10, 99, 25)},
        geometry=shapely.box(1000 * x, 1000 * y, 1000 * x + 1000, 1000 * y + 1000),
        crs="EPSG:32633",
    )
