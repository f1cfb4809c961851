"""The plane that units are put on to be seen: two variables, or the two components that tell most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError

if TYPE_CHECKING:
    from regionalize.kernels.principal import Components
    from regionalize.model.features import Features
    from regionalize.run.solve import Solution

FloatArray = NDArray[np.float64]

NAMED = 3
"""Variables that name a component, at most …"""
LEAST_NAMED = 0.5
"""… and the least of the largest loading that one must have."""


@dataclass(frozen=True)
class Plane:
    """Where units are drawn.

    Attributes
    ----------
    places : (m, 2) or (m, 1) float64
        Of the m units used.
    axes : tuple of str
        What the coordinates are.
    components : Components or None
        What X was projected on; None where the coordinates are variables in original units.
    """

    places: FloatArray
    axes: tuple[str, ...]
    components: Components | None = None


def plane_of(features: Features) -> Plane:
    """Return the plane in which clusters are seen best: one or two variables as they are, or components.

    Raises
    ------
    DataError
        No variables are known.
    """
    from regionalize.kernels.principal import principal_components

    names, raw = features.names, features.raw
    if features.coordinates is not None:
        names = (*names, *features.coordinate_names)
        raw = np.column_stack([raw, features.coordinates])
    if not names:
        raise DataError("no variables are known to draw units by", advice="name some with --columns")
    if len(names) <= 2:
        return Plane(raw, names)
    X = clustered(features)
    components = principal_components(X)
    axes = [
        component_name(place, share, loadings, features.clustered_names)
        for place, (share, loadings) in enumerate(zip(components.shares, components.loadings, strict=True), 1)
    ]
    return Plane(components.project(X), tuple(axes), components)


def clustered(features: Features) -> FloatArray:
    """Return the variables on the scale they were clustered on; for clustered places, those reported on."""
    X = features.X if features.places is None else features.unweighted
    return np.asarray(X, dtype=np.float64)


def component_name(number: int, share: float, loadings: FloatArray, names: Sequence[str]) -> str:
    """Say how much of the variance a component has, and which variables load most.

    Examples
    --------
    >>> component_name(1, 0.434, np.array([0.1, -0.8, 0.6]), ["a", "b", "c"])
    'component 1, 43 % of the variance: −0.80 b, +0.60 c'
    """
    order = np.argsort(-np.abs(loadings), kind="stable")[:NAMED]
    told = [place for place in order if abs(loadings[place]) >= LEAST_NAMED * abs(loadings[order[0]])]
    parts = [f"{'−' if loadings[one] < 0 else '+'}{abs(loadings[one]):.2f} {names[one]}" for one in told]
    return f"component {number}, {100 * share:.0f} % of the variance: {', '.join(parts)}"


def centers_on(plane: Plane, solution: Solution) -> dict[int, FloatArray]:
    """Return where the centres of a solution are on its plane, by cluster; one without any is left out."""
    from regionalize.model.features import weighted
    from regionalize.run.centers import clustered_centers

    features, given = solution.features, solution.findings.centers
    numbers = np.arange(1, solution.report.k + 1)
    if given is not None:
        assert given.recipe is not None
        numbers = given.numbers
        columns = [given.names.index(name) for name in plane.axes] if plane.components is None else []
        rows = given.values[:, columns] if plane.components is None else given.points(given.recipe)
    elif plane.components is None:
        rows = np.array(solution.report.centers, dtype=np.float64)[:, : len(plane.axes)]
    else:
        rows = clustered_centers(solution)
        if features.places is None:
            rows = weighted(rows, features.column_weights, features.metric)
    at = rows if plane.components is None else plane.components.project(rows)
    return {int(label): place for label, place in zip(numbers, at, strict=True) if np.isfinite(place).all()}


def chosen_plane(solution: Solution, axes: Sequence[str]) -> tuple[Plane, dict[int, FloatArray]]:
    """Return the plane of two columns in original units, and where the centres are on it.

    A column that took no part is read from the layer, and what stands for each cluster in it is found among
    the values that are there.
    """
    from regionalize.features.columns import read_numbers

    features, report = solution.features, solution.report
    labels = solution.partition.labels[features.rows]
    places, found = [], []
    for name in axes:
        if name in report.center_columns and name in features.names:
            at = features.names.index(name)
            places.append(features.raw[:, at])
            found.append(_told_centers(solution, name))
        else:
            values, offset = read_numbers(solution.layer, [name])
            values = (values + offset)[features.rows, 0]
            places.append(values)
            found.append(_middles(solution, values, labels))
    numbers = dict.fromkeys(label for of in found for label in of)
    centers = {label: np.array([of.get(label, np.nan) for of in found]) for label in numbers}
    centers = {label: place for label, place in centers.items() if np.isfinite(place).all()}
    return Plane(np.column_stack(places), tuple(axes)), centers


def _told_centers(solution: Solution, name: str) -> dict[int, float]:
    """Return the centres of a clustered variable in original units, by cluster."""
    given = solution.findings.centers
    if given is not None:
        places = given.values[:, given.names.index(name)]
        return dict(zip(given.numbers.tolist(), places.tolist(), strict=True))
    at = solution.report.center_columns.index(name)
    return {label: center[at] for label, center in enumerate(solution.report.centers, 1)}


def _middles(solution: Solution, values: FloatArray, labels: NDArray[np.int64]) -> dict[int, float]:
    """Return mean, median or the medoid's value of every cluster, by what stands for clusters elsewhere."""
    center, medoids = solution.report.center, solution.findings.medoids
    if center == "medoid" and medoids is not None:
        return dict(zip(labels[medoids].tolist(), values[medoids].tolist(), strict=True))
    middle = np.median if center == "median" else np.mean
    there = np.isfinite(values)
    return {
        int(label): float(middle(values[there & (labels == label)]))
        for label in np.unique(labels[there & (labels > 0)])
    }
