"""Outputs that cannot be written, refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.errors import DataError, OutputError, UsageError, located

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.model.layer import Layer


def refuse_outputs(
    outputs: Outputs,
    inputs: tuple[str | None, ...],
    layer: Layer | None,
    added_names: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Refuse, before any work, outputs that cannot be written; note what a format will change.

    `inputs` are the files read, the layer first; no output may be one of them.
    """
    from regionalize.io.check_output import check_output
    from regionalize.run.plots import check_plots
    from regionalize.run.side_files import SIDE_FILES
    from regionalize.run.styles import check_qml

    if not outputs.label_column.strip():
        raise UsageError("--label-column is empty", advice="give the new column a name")
    twice = [name for at, name in enumerate(added_names) if name in added_names[:at]]
    if twice:
        raise UsageError(f"two new columns are called '{twice[0]}'", advice="give each its own name")
    paths = outputs.paths()
    refuse_same_file(paths)
    if outputs.truncate is not None:
        check_truncate(outputs.truncate, outputs.dendrogram)
    if outputs.output_layer is not None and outputs.output is None:
        raise UsageError("--output-layer names a layer, and none is written", advice="name its file with -o")
    if outputs.dissolve_lines and not outputs.draws_map:
        raise UsageError(
            "--dissolve-lines is for the map", advice="name its file with --map, or a report .html"
        )
    check_plots(outputs, layer)
    check_qml(outputs, inputs, layer)
    for kind in SIDE_FILES:
        file = paths.get(kind.option)
        if file is not None:
            check_ending(kind.option, file, kind.endings, kind.word)
            check_side_file(file, inputs, outputs.overwrite)
    drawn = "--map" if outputs.map is not None else "--dissolve-lines" if outputs.dissolve_lines else None
    if drawn is not None and layer is not None and not layer.has_geometry:
        raise DataError("the table has no geometry, so there is no map to draw", advice=f"leave out {drawn}")
    notes: tuple[str, ...] = ()
    for option in ("save-tree", "save-links"):
        if option in paths:
            from regionalize.run.lines import check_lines

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


def check_ending(option: str, file: Path, known: tuple[str, ...], word: str = "") -> None:
    """Refuse a file whose ending names none of the formats there are; of a word, say what `word` says."""
    if file.suffix.lower() not in known:
        more = f"; {word}" if word and file.name == str(file) and not file.suffix else ""
        raise OutputError(
            f"--{option} cannot be written as '{file.suffix or file.name}'",
            advice=f"use {' or '.join(known)}{more}",
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
    from regionalize.io.check_output import check_not_input

    if str(path) == "-":
        return
    with located(str(path)):
        target = target_of(path)
        for source in inputs:
            if source is not None:
                check_not_input(target, source)
