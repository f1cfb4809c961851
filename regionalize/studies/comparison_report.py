"""A comparison as a document: JSON for programs, CSV for the contingency tables, Markdown for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, markdown_table, plain, versions_text
from regionalize.run.reporting import versions
from regionalize.studies.compare import Compared

AGREEMENT = {
    "ari": "adjusted_rand",
    "ami": "adjusted_mutual_information",
    "nmi": "normalized_mutual_information",
    "nid": "normalized_information_distance",
}
"""Measures of two labelings, by the names they are known by."""


def comparison_rows(compared: Compared) -> list[dict[str, Any]]:
    """Return what every labeling is worth, a row each: numbers, None where a thing is not known."""
    rows = []
    for labeling, worth in zip(compared.labelings, compared.measures, strict=True):
        fit, spatial, far = worth.fit, worth.fragmentation, worth.silhouettes
        rows.append(
            {
                "name": labeling.name,
                "k": len(worth.sizes),
                "units": sum(worth.sizes),
                "noise": worth.noise,
                "unlabelled": worth.unlabelled,
                "smallest": min(worth.sizes),
                "largest": max(worth.sizes),
                "bss_tss_attributes": fit.ratio if fit else None,
                "silhouette": far.mean if far else None,
                "subclusters": spatial.subclusters if spatial else None,
                "contiguous": spatial.contiguous if spatial else None,
                "join_count_ratio": spatial.join_count_ratio if spatial else None,
                "entropy": worth.entropy,
                "kept": worth.kept,
            }
        )
    return rows


def pair_rows(compared: Compared) -> list[dict[str, Any]]:
    """Return how alike every two labelings are, a row each."""
    names = [labeling.name for labeling in compared.labelings]
    return [
        {
            "first": names[pair.first],
            "second": names[pair.second],
            "units": pair.agreement.units,
            **{short: getattr(pair.agreement, name) for short, name in AGREEMENT.items()},
        }
        for pair in compared.pairs
    ]


def comparison_document(compared: Compared) -> dict[str, Any]:
    """Return everything as nested plain data, ready for JSON.

    Contingency tables have a row per cluster of the first labeling and a column per cluster of the second,
    which ``rows`` and ``columns`` name.
    """
    labelings = []
    for place, (row, labeling) in enumerate(zip(comparison_rows(compared), compared.labelings, strict=True)):
        numbers = compared.numbers(place)
        labelings.append(
            {
                **row,
                "settings": dict(labeling.settings),
                "sizes": list(compared.measures[place].sizes),
                "clusters": [labeling.values.get(code, code) for code in numbers],
                "matched": list(numbers.values()),
            }
        )
    pairs = []
    for row, pair in zip(pair_rows(compared), compared.pairs, strict=True):
        one, other = compared.labelings[pair.first], compared.labelings[pair.second]
        of_one, of_other = list(compared.numbers(pair.first)), list(compared.numbers(pair.second))
        table = {
            "rows": [one.values.get(code, code) for code in of_one],
            "columns": [other.values.get(code, code) for code in of_other],
            "units": [[int(pair.table[i - 1, j - 1]) for j in of_other] for i in of_one],
        }
        pairs.append({**row, "contingency": table})
    origin = compared.layer.origin
    settings = {
        name: value
        for name, value in compared.job.settings().items()
        if name not in {"method", "layer", "exclude"}
    }
    document: dict[str, Any] = plain(
        {
            "input": {"file": origin.file, "layer": origin.layer, "rows": len(compared.layer)},
            "settings": settings,
            "variables": list(compared.features.names) if compared.features else [],
            "weights": compared.weights.kind if compared.weights else None,
            "labelings": labelings,
            "pairs": pairs,
            "versions": versions(),
            "notes": list(compared.notes),
        }
    )
    return document


def contingency_rows(compared: Compared) -> list[tuple[Any, ...]]:
    """Return every two clusters that share units: both labelings, both clusters, the units."""
    found: list[tuple[Any, ...]] = []
    for pair in compared.pairs:
        one, other = compared.labelings[pair.first], compared.labelings[pair.second]
        for i, j in zip(*pair.table.nonzero(), strict=True):
            clusters = one.values.get(i + 1, i + 1), other.values.get(j + 1, j + 1)
            found.append((one.name, clusters[0], other.name, clusters[1], int(pair.table[i, j])))
    return found


def write_comparison(path: Path, compared: Compared, suffix: str) -> None:
    """Write a comparison in the form `suffix` asks for: ``.json``, ``.csv`` or ``.md``."""
    write = {".json": _json, ".csv": _csv, ".md": _markdown}[suffix.lower()]
    path.write_text(write(compared), encoding="utf-8")


def _json(compared: Compared) -> str:
    return json_text(comparison_document(compared))


def _csv(compared: Compared) -> str:
    header = ("first", "cluster_of_first", "second", "cluster_of_second", "units")
    return csv_text(header, contingency_rows(compared))


def _markdown(compared: Compared) -> str:
    document = comparison_document(compared)
    measures, pairs = comparison_rows(compared), pair_rows(compared)
    settings = {**document["settings"], "weights": document["weights"]}
    parts = ["# " + " · ".join(row["name"] for row in measures) + "\n"]
    parts.append(markdown_table(("input", "value"), document["input"].items()))
    parts.append(markdown_table(("setting", "value"), settings.items()))
    if document["variables"]:
        parts.append(f"Variables: {', '.join(document['variables'])}\n")
    parts.append("## Labelings\n\n" + markdown_table(measures[0], [row.values() for row in measures]))
    parts.append("## Agreement\n\n" + markdown_table(pairs[0], [row.values() for row in pairs]))
    for pair in document["pairs"]:
        table = pair["contingency"]
        cells = [[name, *row] for name, row in zip(table["rows"], table["units"], strict=True)]
        title = f"## {pair['first']} and {pair['second']}\n\n"
        parts.append(title + markdown_table([pair["first"], *table["columns"]], cells))
    parts += [f"- {note}\n" for note in compared.notes]
    return "\n".join([*parts, versions_text(document["versions"])])
