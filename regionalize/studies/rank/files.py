"""A ranking with files at both ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, UsageError, counted, located
from regionalize.model.job import Outputs
from regionalize.studies.rank.solve import Ranked, rank_layer

if TYPE_CHECKING:
    from regionalize.model.layer import Layer
    from regionalize.model.style import Style
    from regionalize.run.progress import Progress
    from regionalize.studies.rank.ranking import Ranking
    from regionalize.studies.rank.request import RankRequest

ARRAYS = ".npz"
MODEL = ".json"
TABLES = (".csv",)
MOST_ARRAYS = 1 << 32
"""Bytes that an .npz may have."""


@dataclass(frozen=True, kw_only=True)
class RankOutputs(Outputs):
    """Where a ranking goes, and the file it is kept in for later."""

    save_model: Path | None = None


def rank_files(
    source: str | None, request: RankRequest, outputs: Outputs, progress: Progress | None = None
) -> Ranked:
    """Read items and places, rank, and write; nothing is written unless everything can be.

    Parameters
    ----------
    source : str or None
        Items: what `regionalize.io.read.read_layer` takes.
    request : RankRequest
        For whom they are ranked, and how.
    outputs : Outputs
        Its layer, table or arrays, and its map are written.
    progress : callable, optional
        Told of stages.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.io.read import read_layer
    from regionalize.run.outputs import write_files
    from regionalize.run.progress import Stopwatch
    from regionalize.studies.rank.model import write_model
    from regionalize.studies.rank.picture import draw_ranking
    from regionalize.studies.rank.places import read_users

    inputs = (source, request.at_file, request.centers, request.fit, request.model)
    refuse_files(outputs, inputs)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        users = read_users(request.at, request.at_file, id_column=request.at_id)
        layer = read_layer(source, layer=request.layer, where=request.where, encoding=request.encoding)
    arrays = is_arrays(outputs.output)
    if arrays:
        refuse_size(len(users), len(layer), request.options.bands)
    with watch.stage("rank"):
        found = rank_layer(layer, users, request, every_pair=arrays)
    written = None
    notes: tuple[str, ...] = ()
    with located(layer.origin.file, layer.origin.layer):
        notes += refuse_layer(outputs, inputs, layer)
    if outputs.output is not None and not arrays:
        written = written_layer(found, outputs.output)
        notes += written.notes + check_columns(outputs, written, source)
    found = replace(found, command=request.command().line(source, outputs))
    with watch.stage("write"):
        paths = outputs.paths()
        makers: dict[str, Any] = {"map": lambda target: draw_ranking(found, target, paths["map"].suffix)}
        if arrays:
            makers["output"] = lambda target: write_arrays(found.ranking, target)
        makers["save-model"] = lambda target: write_model(found.model, target)
        notes += write_files(
            paths, makers, None if written is None else lambda: write_rows(found, written, outputs), progress
        )
    seconds = dict(watch.seconds)
    return replace(found, notes=tuple(dict.fromkeys((*found.notes, *notes))), seconds=seconds)


def is_arrays(path: Path | None) -> bool:
    """Whether arrays are written, and no layer."""
    return path is not None and path.suffix.lower() == ARRAYS


def refuse_files(outputs: Outputs, inputs: tuple[str | None, ...]) -> None:
    """Refuse, before anything is read, files that cannot be written."""
    from regionalize.run.refusals import check_ending, check_side_file

    refuse_ending(outputs.output)
    refuse_layer(outputs, inputs, None)
    if "save-model" in outputs.paths():
        check_ending("save-model", outputs.paths()["save-model"], (MODEL,))
        check_side_file(outputs.paths()["save-model"], inputs, outputs.overwrite)
    if is_arrays(outputs.output):
        assert outputs.output is not None
        if outputs.output_layer is not None:
            raise UsageError("--output-layer names a layer, and an .npz has none", advice="leave it out")
        check_side_file(outputs.output, inputs, outputs.overwrite)


def refuse_ending(path: Path | None) -> None:
    """Refuse an output of no known format, with arrays among those that there are."""
    from regionalize.io.formats import find_format

    if path is None or is_arrays(path):
        return
    try:
        find_format(path)
    except OutputError as error:
        if error.advice.startswith("use one of"):
            error.advice += f", {ARRAYS}"
        raise


def refuse_layer(outputs: Outputs, inputs: tuple[str | None, ...], layer: Layer | None) -> tuple[str, ...]:
    """Refuse outputs as other commands do; a map needs no geometry, for every item has a place."""
    from regionalize.run.refusals import refuse_outputs, refuse_same_file

    refuse_same_file(outputs.paths())
    if is_arrays(outputs.output) or layer is not None:
        outputs = replace(outputs, output=None, output_layer=None)
    if layer is not None:
        outputs = replace(outputs, map=None, qml=False)
    return refuse_outputs(outputs, inputs, layer)


def refuse_size(users: int, items: int, bands: tuple[int, ...]) -> None:
    """Refuse, before any work, arrays that would fill memory and disk."""
    size = 8 * (3 + sum(1 + k for k in bands)) * users * items
    if size > MOST_ARRAYS:
        raise UsageError(
            f"the arrays would have {size / 1e9:.0f} GB", advice="write the best rows: --top 10 -o ranked.csv"
        )


def written_layer(found: Ranked, output: Path) -> Layer:
    """Return the rows to write: with the items' columns and geometry, or as a table with the label alone."""
    from regionalize.studies.rank.table import ranking_table, with_items

    table = ranking_table(found.ranking)
    if output.suffix.lower() in TABLES:
        label = found.model.label_column
        if label is not None:
            return with_items(table, found.ranking, found.layer, named=label)
        from regionalize.model.layer import Layer

        return Layer(table, None, None)
    return with_items(table, found.ranking, found.layer)


def check_columns(outputs: Outputs, written: Layer, source: str | None) -> tuple[str, ...]:
    """Refuse what the format cannot hold; note what changes form."""
    from regionalize.io.check_output import check_output

    assert outputs.output is not None
    try:
        return check_output(
            outputs.output,
            layer_name=outputs.output_layer,
            layer=written,
            input_path=source,
            overwrite=outputs.overwrite,
        )
    except OutputError as error:  # the label column is one that was read: another name of it helps nobody
        error.advice = error.advice.removesuffix(", or choose a shorter --label-column")
        raise


def write_rows(found: Ranked, written: Layer, outputs: Outputs) -> tuple[str, ...]:
    """Write the layer or table, with the record of how it was made."""
    from regionalize.io.write import write_layer
    from regionalize.run.record import run_record
    from regionalize.studies.rank.report import ranking_document
    from regionalize.studies.rank.table import ranking_table

    assert outputs.output is not None
    made = ranking_table(found.ranking).column_names
    style = score_style(found, written)
    return write_layer(
        written,
        outputs.output,
        added={},
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
        styles=() if style is None else (style,),
        qml=outputs.qml,
        record=run_record("rank", made, ranking_document(found, rows=False), ("places", "items")),
    )


def score_style(found: Ranked, written: Layer) -> Style | None:
    """Return the style of the scores that are kept: five classes of equal width, the best the darkest."""
    from regionalize.maps.style import class_style, kind_of

    kind, ranking = kind_of(written.geometry_kinds), found.ranking
    scores = ranking.score[ranking.kept]
    if kind is None or not len(scores):
        return None
    title = f"score for {counted(len(ranking.users), 'place')}"
    return class_style("score", title, kind, len(written), float(scores.min()), float(scores.max()))


def write_arrays(found: Ranking, target: Path) -> None:
    """Write all pairs as arrays."""
    from regionalize.studies.rank.table import matrices

    with target.open("wb") as file:
        np.savez(file, allow_pickle=False, **matrices(found))
