"""Stability written down: JSON for programs, CSV with a row per region, a document for people."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, plain
from regionalize.model.document import (
    Block,
    ClusterName,
    Document,
    Facts,
    Figures,
    Heading,
    Notes,
    Picture,
    Table,
)
from regionalize.run.document import file_name, making, with_variables
from regionalize.run.reporting import versions
from regionalize.run.reports import picture_of, write_document
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
            "command": found.command,
        }
    )
    return document


def write_stability(path: Path, found: Stability, suffix: str, *, dissolve_lines: bool = False) -> None:
    """Write stability in the form `suffix` asks for: ``.json``, ``.csv``, ``.md`` or ``.html``.

    `dissolve_lines` outlines the clusters on the map of a page, as `draw_stability` takes it.
    """
    suffix = suffix.lower()
    if suffix in {".json", ".csv"}:
        path.write_text((_json if suffix == ".json" else _csv)(found), encoding="utf-8")
        return
    picture = None
    if suffix == ".html":
        from regionalize.studies.stability_files import draw_stability

        alt = f"Map of the stability of {found.job.method}, k = {found.partition.k}"
        picture = picture_of(found.layer, partial(draw_stability, found, dissolve_lines=dissolve_lines), alt)
    write_document(stability_page(found, picture), path, suffix)


def _json(found: Stability) -> str:
    return json_text(stability_document(found))


def _csv(found: Stability) -> str:
    rows = stability_document(found)["regions"]
    return csv_text(("region", *list(rows[0])[1:]), (row.values() for row in rows))


def stability_page(found: Stability, picture: Picture | None = None) -> Document:
    """Return stability as a document for people, with the map where there is one."""
    document = stability_document(found)
    whole = (
        ("runs", document["runs"]),
        ("runs solved", document["runs_solved"]),
        ("share of units in each", "all" if found.resample is None else found.resample),
        ("mean stability", document["stability"]),
        ("units below a half", document["below_half"]),
        ("adjusted Rand index, mean", document["adjusted_rand"]["mean"]),
        ("adjusted Rand index, least", document["adjusted_rand"]["least"]),
        ("regions found, least", document["regions_found"]["least"]),
        ("regions found, most", document["regions_found"]["most"]),
    )
    rows = document["regions"]
    header = ("region", *(name.replace("_", " ") for name in list(rows[0])[1:]))
    cells = tuple(
        (
            ClusterName(row["label"], str(row["label"])) if row["label"] != "noise" else "noise",
            *list(row.values())[1:],
        )
        for row in rows
    )
    name = file_name(document["input"]["file"])
    title = f"Stability of {found.job.method}, k = {found.partition.k}" + (f": {name}" if name else "")
    blocks: list[Block] = [
        Figures(
            (
                ("mean stability", document["stability"]),
                ("units below a half", document["below_half"]),
                ("runs", document["runs_solved"]),
                ("adjusted Rand index", document["adjusted_rand"]["mean"]),
            )
        ),
        *([picture] if picture is not None else []),
        Heading("Runs"),
        Facts(whole),
        Heading("Regions"),
        Table(
            header,
            cells,
            "The stability of a unit is the share of its runs in which it is in the region it has in the "
            "run on all units.",
            bars=(("mean", 1.0),),
        ),
    ]
    if found.notes:
        blocks += [Heading("Notes"), Notes(found.notes)]
    blocks += making(
        found.job.method,
        with_variables(document["settings"], document["variables"]),
        document["input"],
        document["command"],
        document["versions"],
        reference="Stability: Hennig (2007); Kuhn (1955)",
    )
    return Document(title, tuple(blocks))
