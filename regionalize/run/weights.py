"""The neighbours a job asks for: built from the layer or read from a file, islands treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regionalize.errors import DataError, UsageError

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights


def ready_weights(layer: Layer, job: Job, weights: Weights | None = None) -> Weights | None:
    """Build or read the weights a job asks for, islands treated; None for a table without geometry."""
    if weights is None:
        if job.weights_file is not None:
            weights = read_weights_for(layer, job.weights_file, job.id)
        elif layer.has_geometry:
            from regionalize.kernels.threads import at_most
            from regionalize.weights.build import build_weights
            from regionalize.weights.spec import default_spec

            spec = job.weights or default_spec(layer)
            with at_most(job.jobs):
                weights = build_weights(layer, spec, snap=job.snap, names=layer.names(job.id))
        elif job.weights is not None or job.hops:
            raise DataError(
                "the table has no geometry, so weights cannot be built from it",
                advice="give a weights file (--weights FILE.gal) or a layer with geometry",
            )
        else:
            return None
    if len(weights) != len(layer):
        raise UsageError(f"the weights are of {len(weights)} units, but the layer has {len(layer)} rows")
    from regionalize.weights.islands import join_islands

    return join_islands(layer, weights, job.islands, layer.names(job.id))


def read_weights_for(layer: Layer, file: str, id_column: str | None) -> Weights:
    """Read a weights file and match it to the layer's rows by id.

    The column is `--id`, or else the one the file's header names, or else the row numbers.

    Raises
    ------
    DataError
        If `--id` names another column than the header, and both hold the same ids in other rows.
    """
    from regionalize.io.weights_files import read_weights, weights_file_id

    columns = {name.lower(): name for name in layer.column_names}
    stated = columns.get((weights_file_id(file) or "").lower())
    matched = stated if id_column is None else columns.get(id_column.lower())
    ids = layer.names(matched)
    if stated not in (None, matched):
        others = layer.names(stated)
        if set(others) == set(ids) and (others != ids).any():  # either would do, and one is wrong
            reason = f"its ids are those of column '{stated}', and --id names '{matched}'"
            raise DataError(reason, advice=f"use --id {stated}", file=file)
    return read_weights(file, ids)
