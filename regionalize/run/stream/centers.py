"""The centres of rows that come in batches, with all that new rows need to be compared with them."""

from __future__ import annotations

from dataclasses import replace
from math import fsum, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.features.centroids import plane_system
from regionalize.methods.minibatch import nearest_centers
from regionalize.model.centers import Centers, Recipe, Variable
from regionalize.run.centers import reported_centers
from regionalize.run.stream.variables import Scale, Variables

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.report import Report
    from regionalize.run.stream.label import Labelled
    from regionalize.run.stream.rows import Rows
    from regionalize.run.stream.store import RowStore

FloatArray = NDArray[np.float64]
Near = tuple[int, float, float]
"""Of some rows: how many are nearest to their own centre; distances from the nearest, sum and most."""


def centers_in_batches(head: Layer, found: Labelled, rows: Rows, labels: RowStore, report: Report) -> Centers:
    """Return the centres of rows on disk, as `regionalize.run.centers.centers_of` does of those in memory.

    Parameters
    ----------
    head : Layer
        Of no rows.
    found, rows, labels, report
        What `regionalize.run.stream.label` made of them.
    """
    means = found.raw.means if found.smoothed is None else found.smoothed.means
    if found.smoothed is None:
        means = rows.scale.apply(means)
    centers = scaled_centers(head, rows.job, rows.variables, rows.scale, report, means)
    assert centers.recipe is not None
    points = centers.points(centers.recipe)
    near = []
    for first, values, used in rows.batches():
        codes = labels.read(first, len(values))[used, 0] - 1
        near.append(nearness(rows.clustered(first, values)[used], codes, points))
    return measured(centers, near)


def scaled_centers(
    head: Layer, job: Job, variables: Variables, scale: Scale, report: Report, means: FloatArray
) -> Centers:
    """Return centres with their recipe, but for how far rows are from them.

    Parameters
    ----------
    means : (k, p) float
        Of the transformed columns, smoothed where they were.
    """
    p = len(variables.names)
    columns = scaled_columns(variables, scale)
    told = [tuple(column) for column in means.T.tolist()]
    if job.hops:
        columns[:p] = [replace(one, centers=place) for one, place in zip(columns[:p], told, strict=False)]
    if variables.apart:
        columns[p:] = [replace(one, centers=place) for one, place in zip(columns[p:], told[p:], strict=True)]
    recipe = Recipe(
        method=job.method,
        distance="euclidean",
        transform=job.transform,
        variables=tuple(columns[:p]),
        coordinates=tuple(columns[p:]),
        crs=plane_system(head, variables.project) if variables.coordinates else None,
        attributes_only=variables.apart,
        hops=job.hops,
        alpha=job.alpha,
        smooth_mode=job.smooth_mode,
        weights=job.weights,
    )
    return replace(reported_centers(report), recipe=recipe)


def scaled_columns(variables: Variables, scale: Scale) -> list[Variable]:
    """Describe the columns: what their transform came to, and their weights."""
    low, factors = scale.statistics.low, scale.factors
    at_low = scale.apply(low[None])[0]
    return [
        Variable(name, start - place / factor if factor else 0.0, 1 / factor if factor else np.inf, weight)
        for name, start, place, factor, weight in zip(
            variables.columns,
            low.tolist(),
            at_low.tolist(),
            factors.tolist(),
            variables.weights.tolist(),
            strict=True,
        )
    ]


def nearness(X: FloatArray, codes: NDArray[np.integer], points: FloatArray) -> Near:
    """Tell of rows (m, p) in clusters 0 … k - 1 how near they are to centres (k, p).

    Examples
    --------
    >>> nearness(np.array([[1.0], [4.0]]), np.array([0, 0]), np.array([[0.0], [6.0]]))
    (1, 3.0, 2.0)
    """
    nearest, squared = nearest_centers(X, points)
    return (
        int(np.count_nonzero(nearest == codes)),
        float(np.sqrt(squared).sum()),
        sqrt(squared.max(initial=0.0)),
    )


def measured(centers: Centers, near: list[Near]) -> Centers:
    """Put into the recipe how near all rows are to the centres."""
    assert centers.recipe is not None
    own, distance, farthest = zip(*near, strict=True)
    rows = int(centers.sizes.sum())
    recipe = replace(
        centers.recipe,
        agreement=sum(own) / rows,
        mean_distance=fsum(distance) / rows,
        farthest=max(farthest),
    )
    return replace(centers, recipe=recipe)
