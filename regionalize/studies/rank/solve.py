"""A ranking in memory: items, places and a request in, a ranking and all that it was made of out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import counted, listed, located

if TYPE_CHECKING:
    from regionalize.model.layer import Layer
    from regionalize.studies.rank.fit import Fit
    from regionalize.studies.rank.model import RankModel
    from regionalize.studies.rank.ranking import Ranking
    from regionalize.studies.rank.request import RankRequest
    from regionalize.studies.rank.zones import Zones


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


def rank_layer(layer: Layer, users: Any, request: RankRequest, *, every_pair: bool = False) -> Ranked:
    """Rank the rows of a layer for users; `every_pair` lists what is left out, too."""
    from regionalize.studies.rank.learned import learned_model, options_over
    from regionalize.studies.rank.model import RankModel, read_model
    from regionalize.studies.rank.places import read_items
    from regionalize.studies.rank.rank import rank_items

    model = None if request.model is None else read_model(request.model)
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
