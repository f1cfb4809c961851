"""The static cluster map: PNG, SVG and PDF, drawn offline and the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.maps.classes import cluster_entries, draw_classes, read_classes
from regionalize.maps.picture import FileFormat, check_format
from regionalize.maps.sheet import Captions, compose
from regionalize.model.partition import count_labels

if TYPE_CHECKING:
    import pyproj


def draw_map(
    geometry: NDArray[np.object_],
    labels: ArrayLike,
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    title: str,
    subtitle: str = "",
    footer: str = "",
    legend_title: str = "cluster",
    sizes: Sequence[int] | NDArray[np.int64] | None = None,
    crs: str | pyproj.CRS | None = None,
    names: Mapping[int, str] | None = None,
    dissolve_lines: bool = False,
) -> tuple[str, ...]:
    """Draw units in the colour of their cluster, with title, legend, scale bar and source line.

    Parameters
    ----------
    geometry : (n,) object
        Shapely points, lines, polygons, their multi-parts and collections, mixed at will. Rows that are
        null, empty or not finite are left out of the picture, and counted in a note.
    labels : (n,) int
        Clusters from 1; 0 for noise, negative for rows left out: both grey.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    title, subtitle, footer : str
        Lines above the map, large and small, and below it. Long ones are wrapped, then cut with an
        ellipsis.
    legend_title : str
        What the colours stand for.
    sizes : (k,) int, optional
        Members of clusters 1 … k for the legend (counted from `labels` by default).
    crs : str or pyproj.CRS, optional
        Degrees are drawn with the proportions of the middle latitude, in one piece across the
        antimeridian; a projected layer gets a scale bar, where one length is true all over.
    names : mapping of int to str, optional
        Legend text by label, where it is not the number.
    dissolve_lines : bool
        Outline the clusters of areas over the fills of units.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        When there is nothing to draw, or labels and geometries differ in number.
    UsageError
        For another file format.

    Examples
    --------
    >>> import io, shapely
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> file = io.BytesIO()
    >>> draw_map(squares, [1, 1, 2], file, file_format="svg", title="k-means, k = 2")
    ()
    """
    check_format(file_format, "map")
    label = read_classes(labels, geometry)
    count = count_labels(label)
    if sizes is not None:
        count |= {number: int(size) for number, size in enumerate(sizes, start=1) if size}
    return draw_classes(
        geometry,
        [label],
        target,
        file_format=file_format,
        captions=Captions(title, subtitle, footer, legend_title),
        entries=cluster_entries(count, names or {}),
        layout=compose,
        crs=crs,
        outlines=[label] if dissolve_lines else [],
    )
