"""One run with files at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from regionalize.errors import DataError, OutputError, UsageError, located
from regionalize.model.partition import LEFT_OUT

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Job, Outputs
    from regionalize.model.layer import Layer
    from regionalize.model.partition import Partition
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution

MAP_FORMATS = (".png", ".svg", ".pdf")
REPORT_FORMATS = (".json", ".csv", ".md")
LINKAGE_FORMATS = (".npy", ".csv")


class Solver(Protocol):
    """What finds the regions of a layer."""

    def __call__(self, layer: Layer, job: Job, *, progress: Progress | None = None) -> Solution:
        """Group the rows of a layer, or raise what stands in the way."""


def run(
    source: str | None,
    job: Job,
    outputs: Outputs,
    progress: Progress | None = None,
    solver: Solver | None = None,
    columns: tuple[str, ...] = (),
) -> Solution:
    """Read, solve and write; nothing is written unless everything can be.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.read.read_layer` takes.
    job, outputs : Job, Outputs
        What to do and what to write.
    progress : callable, optional
        Told of stages and searches.
    solver : callable, optional
        What finds the regions: `regionalize.run.solve.solve`, the job's method, unless given.
    columns : tuple of str
        Columns of the solution's findings to write beside the labels.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.io.read import read_layer
    from regionalize.run.progress import Stopwatch
    from regionalize.run.solve import solve

    inputs = (source, *job.files)
    added = (*label_names(outputs.label_column, job), *columns)
    refuse_outputs(outputs, inputs, None, added)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        notes = refuse_outputs(outputs, inputs, layer, added)
        solution = (solver or solve)(layer, job, progress=progress)
    with watch.stage("write"):
        notes += write_outputs(solution, outputs, columns)
    seconds = {"read": watch.seconds["read"], **solution.seconds, "write": watch.seconds["write"]}
    return replace_notes(solution, (*solution.notes, *notes), seconds)


def replace_notes(solution: Solution, notes: tuple[str, ...], seconds: dict[str, float]) -> Solution:
    """Return the solution with all that was noted, each note once, and the seconds of every stage."""
    from dataclasses import replace

    notes = tuple(dict.fromkeys(notes))
    return replace(solution, report=replace(solution.report, notes=notes), notes=notes, seconds=seconds)


def label_names(label_column: str, job: Job) -> tuple[str, ...]:
    """Name the label column of every number of regions a job asks for, rising.

    Examples
    --------
    >>> from regionalize.model.job import Job
    >>> label_names("cluster", Job(k=8, levels=(4,))), label_names("cluster", Job(k=8))
    (('cluster_4', 'cluster_8'), ('cluster',))
    """
    if not job.levels:
        return (label_column,)
    return tuple(f"{label_column}_{k}" for k in (*job.levels, job.k))


def refuse_outputs(
    outputs: Outputs,
    inputs: tuple[str | None, ...],
    layer: Layer | None,
    added_names: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Refuse, before any work, outputs that cannot be written; note what a format will change.

    `inputs` are the files read, the layer first; no output may be one of them.
    """
    from regionalize.io.write import check_output
    from regionalize.run.lines import check_lines

    if not outputs.label_column.strip():
        raise UsageError("--label-column is empty", advice="give the new column a name")
    twice = [name for at, name in enumerate(added_names) if name in added_names[:at]]
    if twice:
        raise UsageError(f"two new columns are called '{twice[0]}'", advice="give each its own name")
    paths = outputs.paths()
    refuse_same_file(paths)
    if outputs.truncate is not None:
        check_truncate(outputs.truncate, outputs.dendrogram)
    for option, known in (
        ("map", MAP_FORMATS),
        ("dendrogram", MAP_FORMATS),
        ("report", REPORT_FORMATS),
        ("centers", (".csv",)),
        ("outliers", (".csv",)),
        ("linkage", LINKAGE_FORMATS),
    ):
        file = paths.get(option)
        if file is None:
            continue
        check_ending(option, file, known)
        check_side_file(file, inputs, outputs.overwrite)
    if outputs.map is not None and layer is not None and not layer.has_geometry:
        raise DataError("the table has no geometry, so there is no map to draw", advice="leave out --map")
    notes: tuple[str, ...] = ()
    for option in ("save-tree", "save-links"):
        if option in paths:
            notes += check_lines(option, paths[option], inputs, layer, outputs.overwrite)
    if outputs.output is None:
        return notes
    refuse_inputs(outputs.output, inputs[1:])
    return notes + check_output(
        outputs.output,
        layer_name=outputs.output_layer,
        added_names=added_names or (outputs.label_column,),
        layer=layer,
        input_path=inputs[0],
        overwrite=outputs.overwrite,
    )


def check_truncate(branches: int, dendrogram: Path | None) -> None:
    """Refuse a number of branches that is none, or without a dendrogram."""
    if dendrogram is None:
        raise UsageError("--truncate is for the dendrogram", advice="name its file with --dendrogram")
    if branches < 1:
        raise UsageError(f"--truncate is {branches}; it must be a whole number of at least 1")


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


def check_ending(option: str, file: Path, known: tuple[str, ...]) -> None:
    """Refuse a file whose ending names none of the formats there are."""
    if file.suffix.lower() not in known:
        raise OutputError(
            f"--{option} cannot be written as '{file.suffix or file.name}'",
            advice=f"use {' or '.join(known)}",
            file=str(file),
        )


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


def write_outputs(solution: Solution, outputs: Outputs, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Write every output: the smaller ones are made first and put in place once the layer is."""
    from regionalize.io.atomic import replacing
    from regionalize.run.lines import saved_links, saved_tree

    notes: tuple[str, ...] = ()
    with ExitStack() as pending:
        if outputs.report is not None:
            from regionalize.io.reports import write_report

            write_report(
                pending.enter_context(replacing(outputs.report)), solution.report, outputs.report.suffix
            )
        if outputs.centers is not None:
            from regionalize.io.centers import write_centers
            from regionalize.run.centers import centers_of

            target = pending.enter_context(replacing(outputs.centers))
            named = label_names(outputs.label_column, solution.job)[-1]
            write_centers(target, centers_of(solution), label_column=named, overwrite=True)
        if outputs.map is not None:
            target = pending.enter_context(replacing(outputs.map))
            notes += draw_solution(solution, target, outputs.map.suffix)
        if outputs.outliers is not None:
            from regionalize.run.outliers import write_outliers

            write_outliers(solution, pending.enter_context(replacing(outputs.outliers)))
        if outputs.dendrogram is not None:
            target = pending.enter_context(replacing(outputs.dendrogram))
            notes += draw_joins(solution, target, outputs.dendrogram.suffix, outputs.truncate)
        if outputs.save_linkage is not None:
            from regionalize.io.linkage import write_linkage

            assert solution.findings.merges is not None
            target = pending.enter_context(replacing(outputs.save_linkage))
            write_linkage(target, solution.findings.merges, outputs.save_linkage.suffix)
        if outputs.save_tree is not None:
            notes += pending.enter_context(saved_tree(solution, outputs.save_tree, outputs.overwrite))
        if outputs.save_links is not None:
            assert solution.weights is not None  # a table without geometry was refused
            about = solution.layer, solution.weights, solution.job.id
            notes += pending.enter_context(saved_links(*about, outputs.save_links, outputs.overwrite))
        if outputs.output is not None and str(outputs.output) != "-":
            notes += write_labels(solution, outputs, columns)
    if str(outputs.output) == "-":  # last, and not among the others: its reader may go away at any time
        notes += write_labels(solution, outputs, columns)
    return notes


def write_labels(solution: Solution, outputs: Outputs, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Write the layer with its label column, or one per number of regions, and columns of the findings."""
    from regionalize.io.write import write_layer

    assert outputs.output is not None
    names = label_names(outputs.label_column, solution.job)
    labels = zip(names, solution.partitions, strict=True)
    added = {name: label_array(partition, solution.label_values) for name, partition in labels}
    return write_layer(
        solution.layer,
        outputs.output,
        added=added | {name: found_array(solution, name) for name in columns},
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
    )


def label_array(partition: Partition, values: Mapping[int, Any] | None = None) -> pa.Array:
    """Labels as a 32-bit integer column, or what `values` has for them; null where a row was left out."""
    import pyarrow as pa

    labels = partition.labels
    if values:
        numbers = all(type(value) in {int, float} for value in values.values())  # truth values are neither
        whole = numbers and all(float(value).is_integer() for value in values.values())
        shown = {label: int(value) if whole else value for label, value in values.items()}
        return pa.array([shown.get(label, label if label != LEFT_OUT else None) for label in labels.tolist()])
    return pa.array(labels.astype("int32"), mask=labels == LEFT_OUT)


def found_array(solution: Solution, name: str) -> pa.Array:
    """Return a column of the findings for all rows, null where a row was left out."""
    import numpy as np
    import pyarrow as pa

    values, rows = solution.findings.columns[name], solution.features.rows
    placed = np.zeros(len(solution.layer), dtype=values.dtype)
    placed[rows] = values
    left_out = np.ones(len(placed), dtype=bool)
    left_out[rows] = False
    return pa.array(placed, mask=left_out)


def draw_solution(solution: Solution, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw the map of a solution: title with method, k and variables, source line with the settings."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.static import draw_map

    report = solution.report
    spatial = report.fragmentation
    title, footer = captions(solution)
    found = (
        [f"BSS/TSS {report.fit.ratio:.4f}"] if report.fit is not None and report.fit.ratio is not None else []
    )
    if spatial is not None:
        found.append("contiguous" if spatial.contiguous else f"{spatial.subclusters} pieces")
    return draw_map(
        solution.layer.geometry,
        solution.partition.labels,
        target,
        file_format=format_of(suffix),
        title=title,
        subtitle=", ".join(found),
        footer=footer,
        crs=solution.layer.crs,
        names={label: str(value) for label, value in solution.label_values.items()} or None,
    )


def draw_joins(
    solution: Solution, target: Path | IO[bytes], suffix: str, truncate: int | None = None
) -> tuple[str, ...]:
    """Draw the dendrogram of a method that nests regions."""
    from regionalize.maps.dendrogram import draw_dendrogram
    from regionalize.maps.picture import format_of
    from regionalize.model.thresholds import clusters_at

    merges, job, rows = solution.findings.merges, solution.job, solution.features.rows
    assert merges is not None, f"{job.method} did not tell its joins"
    title, footer = captions(solution)
    cut: float | None = None if job.k is not None else job.params["cut"]
    k = job.k if cut is None else clusters_at(merges[:, 2], cut)
    assert k is not None
    units = solution.layer.names(job.id)[rows].tolist()
    names = units if job.id is not None else [f"no. {number}" for number in units]
    notes: tuple[str, ...] = draw_dendrogram(
        merges,
        target,
        file_format=format_of(suffix),
        units=len(rows),
        k=k,
        title=title,
        footer=footer,
        cut=cut,
        truncate=truncate,
        names=names,
    )
    if job.make_contiguous:
        notes += ("the dendrogram shows the clusters as they were before they were made contiguous",)
    return notes


def captions(solution: Solution) -> tuple[str, str]:
    """Say what is shown, and what it was made from: a picture's title and its last line."""
    report = solution.report
    return (
        f"{solution.job.method}, k = {report.k}: {', '.join(report.variables)}".removesuffix(": "),
        source_line(solution.layer, solution.job),
    )


def source_line(layer: Layer, job: Job) -> str:
    """Say what a picture was made from: its last line."""
    from regionalize import __version__

    file = Path(layer.origin.file or "layer").name
    return f"{file}, transform {job.transform}, seed {job.seed}, regionalize {__version__}"
