"""From a layer to the matrix that is clustered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, listed, nearest
from regionalize.features.columns import Columns, read_columns, select_columns
from regionalize.features.notes import (
    compactness_notes,
    constant_notes,
    coordinate_notes,
    refuse_too_few_rows,
)
from regionalize.features.transforms import constant_columns, transform
from regionalize.model.catalog import find_method
from regionalize.model.features import Features, weighted
from regionalize.model.job import BY_DISTANCE, CHOICES, Job

if TYPE_CHECKING:
    from regionalize.model.layer import Layer
    from regionalize.model.method import Metric
    from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]


def build_features(
    layer: Layer, job: Job, weights: Weights | None = None, xy: FloatArray | None = None
) -> Features:
    """Select, read, transform, smooth, embed, append centroids and weigh.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Its source and features options are used. ``centroid_weight="auto"`` starts at weight 0: see
        `reweight`.
    weights : Weights, optional
        Of all n rows; needed when ``job.hops > 0``. Rows left out take no part in smoothing.
    xy : (n, 2) float64, optional
        Plane centroids as `centroids` returns them, when they exist already.

    Returns
    -------
    Features

    Raises
    ------
    UsageError, DataError
        As `select_columns`, `read_columns`, `transform` and `centroids`; rows without geometry among
        those used; fewer than two rows; nothing but constant columns; wrong column weights.
    ValueError
        Smoothing without weights, or weights or centroids of another number of rows: a caller's mistake.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from regionalize.model.job import Job
    >>> from regionalize.model.layer import Layer
    >>> layer = Layer(pa.table({"a": [1.0, 2.0, 3.0]}), None, None)
    >>> build_features(layer, Job()).X.tolist()
    [[-1.0], [0.0], [1.0]]
    """
    _check(job, layer, weights, xy)
    named = job.with_centroids or job.centroid_weight is not None
    with_centroids = named or job.compactness > 0
    share = job.compactness or None
    if job.centroid_weight is not None:
        share = centroid_share(job.centroid_weight)
    names, notes = select_columns(layer, job.columns, job.exclude, job.id)
    relative = relative_weights(job, names)
    columns = read_columns(layer, names, job.missing, job.id)
    notes += columns.notes
    refuse_too_few_rows(len(columns.rows), len(layer), job.where)
    if with_centroids:
        if job.compactness:
            _refuse_no_shape(layer, job)
        if xy is None:
            from regionalize.features.centroids import centroids

            xy, placed = centroids(layer, job.project, job.id)
            notes += placed
        columns, dropped = with_geometry(columns, xy, layer, job)
        notes += dropped
        refuse_too_few_rows(len(columns.rows), len(layer), job.where)
    kind = np.dtype(job.dtype)
    scaled = transform(columns.values, job.transform, kind)
    notes += constant_notes(names, constant_columns(columns.values), named)
    raw = _in_precision(columns.raw, kind)
    columns = replace(columns, values=raw)  # in single precision no more is held than that
    blocks = [scaled]
    if job.hops:
        where = positions_for_smoothing(layer, job, columns.rows, xy)
        blocks[0], said = smoothed(scaled, columns.rows, job, weights, where)
        notes += said
    embedded: tuple[str, ...] = ()
    stands_for = None
    if job.embed is not None:
        from regionalize.features.embedding import embed

        found = embed(blocks[0], job.embed, names)
        blocks[0] = found.values.astype(kind, copy=False)
        relative, embedded, stands_for = np.ones(len(found.names)), found.names, found.stands_for
        notes += found.notes
    coordinates = anisotropy = None
    if with_centroids:
        assert xy is not None
        coordinates = np.ascontiguousarray(xy[columns.rows], dtype=np.float64)
        scaled_coordinates = _scaled_coordinates(coordinates, job)
        if job.compactness:
            scaled_coordinates = _as_large_as(blocks[0], relative, coordinates, stands_for)
        blocks.append(scaled_coordinates.astype(kind, copy=False))
        anisotropy = _anisotropy(coordinates)
    unweighted = np.hstack(blocks) if len(blocks) > 1 else blocks[0]
    metric = find_method(job.method).metric(job.params)
    each, coordinate_share = split_weights(relative, with_centroids, share, stands_for)
    if job.compactness:
        notes += compactness_notes(job.compactness)
    elif with_centroids:
        notes += coordinate_notes(coordinate_share, anisotropy, job)
    return Features(
        rows=columns.rows,
        names=names,
        raw=raw,
        scaled=scaled,
        X=_weighted(unweighted, each, metric),
        unweighted=unweighted,
        coordinates=coordinates,
        coordinate_share=coordinate_share,
        column_weights=each,
        metric=metric,
        attributes_only=share is not None,
        attribute_weights=relative,
        embedded=embedded,
        stands_for=stands_for,
        anisotropy=anisotropy,
        notes=notes,
    )


def reweight(features: Features, centroid_weight: float) -> Features:
    """Return the same features with another share of the weight on the coordinates.

    Nothing is computed again but the weighting, so many weights can be tried cheaply.

    Parameters
    ----------
    features : Features
        Built with centroids.
    centroid_weight : float
        Share of the two coordinates together, 0 … 1.

    Returns
    -------
    Features

    Raises
    ------
    UsageError
        A share outside 0 … 1.
    ValueError
        Features without centroids.

    Examples
    --------
    >>> import pyarrow as pa, shapely
    >>> from regionalize.model.job import Job
    >>> from regionalize.model.layer import Layer
    >>> points = shapely.points([[0, 0], [3, 1], [6, 5]])
    >>> layer = Layer(pa.table({"a": [1.0, 2.0, 3.0]}), None, "EPSG:3035", shapes=points)
    >>> features = build_features(layer, Job(with_centroids=True))
    >>> reweight(features, 0.5).column_weights.tolist()
    [0.5, 0.25, 0.25]
    """
    if features.coordinates is None:
        raise ValueError("features without centroids cannot be reweighted")
    relative = features.attribute_weights
    each, share = split_weights(
        np.ones(len(features.names)) if relative is None else relative,
        True,
        centroid_share(centroid_weight),
        features.stands_for,
    )
    X = _weighted(features.unweighted, each, features.metric)
    return replace(features, X=X, column_weights=each, coordinate_share=share, attributes_only=True)


def _check(job: Job, layer: Layer, weights: Weights | None, xy: FloatArray | None) -> None:
    if job.hops and weights is None:
        raise ValueError("smoothing needs weights")
    if weights is not None and len(weights) != len(layer):
        raise ValueError(f"{len(weights)} weights for {len(layer)} rows")
    if xy is not None and xy.shape != (len(layer), 2):
        raise ValueError(f"centroids of shape {xy.shape} for {len(layer)} rows")
    for name in ("centroid_scale", "dtype"):
        value, known = getattr(job, name), CHOICES[name]
        if value not in known:
            option = name.replace("_", "-")
            raise UsageError(f"unknown --{option} '{value}'", advice=f"use {' or '.join(known)}")


def centroid_share(centroid_weight: float | str) -> float:
    """Return a centroid weight as a number; "auto" starts at 0."""
    if centroid_weight == "auto":
        return 0.0
    try:
        share = float(centroid_weight)
    except ValueError:
        share = np.nan
    if not 0 <= share <= 1:
        raise UsageError(f"--centroid-weight {centroid_weight} is not between 0 and 1", advice="or use auto")
    return share


def relative_weights(job: Job, names: tuple[str, ...]) -> FloatArray:
    """Return what `--column-weights` asks of every attribute, shape (p,)."""
    asked: dict[str, float] = {}
    for name, weight in dict(job.column_weights).items():
        if name not in names:
            raise UsageError(
                f"--column-weights names '{name}', which is not among the columns",
                advice=nearest(name, names) or f"the columns are {listed(names, 20)}",
            )
        if not (np.isfinite(weight) and weight >= 0):
            raise UsageError(f"--column-weights {name}={weight} is not a weight", advice="use 0 or more")
        asked[name] = float(weight)
    relative = np.array([asked.get(name, 1.0) for name in names])
    if not relative.any() and not (job.with_centroids or job.centroid_weight is not None):
        raise UsageError(
            "--column-weights makes every column weigh 0", advice="give one column a weight above 0"
        )
    return relative


def with_geometry(
    columns: Columns, xy: FloatArray, layer: Layer, job: Job
) -> tuple[Columns, tuple[str, ...]]:
    """Refuse, or under `--missing drop` leave out, rows without a centroid."""
    placed = np.isfinite(xy[columns.rows]).all(axis=1)
    if placed.all():
        return columns, ()
    which = listed(layer.names(job.id)[columns.rows[~placed]])
    count = f"{np.count_nonzero(~placed)} of {len(layer)} rows"
    if job.missing != "drop":
        raise DataError(f"{count} have no geometry, so no centroid: {which}", advice="use --missing drop")
    kept = replace(columns, values=columns.values[placed], rows=columns.rows[placed])
    return kept, (f"{count} left out because they have no geometry: {which}",)


def positions_for_smoothing(
    layer: Layer, job: Job, rows: NDArray[np.int64], xy: FloatArray | None
) -> tuple[FloatArray | None, bool]:
    """Return where the rows used are, if smoothing asks for distances, and whether on the sphere."""
    if job.smooth_mode not in BY_DISTANCE:
        return None, False
    from regionalize.features.centroids import centroid_points, project_geometry, sphere_points

    if layer.is_geographic:
        where = sphere_points(layer)
    elif xy is not None:
        where = xy
    else:
        where = centroid_points(project_geometry(layer, job.project).geometry)
    lost = rows[~np.isfinite(where[rows]).all(axis=1)]
    if len(lost):
        raise DataError(
            f"{len(lost)} of {len(layer)} rows have no geometry, so no distance to their neighbours: "
            f"{listed(layer.names(job.id)[lost])}",
            advice="use --smooth-mode mean, or leave the rows out with --where",
        )
    return where[rows], layer.is_geographic


def smoothed(
    scaled: NDArray[np.floating],
    rows: NDArray[np.int64],
    job: Job,
    weights: Weights | None,
    where: tuple[FloatArray | None, bool],
) -> tuple[NDArray[np.floating], tuple[str, ...]]:
    """Smooth attributes over the rows used, the others taking no part."""
    from regionalize.features.smoothing import restricted, smooth, smoothing_notes

    assert weights is not None
    used = restricted(weights, rows)
    coordinates, sphere = where
    out = smooth(scaled, used, job.hops, job.alpha, job.smooth_mode, coordinates=coordinates, sphere=sphere)
    return out, smoothing_notes(scaled, out, used, job.smooth_mode)


def _scaled_coordinates(coordinates: FloatArray, job: Job) -> FloatArray:
    """Transform centroids like the attributes.

    "isotropic" divides both centred axes by one factor, chosen so that their variances sum to what
    scaling each axis by itself gives: for z, the root of the mean of the two variances.
    """
    axis = transform(coordinates, job.transform)
    if job.centroid_scale == "axis":
        return axis
    centred = transform(coordinates, "demean")
    wanted = float(np.sum((axis - axis.mean(axis=0)) ** 2))
    total = float(np.sum(centred**2))
    scaled: FloatArray = centred * np.sqrt(wanted / total) if total else centred
    return scaled


def _as_large_as(
    attributes: NDArray[np.floating],
    relative: FloatArray,
    coordinates: FloatArray,
    stands_for: float | None = None,
) -> FloatArray:
    """Scale centred coordinates by one factor to twice the weighted mean sum of squares of the attributes.

    With weights W / 2 each against 1 − W, what is minimised is then TSS times
    (1 − W) · WSS / TSS + W · (moment of inertia within regions / of the layer), whatever the transform.
    """
    centred = coordinates - coordinates.mean(axis=0)
    total = float(np.sum(centred**2))
    squares = np.sum((attributes - attributes.mean(axis=0)) ** 2, axis=0)
    wanted = 2.0 * float(relative @ squares) / float(stands_for or relative.sum())
    scaled: FloatArray = centred * np.sqrt(wanted / total) if total else centred
    return scaled


def _anisotropy(coordinates: FloatArray) -> float | None:
    """Return the standard deviation east–west over north–south, None when all lie on one parallel."""
    east, north = np.std(transform(coordinates, "demean"), axis=0)
    return float(east / north) if north else None


def split_weights(
    relative: FloatArray, with_centroids: bool, share: float | None, stands_for: float | None = None
) -> tuple[FloatArray, float]:
    """Return the weight of every clustered column in squared distance, and the coordinates' share.

    With a share W the coordinates get W / 2 each and the p attributes (1 − W) / p each, times their
    relative weights brought to mean one; without, every column counts as it is asked, coordinates 1.
    Variables of an embedding count as the columns that they stand for do.
    """
    total = stands_for or relative.sum()
    if share is None:
        each = np.concatenate([relative, np.ones(2)]) if with_centroids else relative
        return each, float(2 / (total + 2)) if with_centroids else 0.0
    attributes = (1 - share) * (relative / total if total else relative)
    return np.concatenate([attributes, [share / 2, share / 2]]), share


def _in_precision(values: FloatArray, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return the values in another type, or refuse those too large for it."""
    with np.errstate(over="ignore"):  # refused here
        out = values.astype(kind, copy=False)
    if np.isinf([out.max(), out.min()]).any():
        raise DataError(f"values are too large for --dtype {kind}", advice="use --dtype float64")
    return out


def _weighted(unweighted: NDArray[np.floating], each: FloatArray, metric: Metric) -> NDArray[np.floating]:
    return unweighted if np.all(each == 1) else weighted(unweighted, each, metric)


def _refuse_no_shape(layer: Layer, job: Job) -> None:
    """Refuse to weigh the shape of regions that have none; some methods weigh it unasked."""
    if not layer.has_geometry:
        raise DataError(
            "the table has no geometry, so its regions have no shape", advice="give --compactness 0"
        )
    if layer.projection is None and job.project.strip().lower() == "auto":
        raise DataError(
            "the layer has no coordinate reference system, so the shape of its regions is not known",
            advice="set one (ogr2ogr -a_srs), take its coordinates as plane with --project none, "
            "or give --compactness 0",
        )
