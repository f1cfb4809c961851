"""Weights of zones and of an attribute, learned from what users chose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, counted
from regionalize.studies.rank.clicks import Clicks
from regionalize.studies.rank.distances import great_circle_km, typical_km
from regionalize.studies.rank.listwise import Lists, fitted, sharpest
from regionalize.studies.rank.ndcg import ndcg
from regionalize.studies.rank.options import RankOptions
from regionalize.studies.rank.places import Items, Users
from regionalize.studies.rank.rank import rank_items
from regionalize.studies.rank.scores import falling_weights, proximity, scaled, weighted_sum
from regionalize.studies.rank.zones import Zones, band_zones

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NUMBERS = 1 << 24
"""Features of lists that are held; longer lists are thinned to it."""
_FEWEST = 200
"""Items that a list keeps however many users there are."""
_HEAD = 10
"""Times the ranks that count are looked at, before all."""
_LEAST_SHARE = 0.01
"""Of the weight of proximity stays, so that of items alike in all else the nearer is better."""


@dataclass(frozen=True)
class Fit:
    """What was learned, and how well it ranks for users that it was not learned from.

    Attributes
    ----------
    options : RankOptions
        Those given, with learned weights; their bands are among the zones.
    zones : tuple of Zones
        Levels of zones; the weights are of the first.
    falls : bool
        Whether less of the attribute is better: its negative is what is weighed.
    learned_from, held_out : int
        Users with clicks.
    untrained, trained : float, optional
        Mean NDCG of the held-out users by the options given and by those learned; None without such users.
    k : int
        Ranks that NDCG counts.
    notes : tuple of str
    """

    options: RankOptions
    zones: tuple[Zones, ...]
    falls: bool
    learned_from: int
    held_out: int
    untrained: float | None
    trained: float | None
    k: int = 10
    notes: tuple[str, ...] = ()

    @property
    def is_better(self) -> bool | None:
        """Whether held-out users are served better than untrained; None where there are none."""
        return None if self.trained is None or self.untrained is None else self.trained > self.untrained

    def sentences(self) -> tuple[str, ...]:
        """Say what came of it."""
        learned = f"weights are learned from the clicks of {counted(self.learned_from, 'user')}"
        if self.trained is None or self.untrained is None:
            return (f"{learned}; no user was held out, so nothing tells whether they rank better",)
        of_whom = f"NDCG@{self.k} of {counted(self.held_out, 'user')} held out"
        said = f"{learned}; {of_whom}: {self.untrained:.4f} untrained, {self.trained:.4f} trained"
        if self.is_better:
            return (said,)
        return said, "the learned weights do not rank better than the untrained score; leave them out"


def learn(
    items: Items,
    users: Users,
    clicks: Clicks,
    options: RankOptions | None = None,
    zones: Sequence[Zones] = (),
    *,
    holdout: float = 0.2,
    seed: int = 0,
    k: int = 10,
) -> Fit:
    """Learn weights of zones and of the attribute from clicks.

    The score of an item is ``proximity + sum_k membership_k w_k``, mixed with the scaled attribute as
    `RankOptions` has it; with ``score="weights"`` there is no proximity. It is linear in its weights, which
    are the most likely ones by `regionalize.studies.rank.listwise.Lists.loss`, with a small penalty that
    draws them to the untrained score at the sharpness that suits the clicks. What users choose from are all
    items within ``max_km`` and in the zones to keep. Where that is too much to hold, their nearest items
    stand for themselves, and some of the rest, spread evenly by distance, for all of it.

    Parameters
    ----------
    items : Items
    users : Users
        Those without clicks have no part in it but for the distance bands.
    clicks : Clicks
    options : RankOptions, optional
        The untrained ranking.
    zones : sequence of Zones
        As `rank_items` takes them.
    holdout : float
        Share of users with clicks to measure with, 0 to less than 1: one at least unless it is 0.
    seed : int
        Draws them, and changes nothing else.
    k : int
        Ranks that NDCG counts.

    Returns
    -------
    Fit

    Raises
    ------
    UsageError
        Neither zones nor an attribute to weigh; a share that leaves nobody to learn from.
    DataError
        No clicks in range.

    Examples
    --------
    >>> items = Items(np.array([1, 2]), np.array([[0.0, 1.0], [0.0, 2.0]]))
    >>> users = Users(np.array(["a", "b"]), np.zeros((2, 2)))
    >>> clicks = Clicks(np.array([0, 1]), np.array([1, 1]), np.ones(2))
    >>> found = learn(items, users, clicks, RankOptions(bands=(2,)), holdout=0.5)
    >>> near, far = found.options.zone_weights
    >>> near < far, round(found.untrained, 2), round(found.trained, 2)
    (True, 0.63, 1.0)
    """
    options = options or RankOptions()
    levels = tuple(zones)
    if options.bands:
        levels += band_zones(users.places, items.places, options.bands, nested=options.nested)
    if not levels and (items.attribute is None or options.score == "weights"):
        raise UsageError("there is nothing to learn weights of", advice="give zones, or name an --attribute")
    if not 0 <= holdout < 1:
        raise UsageError(f"--holdout {holdout:g} is no share", advice="use a number from 0 to less than 1")
    options = replace(options, bands=(), nested=False, zone_weights=())
    nobody = Users(users.ids[:0], users.places[:0])
    rank_items(items, nobody, options, levels)  # refuses what cannot be ranked, before anything is learned
    source = _Source(items, users, options, levels)
    clicks, notes = source.in_range(clicks)
    served = np.unique(clicks.user)
    idle = len(users) - len(served)
    if idle:
        notes += (f"{counted(idle, 'user')} without clicks had no part in learning",)
    held, used = _split(served, holdout, seed)
    lists, thinned = source.lists(clicks, used)
    notes += thinned
    theta = _weights(source, lists, used)
    falls = bool(items.attribute is not None and theta[-1] < 0)
    before = _measured(items, users, clicks, options, levels, held, k)
    if falls:
        items = negative(items)
        source = replace(source, items=items)
        theta = _weights(source, source.lists(clicks, used)[0], used, turned=True)
        notes += ("users choose what has less of the attribute: less of it counts as better",)
    trained = source.as_options(theta)
    after = _measured(items, users, clicks, trained, levels, held, k)
    return Fit(trained, levels, falls, len(used), len(held), before, after, k, notes)


def negative(items: Items) -> Items:
    """Return items of which those with the least of the attribute have the most."""
    return items if items.attribute is None else replace(items, attribute=-items.attribute)


def _split(served: IntArray, holdout: float, seed: int) -> tuple[IntArray, IntArray]:
    """Draw users to hold out, and return them and the others, rising."""
    number = max(1, round(holdout * len(served))) if holdout else 0
    if number >= len(served):
        some = f"{counted(len(served), 'user')} with clicks"
        raise UsageError(
            f"--holdout {holdout:g} of {some} leaves nobody to learn from",
            advice="hold out fewer, or none with --holdout 0",
        )
    drawn = np.random.default_rng(seed).permutation(served)
    return np.sort(drawn[:number]), np.sort(drawn[number:])


@dataclass(frozen=True)
class _Source:
    """Where the lists come from: what can be chosen, and the features that scores are sums of."""

    items: Items
    users: Users
    options: RankOptions
    zones: tuple[Zones, ...]

    @property
    def has_proximity(self) -> bool:
        return self.options.score != "weights"

    @property
    def width(self) -> int:
        zones = len(self.zones[0]) if self.zones else 0
        return self.has_proximity + zones + (self.items.attribute is not None)

    def in_range(self, clicks: Clicks) -> tuple[Clicks, tuple[str, ...]]:
        """Leave out clicks on what is not listed."""
        if self.options.max_km is None and not self.options.keep_zones:
            return clicks, ()
        kept = np.ones(len(clicks), dtype=np.bool_)
        for user in np.unique(clicks.user):
            own = clicks.of(user)
            kept[own] = self._listed(self._km(user))[clicks.item[own]]
        if not kept.any():
            raise DataError("all clicks are on items out of range", advice="widen --max-km or --keep-zone")
        lost = int((~kept).sum())
        notes = (f"{counted(lost, 'click')} on items out of range: left out",) if lost else ()
        return clicks.take(kept), notes

    def lists(self, clicks: Clicks, chosen: IntArray) -> tuple[Lists, tuple[str, ...]]:
        """Make the lists of some users."""
        most = max(_FEWEST, _NUMBERS // (self.width * len(chosen)))
        scale = self._scale(chosen)
        features, targets, offsets = [], [], []
        longest = 0
        for at, user in enumerate(chosen):
            km = self._km(user)
            own = clicks.of(user)
            rows = np.flatnonzero(self._listed(km))
            longest = max(longest, len(rows))
            rows, offset = _thinned(rows, km, clicks.item[own], most)
            target = np.zeros(len(km))
            target[clicks.item[own]] = clicks.label[own]
            features.append(self._features(km, rows, scale[at : at + 1]))
            targets.append(target[rows] / clicks.label[own].sum())
            offsets.append(offset)
        starts = np.concatenate([[0], np.cumsum([len(one) for one in targets])[:-1]]).astype(np.int64)
        notes = (
            (f"lists of up to {longest:,} items are learned from {most:,} of each",) if longest > most else ()
        )
        joined = Lists(np.concatenate(features), np.concatenate(targets), starts, np.concatenate(offsets))
        return joined, notes

    def untrained(self, chosen: IntArray) -> FloatArray:
        """Return the weights of features that make the untrained score, in the mean of some users."""
        share = self.options.attribute_weight
        parts = [[1.0 - share]] if self.has_proximity else []
        if self.zones:
            count = len(self.zones[0])
            falling = np.zeros(count)
            if not self.has_proximity:
                away = self.zones[0].away(self.users.places[chosen])
                falling = (1 - share) * falling_weights(away, self._scale(chosen)).mean(axis=0)
            parts.append(falling.tolist())
        if self.items.attribute is not None:
            parts.append([share])
        return np.concatenate(parts)

    def as_options(self, theta: FloatArray) -> RankOptions:
        """Return the options by which scores fall in the order that weights of features give them."""
        theta, attribute = (theta, 0.0) if self.items.attribute is None else (theta[:-1], float(theta[-1]))
        near, zones = (float(theta[0]), theta[1:]) if self.has_proximity else (0.0, theta)
        # scores of both kinds are told on the scale of the untrained: proximity, or weights, from 0 to 1
        unit = near or float(np.ptp(zones)) or 1.0
        return replace(
            self.options,
            zone_weights=tuple(_rounded(zones / unit)),
            attribute_weight=_rounded(np.array([attribute / (attribute + unit)]))[0],
        )

    @cached_property
    def _attribute(self) -> FloatArray:
        assert self.items.attribute is not None
        return scaled(self.items.attribute)

    def _km(self, user: int) -> FloatArray:
        return np.asarray(great_circle_km(self.users.places[[user]], self.items.places)[0])

    def _scale(self, chosen: IntArray) -> FloatArray:
        if self.options.scale is not None:
            return np.full(len(chosen), self.options.scale)
        return typical_km(self.users.places[chosen], self.items.places)

    def _listed(self, km: FloatArray) -> NDArray[np.bool_]:
        """Return which items a user may choose, from their distances."""
        found = np.ones(len(km), dtype=np.bool_)
        if self.options.max_km is not None:
            found &= km <= self.options.max_km
        if self.options.keep_zones:
            kept = [self.zones[0].names.index(name) for name in self.options.keep_zones]
            found &= np.isin(self.zones[0].codes(km, self.items.places), kept)
        return found

    def _features(self, km: FloatArray, rows: IntArray, scale: FloatArray) -> FloatArray:
        parts = []
        if self.has_proximity:
            parts.append(proximity(km[None, :], self.options.score, scale)[0, rows, None])
        if self.zones:
            zones, places = self.zones[0], self.items.places[rows]
            parts.append(zones.belonging(self.options.membership, km[rows], places, rows))
        if self.items.attribute is not None:
            parts.append(self._attribute[rows, None])
        found = np.concatenate(parts, axis=1)
        if self.options.region_weights:
            given = dict(self.options.region_weights)
            weights = np.array([given.get(name, 1.0) for name in self.zones[0].names])
            found *= weighted_sum(parts[self.has_proximity], weights)[:, None]
        return found


def _rounded(values: FloatArray) -> list[float]:
    """Return numbers to 12 digits: the last ones are no more than how the sums were rounded."""
    return [float(f"{value:.12g}") for value in values]


def _thinned(rows: IntArray, km: FloatArray, clicked: IntArray, most: int) -> tuple[IntArray, FloatArray]:
    """Choose some rows of a list, with all that is clicked, and the logarithm of what each stands for."""
    if len(rows) <= most:
        return rows, np.zeros(len(rows))
    rows = rows[np.argsort(km[rows], kind="stable")]
    near, rest = rows[: most // 2], rows[most // 2 :]
    rest = rest[~np.isin(rest, clicked)]
    own = np.union1d(near, clicked)
    spread = rest[(np.arange(most // 2) + 0.5).astype(np.int64) * len(rest) // (most // 2)]
    weight = math.log(len(rest) / len(spread))
    return np.concatenate([own, spread]), np.repeat([0.0, weight], [len(own), len(spread)])


def _weights(source: _Source, lists: Lists, used: IntArray, *, turned: bool = False) -> FloatArray:
    """Return learned weights of features; `turned` where the attribute is the negative of the one given."""
    theta = source.untrained(used)
    unit, lower = np.ones(len(theta)), np.full(len(theta), -np.inf)
    if turned:
        theta[-1] *= -1
        lower[-1] = 0.0
    sharp = sharpest(lists, theta)
    if source.has_proximity:
        unit[0] = max(1.0, sharp * theta[0])
        lower[0] = _LEAST_SHARE * sharp
    return fitted(lists, sharp * theta, unit, lower)


def _measured(
    items: Items,
    users: Users,
    clicks: Clicks,
    options: RankOptions,
    zones: tuple[Zones, ...],
    chosen: IntArray,
    k: int,
) -> float | None:
    """Return the mean NDCG of some users, ranked as they will be."""
    if not len(chosen):
        return None
    # neither changes the order; a least score would mean something else for each of the two rankings
    options = replace(options, normalize="none", min_score=None, list_all=False)
    found = np.empty(len(chosen))
    for at, user in enumerate(chosen):
        one = Users(users.ids[[user]], users.places[[user]])
        label = np.zeros(len(items))
        own = clicks.of(user)
        label[clicks.item[own]] = clicks.label[own]
        ranking = rank_items(items, one, replace(options, top=_HEAD * k), zones)
        score = ranking.score
        if len(score) == _HEAD * k and score[-1] == score[k - 1]:  # more may tie with the last that counts
            ranking = rank_items(items, one, replace(options, top=None), zones)
        found[at] = ndcg(ranking.score, label[ranking.item], k, wanted=clicks.label[own])
    return float(found.mean())
