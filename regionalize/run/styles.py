"""How a solution is shown by desktop programs: a style for every column of labels that is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, OutputError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regionalize.model.job import Outputs
    from regionalize.model.layer import Layer
    from regionalize.model.partition import Partition
    from regionalize.model.style import Style
    from regionalize.run.solve import Solution


def label_styles(solution: Solution, names: tuple[str, ...]) -> tuple[Style, ...]:
    """Return the style of every column of labels, that of the most regions first.

    Parameters
    ----------
    solution : Solution
    names : tuple of str
        The columns, in the order of ``solution.partitions``.

    Returns
    -------
    tuple of Style
        None of a table without geometry.
    """
    columns = zip(names, solution.partitions, strict=True)
    styles = [partition_style(solution, partition, name) for name, partition in columns]
    return tuple(style for style in reversed(styles) if style is not None)


def partition_style(
    solution: Solution, partition: Partition, column: str, units: int | None = None, *, regions: bool = False
) -> Style | None:
    """Return the style of one column of labels, None where there is nothing to draw.

    Parameters
    ----------
    solution, partition
        What was found, and the labels that are shown.
    column : str
        Where they are written.
    units : int, optional
        Features drawn [default: the rows of the layer].
    regions : bool
        Whether regions are drawn, not units: without those that are in none.
    """
    from regionalize.run.existing import shown_labels

    labels = partition.labels[partition.labels > 0] if regions else partition.labels
    variables = ", ".join(solution.report.variables)
    title = f"{solution.job.method}, k = {partition.k}: {variables}".removesuffix(": ")
    return labels_style(solution.layer, labels, column, title, shown_labels(solution.label_values), units)


def labels_style(
    layer: Layer,
    labels: NDArray[np.int64],
    column: str,
    title: str,
    values: Mapping[int, Any] | None = None,
    units: int | None = None,
) -> Style | None:
    """Return the style of labels that stand in a column of a layer, None of a table without geometry.

    Parameters
    ----------
    layer : Layer
    labels : (n,) int64
        Clusters from 1, 0 for noise, negative for rows left out.
    column, title : str
        Where they are written, and what they are.
    values : mapping of int to object, optional
        What the column holds for a label, where that is not its number.
    units : int, optional
        Features drawn [default: the rows of the layer].
    """
    from regionalize.maps.style import cluster_style, kind_of
    from regionalize.model.partition import count_labels

    kind = kind_of(layer.geometry_kinds)
    if kind is None:
        return None
    drawn = len(layer) if units is None else units
    return cluster_style(column, title, kind, drawn, count_labels(labels), values)


def share_styles(layer: Layer, column: str, title: str) -> tuple[Style, ...]:
    """Return the style of a column of shares from 0 to 1, in the shades of our maps."""
    from regionalize.maps.style import kind_of, share_style

    kind = kind_of(layer.geometry_kinds)
    return () if kind is None else (share_style(column, title, kind, len(layer)),)


def check_qml(outputs: Outputs, inputs: tuple[str | None, ...], layer: Layer | None) -> None:
    """Refuse, before any work, a style that has no layer to lie beside, or would replace a file unasked."""
    from regionalize.io.formats import CSV, find_format
    from regionalize.run.refusals import check_side_file

    if not outputs.qml:
        return
    written = [path for path in (outputs.output, outputs.dissolve) if path is not None]
    if not written:
        raise UsageError(
            "--qml writes a style beside a layer, and none is written", advice="name one with -o"
        )
    if str(outputs.output) == "-":
        raise UsageError(
            "--qml and -o - exclude each other: a style lies beside a file", advice="name a file"
        )
    if outputs.output is not None and find_format(outputs.output) is CSV:
        raise OutputError(
            "CSV holds no geometry to style", file=str(outputs.output), advice="leave out --qml"
        )
    if layer is not None and not layer.has_geometry:
        raise DataError("the table has no geometry, so there is nothing to style", advice="leave out --qml")
    paths = outputs.paths()
    for option in ("qml", "dissolve --qml"):
        if option in paths:
            check_side_file(paths[option], inputs, outputs.overwrite)
