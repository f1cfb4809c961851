"""Automatic zoning: move one unit at a time to an adjacent region, in sweeps or with a tabu list."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.draws import draw
from regionalize.kernels.regions import (
    Graph,
    Limits,
    Regions,
    Units,
    Walk,
    add_up,
    cheapest_move,
    count_up,
    is_better,
    measure,
    put,
    room_to_walk,
    stays_connected,
)

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Border(NamedTuple):
    """Units with a neighbour in another region, and the cheapest move of each.

    `units` lists them, `place` tells where each stands (-1 elsewhere). Of the move: `target` (-1 for none),
    `rise` in cost, penalty included, and `relief` of breach. Whether the region `holds` together without the
    unit was last asked after `known` moves; `changed` (k,) tells after which move a region last changed.
    """

    units: IntArray
    place: IntArray
    target: IntArray
    rise: FloatArray
    relief: FloatArray
    holds: BoolArray
    known: IntArray
    changed: IntArray


class Tabu(NamedTuple):
    """A ring of moves not to be made, `unit` to `region`, and how often each unit is `listed` (n,)."""

    unit: IntArray
    region: IntArray
    listed: IntArray


class Tally(NamedTuple):
    """`moves` made, units in the `border`, moves that were `idle` since the best; (1,) each."""

    moves: IntArray
    border: IntArray
    idle: IntArray


def shuffle(items: IntArray, state: IntArray) -> None:
    """Bring items into a random order."""
    for last in range(len(items) - 1, 0, -1):
        other = int(draw(state) * (last + 1))
        items[last], items[other] = items[other], items[last]


def region_by_region(labels: IntArray, k: int, state: IntArray) -> IntArray:
    """List all units region by region, regions and the units of each in random order."""
    n = len(labels)
    shuffled, turn = np.arange(n), np.arange(k)
    shuffle(shuffled, state)
    shuffle(turn, state)
    following = np.zeros(k + 1, dtype=np.int64)
    for unit in range(n):
        following[turn[labels[unit]] + 1] += 1
    for place in range(k):
        following[place + 1] += following[place]
    order = np.empty(n, dtype=np.int64)
    for place in range(n):
        unit = shuffled[place]
        own = turn[labels[unit]]
        order[following[own]] = unit
        following[own] += 1
    return order


def sweep(
    labels: IntArray,
    state: IntArray,
    heat: float,
    slack: float,
    tolerance: FloatArray,
    units: Units,
    graph: Graph,
    limits: Limits,
    k: int,
) -> tuple[float, float]:
    """Try once to move each unit to the adjacent region where it costs least.

    A move is made when it leaves the donor connected, breaches no bound more, and lets the cost rise by no
    more than slack, or than heat times the within sum of squares times a tolerance drawn.

    Parameters
    ----------
    labels : (n,) int64
        Regions 0 … k - 1, every one connected; changed in place.
    state : (2,) int64
        Of the random numbers (`draw`).
    heat : float
        0 for moves that gain only.
    slack : float
        Just above 0 where moves that change nothing are to be made, just below 0 where not.
    tolerance : (t,) float64
        Drawn from evenly; quantiles of the exponential distribution make it annealing.
    units, graph, limits
        What is grouped; the sum of squares of all `X` should be about 1.
    k : int
        Number of regions.

    Returns
    -------
    float, float
        Breach and cost after the sweep.

    Examples
    --------
    A path of four units, badly cut.

    >>> none = np.empty((4, 0))
    >>> units = Units(np.array([[-0.5], [-0.5], [0.5], [0.5]]), none, np.zeros(4, dtype=bool))
    >>> graph = Graph(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]))
    >>> labels, limits = np.array([0, 1, 1, 1]), Limits(none[0], none[0], 10.0)
    >>> breach, cost = sweep(labels, np.array([1, 2]), 0.0, 0.0, np.ones(1), units, graph, limits, 2)
    >>> float(cost)
    -1.0
    >>> labels.tolist()
    [0, 0, 1, 1]
    """
    regions = count_up(labels, units, k)
    _, cost = add_up(regions, limits)
    walk = room_to_walk(graph)
    barred = np.zeros(k, dtype=np.bool_)
    for unit in region_by_region(labels, k, state):
        target, rise, relief = cheapest_move(unit, barred, units, graph, limits, regions)
        if target < 0:
            continue
        allowed = slack
        if rise > slack and heat > 0.0:
            allowed = heat * (1.0 + cost) * tolerance[int(draw(state) * len(tolerance))]
        if rise > allowed:
            continue
        if stays_connected(unit, labels, graph, walk):
            put(unit, target, units, regions)
            cost += rise + limits.penalty * relief
    return measure(labels, units, limits, k)  # from the units: sums that were added to are a little off


def appraise(
    unit: int,
    barred: BoolArray,
    units: Units,
    graph: Graph,
    limits: Limits,
    regions: Regions,
    border: Border,
    tally: Tally,
) -> None:
    """Find the cheapest move of a unit again, and list the unit as long as it is on a border."""
    outside = False
    for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
        outside = outside or regions.labels[graph.indices[link]] != regions.labels[unit]
    place = border.place[unit]
    if outside:
        target, rise, relief = cheapest_move(unit, barred, units, graph, limits, regions)
        border.target[unit], border.rise[unit], border.relief[unit] = target, rise, relief
        if place < 0:
            border.place[unit] = tally.border[0]
            border.units[tally.border[0]] = unit
            tally.border[0] += 1
    elif place >= 0:
        tally.border[0] -= 1
        last = border.units[tally.border[0]]
        border.units[place], border.place[last] = last, place
        border.place[unit] = -1


def appraise_around(
    unit: int,
    was: int,
    barred: BoolArray,
    units: Units,
    graph: Graph,
    limits: Limits,
    regions: Regions,
    border: Border,
    tally: Tally,
    walk: Walk,
) -> None:
    """Find the cheapest moves again that a unit's move from region `was` has changed.

    These are the moves out of and into its former and its new region, and its neighbours', some of which
    have come to a border or have left it.
    """
    labels = regions.labels
    walk.clock[0] += 1  # the walk's marks and its queue serve here as well
    now, found = walk.clock[0], 1
    walk.seen_at[unit] = now
    walk.waiting[0] = unit
    for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
        other = graph.indices[link]
        walk.seen_at[other] = now
        walk.waiting[found] = other
        found += 1
    for place in range(tally.border[0]):
        member = border.units[place]
        if labels[member] not in (was, labels[unit]):
            continue
        if walk.seen_at[member] != now:
            walk.seen_at[member] = now
            walk.waiting[found] = member
            found += 1
        for link in range(graph.indptr[member], graph.indptr[member + 1]):
            other = graph.indices[link]
            if labels[other] != labels[member] and walk.seen_at[other] != now:
                walk.seen_at[other] = now
                walk.waiting[found] = other
                found += 1
    for place in range(found):
        appraise(walk.waiting[place], barred, units, graph, limits, regions, border, tally)


def move_with_tabu(
    moves: int,
    patience: int,
    best_labels: IntArray,
    standing: FloatArray,
    current: FloatArray,
    units: Units,
    graph: Graph,
    limits: Limits,
    regions: Regions,
    border: Border,
    tabu: Tabu,
    tally: Tally,
    walk: Walk,
) -> bool:
    """Make the cheapest single move of all, again and again, but do not go back.

    The reverse of a move is tabu until as many moves have followed as the list is long, unless it leads to
    something better than the best so far. All moves allowed may cost; the best is kept.

    Parameters
    ----------
    moves : int
        How many to make.
    patience : int
        Moves without a new best after which to stop.
    best_labels : (n,) int64
        The best so far, replaced by better ones.
    standing, current : (2,) float64
        Breach and cost of the best so far, and of the current regions.
    units, graph, limits
        What is grouped; the sum of squares of all `X` should be about 1.
    regions, border, tabu, tally, walk
        Where the search is: another call goes on from there.

    Returns
    -------
    bool
        Whether it has come to its end: no move is possible, or patience is used up.

    References
    ----------
    Openshaw and Rao (1995), Algorithms for reengineering 1991 Census geography.
    """
    labels = regions.labels
    barred = np.zeros(len(regions.size), dtype=np.bool_)
    if tally.moves[0] == 0:
        for unit in range(len(labels)):
            appraise(unit, barred, units, graph, limits, regions, border, tally)
    improved, ended = False, False
    for _ in range(moves):
        chosen, towards, least, eased = -1, -1, np.inf, 0.0
        for place in range(tally.border[0]):
            unit = border.units[place]
            target, rise, relief = border.target[unit], border.rise[unit], border.relief[unit]
            if tabu.listed[unit] > 0 and target >= 0:
                cost = current[1] + rise + limits.penalty * relief
                if not is_better(current[0] - relief, cost, standing):
                    bar(unit, True, barred, tabu)
                    target, rise, relief = cheapest_move(unit, barred, units, graph, limits, regions)
                    bar(unit, False, barred, tabu)
            if target < 0 or rise >= least:
                continue
            if border.known[unit] < border.changed[labels[unit]]:
                border.known[unit] = tally.moves[0]
                border.holds[unit] = stays_connected(unit, labels, graph, walk)
            if border.holds[unit]:
                chosen, towards, least, eased = unit, target, rise, relief
        if chosen < 0 or tally.idle[0] >= patience:
            ended = True
            break
        broken, cost = current[0] - eased, current[1] + least + limits.penalty * eased
        better = is_better(broken, cost, standing)
        if improved and not better:  # only now, not with every step of a descent
            best_labels[:] = labels
        improved = better
        was = labels[chosen]
        put(chosen, towards, units, regions)
        current[0], current[1] = broken, cost
        if better:
            standing[0], standing[1] = broken, cost
        tally.idle[0] = 0 if better else tally.idle[0] + 1
        if len(tabu.unit) > 0:
            oldest = tally.moves[0] % len(tabu.unit)
            if tabu.unit[oldest] >= 0:
                tabu.listed[tabu.unit[oldest]] -= 1
            tabu.unit[oldest], tabu.region[oldest] = chosen, was
            tabu.listed[chosen] += 1
        tally.moves[0] += 1
        border.changed[was] = border.changed[towards] = tally.moves[0]
        appraise_around(chosen, was, barred, units, graph, limits, regions, border, tally, walk)
    if improved:
        best_labels[:] = labels
    return ended


def bar(unit: int, closed: bool, barred: BoolArray, tabu: Tabu) -> None:
    """Close or open the regions that a unit may not move to."""
    for entry in range(len(tabu.unit)):
        if tabu.unit[entry] == unit:
            barred[tabu.region[entry]] = closed
