"""The record of a run that is kept with the layer it writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from regionalize.model.record import RunRecord

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.model.partition import Partition
    from regionalize.run.solve import Solution


def run_record(
    made_by: str, columns: Iterable[str], document: Mapping[str, Any], measures: Iterable[str]
) -> RunRecord:
    """Return the record of a command from the document that it prints with ``--json``.

    Parameters
    ----------
    made_by : str
        The method or command.
    columns : iterable of str
        Columns it made, labels first.
    document : mapping
        ``settings``, ``command``, ``input``, ``versions``, ``k``, as far as there are any.
    measures : iterable of str
        Names of the figures that are its headline.
    """
    from regionalize.io.documents import plain

    return RunRecord(
        made_by=made_by,
        columns=tuple(columns),
        settings=plain(dict(document.get("settings", {}))),
        command=document.get("command", ""),
        input=plain({name: value for name, value in document.get("input", {}).items() if value != ""}),
        versions=dict(document.get("versions", {})),
        k=document.get("k"),
        seed=document.get("settings", {}).get("seed"),
        measures=plain({name: document[name] for name in measures if document.get(name) is not None}),
    )


def solution_record(solution: Solution, columns: Iterable[str]) -> RunRecord:
    """Return the record of a run that made these columns, with the headline of its report."""
    from regionalize.io.reports import headline

    report = solution.report
    figures = headline(report)
    document = {
        "settings": report.settings,
        "command": report.command,
        "input": report.input,
        "versions": report.versions,
        "k": figures.pop("k"),
    }
    made_by = solution.job.method if solution.command is None else solution.command.name
    return run_record(made_by, columns, {**document, **figures}, figures)


def region_record(solution: Solution, partition: Partition, column: str) -> RunRecord:
    """Return the record of a layer of regions, which has no column of the run but the labels."""
    record = solution_record(solution, [column])
    return record if partition.k == record.k else replace(record, k=partition.k, measures={})


def label_record(solution: Solution, outputs: Outputs, columns: Iterable[str] = ()) -> RunRecord:
    """Return the record of the layer with labels, and `columns` of the findings."""
    from regionalize.run.outputs import label_names

    return solution_record(solution, (*label_names(outputs.label_column, solution.job), *columns))
