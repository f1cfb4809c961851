"""The Python call with files at both ends, for layers that need not fit into memory."""

from __future__ import annotations

from dataclasses import dataclass, fields
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from regionalize.model.job import OUTPUT_OPTIONS, Outputs
from regionalize.model.report import Report


@dataclass(frozen=True)
class FileResult:
    """What `regionalize_file` found; the labels are in the layer it wrote.

    Attributes
    ----------
    report : Report
        What the command prints, and ``--json`` writes.
    notes : tuple of str
        What the command line would have said on standard error.
    seconds : dict of str to float
        What every stage took.
    """

    report: Report
    notes: tuple[str, ...]
    seconds: dict[str, float]


def regionalize_file(
    source: str | PathLike[str] | None, method: str = "kmeans", **options: Any
) -> FileResult:
    """Read a layer, group its rows and write it with the labels, as the command line does.

    Parameters
    ----------
    source : path or None
        Layer to read; None for the bundled sample.
    method : str
        A command of the catalog.
    **options
        Every option of the command, with underscores: ``k=12``, ``output="out.parquet"``,
        ``overwrite=True``, ``batch_size=256``, ``engine="dask"`` …

    Returns
    -------
    FileResult

    Raises
    ------
    RegionalizeError
        With the file and layer it is about; nothing is half-written then.

    Examples
    --------
    >>> found = regionalize_file(None, k=4, columns="pct_*", batch_size=64)
    >>> found.report.k, sum(found.report.sizes)
    (4, 159)
    """
    from regionalize.run.files import run
    from regionalize.run.options import make_job

    given = {name: value for name, value in options.items() if name in OUTPUT_OPTIONS and value is not None}
    job = make_job(method, {name: value for name, value in options.items() if name not in OUTPUT_OPTIONS})
    outputs = Outputs(**{name: output_value(name, value) for name, value in given.items()})
    solution = run(None if source is None else fspath(source), job, outputs)
    return FileResult(solution.report, solution.notes, solution.seconds)


def output_value(name: str, value: Any) -> Any:
    """Return what an output option holds, of what was given in Python.

    Examples
    --------
    >>> output_value("time_columns", "d1,d2"), output_value("label_column", "region")
    (('d1', 'd2'), 'region')
    """
    if name == "aggregate":
        from regionalize.run.aggregate import parse_aggregates

        return parse_aggregates(value)
    if name == "time_columns":
        from regionalize.run.options import split_list

        return split_list(value)
    if name == "axes":
        return value if isinstance(value, str) else ",".join(value)
    kinds = {item.name: str(item.type) for item in fields(Outputs)}
    return Path(value) if kinds[name].startswith("Path") else value
