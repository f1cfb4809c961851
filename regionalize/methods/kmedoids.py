"""K-medoids: k units, such that the distances of all units to the nearest of them are least in sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.central import central_unit, central_units, distances_to
from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.medoids import search_swaps
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
Found = tuple[float, IntArray]
"""Summed distance and medoids."""

FEW_UNITS = 250
"""Up to here a table of all distances is searched in NumPy, and no compiler is loaded."""
TABLE_CELLS = 1 << 20
"""Distances held at once where the search runs in NumPy."""
MANY_UNITS = 20_000
"""Above this many units, samples are searched."""
WORK = 40_000_000
"""Pairs of units to compare in one pass of every search: it sets the number of searches."""
FEWEST_STARTS, MOST_STARTS = 2, 20
PARENTS = 5
GENERATIONS = 8
SAMPLES = 4
SAMPLE_SIZE = 3_000
NEAR_MEDOIDS = 24
"""Units about each medoid that may replace one when a sample's medoids are improved on all units."""
AT_RANDOM = 200
"""Units from anywhere that may, too."""
ROUNDING = 1e-12
"""Gains below this share of the summed distance are taken for rounding."""


def kmedoids(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    seed: int = DEFAULT_SEED,
    distance: str = "manhattan",
    n_init: int | None = None,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Told | None = None,
    findings: Findings | None = None,
) -> IntArray:
    """Group rows about k of them, the medoids.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of clusters, 1 … the number of distinct rows.
    seed : int
        Seed of every random draw.
    distance : {"manhattan", "euclidean"}
        What is summed; Euclidean distances are not squared.
    n_init : int, optional
        Random starts; as many solutions are then made of the best ones, again and again while that helps.
        By default as many as take a fraction of a second.
    bounds : sequence of Bound
        What every cluster must hold at least or at most.
    jobs : int, optional
        Threads (all processors by default); the answer does not depend on it.
    progress : callable, optional
        Called with (done, total) while starts run.
    findings : Findings, optional
        Told the medoids, and in a note when only samples could be searched.

    Returns
    -------
    (n,) int64
        Cluster of each row, 0 … k - 1, none empty. Without bounds every row is with the nearest medoid; of
        equally near ones with the first row.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        Fewer than k distinct rows, or no partition found within the bounds.

    References
    ----------
    Kaufman and Rousseeuw (1990), Finding Groups in Data. Schubert and Rousseeuw (2021), Fast and eager
    k-medoids clustering. Newling and Fleuret (2017), A sub-quadratic exact medoid algorithm.

    Examples
    --------
    >>> found = Findings()
    >>> X = np.array([[0.0], [1.0], [2.0], [50.0], [60.0], [90.0]])
    >>> kmedoids(X, 2, findings=found).tolist(), found.medoids.tolist()
    ([0, 0, 0, 1, 1, 1], [1, 4])
    """
    check_k(X, k)
    for bound in bounds:
        bound.check_possible(k)
    rng = np.random.default_rng(seed)
    units = Units(to_unit_scale(np.asarray(X, dtype=np.float64)), distance == "euclidean")
    with side_by_side(threads(jobs)) as run:
        medoids = search(units, k, rng, n_init, run, progress, findings)
    labels = units.assign(medoids)
    if bounds:
        centers_of = partial(central_units, units.X, k=k, euclidean=units.euclidean)
        labels = bound_centers(
            labels, k, bounds, centers_of, lambda rows: distances_to(units.X, units.X[rows], units.euclidean)
        )
        medoids = centers_of(labels)
    if findings is not None:
        findings.medoids = medoids
    return labels


@dataclass(frozen=True)
class Units:
    """The data, and how distances are measured."""

    X: FloatArray
    euclidean: bool

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def columns(self) -> FloatArray:
        """X a variable per row, as the compiled kernel reads it."""
        return np.ascontiguousarray(self.X.T)

    @cached_property
    def table(self) -> FloatArray:
        """All distances, shape (n, n); of few units only."""
        return distances_to(self.X, self.X, self.euclidean)

    @cached_property
    def least(self) -> float:
        """Gain below which there is none: distances to the middle tell what is large here."""
        middle = np.median(self.X, axis=0)[None]
        return ROUNDING * float(distances_to(self.X, middle, self.euclidean).sum())

    def take(self, rows: IntArray) -> Units:
        """Return some of the units."""
        return Units(np.ascontiguousarray(self.X[rows]), self.euclidean)

    def distances(self, rows: IntArray) -> FloatArray:
        """Return the distances from some units to all, shape (m, n)."""
        if len(self) <= FEW_UNITS:
            return self.table[rows]
        return distances_to(self.X, self.X[rows], self.euclidean).T

    def loss(self, medoids: IntArray) -> float:
        """Return the sum of the distances of all units to their nearest medoid."""
        return float(self.distances(medoids).min(axis=0).sum())

    def assign(self, medoids: IntArray) -> IntArray:
        """Return the place of each unit's nearest medoid, a medoid's own for itself."""
        labels: IntArray = self.distances(medoids).argmin(axis=0).astype(np.int64)
        labels[medoids] = np.arange(len(medoids))
        return labels


def search(
    units: Units,
    k: int,
    rng: np.random.Generator,
    n_init: int | None,
    run: Run,
    progress: Told | None,
    findings: Findings | None,
) -> IntArray:
    """Return the best medoids found, rising."""
    n = len(units)
    if k == n:
        return np.arange(n)
    if k == 1:
        unit, _, exact = central_unit(units.X, units.euclidean)
        if not exact and findings is not None:
            findings.notes.append("the medoid of so many units is the best of those tried")
        return np.array([unit])
    if n > MANY_UNITS and k < SAMPLE_SIZE:
        if findings is not None:
            findings.notes.append(
                f"{n} units are too many to try each as a medoid: {SAMPLES} samples of "
                f"{sample_size(n, k)} were searched, and the best medoids improved on all units"
            )
        return search_samples(units, k, rng, n_init, run, progress)
    return np.sort(search_all(units, k, rng, n_init, run, progress)[1])


def search_all(
    units: Units,
    k: int,
    rng: np.random.Generator,
    n_init: int | None,
    run: Run,
    progress: Told | None = None,
) -> Found:
    """Search from random starts, and then from mixtures of the best solutions while that helps."""
    n = len(units)
    affordable = WORK // (n * n)
    starts = n_init or int(np.clip(3 * affordable // 4, FEWEST_STARTS, MOST_STARTS))
    mixtures = n_init or int(np.clip(affordable - starts, 1, starts))
    generations = int(np.clip(1 + (affordable - starts) // mixtures, 2, GENERATIONS))
    pool: list[Found] = []
    done = 0
    drawn = [rng.choice(n, k, replace=False) for _ in range(starts)]
    for generation in range(1, generations + 1):
        orders = [rng.permutation(n) for _ in drawn]
        before = pool[0][0] if pool else np.inf
        for found in run(partial(improve, units), drawn, orders):
            pool.append(found)
            done += 1
            if progress is not None:
                progress(done, starts + (generations - 1) * mixtures)
        pool = distinct(pool)[:PARENTS]
        if starts == 1 or pool[0][0] >= before or generation == generations:
            break
        drawn = [mix(pool, n, k, rng) for _ in range(mixtures)]
    return pool[0]


def improve(units: Units, start: IntArray, order: IntArray) -> Found:
    """Take medoids to where no exchange of one of them for a unit of `order` brings units nearer."""
    medoids = start.copy()
    if len(units) > FEW_UNITS and compiles():
        compiled(search_swaps)(units.columns, medoids, order, units.euclidean, units.least)
    else:
        swap_in_blocks(units, medoids, order)
    medoids.sort()
    return units.loss(medoids), medoids


def distinct(found: list[Found]) -> list[Found]:
    """Sort solutions, the best first, and drop those that are there already."""
    once = {tuple(medoids.tolist()): (loss, medoids) for loss, medoids in found}
    return sorted(once.values(), key=lambda one: (one[0], one[1].tolist()))


def mix(pool: list[Found], n: int, k: int, rng: np.random.Generator) -> IntArray:
    """Draw medoids from those of two good solutions, and one from anywhere."""
    pair = rng.choice(len(pool), min(2, len(pool)), replace=False)
    both = np.unique(np.concatenate([pool[one][1] for one in pair]))
    kept = rng.choice(both, k - 1, replace=False)
    others = np.setdiff1d(np.arange(n), kept)
    return np.append(kept, rng.choice(others)).astype(np.int64)


def swap_in_blocks(units: Units, medoids: IntArray, order: IntArray) -> None:
    """Do in NumPy what `search_swaps` does: the best exchange among a block of candidates, block by block."""
    n, k = len(units), len(medoids)
    at_once = max(TABLE_CELLS // n, 1)
    blocks = [order[first : first + at_once] for first in range(0, len(order), at_once)]
    table = units.distances(medoids)
    at, still = 0, 0
    while still < len(blocks):
        candidates = blocks[at]
        line = np.arange(n)
        first = table.argmin(axis=0)
        nearest = table[first, line]
        without = table.copy()
        without[first, line] = np.inf
        further = without.min(axis=0)
        distance = units.distances(candidates)
        member = (first[:, None] == np.arange(k)).astype(np.float64)
        change = np.einsum("mn,nk->mk", np.clip(distance, nearest, further) - further, member)
        change += np.bincount(first, further - nearest, minlength=k)
        change += np.minimum(distance - nearest, 0.0).sum(axis=1)[:, None]
        one, place = np.unravel_index(change.argmin(), change.shape)
        if change[one, place] < -units.least:
            medoids[place] = candidates[one]
            table[place] = distance[one]
            still = 0
            continue
        still += 1
        at = (at + 1) % len(blocks)


def sample_size(n: int, k: int) -> int:
    """Units of one sample."""
    return min(max(SAMPLE_SIZE, 50 * k), MANY_UNITS, n)


def search_samples(
    units: Units,
    k: int,
    rng: np.random.Generator,
    n_init: int | None,
    run: Run,
    progress: Told | None,
) -> IntArray:
    """Search samples as if they were all, and improve the best medoids on all units."""
    n, found = len(units), []
    for number in range(SAMPLES):
        rows = np.sort(rng.choice(n, sample_size(n, k), replace=False))
        search = part(progress, number, SAMPLES + 1)
        medoids = rows[search_all(units.take(rows), k, rng, n_init, run, search)[1]]
        found.append((units.loss(np.sort(medoids)), np.sort(medoids)))
    part(progress, SAMPLES, SAMPLES + 1)
    loss, medoids = distinct(found)[0]
    while True:
        order = rng.permutation(candidates_near(units, medoids, rng))
        better, changed = improve(units, medoids, order)
        if better >= loss - units.least:
            break
        loss, medoids = better, changed
    if progress is not None:
        progress(SAMPLES + 1, SAMPLES + 1)
    return np.sort(medoids)


def candidates_near(units: Units, medoids: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the units nearest to each medoid, and some from anywhere."""
    distance = units.distances(medoids)
    near = np.argpartition(distance, NEAR_MEDOIDS, axis=1)[:, :NEAR_MEDOIDS]
    return np.unique(np.append(near, rng.choice(len(units), AT_RANDOM, replace=False)))
