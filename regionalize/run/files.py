"""One run with files at both ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from regionalize.errors import located
from regionalize.run.threads import held_to_jobs

if TYPE_CHECKING:
    from regionalize.model.job import Job, Outputs
    from regionalize.model.layer import Layer
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution


class Solver(Protocol):
    """What finds the regions of a layer."""

    def __call__(self, layer: Layer, job: Job, *, progress: Progress | None = None) -> Solution:
        """Group the rows of a layer, or raise what stands in the way."""


class Reader(Protocol):
    """What reads a layer."""

    def __call__(
        self, path: str | None, *, layer: str | None, where: str | None, encoding: str | None
    ) -> Layer:
        """Return the layer that `regionalize.io.read.read_layer` returns, or raise what it raises."""


@held_to_jobs
def run(
    source: str | None,
    job: Job,
    outputs: Outputs,
    progress: Progress | None = None,
    solver: Solver | None = None,
    columns: tuple[str, ...] = (),
    reader: Reader | None = None,
) -> Solution:
    """Read, solve and write; nothing is written unless everything can be.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.read.read_layer` takes.
    job, outputs : Job, Outputs
        What to do and what to write.
    progress : callable, optional
        Told of stages and searches.
    solver : callable, optional
        What finds the regions: `regionalize.run.solve.solve`, the job's method, unless given.
    columns : tuple of str
        Columns of the solution's findings to write beside the labels.
    reader : callable, optional
        What reads the layer: `regionalize.io.read.read_layer`, unless given.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    if job.batch_size is not None:
        from regionalize.run.stream.solve import run_in_batches

        return run_in_batches(source, job, outputs, progress)
    if job.engine == "dask":
        from regionalize.run.dask.solve import run_on_dask

        return run_on_dask(source, job, outputs, progress)
    from regionalize.io.read import read_layer
    from regionalize.run.dissolve import check_dissolve
    from regionalize.run.outputs import label_names, write_outputs
    from regionalize.run.progress import Stopwatch
    from regionalize.run.refusals import refuse_outputs
    from regionalize.run.silhouettes import with_silhouettes
    from regionalize.run.solve import solve

    inputs = (source, *job.files)
    labels = label_names(outputs.label_column, job)
    added = (*labels, *columns)
    if outputs.centers is not None:
        from regionalize.run.centers import refuse_embedded

        refuse_embedded(job)
    refuse_outputs(outputs, inputs, None, added)
    check_dissolve(outputs, labels, inputs, None)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = (reader or read_layer)(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        notes = refuse_outputs(outputs, inputs, layer, added)
        notes += check_dissolve(outputs, labels, inputs, layer)
        solution = (solver or solve)(layer, job, progress=progress)
        if outputs.silhouettes is not None:
            solution = with_silhouettes(solution)
    solution = with_command(solution, source, outputs)
    with watch.stage("write"):
        notes += write_outputs(solution, outputs, columns, progress)
    seconds = {"read": watch.seconds["read"], **solution.seconds, "write": watch.seconds["write"]}
    return replace_notes(solution, (*solution.notes, *notes), seconds)


def with_command(solution: Solution, source: str | None, outputs: Outputs) -> Solution:
    """Return the solution with the command line that repeats it in its report, on this very layer."""
    if solution.command is None:
        return solution
    report = replace(solution.report, command=solution.command.line(source, outputs))
    return replace(solution, report=report)


def replace_notes(solution: Solution, notes: tuple[str, ...], seconds: dict[str, float]) -> Solution:
    """Return the solution with all that was noted, each note once, and the seconds of every stage."""
    notes = tuple(dict.fromkeys(notes))
    return replace(solution, report=replace(solution.report, notes=notes), notes=notes, seconds=seconds)
