"""Labels that exist already: read from a column, measured, drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, InfeasibleError, UsageError, listed, located, nearest
from regionalize.model.job import Outputs
from regionalize.model.partition import LEFT_OUT, NOISE, Partition

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution


def measure_labels(
    layer: Layer, job: Job, labels: NDArray[np.int64], weights: Weights | None = None
) -> Solution:
    """Measure labels that exist already, the same way a run's own are measured.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Columns, transform and weights to measure with.
    labels : (n,) int64
        1 … k, 0 for noise, negative for rows without a label.
    weights : Weights, optional
        Ready-made weights of the n rows, in place of ``job.weights``.
    """
    from regionalize.features.build import build_features
    from regionalize.run.reporting import make_report
    from regionalize.run.solve import conclude
    from regionalize.run.weights import ready_weights

    weights = ready_weights(layer, job, weights)
    features = build_features(layer, job, weights)
    if not (labels > 0).any():
        raise InfeasibleError("no row has a label of a cluster")
    kept = np.full(len(layer), LEFT_OUT, dtype=np.int64)
    kept[features.rows] = labels[features.rows]
    partition = Partition(kept)
    report = make_report(layer, replace(job, k=partition.k), features, weights, partition, {})
    return conclude(layer, job, features, weights, partition, report)


def read_labels(layer: Layer, column: str) -> tuple[NDArray[np.int64], dict[int, Any]]:
    """Read a label column of any type as clusters 1 … k.

    Whole numbers from 1 up to k without gaps keep their numbers; anything else is numbered in the order of
    its values. 0 among whole numbers of which none is negative is noise. Null and empty text are no label.

    Returns
    -------
    labels : (n,) int64
        Clusters; negative where there is no label.
    values : dict
        What stands in the column for each cluster.
    """
    return number_labels(column_values(layer, column), column)


def number_labels(values: Sequence[Any], column: str) -> tuple[NDArray[np.int64], dict[int, Any]]:
    """Return labels of any type as numbers, as `read_labels` does; `column` is what errors name.

    Examples
    --------
    >>> labels, values = number_labels(["b", None, "a", "b"], "side")
    >>> labels.tolist(), values
    ([2, -1, 1, 2], {1: 'a', 2: 'b'})
    >>> number_labels([3, 0, 7], "zone")[0].tolist()
    [1, 0, 2]
    """
    present = [value for value in values if not is_missing(value)]
    if not present:
        raise DataError("holds no labels, only missing values", column=column)
    try:
        distinct = sorted(set(present))
    except TypeError:
        raise DataError("is not a column of labels", column=column, advice="name another column") from None
    if len(distinct) == len(values) > 2 and isinstance(distinct[0], float):
        raise DataError("has a different number in every row; it is not a column of labels", column=column)
    noise = whole_numbers(distinct) and distinct[0] == 0 and len(distinct) > 1
    number = {value: position for position, value in enumerate(distinct, NOISE if noise else 1)}
    labels = np.array([LEFT_OUT if is_missing(v) else number[v] for v in values], dtype=np.int64)
    return labels, {code: value for value, code in number.items()}


def whole_numbers(values: Iterable[Any]) -> bool:
    """Tell whether all are whole numbers, also when they are stored with decimals.

    Examples
    --------
    >>> whole_numbers([1, 2.0]), whole_numbers([1, 2.5]), whole_numbers([True]), whole_numbers(["1"])
    (True, False, False, False)
    """
    return all(type(value) in {int, float} and float(value).is_integer() for value in values)


def column_values(layer: Layer, column: str) -> list[Any]:
    """Return the values of a column, or refuse a name that is none."""
    if column not in layer.column_names:
        raise UsageError(
            f"there is no column '{column}'",
            advice=nearest(column, layer.column_names) or f"the columns are {listed(layer.column_names, 20)}",
        )
    layer.refuse_misread(column)
    values: list[Any] = layer.attributes[column].to_pylist()
    return values


def noise_note(labels: NDArray[np.int64], column: str) -> tuple[str, ...]:
    """Say how many rows count as not clustered because their label is 0."""
    noise = int((labels == NOISE).sum())
    return (f"{noise} rows have label 0 in '{column}', which means not clustered",) if noise else ()


def by_number(values: Mapping[int, Any]) -> bool:
    """Whether what stands in a column for each cluster is its number.

    Examples
    --------
    >>> by_number({1: 1, 2: 2.0}), by_number({1: 1, 2: 5}), by_number({1: True})
    (True, False, False)
    """
    return all(type(value) in {int, float} and value == code for code, value in values.items())


def shown_labels(values: Mapping[int, Any]) -> dict[int, Any]:
    """Return what is written for labels: whole numbers as such, also where they were stored with decimals.

    Examples
    --------
    >>> shown_labels({1: 3.0, 2: 7.0}), shown_labels({1: "north"})
    ({1: 3, 2: 7}, {1: 'north'})
    """
    whole = whole_numbers(values.values())
    return {label: int(value) if whole else value for label, value in values.items()}


def shown_names(values: Mapping[int, Any]) -> dict[int, str]:
    """Return what clusters are called on pictures, none where all go by their numbers.

    Examples
    --------
    >>> shown_names({0: 0.0, 1: 3.0, 2: 7.0}), shown_names({1: 1.0, 2: 2.0})
    ({1: '3', 2: '7'}, {})
    """
    if by_number(values):
        return {}
    return {label: str(value) for label, value in shown_labels(values).items() if label > 0}


def is_missing(value: Any) -> bool:
    """Whether a value is null, NaN or empty text, which is how a shapefile writes null."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def draw_existing(
    source: str | None,
    target: Path,
    label_column: str,
    *,
    layer: str | None = None,
    where: str | None = None,
    encoding: str | None = None,
    id: str | None = None,
    columns: str | Iterable[str] = (),
    title: str | None = None,
    dissolve_lines: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Draw a map of a label column; return what was noticed.

    `id` and `columns` are for an interactive map: what units are called, and the values it tells.
    """
    from regionalize import __version__
    from regionalize.io.atomic import replacing
    from regionalize.io.read import read_layer
    from regionalize.maps.picture import format_of
    from regionalize.maps.static import draw_map
    from regionalize.maps.web.page import Coloring, draw_page
    from regionalize.run.progress import announce, announce_file
    from regionalize.run.refusals import check_ending, refuse_outputs
    from regionalize.run.side_files import MAPS
    from regionalize.run.web import PAGE, told_units

    check_ending("output", target, MAPS)
    refuse_outputs(Outputs(map=target, overwrite=overwrite), (source,), None)
    page = target.suffix.lower() == PAGE
    if not page and (id is not None or columns):
        raise UsageError("--id and --columns are for an interactive map", advice="name a file .html")
    announce("read", progress)
    found = read_layer(source, layer=layer, where=where, encoding=encoding)
    with located(found.origin.file, found.origin.layer):
        if not found.has_geometry:
            raise DataError("the table has no geometry, so there is no map to draw")
        labels, values = read_labels(found, label_column)
        chosen = {"column": label_column, "layer": layer, "where": where}
        shown = ", ".join(f"{name} {value}" for name, value in chosen.items() if value)
        names = shown_names(values)
        title = title or f"{label_column}, k = {labels.max()}"
        footer = f"{Path(found.origin.file).name}; {shown}; regionalize {__version__}"
        units = told_units(found, label_column, id, columns) if page else None
        announce_file(target, progress)
        with replacing(target) as temporary:
            if page:
                coloring = Coloring.of_clusters(label_column, labels, names, legend_title=label_column)
                notes = draw_page(
                    found.geometry,
                    [coloring],
                    temporary,
                    title=title,
                    footer=footer,
                    units=units,
                    crs=found.crs,
                    dissolve_lines=dissolve_lines,
                )
            else:
                notes = draw_map(
                    found.geometry,
                    labels,
                    temporary,
                    file_format=format_of(target.suffix),
                    title=title,
                    footer=footer,
                    legend_title=label_column,
                    crs=found.crs,
                    names=names,
                    dissolve_lines=dissolve_lines,
                )
    return (*found.notes, *noise_note(labels, label_column), *notes)
