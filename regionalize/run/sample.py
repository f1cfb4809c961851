"""K-means of a random sample of the rows, carried over to all."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.methods.carry_over import carry_over, means_of
from regionalize.model.findings import Findings
from regionalize.run.call import call

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.method import Method

IntArray = NDArray[np.int64]

LEAST_SHARE = 5000
"""Rows of a sample asked for as a share, at least: to group fewer takes hardly less time."""
ROWS_PER_CLUSTER = 100
"""Rows of a sample at least: means of fewer are off by so much that the fit shows it."""
LARGE_SHARE = 0.5
"""Share of the rows from which more of them would tell hardly anything new."""
DRAWN = 1
"""Tells draws of the sample from those of the method, which has the same seed."""


def check_sample(method: Method, job: Job) -> None:
    """Refuse a sample for a method, or beside an option, that needs all rows at once.

    Raises
    ------
    UsageError
        A method that is not k-means, or bounds.
    """
    if job.sample is None:
        return
    if method.name != "kmeans":
        raise UsageError(
            f"--sample is for k-means, and {method.name} needs all rows at once", advice="use kmeans"
        )
    for name in ("min_size", "max_size", "min_bound", "max_bound"):
        if getattr(job, name) is not None:
            raise UsageError(
                f"--sample and --{name.replace('_', '-')} exclude each other: "
                "rows that join the nearest centre afterwards keep no bound",
                advice="leave out --sample",
            )


def call_on_sample(
    method: Method,
    X: NDArray[np.floating],
    k: int,
    *,
    sample: str,
    seed: int,
    findings: Findings | None = None,
    **given: Any,
) -> IntArray:
    """Call a method on a random sample of rows, and carry its centres over to all.

    Parameters
    ----------
    method : Method
        One whose clusters are told by their means.
    X : (m, p) float
        The variables of all rows.
    k : int
        Number of clusters.
    sample : str
        A number of rows, or a share of them such as "1%".
    seed : int
        Of the sample, and of the method's draws.
    findings : Findings, optional
        For what the method has to tell, and how many rows were drawn.
    **given
        What else the method is given.

    Returns
    -------
    (m,) int64
        Cluster of each row, 0 … k - 1, none empty.

    Raises
    ------
    UsageError
        A sample of fewer rows than there are clusters.
    RegionalizeError
        Whatever the method finds in the way.
    """
    findings = Findings() if findings is None else findings
    count = rows_of(sample, len(X), k)
    rng = np.random.default_rng((seed, DRAWN))
    drawn = rng.permutation(len(X))
    while count < len(X) and len(np.unique(X[drawn[:count]], axis=0)) < k:
        count = min(2 * count, len(X))  # mostly repeated rows: only more of them hold k kinds
    rows = np.sort(drawn[:count])
    codes = call(method, X[rows], k, seed=seed, findings=findings, **given)
    if count < len(X):
        codes = carry_over(X, means_of(X[rows], codes, np.zeros((k, X.shape[1]))), rng)
    findings.facts["sample"] = {"rows": count, "of": len(X)}
    findings.notes.append(note_of(sample, count, len(X), k))
    return codes


def rows_of(sample: str, n: int, k: int) -> int:
    """Return how many of n rows a sample has; a small share is raised to what can be grouped well.

    Examples
    --------
    >>> rows_of("1%", 1_000_000, 10), rows_of("1%", 20_000, 10), rows_of("1%", 20_000, 80)
    (10000, 5000, 8000)
    >>> rows_of("2000", 20_000, 10)
    2000
    """
    if sample.endswith("%"):
        share = float(sample.removesuffix("%")) / 100
        return min(n, max(ceil(share * n), LEAST_SHARE, ROWS_PER_CLUSTER * k))
    count = min(n, int(sample))
    if count < min(k, n):
        raise UsageError(
            f"--sample {sample} is fewer rows than there are clusters, {k}",
            advice=f"give at least {min(ROWS_PER_CLUSTER * k, n)}",
        )
    return count


def note_of(sample: str, count: int, n: int, k: int) -> str:
    """Say which rows the clusters were found on, and how many would be better where these are but a few.

    Examples
    --------
    >>> note_of("1%", 5000, 20_000, 10)
    'found on 5,000 of 20,000 rows drawn at random (raised from 1%), carried over to all'
    """
    if count == n:
        return f"--sample {sample} came to all {n:,} rows: fewer would be too few, or there are no more"
    asked = ceil(float(sample.removesuffix("%")) / 100 * n) if sample.endswith("%") else int(sample)
    raised = f" (raised from {sample})" if count > asked else ""
    few, enough = "", min(ROWS_PER_CLUSTER * k, n)
    if count < min(enough, LARGE_SHARE * n):
        few = f"; {enough:,} would tell more of {k} clusters"
    return f"found on {count:,} of {n:,} rows drawn at random{raised}, carried over to all{few}"
