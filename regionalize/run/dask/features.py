"""From parts of a layer to parts of the matrix that is clustered, by statistics of all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.features.running import RunningStatistics
from regionalize.io.parquet_files import ParquetFiles
from regionalize.model.features import weighted
from regionalize.model.job import BY_DISTANCE
from regionalize.model.layer import Layer
from regionalize.run.dask import rows as work
from regionalize.run.dask.kmeans import PartedRows, summed
from regionalize.run.dask.partitions import Part, PartedLayer, read_part
from regionalize.run.stream.gaps import Gaps
from regionalize.run.stream.variables import (
    Scale,
    Variables,
    choose_variables,
    scale_of,
    statistics_notes,
)

if TYPE_CHECKING:
    from distributed import Client, Future

    from regionalize.model.job import Job

FloatArray = NDArray[np.float64]

FIRST = 1 << 15
"""Rows that tell what looks like a variable, where no columns are named."""


@dataclass(frozen=True)
class PartedFeatures:
    """Variables of the rows that take part.

    Attributes
    ----------
    variables : Variables
        What is read of every part.
    scale : Scale
        What the numbers are scaled by.
    values : list of Future
        (m, p) float64 of the rows used of each part, in original units, gaps filled.
    kept : list of Future or None
        Which rows these are, bool; None for all.
    smoothed : list of Future or None
        Transformed attributes of the rows used, mixed with those of neighbours; None where they are not.
    counts : list of int
        Rows used of each part.
    total : int
        Rows of the layer.
    statistics : RunningStatistics
        Of the rows used.
    notes : tuple of str
        What was noticed, for the person.
    """

    variables: Variables
    scale: Scale
    values: list[Future]
    kept: list[Future] | None
    smoothed: list[Future] | list[None]
    counts: list[int]
    total: int
    statistics: RunningStatistics
    notes: tuple[str, ...]

    def clustered(self, client: Client, dtype: str) -> PartedRows:
        """Return what is clustered, on unit scale as `regionalize.methods.lloyd.to_unit_scale` makes it."""
        given = {"variables": self.variables, "scale": self.scale, "dtype": dtype}
        X = list(client.map(clustered_rows, self.values, self.smoothed, **given))
        power = int(np.frexp(max(client.gather(client.map(work.largest, X))))[1])
        found = client.gather(client.map(work.extent, X, power=power))
        mean = summed([told for _, told in found])[0, 0, :-1] / sum(self.counts)
        ends = np.stack([ends for ends, _ in found])
        widest = np.abs(np.stack([ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)]) - mean).max()
        unit = client.map(work.to_unit, X, power=power, mean=mean, again=int(np.frexp(widest)[1]))
        return PartedRows(client, list(unit), self.counts)


def build_in_parts(client: Client, layer: PartedLayer, job: Job) -> PartedFeatures:
    """Select, read, fill and scale, as `regionalize.features.build.build_features` does with all rows.

    Raises
    ------
    RegionalizeError
        As there.
    """
    files = layer.files
    first = first_rows(client, layer)
    variables = choose_variables(first, extents(client, layer), job)
    notes = variables.notes
    read = client.map(read_values, layer.parts, files=files, variables=variables, job=job)
    total = sum(in_order(client.map(len, read)))
    gaps = Gaps(variables, job)
    for found in client.gather(
        client.map(gaps_of, read, layer.parts, files=files, variables=variables, job=job)
    ):
        gaps.merge(found)
    gaps.refuse(total)
    notes += gaps.notes(total)
    values, kept = list(read), None
    if job.missing == "drop":
        kept = list(client.map(complete, values))
        values = list(client.map(chosen, values, kept))
    elif job.missing == "mean":
        present = merged(client.gather(client.map(statistics_of, values)))
        if (present.count < total).any():
            values = list(client.map(filled, values, mean=present.mean))
    counts = client.gather(client.map(len, values))
    used = sum(counts)
    if used < 2:
        raise DataError(
            f"{used} of {total} rows can be used, and grouping takes at least 2",
            advice="see which rows --missing drop leaves out" if kept else "choose more rows",
        )
    statistics = merged(client.gather(client.map(statistics_of, values)))
    notes += statistics_notes(statistics, variables, job)
    scale = scale_of(statistics, variables, job)
    smoothed: Any = [None] * len(values)
    if job.hops:
        all_rows = values if kept is None else list(read)
        attributes = client.map(transformed, all_rows, scale=scale, names=len(variables.names))
        smoothed = smooth_parts(client, layer, job, list(attributes), kept)
    return PartedFeatures(variables, scale, values, kept, smoothed, counts, total, statistics, notes)


def smooth_parts(
    client: Client,
    layer: PartedLayer,
    job: Job,
    attributes: list[Future],
    kept: list[Future] | None,
) -> list[Future]:
    """Return the attributes of the rows used, each mixed with its neighbours'.

    Parameters
    ----------
    client, layer, job
    attributes : list of Future
        Of all rows of each part, transformed.
    kept : list of Future or None
        Rows used; the others give nothing.
    """
    from regionalize.run.dask.neighbours import kinds_of, weights_in_parts
    from regionalize.run.dask.smoothing import smooth_in_parts
    from regionalize.weights.spec import spec_for

    if not layer.head.has_geometry:
        raise DataError(
            "the table has no geometry, so weights cannot be built from it", advice="leave out --hops"
        )
    files, counts = layer.files, client.gather(client.map(len, attributes))
    geometry = client.map(geometry_of, layer.parts, files=files)
    spec = job.weights
    if spec is None:
        kinds: Counter[str] = Counter()
        for found in client.gather(client.map(kinds_of, geometry)):
            kinds.update(found)
        spec = spec_for(kinds)
    links = weights_in_parts(
        client, geometry, counts, spec, snap=job.snap, geographic=layer.head.is_geographic
    )
    where = None
    if job.smooth_mode in BY_DISTANCE:
        masks: Any = [None] * len(attributes) if kept is None else kept
        where = client.map(positions_of, layer.parts, masks, files=files, job=job)
    smoothed = smooth_in_parts(
        client,
        attributes,
        links,
        counts,
        hops=job.hops,
        alpha=job.alpha,
        mode=job.smooth_mode,
        kind=spec,
        coordinates=where,
        sphere=layer.head.is_geographic,
        used=kept,
    )
    return smoothed if kept is None else list(client.map(chosen, smoothed, kept))


def in_order(parts: list[Future]) -> list[Any]:
    """Return what all parts come to, or raise what is wrong with the first that has a fault."""
    return [part.result() for part in parts]


def first_rows(client: Client, layer: PartedLayer) -> Layer:
    """Return the first rows that satisfy the filter."""
    for part in layer.parts:
        found: Layer = client.submit(beginning, part, files=layer.files).result()
        if len(found):
            return found
    raise AssertionError("there are rows")


def extents(client: Client, layer: PartedLayer) -> Iterator[Layer]:
    """Give the corners of all rows, where somebody asks for them."""
    import pyarrow as pa
    import shapely

    found = np.array(client.gather(client.map(bounds_of, layer.parts, files=layer.files)))
    low, high = np.fmin.reduce(found[:, :2]), np.fmax.reduce(found[:, 2:])
    corners = shapely.points(*np.stack([low, high]).T)
    yield Layer(pa.table({"corner": [1, 2]}), None, layer.head.crs, layer.head.origin, shapes=corners)


def merged(found: list[RunningStatistics]) -> RunningStatistics:
    """Put the statistics of parts together."""
    whole = RunningStatistics()
    for one in found:
        whole.merge(one)
    return whole


# What workers do: pure functions, so that they may do it again.


def beginning(part: Part, files: ParquetFiles) -> Layer:
    """Return the first rows of a part, without what surrounds them in memory."""
    found = read_part(files, part)
    return found.take(np.arange(min(len(found), FIRST)))


def bounds_of(part: Part, files: ParquetFiles) -> FloatArray:
    """Return west, south, east and north of a part; NaN without geometry."""
    import shapely

    found: FloatArray = shapely.total_bounds(read_part(files, part, ()).geometry)
    return found


def read_values(part: Part, files: ParquetFiles, variables: Variables, job: Job) -> FloatArray:
    """Return the numbers of a part, (m, p); NaN where a value is missing."""
    layer = read_part(files, part, needed(variables, job), bool(variables.coordinates))
    if not len(layer):
        return np.empty((0, len(variables.columns)))
    return np.ascontiguousarray(variables.read(layer, job, part.first))


def gaps_of(values: FloatArray, part: Part, files: ParquetFiles, variables: Variables, job: Job) -> Gaps:
    """Count what is missing in a part; its rows are read again only where there is something to name."""
    found = Gaps(variables, job)
    if np.isnan(values).any():
        found.count(values, read_part(files, part, (job.id,) if job.id else (), geometry=False), part.first)
    return found


def needed(variables: Variables, job: Job) -> tuple[str, ...]:
    """Return the columns that are read: the variables, and what names rows in messages."""
    return tuple(dict.fromkeys((*variables.names, *([job.id] if job.id else []))))


def complete(values: FloatArray) -> NDArray[np.bool_]:
    """Tell which rows lack nothing."""
    return np.asarray(np.isfinite(values).all(axis=1))


def chosen(values: FloatArray, kept: NDArray[np.bool_]) -> FloatArray:
    """Return the rows that are kept."""
    return values[kept]


def filled(values: FloatArray, mean: FloatArray) -> FloatArray:
    """Put means into gaps."""
    return np.where(np.isnan(values), mean, values)


def statistics_of(values: FloatArray) -> RunningStatistics:
    """Return the statistics of a part."""
    found = RunningStatistics(values.shape[1])
    found.update(values)
    return found


def geometry_of(part: Part, files: ParquetFiles) -> Any:
    """Return the geometry of a part as WKB."""
    return read_part(files, part, ()).wkb


def positions_of(part: Part, kept: NDArray[np.bool_] | None, files: ParquetFiles, job: Job) -> FloatArray:
    """Return where the rows of a part are, (m, 2); NaN for those that take no part."""
    from regionalize.features.build import positions_for_smoothing

    layer = read_part(files, part, (job.id,) if job.id else ())
    rows = np.arange(len(layer)) if kept is None else np.flatnonzero(kept)
    found = np.full((len(layer), 2), np.nan)
    where, _ = positions_for_smoothing(layer, job, rows, None)
    assert where is not None
    found[rows] = where
    return found


def transformed(values: FloatArray, scale: Scale, names: int) -> FloatArray:
    """Return the transformed attributes of a part, the first columns; zero where a value is missing."""
    found: FloatArray = np.nan_to_num(scale.apply(values)[:, :names])
    return np.ascontiguousarray(found)


def unweighted(values: FloatArray, smoothed: FloatArray | None, scale: Scale) -> FloatArray:
    """Return what is clustered of a part but for the weights: attributes mixed, then coordinates."""
    found = scale.apply(values)
    if smoothed is not None:
        found[:, : smoothed.shape[1]] = smoothed
    return found


def clustered_rows(
    values: FloatArray, smoothed: FloatArray | None, variables: Variables, scale: Scale, dtype: str
) -> FloatArray:
    """Return what is clustered of a part."""
    found = weighted(unweighted(values, smoothed, scale), variables.weights, "euclidean")
    return found.astype(dtype, copy=False).astype(np.float64, copy=False)
