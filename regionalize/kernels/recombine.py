"""Better regions: merge two, split one at the best cut of a random tree, move single units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.draws import draw
from regionalize.kernels.random_trees import Tree, choose_cut, gather, grow, room_for_tree, sum_subtrees
from regionalize.kernels.regions import (
    EXACT,
    Graph,
    Limits,
    Regions,
    Units,
    Walk,
    add_up,
    breach,
    cheapest_move,
    count_up,
    is_better,
    put,
    room_to_walk,
    stays_connected,
    within_cost,
)

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BREACH_HEAT = 0.1
"""What a move may add to a breach, on average, while bounds are breached: in a region's fair share."""
SETTLED, SETTLED_IN_BREACH = 0.9, 0.5
"""Share of the moves after which single units move: always, and where few ways are open all lead back."""
SPLIT_ANOTHER = 0.2
"""Share of the moves that merge two regions and split a third; the others split what they merged."""
DETOURS = 0.001
"""Share of the moves out of all bounds that are made: what lies beyond may not be reached within them."""
LEVEL = 0.3
"""Share of the moves that leave a breach as it is which are made whatever they cost: they may open a way."""
FEW_UNITS = 1000
"""Units up to which all may move whenever the best is beaten; among more, once moves have seen as many."""
MOST_DRAWS = 200
"""Draws of a link between two regions before one is searched for."""


class Diary(NamedTuple):
    """What a move changed, to undo it: units, their former regions, and (2,) the gain in cost and breach."""

    unit: IntArray
    was: IntArray
    gain: FloatArray


class Queue(NamedTuple):
    """Units that may want to move: a ring, and who is in it. No region is `barred` (k,) to them."""

    units: IntArray
    waits: BoolArray
    barred: BoolArray


def merge(
    start: int, a: int, b: int, units: Units, graph: Graph, regions: Regions, tree: Tree, diary: Diary
) -> int:
    """Give all units of region b, from one of them on, to region a; return how much the diary then holds."""
    found = gather(start, b, b, regions.labels, graph, tree)
    for member in range(found):
        unit = tree.members[member]
        tree.place[unit] = -1
        put(unit, a, units, regions)
        diary.unit[member], diary.was[member] = unit, b
    return found


def assign_cut(
    cut: int, found: int, first: int, second: int, regions: Regions, tree: Tree, diary: Diary, noted: int
) -> int:
    """Give the two sides of a cut the names of two regions, so that few units change theirs.

    The sums of both regions become those of the sides. Returns how much the diary then holds.
    """
    agree = 0
    for position in range(found):  # `joined` now tells who lies below the cut
        below = position == cut or (position > cut and tree.joined[tree.parent[position]])
        tree.joined[position] = below
        is_first = regions.labels[tree.members[tree.order[position]]] == first
        agree += 1 if is_first == below else -1
    below_is_first = agree > 0
    if tree.fixed[0, 0] > 0:
        below_is_first = tree.fixed[cut, 0] > 0
    elif tree.fixed[0, 1] > 0:
        below_is_first = tree.fixed[cut, 1] == 0
    for position in range(found):
        unit = tree.members[tree.order[position]]
        region = first if tree.joined[position] == below_is_first else second
        if regions.labels[unit] != region:
            diary.unit[noted], diary.was[noted] = unit, regions.labels[unit]
            noted += 1
            regions.labels[unit] = region
    inside, outside = (first, second) if below_is_first else (second, first)
    for variable in range(tree.below.shape[1]):
        regions.sums[inside, variable] = tree.below[cut, variable]
        regions.sums[outside, variable] = tree.below[0, variable] - tree.below[cut, variable]
    for bound in range(tree.under.shape[1]):
        regions.held[inside, bound] = tree.under[cut, bound]
        regions.held[outside, bound] = tree.under[0, bound] - tree.under[cut, bound]
    regions.size[inside] = tree.size[cut]
    regions.size[outside] = found - tree.size[cut]
    return noted


def settle(
    queued: int,
    queue: Queue,
    units: Units,
    graph: Graph,
    limits: Limits,
    regions: Regions,
    walk: Walk,
    diary: Diary,
    noted: int,
) -> int:
    """Move queued units, then neighbours of those moved, each to the adjacent region where it costs least.

    A move breaches no bound more, and leaves the donor connected. Returns how much the diary then holds.
    """
    first, room = 0, len(queue.units)
    while queued > 0:
        unit = queue.units[first]
        first = first + 1 if first + 1 < room else 0
        queued -= 1
        queue.waits[unit] = False
        own = regions.labels[unit]
        if noted == len(diary.unit):
            continue
        target, rise, relief = cheapest_move(unit, queue.barred, units, graph, limits, regions)
        if target < 0 or rise >= -EXACT or not stays_connected(unit, regions.labels, graph, walk):
            continue
        put(unit, target, units, regions)
        diary.unit[noted], diary.was[noted] = unit, own
        noted += 1
        diary.gain[0] -= rise + limits.penalty * relief
        diary.gain[1] += relief
        for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
            other = graph.indices[link]
            if not queue.waits[other]:
                queue.waits[other] = True
                queue.units[(first + queued) % room] = other
                queued += 1
    return noted


def queue_around(noted: int, graph: Graph, diary: Diary, queue: Queue) -> int:
    """Queue the units that changed, and their neighbours; return how many there are."""
    queued = 0
    for note in range(noted):
        unit = diary.unit[note]
        if not queue.waits[unit]:
            queue.waits[unit] = True
            queue.units[queued] = unit
            queued += 1
        for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
            other = graph.indices[link]
            if not queue.waits[other]:
                queue.waits[other] = True
                queue.units[queued] = other
                queued += 1
    return queued


def draw_border(labels: IntArray, graph: Graph, state: IntArray) -> tuple[int, int]:
    """Draw two neighbours of different regions, of which there are some."""
    n = len(labels)
    unit = int(draw(state) * n)
    for _ in range(MOST_DRAWS):
        degree = graph.indptr[unit + 1] - graph.indptr[unit]
        if degree > 0:
            other = graph.indices[graph.indptr[unit] + int(draw(state) * degree)]
            if labels[other] != labels[unit]:
                return unit, other
        unit = int(draw(state) * n)
    while True:  # borders are rare: the next one in the order of units
        for link in range(graph.indptr[unit], graph.indptr[unit + 1]):
            if labels[graph.indices[link]] != labels[unit]:
                return unit, graph.indices[link]
        unit = unit + 1 if unit + 1 < n else 0


def settle_all(
    units: Units,
    graph: Graph,
    limits: Limits,
    regions: Regions,
    walk: Walk,
    diary: Diary,
    queue: Queue,
) -> None:
    """Move single units until none gains; the diary tells what that gained."""
    n = len(queue.units)
    moved = n
    diary.gain[:] = 0.0
    while moved > 0:  # again: what moves changes what all other units of its two regions would gain
        for unit in range(n):
            queue.units[unit] = unit
            queue.waits[unit] = True
        moved = settle(n, queue, units, graph, limits, regions, walk, diary, 0)


def recombine(
    labels: IntArray,
    best_labels: IntArray,
    standing: FloatArray,
    state: IntArray,
    temperature: FloatArray,
    tolerance: FloatArray,
    stop_at_bounds: bool,
    units: Units,
    graph: Graph,
    limits: Limits,
    k: int,
) -> int:
    """Search on from `labels`, one move per temperature; before the first, single units are moved.

    A move merges two adjacent regions; splits what it merged, or another region, at the best cut of a random
    tree; and then moves single units as long as one gains. It is kept if it costs no more than temperature
    times a tolerance drawn. A move that changes what breaches bounds is judged by that alone; the best never
    breaches more than one before.

    Parameters
    ----------
    labels : (n,) int64
        Where to start, 0 … k - 1, every region connected, some two of them adjacent unless there are no
        temperatures; on return, where the search is.
    best_labels : (n,) int64
        The best so far, replaced by better ones.
    standing : (2,) float64
        Breach and cost of the best so far.
    state : (2,) int64
        Of the random numbers (`draw`).
    temperature : (moves,) float64
        In the unit of cost.
    tolerance : (t,) float64
        Drawn from evenly; quantiles of the exponential distribution make it annealing.
    stop_at_bounds : bool
        Return as soon as no bound is breached.
    units, graph, limits
        What is grouped; the sum of squares of all `X` should be about 1.
    k : int
        Number of regions.

    Returns
    -------
    int
        Moves made: fewer than temperatures if stopped.

    References
    ----------
    DeFord, Duchin and Solomon (2021), Recombination: a family of Markov chains for redistricting.

    Examples
    --------
    A path of four units, badly cut.

    >>> none = np.empty((4, 0))
    >>> units = Units(np.array([[-0.5], [-0.5], [0.5], [0.5]]), none, np.zeros(4, dtype=bool))
    >>> graph = Graph(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]))
    >>> labels, standing = np.array([0, 1, 1, 1]), np.array([np.inf, np.inf])
    >>> best = labels.copy()
    >>> limits = Limits(none[0], none[0], 10.0)
    >>> recombine(labels, best, standing, np.array([1, 2]), np.zeros(5), np.ones(1), False,
    ...     units, graph, limits, 2)
    5
    >>> best.tolist(), standing.tolist()
    ([0, 0, 1, 1], [0.0, -1.0])
    """
    n = len(units.X)
    regions = count_up(labels, units, k)
    walk, tree = room_to_walk(graph), room_for_tree(units, graph)
    diary = Diary(np.empty(4 * n, dtype=np.int64), np.empty(4 * n, dtype=np.int64), np.zeros(2))
    queue = Queue(np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.bool_), np.zeros(k, dtype=np.bool_))
    settle_all(units, graph, limits, regions, walk, diary, queue)
    broken, cost = add_up(regions, limits)
    if is_better(broken, cost, standing):
        standing[0], standing[1] = broken, cost
        best_labels[:] = labels
    looked_at = 0
    for move in range(len(temperature)):
        if stop_at_bounds and standing[0] <= EXACT:
            return move
        unit, other = draw_border(labels, graph, state)
        a, b = labels[unit], labels[other]
        start, c = unit, -1
        if k > 2 and draw(state) < SPLIT_ANOTHER:
            start = int(draw(state) * n)
            c = labels[start]
            if c in (a, b) or regions.size[c] == 1 or (regions.fixed[a] > 0 and regions.fixed[b] > 0):
                start, c = unit, -1
        diary.gain[0] = within_cost(regions.sums[a], regions.size[a])
        diary.gain[0] += within_cost(regions.sums[b], regions.size[b])
        diary.gain[1] = breach(regions.held[a], limits) + breach(regions.held[b], limits)
        first, second, noted = a, b, 0
        if c >= 0:
            diary.gain[0] += within_cost(regions.sums[c], regions.size[c])
            diary.gain[1] += breach(regions.held[c], limits)
            if regions.fixed[b] > 0 or (regions.fixed[a] == 0 and regions.size[b] > regions.size[a]):
                a, b, other = b, a, unit  # the smaller one loses its name, to a part of c
            noted = merge(other, a, b, units, graph, regions, tree, diary)
            first, second = c, b
        found = gather(start, first, second, labels, graph, tree)
        looked_at += found
        grow(found, graph, tree, state)
        for member in range(found):
            tree.place[tree.members[member]] = -1
        sum_subtrees(found, first, second, labels, units, tree)
        cut = choose_cut(found, tree, limits, state)
        keep = cut >= 0
        if keep:
            noted = assign_cut(cut, found, first, second, regions, tree, diary, noted)
            diary.gain[0] -= within_cost(regions.sums[a], regions.size[a])
            diary.gain[0] -= within_cost(regions.sums[b], regions.size[b])
            diary.gain[1] -= breach(regions.held[a], limits) + breach(regions.held[b], limits)
            if c >= 0:
                diary.gain[0] -= within_cost(regions.sums[c], regions.size[c])
                diary.gain[1] -= breach(regions.held[c], limits)
            if draw(state) < (SETTLED if broken <= EXACT else SETTLED_IN_BREACH):
                queued = queue_around(noted, graph, diary, queue)
                noted = settle(queued, queue, units, graph, limits, regions, walk, diary, noted)
            drawn = tolerance[int(draw(state) * len(tolerance))]
            left = broken - diary.gain[1]
            if broken > EXACT and (abs(diary.gain[1]) > EXACT or draw(state) < LEVEL):
                keep = left <= broken + BREACH_HEAT * drawn
            elif left <= EXACT + broken:
                keep = -diary.gain[0] <= temperature[move] * drawn
            else:
                keep = draw(state) < DETOURS
        if keep:
            cost, broken = cost - diary.gain[0], broken - diary.gain[1]
            if is_better(broken, cost, standing):
                if n <= FEW_UNITS or looked_at >= n:
                    looked_at = 0
                    settle_all(units, graph, limits, regions, walk, diary, queue)
                    cost, broken = cost - diary.gain[0], broken - diary.gain[1]
                standing[0], standing[1] = broken, cost
                best_labels[:] = labels
            continue
        for note in range(noted - 1, -1, -1):
            put(diary.unit[note], diary.was[note], units, regions)
    return len(temperature)
