"""`Ranking`: who is ranked where, as a long table of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regionalize.studies.rank.options import UNITS, RankOptions
from regionalize.studies.rank.places import Items, Users
from regionalize.studies.rank.zones import Zones

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_CACHED = 1 << 17
"""Cells of a table that stay near the processor: larger ones take longer."""


@dataclass(frozen=True)
class Ranking:
    """Items ranked for places: m rows, users in their order, the best item first.

    Attributes
    ----------
    items, users, options
        What was ranked, for whom, and how.
    zones : tuple of Zones
        Levels of zones.
    user, item : (m,) int64
        Rows among users and items.
    rank : (m,) int64
        From 1; 0 for what is listed though it was left out.
    km, score : (m,) float64
    notes : tuple of str
    """

    items: Items
    users: Users
    options: RankOptions
    zones: tuple[Zones, ...]
    user: IntArray
    item: IntArray
    rank: IntArray
    km: FloatArray
    score: FloatArray
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.user)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each row is in range, scored and placed as asked, shape (m,)."""
        return self.rank > 0

    @property
    def distance(self) -> FloatArray:
        """Distances in the unit of the options, shape (m,)."""
        return self.km / UNITS[self.options.units]

    @cached_property
    def codes(self) -> tuple[IntArray, ...]:
        """Zone of every row, from 0, for each level: shapes (m,); -1 for none."""
        places = self.items.places[self.item]
        return tuple(zones.codes(self.km, places, self.item) for zones in self.zones)

    @cached_property
    def memberships(self) -> tuple[FloatArray, ...]:
        """How much every row belongs to each zone, for each level: shapes (m, K), rows sum to 1."""
        return tuple(
            by_pieces(len(self), len(zones), self.options.block, self._belonging(zones))
            for zones in self.zones
        )

    def _belonging(self, zones: Zones) -> Callable[[slice], FloatArray]:
        def of_rows(rows: slice) -> FloatArray:
            item = self.item[rows]
            return zones.belonging(self.options.membership, self.km[rows], self.items.places[item], item)

        return of_rows


def by_pieces(rows: int, width: int, block: int, work: Callable[[slice], FloatArray]) -> FloatArray:
    """Call `work` on slices of the rows of which a table `width` wide is no larger than a block."""
    step = max(1, min(block, _CACHED) // width)
    pieces = [work(slice(start, start + step)) for start in range(0, max(rows, 1), step)]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
