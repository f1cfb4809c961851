"""The units that a density method leaves out, the remotest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.model.partition import NOISE
from regionalize.run.places import in_metres

if TYPE_CHECKING:
    from regionalize.run.solve import Solution

LENGTHS = ("reachability", "core_distance")
"""Findings that are distances between rows of X."""


def list_outliers(solution: Solution) -> dict[str, list[Any]]:
    """List the units of noise.

    Parameters
    ----------
    solution : Solution
        Of a method that knows noise.

    Returns
    -------
    dict of str to list
        ``row``, from 1; ``id``, where the job names a column of them; ``nearest_cluster``, that of the
        nearest unit in a cluster, and its ``size``; the ``distance`` to that unit, by which the list falls;
        and what the method found of every unit. Distances between places are in metres and named so, as in
        ``distance_m``, where the layer's system is known; others are as they were measured.
    """
    from scipy.spatial import KDTree

    features, partition = solution.features, solution.partition
    labels = partition.labels[features.rows]
    noise, clustered = np.flatnonzero(labels == NOISE), np.flatnonzero(labels > 0)
    X = np.asarray(features.X, dtype=np.float64)
    distance, near = (np.asarray(found) for found in KDTree(X[clustered]).query(X[noise]))
    order = np.argsort(-distance, kind="stable")
    noise, distance = noise[order], distance[order]
    nearest = labels[clustered[near[order]]]
    rows = features.rows[noise]
    places, unit = features.places, ""
    if places is not None and places.metres is not None:
        unit = "_m"
    columns: dict[str, list[Any]] = {"row": (rows + 1).tolist()}
    if solution.job.id is not None:
        columns["id"] = solution.layer.names(solution.job.id)[rows].tolist()
    columns["nearest_cluster"] = nearest.tolist()
    columns["size"] = partition.sizes[nearest - 1].tolist()
    columns["distance" + unit] = (distance if places is None else in_metres(places, distance)).tolist()
    for name, values in solution.findings.columns.items():
        found, is_length = values[noise], name in LENGTHS
        if found.dtype == np.bool_:  # the same of all noise
            continue
        if is_length and places is not None:
            found = in_metres(places, found)
        columns[name + unit if is_length else name] = found.tolist()
    return columns


def write_outliers(solution: Solution, target: Path) -> None:
    """Write the list as CSV, numbers in full; a distance that is infinite is left empty."""
    from regionalize.io.documents import csv_text, plain

    columns = list_outliers(solution)
    rows = (plain(row) for row in zip(*columns.values(), strict=True))
    target.write_text(csv_text(columns, rows), encoding="utf-8", newline="")
