"""What is clustered of rows that come in batches: numbers of a batch, and what they are scaled by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.features.build import (
    centroid_share,
    relative_weights,
    split_weights,
)
from regionalize.features.centroids import centroids, project_geometry
from regionalize.features.columns import read_numbers, select_columns
from regionalize.features.notes import constant_notes, coordinate_notes
from regionalize.features.running import RunningStatistics, scaled
from regionalize.model.features import weighted
from regionalize.model.job import Job
from regionalize.model.layer import Layer

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Variables:
    """What is read of every batch.

    Attributes
    ----------
    names : tuple of str
        Attributes.
    coordinates : tuple of str
        X and Y where centroids take part.
    weights : (p,) float64
        Weight of every column in squared distance.
    share : float
        Of all weight that the coordinates carry.
    apart : bool
        Whether fit speaks of attributes alone.
    project : str
        Where centroids are measured.
    notes : tuple of str
    """

    names: tuple[str, ...]
    coordinates: tuple[str, ...]
    weights: FloatArray
    share: float
    apart: bool
    project: str
    notes: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Attributes, then coordinates."""
        return (*self.names, *self.coordinates)

    def read(self, batch: Layer, job: Job, first: int) -> FloatArray:
        """Return the numbers of a batch, (m, p), in original units; NaN where a value or geometry is missing.

        Raises
        ------
        DataError
            Infinite values, whole numbers beyond 2^53.
        """
        values, offset = read_numbers(batch, self.names, job.id, first=first)
        if offset.any():  # other rows count from another
            name = self.names[int(np.argmax(offset != 0))]
            raise DataError(
                f"'{name}' holds numbers of so many digits that some would be lost",
                advice="subtract a common number from them first",
                column=name,
            )
        if self.coordinates:
            xy, _ = centroids(batch, self.project, job.id)
            values = np.hstack([values, xy])
        return values

    def clustered(self, values: FloatArray, scale: Scale) -> FloatArray:
        """Return what is clustered of numbers in original units."""
        return self.weigh(scale.apply(values))

    def weigh(self, transformed: FloatArray) -> FloatArray:
        """Multiply transformed columns by the roots of their weights."""
        if (self.weights == 1).all():
            return transformed
        return np.asarray(weighted(transformed, self.weights, "euclidean"), dtype=np.float64)


@dataclass(frozen=True)
class Scale:
    """How numbers become comparable: from statistics of all rows.

    Attributes
    ----------
    statistics : RunningStatistics
        Of all columns.
    transform : str
        As `regionalize.features.transforms.transform` has it.
    isotropic : float or None
        What both centred coordinates are multiplied by, in place of the transform.
    """

    statistics: RunningStatistics
    transform: str
    isotropic: float | None = None

    def apply(self, values: FloatArray) -> FloatArray:
        """Return the transformed columns (m, p)."""
        found: FloatArray = scaled(values, self.statistics, self.transform)
        if self.isotropic is not None:
            found[:, -2:] = (values[:, -2:] - self.statistics.mean[-2:]) * self.isotropic
        return found

    @property
    def factors(self) -> FloatArray:
        """What every column is multiplied by, (p,)."""
        ends = np.stack([self.statistics.low, self.statistics.high])
        width = self.statistics.high - self.statistics.low
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(width > 0, np.diff(self.apply(ends), axis=0)[0] / width, 0.0)


def scale_of(statistics: RunningStatistics, variables: Variables, job: Job) -> Scale:
    """Return how the columns are scaled, once all rows have been seen."""
    scale = Scale(statistics, job.transform)
    if not variables.coordinates or job.centroid_scale == "axis":
        return scale
    corners = np.stack([statistics.mean, statistics.mean + statistics.sd])
    step = np.diff(scale.apply(corners), axis=0)[0, -2:]  # what one sd becomes
    spread = float(np.sum(statistics.sd[-2:] ** 2))
    return replace(scale, isotropic=float(np.sqrt(np.sum(step**2) / spread)) if spread else 1.0)


def choose_variables(first: Layer, batches: Iterable[Layer], job: Job) -> Variables:
    """Settle what is clustered.

    Parameters
    ----------
    first : Layer
        The first rows: where no columns are named, these tell what looks like a variable.
    batches : iterable of Layer
        All rows; read where their extent matters.
    job : Job

    Raises
    ------
    UsageError, DataError
        As `regionalize.features.build.build_features`.
    """
    names, notes = select_columns(first, job.columns, job.exclude, job.id)
    relative = relative_weights(job, names)
    within = job.with_centroids or job.centroid_weight is not None
    share = None if job.centroid_weight is None else centroid_share(job.centroid_weight)
    weights, coordinate_share = split_weights(relative, within, share)
    project = job.project
    if within:
        project, said = choose_plane(first, batches, job)
        notes += said
    return Variables(
        names, ("X", "Y") if within else (), weights, coordinate_share, share is not None, project, notes
    )


def choose_plane(first: Layer, batches: Iterable[Layer], job: Job) -> tuple[str, tuple[str, ...]]:
    """Choose where centroids are measured, by the extent of all rows, as if these were in memory."""
    if not first.has_geometry:
        raise DataError(
            "the table has no geometry", advice="read a layer with geometry, or leave out centroids"
        )
    if first.projection is not None and not first.is_geographic:
        return job.project, project_geometry(first, job.project, job.id).notes
    extent = np.array([np.inf, np.inf, -np.inf, -np.inf])
    for batch in batches:
        low, high = np.split(shapely.total_bounds(batch.geometry), 2)
        extent = np.concatenate([np.fmin(extent[:2], low), np.fmax(extent[2:], high)])
    corners = shapely.points(extent[[0, 2]], extent[[1, 3]])
    whole = Layer(pa.table({"corner": [1, 2]}), None, first.crs, first.origin, shapes=corners)
    if first.projection is None:
        return job.project, centroids(whole, job.project)[1]
    found = project_geometry(whole, job.project)
    return found.crs or "auto", found.notes


def statistics_notes(statistics: RunningStatistics, variables: Variables, job: Job) -> tuple[str, ...]:
    """Say what the statistics of all rows show, as `regionalize.features.build.build_features` does.

    Raises
    ------
    DataError
        Where every column is constant.
    """
    constant = statistics.constant[: len(variables.names)]
    notes = constant_notes(variables.names, constant, bool(variables.coordinates))
    if variables.coordinates:
        east, north = statistics.sd[-2:].tolist()
        notes += coordinate_notes(variables.share, east / north if north else None, job)
    return notes
