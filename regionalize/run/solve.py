"""One run in memory: a layer and a job in, a result out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from regionalize.model.findings import Findings
from regionalize.model.partition import Partition
from regionalize.model.report import Report
from regionalize.run.command import Command, method_command, with_weights
from regionalize.run.medoids import find_middles
from regionalize.run.progress import Progress, Stopwatch
from regionalize.run.reporting import describe_compactness, describe_levels, make_report
from regionalize.run.task import answer, check_room, check_task, read_task
from regionalize.run.threads import held_to_jobs
from regionalize.run.weights import ready_weights

if TYPE_CHECKING:
    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights
    from regionalize.run.silhouettes import UnitSilhouettes


@dataclass(frozen=True)
class Solution:
    """What a run found, with everything it was found from."""

    layer: Layer
    job: Job
    features: Features
    weights: Weights | None
    partition: Partition
    report: Report
    notes: tuple[str, ...]
    seconds: dict[str, float]
    findings: Findings = field(default_factory=Findings)
    levels: dict[int, Partition] = field(default_factory=dict)
    """Coarser regions by their number, rising, of a method that nests them."""
    label_values: dict[int, Any] = field(default_factory=dict)
    """What is written for each region where that is not its number."""
    command: Command | None = None
    """What repeats the run at a shell."""
    silhouettes: UnitSilhouettes | None = None
    """Those of its units, where they were asked for."""

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """The regions of every number asked for, rising: the last is `partition`."""
        return (*self.levels.values(), self.partition)


@held_to_jobs
def solve(
    layer: Layer, job: Job, *, weights: Weights | None = None, progress: Progress | None = None
) -> Solution:
    """Group the rows of a layer.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Everything that changes the answer.
    weights : Weights, optional
        Ready-made weights of the n rows, in place of ``job.weights``.
    progress : callable, optional
        Told of the search as it goes.

    Returns
    -------
    Solution

    Raises
    ------
    RegionalizeError
        Whatever stands in the way, with the column and row where it is known.
    """
    check_task(job)
    check_room(job, len(layer))
    command = method_command(with_weights(job, weights))
    watch = Stopwatch(progress)
    with watch.stage("weights"):
        weights = ready_weights(layer, job, weights)
    with watch.stage("features"):
        task = read_task(layer, job, weights)
    found = answer(task, progress, watch)
    job, features, partition = task.job, found.features, found.partition
    k = partition.k if job.k is None else job.k
    with watch.stage("measure"):
        extra = dict(found.extra)
        extra |= describe_levels(features, {**found.levels, k: partition}) if found.levels else {}
        extra |= describe_compactness(features, partition, job.compactness)
        middles = find_middles(layer, job, task.method, features, partition, found.findings)
        report = make_report(
            layer,
            job,
            features,
            weights,
            partition,
            extra | middles.extra,
            center=task.method.center,
            medoids=middles.medoids,
            shares=middles.shares,
        )
    return conclude(
        layer,
        job,
        features,
        weights,
        partition,
        report,
        said=(*task.notes, *found.findings.notes, *task.method.without_effect(job.params)),
        seconds=watch.seconds,
        command=command,
        findings=replace(found.findings, medoids=middles.medoids),
        levels=found.levels,
    )


def conclude(
    layer: Layer,
    job: Job,
    features: Features,
    weights: Weights | None,
    partition: Partition,
    report: Report,
    *,
    said: tuple[str, ...] = (),
    seconds: dict[str, float] | None = None,
    command: Command | None = None,
    settings: dict[str, Any] | None = None,
    **found: Any,
) -> Solution:
    """Put everything together: the command and the settings into the report, and what every stage noticed.

    Parameters
    ----------
    said : tuple of str
        What was noticed besides by layer, weights, variables and report: notes stand in the order of the
        stages, each once.
    seconds : dict, optional
        Time of each stage.
    command : Command, optional
        What repeats the run at a shell.
    settings : dict, optional
        In place of those of the report.
    **found
        Further fields of the solution.

    Returns
    -------
    Solution
    """
    noticed = (*layer.notes, *(weights.notes if weights else ()), *features.notes, *said, *report.notes)
    notes = tuple(dict.fromkeys(noticed))
    report = replace(
        report,
        notes=notes,
        settings=report.settings if settings is None else settings,
        command=report.command if command is None else command.line(),
    )
    return Solution(
        layer, job, features, weights, partition, report, notes, seconds or {}, command=command, **found
    )
