"""Reports out for programs: JSON with everything, CSV for tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, plain
from regionalize.model.report import Report


def write_report(path: Path, report: Report, suffix: str) -> None:
    """Write a report to `path` in the form `suffix` asks for.

    ``.json`` holds everything; ``.csv`` has one row per cluster.
    """
    write = {".json": report_json, ".csv": report_csv}[suffix.lower()]
    path.write_text(write(report), encoding="utf-8")


def report_document(report: Report) -> dict[str, Any]:
    """Return the report as nested plain data with the headline numbers on top.

    ``bss_tss_all`` is over every clustered variable, ``bss_tss_attributes`` over the transformed, unsmoothed
    attributes alone: the one to compare between runs. NaN and infinity become null, as JSON has neither.
    """
    document: dict[str, Any] = plain({**headline(report), **report.to_dict()})
    return document


def headline(report: Report) -> dict[str, Any]:
    """Return the figures that a report begins with; None for what was not measured."""
    attributes = report.fit_attributes or report.fit
    spatial = report.fragmentation
    return {
        "k": report.k,
        "bss_tss_all": report.fit.ratio if report.fit else None,
        "bss_tss_attributes": attributes.ratio if attributes else None,
        "contiguous": spatial.contiguous if spatial else None,
        "subclusters": spatial.subclusters if spatial else None,
    }


def report_json(report: Report) -> str:
    """Return the whole report as one JSON document."""
    return json_text(report_document(report))


def cluster_table(report: Report) -> tuple[list[str], list[list[Any]]]:
    """Header and one row per cluster: size, sum of squares, silhouette, shape, centre, mean and deviation."""
    header: list[str] = ["cluster", "size"]
    columns: list[Sequence[Any]] = [range(1, report.k + 1), report.sizes]
    if report.fit is not None:
        header.append("wss")
        columns.append(report.fit.wss_by_cluster)
    if report.silhouettes is not None:
        header += ["silhouette", "negative_silhouettes"]
        columns += [report.silhouettes.by_cluster, report.silhouettes.negative_by_cluster]
    if "distances" in report.extra:
        header += ["within_distance", "mean_distance"]
        columns += [report.extra["distances"][f"{name}_by_cluster"] for name in ("within", "mean")]
    if report.fragmentation is not None:
        for name in (
            "subclusters",
            "subcluster_ratio",
            "entropy",
            "simpson",
            "join_count_ratio",
            "ipq_geoda",
            "ipq_dissolved",
            "diameter",
        ):
            header.append(name)
            columns.append(
                [getattr(cluster, name, None) for cluster in report.fragmentation.by_label(report.k)]
            )
    rows = [list(row) for row in zip(*columns, strict=True)]
    if "medoids" in report.extra:
        header.append("medoid")
        rows = [[*row, medoid] for row, medoid in zip(rows, report.extra["medoids"], strict=True)]
    described: dict[str, Sequence[Sequence[Any]]] = {"center": report.centers}
    if report.profiles is not None:
        described |= {} if report.center == "mean" else {"mean": report.profiles.mean}
        described["sd"] = report.profiles.sd
    for what, values in described.items():
        header += [f"{what}_{name}" for name in report.center_columns]
        rows = [[*row, *own] for row, own in zip(rows, values, strict=True)]
    return header, rows


def report_csv(report: Report) -> str:
    """Return one CSV row per cluster, in full precision.

    Every row ends with what is of no single cluster: the R² of the variables, and of a run in batches how far
    the rows that were learnt from, and those of the test share, are from their nearest centre.
    """
    header, rows = cluster_table(report)
    whole = {f"r_squared_{name}": r for name, r in zip(report.center_columns, report.r_squared, strict=True)}
    for part, found in batch_parts(report).items():
        whole |= {f"{part}_rows": found["rows"], f"{part}_mean_squared_distance": found["inertia_per_row"]}
    return csv_text([*header, *whole], ([*row, *whole.values()] for row in rows))


def batch_parts(report: Report) -> dict[str, dict[str, Any]]:
    """Return what a run in batches tells of its rows: those it learnt from, and those of a test share."""
    found = report.extra.get("batches", {})
    return {part: found[part] for part in ("train", "test") if part in found}
