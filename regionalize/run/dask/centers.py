"""The centres of rows that lie in parts, with all that new rows need to be compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.model.centers import Centers
from regionalize.run.dask.features import clustered_rows
from regionalize.run.dask.measure import groups_of, together
from regionalize.run.stream.centers import Near, measured, nearness, scaled_centers
from regionalize.run.stream.variables import Scale, Variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distributed import Client, Future

    from regionalize.model.layer import Layer
    from regionalize.run.dask.features import PartedFeatures
    from regionalize.run.solve import Solution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


def centers_in_parts(
    client: Client,
    head: Layer,
    solution: Solution,
    features: PartedFeatures,
    labels: Sequence[Future],
    numbers: IntArray,
) -> Centers:
    """Return centres as `regionalize.run.centers.centers_of` does: two passes over the parts.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    head : Layer
        Of no rows.
    solution : Solution
        Its job and report.
    features : PartedFeatures
    labels : sequence of Future
        Codes (1, m) of the rows used of each part.
    numbers : (k,) int64
        Number of each code.
    """
    variables, scale = features.variables, features.scale
    parts = features.values, features.smoothed, labels
    about = {"scale": scale, "k": len(numbers), "origin": features.statistics.mean}
    found = client.gather(client.map(groups_of, *parts, **about))
    means = together([mixed for _, _, mixed in found]).means[np.argsort(numbers)]
    centers = scaled_centers(head, solution.job, variables, scale, solution.report, means)
    assert centers.recipe is not None
    points = centers.points(centers.recipe)[numbers - 1]
    near = client.map(nearness_of, *parts, variables=variables, scale=scale, points=points)
    return measured(centers, client.gather(near))


def nearness_of(
    values: FloatArray,
    smoothed: FloatArray | None,
    labels: IntArray,
    variables: Variables,
    scale: Scale,
    points: FloatArray,
) -> Near:
    """Tell how near the rows used of a part are to the centres, by code."""
    return nearness(clustered_rows(values, smoothed, variables, scale, "float64"), labels[0], points)
