"""Weights for their own sake, with files at both ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, OutputError, located
from regionalize.model.job import WEIGHTS_FILES

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.run.progress import Progress


def run_weights(
    source: str | None,
    job: Job,
    symmetric: str | None,
    output: Path | None,
    overwrite: bool,
    save_links: Path | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Build or read weights, write them and the links added to them if asked, and describe them.

    Returns
    -------
    description : dict
        As `regionalize.weights.describe.describe_weights`.
    notes : tuple of str
        What was noticed.
    """
    from contextlib import ExitStack

    from regionalize.io.atomic import replacing
    from regionalize.io.read import read_layer
    from regionalize.run.lines import check_lines, saved_links
    from regionalize.run.progress import announce
    from regionalize.run.refusals import check_side_file, refuse_same_file
    from regionalize.run.weights import ready_weights
    from regionalize.weights.describe import describe_weights, symmetrize

    inputs = (source, job.weights_file)
    if output is not None:
        if output.suffix.lower() not in WEIGHTS_FILES:
            raise OutputError(
                f"weights cannot be written as '{output.suffix or output.name}'",
                file=str(output),
                advice=f"use {' or '.join(WEIGHTS_FILES)}",
            )
        check_side_file(output, inputs, overwrite)
    if save_links is not None:
        refuse_same_file({"save-links": save_links, **({} if output is None else {"output": output})})
        check_lines("save-links", save_links, inputs, None, overwrite)
    announce("read", progress)
    layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        names = layer.names(job.id)
        if save_links is not None:
            check_lines("save-links", save_links, inputs, layer, overwrite)
        announce("weights", progress)
        weights = ready_weights(layer, job)
        if weights is None:
            raise DataError("the table has no geometry to build weights from", advice="give --weights FILE")
        if symmetric is not None:
            weights = symmetrize(weights, symmetric)
    notes = (*layer.notes, *weights.notes)
    announce("write" if output or save_links else "measure", progress)
    with ExitStack() as pending:
        if save_links is not None:
            notes += pending.enter_context(saved_links(layer, weights, job.id, save_links, overwrite))
        if output is not None:
            from regionalize.io.weights_files import write_weights

            with replacing(output) as target, located(str(output)):
                notes += write_weights(weights, target, names, job.id or "row")
    return describe_weights(weights, names), notes
