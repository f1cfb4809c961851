"""Everything a report says about where the clusters lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.measure.diameter import measure_diameters
from regionalize.measure.fragmentation import measure_fragmentation
from regionalize.measure.shape import Compactness, measure_compactness
from regionalize.model.report import Fragmentation
from regionalize.model.weights import Weights


def measure_regions(
    labels: NDArray[np.integer[Any]], weights: Weights, geometry: NDArray[np.object_] | None = None
) -> tuple[Fragmentation, tuple[str, ...]]:
    """Measure fragmentation, joins, compactness and diameter of a partition.

    Compactness and diameter are measured for each cluster that is contiguous.

    Parameters
    ----------
    labels : (n,) int
        Clusters 1 … k; noise (0) and rows left out (-1) belong to none.
    weights : Weights
        Of the same n units.
    geometry : (n,) object, optional
        Shapely geometries in plane coordinates (projected or of unknown reference system), None or
        empty where there is none. Without it compactness is not measured.

    Returns
    -------
    Fragmentation
        Complete.
    tuple of str
        What could not be measured, and why.

    Raises
    ------
    DataError
        When labels, weights and geometry differ in length.

    References
    ----------
    Anselin (2024), *An Introduction to Spatial Data Science with GeoDa*, volume 2, chapter 12.

    Examples
    --------
    >>> import shapely
    >>> squares = np.array([shapely.box(x, 0, x + 1, 1) for x in range(4)])
    >>> path = Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "queen")
    >>> found, notes = measure_regions(np.array([1, 1, 1, 2]), path, squares)
    >>> [(shape.area, shape.diameter) for shape in found.clusters]
    [(3.0, 2), (1.0, 0)]
    """
    fragmentation = measure_fragmentation(labels, weights)
    if geometry is not None and len(geometry) != len(labels):
        raise DataError(f"there are {len(labels)} labels for {len(geometry)} geometries")
    whole = np.array(
        [shape.label for shape in fragmentation.clusters if shape.subclusters == 1], dtype=np.int64
    )
    if not len(whole):
        return fragmentation, ()
    diameters, notes = measure_diameters(labels, weights, whole)
    compactness: dict[int, Compactness] = {}
    if geometry is not None:
        compactness, more = measure_compactness(labels, geometry, whole)
        notes += more
    shapes = []
    for shape in fragmentation.clusters:
        steps = diameters.get(shape.label)
        found = compactness.get(shape.label, Compactness())
        shapes.append(
            replace(
                shape,
                area=found.area,
                perimeter=found.perimeter,
                ipq_geoda=found.ipq_geoda,
                ipq_dissolved=found.ipq_dissolved,
                diameter=steps,
                diameter_ratio=None if steps is None else steps / shape.members,
            )
        )
    return replace(fragmentation, clusters=tuple(shapes)), notes
