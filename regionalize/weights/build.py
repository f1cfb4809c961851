"""From a layer and a few words to `Weights`."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, listed
from regionalize.kernels.threads import threads
from regionalize.model.layer import Layer
from regionalize.model.length import METRES
from regionalize.model.weights import Weights
from regionalize.weights.contiguity import contiguity_links
from regionalize.weights.gaps import narrow_gaps
from regionalize.weights.nearest import band_links, kernel_values, nearest_links
from regionalize.weights.places import EARTH_RADIUS, chord, places
from regionalize.weights.spec import WeightsSpec, no_places, parse_spec, refuse_contiguity, too_few_places

Geometries = NDArray[np.object_]
IntArray = NDArray[np.int64]


def build_weights(
    layer: Layer, spec: str, *, snap: float = 0.0, names: NDArray[np.object_] | None = None
) -> Weights:
    """Find the neighbours of every row of a layer.

    Parameters
    ----------
    layer : Layer
        n rows. Those without a geometry (missing, empty, or with coordinates that are not finite) have no
        neighbours, and a note counts them.
    spec : str
        ``queen`` (units that intersect), ``rook`` (units with a border or an overlap, not only points, in
        common), ``knn:K``, ``distance:D[m|km|mi|ft]``, ``kernel:FUNCTION:K``. The last three go by
        centroids, on the sphere for a geographic layer, where a bare distance is in degrees of arc.
    snap : float
        For queen and rook: distance in map units that counts as touching.
    names : (n,) array of str, optional
        What to call rows in notes (row numbers from 1 by default).

    Returns
    -------
    Weights
        Values are one, but for a kernel, whose formulas are in `regionalize.weights.nearest.kernel_values`.

    Raises
    ------
    UsageError
        When `spec` or `snap` cannot be meant.
    DataError
        When the layer is not fit for it.

    Examples
    --------
    >>> import geopandas
    >>> squares = shapely.box([0, 1, 4], [0, 0, 0], [1, 2, 5], [1, 1, 1])
    >>> layer = Layer.from_frame(geopandas.GeoDataFrame(geometry=squares))
    >>> build_weights(layer, "queen").islands.tolist()
    [2]
    >>> build_weights(layer, "knn:1").indices.tolist()
    [1, 0, 1]
    """
    wanted = parse_spec(spec)
    if wanted.kind == "file":
        raise UsageError(f"'{spec}' is a file of weights to read, not a way to build them")
    if not (np.isfinite(snap) and snap >= 0):
        raise UsageError(f"--snap {snap:g} is not a distance", advice="give map units, 0 or more")
    if snap and not wanted.is_contiguity:
        raise UsageError(
            f"--snap closes gaps between polygons and has no meaning for {spec}", advice="leave it out"
        )
    names = layer.names() if names is None else names
    geometry = layer.geometry if layer.has_geometry else np.full(len(layer), None, dtype=object)
    placed = usable(geometry)
    rows = np.flatnonzero(placed)
    notes = []
    if len(rows) < len(layer):
        lost = np.flatnonzero(~placed)
        notes.append(
            f"{len(lost)} of {len(layer)} rows have no geometry and so no neighbours: {listed(names[lost])}"
        )
    if len(layer) and not len(rows):
        raise no_places()
    if wanted.is_contiguity:
        refuse_contiguity(layer, wanted.kind)
    row, neighbor, values = _links(layer, geometry[rows], wanted, snap)
    weights = Weights.from_links(len(layer), rows[row], rows[neighbor], values, kind=spec.strip())
    if wanted.is_contiguity:
        notes += _gap_notes(geometry[rows], weights.component[rows], names[rows], wanted.kind == "rook")
    elif wanted.kind == "distance" and not wanted.unit and layer.is_geographic:
        notes.append(
            f"the layer is geographic: a distance of {wanted.distance:g} was taken as degrees of arc"
        )
    return Weights(weights.indptr, weights.indices, weights.values, weights.kind, tuple(notes))


def usable(geometry: Geometries) -> NDArray[np.bool_]:
    """Say which geometries (n,) have a place on the map: not missing, not empty, coordinates finite."""
    placed: NDArray[np.bool_] = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        coords, unit = shapely.get_coordinates(geometry, return_index=True)
        placed[unit[~np.isfinite(coords).all(axis=1)]] = False
    return placed


def _links(
    layer: Layer, geometry: Geometries, wanted: WeightsSpec, snap: float
) -> tuple[IntArray, IntArray, NDArray[np.float64] | None]:
    """Return directed links among the usable units, and their values unless all are one."""
    if wanted.is_contiguity:
        first, second = contiguity_links(geometry, rook=wanted.kind == "rook", snap=snap)
        return *_both_ways(first, second), None
    points = places(geometry, geographic=layer.is_geographic)
    if wanted.kind == "distance":
        return *_both_ways(*band_links(points, _radius(wanted, layer))), None
    k = wanted.neighbors
    if k >= len(points):
        raise too_few_places(k, len(points))
    row, neighbor, distance = nearest_links(points, k, threads=threads())
    if wanted.kind == "knn":
        return row, neighbor, None
    if layer.is_geographic:
        distance = 2 * np.arcsin(np.minimum(distance / 2, 1.0))
    return row, neighbor, kernel_values(distance, k, wanted.function)


def _both_ways(first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    return np.concatenate([first, second]), np.concatenate([second, first])


def _radius(wanted: WeightsSpec, layer: Layer) -> float:
    """Return a band's distance between `places`: in map units, or a chord of the unit sphere."""
    if layer.is_geographic:
        degrees = np.radians(wanted.distance)
        return chord(wanted.distance * METRES[wanted.unit] / EARTH_RADIUS if wanted.unit else float(degrees))
    if not wanted.unit:
        return wanted.distance
    if layer.projection is None:
        raise DataError(
            f"the layer has no coordinate reference system to measure {wanted.distance:g} {wanted.unit} in",
            advice="give the distance in map units, without a unit, or set the layer's CRS",
        )
    return wanted.distance * METRES[wanted.unit] / float(layer.projection.axis_info[0].unit_conversion_factor)


def _gap_notes(
    geometry: Geometries, component: IntArray, names: NDArray[np.object_], rook: bool
) -> list[str]:
    """Hint at the snap distance that closes the narrowest gap, if that looks like an accident of drawing."""
    component = np.unique(component, return_inverse=True)[1]
    if component.max(initial=0) == 0:
        return []
    gaps = narrow_gaps(geometry, component)
    for a, b, distance in zip(gaps.first[:20], gaps.second[:20], gaps.distance[:20], strict=True):
        snap = _rounded_up(distance)
        if len(contiguity_links(geometry[[a, b]], rook=rook, snap=float(snap))[0]):
            return [
                f"{names[a]} and {names[b]} are in separate components, {distance:.3g} map units apart; "
                f"--snap {snap} would join them"
            ]
    return []


def _rounded_up(distance: float) -> str:
    """Write the least number of two digits that is above a distance.

    Examples
    --------
    >>> _rounded_up(0.00123), _rounded_up(4700.0)
    ('0.0013', '4800')
    """
    unit = 10.0 ** (np.floor(np.log10(distance)) - 1)
    above = float(f"{np.floor(distance / unit + 1) * unit:.2g}")
    return f"{above:g}" if above < 1000 else f"{above:.0f}"
