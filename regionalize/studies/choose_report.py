"""The numbers of clusters written down: JSON for programs, CSV with a row per k, a document for people."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text, json_text, plain
from regionalize.model.document import (
    Block,
    Document,
    Figures,
    Heading,
    Notes,
    Picture,
    Sentence,
    table_of,
)
from regionalize.run.document import file_name, making, with_variables
from regionalize.run.reports import drawn_picture, write_document
from regionalize.studies.choose import Numbers
from regionalize.studies.suggest import Candidate, settings_text


def number_rows(numbers: Numbers) -> list[dict[str, Any]]:
    """Return a row of plain numbers for every candidate, None where there is none.

    Columns are k, what of the grid varies, ``wss``, ``bss_tss_attributes``, ``gap``, ``pseudo_f``,
    ``silhouette``, ``negative``, ``subclusters``, ``join_count_ratio``, ``contiguous``, ``coordinate_share``,
    ``elbow``, ``suggested`` and ``reason``.
    """
    varied = list(dict.fromkeys(name for one in numbers.candidates for name in one.grid))
    elbows = zip(numbers.by_settings, numbers.elbows, strict=True)
    return [
        {
            "k": one.k,
            **{name: one.grid.get(name) for name in varied},
            "wss": one.wss,
            "bss_tss_attributes": one.bss_tss,
            "gap": one.gap,
            "pseudo_f": one.pseudo_f,
            "silhouette": one.silhouette,
            "negative": None if one.silhouettes is None else one.silhouettes.negative,
            "subclusters": one.subclusters,
            "join_count_ratio": one.join_count_ratio,
            "contiguous": one.contiguous,
            "coordinate_share": one.coordinate_share if one.reason is None else None,
            "elbow": one.k == elbow,
            "suggested": one is numbers.chosen,
            "reason": one.reason,
        }
        for group, elbow in elbows
        for one in group
    ]


def numbers_document(numbers: Numbers) -> dict[str, Any]:
    """Return everything as nested plain data, silhouettes per cluster too."""
    from regionalize.run.reporting import versions

    origin = numbers.layer.origin
    rows = [
        {**row, "silhouettes": None if one.silhouettes is None else asdict(one.silhouettes)}
        for row, one in zip(number_rows(numbers), numbers.candidates, strict=True)
    ]
    document: dict[str, Any] = plain(
        {
            "suggestion": suggestion(numbers.chosen),
            "reason": numbers.reason,
            "settings": numbers.job.settings(),
            "input": {
                "file": origin.file,
                "layer": origin.layer,
                "rows": len(numbers.layer),
                "rows_used": numbers.rows_used,
            },
            "versions": versions(),
            "variables": numbers.variables,
            "tss": numbers.tss,
            "candidates": rows,
            "notes": numbers.notes,
            "command": numbers.command,
        }
    )
    return document


def suggestion(chosen: Candidate) -> dict[str, Any]:
    """Return what is suggested as options of a run: k, and what of the grid varied."""
    return {"k": chosen.k, **{name: value for name, value in chosen.grid.items() if value is not None}}


def numbers_json(numbers: Numbers) -> str:
    """Return everything as one JSON document."""
    return json_text(numbers_document(numbers))


def numbers_csv(numbers: Numbers) -> str:
    """Return one CSV row per candidate, in full precision."""
    rows = number_rows(numbers)
    return csv_text(rows[0], (row.values() for row in rows))


def numbers_page(numbers: Numbers, picture: Picture | None = None) -> Document:
    """Return a document for people: the suggestion, the curves, and a table per settings of the grid."""
    dropped = {
        "coordinate_share",
        "elbow",
        "suggested",
        *(name for one in numbers.candidates for name in one.grid),
    }
    document, chosen = numbers_document(numbers), numbers.chosen
    name = file_name(document["input"]["file"])
    figures = [("suggested k", chosen.k), ("mean silhouette", chosen.silhouette), ("BSS/TSS", chosen.bss_tss)]
    blocks: list[Block] = [
        Figures(tuple(figures)),
        Sentence(f"{numbers.reason}.", strong=True),
        *([picture] if picture is not None else []),
    ]
    rows = iter(number_rows(numbers))
    for group, elbow in zip(numbers.by_settings, numbers.elbows, strict=True):
        title = settings_text(group[0].grid) or "Numbers of clusters"
        lines = [{name: value for name, value in next(rows).items() if name not in dropped} for _ in group]
        if all(line["reason"] is None for line in lines):
            lines = [{name: value for name, value in line.items() if name != "reason"} for line in lines]
        blocks += [Heading(title), table_of(lines)]
        blocks += [] if elbow is None else [Sentence(f"The elbow is at k = {elbow}.")]
    if numbers.notes:
        blocks += [Heading("Notes"), Notes(numbers.notes)]
    settings = with_variables(document["settings"], document["variables"])
    blocks += making(
        numbers.job.method,
        settings,
        document["input"],
        numbers.command,
        document["versions"],
        reference="Numbers of clusters: Rousseeuw (1987); Kaufman and Rousseeuw (1990); Caliński and "
        "Harabasz (1974); Satopää et al. (2011)",
    )
    return Document(f"choose-k: {numbers.job.method}" + (f": {name}" if name else ""), tuple(blocks))


def write_numbers(path: Path, numbers: Numbers, suffix: str) -> None:
    """Write the numbers in the form `suffix` asks for: ``.json``, ``.csv``, ``.md`` or ``.html``."""
    suffix = suffix.lower()
    if suffix in {".json", ".csv"}:
        text = numbers_json if suffix == ".json" else numbers_csv
        path.write_text(text(numbers), encoding="utf-8")
        return
    picture = None
    if suffix == ".html":
        from regionalize.studies.choose_files import draw_numbers

        alt = f"Curves over the number of clusters; {numbers.reason}"
        picture = drawn_picture(lambda to, form: draw_numbers(numbers, to, form), ".svg", alt)
    write_document(numbers_page(numbers, picture), path, suffix)
