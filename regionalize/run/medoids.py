"""What stands for the clusters of a solution where that is not their mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from regionalize.model.features import Features
    from regionalize.model.findings import Findings
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.method import Method
    from regionalize.model.partition import Partition

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Middles:
    """Medians or medoids.

    Attributes
    ----------
    medoids : (k,) int64 or None
        Rows among those used, cluster 1 first.
    shares : (m,) float64 or None
        What every unit counts in the geometric median of its cluster.
    extra : dict
        For the report: ``distances``, and ``medoids`` by name.
    """

    medoids: IntArray | None
    shares: NDArray[np.float64] | None
    extra: dict[str, Any]


def find_middles(
    layer: Layer, job: Job, method: Method, features: Features, partition: Partition, findings: Findings
) -> Middles:
    """Find what stands for each cluster, and measure how far units are from it.

    Where clusters were changed after the method had told its medoids, their medoids are found anew.
    """
    from regionalize.kernels.central import central_units
    from regionalize.measure.distances import geometric_shares, measure_distances

    if method.center == "mean":
        return Middles(None, None, {})
    labels = partition.labels[features.rows]
    euclidean = method.value(job.params, "distance") == "euclidean"
    if method.center == "median":
        distances = measure_distances(features.X, labels, euclidean=euclidean)
        shares = geometric_shares(features.X, labels) if euclidean else None
        return Middles(None, shares, {"distances": asdict(distances)})
    told = findings.medoids
    if told is None or job.make_contiguous:
        medoids = central_units(features.X, labels - 1, partition.k, euclidean)
    else:
        medoids = told[np.argsort(labels[told])]
    distances = measure_distances(features.X, labels, euclidean=euclidean, medoids=medoids)
    names = layer.names(job.id)[features.rows[medoids]].tolist()
    return Middles(medoids, None, {"medoids": names, "distances": asdict(distances)})
