"""Regions as a layer of their own: a row per cluster, with the union of its units and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, OutputError, UsageError, located
from regionalize.model.layer import POLYGONAL, Layer, LayerOrigin
from regionalize.model.partition import Partition
from regionalize.run.aggregate import Aggregate, aggregate, check_aggregates

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.model.style import Style
    from regionalize.run.solve import Solution


@contextmanager
def dissolved_file(solution: Solution, outputs: Outputs) -> Iterator[tuple[str, ...]]:
    """Write the regions; they are put in place when the block ends well. Gives what should be known of them.

    Regions of several numbers are layers of one GeoPackage.
    """
    from regionalize.io.atomic import replacing
    from regionalize.io.styles import style_beside
    from regionalize.io.write import staged_layer, write_layer
    from regionalize.run.outputs import label_names
    from regionalize.run.record import region_record

    assert outputs.dissolve is not None
    names = label_names(outputs.label_column, solution.job)
    found: list[tuple[str, Layer, dict[str, Any]]] = []
    notes: tuple[str, ...] = ()
    for name, partition in zip(names, solution.partitions, strict=True):
        regions, said = region_layer(solution, partition, name, outputs.aggregate)
        about: dict[str, Any] = {
            "styles": region_styles(solution, partition, name, regions),
            "record": region_record(solution, partition, name),
        }
        found.append((name, regions, about))
        notes += said
    if len(found) == 1:
        ((_, regions, about),) = found
        about |= {"overwrite": outputs.overwrite, "qml": outputs.qml}
        with staged_layer(regions, outputs.dissolve, added={}, **about) as said:
            yield (*notes, *said)
        return
    style = found[-1][2]["styles"][0] if outputs.qml else None
    beside = style_beside(outputs.dissolve, style, outputs.overwrite)
    with located(str(outputs.dissolve)), beside, replacing(outputs.dissolve) as temporary:
        for name, regions, about in found:
            notes += write_layer(regions, temporary, added={}, layer_name=name, **about)
        yield notes


def region_styles(solution: Solution, partition: Partition, column: str, regions: Layer) -> tuple[Style, ...]:
    """Return the style of a layer of regions: that of the units, without those in none."""
    import shapely

    from regionalize.run.styles import partition_style

    pieces = int(shapely.get_num_geometries(regions.geometry).sum())
    style = partition_style(solution, partition, column, pieces, regions=True)
    return () if style is None else (style,)


def region_layer(
    solution: Solution, partition: Partition, column: str, aggregates: Iterable[Aggregate] = ()
) -> tuple[Layer, tuple[str, ...]]:
    """Return a row per cluster, in the order of their labels, in the layer's own reference system.

    Parameters
    ----------
    solution, partition
        What was found, and the labels to dissolve by.
    column : str
        Name of the column of labels.
    aggregates : iterable of (str, str)
        Columns and what is made of them, as `parse_aggregates` returns them.

    Returns
    -------
    layer : Layer
        Its columns are the label; ``n``, the units in it; ``area``, where there are polygons, in square
        metres on the ground (`regionalize.features.areas.ground_areas`); and ``COLUMN_FUNCTION`` for every
        aggregate. Polygons are joined, points and lines collected.
    notes : tuple of str
        What should be known of it.

    Raises
    ------
    DataError
        If the layer has no geometry.
    """
    import pyarrow as pa

    from regionalize.io.parquet import free_name
    from regionalize.run.outputs import label_array

    layer, labels = solution.layer, partition.labels
    numbers = np.unique(labels[labels > 0])
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], [*numbers, np.iinfo(np.int64).max])
    groups = [order[start:end] for start, end in pairwise(edges)]
    shapes, notes = joined_shapes(layer, groups)
    aggregates = tuple(aggregates)
    areal = has_areas(layer)
    columns: dict[str, Any] = {}
    wanted = region_columns(column, aggregates, areal)
    names = iter(wanted)
    columns[next(names)] = label_array(Partition(numbers), solution.label_values)
    columns[next(names)] = pa.array([len(rows) for rows in groups], pa.int32())
    kind = ("MultiPolygon" if areal else None) if shapes_of_one_kind(shapes) else "Unknown"
    geometry_name = free_name(layer.origin.geometry_name or "geometry", wanted)
    origin = LayerOrigin(geometry_type=kind, geometry_name=geometry_name)
    if areal:
        from regionalize.features.areas import ground_areas

        bare = Layer(pa.table({"row": numbers}), None, layer.crs, origin, shapes=shapes)
        areas, said = ground_areas(bare)
        columns[next(names)] = pa.array(areas, mask=np.isnan(areas))
        notes += said
    for (source, function), values in zip(aggregates, aggregate(layer, aggregates, groups), strict=True):
        columns[next(names)] = number_array(values, f"{source}:{function}")
    alone = int(np.count_nonzero(labels <= 0))
    if alone:
        rows = "1 row is" if alone == 1 else f"{alone:,} rows are"
        notes += (f"{rows} in no region, and not in the dissolved layer",)
    return Layer(pa.table(columns), None, layer.crs, origin, shapes=shapes), notes


def region_columns(column: str, aggregates: Iterable[Aggregate], areal: bool) -> list[str]:
    """Name the columns of a layer of regions; the label keeps its name, the others avoid it.

    Examples
    --------
    >>> region_columns("n", [("pop", "sum")], True)
    ['n', 'n_2', 'area', 'pop_sum']
    """
    from regionalize.io.parquet import free_name

    names = [column]
    wanted = ["n", *(["area"] if areal else []), *(f"{source}_{function}" for source, function in aggregates)]
    for name in wanted:
        names.append(free_name(name, names))
    return names


def number_array(values: list[Any], name: str) -> Any:
    """Return numbers as a column, whole ones as 64-bit integers if they fit."""
    import pyarrow as pa

    try:
        return pa.array(
            values, pa.int64() if all(type(v) in {int, type(None)} for v in values) else pa.float64()
        )
    except (OverflowError, pa.ArrowInvalid):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())


def has_areas(layer: Layer) -> bool:
    """Whether a layer has polygons."""
    return bool(POLYGONAL & set(layer.geometry_kinds))


def shapes_of_one_kind(shapes: NDArray[np.object_]) -> bool:
    """Whether all geometries are of one type."""
    import shapely

    return len(np.unique(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]))) <= 1


def joined_shapes(
    layer: Layer, groups: list[NDArray[np.int64]]
) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Return the geometry of every group of rows: polygons joined, others collected; and notes."""
    import shapely

    from regionalize.measure.dissolve import dissolve

    if not layer.has_geometry:
        raise DataError(
            "the table has no geometry, so nothing can be dissolved", advice="leave out --dissolve"
        )
    if set(layer.geometry_kinds) <= POLYGONAL:
        found = dissolve([layer.geometry[rows] for rows in groups])
        if not found.grid:
            return found.shapes, ()
        holes = f" and {found.closed} narrow holes were closed" if found.closed else ""
        step = f"{found.grid:.2g} {unit_of(layer)}"
        return found.shapes, (
            f"borders of units do not match: those of the regions were put on a grid of {step}{holes}",
        )
    shapes = np.full(len(groups), None, dtype=object)
    for place, rows in enumerate(groups):
        units = layer.geometry[rows]
        parts = shapely.get_parts(shapely.get_parts(units[~shapely.is_missing(units)]))
        flat = shapely.force_2d(parts[~shapely.is_empty(parts)])
        polygons = flat[shapely.get_dimensions(flat) == 2]
        others = collected(flat[shapely.get_dimensions(flat) < 2])
        joined = dissolve([polygons]).shapes if len(polygons) else np.empty(0, dtype=object)
        together = np.concatenate([joined, others])
        if len(together):
            shapes[place] = together[0] if len(together) == 1 else shapely.geometrycollections(together)
    return shapes, ()


def collected(parts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return points as one MultiPoint and lines as one MultiLineString, whichever there are."""
    import shapely

    found: list[Any] = []
    for dimension, collect in ((0, shapely.multipoints), (1, shapely.multilinestrings)):
        some = parts[shapely.get_dimensions(parts) == dimension]
        found += [collect(some)] if len(some) else []
    return np.array(found, dtype=object)


def unit_of(layer: Layer) -> str:
    """Name the unit of a layer's coordinates."""
    if layer.projection is None:
        return "map units"
    name = str(layer.projection.axis_info[0].unit_name)
    if name == "metre":
        return "m"
    return name.replace("foot", "feet") if "foot" in name else name if name.endswith("s") else f"{name}s"


def check_dissolve(
    outputs: Outputs, names: tuple[str, ...], inputs: tuple[str | None, ...], layer: Layer | None
) -> tuple[str, ...]:
    """Refuse, before any work, a layer of regions that cannot be written; note what its format will change.

    Parameters
    ----------
    outputs : Outputs
    names : tuple of str
        Names of the columns of labels, one per number of regions.
    inputs : tuple of str or None
        The files read.
    layer : Layer or None
        Once it has been read.
    """
    if outputs.dissolve is None:
        if outputs.aggregate:
            raise UsageError("--aggregate is for --dissolve", advice="name a file with --dissolve")
        return ()
    import pyarrow as pa

    from regionalize.io.check_output import check_output
    from regionalize.io.formats import CSV, GEOPACKAGE, find_format
    from regionalize.run.refusals import refuse_inputs

    if str(outputs.dissolve) == "-":
        raise OutputError("--dissolve - would write regions to standard output", advice="name a file")
    refuse_inputs(outputs.dissolve, inputs)
    form = find_format(outputs.dissolve)
    if form is CSV:
        raise OutputError(
            "CSV holds no regions, only columns", file=str(outputs.dissolve), advice="write .gpkg or .geojson"
        )
    if len(names) > 1 and form is not GEOPACKAGE:
        raise OutputError(
            f"{form.name} holds one layer, and there is one for each of {len(names)} numbers of regions",
            file=str(outputs.dissolve),
            advice="write a GeoPackage (.gpkg)",
        )
    notes = check_output(outputs.dissolve, input_path=inputs[0], overwrite=outputs.overwrite)
    if layer is None:
        return notes
    if not layer.has_geometry:
        raise DataError(
            "the table has no geometry, so nothing can be dissolved", advice="leave out --dissolve"
        )
    check_aggregates(layer, outputs.aggregate)
    types = [pa.int32(), pa.int32(), *([pa.float64()] * (len(outputs.aggregate) + 1))]
    origin = LayerOrigin(geometry_type="MultiPolygon", geometry_name=layer.origin.geometry_name)
    for name in names:
        columns = zip(region_columns(name, outputs.aggregate, has_areas(layer)), types, strict=False)
        table = pa.table({column: pa.array([], kind) for column, kind in columns})
        bare = Layer(table, None, layer.crs, origin, shapes=np.empty(0, dtype=object))
        notes += check_output(outputs.dissolve, layer=bare, input_path=inputs[0], overwrite=outputs.overwrite)
    return notes
