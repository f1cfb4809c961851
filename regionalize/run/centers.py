"""The centres of a run, with all that new rows need to be compared with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.model.centers import Centers, Recipe, Variable

if TYPE_CHECKING:
    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.method import Center
    from regionalize.model.report import Report
    from regionalize.run.solve import Solution

FloatArray = NDArray[np.float64]


def centers_of(solution: Solution) -> Centers:
    """Return the centres of a solution, with its recipe where variables were clustered.

    What the recipe says of the units the centres were made of (whose nearest centre is their own, how far
    they are) is found by asking for the nearest centre as new rows do.
    """
    from regionalize.methods.nearest_center import nearest_center

    features = solution.features
    found = reported_centers(solution.report)
    if not features.names or features.places is not None:  # nothing, or places, which have other rules
        return found
    refuse_embedded(solution.job)
    recipe = recipe_of(solution)
    labels = solution.partition.labels[features.rows]
    nearest, distance = nearest_center(features.X, found.points(recipe), recipe.distance)
    member = labels > 0
    recipe = replace(
        recipe,
        agreement=float(np.mean(nearest[member] + 1 == labels[member])),
        mean_distance=float(distance[member].mean()),
        farthest=float(distance[member].max()),
    )
    return replace(found, recipe=recipe)


def reported_centers(report: Report) -> Centers:
    """Return the centres that a report tells, in original units, without a recipe."""
    return Centers(
        numbers=np.arange(1, report.k + 1),
        names=report.center_columns,
        values=np.array(report.centers, dtype=np.float64).reshape(report.k, len(report.center_columns)),
        sizes=np.array(report.sizes, dtype=np.int64),
    )


def refuse_embedded(job: Job) -> None:
    """Refuse to tell new rows how series were embedded.

    Raises
    ------
    UsageError
    """
    if job.embed is not None:
        raise UsageError(
            f"centres under --embed {job.embed} cannot be compared with new rows",
            advice="leave out --centers, or --embed",
        )


def recipe_of(solution: Solution) -> Recipe:
    """Tell how the rows of a solution became what was clustered."""
    from regionalize.features.centroids import plane_system

    features, job = solution.features, solution.job
    p = len(features.names)
    hidden = clustered_centers(solution) if job.hops or features.attributes_only else None
    in_plane = features.coordinates is not None
    return Recipe(
        method=job.method,
        distance=features.metric,
        transform=job.transform,
        variables=variables_of(
            features.names,
            features.raw,
            features.scaled,
            features.column_weights[:p],
            hidden[:, :p] if hidden is not None and job.hops else None,
        ),
        coordinates=()
        if features.coordinates is None
        else variables_of(
            features.coordinate_names,
            features.coordinates,
            features.unweighted[:, p:],
            features.column_weights[p:],
            hidden[:, p:] if hidden is not None and features.attributes_only else None,
        ),
        crs=plane_system(solution.layer, job.project) if in_plane else None,
        attributes_only=features.attributes_only,
        hops=job.hops,
        alpha=job.alpha,
        smooth_mode=job.smooth_mode,
        weights=job.weights,
    )


def clustered_centers(solution: Solution) -> FloatArray:
    """Return the centres on the scale of the variables, smoothed where they were, shape (k, variables)."""
    from regionalize.measure.distances import geometric_shares
    from regionalize.run.reporting import find_centers

    features: Features = solution.features
    labels = solution.partition.labels[features.rows]
    center = cast("Center", solution.report.center)
    geometric = center == "median" and features.metric == "euclidean"
    shares = geometric_shares(features.X, labels) if geometric else None
    return find_centers(features.unweighted, labels, center, solution.findings.medoids, shares)


def variables_of(
    names: tuple[str, ...],
    values: FloatArray,
    scaled: FloatArray,
    weights: FloatArray,
    centers: FloatArray | None,
) -> tuple[Variable, ...]:
    """Describe columns: what their transform came to, their weights, and centres that must be told apart."""
    from regionalize.features.transforms import Scaling

    scaling = Scaling.between(values, scaled)
    places = [None] * len(names) if centers is None else [tuple(column) for column in centers.T.tolist()]
    described = zip(
        names, scaling.offset.tolist(), scaling.scale.tolist(), weights.tolist(), places, strict=True
    )
    return tuple(Variable(*one) for one in described)
