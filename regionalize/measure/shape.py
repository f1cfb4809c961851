"""Compactness of contiguous clusters: what they cover and how long their outline is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.errors import listed
from regionalize.kernels.threads import side_by_side, threads
from regionalize.measure.dissolve import dissolved_size
from regionalize.measure.outline import estimated_outline

FloatArray = NDArray[np.float64]
Shapes = NDArray[np.object_]
Group = tuple[int, NDArray[np.int64]]
"""A label, and the places where it occurs."""
Outlines = dict[int, tuple[float, float] | None]
"""Area and length by label; None where polygons cannot be joined."""

DISSOLVE_VERTICES = 2_000_000
"""Vertices above which dissolved outlines are estimated, and that are joined for it at most: so many take
three seconds where borders match, and a quarter of a minute where they do not."""

ALONE = 10_000
"""Vertices that one thread dissolves as fast as several would."""

_AREAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True)
class Compactness:
    """Area, perimeter and isoperimetric quotients of one cluster (None: cannot be said)."""

    area: float | None = None
    perimeter: float | None = None
    ipq_geoda: float | None = None
    ipq_dissolved: float | None = None


def measure_compactness(
    labels: NDArray[np.integer[Any]], geometry: Shapes, clusters: NDArray[np.integer[Any]]
) -> tuple[dict[int, Compactness], tuple[str, ...]]:
    """Measure the compactness of some clusters.

    Polygons: the area is the sum of the members' areas and the perimeter the sum of their outer rings,
    as GeoDa has it; the dissolved quotient is taken from the outline of their union. A layer without
    polygons is measured by the convex hull of each cluster.

    Parameters
    ----------
    labels : (n,) int
        Cluster of each unit.
    geometry : (n,) object
        Shapely geometries in plane coordinates, None or empty where there is none.
    clusters : (c,) int
        Labels to measure.

    Returns
    -------
    dict of int to Compactness
        By label.
    tuple of str
        What was left out, and why.

    References
    ----------
    Polsby and Popper (1991), *Yale Law & Policy Review* 9(2): quotient 4 π A / P².

    Examples
    --------
    Two unit squares side by side: the border between them counts twice in GeoDa's perimeter.

    >>> squares = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> found, notes = measure_compactness(np.array([1, 1]), squares, np.array([1]))
    >>> found[1].area, found[1].perimeter, round(found[1].ipq_dissolved, 4)
    (2.0, 8.0, 0.6981)
    """
    drawn = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    wanted = np.isin(labels, clusters)
    parts, unit = polygons(geometry, drawn & wanted)
    if not len(parts):
        return _hulls(labels, geometry, drawn & wanted), ()

    notes = []
    without = int((wanted & ~np.isin(np.arange(len(labels)), unit)).sum())
    if without:
        units = "1 unit has" if without == 1 else f"{without} units have"
        notes.append(f"{units} no polygon and {'adds' if without == 1 else 'add'} nothing to compactness.")
    k = int(labels.max(initial=0))
    cluster = labels[unit]
    with np.errstate(over="ignore", invalid="ignore"):
        area = np.bincount(cluster, weights=shapely.area(parts), minlength=k + 1)
        perimeter = np.bincount(cluster, weights=outer_length(parts), minlength=k + 1)
    if not np.isfinite([area, perimeter]).all():
        return {}, ("Compactness is not measured: some coordinates are infinite or too large.",)

    count = shapely.get_num_coordinates(parts)
    vertices = int(count.sum())
    groups = sorted(_groups(cluster), key=lambda group: int(count[group[1]].sum()))
    estimates = vertices > DISSOLVE_VERTICES
    outlines = _estimated(parts, groups) if estimates else _dissolved(parts, groups, vertices)
    found = {
        label: Compactness(
            area=float(area[label]),
            perimeter=float(perimeter[label]),
            ipq_geoda=isoperimetric_quotient(float(area[label]), float(perimeter[label])),
            ipq_dissolved=isoperimetric_quotient(*(outlines.get(label) or (0.0, 0.0))),
        )
        for label, _ in groups
    }
    notes += [
        f"The polygons of cluster {label} cannot be dissolved: no outline is measured."
        for label, outline in sorted(outlines.items())
        if outline is None
    ]
    if estimates:
        notes += _estimate_notes(sorted(found.keys() - outlines.keys()), found, vertices)
    return found, tuple(notes)


def _dissolved(parts: Shapes, groups: Sequence[Group], vertices: int) -> Outlines:
    """Measure the outline of each group, on several threads where there is much to do."""
    last_first = groups[::-1]  # the longest work
    with side_by_side(threads() if vertices > ALONE else 1) as run:
        sizes = run(lambda group: _size_unless_refused(parts[group[1]]), last_first)
        return {label: size for (label, _), size in zip(last_first, sizes, strict=True)}


def _size_unless_refused(polygons: Shapes) -> tuple[float, float] | None:
    try:
        return dissolved_size(polygons)
    except shapely.errors.GEOSException:
        return None


def _estimated(parts: Shapes, groups: Sequence[Group]) -> Outlines:
    """Estimate the outline of each group, small ones first; leave out those that would take too long."""
    spare = DISSOLVE_VERTICES
    found: Outlines = {}
    for label, rows in groups:
        try:
            if outline := estimated_outline(parts[rows], spare):
                found[label], spare = (outline.area, outline.length), spare - outline.joined
        except shapely.errors.GEOSException:
            found[label] = None
    return found


def _estimate_notes(left_out: list[int], clusters: Collection[int], vertices: int) -> list[str]:
    """Say which dissolved outlines are estimates, and which there are none of."""
    why = f"{vertices:,} vertices are more than {DISSOLVE_VERTICES:,}"
    said = []
    if len(left_out) < len(clusters):
        said.append(f"The compactness of dissolved outlines is estimated, from the units along them: {why}.")
    if left_out:
        of = "" if len(left_out) == len(clusters) else f" of cluster {listed(map(str, left_out))}"
        said.append(
            f"The compactness of dissolved outlines{of} is left out: {why}, and too few borders match."
        )
    return said


def isoperimetric_quotient(area: float, perimeter: float) -> float | None:
    """Return 4 π A / P²: 1 for a disc, towards 0 for a thread; None without area or perimeter.

    Examples
    --------
    >>> round(isoperimetric_quotient(1.0, 4.0), 4)
    0.7854
    """
    return 4.0 * np.pi * area / perimeter**2 if area > 0 and perimeter > 0 else None


def polygons(geometry: Shapes, rows: NDArray[np.bool_]) -> tuple[Shapes, NDArray[np.int64]]:
    """Return the polygons and multipolygons of some rows, and the row of each.

    Those inside a geometry collection come out one by one.
    """
    row = np.flatnonzero(rows)
    kind = shapely.get_type_id(geometry[row])
    collected = row[kind == shapely.GeometryType.GEOMETRYCOLLECTION]
    row = row[np.isin(kind, _AREAL)]
    shapes = geometry[row]
    if len(collected):
        parts, source = shapely.get_parts(geometry[collected], return_index=True)
        inner, place = polygons(parts, ~shapely.is_empty(parts))
        shapes, row = np.concatenate([shapes, inner]), np.concatenate([row, collected[source[place]]])
    return shapes, row


def outer_length(shapes: Shapes) -> FloatArray:
    """Return the summed length of the outer rings of each polygon or multipolygon, holes ignored."""
    length: FloatArray = shapely.length(shapes)
    plain = (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON) & (
        shapely.get_num_interior_rings(shapes) == 0
    )
    rest = np.flatnonzero(~plain)
    if len(rest):
        parts, source = shapely.get_parts(shapes[rest], return_index=True)
        rings = shapely.length(shapely.get_exterior_ring(parts))
        length[rest] = np.bincount(source, weights=rings, minlength=len(rest))
    return length


def _hulls(
    labels: NDArray[np.integer[Any]], geometry: Shapes, rows: NDArray[np.bool_]
) -> dict[int, Compactness]:
    """Measure clusters of points or lines by their convex hulls."""
    row = np.flatnonzero(rows)
    found = {}
    for label, members in _groups(labels[row]):
        hull = shapely.convex_hull(shapely.geometrycollections(geometry[row[members]]))
        area = float(shapely.area(hull))
        # the hull of units on one line is that line, walked there and back
        perimeter = float(shapely.length(hull)) * (1 if area > 0 else 2)
        quotient = isoperimetric_quotient(area, perimeter)
        found[label] = Compactness(area, perimeter, quotient, quotient)
    return found


def _groups(cluster: NDArray[np.integer[Any]]) -> Iterator[Group]:
    """Give each label that occurs with the places where it does."""
    order = np.argsort(cluster, kind="stable")
    values, starts = np.unique(cluster[order], return_index=True)
    return zip(values.tolist(), np.split(order, starts)[1:], strict=True)
