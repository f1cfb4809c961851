"""Interactive maps: what they tell of every unit, and the page of a solution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from regionalize.model.layer import plain_values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regionalize.maps.web.page import Coloring, Units
    from regionalize.model.layer import Layer
    from regionalize.run.levels import Level
    from regionalize.run.solve import Solution

PAGE = ".html"
"""Ending of an interactive map."""


def draw_solution_page(
    solution: Solution, target: Path | IO[bytes], *, dissolve_lines: bool = False
) -> tuple[str, ...]:
    """Write the interactive map of a solution, with every number of regions it has to choose from."""
    from regionalize.maps.web.page import Coloring, draw_page
    from regionalize.run.existing import shown_names
    from regionalize.run.levels import levels_of
    from regionalize.run.pictures import captions, worth

    layer, report = solution.layer, solution.report
    title, footer = captions(solution)
    names = shown_names(solution.label_values)
    if solution.levels:
        colorings = level_colorings(levels_of(solution), solution.partition.k)
        shown = len(colorings) - 1
    else:
        shown = 0
        name = f"{solution.job.method}, k = {report.k}"
        colorings = [Coloring.of_clusters(name, solution.partition.labels, names, detail=worth(report))]
    return draw_page(
        layer.geometry,
        colorings,
        target,
        title=title,
        footer=footer,
        units=units_of(layer, solution.job.id, report.variables),
        crs=layer.crs,
        shown=shown,
        dissolve_lines=dissolve_lines,
    )


def level_colorings(levels: Sequence[Level], base: int) -> list[Coloring]:
    """Return a labeling for each of several `regionalize.run.levels.Level`.

    Clusters go by their own numbers, and have the colours of those of `base` that they are most alike.
    """
    from regionalize.run.levels import in_like_colours

    pairs = zip(levels, in_like_colours(levels, base), strict=True)
    return [like(level.labels, matched.labels, f"k = {level.k}", level.words) for level, matched in pairs]


def like(
    labels: NDArray[np.int64],
    matched: NDArray[np.int64],
    name: str,
    detail: str = "",
    names: Mapping[int, str] | None = None,
) -> Coloring:
    """Colour clusters as the clusters of another labeling, which `matched` numbers them after.

    Parameters
    ----------
    labels, matched : (n,) int64
        The same clusters, by their own numbers and by the other's.
    name, detail, names
        As `regionalize.maps.web.page.Coloring.of_clusters` takes them.
    """
    import numpy as np

    from regionalize.maps.colors import cluster_color
    from regionalize.maps.web.page import Coloring

    codes, first = np.unique(labels, return_index=True)
    number = dict(zip(codes.tolist(), matched[first].tolist(), strict=True))
    return Coloring.of_clusters(
        name, labels, names, detail=detail, color=lambda label: cluster_color(number.get(label, label))
    )


def units_of(
    layer: Layer,
    id_column: str | None,
    columns: Iterable[str],
    added: Mapping[str, Sequence[Any]] | None = None,
) -> Units:
    """Return what an interactive map tells of the units of a layer.

    Parameters
    ----------
    layer : Layer
        n rows.
    id_column : str or None
        What units are called; None for the first column of text that names each row differently, names with
        letters before codes of digits, or else for the numbers of the rows.
    columns : iterable of str
        Columns whose values are told; those that are not the layer's are passed over.
    added : mapping of str to sequence, optional
        Values to tell before those, n each, such as shares.
    """
    from regionalize.maps.web.page import Units

    there = set(layer.column_names)
    values = dict(added or {})
    values |= {name: plain_values(layer.attributes[name]) for name in columns if name in there}
    id_column = id_column or name_column(layer)
    if id_column is None:
        return Units([f"no. {row}" for row in layer.names()], "row", values)
    values.pop(id_column, None)
    return Units(layer.names(id_column).tolist(), id_column, values)


def name_column(layer: Layer) -> str | None:
    """Return the column that names every row, or None.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from regionalize.model.layer import Layer
    >>> table = pa.table({"code": ["01", "02"], "state": ["GA", "GA"], "county": ["Appling", "Bacon"]})
    >>> name_column(Layer(table, None, None)), name_column(Layer(table.select(["state"]), None, None))
    ('county', None)
    """
    from regionalize.features.columns import not_numeric
    from regionalize.features.identifiers import why_left_out

    codes = []
    for name in layer.column_names:
        kind = not_numeric(layer, name)
        if kind != "text" and (kind is not None or why_left_out(layer, name) != "identifier"):
            continue
        values = layer.attributes[name].to_pylist()
        if None in values or "" in values or len(set(values)) < len(values):
            continue
        if kind == "text" and any(letter.isalpha() for value in values[:20] for letter in value):
            return name
        codes.append(name)
    return codes[0] if codes else None


def told_units(layer: Layer, label_column: str, id_column: str | None, columns: str | Iterable[str]) -> Units:
    """Return what a map of a label column tells of the units: columns by name or pattern, or the variables.

    Raises
    ------
    UsageError
        A column that is not there.
    """
    from regionalize.features.columns import matching_columns, not_numeric
    from regionalize.features.identifiers import why_left_out
    from regionalize.run.options import split_list

    asked = split_list(columns)
    if asked:
        named = [name for pattern in asked for name in matching_columns(layer, pattern)]
    else:
        numeric = [name for name in layer.column_names if not_numeric(layer, name) is None]
        named = [name for name in numeric if name != label_column and why_left_out(layer, name) is None]
    return units_of(layer, id_column, named)
