"""K-medians: k points, such that the distances of all units to the nearest of them are least in sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.central import distances_to, geometric_medians, medians
from regionalize.kernels.threads import Run, side_by_side, threads
from regionalize.methods.bounded_centers import bound_centers
from regionalize.methods.kmeans import check_k
from regionalize.methods.lloyd import to_unit_scale
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED
from regionalize.model.progress import Told, part

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MANY_UNITS = 20_000
"""Above this many units, samples are searched, and the best solution improved on all units."""
SAMPLE_SIZE = 5_000
SAMPLES = 3
CENTER_TRIALS = 3
"""Draws per first centre, of which the best is kept."""
STEPS = 8
"""Steps in which a solution shows what it is worth."""
PARENTS = 6
MOST_SEARCHES = 4
PATIENCE = 8
"""Generations without a better solution after which a search ends."""
FEWEST_GENERATIONS, MOST_GENERATIONS = 6, 40
WORK = 160_000_000
"""Values compared by all generations of a search: it sets how many there are."""
ALIKE = 1e-9
"""Solutions whose sums differ by no more, in proportion, are taken for one."""
FINISHED = 3
"""Solutions that settle to the end."""
SHORT = 3
"""Weiszfeld's steps in one step of the search; centres are exact at its end."""
TRIED = 30
"""Units tried for a move on their own, those first that are nearly as near to another centre."""
MOST_STEPS = 1000
ROUNDING = 1e-12
"""Gains below this share of the summed distance are taken for rounding."""


def kmedians(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    seed: int = DEFAULT_SEED,
    distance: str = "manhattan",
    n_init: int = 6,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Told | None = None,
    findings: Findings | None = None,
) -> IntArray:
    """Group rows about the medians of their clusters.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of clusters, 1 … the number of distinct rows.
    seed : int
        Seed of every random draw.
    distance : {"manhattan", "euclidean"}
        ``"manhattan"``: the median of every variable is the centre, and sums of absolute differences count.
        ``"euclidean"``: the geometric median is, and Euclidean distances count, not squared.
    n_init : int
        Number of first solutions, and of children in each generation.
    bounds : sequence of Bound
        What every cluster must hold at least or at most.
    jobs : int, optional
        Threads (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called with (done, total) while the search runs.
    findings : Findings, optional
        Told in a note when only samples could be searched.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 … k - 1, none empty.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        Fewer than k distinct rows, or no partition found within the bounds.

    References
    ----------
    Bradley, Mangasarian and Street (1997), Clustering via concave minimization. Weiszfeld (1937). Vardi and
    Zhang (2000), The multivariate L1-median and associated data depth. Gribel and Vidal (2019), HG-means.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [50.0], [60.0], [90.0]])
    >>> kmedians(X, 2).tolist() in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    True
    """
    check_k(X, k)
    for bound in bounds:
        bound.check_possible(k)
    units = Units(to_unit_scale(np.asarray(X, dtype=np.float64)), distance == "euclidean")
    rng = np.random.default_rng(seed)
    with side_by_side(threads(jobs)) as run:
        if len(units) > MANY_UNITS and k < SAMPLE_SIZE:
            if findings is not None:
                findings.notes.append(
                    f"{len(units)} units are many: {SAMPLES} samples of {sample_size(len(units), k)} were "
                    "searched, and the best solution improved on all units"
                )
            labels = search_samples(units, k, rng, n_init, run, progress)
        else:
            labels = search(units, k, rng, n_init, run, progress).labels
    if bounds:
        labels = bound_centers(labels, k, bounds, partial(units.centers, k=k), units.distances)
    return labels


@dataclass(frozen=True)
class Units:
    """The data, and how distances are measured."""

    X: FloatArray
    euclidean: bool

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def order(self) -> IntArray:
        """Rows by each variable, rising, shape (p, n)."""
        return np.argsort(self.X.T, axis=1, kind="stable")

    def take(self, rows: IntArray) -> Units:
        """Return some of the units."""
        return Units(self.X[rows], self.euclidean)

    def distances(self, points: FloatArray) -> FloatArray:
        """Return the distances of all units to some points, shape (n, m)."""
        return distances_to(self.X, points, self.euclidean)

    def centers(self, labels: IntArray, k: int, start: FloatArray | None = None) -> FloatArray:
        """Return the centres of clusters; with a `start`, geometric medians are only brought nearer."""
        if not self.euclidean:
            return medians(self.X, labels, k, self.order)
        if start is None:
            return geometric_medians(self.X, labels, k)
        return geometric_medians(self.X, labels, k, start, SHORT)


@dataclass(frozen=True)
class Found:
    """A solution: the summed distance of units to the centres of their clusters."""

    within: float
    centers: FloatArray
    labels: IntArray


def search(
    units: Units, k: int, rng: np.random.Generator, n_init: int, run: Run, progress: Told | None = None
) -> Found:
    """Return the best of several searches where they are cheap, or of one."""
    n, p = units.X.shape
    affordable = WORK // (n * max(p, 1) * k * STEPS * n_init)
    searches = int(np.clip(affordable // MOST_GENERATIONS, 1, MOST_SEARCHES))
    if searches == 1:
        return search_once(units, k, n_init, rng, run, progress)
    found: list[Found] = []
    for one in run(partial(search_once, units, k, n_init), rng.spawn(searches)):
        found.append(one)
        if progress is not None:
            progress(len(found), searches)
    return min(found, key=lambda one: one.within)


def search_once(
    units: Units,
    k: int,
    n_init: int,
    rng: np.random.Generator,
    run: Run = map,
    progress: Told | None = None,
) -> Found:
    """Let a population of solutions have children while that finds better ones, and finish the best."""
    n, p = units.X.shape
    affordable = WORK // (n * max(p, 1) * k * STEPS * n_init)
    most = int(np.clip(affordable, FEWEST_GENERATIONS, MOST_GENERATIONS)) if 1 < k < n else 0
    starts = [draw_centers(units, k, rng) for _ in range(n_init)]
    pool = distinct(list(run(partial(settle, units, steps=STEPS), starts)))
    still = 0
    for generation in range(1, most + 1):
        children = [child_of(units, pool, rng) for _ in range(n_init)]
        before = pool[0].within
        pool = distinct([*pool, *run(partial(settle, units, steps=STEPS), children)])
        still = 0 if pool[0].within < before * (1.0 - ROUNDING) else still + 1
        if progress is not None:
            progress(generation, most + 1)
        if still == PATIENCE:
            break
    last = run(partial(settle, units, steps=MOST_STEPS), [found.centers for found in pool[:FINISHED]])
    best = move_single_units(units, min(last, key=lambda found: found.within), k)
    if progress is not None:
        progress(most + 1, most + 1)
    return best


def distinct(found: list[Found]) -> list[Found]:
    """Sort solutions, the best first, and keep as many as may have children, no two that are alike."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: one.within):
        if not kept or one.within > kept[-1].within * (1.0 + ALIKE):
            kept.append(one)
    return kept[:PARENTS]


def child_of(units: Units, pool: list[Found], rng: np.random.Generator) -> FloatArray:
    """Take centres of two solutions, one of each pair that lies closest, and a unit in place of one.

    Two centres are a pair when each is the other's nearest; a centre without a partner is the first's own.
    The unit is rather one that is far from its centre.
    """
    first, second = (pool[one] for one in rng.choice(len(pool), 2, replace=len(pool) < 2))
    distance = distances_to(first.centers, second.centers, units.euclidean)
    partner = distance.argmin(axis=1)
    paired = distance.argmin(axis=0)[partner] == np.arange(len(partner))
    other = paired & (rng.random(len(partner)) < 0.5)
    centers: FloatArray = np.where(other[:, None], second.centers[partner], first.centers)
    difference = units.X - first.centers[first.labels]
    far = np.sqrt(np.einsum("np,np->n", difference, difference))
    centers[rng.integers(len(centers))] = units.X[draw_by_distance(far, rng, 1)[0]]
    return centers


def draw_centers(units: Units, k: int, rng: np.random.Generator) -> FloatArray:
    """Draw units as first centres, each with a probability by its distance from those so far."""
    chosen = [int(rng.integers(len(units)))]
    nearest = units.distances(units.X[chosen])[:, 0]
    for _ in range(k - 1):
        drawn = draw_by_distance(nearest, rng, CENTER_TRIALS)
        distance = np.minimum(units.distances(units.X[drawn]), nearest[:, None])
        best = int(distance.sum(axis=0).argmin())
        chosen.append(int(drawn[best]))
        nearest = distance[:, best]
    return units.X[chosen].copy()


def draw_by_distance(distance: FloatArray, rng: np.random.Generator, count: int) -> IntArray:
    """Draw rows with a probability proportional to their distance."""
    cumulated = np.cumsum(distance)
    drawn = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
    last = np.flatnonzero(distance > 0)[-1] if cumulated[-1] > 0 else 0
    rows: IntArray = np.minimum(drawn, last)
    return rows


def settle(units: Units, centers: FloatArray, steps: int, labels: IntArray | None = None) -> Found:
    """Send units to their nearest centre and centres to the middle of their units, until nothing changes.

    Centres are exact, and `within` with them, when so many steps were allowed that it came to an end.
    """
    k = len(centers)
    for _ in range(steps):
        distance = units.distances(centers)
        before, labels = labels, fill_empty(distance, distance.argmin(axis=1), k)
        if before is not None and np.array_equal(before, labels):
            break
        centers = units.centers(labels, k, centers if units.euclidean else None)
    assert labels is not None
    if steps == MOST_STEPS and units.euclidean:
        centers = units.centers(labels, k)
    line = np.arange(len(labels))
    return Found(float(units.distances(centers)[line, labels].sum()), centers, labels)


def fill_empty(distance: FloatArray, labels: IntArray, k: int) -> IntArray:
    """Give every empty cluster the unit farthest from its own centre, one after the other."""
    counts = np.bincount(labels, minlength=k)
    own = distance[np.arange(len(labels)), labels]
    for cluster in np.flatnonzero(counts == 0):
        unit = int(np.where(counts[labels] > 1, own, -1.0).argmax())
        counts[labels[unit]] -= 1
        counts[cluster] = 1
        labels[unit], own[unit] = cluster, 0.0
    return labels


def move_single_units(units: Units, found: Found, k: int) -> Found:
    """Move units whose going makes the two clusters, with their own new centres, lie closer together.

    Only units nearly as near to another centre as to their own are tried: moving a centre to where its units
    want it gains little.
    """
    best = found
    for _ in range(MOST_STEPS if k > 1 else 0):
        better = best_move(units, best, k)
        if better is None:
            return best
        best = settle(units, units.centers(better, k), MOST_STEPS)
    return best


def best_move(units: Units, found: Found, k: int) -> IntArray | None:
    """Return the labels after the first move found that lowers the summed distance, or None."""
    labels, line = found.labels, np.arange(len(units))
    distance = units.distances(found.centers)
    own = distance[line, labels]
    away = distance.copy()
    away[line, labels] = np.inf
    other = away.argmin(axis=1)
    margin = away[line, other] - own
    counts = np.bincount(labels, minlength=k)
    within = np.bincount(labels, own, minlength=k)
    tried = np.argsort(margin, kind="stable")[:TRIED]
    for unit in tried[counts[labels[tried]] > 1]:
        pair = np.flatnonzero((labels == labels[unit]) | (labels == other[unit]))
        side = (labels[pair] == other[unit]).astype(np.int64)
        side[pair == unit] = 1
        part = units.take(pair)
        pair_centers = found.centers[[labels[unit], other[unit]]]
        centers = part.centers(side, 2, pair_centers if units.euclidean else None)
        after = part.distances(centers)[np.arange(len(pair)), side].sum()
        before = within[labels[unit]] + within[other[unit]]
        if after < before * (1.0 - ROUNDING):
            moved = labels.copy()
            moved[unit] = other[unit]
            return moved
    return None


def sample_size(n: int, k: int) -> int:
    """Units of one sample."""
    return min(max(SAMPLE_SIZE, 50 * k), MANY_UNITS, n)


def search_samples(
    units: Units, k: int, rng: np.random.Generator, n_init: int, run: Run, progress: Told | None
) -> IntArray:
    """Search samples as if they were all; from the best of their centres, let all units settle."""
    best: Found | None = None
    for number in range(SAMPLES):
        rows = np.sort(rng.choice(len(units), sample_size(len(units), k), replace=False))
        own = part(progress, number, SAMPLES + 1)
        found = settle(units, search(units.take(rows), k, rng, n_init, run, own).centers, STEPS)
        best = found if best is None or found.within < best.within else best
    part(progress, SAMPLES, SAMPLES + 1)
    assert best is not None
    labels = settle(units, best.centers, MOST_STEPS).labels
    if progress is not None:
        progress(SAMPLES + 1, SAMPLES + 1)
    return labels
