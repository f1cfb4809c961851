"""A population of k-means solutions that recombine: the default search.

Restarts alone are a weak search. Here solutions are recombined centre by centre, each child has one
centre swapped for a far row, and a few Lloyd steps follow (Gribel and Vidal 2019, "HG-means"; the swap
is Fränti's, 2018). The best few are then finished by Lloyd and single-unit moves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from regionalize.kernels.threads import Run
from regionalize.methods.lloyd import (
    FloatArray,
    IntArray,
    Rows,
    between_sums,
    cluster_sums,
    iterate,
    means,
    relative_distances,
    uses_kernel,
)
from regionalize.methods.seeding import draw_by_distance, draw_centers

Population = tuple[FloatArray, FloatArray]
"""Centres (solutions, k, p) and between sums of squares (solutions,)."""
Solution = TypeVar("Solution")
Finish = Callable[[FloatArray], list[Solution]]
"""Takes centres to local optima: labels, or where these are, and their within sum of squares."""

POPULATION = 56
"""Solutions kept."""
CHILDREN = 24
"""Children of a generation; the better half is improved further."""
FIRST_STEPS = 2
"""Lloyd steps every child makes."""
MORE_STEPS = 5
"""Steps by Hartigan's criterion for the better half."""
DRAWN_AMONG = 64
"""Rows that a swapped centre is drawn among."""
PATIENCE, UNITS_EACH, LEAST_PATIENCE = 24, 4, 6
"""Generations without a better best before the best are finished, and the search ends or goes on: at most so
many, one for every few units, and at least so many."""
FINISHED = 24
"""How many of the best are finished."""
SAME = 1e-7
"""Solutions whose value differs by less, relative to the total, are taken to be the same."""


def search_population(
    rows: Rows,
    k: int,
    rng: np.random.Generator,
    finish: Finish[tuple[IntArray, float]],
    run: Run,
) -> list[tuple[IntArray, float]]:
    """Search for the best partition; finish the best; go on as long as that finds a better one.

    Parameters
    ----------
    rows : Rows
        The data.
    k : int
        Number of clusters, at most the number of distinct rows.
    rng : numpy.random.Generator
        Source of every draw.
    finish : callable
        Takes centres (candidates, k, p) to the labels and within sums of squares of local optima.
    run : callable
        `map`, or that of an executor, for candidates side by side.

    Returns
    -------
    list of (labels, within)
        Finished solutions, best first.
    """
    single = rows.single()
    run = run if uses_kernel(rows, k) else map
    drawn = (draw_centers(single, k, CHILDREN, rng) for _ in range(-(-POPULATION // CHILDREN)))
    population = select([improve(single, centers, run, MORE_STEPS) for centers in drawn])
    best: list[tuple[IntArray, float]] = []
    known: dict[bytes, tuple[IntArray, float]] = {}
    while True:
        population = evolve(single, population, rng, run)
        champion, leading = population[1][0], population[0][:FINISHED]
        fresh = {start.tobytes(): start for start in leading if start.tobytes() not in known}
        if fresh:
            known.update(zip(fresh, finish(np.stack(list(fresh.values())).astype(np.float64)), strict=True))
        finished = sorted((known[start.tobytes()] for start in leading), key=lambda solution: solution[1])
        if best and finished[0][1] >= best[0][1] - SAME * rows.total:
            return best
        best = finished
        labels = np.stack([labels for labels, _ in finished])
        sums = cluster_sums(single, labels, k)
        better = means(sums, population[0][: len(finished)])
        value = between_sums(sums, better)
        if value.max() <= champion + SAME * rows.total:  # nothing that is new to the population
            return best
        better = better.astype(single.X.dtype)
        known.update(zip((center.tobytes() for center in better), finished, strict=True))
        population = select([population, (better, value)])


def evolve(rows: Rows, population: Population, rng: np.random.Generator, run: Run) -> Population:
    """Let generations follow until the best has not changed for a while."""
    stale, patience = 0, int(np.clip(len(rows) // UNITS_EACH, LEAST_PATIENCE, PATIENCE))
    while stale < patience:
        champion = population[1][0]
        children = swap_one(rows, recombine(population[0], CHILDREN, rng), rng)
        population = select([population, improve(rows, children, run, MORE_STEPS, CHILDREN // 2)])
        stale = 0 if population[1][0] > champion + SAME * rows.total else stale + 1
    return population


def improve(rows: Rows, centers: FloatArray, run: Run, steps: int, kept: int | None = None) -> Population:
    """Run the first steps on every candidate, and further steps on the best of them (all unless told)."""
    return improve_by(partial(iterate, rows, run=run), centers, steps, kept)


def improve_by(
    iterate: Callable[..., Any], centers: FloatArray, steps: int, kept: int | None = None
) -> Population:
    """Do what `improve` does with steps on rows that may lie elsewhere, and so may their labels."""
    centers, between, labels = iterate(centers, FIRST_STEPS)
    best = np.argsort(-between, kind="stable")[:kept]
    centers, between, _ = iterate(centers[best], steps, labels[best])
    return centers, between


def select(groups: Sequence[Population]) -> Population:
    """Keep the best `POPULATION` solutions of different value, best first."""
    centers = np.concatenate([group[0] for group in groups])
    between = np.concatenate([group[1] for group in groups])
    scale = max(float(between.max()), np.finfo(np.float64).tiny)
    _, first = np.unique(np.round(between / scale / SAME), return_index=True)
    kept = first[::-1][:POPULATION]
    return centers[kept], between[kept]


def recombine(centers: FloatArray, children: int, rng: np.random.Generator) -> FloatArray:
    """Cross pairs of parents: match their centres, take either of each matched pair.

    Two centres match when each is the other's nearest; a centre without a match is the mother's. Parents
    are the better of two drawn at random (solutions come best first).
    """
    _, k, p = centers.shape
    mothers, fathers = rng.integers(len(centers), size=(2, 2, children)).min(axis=0)
    mother, father = centers[mothers], centers[fathers]
    distance = np.einsum("bkp,bkp->bk", father, father)[:, None, :] - 2.0 * mother @ father.transpose(0, 2, 1)
    theirs = distance.argmin(axis=2)
    distance += np.einsum("bkp,bkp->bk", mother, mother)[:, :, None]
    back = np.take_along_axis(distance.argmin(axis=1), theirs, axis=1)
    crossed = (back == np.arange(k)) & (rng.random(theirs.shape) < 0.5)
    matched = father.reshape(-1, p)[theirs + k * np.arange(children)[:, None]]
    children_centers: FloatArray = np.where(crossed[:, :, None], matched, mother)
    return children_centers


def swap_one(rows: Rows, centers: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Replace one random centre of each solution by a row far from the others.

    The row is drawn among a few of all rows, with probability proportional to its squared distance from
    the nearest centre left.
    """
    children, k, _ = centers.shape
    if k == 1:
        return centers
    line = np.arange(children)
    dropped = rng.integers(k, size=children)
    few = rng.integers(len(rows), size=DRAWN_AMONG)
    distance = relative_distances(rows, centers, few=few)
    distance[line, dropped] = np.inf
    nearest = np.maximum(distance.min(axis=1) + rows.norms[few], 0.0)
    swapped = centers.copy()
    swapped[line, dropped] = rows.X[few[draw_by_distance(nearest, rng, 1)[:, 0]]]
    return swapped
