"""`RankRequest`: what is to be ranked for whom, read from options as they are typed or as Python has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from regionalize.errors import UsageError
from regionalize.model.job import DEFAULT_SEED, check_option_names
from regionalize.model.kinds import is_digits
from regionalize.run.command import Command, list_text, typable, typed, value_text
from regionalize.run.options import plain_values, real_number, split_list, split_pair, whole_number
from regionalize.studies.rank.options import RankOptions

USUAL_BANDS = 5
"""Bands that there are where an option speaks of zones, and nobody said which."""
USUAL_HOLDOUT = 0.2
USUAL_WEIGHT = 0.5
"""Of an attribute that is named."""

_SOURCE = ("at_file", "at_id", "layer", "where", "id", "encoding", "label_column", "centers", "attribute")
_LEARNING = ("fit", "model")
_NUMBERS = ("scale", "max_km", "min_score", "attribute_weight")
_WHOLE = ("top", "max_per_region", "block")
_WORDS = ("membership", "score", "normalize", "units")
_FLAGS = ("nested", "list_all")
_USUAL = {"membership": "gaussian", "score": "exp"}
_OF_ZONES = ("membership", "keep_zone", "region_weight", "max_per_region")
"""Options that speak of zones, as ``score="weights"`` does."""
NAMES = (
    *_SOURCE[:2],
    "at",
    *_SOURCE[2:],
    "bands",
    *_FLAGS,
    *_WORDS,
    *_NUMBERS,
    *_WHOLE,
    "keep_zone",
    "region_weight",
    *_LEARNING,
    "holdout",
    "seed",
)
"""All of them, by their names in Python."""
_OF_THE_MODEL = (
    *("label_column", "centers", "attribute", "bands", "nested", "membership", "score", "scale"),
    *("attribute_weight", "region_weight"),
)
"""Options that a model has already."""


@dataclass(frozen=True)
class RankRequest:
    """What is to be ranked, and how.

    Attributes
    ----------
    options : RankOptions
        How; zones go by the names that were typed.
    at : tuple of str
        Places ``"LAT,LON"``.
    at_file, at_id : str, optional
        A file of places, and the column that names them.
    layer, where, id, encoding : str, optional
        How the items are read.
    label_column, centers : str, optional
        Zones: regions of an earlier run, or a file of places.
    attribute : str, optional
        Column of the items that scores take into account.
    fit : str, optional
        A table of clicks that weights are learned from.
    holdout : float
        Share of its users that measure what was learned.
    seed : int
        Draws them.
    model : str, optional
        A file with a ranking that was kept, in place of zones and scores.
    over : tuple of str
        Fields of the options that hold in place of the model's.
    notes : tuple of str
        What was taken for granted.
    """

    options: RankOptions = field(default_factory=RankOptions)
    at: tuple[str, ...] = ()
    at_file: str | None = None
    at_id: str | None = None
    layer: str | None = None
    where: str | None = None
    id: str | None = None
    encoding: str | None = None
    label_column: str | None = None
    centers: str | None = None
    attribute: str | None = None
    fit: str | None = None
    holdout: float = USUAL_HOLDOUT
    seed: int = DEFAULT_SEED
    model: str | None = None
    over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Return what was asked for, by the names of the options, without what goes without saying."""
        said: dict[str, Any] = {"at": list(self.at)} if self.at else {}
        given = (name for name in (*_SOURCE, *_LEARNING) if getattr(self, name) is not None)
        said |= {name: getattr(self, name) for name in given}
        if self.fit is not None:
            said |= {"holdout": self.holdout, "seed": self.seed}
        usual = {one.name: one.default for one in fields(RankOptions)}
        for name, value in ((name, getattr(self.options, name)) for name in usual):
            told = name in self.over if self.model is not None else name in _USUAL
            if value == usual[name] and not told:
                continue
            if name == "membership" and not (self.options.bands or self.label_column or self.centers):
                continue
            key = {"keep_zones": "keep_zone", "region_weights": "region_weight"}.get(name, name)
            said[key] = dict(value) if name == "region_weights" else value
        return {name: list(one) if isinstance(one, tuple) else one for name, one in said.items()}

    def command(self) -> Command:
        """Return the command that ranks so."""

        def words() -> list[str]:
            found = []
            for name, value in self.settings().items():
                if value == _USUAL.get(name):
                    continue  # goes without saying
                option = "--" + name.replace("_", "-")
                if name == "at":
                    found += [word for text in value for word in (option, text)]
                elif value is True:
                    found.append(option)
                elif isinstance(value, dict):
                    found += [option, list_text(f"{key}={value_text(one)}" for key, one in value.items())]
                elif isinstance(value, list):
                    found += [option, list_text(map(str, value))]
                elif name in {"at_file", "fit", "model"}:
                    found += [option, typable(value)]
                else:
                    found += [option, value_text(value)]
            return found

        return Command("rank", typed(words))


def make_request(values: Mapping[str, Any]) -> RankRequest:
    """Read options: text, or what Python has in its place; None is not given.

    Raises
    ------
    UsageError
        An option that cannot be meant, or that does not go with another.

    Examples
    --------
    >>> make_request({"at": "0,10", "bands": "3,10", "region_weight": "2=0.5"}).options.region_weights
    (('2', 0.5),)
    """
    check_option_names(values, NAMES)
    given = {name: value for name, value in values.items() if value is not None and value not in ((), "")}
    named: dict[str, Any] = {name: str(given[name]) for name in (*_SOURCE, *_LEARNING) if name in given}
    _check_learning(given)
    zones = [name for name in ("bands", "label_column", "centers") if name in given]
    if len(zones) > 1:
        first, second = ("--" + name.replace("_", "-") for name in zones[:2])
        raise UsageError(f"{first} and {second} both make zones", advice="give one of them")
    if "at_id" in named and "at_file" not in named:
        raise UsageError("--at-id names a column of a file", advice="give --at-file FILE")
    if "attribute_weight" in given and "attribute" not in named:
        raise UsageError("--attribute-weight weighs an attribute", advice="name a column with --attribute")
    notes: tuple[str, ...] = ()
    bands = _whole_numbers("bands", given.get("bands", ()))
    asked = given.get("score") == "weights" or any(name in given for name in _OF_ZONES)
    asked |= "fit" in given and "attribute" not in given
    if not zones and asked and "model" not in given:
        bands = (USUAL_BANDS,)
        notes = (
            f"zones are {USUAL_BANDS} bands of distance: --bands, --label-column or --centers chooses others",
        )
    told: dict[str, Any] = {name: str(given[name]) for name in _WORDS if name in given}
    told |= {name: real_number(name, given[name]) for name in _NUMBERS if name in given}
    told |= {name: whole_number(name, given[name]) for name in _WHOLE if name in given}
    told |= {name: bool(given[name]) for name in _FLAGS if name in given}
    if "attribute" in named:
        told.setdefault("attribute_weight", USUAL_WEIGHT)
    options = RankOptions(
        bands=bands,
        keep_zones=tuple(dict.fromkeys(_texts(given.get("keep_zone", ())))),
        region_weights=_weights(given.get("region_weight", ())),
        **told,
    )
    request = RankRequest(options, at=_places(given.get("at", ())), notes=notes, **named)
    seed = plain_values({"seed": given.get("seed", DEFAULT_SEED)})["seed"]
    if "fit" in given:
        holdout = real_number("holdout", given.get("holdout", USUAL_HOLDOUT))
        return replace(request, holdout=holdout, seed=seed)
    if "model" in given:
        own = (*_WORDS, *_NUMBERS, *_WHOLE, *_FLAGS)
        over = [name for name in own if name in given and given[name] is not False]
        return replace(request, over=(*over, *(["keep_zones"] if "keep_zone" in given else [])))
    return request


def _check_learning(given: Mapping[str, Any]) -> None:
    """Refuse options that speak of a model or of clicks, and do not go together."""
    if "holdout" in given and "fit" not in given:
        raise UsageError("--holdout is for --fit", advice="name a table of clicks with --fit")
    if "model" not in given:
        return
    own = [name for name in (*_OF_THE_MODEL, "fit") if given.get(name)]
    if own:
        option = "--" + own[0].replace("_", "-")
        raise UsageError(
            f"--model ranks by its own zones and scores, not by {option}", advice="leave out one"
        )


def _texts(value: Any) -> tuple[str, ...]:
    """Return names: text with commas between them, or a list, whose names may hold commas.

    Examples
    --------
    >>> _texts("1,C3"), _texts(["Rome, Italy"]), _texts(3)
    (('1', 'C3'), ('Rome, Italy',), ('3',))
    """
    if isinstance(value, str):
        return split_list(value)
    return tuple(map(str, value)) if isinstance(value, Iterable) else (str(value),)


def _places(value: Any) -> tuple[str, ...]:
    """Return places as they are typed: texts, or pairs of numbers.

    Examples
    --------
    >>> _places((40.5, -74)), _places(["1,2", (3, 4)])
    (('40.5,-74',), ('1,2', '3,4'))
    """
    if isinstance(value, str):
        return (value,)
    pair = list(value)
    if len(pair) == 2 and not any(isinstance(one, str | Iterable) for one in pair):
        return (f"{pair[0]},{pair[1]}",)
    return tuple(one if isinstance(one, str) else ",".join(map(str, one)) for one in pair)


def _whole_numbers(name: str, value: Any) -> tuple[int, ...]:
    several = split_list(value) if isinstance(value, str) else value
    several = several if isinstance(several, tuple | list) else [several]
    return tuple(whole_number(name, int(one) if _is_whole(one) else one) for one in several)


def _is_whole(value: Any) -> bool:
    return isinstance(value, str) and is_digits(value.strip())


def _weights(value: Any) -> tuple[tuple[str, float], ...]:
    """Read weights of zones: ``C3=2`` and the like, a mapping or pairs.

    Examples
    --------
    >>> _weights("C3=2,1=.5"), _weights({"Rome, Italy": 2}), _weights([("north", 2)])
    ((('C3', 2.0), ('1', 0.5)), (('Rome, Italy', 2.0),), (('north', 2.0),))
    """
    texts = [value] if isinstance(value, str) else value
    try:
        if all(isinstance(one, str) for one in texts) and not isinstance(value, Mapping):
            pairs: Iterable[tuple[str, Any]] = [split_pair(one, "region-weight") for one in split_list(texts)]
        else:
            pairs = dict(value).items()
    except UsageError as error:
        raise UsageError(error.reason, advice="write ZONE=W, such as C3=2") from None
    except (TypeError, ValueError):
        raise UsageError(f"--region-weight is {value!r}", advice='give {"C3": 2}') from None
    found = []
    for name, weight in pairs:
        try:
            found.append((str(name), float(weight)))
        except (TypeError, ValueError):
            raise UsageError(
                f"the weight of zone '{name}' is '{weight}', which is not a number",
                advice="write --region-weight C3=2",
            ) from None
    return tuple(found)
