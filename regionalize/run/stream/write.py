"""What is written of rows that come in batches: the labelled layer, some rows at a time, and the report."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from regionalize.errors import UsageError, located
from regionalize.model.job import Job, Outputs
from regionalize.model.layer import Layer
from regionalize.model.partition import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from regionalize.io.row_batches import RowBatches
    from regionalize.model.centers import Centers
    from regionalize.model.style import Style
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution
    from regionalize.run.stream.store import RowStore

SPLIT = "split"
"""Column that tells rows of the test share from the others."""


def check_outputs(
    outputs: Outputs, source: str | None, job: Job, head: Layer | None = None
) -> tuple[str, ...]:
    """Refuse, before any work, what cannot be written; note what a format will change.

    Raises
    ------
    RegionalizeError
    """
    from regionalize.io.batch_writer import format_in_batches
    from regionalize.run.large import BATCHES, refuse_other_outputs
    from regionalize.run.refusals import refuse_outputs

    refuse_other_outputs(BATCHES, outputs)
    if str(outputs.output) == "-":
        raise UsageError("--batch-size writes no GeoJSON to standard output", advice="name a file with -o")
    if outputs.report is not None and outputs.report.suffix.lower() == ".html":
        raise UsageError(
            "--batch-size and a report as a page exclude each other: its map needs all rows in memory",
            advice="write the report as .md, .json or .csv",
        )
    if outputs.output is not None:
        with located(str(outputs.output)):
            format_in_batches(outputs.output)
    return refuse_outputs(outputs, (source, *job.files), head, added_names(outputs, job))


def added_names(outputs: Outputs, job: Job) -> tuple[str, ...]:
    """Name the columns that are added."""
    return (outputs.label_column, *([SPLIT] if job.test_share else ()))


def write_batches(
    solution: Solution,
    batches: RowBatches,
    labels: RowStore,
    outputs: Outputs,
    centers: Centers | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the report, the centres, and the layer with its labels; all are put in place at the end.

    Returns
    -------
    tuple of str
        What changed form on the way.
    """
    from regionalize.io.atomic import replacing
    from regionalize.io.batch_writer import batch_writer
    from regionalize.io.centers import write_centers
    from regionalize.run.progress import announce_file
    from regionalize.run.record import solution_record
    from regionalize.run.side_files import write_report

    notes: tuple[str, ...] = ()
    with ExitStack() as pending:
        if outputs.report is not None:
            announce_file(outputs.report, progress)
            notes += write_report(solution, pending.enter_context(replacing(outputs.report)), outputs)
        if outputs.centers is not None and centers is not None:
            announce_file(outputs.centers, progress)
            target = pending.enter_context(replacing(outputs.centers))
            write_centers(target, centers, label_column=outputs.label_column, overwrite=True)
        if outputs.output is None:
            return notes
        announce_file(outputs.output, progress)
        job = solution.job
        style = style_of(solution, next(iter(batches), batches.head), outputs.label_column)
        kinds = {name: pa.string() if name == SPLIT else pa.int32() for name in added_names(outputs, job)}
        writer = batch_writer(
            outputs.output,
            batches.head,
            added=kinds,
            layer_name=outputs.output_layer,
            overwrite=outputs.overwrite,
            styles=() if style is None else (style,),
            record=solution_record(solution, kinds),
            qml=outputs.qml,
        )
        with writer as write:
            for batch, added in labelled(batches, labels, outputs, job):
                write(batch, added)
        notes += write.notes
    return notes


def style_of(solution: Solution, first: Layer, column: str) -> Style | None:
    """Return the style of the labels, None of a table without geometry; the first rows tell what is drawn."""
    from regionalize.maps.style import cluster_style, kind_of

    kind = kind_of(first.geometry_kinds)
    if kind is None:
        return None
    report = solution.report
    title = f"{solution.job.method}, k = {report.k}: {', '.join(report.variables)}"
    left_out = report.input["rows"] - report.input["rows_used"]
    counts = ({LEFT_OUT: left_out} if left_out else {}) | dict(enumerate(report.sizes, 1))
    return cluster_style(column, title, kind, report.input["rows"], counts, None)


def labelled(
    batches: RowBatches, labels: RowStore, outputs: Outputs, job: Job
) -> Iterator[tuple[Layer, Mapping[str, pa.Array]]]:
    """Read all rows once more, each batch with the columns that are added."""
    from regionalize.features.running import split_rows

    first = 0
    for batch in batches:
        codes = labels.read(first, len(batch))[:, 0]
        added = {outputs.label_column: pa.array(codes, pa.int32(), mask=codes == LEFT_OUT)}
        if job.test_share:
            tested = split_rows(first, len(batch), job.test_share, job.seed)
            words = np.where(tested, "test", "train").astype(object)
            added[SPLIT] = pa.array(words, pa.string(), mask=codes == LEFT_OUT)
        first += len(batch)
        yield batch, added
