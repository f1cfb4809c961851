"""`rank_items`: items scored and ranked for places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError, counted, listed, nearest
from regionalize.kernels.threads import threads
from regionalize.studies.rank.distances import (
    SAMPLE,
    PlaceIndex,
    great_circle_km,
    middle_km,
    paired_km,
    typical_km,
)
from regionalize.studies.rank.options import UNITS, RankOptions
from regionalize.studies.rank.places import Items, Users
from regionalize.studies.rank.ranking import Ranking, by_pieces
from regionalize.studies.rank.scores import (
    falling_weights,
    hybrid,
    nearer,
    normalized,
    proximity,
    scaled,
    weighted_sum,
)
from regionalize.studies.rank.select import position, select
from regionalize.studies.rank.zones import Zones, band_zones, half_gap, memberships

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FEW_USERS, _FEW_ITEMS, _LONG_LIST = 16, 10_000, 1000
"""A tree of the items pays for as many users and items, and lists no longer."""


def rank_items(
    items: Items,
    users: Users,
    options: RankOptions | None = None,
    zones: Sequence[Zones] = (),
    *,
    index: PlaceIndex | None = None,
) -> Ranking:
    """Score items for every user by distance, zones and an attribute, and rank them.

    Parameters
    ----------
    items : Items
        n items.
    users : Users
        u places.
    options : RankOptions, optional
    zones : sequence of Zones
        Centres or labels, a level each, before the bands of the options. Weights of zones, zones to keep and
        the cap speak of the first level.
    index : PlaceIndex, optional
        Of the items with their precedence, if it is there already: used where distance alone decides.

    Returns
    -------
    Ranking

    Raises
    ------
    UsageError
        Zones, weights or an attribute that the options ask for and that are not there; more bands than there
        are distances.

    Examples
    --------
    >>> items = Items(np.array([7, 8, 9]), np.array([[0.0, 3.0], [0.0, 1.0], [0.0, 2.0]]))
    >>> found = rank_items(items, Users(np.array([1]), np.zeros((1, 2))), RankOptions(top=2))
    >>> items.ids[found.item].tolist(), found.km.round(1).tolist()
    ([8, 9], [111.2, 222.4])
    """
    blocks = list(rank_blocks(items, users, options, zones, index=index))
    first = blocks[0]
    if len(blocks) == 1:
        return first
    rows = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("user", "item", "rank", "km", "score")
    }
    notes = _notes(users, first.options, rows["user"][rows["rank"] > 0], np.arange(len(users)))
    return Ranking(items, users, first.options, first.zones, **rows, notes=notes)


def rank_blocks(
    items: Items,
    users: Users,
    options: RankOptions | None = None,
    zones: Sequence[Zones] = (),
    *,
    index: PlaceIndex | None = None,
) -> Iterator[Ranking]:
    """Rank as `rank_items`, some users at a time: a block of pairs and its rows are all that is held."""
    options = options or RankOptions()
    levels = tuple(zones)
    km = None
    if options.bands:
        if 0 < len(users) * len(items) <= options.block:  # all at once: the same distances serve twice
            km = great_circle_km(users.places, items.places)
        levels += band_zones(
            users.places, items.places, options.bands, nested=options.nested, block=options.block, km=km
        )
    job = _Job(items, users, options, levels, index, km)
    job.check()
    size = min(options.top or 1, _LONG_LIST) if job.by_tree else len(items)
    step = max(1, options.block // max(size, 1))
    for start in range(0, max(len(users), 1), step):
        chosen = np.arange(start, min(start + step, len(users)))
        user, item, rank, km, score = job.nearest(chosen) if job.by_tree else job.ranked(chosen)
        notes = _notes(users, options, user[rank > 0], chosen)
        yield Ranking(items, users, options, levels, user, item, rank, km, score, notes)


Rows = tuple[IntArray, IntArray, IntArray, FloatArray, FloatArray]


@dataclass(frozen=True)
class _Job:
    """What is ranked and how, and what is the same for every user."""

    items: Items
    users: Users
    options: RankOptions
    zones: tuple[Zones, ...]
    index: PlaceIndex | None
    km: FloatArray | None
    """All distances, where they are known already."""

    def check(self) -> None:
        options = self.options
        asked = {
            "score weights": options.score == "weights",
            "a learned weight of a zone": bool(options.zone_weights),
            "a zone to keep": bool(options.keep_zones),
            "a weight of a zone": bool(options.region_weights),
            "a cap per region": options.max_per_region is not None,
        }
        needing = [what for what, is_asked in asked.items() if is_asked]
        if needing and not self.zones:
            raise UsageError(
                f"{needing[0]} needs zones", advice="give --bands, --label-column or a file of centres"
            )
        names = self.zones[0].names if self.zones else ()
        for name in (*options.keep_zones, *(name for name, _ in options.region_weights)):
            if name not in names:
                raise UsageError(
                    f"there is no zone '{name}'",
                    advice=nearest(name, names) or f"the zones are {listed(names, 20)}",
                )
        if options.zone_weights and len(options.zone_weights) != len(names):
            raise UsageError(
                f"there are {len(options.zone_weights)} weights of zones, and {counted(len(names), 'zone')}",
                advice="rank with the zones that the weights were learned for",
            )
        if options.attribute_weight and self.items.attribute is None:
            raise UsageError("a weight of the attribute needs one", advice="name a column with --attribute")
        for zones in self.zones:
            if zones.labels is not None and len(zones.labels) != len(self.items):
                raise UsageError(f"{len(zones.labels)} labels do not fit {counted(len(self.items), 'item')}")

    @cached_property
    def by_tree(self) -> bool:
        """Whether distance alone decides, and a tree finds the nearest sooner than a look at all."""
        options = self.options
        alone = (
            options.score != "weights"
            and not options.zone_weights
            and options.normalize == "none"
            and not (options.attribute_weight or options.region_weights or options.keep_zones)
            and options.max_per_region is None
            and not options.list_all
        )
        many = self.index is not None or (len(self.users) >= _FEW_USERS and len(self.items) >= _FEW_ITEMS)
        return alone and many and options.top is not None and options.top <= _LONG_LIST

    @cached_property
    def tree(self) -> PlaceIndex:
        return self.index or PlaceIndex(self.items.places, self.items.precedence)

    @cached_property
    def scale(self) -> FloatArray:
        """Kilometres over which each user's scores fall, shape (u,)."""
        if self.options.scale is not None:
            return np.full(len(self.users), self.options.scale)
        learned = self.options.score == "weights" and self.options.zone_weights
        if self.options.score in {"linear", "rank"} or learned:
            return np.ones(len(self.users))
        if self.km is not None and len(self.items) <= SAMPLE:
            return middle_km(self.km)
        return typical_km(self.users.places, self.items.places)

    @cached_property
    def attribute(self) -> FloatArray:
        assert self.items.attribute is not None
        return scaled(self.items.attribute)

    @cached_property
    def item_codes(self) -> IntArray:
        """Zone of every item, where it is the same for every user."""
        return self.zones[0].codes(np.empty(0), self.items.places)

    @cached_property
    def region_factor(self) -> FloatArray:
        """Mean weight of every item's zones, where they are the same for every user."""
        return self._mean_weight(np.empty((1, 0)), self._region_weights)

    @cached_property
    def zone_score(self) -> FloatArray:
        """Sum of learned weights of every item's zones, where they are the same for every user."""
        return self._mean_weight(np.empty((1, 0)), np.array(self.options.zone_weights))

    @property
    def _region_weights(self) -> FloatArray:
        given = dict(self.options.region_weights)
        return np.array([given.get(name, 1.0) for name in self.zones[0].names])

    def nearest(self, chosen: IntArray) -> Rows:
        """Rank by the tree."""
        options, places = self.options, self.users.places[chosen]
        assert options.top is not None
        n = len(self.items)
        item, km = self.tree.nearest(places, min(options.top, max(n, 1)), options.max_km, threads=threads())
        if options.score == "exp":
            score = proximity(km, "exp", self.scale[chosen])
        elif options.score == "rank":
            score = 1 - nearer(km) / max(n, 1)
        else:
            score = 1 - km / self._farthest(places)[:, None]
        kept = item >= 0
        if options.min_score is not None:
            kept &= score >= options.min_score
        user, column = np.nonzero(kept)
        rank = position(user) + 1
        return chosen[user], item[user, column], rank, km[user, column], score[user, column]

    def _farthest(self, places: FloatArray) -> FloatArray:
        """Return how far each user's farthest item is: the one nearest to the antipode."""
        opposite = np.column_stack([-places[:, 0], places[:, 1] - np.copysign(180, places[:, 1])])
        item = self.tree.nearest(opposite, 1, threads=threads())[0][:, 0]
        km = paired_km(places, self.items.places[item]) if len(self.items) else np.ones(len(places))
        return np.where(km > 0, km, 1.0)

    def ranked(self, chosen: IntArray) -> Rows:
        """Rank by a look at all items."""
        options = self.options
        km = great_circle_km(self.users.places[chosen], self.items.places) if self.km is None else self.km
        score = normalized(self._scores(chosen, km), options.normalize)
        codes = None
        if options.keep_zones or options.max_per_region is not None:
            zones = self.zones[0]
            codes = self.item_codes if zones.of_items else zones.codes(km, self.items.places)
        kept = self._mask(km, score, codes)

        def precedence() -> IntArray:
            return self.items.precedence

        user, item = select(
            score,
            km,
            kept,
            top=options.top,
            zones=codes,
            most=options.max_per_region,
            precedence=precedence,
        )
        rank = position(user) + 1
        if options.list_all:
            place = np.zeros(km.shape, dtype=np.int64)
            place[user, item] = rank
            user, item = select(score, km, precedence=precedence)
            order = np.lexsort((place[user, item] == 0, user))  # stable: what is left out keeps its order
            user, item = user[order], item[order]
            rank = place[user, item]
        return chosen[user], item, rank, km[user, item], score[user, item]

    def _mask(self, km: FloatArray, score: FloatArray, codes: IntArray | None) -> NDArray[np.bool_] | None:
        options = self.options
        masks: list[NDArray[np.bool_]] = []
        if options.max_km is not None:
            masks.append(km <= options.max_km)
        if options.min_score is not None:
            masks.append(score >= options.min_score)
        if options.keep_zones:
            assert codes is not None
            named = [self.zones[0].names.index(name) for name in options.keep_zones]
            masks.append(np.broadcast_to(np.isin(codes, named), km.shape))
        return np.logical_and.reduce(masks) if masks else None

    def _scores(self, chosen: IntArray, km: FloatArray) -> FloatArray:
        options = self.options
        if options.score != "weights":
            score = proximity(km, options.score, self.scale[chosen])
        elif options.zone_weights:
            score = np.zeros(km.shape)
        else:
            score = self._fallen(chosen, km)
        if options.zone_weights:
            of_items = self.zones[0].of_items
            score += self.zone_score if of_items else self._mean_weight(km, np.array(options.zone_weights))
        if options.attribute_weight:
            score = hybrid(score, self.attribute, options.attribute_weight)
        if options.region_weights:
            of_items = self.zones[0].of_items
            factor = self.region_factor if of_items else self._mean_weight(km, self._region_weights)
            score = score * factor
        return score

    def _fallen(self, chosen: IntArray, km: FloatArray) -> FloatArray:
        """Score by weights of zones that fall with the distance from the user to the zones.

        An item takes from each zone by how near its distance is to the zone's, so that nearer items score
        higher whatever the zones are.
        """
        away = self.zones[0].away(self.users.places[chosen])
        weights = falling_weights(away, self.scale[chosen])
        found = np.empty(km.shape)
        for user, (line, centers) in enumerate(zip(km, away, strict=True)):
            width = half_gap(np.sort(centers))

            def weighed(rows: slice, user: int = user, width: float = width) -> FloatArray:
                apart = np.abs(km[user, rows, None] - away[user])
                return weighted_sum(memberships(apart, "gaussian", width), weights[user])

            found[user] = by_pieces(len(line), len(centers), self.options.block, weighed)
        return found

    def _mean_weight(self, km: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the sum of memberships times weights of zones: (u, n) for bands, else (n,)."""
        zones, kind, places = self.zones[0], self.options.membership, self.items.places
        if zones.of_items:

            def of_items(rows: slice) -> FloatArray:
                row = np.arange(len(places))[rows]
                return weighted_sum(zones.belonging(kind, km[0], places[rows], row), weights)

            return by_pieces(len(places), len(zones), self.options.block, of_items)

        def of_pairs(rows: slice) -> FloatArray:
            return weighted_sum(zones.belonging(kind, km.reshape(-1)[rows], places), weights)

        return by_pieces(km.size, len(zones), self.options.block, of_pairs).reshape(km.shape)


def _notes(users: Users, options: RankOptions, served: IntArray, chosen: IntArray) -> tuple[str, ...]:
    """Say for how many of the chosen users nothing is left, by those of the rows that are kept."""
    empty = chosen[np.bincount(served, minlength=len(users))[chosen] == 0]
    if not len(empty):
        return ()
    within = ""
    if options.max_km is not None:
        within = f" within {options.max_km / UNITS[options.units]:g} {options.units}"
    return (f"nothing is left{within} for {counted(len(empty), 'place')}: {listed(users.ids[empty], 5)}",)
