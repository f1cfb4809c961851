"""A population of k-means solutions that recombine: the default search.

Restarts alone are a weak search. Here solutions are recombined centre by centre, each child has one
centre swapped for a far row, and a few Lloyd steps follow (Gribel and Vidal 2019, "HG-means"; the swap
is Fränti's, 2018). The best few are then finished by Lloyd and single-unit moves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from regionalize.methods.lloyd import (
    FloatArray,
    IntArray,
    Rows,
    cluster_sums,
    iterate,
    means,
    relative_distances,
)
from regionalize.methods.seeding import draw_by_distance, draw_centers

Finish = Callable[[FloatArray], tuple[IntArray, float]]

CELLS = 1 << 18
"""Distances a generation may hold: it sets the number of children, so that they stay in cache."""
MOST_CHILDREN = 16
FEWEST_CHILDREN = 6
POPULATION = 80
FIRST_STEPS = 2
"""Lloyd steps every child makes; only the better half goes on."""
MORE_STEPS = 4
"""Steps by Hartigan's criterion for the better half."""
DRAWN_AMONG = 64
"""Rows that a swapped centre is drawn among."""
PATIENCE = 22
"""Generations without a better best before the best are finished, and the search ends or goes on."""
FINISHED = 16
"""How many of the best are finished."""
SAME = 1e-7
"""Solutions whose value differs by less, relative to the total, are taken to be the same."""


def search_population(
    rows: Rows, k: int, rng: np.random.Generator, finish: Finish
) -> list[tuple[IntArray, float]]:
    """Search for the best partition.

    Parameters
    ----------
    rows : Rows
        The data (at most a few thousand rows; more are sampled by the caller).
    k : int
        Number of clusters, at most the number of distinct rows.
    rng : numpy.random.Generator
        Source of every draw.
    finish : callable
        Takes centres (k, p) to the labels and within sum of squares of a local optimum. The search goes
        on as long as finishing finds a better one.

    Returns
    -------
    list of (labels, within)
        Finished solutions, best first.
    """
    single = rows.single()
    children = int(np.clip(CELLS // (len(rows) * k), FEWEST_CHILDREN, MOST_CHILDREN))
    centers, between = first_population(single, k, children, rng)
    best = np.inf
    while True:
        stale = 0
        while stale < PATIENCE:
            champion = between[0]
            child = swap_one(single, recombine(centers, children, rng), rng)
            child, value, labels = iterate(single, child, FIRST_STEPS)
            half = np.argsort(-value, kind="stable")[: (children + 1) // 2]
            child, value, _ = iterate(single, child[half], MORE_STEPS, labels[:, half])
            centers, between = select(np.concatenate([centers, child]), np.concatenate([between, value]))
            stale = 0 if between[0] > champion + SAME * rows.total else stale + 1
        finished = sorted(
            (finish(start.astype(np.float64)) for start in centers[:FINISHED]), key=lambda f: f[1]
        )
        if finished[0][1] >= best - SAME * rows.total:
            return finished
        best = finished[0][1]
        labels = np.stack([labels for labels, _ in finished], axis=1)
        better, value, _ = means(cluster_sums(single, labels, k), centers[: len(finished)])
        centers, between = select(np.concatenate([centers, better]), np.concatenate([between, value]))


def first_population(
    rows: Rows, k: int, at_once: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw and improve the first solutions."""
    found = []
    for _ in range(-(-POPULATION // at_once)):
        start, _, labels = iterate(rows, draw_centers(rows, k, at_once, rng), FIRST_STEPS)
        found.append(iterate(rows, start, MORE_STEPS, labels))
    return select(np.concatenate([item[0] for item in found]), np.concatenate([item[1] for item in found]))


def select(centers: FloatArray, between: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Keep the best `POPULATION` solutions of different value, best first."""
    scale = max(float(between.max()), np.finfo(np.float64).tiny)
    _, first = np.unique(np.round(between / scale / SAME), return_index=True)
    kept = first[::-1][:POPULATION]
    return centers[kept], between[kept]


def recombine(centers: FloatArray, children: int, rng: np.random.Generator) -> FloatArray:
    """Cross pairs of parents: match their centres, take either of each matched pair.

    Two centres match when each is the other's nearest; a centre without a match is the mother's. Parents
    are the better of two drawn at random (solutions come best first).
    """
    drawn = rng.integers(len(centers), size=(2, 2, children)).min(axis=0)
    mother, father = centers[drawn[0]], centers[drawn[1]]
    distance = np.einsum("bkp,bkp->bk", father, father)[:, None, :] - 2.0 * mother @ father.transpose(0, 2, 1)
    theirs = distance.argmin(axis=2)
    distance += np.einsum("bkp,bkp->bk", mother, mother)[:, :, None]
    back = np.take_along_axis(distance.argmin(axis=1), theirs, axis=1)
    crossed = (back == np.arange(centers.shape[1])) & (rng.random(theirs.shape) < 0.5)
    return np.where(crossed[:, :, None], np.take_along_axis(father, theirs[:, :, None], axis=1), mother)


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
    few = rows.take(rng.integers(len(rows), size=DRAWN_AMONG))
    distance = relative_distances(few, centers)
    distance[:, line, dropped] = np.inf
    nearest = np.maximum(distance.min(axis=2).T + few.norms, 0.0)
    swapped = centers.copy()
    swapped[line, dropped] = few.X[draw_by_distance(nearest, rng, 1)[:, 0]]
    return swapped
