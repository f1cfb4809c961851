"""One run with files at both ends."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

from regionalize.errors import DataError, OutputError, UsageError, located
from regionalize.model.partition import LEFT_OUT

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Job, Outputs
    from regionalize.model.layer import Layer
    from regionalize.model.partition import Partition
    from regionalize.run.solve import Progress, Solution

MAP_FORMATS = (".png", ".svg", ".pdf")
REPORT_FORMATS = (".json", ".csv", ".md")


def run(source: str | None, job: Job, outputs: Outputs, progress: Progress | None = None) -> Solution:
    """Read, solve and write; nothing is written unless everything can be.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.read.read_layer` takes.
    job, outputs : Job, Outputs
        What to do and what to write.
    progress : callable, optional
        Told of stages and searches.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.io.read import read_layer
    from regionalize.run.solve import Stopwatch, solve

    inputs = (source, job.weights_file)
    refuse_outputs(outputs, inputs, None)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        notes = refuse_outputs(outputs, inputs, layer)
        solution = solve(layer, job, progress=progress)
    with watch.stage("write"):
        notes += write_outputs(solution, outputs)
    seconds = {"read": watch.seconds["read"], **solution.seconds, "write": watch.seconds["write"]}
    return replace_notes(solution, (*solution.notes, *notes), seconds)


def replace_notes(solution: Solution, notes: tuple[str, ...], seconds: dict[str, float]) -> Solution:
    """Return the solution with all that was noted, each note once, and the seconds of every stage."""
    from dataclasses import replace

    notes = tuple(dict.fromkeys(notes))
    return replace(solution, report=replace(solution.report, notes=notes), notes=notes, seconds=seconds)


def refuse_outputs(outputs: Outputs, inputs: tuple[str | None, ...], layer: Layer | None) -> tuple[str, ...]:
    """Refuse, before any work, outputs that cannot be written; note what a format will change.

    `inputs` are the files read, the layer first; no output may be one of them.
    """
    from regionalize.io.write import check_output

    if not outputs.label_column.strip():
        raise UsageError("--label-column is empty", advice="give the new column a name")
    paths = outputs.paths()
    refuse_same_file(paths)
    for option, known in (("map", MAP_FORMATS), ("report", REPORT_FORMATS), ("centers", (".csv",))):
        file = paths.get(option)
        if file is None:
            continue
        if file.suffix.lower() not in known:
            raise OutputError(
                f"--{option} cannot be written as '{file.suffix or file.name}'",
                advice=f"use {' or '.join(known)}",
                file=str(file),
            )
        check_side_file(file, inputs, outputs.overwrite)
    if outputs.map is not None and layer is not None and not layer.has_geometry:
        raise DataError("the table has no geometry, so there is no map to draw", advice="leave out --map")
    if outputs.output is None:
        return ()
    refuse_inputs(outputs.output, inputs[1:])
    return check_output(
        outputs.output,
        layer_name=outputs.output_layer,
        added_names=(outputs.label_column,),
        layer=layer,
        input_path=inputs[0],
        overwrite=outputs.overwrite,
    )


def refuse_same_file(paths: dict[str, Path]) -> None:
    """Refuse two outputs that are one file, whatever links lead to it."""
    seen: dict[str, Path] = {}
    for option, path in paths.items():
        for other, earlier in seen.items():
            if path.resolve() == earlier.resolve() or (
                path.exists() and earlier.exists() and path.samefile(earlier)
            ):
                raise UsageError(
                    f"--{option} and --{other} are the same file, {path}", advice="give each its own"
                )
        seen[option] = path


def check_side_file(path: Path, inputs: tuple[str | None, ...], overwrite: bool) -> None:
    """Refuse a map, report or table that would replace a file unasked, or an input ever."""
    from regionalize.io.atomic import target_of, writable_folder

    refuse_inputs(path, inputs)
    with located(str(path)):
        target = target_of(path)
        writable_folder(target.parent, shown=path)
        if target.is_dir():
            raise OutputError("is a folder", advice="name a file to write")
        if target.exists() and not overwrite:
            raise OutputError("already exists", advice="use --overwrite to replace it")


def refuse_inputs(path: Path, inputs: tuple[str | None, ...]) -> None:
    """Refuse an output that is a file read."""
    from regionalize.io.atomic import target_of
    from regionalize.io.write import check_not_input

    if str(path) == "-":
        return
    with located(str(path)):
        target = target_of(path)
        for source in inputs:
            if source is not None:
                check_not_input(target, source)


def write_outputs(solution: Solution, outputs: Outputs) -> tuple[str, ...]:
    """Write every output: the smaller ones are made first and put in place once the layer is."""
    from regionalize.io.atomic import replacing

    notes: tuple[str, ...] = ()
    with ExitStack() as pending:
        if outputs.report is not None:
            from regionalize.io.reports import write_report

            write_report(
                pending.enter_context(replacing(outputs.report)), solution.report, outputs.report.suffix
            )
        if outputs.centers is not None:
            from regionalize.io.tables import write_centers

            target = pending.enter_context(replacing(outputs.centers))
            report = solution.report
            write_centers(
                target,
                report.center_columns,
                report.centers,
                sizes=report.sizes,
                label_column=outputs.label_column,
                overwrite=True,
            )
        if outputs.map is not None:
            target = pending.enter_context(replacing(outputs.map))
            notes += draw_solution(solution, target, outputs.map.suffix)
        if outputs.output is not None and str(outputs.output) != "-":
            notes += write_labels(solution, outputs)
    if str(outputs.output) == "-":  # last, and not among the others: its reader may go away at any time
        notes += write_labels(solution, outputs)
    return notes


def write_labels(solution: Solution, outputs: Outputs) -> tuple[str, ...]:
    """Write the layer with its label column."""
    from regionalize.io.write import write_layer

    assert outputs.output is not None
    return write_layer(
        solution.layer,
        outputs.output,
        added={outputs.label_column: label_array(solution.partition)},
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
    )


def label_array(partition: Partition) -> pa.Array:
    """Labels as a 32-bit integer column, null where a row was left out."""
    import pyarrow as pa

    labels = partition.labels
    return pa.array(labels.astype("int32"), mask=labels == LEFT_OUT)


def draw_solution(solution: Solution, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw the map of a solution: title with method, k and variables, source line with the settings."""
    from regionalize.maps.static import draw_map

    report = solution.report
    spatial = report.fragmentation
    found = (
        [f"BSS/TSS {report.fit.ratio:.4f}"] if report.fit is not None and report.fit.ratio is not None else []
    )
    if spatial is not None:
        found.append("contiguous" if spatial.contiguous else f"{spatial.subclusters} pieces")
    return draw_map(
        solution.layer.geometry,
        solution.partition.labels,
        target,
        file_format=suffix.lower().lstrip("."),  # type: ignore[arg-type]  # checked before any work
        title=f"{solution.job.method}, k = {report.k}: {', '.join(report.variables)}",
        subtitle=", ".join(found),
        footer=f"{Path(solution.layer.origin.file or 'layer').name}, transform {solution.job.transform}, "
        f"seed {solution.job.seed}, regionalize {report.versions['regionalize']}",
        crs=solution.layer.crs,
    )
