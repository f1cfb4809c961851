"""Centres from rows that come in batches: a random sample begins, and batches in random order go on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.measure.groups import Groups
from regionalize.methods.kmeans import kmeans
from regionalize.methods.minibatch import MiniBatchKMeans
from regionalize.run.stream.rows import ROWS, Rows

FloatArray = NDArray[np.float64]

PAGE = 256
"""Rows that are read together."""
ROWS_PER_CLUSTER = 100
"""Rows of a warm start that tell enough of a cluster."""
SEARCHED = 1 << 22
"""Rows of a warm start times clusters up to which it is searched as rows in memory are. Beyond, the search
takes minutes, and plain starts take seconds and end within about a hundredth of its sum of squares."""
STARTED = 1 << 25
"""Rows times clusters times starts, where it is plain starts."""


def refuse_few(rows: Rows, k: int) -> None:
    """Refuse a number of clusters that the rows, or those drawn to begin with, cannot give."""
    used, drawn = int(rows.statistics.count.max()), len(rows.warm)
    if k > used:
        raise UsageError(
            f"k is {k}, but there are only {used} rows to group", advice="ask for fewer clusters"
        )
    if k > rows.teaching:
        raise UsageError(
            f"k is {k}, but --test-share leaves only {rows.teaching} of {used} rows to learn from",
            advice="lower it, or ask for fewer clusters",
        )
    if k > drawn:
        raise UsageError(
            f"k is {k}, but the warm start has only {drawn} of {used} rows",
            advice=f"raise --warm-start, best to {min(ROWS_PER_CLUSTER * k, rows.teaching)}",
        )


def warm_model(rows: Rows) -> MiniBatchKMeans:
    """Return the k-means of the rows that were drawn at random."""
    job = rows.job
    assert job.k is not None
    X = rows.warm_start().astype(job.dtype)
    try:
        codes = kmeans(X, job.k, seed=job.seed, jobs=job.jobs, **search_of(rows, job.k))
    except InfeasibleError as error:
        if len(X) == rows.teaching:
            raise
        raise InfeasibleError(
            f"k is {job.k}, but the {len(X)} rows of the warm start hold fewer distinct combinations "
            "of values",
            advice="raise --warm-start, or ask for fewer clusters",
        ) from error
    groups = Groups(job.k, X.shape[1])
    groups.update(X, codes)
    return MiniBatchKMeans(groups.means, groups.counts, seed=job.seed)


def search_of(rows: Rows, k: int) -> dict[str, Any]:
    """Return the options of k-means for the warm start.

    Where it holds all rows that may teach, it is the answer, and searched as in memory whatever that takes.
    """
    given, cells = dict(rows.job.params), len(rows.warm) * k
    if "search" in given or cells <= SEARCHED or len(rows.warm) == rows.teaching:
        return given
    return {"search": "starts", "n_init": max(STARTED // cells, 1), **given}


def update_by_batches(model: MiniBatchKMeans, rows: Rows) -> int:
    """Pass once over the rows that may teach, in random order; return the number of batches.

    Pages of rows are read from all over the file, and shuffled together, since files are sorted more often
    than not. Where all rows are in the warm start already, there is nothing that batches could add.
    """
    size = rows.job.batch_size
    assert size is not None
    if len(rows.warm) == rows.teaching:
        return 0
    rng = np.random.default_rng([rows.job.seed, 1])
    pages = rng.permutation(-(-len(rows) // PAGE))
    together = -(-max(size, ROWS) // PAGE)
    left = np.empty((0, len(rows.variables.columns)))
    updates = 0
    for at in range(0, len(pages), together):
        drawn = np.concatenate([left, teaching_rows(rows, pages[at : at + together])])
        drawn = drawn[rng.permutation(len(drawn))]
        last = at + together >= len(pages)
        whole = len(drawn) if last else len(drawn) - len(drawn) % size
        model.update(drawn[:whole].astype(rows.job.dtype), size)
        updates += -(-whole // size)
        left = drawn[whole:]
    return updates


def teaching_rows(rows: Rows, pages: NDArray[np.int64]) -> FloatArray:
    """Return what is clustered of the rows of some pages that may teach."""
    parts = []
    for first in (PAGE * pages).tolist():
        values, used = rows.read(first, PAGE)
        known = values if rows.smoothed is None else rows.transformed(first, values)
        parts.append(known[rows.may_teach(first, used)])
    drawn = np.concatenate(parts)
    if rows.smoothed is None:  # all at once: pages are small
        return rows.variables.clustered(drawn, rows.scale)
    return rows.variables.weigh(drawn)
