"""Measure labels that exist already, unit by unit too, and check them against what is required."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, InfeasibleError, located
from regionalize.model.job import Outputs
from regionalize.model.weights import Weights

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.report import Silhouettes
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
    rows : (u,) int64
        Rows of the units whose silhouettes were computed.
    silhouettes : (u,) float64
        Of these units.
    nearest : (u,) int64
        Their nearest other cluster.
    """

    solution: Solution
    faults: list[str]
    values: dict[int, Any]
    rows: NDArray[np.int64]
    silhouettes: NDArray[np.float64]
    nearest: NDArray[np.int64]

    def unit_columns(self) -> dict[str, list[Any]]:
        """Return cluster, silhouette and nearest cluster of the units, clusters as the column has them."""
        shown = {
            label: int(value) if isinstance(value, float) and value.is_integer() else value
            for label, value in self.values.items()
        }
        clusters = self.solution.partition.labels[self.rows]
        return {
            "cluster": [shown[label] for label in clusters.tolist()],
            "silhouette": self.silhouettes.tolist(),
            "nearest": [shown[label] if label > 0 else None for label in self.nearest.tolist()],
        }


def validate_source(
    source: str | None,
    job: Job,
    label_column: str,
    *,
    require: str = "",
    report: Path | None = None,
    silhouettes: Path | None = None,
    overwrite: bool = False,
) -> Validated:
    """Read a layer, measure one of its columns as labels, and write what is asked for.

    Parameters
    ----------
    require : str
        What must hold, as `regionalize.measure.checks.parse_requirements` reads it; empty for nothing.
    report : path, optional
        Report to write, form by extension.
    silhouettes : path, optional
        CSV to write with a row per unit measured.
    """
    from regionalize.io.atomic import replacing
    from regionalize.io.read import read_layer
    from regionalize.io.silhouettes import write_silhouettes
    from regionalize.measure.checks import parse_requirements
    from regionalize.run.outputs import write_outputs
    from regionalize.run.refusals import check_ending, check_side_file, refuse_outputs, refuse_same_file

    requirements = parse_requirements(require) if require else {}
    outputs = Outputs(report=report, overwrite=overwrite)
    inputs = (source, *job.files)
    refuse_outputs(outputs, inputs, None)
    if silhouettes is not None:
        check_ending("silhouettes", silhouettes, (".csv",))
        check_side_file(silhouettes, inputs, overwrite)
        refuse_same_file({**outputs.paths(), "silhouettes": silhouettes})
    layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        found = validate_layer(layer, job, label_column, requirements)
        if silhouettes is not None and found.solution.report.silhouettes is None:
            raise InfeasibleError(
                "silhouettes need two clusters, one of them with two units", advice="leave out --silhouettes"
            )
    with ExitStack() as pending:
        if silhouettes is not None:
            target = pending.enter_context(replacing(silhouettes))
            write_silhouettes(target, layer.names(job.id)[found.rows], found.unit_columns())
        write_outputs(found.solution, outputs)
    return found


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
    from regionalize.run.existing import measure_labels, noise_note, read_labels

    labels, values = read_labels(layer, label_column)
    solution = measure_labels(layer, replace(job, exclude=(*job.exclude, label_column)), labels, weights)
    linked = solution.weights or without_neighbours(len(layer), requirements)
    faults = find_faults(solution.partition.labels, linked, requirements, layer.names(job.id))
    measured, rows, of_units, nearest = measure_units(solution)
    said = {"method": f"validate {label_column}", "k": solution.partition.k}
    settings = {name: value for name, value in job.settings().items() if name != "seed"}
    notes = (*noise_note(labels, label_column), *solution.notes)
    report = replace(
        solution.report,
        settings={**settings, **said},
        silhouettes=measured,
        extra={"labels": {str(number): value for number, value in values.items()}},
        notes=notes,
    )
    return Validated(replace(solution, report=report, notes=notes), faults, values, rows, of_units, nearest)


def measure_units(
    solution: Solution,
) -> tuple[Silhouettes | None, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Measure silhouettes on the transformed attributes: in all, and the rows, values and nearest clusters.

    Where there are too many units, they are of a random sample.
    """
    from regionalize.measure.silhouette import LIMIT, sample_units, silhouettes, summarize_silhouettes

    features, k = solution.features, solution.partition.k
    labels = solution.partition.labels[features.rows]
    sample = sample_units([labels], limit=LIMIT)
    units = np.flatnonzero(labels > 0) if sample is None else sample
    values, nearest = silhouettes(features.scaled[units], labels[units])
    measured = summarize_silhouettes(values, labels[units], k=k, sampled=sample is not None)
    return measured, features.rows[units], values, nearest


def without_neighbours(n: int, requirements: dict[str, int | None]) -> Weights:
    """Return weights without a link for a table, whose clusters can still be counted."""
    if "contiguous" in requirements:
        raise DataError(
            "the table has no geometry, so nobody can tell what is contiguous", advice="give --weights FILE"
        )
    return Weights.without_links(n)
