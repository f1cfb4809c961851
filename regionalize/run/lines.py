"""Links between units as a layer of lines, to be looked at in a map: `--save-tree`, `--save-links`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, OutputError
from regionalize.model.layer import Layer, LayerOrigin

if TYPE_CHECKING:
    from regionalize.model.weights import Weights
    from regionalize.run.solve import Solution

IntArray = NDArray[np.int64]
NOTHING = np.empty(0, dtype=np.int64)


@contextmanager
def saved_tree(solution: Solution, path: Path, overwrite: bool) -> Iterator[tuple[str, ...]]:
    """Write the tree; it is put in place when the block ends well. Gives what changed form."""
    from regionalize.io.write import staged_layer

    with staged_layer(tree_lines(solution), path, added={}, overwrite=overwrite) as notes:
        yield notes


@contextmanager
def saved_links(
    layer: Layer, weights: Weights, id_column: str | None, path: Path, overwrite: bool
) -> Iterator[tuple[str, ...]]:
    """Write the links that were added; they are put in place when the block ends well. Gives notes."""
    from regionalize.io.write import staged_layer

    lines = link_lines(layer, weights, id_column)
    said = "no link was added to join islands or components: the layer of links is empty"
    with staged_layer(lines, path, added={}, overwrite=overwrite) as notes:
        yield notes if len(lines) else (*notes, said)


def tree_lines(solution: Solution) -> Layer:
    """Return the spanning tree that was cut, a line per link.

    Columns are ``from`` and ``to``, the two units; ``difference``, the Euclidean distance of their variables
    as they were clustered; and ``cut``, 1 where they came to lie in different regions.
    """
    tree, rows = solution.findings.tree, solution.features.rows
    assert tree is not None, f"{solution.job.method} did not tell its tree"
    first, second = tree[:, 0], tree[:, 1]
    X = solution.features.X.astype(np.float64, copy=False)
    labels = solution.partition.labels[rows]
    columns = {
        "difference": np.sqrt(np.sum((X[first] - X[second]) ** 2, axis=1)),
        "cut": (labels[first] != labels[second]).astype(np.int32),
    }
    return line_layer(solution.layer, rows[first], rows[second], columns, solution.job.id)


def link_lines(layer: Layer, weights: Weights, id_column: str | None) -> Layer:
    """Return the links that were added to join islands and components, a line per link.

    Columns are ``from`` and ``to``, the two units, and ``distance`` between them, in map units or metres.
    """
    first, second, distance = zip(*weights.added, strict=True) if weights.added else ((), (), ())
    return line_layer(
        layer,
        np.array(first, dtype=np.int64),
        np.array(second, dtype=np.int64),
        {"distance": np.array(distance, dtype=np.float64)},
        id_column,
    )


def line_layer(
    layer: Layer,
    first: IntArray,
    second: IntArray,
    columns: Mapping[str, NDArray[Any]],
    id_column: str | None = None,
) -> Layer:
    """Draw links as straight lines between centroids, in the layer's own reference system.

    Parameters
    ----------
    layer : Layer
        n rows.
    first, second : (m,) int64
        Row numbers at the ends of each link.
    columns : mapping of str to (m,) array
        What is known of each link.
    id_column : str, optional
        Column that names the units; row numbers from 1 without it.

    Returns
    -------
    Layer
        m rows: ``from``, ``to``, the columns, and a line, null where an end has no geometry. A line across
        the 180° meridian is in two parts.

    Examples
    --------
    >>> import pyarrow as pa, shapely
    >>> points = shapely.points([[0, 0], [3, 1]])
    >>> layer = Layer(pa.table({"a": [1.0, 2.0]}), None, "EPSG:3035", shapes=points)
    >>> lines = line_layer(layer, np.array([0]), np.array([1]), {"distance": np.array([5.0])})
    >>> lines.attributes.to_pylist(), str(lines.geometry[0])
    ([{'from': 1, 'to': 2, 'distance': 5.0}], 'LINESTRING (0 0, 3 1)')
    """
    import pyarrow as pa

    names = pa.array(np.arange(1, len(layer) + 1)) if id_column is None else layer.attributes[id_column]
    table = pa.table(
        {
            "from": names.take(pa.array(first)),
            "to": names.take(pa.array(second)),
            **{name: pa.array(values) for name, values in columns.items()},
        }
    )
    shapes = straight_lines(layer, first, second)
    return Layer(table, None, layer.crs, LayerOrigin(geometry_type="LineString"), shapes=shapes)


def straight_lines(layer: Layer, first: IntArray, second: IntArray) -> NDArray[np.object_]:
    """Return the line between the centroids of every pair of rows, shape (m,)."""
    import shapely

    from regionalize.features.centroids import centroid_points, sphere_points

    xy = centroid_points(layer.geometry)
    used = np.isfinite(xy[:, 0])
    if layer.is_geographic and used.any() and np.ptp(xy[used, 0]) > 180:
        xy = sphere_points(layer)  # units on both sides of the 180° meridian lie next to each other there
    lines = np.full(len(first), None, dtype=object)
    drawn = np.flatnonzero(used[first] & used[second])
    ends = np.stack([xy[first[drawn]], xy[second[drawn]]], axis=1)
    beyond = np.zeros(len(drawn), dtype=np.int64)
    if layer.is_geographic:
        beyond = np.count_nonzero(ends[:, :, 0] > 180, axis=1)
    ends[beyond == 2, :, 0] -= 360
    lines[drawn] = shapely.linestrings(ends)
    for place in np.flatnonzero(beyond == 1):
        west, east = sorted(ends[place].tolist())
        share = (180 - west[0]) / (east[0] - west[0])
        middle = west[1] + share * (east[1] - west[1])
        parts = [[west, [180, middle]], [[-180, middle], [east[0] - 360, east[1]]]]
        lines[drawn[place]] = shapely.multilinestrings(parts)
    return lines


def check_lines(
    option: str, path: Path, inputs: tuple[str | None, ...], layer: Layer | None, overwrite: bool
) -> tuple[str, ...]:
    """Refuse, before any work, a layer of lines that cannot be written."""
    from regionalize.io.check_output import check_output
    from regionalize.run.refusals import refuse_inputs

    if str(path) == "-":
        raise OutputError(f"--{option} - would write lines to standard output", advice="name a file")
    if layer is not None and not layer.has_geometry:
        raise DataError(
            "the table has no geometry, so links cannot be drawn as lines", advice=f"leave out --{option}"
        )
    refuse_inputs(path, inputs)
    column = {"save-tree": "difference", "save-links": "distance"}[option]
    lines = None if layer is None else line_layer(layer, NOTHING, NOTHING, {column: np.empty(0)})
    return check_output(path, layer=lines, input_path=inputs[0], overwrite=overwrite)
