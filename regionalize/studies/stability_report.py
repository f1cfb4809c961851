"""Stability as a document: JSON for programs, CSV with a row per region, Markdown for people."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, markdown_table, plain, versions_text
from regionalize.run.reporting import versions
from regionalize.studies.stability import Stability


def stability_document(found: Stability) -> dict[str, Any]:
    """Return everything but the units as nested plain data, ready for JSON."""
    likeness = found.adjusted_rand
    document: dict[str, Any] = plain(
        {
            "settings": found.job.settings(),
            "input": {
                "file": found.layer.origin.file,
                "layer": found.layer.origin.layer,
                "rows": len(found.layer),
                "rows_used": found.rows_used,
            },
            "variables": list(found.variables),
            "k": found.partition.k,
            "runs": found.runs,
            "runs_solved": len(found.regions),
            "resample": found.resample,
            "stability": found.whole.mean,
            "least": found.whole.least,
            "below_half": found.whole.below_half,
            "adjusted_rand": {
                "mean": sum(likeness) / len(likeness) if likeness else None,
                "least": min(likeness, default=None),
            },
            "regions_found": {"least": min(found.regions), "most": max(found.regions)},
            "regions": [asdict(region) for region in found.by_region],
            "versions": versions(),
            "notes": list(found.notes),
        }
    )
    return document


def write_stability(path: Path, found: Stability, suffix: str) -> None:
    """Write stability in the form `suffix` asks for: ``.json``, ``.csv`` or ``.md``."""
    write = {".json": _json, ".csv": _csv, ".md": _markdown}[suffix.lower()]
    path.write_text(write(found), encoding="utf-8")


def _json(found: Stability) -> str:
    return json_text(stability_document(found))


def _csv(found: Stability) -> str:
    rows = stability_document(found)["regions"]
    return csv_text(("region", *list(rows[0])[1:]), (row.values() for row in rows))


def _markdown(found: Stability) -> str:
    document = stability_document(found)
    rows = document["regions"]
    whole = {
        "runs": document["runs"],
        "runs solved": document["runs_solved"],
        "share of units in each": "all" if found.resample is None else found.resample,
        "mean stability": document["stability"],
        "units below a half": document["below_half"],
        "adjusted Rand index, mean": document["adjusted_rand"]["mean"],
        "adjusted Rand index, least": document["adjusted_rand"]["least"],
    }
    parts = [f"# Stability of {found.job.method}, k = {found.partition.k}\n"]
    parts.append(markdown_table(("setting", "value"), document["settings"].items()))
    parts.append(markdown_table(("input", "value"), document["input"].items()))
    if found.variables:
        parts.append(f"Variables: {', '.join(found.variables)}\n")
    parts.append("## Runs\n\n" + markdown_table(("measure", "value"), whole.items()))
    header = ("region", *(name.replace("_", " ") for name in list(rows[0])[1:]))
    parts.append("## Regions\n\n" + markdown_table(header, [row.values() for row in rows]))
    parts += [f"- {note}\n" for note in found.notes]
    return "\n".join([*parts, versions_text(document["versions"])])
