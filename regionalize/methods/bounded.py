"""Bring a partition within bounds at the least cost in fit, then improve it without leaving them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regionalize.methods.finish import centers_of, fill_empty, finish_starts
from regionalize.methods.lloyd import (
    FloatArray,
    IntArray,
    Rows,
    cluster_sums,
    converge,
    iterate,
    relative_distances,
)
from regionalize.methods.population import swap_one
from regionalize.methods.seeding import draw_centers
from regionalize.model.bounds import Bound

SHARE_AT_ONCE = 0.1
"""Share of what is missing that is moved before costs are computed afresh."""
SLACK = 1e-9
"""Relative rounding allowed when sums are compared with a bound."""
MAX_ROUNDS = 200
TRIED_CELLS = 1 << 20
"""Distances of all tries together: it sets how many starts and swaps are tried."""
MOST_TRIES = 60
FEWEST_TRIES = 4
STEPS_AFTER_SWAP = 3


def search_within_bounds(
    rows: Rows,
    k: int,
    rng: np.random.Generator,
    bounds: Sequence[Bound],
    found: Sequence[tuple[IntArray, float]],
    max_iter: int,
) -> list[tuple[IntArray, float]]:
    """Search for the best partition that keeps every bound.

    The best free partition need not lead to the best bounded one. So many local optima are brought within
    bounds, and the best of them is then perturbed by swapping a centre, as long as tries last.

    Parameters
    ----------
    rows, k, rng, max_iter
        As for `regionalize.methods.kmeans.kmeans`.
    bounds : sequence of Bound
        What must hold.
    found : sequence of (labels, within)
        Good free partitions.

    Returns
    -------
    list of (labels, within)
        The best one, or nothing.
    """
    tries = int(np.clip(TRIED_CELLS // (len(rows) * k), FEWEST_TRIES, MOST_TRIES))
    starts = np.concatenate([draw_centers(rows, k, 1, rng, trials=3) for _ in range(tries)])
    optima = [labels for labels, _ in found]
    optima += [labels for labels, _ in finish_starts(rows, starts, max_iter)]
    fitted = [fit_bounds(rows, labels, k, bounds) for labels in optima]
    best = min((one for one in fitted if one is not None), key=lambda one: one[1], default=None)
    if best is None:
        return []
    for _ in range(tries):
        swapped = swap_one(rows, centers_of(rows, best[0], k)[None], rng)
        centers = iterate(rows, swapped, STEPS_AFTER_SWAP)[0]
        labels = fill_empty(rows, converge(rows, centers, max_iter)[1][0], k)
        again = fit_bounds(rows, labels, k, bounds)
        if again is not None and again[1] < best[1]:
            best = again
    return [best]


class Totals:
    """What every cluster holds of every bound, kept up to date as units move."""

    def __init__(self, bounds: Sequence[Bound], labels: IntArray, k: int) -> None:
        self.amount = np.stack([bound.amount for bound in bounds])
        slack = SLACK * np.maximum(self.amount.sum(axis=1), 1.0)
        self.lower = np.array([bound.lower for bound in bounds]) - slack
        self.upper = np.array([bound.upper for bound in bounds]) + slack
        held = [np.bincount(labels, bound.amount, minlength=k) for bound in bounds]
        self.held: FloatArray = np.stack(held).astype(np.float64)

    def short(self) -> FloatArray:
        """Tell what each cluster lacks of each lower bound, shape (bounds, k)."""
        missing: FloatArray = np.maximum(self.lower[:, None] - self.held, 0.0)
        return missing

    def over(self) -> FloatArray:
        """Tell what each cluster has beyond each upper bound, shape (bounds, k)."""
        excess: FloatArray = np.maximum(self.held - self.upper[:, None], 0.0)
        return excess

    def may_move(self, units: IntArray, source: IntArray, target: IntArray) -> NDArray[np.bool_]:
        """Whether each unit may go from its source to its target without a new breach."""
        amount = self.amount[:, units]
        leaves = (self.held[:, source] - amount >= self.lower[:, None]) | (amount == 0)
        fits = (self.held[:, target] + amount <= self.upper[:, None]) | (amount == 0)
        allowed: NDArray[np.bool_] = (leaves & fits).all(axis=0)
        return allowed

    def move(self, unit: int, source: int, target: int) -> None:
        """Record one move."""
        self.held[:, source] -= self.amount[:, unit]
        self.held[:, target] += self.amount[:, unit]

    def may_swap(self, one: int, others: IntArray, source: int, target: int) -> NDArray[np.bool_]:
        """Whether `one` of `source` may change places with each of `others` in `target`."""
        change = self.amount[:, others] - self.amount[:, [one]]
        here, there = self.held[:, [source]] + change, self.held[:, [target]] - change
        low, high = self.lower[:, None], self.upper[:, None]
        inside = (here >= low) & (here <= high) & (there >= low) & (there <= high)
        allowed: NDArray[np.bool_] = inside.all(axis=0)
        return allowed


def fit_bounds(
    rows: Rows, labels: IntArray, k: int, bounds: Sequence[Bound]
) -> tuple[IntArray, float] | None:
    """Move units until every bound holds, then improve by moves and exchanges that keep them.

    Returns
    -------
    (labels, within) or None
        None when no further unit can be moved although a bound is still broken.
    """
    labels = labels.copy()
    totals = Totals(bounds, labels, k)
    most_steps = 50 * k + len(labels)
    for _ in range(most_steps):
        short, over = totals.short(), totals.over()
        if not short.any() and not over.any():
            break
        cost = move_costs(rows, labels, k)
        moved = fill(cost, labels, totals, short) if short.any() else drain(cost, labels, totals, over)
        if not moved:
            return None
    else:
        return None
    improve_within(rows, labels, k, totals)
    sums = cluster_sums(rows, labels[None], k)[0]
    difference = rows.X - (sums[:, :-1] / sums[:, -1:])[labels]
    return labels, float(np.einsum("ij,ij->", difference, difference))


def move_costs(rows: Rows, labels: IntArray, k: int) -> FloatArray:
    """Change in the within sum of squares if each unit alone went to each cluster, shape (n, k)."""
    sums = cluster_sums(rows, labels[None], k)[0]
    counts = sums[:, -1]
    centers = sums[:, :-1] / np.maximum(counts, 1.0)[:, None]
    line = np.arange(len(labels))
    distance = relative_distances(rows, centers[None])[0].T + rows.norms[:, None]
    leave = distance[line, labels] * (counts / np.maximum(counts - 1.0, 1.0))[labels]
    cost: FloatArray = distance * (counts / (counts + 1.0)) - leave[:, None]
    cost[line, labels] = np.inf
    cost[counts[labels] <= 1] = np.inf  # a cluster never loses its last member
    return cost


def fill(costs: FloatArray, labels: IntArray, totals: Totals, short: FloatArray) -> int:
    """Move units into the cluster that lacks most, cheapest first per amount it needs.

    `costs` (n, k) is what each unit's move to each cluster costs, infinite where it may not be.
    """
    needed, cluster = np.unravel_index(np.argmax(short / np.abs(totals.lower)[:, None]), short.shape)
    amount = totals.amount[needed]
    cost = costs[:, cluster]
    useful = np.flatnonzero((amount > 0) & np.isfinite(cost))
    useful = useful[totals.may_move(useful, labels[useful], np.full(len(useful), cluster))]
    missing = short[needed, cluster]
    cost = cost - cost.min(initial=0.0)  # all costs positive, so that cost per amount ranks them
    order = useful[np.argsort(cost[useful] / np.minimum(amount[useful], missing), kind="stable")]
    return take_in_order(
        labels, totals, order, np.full(len(labels), cluster), amount, missing * SHARE_AT_ONCE
    )


def drain(costs: FloatArray, labels: IntArray, totals: Totals, over: FloatArray) -> int:
    """Move units out of the cluster that has most too much, cheapest first per amount it sheds.

    `costs` is as for `fill`.
    """
    crowded, cluster = np.unravel_index(np.argmax(over / np.abs(totals.upper)[:, None]), over.shape)
    amount = totals.amount[crowded]
    members = np.flatnonzero((labels == cluster) & (amount > 0))
    cost = costs[members]
    for other in range(cost.shape[1]):
        barred = ~totals.may_move(members, np.full(len(members), cluster), np.full(len(members), other))
        cost[barred, other] = np.inf
    target = np.zeros(len(labels), dtype=np.intp)
    target[members] = cost.argmin(axis=1)
    best = cost.min(axis=1)
    possible = np.isfinite(best)
    members, best = members[possible], best[possible]
    excess = over[crowded, cluster]
    best = best - best.min(initial=0.0)
    order = members[np.argsort(best / np.minimum(amount[members], excess), kind="stable")]
    return take_in_order(labels, totals, order, target, amount, excess * SHARE_AT_ONCE)


def take_in_order(
    labels: IntArray, totals: Totals, order: IntArray, target: IntArray, amount: FloatArray, enough: float
) -> int:
    """Make the moves of `order` that are still allowed until `enough` has moved; return how many."""
    moved, carried = 0, 0.0
    for unit in order:
        one = np.array([unit])
        if totals.may_move(one, labels[one], target[one])[0] and (labels == labels[unit]).sum() > 1:
            totals.move(unit, labels[unit], target[unit])
            labels[unit] = target[unit]
            moved, carried = moved + 1, carried + amount[unit]
            if carried >= enough:
                break
    return moved


def improve_within(rows: Rows, labels: IntArray, k: int, totals: Totals) -> None:
    """Improve by single moves, and by exchanges where a bound stands in the way of a move."""
    least = -1e-12 * max(rows.total, np.finfo(np.float64).tiny)
    for _ in range(MAX_ROUNDS):
        cost = move_costs(rows, labels, k)
        wanted = np.flatnonzero(cost.min(axis=1) < least)
        wanted = wanted[np.argsort(cost[wanted].min(axis=1), kind="stable")]
        sums = cluster_sums(rows, labels[None], k)[0]
        changed = sum(move_or_swap(rows, int(unit), labels, sums, totals, least) for unit in wanted)
        if not changed:
            break


def move_or_swap(
    rows: Rows, unit: int, labels: IntArray, sums: FloatArray, totals: Totals, least: float
) -> bool:
    """Make the best allowed move of one unit, or else its best exchange; say whether there was one."""
    source, counts = int(labels[unit]), sums[:, -1]
    if counts[source] <= 1:
        return False
    difference = sums[:, :-1] / sums[:, -1:] - rows.X[unit]
    distance = np.einsum("kp,kp->k", difference, difference)
    cost = distance * counts / (counts + 1.0) - distance[source] * counts[source] / (counts[source] - 1.0)
    cost[source] = np.inf
    for target in np.argsort(cost, kind="stable"):
        if cost[target] >= least:
            return False
        if totals.may_move(np.array([unit]), np.array([source]), np.array([target]))[0]:
            totals.move(unit, source, target)
            labels[unit] = target
            sums[source] -= rows.sums[unit]
            sums[target] += rows.sums[unit]
            return True
        members = np.flatnonzero(labels == target)
        members = members[totals.may_swap(unit, members, source, target)]
        if not len(members):
            continue
        change = swap_costs(rows, unit, members, sums[source], sums[target])
        best = int(change.argmin())
        if change[best] < least:
            partner = int(members[best])
            totals.move(unit, source, target)
            totals.move(partner, target, source)
            labels[unit], labels[partner] = target, source
            exchange = rows.sums[partner] - rows.sums[unit]
            sums[source] += exchange
            sums[target] -= exchange
            return True
    return False


def swap_costs(
    rows: Rows, unit: int, partners: IntArray, source: FloatArray, target: FloatArray
) -> FloatArray:
    """Change in the within sum of squares if `unit` changes places with each partner."""
    step = rows.X[partners] - rows.X[unit]
    here, there = source[:-1] / source[-1], target[:-1] / target[-1]
    square = np.einsum("mp,mp->m", step, step)
    # |S + d|²/n - |S|²/n = 2 m·d + |d|²/n gained by each side's between sum of squares
    cost: FloatArray = -(2.0 * step @ (here - there) + square * (1.0 / source[-1] + 1.0 / target[-1]))
    return cost
