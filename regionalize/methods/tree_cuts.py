"""Cut trees of units into regions: each time the cut that lowers the within sum of squares most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.forest import COMPILED_LINKS, minimum_forest
from regionalize.kernels.regions import SLACK
from regionalize.kernels.trees import lay_out, room_in_subtrees
from regionalize.methods.feasible import (
    not_found,
    refuse_poor_component,
    too_few_regions,
    too_many_regions,
)
from regionalize.model.bounds import Bound

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COMPILED_UNITS = 1700
"""Units from which compiled kernels are used: below, Python ends before the compiler is loaded."""


@dataclass(frozen=True)
class Part:
    """A tree that may be cut further.

    Attributes
    ----------
    units : (m,) int64
        In an order in which every subtree is one run.
    size : (m,) int64
        Units of each subtree.
    gain : (m,) float64
        What cutting off each subtree takes off the within sum of squares; -inf where it may not be.
    need, room : int
        The least number of regions the upper bounds make of it, and the most that the lower bounds allow.
    more_need, less_room : (m,) int64
        By how much a cut raises the one and lowers the other, both sides together.
    """

    units: IntArray
    size: IntArray
    gain: FloatArray
    need: int
    room: int
    more_need: IntArray
    less_room: IntArray

    def best_cut(self, spare_need: int, spare_room: int) -> tuple[float, int]:
        """Return the greatest gain of a cut that leaves enough to spare, and its place."""
        allowed = (self.more_need <= spare_need) & (self.less_room <= spare_room)
        gain = np.where(allowed, self.gain, -np.inf)
        place = int(gain.argmax())
        return float(gain[place]), place


def spanning_trees(
    n: int, first: IntArray, second: IntArray, length: FloatArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Find the minimum spanning forest of links (m,); ties go to the lower rows.

    Returns
    -------
    units, size : (n,) int64
        As `regionalize.kernels.trees.lay_out` gives them.
    links : (t,) int64
        Which links are of the forest.
    """
    fast = (len(first) >= COMPILED_LINKS or n >= COMPILED_UNITS) and compiles()
    place = compiled(lay_out) if fast else lay_out
    links = minimum_forest(first, second, length, n)
    row = np.concatenate([first[links], second[links]])
    neighbor = np.concatenate([second[links], first[links]])
    by_row = np.argsort(row * n + neighbor)
    indptr = np.searchsorted(row[by_row], np.arange(n + 1))
    units, size = place(indptr, neighbor[by_row])
    return units, size, links


def cut_trees(
    X: FloatArray, units: IntArray, size: IntArray, k: int, bounds: Sequence[Bound] = ()
) -> IntArray:
    """Cut a forest into k regions.

    Each time the cut that takes most off the within sum of squares, of those that leave no less than a lower
    bound on either side, and enough regions for what the upper bounds still need.

    Parameters
    ----------
    X : (n, p) float64
        Variables.
    units, size : (n,) int64
        The forest, laid out.
    k : int
        Number of regions, at least the number of trees.
    bounds : sequence of Bound
        What every region must hold.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    InfeasibleError
        The trees cannot be cut so; says how many regions there can be, or what does not fit.

    References
    ----------
    Assunção, Neves, Câmara and da Costa Freitas (2006), SKATER.
    """
    X = X - X.mean(axis=0)
    parts, start = [], 0
    while start < len(units):
        stop = start + size[start]
        parts.append(_part(X, units[start:stop], size[start:stop], bounds))
        start = stop
    for bound in bounds:
        tree = np.empty(len(units), dtype=np.int64)
        tree[units] = np.repeat(np.arange(len(parts)), [len(part.units) for part in parts])
        refuse_poor_component(tree, np.bincount(tree, bound.amount).astype(np.float64), bound)
    found = _cut(X, parts, k, bounds, thrifty=False)
    if not _is_done(found, k) and any(np.isfinite(bound.upper) for bound in bounds):
        found = _cut(X, parts, k, bounds, thrifty=True)
    if not _is_done(found, k):
        raise _impossible(found, k, bounds)
    labels = np.empty(len(units), dtype=np.int64)
    for number, part in enumerate(found):
        labels[part.units] = number
    return labels


def _cut(
    X: FloatArray, parts: Sequence[Part], k: int, bounds: Sequence[Bound], *, thrifty: bool
) -> list[Part]:
    """Cut until there are k parts, or no cut leaves enough to spare.

    Spare regions go to the best cut; if `thrifty`, to the parts that hold too much, and to these only where
    no cut does without.
    """
    parts = list(parts)
    best: list[tuple[float, int]] = []
    while len(parts) < k:
        spare_need = k - sum(part.need for part in parts)
        spare_room = sum(part.room for part in parts) - k
        if min(spare_need, spare_room) < 0:
            break
        if bounds:
            best = []  # what is allowed has changed
        best += [part.best_cut(spare_need, spare_room) for part in parts[len(best) :]]
        if thrifty and any(part.need > 1 for part in parts):
            for least in (0, spare_need):
                best = [part.best_cut(least, spare_room) if part.need > 1 else (-np.inf, 0) for part in parts]
                if max(best)[0] > -np.inf:
                    break
        chosen = max(range(len(parts)), key=lambda number: best[number][0])
        if best[chosen][0] == -np.inf:
            break
        parts += _halves(X, parts.pop(chosen), best.pop(chosen)[1], bounds)
    return parts


def _is_done(parts: Sequence[Part], k: int) -> bool:
    return len(parts) == k and all(part.need == 1 for part in parts)


def _part(X: FloatArray, units: IntArray, size: IntArray, bounds: Sequence[Bound]) -> Part:
    """Weigh all cuts of a tree by running sums: a subtree's sum is a difference of two."""
    m = len(units)
    total, below = _subtree_sums(X[units], size)
    gain = _squares(below) / size + _squares(total - below) / np.maximum(m - size, 1)
    gain -= float(total @ total) / m
    gain[0] = -np.inf  # the whole tree is no cut
    need, more_need = 1, np.ones(m, dtype=np.int64)
    upper = [bound for bound in bounds if np.isfinite(bound.upper)]
    if upper:
        parts_needed = np.ones((3, m), dtype=np.int64)  # by the tree, each subtree, and what it leaves
        for bound in upper:
            held, amount = _subtree_sums(bound.amount[units, None], size)
            shares = np.stack([np.full(m, held[0]), amount[:, 0], held[0] - amount[:, 0]])
            shares = np.ceil(shares / (bound.upper * (1 + SLACK))) if bound.upper else shares > 0
            parts_needed = np.maximum(parts_needed, shares.astype(np.int64))
        need, more_need = int(parts_needed[0, 0]), parts_needed[1] + parts_needed[2] - parts_needed[0]
    room, less_room = m, np.zeros(m, dtype=np.int64)
    lower = [bound for bound in bounds if np.isfinite(bound.lower)]
    if lower:
        count = compiled(room_in_subtrees) if m >= COMPILED_LINKS and compiles() else room_in_subtrees
        inside, outside = count(
            size,
            np.stack([bound.amount[units] for bound in lower], axis=1).astype(np.float64),
            np.array([bound.lower * (1 - SLACK) for bound in lower], dtype=np.float64),
        )
        gain[(inside == 0) | (outside == 0)] = -np.inf
        room, less_room = int(inside[0]), inside[0] - inside - outside
    return Part(units, size, gain, need, room, more_need, less_room)


def _subtree_sums(values: FloatArray, size: IntArray) -> tuple[FloatArray, FloatArray]:
    """Sum of all rows (p,), and over the subtree of each (m, p)."""
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return running[-1], running[np.arange(len(size)) + size] - running[:-1]


def _squares(sums: FloatArray) -> NDArray[Any]:
    return np.asarray(np.einsum("ij,ij->i", sums, sums))


def _halves(X: FloatArray, part: Part, start: int, bounds: Sequence[Bound]) -> tuple[Part, Part]:
    """Cut a part: what is left of it, and the subtree that starts at place `start`."""
    count = part.size[start]
    stop = start + count
    size = part.size.copy()
    size[:start] -= np.where(np.arange(start) + size[:start] > start, count, 0)  # those above the cut
    rest = np.r_[0:start, stop : len(size)]
    return (
        _part(X, part.units[rest], size[rest], bounds),
        _part(X, part.units[start:stop], size[start:stop], bounds),
    )


def _impossible(parts: Sequence[Part], k: int, bounds: Sequence[Bound]) -> Exception:
    """Say why the trees cannot be cut into k regions, as far as is known."""
    need, room = sum(part.need for part in parts), sum(part.room for part in parts)
    if room < k:
        return too_many_regions(k, room, bounds, "the tree of neighbours")
    if need > k:
        return too_few_regions(k, need, bounds)
    return not_found(k, bounds, "cut the tree of neighbours into")
