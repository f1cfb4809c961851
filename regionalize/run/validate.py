"""Measure labels that exist already, unit by unit too, and check them against what is required."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, located
from regionalize.model.job import Outputs
from regionalize.model.weights import Weights

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution


@dataclass(frozen=True)
class Validated:
    """Labels measured.

    Attributes
    ----------
    solution : Solution
        Clusters keep the numbers of the column where it holds whole numbers from 1 without gaps.
    faults : list of str
        How the labels break what is required of them.
    values : dict
        What stands in the column for each cluster.
    """

    solution: Solution
    faults: list[str]
    values: dict[int, Any]


def validate_source(
    source: str | None,
    job: Job,
    label_column: str,
    *,
    require: str = "",
    outputs: Outputs | None = None,
    progress: Progress | None = None,
) -> Validated:
    """Read a layer, measure one of its columns as labels, and write what is asked for.

    Parameters
    ----------
    require : str
        What must hold, as `regionalize.measure.checks.parse_requirements` reads it; empty for nothing.
    outputs : Outputs, optional
        Report and pictures to write.
    progress : callable, optional
        Told of stages.
    """
    from regionalize.io.read import read_layer
    from regionalize.measure.checks import parse_requirements
    from regionalize.run.files import replace_notes, with_command
    from regionalize.run.outputs import write_outputs
    from regionalize.run.progress import announce
    from regionalize.run.refusals import refuse_outputs
    from regionalize.run.silhouettes import with_silhouettes

    requirements = parse_requirements(require) if require else {}
    outputs = outputs or Outputs()
    inputs = (source, *job.files)
    refuse_outputs(outputs, inputs, None)
    announce("read", progress)
    layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    announce("measure", progress)
    with located(layer.origin.file, layer.origin.layer):
        noticed = refuse_outputs(outputs, inputs, layer)
        found = validate_layer(layer, job, label_column, requirements)
        if outputs.silhouettes is not None:
            with_silhouettes(found.solution)  # refuses what has none
        solution = with_command(found.solution, source, outputs)
        noticed += write_outputs(solution, outputs, progress=progress)
    return replace(found, solution=replace_notes(solution, (*solution.notes, *noticed), {}))


def validate_layer(
    layer: Layer,
    job: Job,
    label_column: str,
    requirements: dict[str, int | None],
    weights: Weights | None = None,
) -> Validated:
    """Measure a column of a layer as labels.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Columns, transform and weights to measure with.
    requirements : dict
        What must hold, as `regionalize.measure.checks.find_faults` takes it.
    weights : Weights, optional
        Ready-made weights of the n rows, in place of ``job.weights``.
    """
    from regionalize.measure.checks import find_faults
    from regionalize.run.command import validate_command, with_weights
    from regionalize.run.existing import by_number, measure_labels, noise_note, read_labels
    from regionalize.run.silhouettes import measure_units

    command = validate_command(with_weights(job, weights), label_column, requirements)
    labels, values = read_labels(layer, label_column)
    solution = measure_labels(layer, replace(job, exclude=(*job.exclude, label_column)), labels, weights)
    linked = solution.weights or without_neighbours(len(layer), requirements)
    faults = find_faults(solution.partition.labels, linked, requirements, layer.names(job.id))
    units = measure_units(solution)
    said = {"method": f"validate {label_column}", "k": solution.partition.k}
    settings = {name: value for name, value in job.settings().items() if name != "seed"}
    notes = (*noise_note(labels, label_column), *solution.notes)
    report = replace(
        solution.report,
        settings={**settings, **said},
        silhouettes=units.summary,
        extra={"labels": {str(number): value for number, value in values.items()}},
        notes=notes,
        command=command.line(),
    )
    solution = replace(
        solution,
        report=report,
        notes=notes,
        command=command,
        silhouettes=units,
        label_values={} if by_number(values) else {code: value for code, value in values.items() if code > 0},
    )
    return Validated(solution, faults, values)


def without_neighbours(n: int, requirements: dict[str, int | None]) -> Weights:
    """Return weights without a link for a table, whose clusters can still be counted."""
    if "contiguous" in requirements:
        raise DataError(
            "the table has no geometry, so nobody can tell what is contiguous", advice="give --weights FILE"
        )
    return Weights.without_links(n)
