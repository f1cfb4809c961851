"""Cut trees of units into regions: each time the cut that lowers the within sum of squares most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError
from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.trees import lay_out, spanning_forest
from regionalize.model.bounds import Bound

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COMPILED_LINKS = 5000
"""Links from which the compiled kernels are used: below, Python ends before the compiler is loaded."""
SLACK = 1e-9
"""Relative rounding allowed when sums are compared with a bound."""


@dataclass(frozen=True)
class Part:
    """A tree that may be cut further.

    `units` are in an order in which every subtree is one run, of `size` units. `cut` is the place in that
    order of the subtree best cut off, and `gain` what this takes off the within sum of squares; -inf where
    there is no cut that keeps the lower bounds.
    """

    units: IntArray
    size: IntArray
    cut: int
    gain: float
    is_over: bool


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
    fast = len(first) >= COMPILED_LINKS and compiles()
    choose = compiled(spanning_forest) if fast else spanning_forest
    place = compiled(lay_out) if fast else lay_out
    order = np.lexsort((second, first, length))
    links = order[choose(first[order], second[order], n)]
    row = np.concatenate([first[links], second[links]])
    neighbor = np.concatenate([second[links], first[links]])
    by_row = np.lexsort((neighbor, row))
    indptr = np.searchsorted(row[by_row], np.arange(n + 1))
    units, size = place(indptr, neighbor[by_row])
    return units, size, links


def cut_trees(
    X: FloatArray, units: IntArray, size: IntArray, k: int, bounds: Sequence[Bound] = ()
) -> IntArray:
    """Cut a forest into k regions.

    A part that holds more than an upper bound allows is cut before any other; otherwise the part whose
    best cut takes most off the within sum of squares. A cut that leaves less than a lower bound on either
    side is none.

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
    while len(parts) < k:
        gains = np.array([part.gain for part in parts])
        over = np.array([part.is_over for part in parts]) & np.isfinite(gains)
        chosen = int(np.where(over, gains, -np.inf).argmax()) if over.any() else int(gains.argmax())
        if not np.isfinite(gains[chosen]):
            raise _too_few(len(parts), k, bounds)
        parts[chosen : chosen + 1] = _halves(X, parts[chosen], bounds)
    for part in parts:
        _refuse(part, bounds)
    labels = np.empty(len(units), dtype=np.int64)
    for number, part in enumerate(parts):
        labels[part.units] = number
    return labels


def _part(X: FloatArray, units: IntArray, size: IntArray, bounds: Sequence[Bound]) -> Part:
    """Find the best cut of a tree from running sums: a subtree's sum is a difference of two."""
    is_over = any(
        bound.amount[units].sum() > bound.upper * (1 + SLACK) for bound in bounds if np.isfinite(bound.upper)
    )
    if len(units) == 1:
        return Part(units, size, 0, -np.inf, is_over)
    total, below = _subtree_sums(X[units], size)
    rest = total - below
    gain = _squares(below) / size + _squares(rest) / np.maximum(len(units) - size, 1)
    gain -= float(total @ total) / len(units)
    gain[0] = -np.inf  # the whole tree is no cut
    for bound in bounds:
        if np.isfinite(bound.lower):
            held, amount = _subtree_sums(bound.amount[units, None], size)
            least = bound.lower * (1 - SLACK)
            gain[(amount[:, 0] < least) | (held[0] - amount[:, 0] < least)] = -np.inf
    cut = int(gain.argmax())
    return Part(units, size, cut, float(gain[cut]), is_over)


def _subtree_sums(values: FloatArray, size: IntArray) -> tuple[FloatArray, FloatArray]:
    """Sum of all rows (p,), and over the subtree of each (m, p)."""
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return running[-1], running[np.arange(len(size)) + size] - running[:-1]


def _squares(sums: FloatArray) -> NDArray[Any]:
    return np.asarray(np.einsum("ij,ij->i", sums, sums))


def _halves(X: FloatArray, part: Part, bounds: Sequence[Bound]) -> tuple[Part, Part]:
    """Carry out a part's best cut: what is left of it, and what is cut off."""
    start, count = part.cut, part.size[part.cut]
    stop = start + count
    place = np.arange(start)
    size = part.size.copy()
    size[:start] -= np.where(place + size[:start] > start, count, 0)  # those above the cut
    rest = np.r_[0:start, stop : len(size)]
    return (
        _part(X, part.units[rest], size[rest], bounds),
        _part(X, part.units[start:stop], size[start:stop], bounds),
    )


def _too_few(found: int, k: int, bounds: Sequence[Bound]) -> InfeasibleError:
    lower = " and ".join(f"{bound.lower:g} {bound.name}" for bound in bounds if np.isfinite(bound.lower))
    return InfeasibleError(
        f"the tree can be cut into {found} regions of at least {lower}, not {k}",
        advice=f"ask for at most {found} regions, or lower the minimum",
    )


def _refuse(part: Part, bounds: Sequence[Bound]) -> None:
    """Refuse a part that holds too much, or a whole component that holds too little."""
    for bound in bounds:
        held = float(bound.amount[part.units].sum())
        where = f"the region of unit {part.units.min() + 1} ({len(part.units)} units)"
        if held < bound.lower * (1 - SLACK):
            raise InfeasibleError(
                f"{where} cannot be joined to any other and holds {held:g} {bound.name}, "
                f"less than the minimum of {bound.lower:g}",
                advice="lower the minimum, or join what lies apart with --islands nearest",
            )
        if held > bound.upper * (1 + SLACK):
            raise InfeasibleError(
                f"cutting the tree leaves {where} with {held:g} {bound.name}, "
                f"more than the maximum of {bound.upper:g}",
                advice="raise the maximum, or ask for more regions",
            )
