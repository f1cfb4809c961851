"""A ranking with learned weights: how a run learns them, and what may be changed of a kept one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regionalize.studies.rank.fit import Fit
    from regionalize.studies.rank.model import RankModel
    from regionalize.studies.rank.options import RankOptions
    from regionalize.studies.rank.places import Items, Users
    from regionalize.studies.rank.request import RankRequest
    from regionalize.studies.rank.zones import Zones


def learned_model(
    request: RankRequest, items: Items, users: Users, options: RankOptions, zones: Sequence[Zones]
) -> tuple[RankModel, Fit]:
    """Learn weights from the clicks that are asked for."""
    from regionalize.studies.rank.clicks import read_clicks
    from regionalize.studies.rank.fit import learn
    from regionalize.studies.rank.model import RankModel

    assert request.fit is not None
    clicks = read_clicks(request.fit, users, items)
    found = learn(items, users, clicks, options, zones, holdout=request.holdout, seed=request.seed)
    return RankModel.from_fit(found, request.attribute, request.label_column), found


def options_over(model: RankOptions, given: RankOptions, over: Sequence[str]) -> RankOptions:
    """Return the options of a model, with those in their place that were asked for by name.

    Examples
    --------
    >>> from regionalize.studies.rank.options import RankOptions
    >>> found = options_over(RankOptions(top=5, units="mi"), RankOptions(units="km"), ["units"])
    >>> found.top, found.units
    (5, 'km')
    """
    told: dict[str, Any] = {name: getattr(given, name) for name in over}
    return replace(model, **told)
