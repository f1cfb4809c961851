"""K-means of rows that come in batches: a random sample begins, batches go on, and every row is labelled."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from regionalize.errors import located
from regionalize.io.row_batches import RowBatches
from regionalize.model.features import Features
from regionalize.model.job import Job, Outputs
from regionalize.model.partition import Partition
from regionalize.run.command import method_command
from regionalize.run.progress import Progress, Stopwatch
from regionalize.run.solve import Solution
from regionalize.run.stream.centers import centers_in_batches
from regionalize.run.stream.label import label_rows, report_of
from regionalize.run.stream.learn import refuse_few, update_by_batches, warm_model
from regionalize.run.stream.rows import ROWS, read_rows
from regionalize.run.stream.store import RowStore
from regionalize.run.stream.variables import choose_variables


def run_in_batches(
    source: str | None, job: Job, outputs: Outputs, progress: Progress | None = None
) -> Solution:
    """Read, cluster and write a file some rows at a time.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.row_batches.RowBatches` takes; None for the bundled sample.
    job, outputs : Job, Outputs
        What to do and what to write.
    progress : callable, optional
        Told of stages.

    Returns
    -------
    Solution
        Its report and notes; layer, features and labels are of no rows, since all are in no memory.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.run.stream.write import check_outputs, write_batches

    check_outputs(outputs, source, job)
    watch = Stopwatch(progress)
    with ExitStack() as open_files:
        with watch.stage("read"):
            batches = RowBatches(source, layer=job.layer, where=job.where, encoding=job.encoding, rows=ROWS)
            with located(batches.head.origin.file, batches.head.origin.layer):
                notes = check_outputs(outputs, source, job, batches.head)
                variables = choose_variables(next(iter(batches), batches.head), batches, job)
                needed = [*variables.names, *([job.id] if job.id is not None else [])]
                narrow = batches.only(needed, geometry=bool(variables.coordinates))
                rows = read_rows(narrow, variables, job, open_files)
        with located(batches.head.origin.file, batches.head.origin.layer):
            assert job.k is not None
            refuse_few(rows, job.k)
            if job.hops:
                from regionalize.run.stream.neighbourhood import smooth_attributes

                with watch.stage("smoothing"):
                    rows.notes += smooth_attributes(rows, batches, open_files)
            with watch.stage("warm start"):
                model = warm_model(rows)
            with watch.stage("kmeans"):
                updates = update_by_batches(model, rows)
            with watch.stage("measure"):
                labels = open_files.enter_context(RowStore(1, np.int32, rows.store.folder))
                found = label_rows(model.centers, rows, labels)
                report = report_of(batches.head, found, rows, labels, updates)
                centers = None
                if outputs.centers is not None:
                    centers = centers_in_batches(batches.head, found, rows, labels, report)
        solution = Solution(
            layer=batches.head,
            job=job,
            features=Features.none(0),
            weights=None,
            partition=Partition(np.empty(0, dtype=np.int64)),
            report=report,
            notes=(*batches.notes, *variables.notes, *rows.notes, *report.notes, *notes),
            seconds={},
            command=method_command(job),
        )
        solution = replace(
            solution, report=replace(report, command=method_command(job).line(source, outputs))
        )
        with watch.stage("write"):
            said = write_batches(solution, batches, labels, outputs, centers, progress)
    notes = tuple(dict.fromkeys((*solution.notes, *said)))
    return replace(solution, report=replace(solution.report, notes=notes), notes=notes, seconds=watch.seconds)
