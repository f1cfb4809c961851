"""Fit and profiles of clusters whose rows lie in parts: two passes, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.measure.groups import Groups, fit_of_groups, profiles_of_groups, r_squared_of_groups
from regionalize.model.report import Report
from regionalize.run.dask import rows as work
from regionalize.run.dask.features import unweighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distributed import Client, Future

    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.run.dask.features import PartedFeatures
    from regionalize.run.stream.variables import Scale

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Numbering:
    """Numbers of clusters: 1 … k by falling size, ties by first row.

    Attributes
    ----------
    numbers : (k,) int64
        Number of each code.
    order : (k,) int64
        Code of each number.
    """

    numbers: IntArray
    order: IntArray


def number_clusters(client: Client, labels: Sequence[Future], counts: Sequence[int], k: int) -> Numbering:
    """Give clusters the numbers that `regionalize.model.partition.Partition.canonical` gives them."""
    first = np.array(client.gather(client.map(work.first_rows, labels, k=k)))
    sizes = np.sum(client.gather(client.map(work.sizes, labels, k=k)), axis=0)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    there = first < np.asarray(counts)[:, None]
    row = np.where(there, first + starts[:, None], np.iinfo(np.int64).max).min(axis=0)
    order = np.lexsort((row, -sizes))
    numbers = np.empty(k, dtype=np.int64)
    numbers[order] = np.arange(1, k + 1)
    return Numbering(numbers, order)


def measure_in_parts(
    client: Client,
    head: Layer,
    job: Job,
    features: PartedFeatures,
    labels: Sequence[Future],
    numbering: Numbering,
) -> Report:
    """Measure clusters as `regionalize.run.reporting.make_report` does, but for their pieces and shapes.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    head : Layer
        Of no rows.
    job : Job
    features : PartedFeatures
    labels : sequence of Future
        Codes (1, m) of the rows used of each part.
    numbering : Numbering
        Their numbers.
    """
    from regionalize.run.reporting import versions

    variables, k = features.variables, len(numbering.order)
    attributes = slice(0, len(variables.names))
    with_coordinates = bool(variables.coordinates) and not variables.apart
    shown = slice(None) if with_coordinates else attributes
    both = with_coordinates or (bool(job.hops) and not variables.apart)
    parts = features.values, features.smoothed, labels
    given = {"scale": features.scale, "k": k, "origin": features.statistics.mean}
    found = client.gather(client.map(groups_of, *parts, **given))
    raw, scaled, mixed = (together([groups[which] for groups in found]) for which in range(3))
    means = (mixed if both else scaled).means, scaled.means
    about = {"scale": features.scale, "means": means, "columns": (shown, attributes), "mixed": both}
    apart = client.gather(client.map(distances_of, *parts, **about))
    raw, scaled, mixed = (groups.ordered(numbering.order) for groups in (raw, scaled, mixed))
    rows = sum(features.counts)
    mean_distance, of_attributes = (fsum(one[which] for one in apart) / rows for which in (0, 1))
    of_columns = raw.only(shown)
    columns = variables.columns[shown]
    return Report(
        settings=job.settings(),
        input={
            "file": head.origin.file,
            "layer": head.origin.layer,
            "rows": features.total,
            "rows_used": rows,
        },
        versions=versions(),
        variables=columns,
        sizes=tuple(int(count) for count in raw.counts),
        center_columns=columns,
        centers=tuple(tuple(row) for row in of_columns.means.tolist()),
        fit=replace(fit_of_groups(mixed if both else scaled, shown), mean_distance=mean_distance),
        fit_attributes=replace(fit_of_groups(scaled, attributes), mean_distance=of_attributes)
        if both
        else None,
        coordinate_share=variables.share,
        fragmentation=None,
        r_squared=r_squared_of_groups(scaled.only(shown)),
        notes=("pieces, joins and shapes are not measured on workers; regionalize validate measures them",)
        if head.has_geometry
        else (),
        profiles=profiles_of_groups(of_columns),
    )


def together(found: Sequence[Groups]) -> Groups:
    """Put the groups of parts together."""
    whole = found[0]
    for one in found[1:]:
        whole.merge(one)
    return whole


# What workers do: pure functions, so that they may do it again.


def groups_of(
    values: FloatArray,
    smoothed: FloatArray | None,
    labels: IntArray,
    scale: Scale,
    k: int,
    origin: FloatArray,
) -> tuple[Groups, Groups, Groups]:
    """Return the clusters' means and spreads: in original units, transformed, and mixed besides."""
    p = values.shape[1]
    raw, scaled = Groups(k, p, origin), Groups(k, p, np.zeros(p))
    raw.update(values, labels[0])
    scaled.update(scale.apply(values), labels[0])
    if smoothed is None:
        return raw, scaled, scaled
    mixed = Groups(k, p, np.zeros(p))
    mixed.update(unweighted(values, smoothed, scale), labels[0])
    return raw, scaled, mixed


def distances_of(
    values: FloatArray,
    smoothed: FloatArray | None,
    labels: IntArray,
    scale: Scale,
    means: Sequence[FloatArray],
    columns: Sequence[slice],
    mixed: bool,
) -> list[float]:
    """Return the sums of distances to the means of clusters: over what is shown, and over attributes."""
    scaled = scale.apply(values)
    of_all = unweighted(values, smoothed, scale) if mixed else scaled
    return [
        float(np.sqrt(((rows - mean[labels[0]])[:, some] ** 2).sum(axis=1)).sum())
        for rows, mean, some in zip((of_all, scaled), means, columns, strict=True)
    ]
