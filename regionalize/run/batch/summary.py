"""`--summary`: a row per item, every measure in a column of its own, written as CSV, JSON or Parquet."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import OutputError
from regionalize.run.batch.items import Finished, Item

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Job
    from regionalize.model.report import Report

ENDINGS = (".csv", ".json", ".parquet")

BEFORE: dict[str, type] = {
    "name": str,
    "status": str,
    "error": str,
    "source": str,
    "part_column": str,
    "part": str,
    "method": str,
    "k": int,
    "seed": int,
}
"""Columns that come first: what was run, and how it ended."""
MEASURES: dict[str, type] = {
    "rows": int,
    "rows_used": int,
    "noise": int,
    "smallest": int,
    "largest": int,
    "bss_tss_all": float,
    "tss": float,
    "wss": float,
    "bss": float,
    "pseudo_f": float,
    "mean_distance": float,
    "bss_tss_attributes": float,
    "tss_attributes": float,
    "wss_attributes": float,
    "bss_attributes": float,
    "pseudo_f_attributes": float,
    "mean_distance_attributes": float,
    "coordinate_share": float,
    "contiguous": bool,
    "subclusters": int,
    "subcluster_ratio": float,
    "entropy": float,
    "entropy_normalized": float,
    "simpson": float,
    "simpson_normalized": float,
    "neighbors": int,
    "joins": int,
    "join_count_ratio": float,
    "weights": str,
    "silhouette": float,
    "negative_silhouettes": int,
    "silhouette_units": int,
}
"""Columns of every report, whatever the method (`docs/formulas.md`)."""
AFTER: dict[str, type] = {"seconds": float, "output": str, "command": str, "notes": str}
"""Columns that come last."""
FIT = ("tss", "wss", "bss", "pseudo_f", "mean_distance")
FRAGMENTATION = (
    "contiguous",
    "subclusters",
    "subcluster_ratio",
    "entropy",
    "entropy_normalized",
    "simpson",
    "simpson_normalized",
    "neighbors",
    "joins",
    "join_count_ratio",
    "weights",
)


def measures_of(report: Report) -> dict[str, Any]:
    """Return every measure of a report that is one number, text or truth value, in one flat table.

    Parameters
    ----------
    report : Report
        Of one run.

    Returns
    -------
    dict
        Keys of `MEASURES`, ``k``, and ``command``; then what the method or an option adds, nested names
        joined by underscores. None where something was not measured, never NaN.
    """
    from regionalize.io.documents import plain

    attributes = report.fit_attributes or report.fit
    found: dict[str, Any] = dict.fromkeys(MEASURES)
    found |= {
        "k": report.k,
        "rows": report.input.get("rows"),
        "rows_used": report.input.get("rows_used"),
        "noise": report.noise,
        "smallest": min(report.sizes, default=None),
        "largest": max(report.sizes, default=None),
        "coordinate_share": report.coordinate_share,
        "command": report.command or None,
    }
    fits = ((report.fit, "bss_tss_all", ""), (attributes, "bss_tss_attributes", "_attributes"))
    for fit, name, mark in fits:
        if fit is not None:
            found[name] = fit.ratio
            found |= {f"{one}{mark}": getattr(fit, one) for one in FIT}
    if report.fragmentation is not None:
        found |= {one: getattr(report.fragmentation, one) for one in FRAGMENTATION}
    if report.silhouettes is not None:
        found["silhouette"] = report.silhouettes.mean
        found["negative_silhouettes"] = report.silhouettes.negative
        found["silhouette_units"] = report.silhouettes.units
    flat: dict[str, Any] = plain({**flattened(report.extra), **found})
    return {**{name: flat[name] for name in found}, **flat}


def flattened(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested plain values in one table; lists are left out.

    Examples
    --------
    >>> flattened({"iterations": 3, "compactness": {"weight": 0.5, "curve": [1, 2]}})
    {'iterations': 3, 'compactness_weight': 0.5}
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{before}{name}_")
        elif value is None or isinstance(value, str | bool | int | float):
            found[f"{before}{name}"] = value
    return found


def summary_rows(finished: Sequence[Finished]) -> list[dict[str, Any]]:
    """Return a row per item, all with the same columns in the same order, None where nothing is known.

    Parameters
    ----------
    finished : sequence of Finished
        What came of the items; failed ones have a row too.

    Returns
    -------
    list of dict
        `BEFORE`, options that vary between the items, `MEASURES`, what methods add, `AFTER`.
    """
    varied = varied_options([one.item.job for one in finished])
    added = dict.fromkeys(name for one in finished for name in one.measures)
    columns = option_columns(varied, {**BEFORE, **MEASURES, **AFTER, **added})
    before = dict.fromkeys((*BEFORE, *columns.values(), *MEASURES, *added))
    names = [*(name for name in before if name not in AFTER), *AFTER]
    rows = []
    for one, options in zip(finished, varying([one.item.job for one in finished], varied), strict=True):
        said = {columns[name]: value for name, value in options.items()}
        known = {**said, **one.measures, **about(one)}
        rows.append({name: encodable(known.get(name)) for name in names})
    return rows


def option_columns(options: Iterable[str], taken: Container[str]) -> dict[str, str]:
    """Return the column of each option: its name, or ``option_`` and its name where a measure has that.

    Examples
    --------
    >>> option_columns(["hops", "neighbors"], {"neighbors", "k"})
    {'hops': 'hops', 'neighbors': 'option_neighbors'}
    """
    found = {}
    for option in options:
        column = option
        while column in taken:
            column = f"option_{column}"
        found[option] = column
    return found


def encodable(value: Any) -> Any:
    r"""Return text that every format takes: bytes of a name that are no text are written as escapes.

    Examples
    --------
    >>> encodable("a\udce9.gpkg"), encodable(2)
    ('a\\udce9.gpkg', 2)
    """
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def about(one: Finished) -> dict[str, Any]:
    """Return what is known of an item besides its measures."""
    item, job = one.item, one.item.job
    paths = item.outputs.paths()
    first = paths.get("output") or next(iter(paths.values()), None)
    return {
        "name": item.name,
        "status": one.status,
        "error": one.error or None,
        "source": item.source,
        "part_column": item.part.column if item.part else None,
        "part": item.part.value if item.part else None,
        "method": job.method,
        "seed": job.seed,
        "seconds": one.seconds,
        "output": None if first is None or one.status == "failed" else str(first),
        "notes": "; ".join(one.notes) or None,
        **({} if "k" in one.measures else {"k": job.k}),
    }


def varied_options(jobs: Sequence[Job]) -> tuple[str, ...]:
    """Name the options that are not the same in all jobs, besides those that have columns anyhow."""
    told = {"method", "seed", "k", "jobs"}
    seen: dict[str, Any] = {}
    varied: dict[str, None] = {}
    settings = {id(job): job.settings() for job in jobs}
    names = dict.fromkeys(name for found in settings.values() for name in found if name not in told)
    for found in settings.values():
        for name in names:
            value = cell(found.get(name))
            if seen.setdefault(name, value) != value:
                varied[name] = None
    return tuple(name for name in names if name in varied)


def varying(jobs: Sequence[Job], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the values that each job has for the options that vary, those unsaid by their defaults."""
    from regionalize.model.catalog import find_method

    plain_defaults = {field.name: field.default for field in fields(jobs[0])} if jobs else {}
    found = []
    for job in jobs:
        own = {param.name: param.default for param in find_method(job.method).params}
        said = job.settings()
        # what a method does not have is null for it
        defaults = {name: own.get(name) if name in own else plain_defaults.get(name) for name in names}
        found.append({name: cell(said.get(name, defaults[name])) for name in names})
    return found


def cell(value: Any) -> Any:
    """Return an option's value as one cell: lists as text with commas, pairs as NAME=VALUE.

    Examples
    --------
    >>> cell(("a", "b")), cell({"pop": 2.0}), cell(0.5), cell(())
    ('a,b', 'pop=2.0', 0.5, None)
    """
    if isinstance(value, Mapping):
        return ",".join(f"{name}={one}" for name, one in value.items()) or None
    if isinstance(value, list | tuple):
        texts = ("=".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in value)
        return ",".join(texts) or None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def summary_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as an Arrow table: a type per column, whether or not any row has a value there."""
    import pyarrow as pa

    known = {**BEFORE, **MEASURES, **AFTER}
    names = list(rows[0]) if rows else list(known)
    columns = {name: [row[name] for row in rows] for name in names}
    kinds = {name: kind_of(values, known.get(name)) for name, values in columns.items()}
    arrow = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    made = {
        name: pa.array([converted(value, kinds[name]) for value in values], arrow[kinds[name]])
        for name, values in columns.items()
    }
    return pa.table(made)


def kind_of(values: Iterable[Any], known: type | None) -> type:
    """Return the type of a column: what it is known to hold, else what fits all its values.

    Examples
    --------
    >>> kind_of([1, None, 0.5], None), kind_of([1, "auto"], None), kind_of([None], None)
    (<class 'float'>, <class 'str'>, <class 'float'>)
    >>> kind_of([1, 10**30], int), kind_of([10**400], int)
    (<class 'float'>, <class 'str'>)
    """
    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    kind = known or (kinds.pop() if len(kinds) == 1 else float if kinds <= {int, float} else str)
    largest = max((abs(value) for value in there if isinstance(value, int)), default=0)
    if kind is int and largest >= 2**63:
        kind = float
    return str if kind is float and largest >= 2**1023 else kind


def converted(value: Any, kind: type) -> Any:
    """Return a cell as its column's type."""
    return None if value is None else kind(value)


def write_summary(path: Path, suffix: str, finished: Sequence[Finished]) -> None:
    """Write a row per item into `path`, as ``.csv``, ``.json`` (a list of objects) or ``.parquet``.

    Nulls are empty in CSV, and null in the others.

    Raises
    ------
    OutputError
        Whatever stands in the way: the runs are done, and an error of its own would hide that.
    """
    try:
        write_rows(path, suffix, summary_rows(finished))
    except OSError:  # whoever says where it goes says so better
        raise
    except Exception as error:
        reason = f"the summary cannot be written ({type(error).__name__}: {error})"
        raise OutputError(reason, advice="--json tells the same", file=path.name) from error


def write_rows(path: Path, suffix: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of a summary."""
    if suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(summary_table(rows), path)
        return
    from regionalize.io.documents import csv_text, json_text, plain

    if suffix.lower() == ".csv":
        header = list(rows[0]) if rows else [*BEFORE, *MEASURES, *AFTER]
        text = csv_text(header, ([row[name] for name in header] for row in rows))
    else:
        text = json_text(plain(rows))
    path.write_text(text, encoding="utf-8")


def check_summary(path: Path, inputs: Iterable[str], outputs: Mapping[str, Item], *, replace: bool) -> None:
    """Refuse, before any work, a summary that cannot be written, or would replace what it must not.

    Parameters
    ----------
    path : Path
        The summary.
    inputs : iterable of str
        Files that are read.
    outputs : mapping of str to Item
        Items by the real paths of the files they write.
    replace : bool
        Whether an older summary may be replaced.

    Raises
    ------
    OutputError
        Another ending, a file that exists or that the batch reads or writes, no folder to write to.
    """
    import os

    from regionalize.run.batch.names import clash_key
    from regionalize.run.refusals import check_ending, check_side_file

    check_ending("summary", path, ENDINGS)
    key = clash_key(os.path.realpath(path))
    item = next((item for file, item in outputs.items() if clash_key(file) == key), None)
    if item is not None:
        raise OutputError(f"is an output of '{item.name}', too", file=str(path), advice="name another file")
    check_side_file(path, tuple(inputs), replace)
