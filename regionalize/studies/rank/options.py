"""`RankOptions`: everything that changes a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from regionalize.errors import UsageError, listed

Membership = Literal["gaussian", "fuzzy", "hard"]
Score = Literal["exp", "linear", "rank", "weights"]
Normalization = Literal["none", "minmax", "softmax", "zscore"]

MOST_ZONES = 300
UNITS = {"km": 1.0, "mi": 1.609344, "m": 0.001}
"""Kilometres in each unit that distances are written in."""


@dataclass(frozen=True)
class RankOptions:
    """How items are ranked.

    Attributes
    ----------
    membership : {"gaussian", "fuzzy", "hard"}
        How an item belongs to zones: see `regionalize.studies.rank.zones.memberships`.
    score : {"exp", "linear", "rank", "weights"}
        How proximity is scored: see `regionalize.studies.rank.scores.proximity`; ``"weights"`` is the sum of
        memberships times weights of zones.
    scale : float, optional
        Kilometres over which ``"exp"`` falls to 0.37; by default the user's typical distance.
    normalize : {"none", "minmax", "softmax", "zscore"}
        What is done to the scores of each user, over all items, before any is left out.
    max_km, min_score : float, optional
        Items farther, or scored lower, are left out.
    keep_zones : tuple of str
        Names of zones; items in others are left out.
    top : int, optional
        At most so many items per user.
    max_per_region : int, optional
        At most so many of one zone per user; the next best fill up.
    attribute_weight : float
        Share of the items' attribute in the score, 0 to 1.
    region_weights : tuple of (str, float)
        Weights of zones by name, 1 where none is given; scores are multiplied by their mean over memberships.
    zone_weights : tuple of float
        Learned weights of the zones: the sum of memberships times them is added to the proximity, and is the
        whole of ``score="weights"``, whose weights fall with distance otherwise.
    bands : tuple of int
        Numbers of distance bands, a level of zones each.
    nested : bool
        Whether every band lies within one of the level before.
    units : {"km", "mi", "m"}
        What distances are told in; inside they are kilometres.
    list_all : bool
        List what is left out too, after the rest and without a rank.
    block : int
        Pairs of a user and an item that are held at a time, more or less.

    Raises
    ------
    UsageError
        If a value cannot be meant.

    Examples
    --------
    >>> RankOptions(bands=(3, 10), top=5).bands
    (3, 10)
    >>> RankOptions(score="near")
    Traceback (most recent call last):
    regionalize.errors.UsageError: there is no score 'near'; use exp, linear, rank, weights
    """

    membership: Membership = "gaussian"
    score: Score = "exp"
    scale: float | None = None
    normalize: Normalization = "none"
    max_km: float | None = None
    min_score: float | None = None
    keep_zones: tuple[str, ...] = ()
    top: int | None = None
    max_per_region: int | None = None
    attribute_weight: float = 0.0
    region_weights: tuple[tuple[str, float], ...] = ()
    zone_weights: tuple[float, ...] = ()
    bands: tuple[int, ...] = ()
    nested: bool = False
    units: str = "km"
    list_all: bool = False
    block: int = 1 << 20

    def __post_init__(self) -> None:
        _check_choice("membership", self.membership, get_args(Membership))
        _check_choice("score", self.score, get_args(Score))
        _check_choice("normalization", self.normalize, get_args(Normalization))
        _check_choice("unit", self.units, tuple(UNITS))
        for name, number in (("--top", self.top), ("--max-per-region", self.max_per_region)):
            if number is not None and number < 1:
                raise UsageError(f"{name} {number} keeps nothing", advice="use 1 or more")
        if self.block < 1:
            raise UsageError(f"--block {self.block} holds nothing", advice="use 1 or more")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise UsageError(f"--scale {self.scale:g} is no distance", advice="use kilometres above 0")
        if self.scale is not None and self.score in {"linear", "rank"}:
            raise UsageError(f"score {self.score} has no scale", advice="leave out --scale, or use exp")
        if self.max_km is not None and not self.max_km >= 0:
            raise UsageError(f"--max-km {self.max_km:g} is no distance", advice="use 0 or more")
        if self.min_score is not None and math.isnan(self.min_score):
            raise UsageError("--min-score is no number", advice="use a number")
        if not 0 <= self.attribute_weight <= 1:
            raise UsageError(
                f"--attribute-weight {self.attribute_weight:g} is no share", advice="use a number from 0 to 1"
            )
        _check_bands(self.bands, self.nested)
        _check_weights(self.region_weights, self.zone_weights)


def _check_choice(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise UsageError(f"there is no {what} '{given}'", advice=f"use {listed(known)}")


def _check_bands(bands: Sequence[int], nested: bool) -> None:
    for number in bands:
        if not 1 <= number <= MOST_ZONES:
            raise UsageError(f"{number} bands cannot be made", advice=f"use 1 to {MOST_ZONES}")
    if len(set(bands)) < len(bands):
        raise UsageError("a number of bands is given twice", advice="give each once")
    if nested and len(bands) < 2:
        raise UsageError("nested bands need two levels", advice="give them rising, such as --bands 3,10")
    if nested and list(bands) != sorted(bands):
        raise UsageError(
            f"{listed(bands)} bands cannot be nested: each level has to be finer than the one before",
            advice="give the numbers rising",
        )


def _check_weights(regions: Sequence[tuple[str, float]], zones: Sequence[float]) -> None:
    for name, weight in regions:
        if not (math.isfinite(weight) and weight >= 0):
            raise UsageError(f"weight {weight:g} of zone '{name}' is none", advice="use 0 or more")
    names = [name for name, _ in regions]
    if len(set(names)) < len(names):
        raise UsageError("a zone has two weights", advice="give each zone once")
    if not all(map(math.isfinite, zones)):
        raise UsageError("a weight of a zone is no number", advice="learn the weights again")
