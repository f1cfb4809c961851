"""A comparison written down: JSON for programs, CSV for the contingency tables, a document for people."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, plain
from regionalize.maps.multiples import MOST_PANELS
from regionalize.model.document import (
    Block,
    Document,
    Facts,
    Figures,
    Heading,
    Notes,
    Picture,
    Table,
    table_of,
)
from regionalize.run.document import file_name, making, with_variables
from regionalize.run.reporting import versions
from regionalize.run.reports import picture_of, write_document
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
            "command": compared.command,
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


def write_comparison(path: Path, compared: Compared, suffix: str, *, dissolve_lines: bool = False) -> None:
    """Write a comparison in the form `suffix` asks for: ``.json``, ``.csv``, ``.md`` or ``.html``.

    `dissolve_lines` outlines the clusters on the maps of a page.
    """
    suffix = suffix.lower()
    if suffix in {".json", ".csv"}:
        path.write_text((_json if suffix == ".json" else _csv)(compared), encoding="utf-8")
        return
    picture = None
    if suffix == ".html" and len(compared.labelings) <= MOST_PANELS:
        from regionalize.studies.comparison_files import draw_comparison

        alt = f"Maps of {', '.join(labeling.name for labeling in compared.labelings)}"
        maps = len(compared.labelings)
        draw = partial(draw_comparison, compared, dissolve_lines=dissolve_lines)
        picture = picture_of(compared.layer, draw, alt, maps)
    write_document(comparison_page(compared, picture), path, suffix)


def _json(compared: Compared) -> str:
    return json_text(comparison_document(compared))


def _csv(compared: Compared) -> str:
    header = ("first", "cluster_of_first", "second", "cluster_of_second", "units")
    return csv_text(header, contingency_rows(compared))


def comparison_page(compared: Compared, picture: Picture | None = None) -> Document:
    """Return a comparison as a document for people, with the maps where there are any."""
    document = comparison_document(compared)
    measures, pairs = comparison_rows(compared), pair_rows(compared)
    settings = {**document["settings"], "weights": document["weights"]}
    settings |= with_variables(settings, document["variables"])
    name = file_name(document["input"]["file"])
    title = " · ".join(row["name"] for row in measures) + (f": {name}" if name else "")
    blocks: list[Block] = [
        Figures((("labelings", len(measures)), ("units", document["input"]["rows"]))),
        *([picture] if picture is not None else []),
        Heading("Labelings"),
        replace(table_of(measures), bars=(("BSS/TSS", 1.0),) if compared.features else ()),
        Heading("Agreement"),
        table_of(
            pairs,
            "Adjusted Rand index, adjusted and normalised mutual information, information distance.",
        ),
    ]
    for pair in document["pairs"]:
        shared = pair["contingency"]
        cells = tuple((row, *units) for row, units in zip(shared["rows"], shared["units"], strict=True))
        blocks += [
            Heading(f"{pair['first']} and {pair['second']}"),
            Table(
                (pair["first"], *shared["columns"]),
                cells,
                f"Units of {pair['first']} (down) in {pair['second']} (across).",
            ),
        ]
    for labeling in document["labelings"]:
        said = {name: value for name, value in labeling["settings"].items() if value is not None}
        if said:
            blocks += [
                Heading(f"Settings of {labeling['name']}"),
                Facts(tuple(said.items()), ("setting", "value")),
            ]
    if compared.notes:
        blocks += [Heading("Notes"), Notes(compared.notes)]
    blocks += making(
        "compare",
        settings,
        document["input"],
        document["command"],
        document["versions"],
        reference="References: Hubert and Arabie (1985); Vinh, Epps and Bailey (2010); Rousseeuw (1987)",
    )
    return Document(title, tuple(blocks))
