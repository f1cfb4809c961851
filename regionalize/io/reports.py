"""Reports out: JSON for programs, CSV for tables, Markdown for people."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from regionalize.model.report import Report

EXTRA = {
    "contiguity_cost": "Cost of contiguity",
    "compactness": "Compactness",
    "search": "Search",
    "balance": "Balance",
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
    document: dict[str, Any] = _plain({**headline, **report.to_dict()})
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def report_json(report: Report) -> str:
    """Return the whole report as one JSON document."""
    return json.dumps(report_document(report), indent=2, ensure_ascii=False) + "\n"


def cluster_table(report: Report) -> tuple[list[str], list[list[Any]]]:
    """Header and one row per cluster: size, within sum of squares, fragmentation, shape and centre."""
    header: list[str] = ["cluster", "size"]
    columns: list[Sequence[Any]] = [range(1, report.k + 1), report.sizes]
    if report.fit is not None:
        header.append("wss")
        columns.append(report.fit.wss_by_cluster)
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
            columns.append([getattr(cluster, name) for cluster in report.fragmentation.clusters])
    rows = [list(row) for row in zip(*columns, strict=True)]
    header += [f"center_{name}" for name in report.center_columns]
    return header, [[*row, *center] for row, center in zip(rows, report.centers, strict=True)]


def report_csv(report: Report) -> str:
    """Return one CSV row per cluster, in full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header, rows = cluster_table(report)
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if value is None else value for value in row])
    return out.getvalue()


def report_markdown(report: Report) -> str:
    """Return the report as Markdown tables."""
    parts = [f"# {report.settings['method']}, k = {report.k}\n"]
    parts.append(_table(("setting", "value"), [(name, _text(v)) for name, v in report.settings.items()]))
    parts.append(_table(("input", "value"), report.input.items()))
    fits = [
        ("all variables" if report.fit_attributes else "variables", report.fit),
        ("attributes alone", report.fit_attributes),
    ]
    sums = [(name, f.tss, f.wss, f.bss, f.ratio) for name, f in fits if f is not None]
    parts.append("## Fit\n\n" + _table(("over", "TSS", "WSS", "BSS", "BSS/TSS"), sums))
    spatial = report.fragmentation
    if spatial is not None:
        names = (
            *("contiguous", "subclusters", "subcluster_ratio", "entropy", "entropy_normalized", "simpson"),
            *("simpson_normalized", "neighbors", "joins", "join_count_ratio", "weights"),
        )
        rows = [(name.replace("_", " "), getattr(spatial, name)) for name in names]
        parts.append("## Fragmentation\n\n" + _table(("measure", "value"), rows))
    header, cells = cluster_table(report)
    parts.append("## Clusters\n\n" + _table(header, cells))
    if spatial is not None:
        whole = "contiguous" if spatial.contiguous else f"not contiguous, in {spatial.subclusters} pieces"
        parts.append(f"The clusters are {whole}.\n")
    if report.coordinate_share:
        parts.append(f"The coordinates carry {report.coordinate_share:.1%} of the weight.\n")
    for name, title in EXTRA.items():
        if name in report.extra:
            parts.append(f"## {title}\n\n" + _table(("measure", "value"), report.extra[name].items()))
    if "most_regions" in report.extra:
        parts.append(f"By the sums alone there can be no more than {report.extra['most_regions']} regions.\n")
    if "levels" in report.extra:
        found = report.extra["levels"]
        parts.append("## Levels\n\n" + _table(found[0], [level.values() for level in found]))
    if "trade_off" in report.extra:
        curve = report.extra["trade_off"]
        parts.append("## Weight of the centroids\n\n" + _table(curve[0], [point.values() for point in curve]))
    parts += [f"- {note}\n" for note in report.notes]
    parts.append(
        "Versions: " + ", ".join(f"{name} {number}" for name, number in report.versions.items()) + "\n"
    )
    return "\n".join(parts)


def _table(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [[_text(cell) for cell in header]]
    lines.append(["---"] * len(lines[0]))
    lines += [[_text(cell) for cell in row] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(item) for item in value)
    return str(value).replace("|", "\\|").replace("\n", " ")
