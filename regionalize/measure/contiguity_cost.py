"""What it costs to make clusters contiguous."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.components import components_within
from regionalize.measure.fit import measure_fit
from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


def contiguity_cost(
    before: IntArray, after: IntArray, scaled: NDArray[np.floating[Any]], weights: Weights
) -> dict[str, Any]:
    """Compare clusters with the regions made of them.

    Parameters
    ----------
    before, after : (m,) int64
        Cluster and region of each unit that takes part, from 1.
    scaled : (m, p) float
        Attributes to measure by, perhaps none.
    weights : Weights
        Neighbours of the m units.

    Returns
    -------
    dict
        Clusters and their connected pieces before, regions after, and BSS/TSS before and after (None without
        attributes).

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> path = Weights.from_links(3, np.array([0, 1]), np.array([1, 2]), kind="example")
    >>> cost = contiguity_cost(np.array([1, 2, 1]), np.array([1, 2, 2]), np.array([[0.0], [6], [0]]), path)
    >>> list(cost.values())
    [2, 3, 2, 1.0, 0.25]
    """
    fits = [measure_fit(scaled, labels).ratio if scaled.shape[1] else None for labels in (before, after)]
    return {
        "clusters": len(np.unique(before)),
        "pieces": int(components_within(weights.indptr, weights.indices, before).max()) + 1,
        "regions": len(np.unique(after)),
        "bss_tss_before": fits[0],
        "bss_tss_after": fits[1],
    }
