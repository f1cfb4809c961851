"""What a density method measures distances of: the places of the units, or their variables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, InfeasibleError, UsageError, listed
from regionalize.model.catalog import package_of
from regionalize.model.features import Features, Places
from regionalize.model.length import METRES, distance_text, parse_length
from regionalize.weights.places import EARTH_RADIUS, chord, ground_metres, on_sphere

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.method import Method
    from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]

SHARES = (0.5, 0.9)
"""Shares of the units that are told how far their neighbours are."""


class Density(NamedTuple):
    """What a density method is given: the job as it is meant, features, and `eps` in units of their X."""

    job: Job
    features: Features
    arguments: dict[str, Any]


def read_density(layer: Layer, method: Method, job: Job, weights: Weights | None) -> Density:
    """Build what distances are measured of.

    Parameters
    ----------
    layer : Layer
        n rows.
    method : Method
        A row of the catalog that takes places.
    job : Job
        Its `eps` is a number, or a length with a unit.
    weights : Weights or None
        Of the n rows, for smoothing.

    Returns
    -------
    Density
        Features whose X are variables, as for any method; or, with ``features.places``, places.

    Raises
    ------
    RegionalizeError
        Whatever stands in the way; DBSCAN without `eps`, with a length that the data suggest.
    """
    from regionalize.features.build import build_features

    number, unit = _length(job)
    if unit or (layer.has_geometry and not _names_variables(job)):
        job, features = _place_features(layer, job, weights, number, unit)
    else:
        features = build_features(layer, job, weights)
        said = "units are clustered by their variables: distances are in these, transformed and weighted"
        features = replace(features, notes=(*features.notes, said))
    eps = number if number is None or features.places is None else straight(features.places, number, unit)
    if eps is None and method.name == "dbscan":
        raise UsageError(
            "dbscan needs --eps, the distance within which units are neighbours",
            advice=(suggestion(features, method.value(job.params, "min_samples"), "give ")),
        )
    return Density(job, features, {} if eps is None else {"eps": eps})


def suggestion(features: Features, count: int, verb: str) -> str:
    """Suggest an `eps` from how far the units have `count` units, themselves among them.

    "give --eps 2.1km: half of the units have 3 others within 830 m, nine tenths within 2.1 km"
    """
    from regionalize.methods.density import reach

    count = min(max(count, 2), len(features.X))
    half, most = (_told(features.places, distance) for distance in reach(features.X, count, SHARES))
    typed = most.replace(" ", "")
    others = "1 other" if count == 2 else f"{count - 1} others"
    return (
        f"{verb}--eps, such as --eps {typed}: half of the units have {others} within {half}, "
        f"nine tenths within {most}"
    )


def all_noise(method: Method, job: Job, features: Features) -> InfeasibleError:
    """Say that a method found no cluster, and what may help."""
    if package_of(method.name):
        return InfeasibleError("every unit is noise", advice=f"give {method.name} other options")
    if method.name == "hdbscan":
        size = method.value(job.params, "min_cluster_size")
        return InfeasibleError(
            f"every unit is noise: no clusters of {size} units stand out",
            advice="give a smaller --min-cluster-size or --min-samples",
        )
    count = method.value(job.params, "min_samples")
    if job.params.get("eps") is None:
        return InfeasibleError(
            "every unit is noise: no stretch is denser than what is around it",
            advice="give another --min-samples, a smaller --xi, or --eps",
        )
    return InfeasibleError(
        f"every unit is noise: nowhere are {count} units within --eps {job.params['eps']} of one",
        advice=suggestion(features, count, "give a smaller --min-samples or a longer "),
    )


def _length(job: Job) -> tuple[float | None, str]:
    eps = job.params.get("eps")
    return parse_length(eps) if isinstance(eps, str) else (eps, "")


def _names_variables(job: Job) -> bool:
    named = job.columns or job.exclude or job.embed
    return bool(named or job.with_centroids or job.centroid_weight is not None)


def _place_features(
    layer: Layer, job: Job, weights: Weights | None, number: float | None, unit: str
) -> tuple[Job, Features]:
    """Put the places of the units into X; columns that are named are reported on, else the coordinates."""
    from regionalize.features.build import build_features

    _refuse_variables(job)
    if not layer.has_geometry:
        raise DataError(
            f"the table has no geometry, so nothing is {number:g} {unit} away",
            advice="give --eps without a unit",
        )
    points, shown, plane, places, said = _points(layer, job)
    if places.sphere and number is not None and not unit:
        raise UsageError(
            f"--eps {number:g} would be in degrees, which are not of one length",
            advice=f"give a unit, such as --eps {number:g}km",
        )
    if unit and places.metres is None:
        raise DataError(
            f"the layer has no coordinate reference system to measure {number:g} {unit} in",
            advice="give --eps in map units, without a unit, or set the layer's system (ogr2ogr -a_srs)",
        )
    base = build_features(layer, job, weights) if job.columns else None
    rows = np.arange(len(layer)) if base is None else base.rows
    placed = np.isfinite(points[rows]).all(axis=1)
    notes = _left_out(layer, job, rows[~placed])
    rows = rows[placed]
    if len(rows) < 2:
        raise DataError(f"{len(rows)} of {len(layer)} rows can be used", advice="at least 2 are needed")
    X = points[rows]
    if base is not None:
        scaled = base.scaled[placed]
        return job, replace(
            base,
            rows=rows,
            raw=base.raw[placed],
            scaled=scaled,
            X=X,
            unweighted=scaled,
            places=places,
            notes=(*base.notes, *notes, *said, "the variables take no part: they are reported on"),
        )
    return replace(job, transform="raw"), Features(
        rows=rows,
        names=("X", "Y"),
        raw=shown[rows],
        scaled=plane[rows],
        X=X,
        unweighted=plane[rows],
        coordinates=None,
        coordinate_share=0.0,
        column_weights=np.ones(2),
        attributes_only=False,
        places=places,
        notes=(*notes, *said),
    )


def _refuse_variables(job: Job) -> None:
    """Refuse what only changes variables, where places alone are clustered."""
    given = {
        "with-centroids": job.with_centroids,
        "centroid-weight": job.centroid_weight is not None,
        "column-weights": bool(job.column_weights),
        "hops": job.hops > 0,
        "embed": job.embed is not None,
    }
    for name in (name for name, there in reversed(given.items()) if there):
        raise UsageError(
            f"--{name} is about variables, and here units are clustered by their places",
            advice="name variables with --columns and give --eps without a unit, as a distance in them",
        )


def _points(layer: Layer, job: Job) -> tuple[FloatArray, FloatArray, FloatArray, Places, tuple[str, ...]]:
    """Return the places of all rows: to measure by, to show, and on a plane; what they are, and notes.

    On the sphere they are measured by as points of space, in metres, since straight lines between these grow
    with the great circles above; shown as longitude and latitude; and put on a plane for sums of squares.
    """
    import pyproj
    import shapely

    from regionalize.features.centroids import centroid_points, project_geometry, sphere_points

    if layer.is_geographic and job.project.strip().lower() in {"auto", "none"}:
        degrees = sphere_points(layer)
        said = "units are clustered by their places: great-circle distances between centroids"
        dots = replace(layer, wkb=None, shapes=shapely.points(degrees), crs="EPSG:4326")
        plane = centroid_points(project_geometry(dots).geometry)
        return on_sphere(degrees) * EARTH_RADIUS, degrees, plane, Places(1.0, sphere=True), (said,)
    shapes, crs, notes = project_geometry(layer, job.project, job.id)
    points = centroid_points(shapes)
    metres = (
        None if crs is None else float(pyproj.CRS.from_user_input(crs).axis_info[0].unit_conversion_factor)
    )
    said = "units are clustered by their places: distances between centroids in the plane"
    return points, points, points, Places(metres), (*notes, said)


def _left_out(layer: Layer, job: Job, lost: NDArray[np.int64]) -> tuple[str, ...]:
    if not len(lost):
        return ()
    which = listed(layer.names(job.id)[lost])
    if job.missing != "drop":
        raise DataError(
            f"{len(lost)} of {len(layer)} rows have no geometry, so no place: {which}",
            advice="use --missing drop",
        )
    return (f"{len(lost)} of {len(layer)} rows left out because they have no geometry: {which}",)


def straight(places: Places, number: float, unit: str) -> float:
    """Return a length as a distance between rows of X.

    Examples
    --------
    >>> straight(Places(0.3048), 1.0, "km"), straight(Places(0.3048), 1.0, "")
    (3280.839895013123, 1.0)
    """
    if places.sphere:
        return EARTH_RADIUS * chord(number * METRES[unit] / EARTH_RADIUS)
    if not unit:
        return number
    assert places.metres is not None
    return number * METRES[unit] / places.metres


def in_metres(places: Places, distances: FloatArray) -> FloatArray:
    """Return distances between rows of X in metres, along great circles on the sphere.

    Where metres are not known they stay as they are.
    """
    if places.sphere:
        return np.where(np.isfinite(distances), ground_metres(distances / EARTH_RADIUS), distances)
    return distances * (places.metres or 1.0)


def _told(places: Places | None, distance: float) -> str:
    """Write a distance between rows of X, in metres where these are places of a known system."""
    if places is None or places.metres is None:
        return f"{distance:.4g}"
    return distance_text(float(in_metres(places, np.array([distance]))[0]))
