"""Labels made contiguous: those of a column, or those a method found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, InfeasibleError, UsageError
from regionalize.model.partition import LEFT_OUT, NOISE, Partition

if TYPE_CHECKING:
    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution

IntArray = NDArray[np.int64]

KEEP, SPLIT, BEST = "keep-k", "split", "best"
"""Ways to make labels contiguous: smaller pieces join neighbours, become regions, or go where they fit."""


def solve_contiguous(
    layer: Layer, job: Job, label_column: str, way: str, *, progress: Progress | None = None
) -> Solution:
    """Make a label column of a layer contiguous, in memory, checked by other code than made it.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Variables, weights and bounds.
    label_column : str
        The labels there are, as `regionalize.run.existing.read_labels` takes them: rows without one take no
        part, and neither do rows of label 0.
    way : str
        `KEEP`, `SPLIT` or `BEST`.
    progress : callable, optional
        Told of the search as it goes.

    Returns
    -------
    Solution
        Its report says in ``extra["contiguity_cost"]`` what the regions cost.

    Raises
    ------
    RegionalizeError
        Whatever stands in the way, with the column and row where it is known.
    """
    from regionalize.measure.contiguity_cost import contiguity_cost
    from regionalize.methods.make_contiguous import make_contiguous, split_into_pieces
    from regionalize.methods.mend import mend
    from regionalize.run.bounds import read_bounds
    from regionalize.run.command import contiguous_command
    from regionalize.run.existing import by_number, noise_note, read_labels
    from regionalize.run.progress import Stopwatch, told
    from regionalize.run.reporting import make_report
    from regionalize.run.solve import conclude
    from regionalize.run.verify import verify
    from regionalize.run.weights import ready_weights

    watch = Stopwatch(progress)
    command = contiguous_command(job, label_column, way)
    labels, values = read_labels(layer, label_column)
    with watch.stage("weights"):
        weights = needed_weights(ready_weights(layer, job))
    with watch.stage("features"):
        features = features_for(layer, replace(job, exclude=(*job.exclude, label_column)), way)
    rows = features.rows[labels[features.rows] > 0]
    if not len(rows):
        raise InfeasibleError("no row has a label of a cluster")
    found, code = np.unique(labels[rows], return_inverse=True)
    code += 1
    taken = np.isin(features.rows, rows)
    bounds = read_bounds(layer, job, rows)
    if bounds and way != BEST:
        raise UsageError(f"--{way} knows no bounds", advice="use --best")
    inner, scaled = weights.subset(rows), features.scaled[taken]
    with watch.stage("contiguous"):
        if way == BEST:
            regions = mend(
                features.X[taken],
                code,
                inner,
                bounds=bounds,
                seed=job.seed,
                progress=told("contiguous", progress),
            )
        elif way == SPLIT:
            regions = Partition.canonical(split_into_pieces(code, inner)).labels
        else:
            noise = bool((labels[features.rows] == NOISE).any())
            regions = make_contiguous(
                code, inner, name=lambda unit: layer.names(job.id)[rows[unit]], noise=noise
            )
    placed = np.full(len(layer), LEFT_OUT, dtype=np.int64)
    placed[features.rows] = np.where(labels[features.rows] == NOISE, NOISE, LEFT_OUT)
    placed[rows] = regions
    partition = Partition(placed)
    verify(partition, partition.k if way == SPLIT else len(found), bounds, rows, weights)
    own = {} if way == SPLIT else {number: values[label] for number, label in enumerate(found.tolist(), 1)}
    job = replace(job, method="contiguous", k=partition.k)
    with watch.stage("measure"):
        extra: dict[str, Any] = {"contiguity_cost": contiguity_cost(code, regions, scaled, inner)}
        extra |= {"labels": {str(number): value for number, value in own.items()}} if own else {}
        report = make_report(layer, job, features, weights, partition, extra)
    settings = {name: value for name, value in job.settings().items() if name != "seed" or way == BEST}
    settings |= {"label_column": label_column, "way": way}
    return conclude(
        layer,
        job,
        features,
        weights,
        partition,
        report,
        said=noise_note(labels, label_column),
        seconds=watch.seconds,
        command=command,
        settings=settings,
        label_values={} if by_number(own) else own,
    )


def features_for(layer: Layer, job: Job, way: str) -> Features:
    """Build the variables; where there are none and none are needed, an empty table of them and a note.

    Raises
    ------
    RegionalizeError
        Columns that were named, or are needed, cannot be used.
    """
    from regionalize.features.build import build_features
    from regionalize.run.variables import features_if_any

    if way != BEST:
        return features_if_any(layer, job, unknown="what contiguity costs in fit")
    layer.names(job.id)  # refuses a wrong --id
    try:
        return build_features(layer, job, None)
    except UsageError:  # nothing but the labels and what was excluded
        if job.columns:
            raise
        raise DataError(
            "there is no numeric column to tell which pieces are alike",
            advice="give --keep-k or --split, which need none",
        ) from None


def made_contiguous(
    layer: Layer, codes: IntArray, features: Features, weights: Weights | None, id_column: str | None
) -> tuple[IntArray, dict[str, Any]]:
    """Make what a method found contiguous as `KEEP` does; return the regions and what that cost.

    Parameters
    ----------
    codes : (m,) int64
        Cluster 0 … k - 1 of each row used; noise, below 0, takes no part.
    weights : Weights or None
        Of all rows.
    """
    from regionalize.measure.contiguity_cost import contiguity_cost
    from regionalize.methods.make_contiguous import make_contiguous

    taken = codes >= 0
    rows = features.rows[taken]
    inner = needed_weights(weights).subset(rows)
    regions = codes.copy()
    regions[taken] = make_contiguous(
        codes[taken],
        inner,
        name=lambda unit: layer.names(id_column)[rows[unit]],
        noise=not bool(taken.all()),
    )
    cost = contiguity_cost(codes[taken] + 1, regions[taken] + 1, features.scaled[taken], inner)
    return regions, {"contiguity_cost": cost}


def needed_weights(weights: Weights | None) -> Weights:
    """Return the weights, or refuse a table that has none."""
    if weights is None:
        raise DataError(
            "the table has no geometry, so nobody can tell what is contiguous",
            advice="give a weights file (--weights FILE.gal) or a layer with geometry",
        )
    return weights
