"""A ranking with files at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, UsageError, counted, listed, located

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.model.layer import Layer
    from regionalize.model.style import Style
    from regionalize.run.progress import Progress
    from regionalize.studies.rank.fit import Fit
    from regionalize.studies.rank.model import RankModel
    from regionalize.studies.rank.ranking import Ranking
    from regionalize.studies.rank.request import RankRequest
    from regionalize.studies.rank.zones import Zones

ARRAYS = ".npz"
MODEL = ".json"
TABLES = (".csv",)
MOST_ARRAYS = 1 << 32
"""Bytes that an .npz may have."""


@dataclass(frozen=True)
class Ranked:
    """A ranking, what it was made of, and how.

    Attributes
    ----------
    ranking : Ranking
    layer : Layer
        The items as they were read.
    request : RankRequest
    model : RankModel
        The ranking to keep for later.
    fit : Fit, optional
        What was learned.
    notes : tuple of str
    seconds : dict of str to float
        What every stage took.
    command : str
        The command line that repeats it.
    """

    ranking: Ranking
    layer: Layer
    request: RankRequest
    model: RankModel
    fit: Fit | None = None
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    command: str = ""


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


def rank_layer(layer: Layer, users: Any, request: RankRequest, *, every_pair: bool = False) -> Ranked:
    """Rank the rows of a layer for users; `every_pair` lists what is left out, too."""
    from regionalize.studies.rank.learned import kept_model, learned_model, options_over
    from regionalize.studies.rank.model import RankModel
    from regionalize.studies.rank.places import read_items
    from regionalize.studies.rank.rank import rank_items

    model = kept_model(request.model)
    fit = None
    items = read_items(layer, request.id, request.attribute if model is None else model.attribute)
    with located(layer.origin.file, layer.origin.layer):
        zones, notes = read_zones(layer, items.places, request, model)
    names = (
        zones[0].names
        if zones
        else tuple(str(k + 1) for k in range(max(request.options.bands[:1], default=0)))
    )
    keep, more = known_zones(request.options.keep_zones, names)
    weights = tuple((known_zone(name, names), weight) for name, weight in request.options.region_weights)
    options = replace(request.options, keep_zones=keep, region_weights=weights)
    if model is not None:
        options = options_over(model.options, options, request.over)
        model = replace(model, options=options)
    elif request.fit is not None:
        model, fit = learned_model(request, items, users, options, zones)
        options, zones = model.options, fit.zones
        notes += (*fit.notes, *fit.sentences()[1:])
    if model is not None:
        items = model.items(items)
    list_all = request.options.list_all or every_pair
    ranking = rank_items(items, users, replace(options, list_all=list_all), zones)
    if model is None:
        plain = replace(options, bands=(), nested=False)
        model = RankModel(plain, ranking.zones, request.attribute, label_column=request.label_column)
    said = (*layer.notes, *items.notes, *users.notes, *request.notes, *notes, *more, *ranking.notes)
    return Ranked(ranking, layer, request, model, fit, tuple(dict.fromkeys(said)))


def read_zones(
    layer: Layer, places: Any, request: RankRequest, model: RankModel | None = None
) -> tuple[tuple[Zones, ...], tuple[str, ...]]:
    """Return the zones of an earlier run, of a file, or of a model, if one is asked for, and notes."""
    from regionalize.run.existing import noise_note, read_labels, shown_labels
    from regionalize.studies.rank.zones import label_zones

    if request.centers is not None:
        return read_centers(request.centers)
    column = request.label_column if model is None else model.label_column
    if column is None:
        return (() if model is None else model.levels()), ()
    labels, values = read_labels(layer, column)
    shown = shown_labels(values)
    names = [str(shown[label]) for label in range(1, int(labels.max()) + 1)]
    notes = noise_note(labels, column)
    missing = int((labels < 0).sum())
    if missing:
        notes += (f"{counted(missing, 'item')} without a label in '{column}' are in no zone",)
    codes = np.where(labels > 0, labels - 1, -1)
    if model is not None:
        found = model.levels(np.array([*names, None], dtype=object)[codes])
        strange = sorted(set(names) - set(found[0].names))
        if strange:
            notes += (f"the model knows no zone {listed(strange, 5)}: their items are in none",)
        return found, notes
    return (label_zones(codes, names, places),), notes


def read_centers(path: str) -> tuple[tuple[Zones, ...], tuple[str, ...]]:
    """Read places round which zones are, named by a column called name, zone or id, if there is one."""
    from regionalize.io.read import read_layer
    from regionalize.studies.rank.places import item_places
    from regionalize.studies.rank.zones import center_zones

    layer = read_layer(path)
    with located(layer.origin.file, layer.origin.layer):
        places, notes = item_places(layer)
        lower = {name.lower(): name for name in reversed(layer.column_names)}
        column = next((lower[name] for name in ("name", "zone", "id") if name in lower), None)
        return (center_zones(layer.names(column).tolist(), places),), (*layer.notes, *notes)


def known_zone(text: str, names: tuple[str, ...]) -> str:
    """Return the name of a zone that may be typed with a C before its number.

    Examples
    --------
    >>> known_zone("C3", ("1", "2", "3")), known_zone("C3", ("C3", "3")), known_zone("north", ("1",))
    ('3', 'C3', 'north')
    """
    return text[1:] if text not in names and text[:1] in {"C", "c"} and text[1:] in names else text


def known_zones(texts: tuple[str, ...], names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of zones to keep, and a note on a zone 0 where they are numbered from 1.

    Examples
    --------
    >>> known_zones(("0", "C1"), ("1", "2"))
    (('1',), ('there is no zone 0: zones are numbered from 1',))
    """
    found = tuple(known_zone(text, names) for text in texts)
    if "0" in found and "0" not in names and len(found) > 1:
        return tuple(one for one in found if one != "0"), ("there is no zone 0: zones are numbered from 1",)
    return found, ()


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
