"""`choose-k` with files at both ends: what is read, written and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from regionalize.errors import located
from regionalize.io.documents import csv_text, json_text, markdown_table, plain
from regionalize.model.job import Outputs
from regionalize.run.progress import Progress
from regionalize.studies.choose import Numbers, choose_number
from regionalize.studies.grid import read_grid, read_numbers
from regionalize.studies.suggest import Candidate, settings_text


def choose_number_of_file(
    source: str | None,
    method: str,
    ks: Any,
    options: Mapping[str, Any],
    *,
    report: Path | None = None,
    plot: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Numbers:
    """Read a layer once, try every number of clusters on it, and write report and plot.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.read.read_layer` takes.
    method, ks, options
        As `regionalize.studies.choose.choose_number` takes them.
    report, plot : Path, optional
        Files to write, formats by their endings.
    overwrite : bool
        Replace files that exist.
    progress : callable, optional
        Told of stages, and of the numbers tried.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about; then nothing was written.
    """
    from regionalize.io.atomic import replacing
    from regionalize.io.read import read_layer
    from regionalize.run.progress import Stopwatch
    from regionalize.run.refusals import refuse_outputs

    read_numbers(ks)
    job = read_grid(method, options)[0][0]
    inputs = (source, *job.files)
    refuse_outputs(Outputs(report=report, overwrite=overwrite), inputs, None)
    refuse_plot(plot, report, inputs, overwrite)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        found = choose_number(layer, method, ks, options, progress=progress)
    notes: tuple[str, ...] = ()
    with watch.stage("write"), ExitStack() as pending:
        if report is not None:
            text = {".json": numbers_json, ".csv": numbers_csv, ".md": numbers_markdown}[
                report.suffix.lower()
            ]
            pending.enter_context(replacing(report)).write_text(text(found), encoding="utf-8")
        if plot is not None:
            notes = draw_numbers(found, pending.enter_context(replacing(plot)), plot.suffix)
    seconds = {"read": watch.seconds["read"], **found.seconds, "write": watch.seconds["write"]}
    return replace(found, notes=tuple(dict.fromkeys((*found.notes, *notes))), seconds=seconds)


def refuse_plot(
    plot: Path | None, report: Path | None, inputs: tuple[str | None, ...], overwrite: bool
) -> None:
    """Refuse, before any work, a plot that cannot be written."""
    from regionalize.run.refusals import check_ending, check_side_file, refuse_same_file
    from regionalize.run.side_files import PICTURES

    if plot is None:
        return
    check_ending("plot", plot, PICTURES)
    refuse_same_file({"plot": plot, **({"report": report} if report is not None else {})})
    check_side_file(plot, inputs, overwrite)


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


def numbers_markdown(numbers: Numbers) -> str:
    """Return a table per settings of the grid, and the suggestion."""
    dropped = {
        "coordinate_share",
        "elbow",
        "suggested",
        *(name for one in numbers.candidates for name in one.grid),
    }
    parts = [f"# choose-k: {numbers.job.method}\n", f"{numbers.reason}.\n"]
    parts.append(markdown_table(("setting", "value"), numbers.job.settings().items()))
    rows = iter(number_rows(numbers))
    for group, elbow in zip(numbers.by_settings, numbers.elbows, strict=True):
        title = settings_text(group[0].grid) or "Numbers of clusters"
        lines = [{name: value for name, value in next(rows).items() if name not in dropped} for _ in group]
        parts.append(f"## {title}\n\n" + markdown_table(lines[0], [line.values() for line in lines]))
        if elbow is not None:
            parts.append(f"The elbow is at k = {elbow}.\n")
    parts += [f"- {note}\n" for note in numbers.notes]
    return "\n".join(parts)


def draw_numbers(numbers: Numbers, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw fit, silhouettes, pseudo-F and pieces over k, a line for each setting of the grid."""
    from regionalize.maps.curves import Chart, Curve, Mark, draw_curves
    from regionalize.maps.picture import format_of
    from regionalize.run.pictures import source_line

    groups = numbers.by_settings

    def curves(value: Any) -> tuple[Curve, ...]:
        return tuple(
            Curve(
                settings_text(group[0].grid),
                tuple((one.k, value(one)) for one in group if value(one) is not None),
            )
            for group in groups
        )

    ringed = [(place, elbow) for place, elbow in enumerate(numbers.elbows) if elbow is not None]
    # one k may be the elbow of many settings: no room for words
    elbows = tuple(Mark(place, k, "" if len(groups) > 1 else f"elbow, k = {k}") for place, k in ringed)
    fit = "BSS/TSS of the attributes" + (", elbows ringed" if len(groups) > 1 and elbows else "")
    chosen = next(place for place, group in enumerate(groups) if numbers.chosen in group)
    suggested = (Mark(chosen, numbers.chosen.k, f"suggested, k = {numbers.chosen.k}"),)
    charts = [
        Chart(fit, curves(lambda one: one.bss_tss), elbows),
        Chart(
            "mean silhouette",
            curves(lambda one: one.silhouette),
            suggested if numbers.chosen.silhouette is not None else (),
        ),
        Chart("pseudo-F", curves(lambda one: one.pseudo_f)),
        Chart("pieces of all clusters", curves(lambda one: one.subclusters)),
    ]
    return draw_curves(
        charts,
        target,
        file_format=format_of(suffix),
        title=f"{numbers.job.method}: {', '.join(numbers.variables)}".removesuffix(": "),
        subtitle=f"{numbers.reason}.",
        footer=source_line(numbers.layer, numbers.job),
    )
