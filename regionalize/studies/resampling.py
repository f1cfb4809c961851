"""Parts of the units drawn at random, and a task that speaks of such a part alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.model.bounds import Bound
from regionalize.model.distances import distances_among
from regionalize.model.weights import Weights
from regionalize.studies.contraction import contract

if TYPE_CHECKING:
    from regionalize.run.task import Task

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """One run: its seed, and the units that take part, (m,) int64 among the rows used, or None for all."""

    seed: int
    kept: IntArray | None


def draws(seed: int, runs: int, n: int, resample: float | None) -> Iterator[Draw]:
    """Yield the runs; each depends on the seed and its own number alone.

    Examples
    --------
    >>> first, second = draws(1, 2, 5, 0.6)
    >>> len(first.kept), first.seed == second.seed
    (3, False)
    """
    size = n if resample is None else min(max(round(resample * n), 1), n - 1)
    for child in np.random.SeedSequence(seed).spawn(runs):
        rng = np.random.default_rng(child)
        own = int(rng.integers(2**63 - 1))
        yield Draw(own, None if resample is None else np.sort(rng.permutation(n)[:size]))


def restricted(task: Task, draw: Draw) -> Task:
    """Return the task of the units that take part, the others joined to them where that matters."""
    kept, features = draw.kept, task.features
    assert kept is not None
    rows = features.rows[kept]
    weights, inner, bounds = task.weights, task.inner, tuple(shrunk(one, kept) for one in task.bounds)
    columns = {name: taken(value, kept, len(features.rows)) for name, value in task.columns.items()}
    if "distances" in columns:  # of pairs, not of units
        columns["distances"] = distances_among(task.columns["distances"], len(features.rows), kept)
    job = task.job
    if task.method.contiguous or job.make_contiguous or job.centroid_weight == "auto":
        assert task.inner is not None
        owner, contracted = contract(task.inner.subset(features.rows), kept)
        weights = inner = among(contracted, features.rows, len(task.layer))
        bounds = tuple(joined(one, owner, kept) for one in task.bounds)
        columns |= {
            name: joined(value, owner, kept)
            for name, value in task.columns.items()
            if isinstance(value, Bound)
        }
    start = replace(
        task.start,
        plan=None if task.start.plan is None else taken(task.start.plan, kept, len(features.rows)),
        locked=None if task.start.locked is None else task.start.locked[kept],
    )
    if start.plan is not None:
        start.plan[start.plan >= 0] = np.unique(start.plan[start.plan >= 0], return_inverse=True)[1]
        columns |= start.arguments()
    return replace(
        task,
        job=replace(job, seed=draw.seed),
        features=replace(
            features,
            rows=rows,
            raw=features.raw[kept],
            scaled=features.scaled[kept],
            X=features.X[kept],
            unweighted=features.unweighted[kept],
            coordinates=None if features.coordinates is None else features.coordinates[kept],
        ),
        weights=weights,
        inner=inner,
        bounds=bounds,
        start=start,
        columns=columns,
    )


def taken(value: Any, kept: IntArray, n: int) -> Any:
    """Return the part of what is known of n units that speaks of those kept."""
    if isinstance(value, Bound):
        return shrunk(value, kept)
    return value[kept] if isinstance(value, np.ndarray) and len(value) == n else value


def shrunk(bound: Bound, kept: IntArray) -> Bound:
    """Return a bound of the units kept, as much lower as they hold less.

    Examples
    --------
    >>> shrunk(Bound("pop", np.array([1.0, 2.0, 1.0]), lower=2.0), np.array([0, 2])).lower
    1.0
    """
    amount = bound.amount[kept]
    total = float(bound.amount.sum())
    part = float(amount.sum()) / total if total else 1.0
    if not part:  # nothing is left to be bounded: what needs some has no solution
        return replace(bound, amount=amount)
    return Bound(bound.name, amount, bound.lower * part, bound.upper * part)


def joined(bound: Bound, owner: IntArray, kept: IntArray) -> Bound:
    """Return the same bound of the units kept, with what those that join them hold."""
    there = owner >= 0
    held = np.bincount(owner[there], bound.amount[there], minlength=len(owner))
    return replace(bound, amount=held[kept].astype(np.float64))


def among(weights: Weights, rows: IntArray, n: int) -> Weights:
    """Return weights of some rows as weights of all n, where the others have no neighbours."""
    return Weights.from_links(n, rows[weights.row], rows[weights.indices], kind=weights.kind)
