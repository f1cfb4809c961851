"""A ranking kept for later: zones, options and learned weights, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, counted, located
from regionalize.studies.rank.degrees import check_places
from regionalize.studies.rank.fit import Fit, negative
from regionalize.studies.rank.options import RankOptions
from regionalize.studies.rank.places import Items
from regionalize.studies.rank.zones import NO_ZONE, Zones

FORMAT, VERSION = "regionalize ranking", 1
_OF_THE_RUN = ("bands", "nested", "zone_weights", "list_all", "block")
"""Options that are no part of a model, or kept with its zones."""
_LARGEST = 1 << 53


@dataclass(frozen=True)
class RankModel:
    """A ranking that can be used again, for other places and items.

    Attributes
    ----------
    options : RankOptions
        How, with learned weights; without bands, which are among the zones.
    zones : tuple of Zones
        Levels of zones; regions without the labels of items.
    attribute : str, optional
        Column of the items that scores take into account.
    falls : bool
        Whether less of it is better.
    label_column : str, optional
        Column of the items that names their regions.
    learned : mapping, optional
        ``users``, ``held_out``, ``k``, ``untrained`` and ``trained``, as `Fit` has them.

    Examples
    --------
    >>> zones = Zones("bands", ("1", "2"), np.array([5.0, 20.0]), np.array([12.5]))
    >>> model = RankModel(RankOptions(zone_weights=(0.0, 0.5)), (zones,))
    >>> model_of(model_document(model)).options.zone_weights
    (0.0, 0.5)
    """

    options: RankOptions
    zones: tuple[Zones, ...] = ()
    attribute: str | None = None
    falls: bool = False
    label_column: str | None = None
    learned: Mapping[str, Any] | None = None

    @staticmethod
    def from_fit(found: Fit, attribute: str | None = None, label_column: str | None = None) -> RankModel:
        """Make the model of what was learned; columns of the items by name."""
        learned = {
            "users": found.learned_from,
            "held_out": found.held_out,
            "k": found.k,
            "untrained": found.untrained,
            "trained": found.trained,
        }
        return RankModel(found.options, found.zones, attribute, found.falls, label_column, learned)

    def items(self, items: Items) -> Items:
        """Return items as they are ranked: with the negative of an attribute of which less is better."""
        return negative(items) if self.falls else items

    def levels(self, labels: NDArray[Any] | None = None) -> tuple[Zones, ...]:
        """Return the zones, regions with the labels of the items to rank.

        Parameters
        ----------
        labels : (n,) array of str, optional
            Names of the items' regions; None, and names that the model does not know, are no region.

        Raises
        ------
        UsageError
            Regions without labels.
        """
        if not self.zones or self.zones[0].kind != "labels":
            return self.zones
        if labels is None:
            raise UsageError(
                "the model ranks by regions that items are labelled with",
                advice=f"give items with a column '{self.label_column}'",
            )
        first = self.zones[0]
        known = {name: code for code, name in enumerate(first.names)}
        codes = np.array([known.get(name, NO_ZONE) for name in labels.tolist()], dtype=np.int64)
        return replace(first, labels=codes), *self.zones[1:]


def write_model(model: RankModel, path: str | Path) -> None:
    """Write a model as JSON, in a few bytes: the same for the same model."""
    from regionalize.io.documents import json_text

    Path(path).write_bytes(json_text(model_document(model), ascii_only=True).encode("ascii"))


def read_model(path: str | Path) -> RankModel:
    """Read a model: plain values, of which each is checked; nothing in it is run.

    Raises
    ------
    DataError
        If it is no model of a ranking, or of another version.
    """
    from regionalize.io.json_files import read_json

    document = read_json(path, "model")
    with located(str(path)):
        return model_of(document)


def model_document(model: RankModel) -> dict[str, Any]:
    """Return a model as plain values, ready for JSON; numbers are read back as they were."""
    options = {
        one.name: getattr(model.options, one.name)
        for one in fields(RankOptions)
        if one.name not in _OF_THE_RUN
    }
    options["keep_zones"] = list(options["keep_zones"])
    options["region_weights"] = dict(options["region_weights"])
    return {
        "format": FORMAT,
        "version": VERSION,
        "distances": "km",
        "attribute": model.attribute,
        "less_is_better": model.falls,
        "label_column": model.label_column,
        "options": options,
        "zones": [
            _zones_document(zones, model.options.zone_weights if level == 0 else ())
            for level, zones in enumerate(model.zones)
        ],
        "learned": None if model.learned is None else dict(model.learned),
    }


def _zones_document(zones: Zones, weights: tuple[float, ...]) -> dict[str, Any]:
    return {
        "kind": zones.kind,
        "names": list(zones.names),
        "centers": zones.centers.tolist(),
        "edges": None if zones.edges is None else zones.edges.tolist(),
        "parents": None if zones.parents is None else zones.parents.tolist(),
        "weights": list(weights) or None,
    }


def model_of(document: Mapping[str, Any]) -> RankModel:
    """Make a model of plain values.

    Raises
    ------
    DataError
        With the name of what cannot be meant.
    """
    if document.get("format") != FORMAT:
        raise DataError("is no model of a ranking", advice="name a file that --save-model wrote")
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise DataError(
            f"is a model of version {version}, and this program reads version {VERSION}",
            advice="learn it again, or use the program that wrote it",
        )
    try:
        return _model(document)
    except _FormatError as fault:
        raise DataError(
            f"is no model of a ranking: {fault}", advice="write it again with --save-model"
        ) from None
    except UsageError as error:  # an option of its own that cannot be meant
        raise DataError(
            f"is no model of a ranking: {error.reason}", advice="write it again with --save-model"
        ) from None


class _FormatError(ValueError):
    """What is wrong with a value."""


Check = Callable[[str, Any], Any]


def _model(document: Mapping[str, Any]) -> RankModel:
    found = _members("the model", document, _MODEL)
    parts = [_members(f"zones {level}", one, _ZONES) for level, one in enumerate(found["zones"], start=1)]
    levels: list[Zones] = []
    for level, part in enumerate(parts):
        levels.append(_zones(f"zones {level + 1}", part, levels[-1] if levels else None))
    if any(part["weights"] for part in parts[1:]):
        raise _FormatError("only the first zones have weights")
    given = _members("options", found["options"], _OPTIONS)
    weights = tuple(parts[0]["weights"] or ()) if parts else ()
    if weights and len(weights) != len(levels[0]):
        raise _FormatError(f"there are {len(weights)} weights of {counted(len(levels[0]), 'zone')}")
    names = levels[0].names if levels else ()
    regions = _members(
        "region_weights", given.pop("region_weights"), dict.fromkeys(names, _number), some=True
    )
    keep = tuple(given.pop("keep_zones"))
    for name in keep:
        if name not in names:
            raise _FormatError(f"there is no zone '{name}'")
    options = RankOptions(
        keep_zones=keep, region_weights=tuple(regions.items()), zone_weights=weights, **given
    )
    if options.attribute_weight and found["attribute"] is None:
        raise _FormatError("an attribute has a weight and no name")
    if levels and levels[0].kind == "labels" and found["label_column"] is None:
        raise _FormatError("regions have no label_column")
    learned = found["learned"]
    return RankModel(
        options,
        tuple(levels),
        found["attribute"],
        found["less_is_better"],
        found["label_column"],
        None if learned is None else _members("learned", learned, _LEARNED),
    )


def _zones(where: str, part: Mapping[str, Any], before: Zones | None) -> Zones:
    """Make a level of zones, of values that are of the right type."""
    kind, names, edges, parents = part["kind"], tuple(part["names"]), part["edges"], part["parents"]
    if not names or len(set(names)) < len(names) or len(part["centers"]) != len(names):
        raise _FormatError(f"{where} have no centre each, or names that are not their own")
    if kind != "bands":
        if edges is not None or parents is not None:
            raise _FormatError(f"{where} are no bands, and have edges or parents")
        if kind == "labels" and before is not None:
            raise _FormatError(f"{where} are regions below others")
        places = np.array([_list(_number, 2)(where, one) for one in part["centers"]], dtype=np.float64)
        check_places(places, np.array(names, dtype=object))
        return Zones(kind, names, places)
    centers = np.array([_number(where, one) for one in part["centers"]], dtype=np.float64)
    limits = np.array([_number(where, one) for one in edges or ()], dtype=np.float64)
    # an edge lies between its two centres, so that every band is where it says
    if (
        len(limits) != len(names) - 1
        or centers[0] < 0
        or (np.diff(centers) <= 0).any()
        or (limits < centers[:-1]).any()
        or (limits > centers[1:]).any()
    ):
        raise _FormatError(f"{where} do not rise")
    if parents is None:
        return Zones("bands", names, centers, limits)
    rising = np.array(parents, dtype=np.int64)
    count = len(before) if before is not None and before.kind == "bands" else 0
    if len(rising) != len(names) or rising[0] or rising[-1] != count - 1 or (np.diff(rising) // 2).any():
        raise _FormatError(f"{where} do not lie within the bands before")
    return Zones("bands", names, centers, limits, rising)


def _members(where: str, given: Any, checks: Mapping[str, Check], *, some: bool = False) -> dict[str, Any]:
    """Return an object's members, each checked; all of them have to be there, unless `some` will do."""
    if not isinstance(given, Mapping):
        raise _FormatError(f"{where} is no object")
    strange = [name for name in given if name not in checks]
    missing = [name for name in checks if name not in given and not some]
    if strange or missing:
        name = (strange or missing)[0]
        raise _FormatError(f"{where}: '{name}' is {'not known' if strange else 'missing'}")
    return {name: checks[name](name, value) for name, value in given.items()}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _FormatError(f"'{name}' is no text")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _FormatError(f"'{name}' is neither true nor false")
    return value


def _number(name: str, value: Any) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not (good and abs(value) <= 1e300):  # whole numbers may have any number of digits
        raise _FormatError(f"'{name}' is no number")
    return float(value)


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST:
        raise _FormatError(f"'{name}' is no whole number")
    return value


def _anything(name: str, value: Any) -> Any:
    return value


def _maybe(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _list(check: Check, length: int | None = None) -> Check:
    def checked(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list) or (length is not None and len(value) != length):
            raise _FormatError(f"'{name}' is no list" + (f" of {length}" if length is not None else ""))
        return [check(name, one) for one in value]

    return checked


def _one_of(*words: str) -> Check:
    def checked(name: str, value: Any) -> str:
        if value not in words:
            raise _FormatError(f"'{name}' is none of {', '.join(words)}")
        return str(value)

    return checked


_MODEL: dict[str, Check] = {
    "format": _text,
    "version": _whole,
    "distances": _one_of("km"),
    "attribute": _maybe(_text),
    "less_is_better": _flag,
    "label_column": _maybe(_text),
    "options": _anything,
    "zones": _list(_anything),
    "learned": _anything,
}
_OPTIONS: dict[str, Check] = {
    "membership": _text,
    "score": _text,
    "scale": _maybe(_number),
    "normalize": _text,
    "max_km": _maybe(_number),
    "min_score": _maybe(_number),
    "keep_zones": _list(_text),
    "top": _maybe(_whole),
    "max_per_region": _maybe(_whole),
    "attribute_weight": _number,
    "region_weights": _anything,
    "units": _text,
}
_ZONES: dict[str, Check] = {
    "kind": _one_of("bands", "centers", "labels"),
    "names": _list(_text),
    "centers": _list(_anything),
    "edges": _maybe(_list(_number)),
    "parents": _maybe(_list(_whole)),
    "weights": _maybe(_list(_number)),
}
_LEARNED: dict[str, Check] = {
    "users": _whole,
    "held_out": _whole,
    "k": _whole,
    "untrained": _maybe(_number),
    "trained": _maybe(_number),
}
