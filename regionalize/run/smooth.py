"""Smoothing for its own sake, with files at both ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, OutputError, listed, located
from regionalize.model.job import BY_DISTANCE, Outputs

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.run.progress import Progress

NO_PART = ("method", "k", "seed", "transform")
"""Settings of a job that take no part in smoothing."""


def run_smooth(
    source: str | None,
    job: Job,
    output: Path,
    *,
    suffix: str = "_smooth",
    output_layer: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Append H-hop smoothed columns to a layer, in original units.

    Returns
    -------
    names : tuple of str
        Columns added.
    notes : tuple of str
        What was noticed.
    """
    import numpy as np
    import pyarrow as pa

    from regionalize.features.centroids import centroids, sphere_points
    from regionalize.features.columns import read_columns, select_columns
    from regionalize.features.smoothing import restricted, smooth, smoothing_notes
    from regionalize.io.check_output import check_output
    from regionalize.io.read import read_layer
    from regionalize.io.write import write_layer
    from regionalize.run.command import smooth_command
    from regionalize.run.progress import announce, announce_file
    from regionalize.run.record import run_record
    from regionalize.run.refusals import refuse_inputs
    from regionalize.run.reporting import versions
    from regionalize.run.weights import ready_weights

    about: dict[str, Any] = {"layer_name": output_layer, "input_path": source, "overwrite": overwrite}
    check_output(output, added_names=(), layer=None, **about)
    refuse_inputs(output, (job.weights_file,))
    announce("read", progress)
    layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        chosen, notes = select_columns(layer, job.columns, job.exclude, job.id)
        added = tuple(f"{name}{suffix}" for name in chosen)
        taken = [name for name in added if name in layer.column_names]
        if taken:
            raise OutputError(
                f"the layer already has a column '{taken[0]}'"
                if len(taken) == 1
                else f"the layer already has columns {listed(taken)}",
                advice="choose another ending with --suffix",
            )
        notes += check_output(output, added_names=added, layer=layer, **about)
        columns = read_columns(layer, chosen, job.missing, job.id)
        announce("weights", progress)
        weights = ready_weights(layer, job)
        if weights is None:
            raise DataError("the table has no geometry to smooth over", advice="give --weights FILE")
        notes += (*columns.notes, *weights.notes)
        inner = restricted(weights, columns.rows)
        coordinates = None
        if job.smooth_mode in BY_DISTANCE:
            placed = sphere_points(layer) if layer.is_geographic else centroids(layer, "none", job.id)[0]
            coordinates = placed[columns.rows]
        announce("smoothing", progress)
        before = columns.raw
        after = smooth(
            before,
            inner,
            job.hops,
            job.alpha,
            job.smooth_mode,
            coordinates=coordinates,
            sphere=layer.is_geographic,
        )
        notes += smoothing_notes(before, after, inner, job.smooth_mode)
        full = np.full((len(layer), len(chosen)), np.nan)
        full[columns.rows] = after
    smoothed = {name: pa.array(full[:, at], mask=np.isnan(full[:, at])) for at, name in enumerate(added)}
    written = Outputs(output=output, output_layer=output_layer)
    document = {
        "settings": smoothing_settings(job, suffix),
        "command": smooth_command(job, suffix).line(source, written),
        "input": {
            "file": layer.origin.file,
            "layer": layer.origin.layer,
            "rows": len(layer),
            "rows_used": len(columns.rows),
        },
        "versions": versions(),
    }
    record = run_record("smooth", added, document, ())
    announce_file(output, progress)
    notes += write_layer(
        layer, output, added=smoothed, layer_name=output_layer, overwrite=overwrite, record=record
    )
    return added, tuple(dict.fromkeys((*layer.notes, *notes)))


def smoothing_settings(job: Job, suffix: str) -> dict[str, Any]:
    """Return what smoothing was told: hops, share and mode always, and whatever else is not the default."""
    told = {"hops": job.hops, "alpha": job.alpha, "smooth_mode": job.smooth_mode, "suffix": suffix}
    return told | {name: value for name, value in job.settings().items() if name not in {*told, *NO_PART}}
