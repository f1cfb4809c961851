"""Regions as arrays that searches keep up to date, and what a unit's move does to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


EXACT = 1e-12
"""Relative to all variation: differences below are rounding."""
SLACK = 1e-9
"""Relative rounding allowed when sums are compared with a bound."""
FURTHEST = 100
"""Units looked at to see whether a region stays connected; further is not worth the time."""


class Units(NamedTuple):
    """The n units: `X` (n, p) variables, centred; `amount` (n, b) towards bounds; whether `fixed` (n,)."""

    X: FloatArray
    amount: FloatArray
    fixed: BoolArray


class Graph(NamedTuple):
    """Neighbours, both ways, as compressed sparse rows."""

    indptr: IntArray
    indices: IntArray


class Limits(NamedTuple):
    """What regions must hold, (b,) each, scaled so that a breach of 1 is large; what that costs."""

    lower: FloatArray
    upper: FloatArray
    penalty: float


class Regions(NamedTuple):
    """`labels` (n,), 0 … k - 1, and per region `sums` (k, p), `size` (k,), `held` (k, b), `fixed` (k,)."""

    labels: IntArray
    sums: FloatArray
    size: IntArray
    held: FloatArray
    fixed: IntArray


class Walk(NamedTuple):
    """Room for `stays_connected` to work in: (n,) each but `clock` (1,), the last two (largest degree,)."""

    clock: IntArray
    seen_at: IntArray
    group: IntArray
    waiting: IntArray
    leader: IntArray
    unfinished: IntArray


def count_up(labels: IntArray, units: Units, k: int) -> Regions:
    """Sum up regions from their units."""
    n, p = units.X.shape
    sums, held = np.zeros((k, p)), np.zeros((k, units.amount.shape[1]))
    count, fixed = np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64)
    for unit in range(n):
        region = labels[unit]
        for variable in range(p):
            sums[region, variable] += units.X[unit, variable]
        for bound in range(held.shape[1]):
            held[region, bound] += units.amount[unit, bound]
        count[region] += 1
        if units.fixed[unit]:
            fixed[region] += 1
    return Regions(labels, sums, count, held, fixed)


def room_to_walk(graph: Graph) -> Walk:
    """Make room for `stays_connected`."""
    n = len(graph.indptr) - 1
    widest = 1
    for unit in range(n):
        widest = max(widest, graph.indptr[unit + 1] - graph.indptr[unit])
    return Walk(
        np.zeros(1, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.empty(n, dtype=np.int64),
        np.empty(n, dtype=np.int64),
        np.empty(widest, dtype=np.int64),
        np.empty(widest, dtype=np.int64),
    )


def within_cost(sums: FloatArray, count: int) -> float:
    """Return a region's within sum of squares less that of its units about the overall mean."""
    total = 0.0
    for variable in range(len(sums)):
        total += sums[variable] * sums[variable]
    return -total / count


def missed_by(held: float, lower: float, upper: float) -> float:
    """Return what an amount lacks of a lower or exceeds of an upper bound, 0 where that is rounding."""
    if lower - held > SLACK * lower:
        return lower - held
    return held - upper if held - upper > SLACK * upper else 0.0


def breach(held: FloatArray, limits: Limits) -> float:
    """Sum what a region lacks of lower and exceeds of upper bounds."""
    total = 0.0
    for bound in range(len(held)):
        total += missed_by(held[bound], limits.lower[bound], limits.upper[bound])
    return total


def breach_with(held: FloatArray, amount: FloatArray, times: float, limits: Limits) -> float:
    """Sum the same once a unit's amount has been added `times`."""
    total = 0.0
    for bound in range(len(held)):
        total += missed_by(held[bound] + times * amount[bound], limits.lower[bound], limits.upper[bound])
    return total


def saved_without(unit: int, region: int, units: Units, regions: Regions) -> float:
    """Return by how much a region's within sum of squares falls when one of its units leaves."""
    count = regions.size[region]
    distance = 0.0
    for variable in range(units.X.shape[1]):
        step = units.X[unit, variable] - regions.sums[region, variable] / count
        distance += step * step
    return float(distance * count / (count - 1))


def spent_with(unit: int, region: int, units: Units, regions: Regions) -> float:
    """Return by how much a region's within sum of squares rises when a unit joins."""
    count = regions.size[region]
    distance = 0.0
    for variable in range(units.X.shape[1]):
        step = units.X[unit, variable] - regions.sums[region, variable] / count
        distance += step * step
    return float(distance * count / (count + 1))


def put(unit: int, region: int, units: Units, regions: Regions) -> None:
    """Move a unit to a region."""
    own = regions.labels[unit]
    for variable in range(units.X.shape[1]):
        regions.sums[own, variable] -= units.X[unit, variable]
        regions.sums[region, variable] += units.X[unit, variable]
    for bound in range(units.amount.shape[1]):
        regions.held[own, bound] -= units.amount[unit, bound]
        regions.held[region, bound] += units.amount[unit, bound]
    regions.size[own] -= 1
    regions.size[region] += 1
    regions.labels[unit] = region


def add_up(regions: Regions, limits: Limits) -> tuple[float, float]:
    """Return the breach and the cost of regions: within sum of squares less that about the overall mean."""
    broken, cost = 0.0, 0.0
    for region in range(len(regions.size)):
        cost += within_cost(regions.sums[region], regions.size[region])
        broken += breach(regions.held[region], limits)
    return broken, cost


def measure(labels: IntArray, units: Units, limits: Limits, k: int) -> tuple[float, float]:
    """Return the breach and the cost of a grouping."""
    return add_up(count_up(labels, units, k), limits)


def cheapest_move(
    unit: int, barred: BoolArray, units: Units, graph: Graph, limits: Limits, regions: Regions
) -> tuple[int, float, float]:
    """Return where a unit moves at least cost, what the cost rises by, penalty included, and the relief.

    A region that is `barred` (k,) is left out, as is one where bounds would be breached more. Without any,
    the answer is (-1, infinite, 0).
    """
    own = regions.labels[unit]
    target, least, relieved = -1, np.inf, 0.0
    if units.fixed[unit] or regions.size[own] == 1:
        return target, least, relieved
    saved, eased = -1.0, 0.0
    for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
        region = regions.labels[graph.indices[link]]
        if region in (own, target) or barred[region]:
            continue
        if saved < 0.0:
            saved = saved_without(unit, own, units, regions)
            eased = breach(regions.held[own], limits)
            eased -= breach_with(regions.held[own], units.amount[unit], -1.0, limits)
        relief = eased + breach(regions.held[region], limits)
        relief -= breach_with(regions.held[region], units.amount[unit], 1.0, limits)
        rise = spent_with(unit, region, units, regions) - saved - limits.penalty * relief
        if rise < least and relief > -EXACT:
            target, least, relieved = region, rise, relief
    return target, least, relieved


def is_better(broken: float, cost: float, standing: FloatArray) -> bool:
    """Whether breach and cost are better than the best: bounds come first."""
    return bool(
        broken < standing[0] - EXACT or (broken <= standing[0] + EXACT and cost < standing[1] - EXACT)
    )


def stays_connected(unit: int, labels: IntArray, graph: Graph, walk: Walk) -> bool:
    """Tell whether a unit's region is seen to hang together without it.

    It walks from all the unit's neighbours in the region at once, until what they reach has met (mostly
    within a step or two) or cannot grow. A way round of more than `FURTHEST` units counts as none.

    Examples
    --------
    A square of four units in one region, without and with the corner opposite.

    >>> graph = Graph(np.array([0, 2, 4, 6, 8]), np.array([1, 2, 0, 3, 0, 3, 1, 2]))
    >>> walk = room_to_walk(graph)
    >>> stays_connected(0, np.array([0, 0, 0, 0]), graph, walk)
    True
    >>> stays_connected(0, np.array([0, 0, 0, 1]), graph, walk)
    False
    """
    region = labels[unit]
    walk.clock[0] += 1
    now = walk.clock[0]
    walk.seen_at[unit] = now
    groups = 0
    for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
        other = graph.indices[link]
        if labels[other] == region and walk.seen_at[other] != now:
            walk.seen_at[other] = now
            walk.group[other] = groups
            walk.waiting[groups] = other
            walk.leader[groups] = groups
            walk.unfinished[groups] = 1
            groups += 1
    apart, last, first = groups, groups, 0
    while apart > 1 and first < FURTHEST:  # every group has a unit waiting, or it would have ended the walk
        here = walk.waiting[first]
        first += 1
        own = walk.group[here]
        while walk.leader[own] != own:
            own = walk.leader[own]
        walk.unfinished[own] -= 1
        for link in range(graph.indptr[here], graph.indptr[here + 1]):
            other = graph.indices[link]
            if labels[other] != region or other == unit:
                continue
            if walk.seen_at[other] != now:
                walk.seen_at[other] = now
                walk.group[other] = own
                walk.waiting[last] = other
                last += 1
                walk.unfinished[own] += 1
                continue
            met = walk.group[other]
            while walk.leader[met] != met:
                met = walk.leader[met]
            if met != own:
                walk.leader[met] = own
                walk.unfinished[own] += walk.unfinished[met]
                apart -= 1
        if walk.unfinished[own] == 0 and apart > 1:
            return False
    return apart == 1  # with no neighbour left, the region would vanish
