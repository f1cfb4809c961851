"""Put the measures of a partition together into a report."""

from __future__ import annotations

from functools import cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.model.method import Center
from regionalize.model.partition import NOISE
from regionalize.model.report import Fit, Fragmentation, Profiles, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.partition import Partition
    from regionalize.model.weights import Weights

REPORTED_PACKAGES = ("numpy", "shapely", "pyogrio")


def make_report(
    layer: Layer,
    job: Job,
    features: Features,
    weights: Weights | None,
    partition: Partition,
    extra: dict[str, Any],
    *,
    center: Center = "mean",
    medoids: NDArray[np.int64] | None = None,
    shares: NDArray[np.float64] | None = None,
) -> Report:
    """Measure a partition of all rows and describe the run.

    `center` is what stands for a cluster; for medoids, `medoids` are their rows among those used, and for
    geometric medians, `shares` are what every row used counts in that of its cluster.
    """
    from regionalize.measure.fit import measure_fit, measure_profiles, r_squared

    labels = partition.labels[features.rows]
    fit_attributes: Fit | None = measure_fit(features.scaled, labels)
    fit: Fit | None
    if features.embedded:
        clustered = features.unweighted
        fit = measure_fit(
            clustered[:, : len(features.embedded)] if features.attributes_only else clustered, labels
        )
    elif features.attributes_only or same_matrix(features):
        fit, fit_attributes = fit_attributes, None
    else:
        fit = measure_fit(features.unweighted, labels)
    columns, parts = features.names, [(features.raw, features.scaled)]  # side by side, and never copied so
    if features.coordinates is not None and not features.attributes_only:
        columns = (*columns, *features.coordinate_names)
        parts.append((features.coordinates, features.coordinates))
    centers = np.hstack([find_centers(values, labels, center, medoids, shares) for values, _ in parts])
    shared = np.concatenate([r_squared(scaled, labels) for _, scaled in parts])
    profiles = reduce(Profiles.beside, [measure_profiles(values, labels) for values, _ in parts])
    fragmentation: Fragmentation | None = None
    notes: tuple[str, ...] = ()
    if weights is not None:
        from regionalize.measure import measure_regions

        geometry, notes = geometry_to_measure(layer, partition, weights)
        fragmentation, measured = measure_regions(partition.labels, weights, geometry)
        notes += measured
    return Report(
        settings=job.settings(),
        input={
            "file": layer.origin.file,
            "layer": layer.origin.layer,
            "rows": len(layer),
            "rows_used": len(features.rows),
        },
        versions=versions(),
        variables=columns,
        sizes=tuple(int(size) for size in partition.sizes),
        center_columns=columns,
        center=center,
        centers=tuple(tuple(row) for row in centers.tolist()),
        noise=int((partition.labels == NOISE).sum()),
        fit=fit if columns else None,
        fit_attributes=fit_attributes,
        coordinate_share=0.0 if job.compactness else features.coordinate_share,
        fragmentation=fragmentation,
        r_squared=tuple(None if np.isnan(x) else x for x in shared.tolist()),
        extra=extra,
        notes=notes,
        profiles=profiles if columns else None,
    )


def find_centers(
    values: NDArray[np.floating],
    labels: NDArray[np.int64],
    center: Center,
    medoids: NDArray[np.int64] | None,
    shares: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return what stands for each cluster, shape (k, p), cluster 1 first, in the units of `values`."""
    from regionalize.measure.fit import cluster_means, cluster_medians

    if center == "mean":
        return cluster_means(values, labels)
    if center == "median" and shares is not None:
        sums = [np.bincount(labels[labels > 0], column[labels > 0]) for column in values.T * shares]
        return np.stack(sums, axis=1)[1:].astype(np.float64)
    if center == "median":
        return cluster_medians(values, labels)
    assert medoids is not None, "the method did not tell its medoids"
    return values[medoids[np.argsort(labels[medoids])]].astype(np.float64)


def describe_levels(features: Features, levels: Mapping[int, Partition]) -> dict[str, Any]:
    """Describe nested regions of several numbers: k, sizes and BSS/TSS over the attributes of each."""
    from regionalize.measure.fit import measure_fit

    found = [
        {
            "k": k,
            "sizes": [int(size) for size in regions.sizes],
            "bss_tss_attributes": measure_fit(features.scaled, regions.labels[features.rows]).ratio,
        }
        for k, regions in levels.items()
    ]
    return {"levels": found}


def describe_compactness(features: Features, partition: Partition, weight: float) -> dict[str, Any]:
    """Describe what `--compactness` bought: the moment of inertia of centroids about those of their regions.

    In squared map units, every unit of mass one; nothing without the option.
    """
    from regionalize.measure.fit import measure_fit

    if not weight or features.coordinates is None:
        return {}
    inertia = measure_fit(features.coordinates, partition.labels[features.rows])
    share = inertia.wss / inertia.tss if inertia.tss else None
    return {
        "compactness": {
            "weight": weight,
            "moment_of_inertia": inertia.wss,
            "moment_of_inertia_of_layer": inertia.tss,
            "share": share,
        }
    }


def same_matrix(features: Features) -> bool:
    """Whether what was clustered is, weights apart, the transformed attributes and nothing else."""
    return features.unweighted.shape == features.scaled.shape and np.array_equal(
        features.unweighted, features.scaled
    )


def geometry_to_measure(
    layer: Layer, partition: Partition, weights: Weights
) -> tuple[NDArray[np.object_] | None, tuple[str, ...]]:
    """Return plane geometries, or None where no cluster is in one piece: only such have a shape."""
    from regionalize.errors import RegionalizeError
    from regionalize.features.centroids import project_geometry
    from regionalize.kernels.components import components_within

    if not layer.has_geometry:
        return None, ()
    component = components_within(weights.indptr, weights.indices, partition.labels)
    used = partition.labels > 0
    pieces = np.unique(np.stack([partition.labels[used], component[used]]), axis=1)[0]
    if not (np.bincount(pieces) == 1).any():
        return None, ()
    try:
        return project_geometry(layer, "auto").geometry, ()
    except RegionalizeError as error:
        return None, (f"compactness is not measured: {error.reason}",)


def versions() -> dict[str, str]:
    """Versions of regionalize and of what computes with it."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from regionalize import __version__

    return {"regionalize": __version__, **{name: version(name) for name in REPORTED_PACKAGES}}
