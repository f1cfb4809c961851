"""Reports out: JSON for programs, CSV for tables, Markdown for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, markdown_table, plain, versions_text
from regionalize.model.report import Report, Silhouettes
from regionalize.model.thresholds import nearest_the_top

EXTRA = {
    "contiguity_cost": "Cost of contiguity",
    "compactness": "Compactness",
    "search": "Search",
    "balance": "Balance",
    "assigned": "Nearest centres",
}
"""What only some runs report, measure by measure."""


def write_report(path: Path, report: Report, suffix: str) -> None:
    """Write a report to `path` in the form `suffix` asks for: ``.json``, ``.csv`` or ``.md``.

    JSON holds everything; CSV has one row per cluster; Markdown is the terminal's report.
    """
    write = {".json": report_json, ".csv": report_csv, ".md": report_markdown}[suffix.lower()]
    path.write_text(write(report), encoding="utf-8")


def report_document(report: Report) -> dict[str, Any]:
    """Return the report as nested plain data with the headline numbers on top.

    ``bss_tss_all`` is over every clustered variable, ``bss_tss_attributes`` over the transformed, unsmoothed
    attributes alone: the one to compare between runs. NaN and infinity become null, as JSON has neither.
    """
    attributes = report.fit_attributes or report.fit
    spatial = report.fragmentation
    headline = {
        "k": report.k,
        "bss_tss_all": report.fit.ratio if report.fit else None,
        "bss_tss_attributes": attributes.ratio if attributes else None,
        "contiguous": spatial.contiguous if spatial else None,
        "subclusters": spatial.subclusters if spatial else None,
    }
    document: dict[str, Any] = plain({**headline, **report.to_dict()})
    return document


def report_json(report: Report) -> str:
    """Return the whole report as one JSON document."""
    return json_text(report_document(report))


def cluster_table(report: Report) -> tuple[list[str], list[list[Any]]]:
    """Header and one row per cluster: size, sum of squares, silhouette, fragmentation, shape and centre."""
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
    header += [f"center_{name}" for name in report.center_columns]
    return header, [[*row, *center] for row, center in zip(rows, report.centers, strict=True)]


def report_csv(report: Report) -> str:
    """Return one CSV row per cluster, in full precision; every row ends with the R² of the variables."""
    header, rows = cluster_table(report)
    shares = (f"r_squared_{name}" for name in report.center_columns)
    return csv_text([*header, *shares], ([*row, *report.r_squared] for row in rows))


def report_markdown(report: Report) -> str:
    """Return the report as Markdown tables."""
    parts = [f"# {report.settings['method']}, k = {report.k}\n"]
    parts.append(markdown_table(("setting", "value"), report.settings.items()))
    parts.append(markdown_table(("input", "value"), report.input.items()))
    fits = [
        ("all variables" if report.fit_attributes else "variables", report.fit),
        ("attributes alone", report.fit_attributes),
    ]
    sums = [
        (name, fit.tss, fit.wss, fit.bss, fit.ratio, fit.pseudo_f, fit.mean_distance)
        for name, fit in fits
        if fit is not None
    ]
    measures = ("over", "TSS", "WSS", "BSS", "BSS/TSS", "pseudo-F", "mean distance")
    parts.append("## Fit\n\n" + markdown_table(measures, sums))
    shares = zip(report.center_columns, report.r_squared, strict=True)
    parts.append("## Variables\n\n" + markdown_table(("variable", "R²"), shares))
    if report.silhouettes is not None:
        parts.append("## Silhouettes\n\n" + _silhouette_table(report.silhouettes, sum(report.sizes)))
    spatial = report.fragmentation
    if spatial is not None:
        names = (
            *("contiguous", "subclusters", "subcluster_ratio", "entropy", "entropy_normalized", "simpson"),
            *("simpson_normalized", "neighbors", "joins", "join_count_ratio", "weights"),
        )
        rows = [(name.replace("_", " "), getattr(spatial, name)) for name in names]
        parts.append("## Fragmentation\n\n" + markdown_table(("measure", "value"), rows))
    header, cells = cluster_table(report)
    parts.append("## Clusters\n\n" + markdown_table(header, cells))
    if spatial is not None:
        whole = "contiguous" if spatial.contiguous else f"not contiguous, in {spatial.subclusters} pieces"
        parts.append(f"The clusters are {whole}.\n")
    if report.coordinate_share:
        parts.append(f"The coordinates carry {report.coordinate_share:.1%} of the weight.\n")
    for name, title in EXTRA.items():
        if name in report.extra:
            parts.append(f"## {title}\n\n" + markdown_table(("measure", "value"), report.extra[name].items()))
    if "distances" in report.extra:
        found = report.extra["distances"]
        rows = [(name, found[name]) for name in ("metric", "total", "within", "ratio")]
        title = f"Distances to the {found['center']}"
        parts.append(f"## {title}\n\n" + markdown_table(("measure", "value"), rows))
    if "most_regions" in report.extra:
        parts.append(f"By the sums alone there can be no more than {report.extra['most_regions']} regions.\n")
    if "levels" in report.extra:
        found = report.extra["levels"]
        parts.append("## Levels\n\n" + markdown_table(found[0], [level.values() for level in found]))
    if "thresholds" in report.extra:
        cuts = nearest_the_top(report.extra["thresholds"])
        title = f"Cuts of the hierarchy ({report.extra['linkage']} linkage)"
        parts.append(f"## {title}\n\n" + markdown_table(cuts[0], [row.values() for row in cuts]))
    if "trade_off" in report.extra:
        curve = report.extra["trade_off"]
        parts.append(
            "## Weight of the centroids\n\n" + markdown_table(curve[0], [point.values() for point in curve])
        )
    parts += [f"- {note}\n" for note in report.notes]
    return "\n".join([*parts, versions_text(report.versions)])


def _silhouette_table(found: Silhouettes, units: int) -> str:
    measured = f"{found.units} of {units}, drawn at random" if found.sampled else str(found.units)
    rows = (("mean", found.mean), ("below 0", found.negative), ("units", measured))
    return markdown_table(("measure", "value"), rows)
