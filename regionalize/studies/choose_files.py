"""`choose-k` with files at both ends: what is read, written and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from regionalize.errors import UsageError, located
from regionalize.model.job import Outputs
from regionalize.run.progress import Progress
from regionalize.studies.choose import Numbers, choose_number
from regionalize.studies.commands import choose_command
from regionalize.studies.grid import read_grid, read_numbers
from regionalize.studies.suggest import settings_text


def choose_number_of_file(
    source: str | None,
    method: str,
    ks: Any,
    options: Mapping[str, Any],
    *,
    report: Path | None = None,
    plot: Path | None = None,
    map: Path | None = None,
    dissolve_lines: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Numbers:
    """Read a layer once, try every number of clusters on it, and write report, plot and map.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.read.read_layer` takes.
    method, ks, options
        As `regionalize.studies.choose.choose_number` takes them.
    report, plot, map : Path, optional
        Files to write, formats by their endings.
    dissolve_lines : bool
        Outline the clusters on the map.
    overwrite : bool
        Replace files that exist.
    progress : callable, optional
        Told of stages, and of the numbers tried.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about; then nothing was written.
    """
    from regionalize.io.read import read_layer
    from regionalize.run.outputs import write_files
    from regionalize.run.progress import Stopwatch
    from regionalize.run.refusals import refuse_outputs
    from regionalize.studies.choose_report import write_numbers

    if dissolve_lines and map is None:  # the report draws curves alone
        raise UsageError("--dissolve-lines is for the map", advice="name its file with --map")
    read_numbers(ks)
    job = read_grid(method, options)[0][0]
    inputs = (source, *job.files)
    outputs = Outputs(report=report, map=map, dissolve_lines=dissolve_lines, overwrite=overwrite)
    refuse_outputs(outputs, inputs, None)
    refuse_plot(plot, outputs, inputs)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        refuse_outputs(outputs, inputs, layer)
        found = choose_number(layer, method, ks, options, progress=progress)
    found = replace(found, command=choose_command(method, ks, options).line(source))
    asked = {"report": report, "plot": plot, "map": map}
    paths = {option: path for option, path in asked.items() if path is not None}
    with watch.stage("write"):
        makers = {
            "report": lambda target: write_numbers(target, found, paths["report"].suffix),
            "plot": lambda target: draw_numbers(found, target, paths["plot"].suffix),
            "map": lambda target: draw_number_maps(
                found, target, paths["map"].suffix, dissolve_lines=dissolve_lines
            ),
        }
        notes = write_files(paths, makers, progress=progress)
    seconds = {"read": watch.seconds["read"], **found.seconds, "write": watch.seconds["write"]}
    return replace(found, notes=tuple(dict.fromkeys((*found.notes, *notes))), seconds=seconds)


def refuse_plot(plot: Path | None, outputs: Outputs, inputs: tuple[str | None, ...]) -> None:
    """Refuse, before any work, a plot that cannot be written."""
    from regionalize.run.refusals import check_ending, check_side_file, refuse_same_file
    from regionalize.run.side_files import PICTURES

    if plot is None:
        return
    check_ending("plot", plot, PICTURES)
    refuse_same_file({"plot": plot, **outputs.paths()})
    check_side_file(plot, inputs, outputs.overwrite)


def draw_numbers(numbers: Numbers, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw fit, silhouettes, pseudo-F and pieces over k, a line for each setting of the grid."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.curves import Chart, Curve, Mark, draw_curves
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
        footer=source_line(numbers.layer, numbers.job, numbers.variables),
    )


def draw_number_maps(
    numbers: Numbers, target: Path | IO[bytes], suffix: str, *, dissolve_lines: bool = False
) -> tuple[str, ...]:
    """Draw the clusters of every k on one page, with the settings of the grid that are suggested."""
    from regionalize.run.levels import Level, draw_levels
    from regionalize.run.pictures import source_line
    from regionalize.run.web import PAGE
    from regionalize.studies.pages import draw_numbers_page

    chosen, job = numbers.chosen, numbers.job
    levels = [
        Level(one.k, partition.labels, one.bss_tss, one.subclusters)
        for one, partition in zip(numbers.candidates, numbers.partitions, strict=True)
        if partition is not None and one.grid == chosen.grid
    ]
    grid = settings_text(chosen.grid)
    title = f"{job.method}{', ' if grid else ''}{grid}: {', '.join(numbers.variables)}".removesuffix(": ")
    words = {
        "title": title,
        "subtitle": f"{numbers.reason}.",
        "footer": source_line(
            numbers.layer, job, numbers.variables, {**job.settings(), **chosen.grid, "method": job.method}
        ),
    }
    if suffix.lower() == PAGE:
        return draw_numbers_page(numbers, levels, target, **words, dissolve_lines=dissolve_lines)
    return draw_levels(
        numbers.layer, levels, chosen.k, target, suffix, **words, dissolve_lines=dissolve_lines
    )
