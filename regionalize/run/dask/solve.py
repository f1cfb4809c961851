"""K-means of a layer in parts on workers, with files at both ends."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import DataError, UsageError, located, quoted
from regionalize.io.parquet_files import ParquetFiles
from regionalize.methods.kmeans import MANY_ROWS
from regionalize.run.dask.cluster import connected
from regionalize.run.dask.partitions import Part, PartedLayer, open_parts, read_part
from regionalize.run.dask.write import check_outputs, written_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distributed import Client, Future

    from regionalize.model.job import Job, Outputs
    from regionalize.model.layer import Layer
    from regionalize.run.dask.features import PartedFeatures
    from regionalize.run.progress import Progress, Stopwatch
    from regionalize.run.solve import Solution


def run_on_dask(source: str | None, job: Job, outputs: Outputs, progress: Progress | None = None) -> Solution:
    """Read, cluster and write a partitioned layer on workers of Dask.

    The answer is that of one machine: the same search, its steps summed over parts.

    Parameters
    ----------
    source : str or None
        A GeoParquet file or a folder of them, seen under the same path by all workers.
    job, outputs : Job, Outputs
        What to do and what to write: labels as a folder of GeoParquet files.
    progress : callable, optional
        Told of stages and the search.

    Returns
    -------
    Solution
        Its report and notes. Layer, features and labels are of no rows where there are more than
        `regionalize.methods.kmeans.MANY_ROWS`: these stay on the workers.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.io.sample import sample_path
    from regionalize.run.command import method_command
    from regionalize.run.progress import Stopwatch

    check_job(job)
    path = source if source is not None else str(sample_path())
    notes = check_outputs(outputs, source, job)
    watch = Stopwatch(progress)
    with ExitStack() as ends:
        with watch.stage("read"):
            layer = open_parts(path, layer=job.layer, where=job.where)
            notes += check_outputs(outputs, source, job, layer.head)
        with watch.stage("workers"):
            client = ends.enter_context(connected(job.scheduler, job.jobs))
            workers = len(client.scheduler_info(n_workers=-1)["workers"]) or 1  # it has died, and is replaced
            layer = open_parts(path, layer=job.layer, where=job.where, columns=job.columns, workers=workers)
        ends.enter_context(located(layer.head.origin.file, layer.head.origin.layer))
        solution, labels = solve_in_parts(client, layer, job, progress, watch)
        command = method_command(job)
        report = replace(solution.report, command=command.line(source, outputs))
        notes = tuple(dict.fromkeys((*solution.notes, *notes)))
        solution = replace(solution, report=replace(report, notes=notes), notes=notes, command=command)
        with watch.stage("write"):
            write_outputs(client, layer, solution, labels, outputs, progress)
    return replace(solution, seconds=watch.seconds)


def check_job(job: Job) -> None:
    """Refuse what is not done on workers.

    Raises
    ------
    UsageError
    """
    from regionalize.run.large import WORKERS, refuse_options
    from regionalize.run.task import check_task

    if not check_task(job).large:
        raise UsageError(
            f"--engine dask is for k-means, and {job.method} needs all rows at once",
            advice="use kmeans, or leave out --engine",
        )
    refuse_options(WORKERS, vars(job))
    if job.hops and job.weights_file is not None:
        raise UsageError(
            "--engine dask reads no file of neighbours", advice="use --weights queen, rook or knn:6"
        )


class Labels:
    """Codes on the workers, and what they are called.

    Attributes
    ----------
    parts : list of Future
        Codes (1, m) of the rows used of each part.
    kept : list of Future or None
        Which rows these are.
    numbers : (k,) int64
        Number of each code.
    rows : int
        Of the layer.
    features : PartedFeatures or None
        What was clustered; None where all rows were fetched.
    """

    def __init__(
        self,
        parts: Sequence[Future],
        kept: Sequence[Future] | None,
        numbers: Any,
        rows: int,
        features: PartedFeatures | None = None,
    ) -> None:
        self.parts, self.kept, self.numbers, self.rows = parts, kept, numbers, rows
        self.features = features


def solve_in_parts(
    client: Client, layer: PartedLayer, job: Job, progress: Progress | None, watch: Stopwatch
) -> tuple[Solution, Labels]:
    """Group the rows of a layer in parts: few of them in this process, many on the workers."""
    from regionalize.model.features import Features
    from regionalize.model.partition import Partition
    from regionalize.run.dask.features import build_in_parts
    from regionalize.run.dask.kmeans import kmeans_in_parts, kmeans_of_few
    from regionalize.run.dask.measure import measure_in_parts, number_clusters
    from regionalize.run.progress import told
    from regionalize.run.solve import Solution

    assert job.k is not None
    with watch.stage("read"):
        counts = rows_read(client, layer)
    if not sum(counts):
        raise DataError(
            f"no row satisfies --where {quoted(job.where or '')}", advice="check names and values"
        )
    if sum(counts) <= MANY_ROWS:
        return solve_few(client, layer, job, counts, progress)
    with watch.stage("features"):
        features = build_in_parts(client, layer, job)
        rows = features.clustered(client, job.dtype)
    with watch.stage("kmeans"):
        search = kmeans_in_parts if len(rows) > MANY_ROWS else kmeans_of_few
        labels = search(
            rows, job.k, seed=job.seed, jobs=job.jobs, progress=told("kmeans", progress), **job.params
        )
    with watch.stage("measure"):
        numbering = number_clusters(client, labels, features.counts, job.k)
        report = measure_in_parts(client, layer.head, job, features, labels, numbering)
    solution = Solution(
        layer=layer.head,
        job=job,
        features=Features.none(0),
        weights=None,
        partition=Partition(np.empty(0, dtype=np.int64)),
        report=report,
        notes=(*layer.head.notes, *features.notes, *report.notes),
        seconds={},
    )
    return solution, Labels(labels, features.kept, numbering.numbers, features.total, features)


def rows_read(client: Client, layer: PartedLayer) -> list[int]:
    """Return how many rows of each part satisfy the filter."""
    if layer.files.where is None:
        return [part.rows for part in layer.parts]
    found: list[int] = client.gather(client.map(rows_of_part, layer.parts, files=layer.files))
    return found


def rows_of_part(part: Part, files: ParquetFiles) -> int:
    """Return how many rows of a part satisfy the filter."""
    return len(read_part(files, part, (), geometry=False))


def solve_few(
    client: Client, layer: PartedLayer, job: Job, counts: Sequence[int], progress: Progress | None
) -> tuple[Solution, Labels]:
    """Group few rows as one machine does: all are fetched."""
    from regionalize.io.rows import joined
    from regionalize.model.partition import LEFT_OUT
    from regionalize.run.solve import solve

    parts: list[Layer] = client.gather(client.map(_whole, layer.parts, files=layer.files))
    whole = replace(joined(parts), notes=layer.head.notes, history=layer.head.history)
    solution = solve(whole, job, progress=progress)
    found = solution.partition.labels
    ends = np.cumsum(counts)[:-1]
    codes = [np.maximum(one - 1, 0)[None, one != LEFT_OUT] for one in np.split(found, ends)]
    kept = [one != LEFT_OUT for one in np.split(found, ends)]
    return solution, Labels(codes, kept, np.arange(1, solution.partition.k + 1), len(found))


def _whole(part: Part, files: ParquetFiles) -> Layer:
    return read_part(files, part)


def write_outputs(
    client: Client,
    layer: PartedLayer,
    solution: Solution,
    labels: Labels,
    outputs: Outputs,
    progress: Progress | None,
) -> None:
    """Write the report, the centres, and the parts with their labels; all are put in place at the end."""
    from regionalize.io.atomic import replacing
    from regionalize.io.centers import write_centers
    from regionalize.io.history import history_text
    from regionalize.model.record import history_of
    from regionalize.run.centers import centers_of
    from regionalize.run.dask.centers import centers_in_parts
    from regionalize.run.progress import announce_file
    from regionalize.run.record import solution_record
    from regionalize.run.side_files import write_report

    with ExitStack() as pending:
        if outputs.report is not None:
            announce_file(outputs.report, progress)
            write_report(solution, pending.enter_context(replacing(outputs.report)), outputs)
        if outputs.centers is not None:
            announce_file(outputs.centers, progress)
            if labels.features is None:
                centers = centers_of(solution)
            else:
                about = solution, labels.features, labels.parts, labels.numbers
                centers = centers_in_parts(client, layer.head, *about)
            target = pending.enter_context(replacing(outputs.centers))
            write_centers(target, centers, label_column=outputs.label_column, overwrite=True)
        if outputs.output is None:
            return
        announce_file(outputs.output, progress)
        record = solution_record(solution, [outputs.label_column])
        names = [*layer.head.column_names, outputs.label_column]
        history = history_text(history_of(layer.head.history, names, record))
        named = outputs.output, outputs.label_column, history, labels.rows
        pending.enter_context(written_parts(client, layer, labels.parts, labels.kept, labels.numbers, *named))
