"""Improve contiguous regions: units cross borders, two regions are joined and one is cut in two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.border_moves import move_borders
from regionalize.kernels.compiler import compiled
from regionalize.methods.contiguous_links import contiguous_links
from regionalize.methods.tree_cuts import cut_trees, spanning_trees

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COMPILED_UNITS = 300
"""Units from which the compiled kernel moves them: below, Python ends before the compiler is loaded."""
LEAST_GAIN = 1e-9
"""Share of the within sum of squares that an improvement takes off at least: less may be rounding."""
MOST_SWEEPS = 100
"""Rounds over all units after which borders are left as they are."""
TRIES = 60
"""Pairs of regions tried for joining before the search ends without having found an improvement."""
MANY_UNITS = 5_000
"""Units from which fewer pairs are tried, in inverse proportion, since every try costs more."""


def merge_and_split(values: FloatArray, region: IntArray, links: Weights) -> IntArray:
    """Lower the within sum of squares of k contiguous regions; nothing is drawn at random.

    First single units cross borders. Then, the most promising first, two neighbouring regions are joined, the
    region that gains most by it is cut in two along its minimum spanning tree, and units cross the new
    borders; what is better than before is kept. The search ends when no pair tried helps.

    Parameters
    ----------
    values : (n, p) float64
        Variables.
    region : (n,) int64
        Region 0 … k - 1 of each unit, each connected.
    links : Weights
        Neighbours of the n units, both ways.

    Returns
    -------
    (n,) int64
        Regions, as many as before, each connected.

    Examples
    --------
    Four units in a row, cut in the wrong place.

    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(3)
    >>> path = Weights.from_links(4, np.r_[row, row + 1], np.r_[row + 1, row], kind="example")
    >>> merge_and_split(np.array([[0.0], [0], [9], [9]]), np.array([0, 0, 0, 1]), path).tolist()
    [0, 0, 1, 1]
    """
    best = Regions(values, region, links)
    best.move()
    tries = max(5, min(TRIES, TRIES * MANY_UNITS // len(values)))
    while True:
        for tried in best.neighbours_by_promise(tries):
            if tried.within < best.within * (1 - LEAST_GAIN):
                best = tried
                break
        else:
            return best.region


class Regions:
    """Connected regions with their sums; what they would gain by a cut is found when it is asked for."""

    def __init__(self, values: FloatArray, region: IntArray, links: Weights) -> None:
        self.values, self.links, self.region = values, links, region.copy()
        self.k = int(region.max()) + 1
        self.cuts: dict[int, tuple[float, IntArray]] = {}
        """Gain of cutting a region in two, and the units of one part."""

    def measure(self) -> None:
        """Bring sums and sizes in line with `region`."""
        p = self.values.shape[1]
        self.size = np.bincount(self.region, minlength=self.k)
        self.sums = np.empty((self.k, p))
        for j in range(p):
            self.sums[:, j] = np.bincount(self.region, self.values[:, j], minlength=self.k)
        apart = self.values - (self.sums / self.size[:, None])[self.region]
        self.within = float(np.einsum("ij,ij->", apart, apart))

    def move(self) -> None:
        """Let units cross borders."""
        self.measure()
        run = compiled(move_borders) if len(self.region) >= COMPILED_UNITS else move_borders
        moved = run(
            self.links.indptr,
            self.links.indices,
            self.values,
            self.region,
            self.sums,
            self.size,
            LEAST_GAIN * self.within,
            MOST_SWEEPS,
        )
        if moved:
            self.measure()  # afresh: sums that were added to and taken from have rounding in them

    def cut(self, units: IntArray) -> tuple[float, IntArray]:
        """Cut connected units in two along their minimum spanning tree; return the gain and one part."""
        inside = self.links.subset(units)
        values = self.values[units]
        first, second = contiguous_links(inside)
        apart = values[first] - values[second]
        order, size, _ = spanning_trees(len(units), first, second, np.einsum("ij,ij->i", apart, apart))
        part = units[cut_trees(values, order, size, 2) == 1]
        other = np.setdiff1d(units, part, assume_unique=True)
        means = self.values[part].mean(axis=0) - self.values[other].mean(axis=0)
        gain = len(part) * len(other) / len(units) * float(means @ means)
        return gain, part

    def cut_of(self, one: int) -> tuple[float, IntArray]:
        """Return what cutting a region in two takes off, and one of its parts; nothing for a single unit."""
        if one not in self.cuts:
            units = np.flatnonzero(self.region == one)
            self.cuts[one] = self.cut(units) if len(units) > 1 else (0.0, units)
        return self.cuts[one]

    def neighbours_by_promise(self, most: int) -> Iterator[Regions]:
        """Give better or worse regions near these: two joined and another cut, or the two cut elsewhere.

        Of either kind at most `most`, what changes the within sum of squares least for the worse first.
        """
        joins = self.joins()
        cuts = [self.cut_of(one)[0] for one in range(self.k)]
        by_gain = sorted(range(self.k), key=lambda one: -cuts[one])
        exchanges = []
        for lost, a, b in joins:
            others = [c for c in by_gain[:4] if c not in (a, b) and self.size[c] > 1]
            exchanges += [(lost - cuts[c], a, b, c) for c in others[:2]]
        for _, a, b, c in sorted(exchanges)[:most]:
            region = np.where(self.region == b, a, self.region)
            region[self.cut_of(c)[1]] = b
            yield self.changed_to(region)
        for _, a, b in sorted(joins)[:most]:
            units = np.flatnonzero((self.region == a) | (self.region == b))
            region = self.region.copy()
            region[units] = a
            region[self.cut(units)[1]] = b
            yield self.changed_to(region)

    def joins(self) -> list[tuple[float, int, int]]:
        """Return every pair of regions that touch, with what joining them adds."""
        here, there = self.region[self.links.row], self.region[self.links.indices]
        key = np.unique((here * self.k + there)[here < there])
        first, second = key // self.k, key % self.k
        means = self.sums / self.size[:, None]
        apart = means[first] - means[second]
        cost = self.size[first] * self.size[second] / (self.size[first] + self.size[second])
        cost *= np.einsum("ij,ij->i", apart, apart)
        return list(zip(cost.tolist(), first.tolist(), second.tolist(), strict=True))

    def changed_to(self, region: IntArray) -> Regions:
        """Return other regions of the same units, borders moved; what is known of unchanged ones is kept."""
        found = Regions(self.values, region, self.links)
        found.move()
        other = found.region != self.region
        changed = {*self.region[other].tolist(), *found.region[other].tolist()}
        found.cuts = {one: cut for one, cut in self.cuts.items() if one not in changed}
        return found
