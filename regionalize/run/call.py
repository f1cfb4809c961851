"""Call a method's function; what another package's returns is checked before it goes any further."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError
from regionalize.model.catalog import package_of
from regionalize.model.findings import Findings
from regionalize.model.partition import LEFT_OUT, Partition

if TYPE_CHECKING:
    from regionalize.model.bounds import Bound
    from regionalize.model.method import Method
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


def call(
    method: Method,
    X: NDArray[np.floating],
    k: int | None,
    *,
    bounds: Sequence[Bound] = (),
    findings: Findings | None = None,
    **given: Any,
) -> IntArray:
    """Return the cluster of every row, from 0; -1 for noise.

    Parameters
    ----------
    method : Method
        Whose function is called.
    X : (m, p) float
        The variables. The function of another package cannot change them.
    k : int or None
        Number of clusters, where the method is told it.
    bounds : sequence of Bound
        Amounts of the m rows.
    findings : Findings, optional
        For what the function has to tell besides.
    **given
        Whatever else the function takes: seed, weights, options of its own …

    Returns
    -------
    (m,) int64

    Raises
    ------
    RegionalizeError
        What the function says stands in the way.
    PluginError
        The function is another package's, and failed or gave a wrong answer.
    """
    package = package_of(method.name)
    if package:
        return call_checked(method, package, X, k, bounds=bounds, findings=findings, **given)
    own: IntArray = method.load()(X, k, bounds=bounds, findings=findings, **given)
    return own


def call_checked(
    method: Method,
    package: str,
    X: NDArray[np.floating],
    k: int | None,
    *,
    bounds: Sequence[Bound] = (),
    findings: Findings | None = None,
    **given: Any,
) -> IntArray:
    """Call the function of another package as `call` does: asked what can be answered, its answer checked."""
    from regionalize.model.plugins import blamed

    weights = given.get("weights") if method.contiguous else None
    check_possible(len(X), k, bounds, weights)
    findings = Findings() if findings is None else findings
    unchanged = X.view()
    unchanged.flags.writeable = False
    with blamed(method.name, package):
        found = method.load()(unchanged, k, bounds=bounds, findings=findings, **given)
        codes = checked_codes(found, len(X), noise=method.noise)
        check_clusters(codes, k, bounds, weights)
        check_findings(method, findings, codes, given.get("levels", ()))
        # under a name of their own, for reports know what ours of some names mean
        findings.facts = {"facts": dict(findings.facts)} if findings.facts else {}
    return codes


def check_possible(m: int, k: int | None, bounds: Sequence[Bound], weights: Weights | None) -> None:
    """Refuse what no method could do, so that a function is only asked what can be answered."""
    from regionalize.methods.contiguous_links import check_regions
    from regionalize.methods.feasible import check_bounds

    if k is None:
        return
    if weights is not None:
        check_regions(m, k, weights)
        check_bounds(k, weights, bounds)
        return
    if k > m:
        raise UsageError(f"k is {k}, but there are only {m} rows to group", advice="ask for fewer clusters")
    for bound in bounds:
        bound.check_possible(k)


def checked_codes(found: Any, m: int, *, noise: bool) -> IntArray:
    """Return what a function made as (m,) int64, or say why that is no clusters of m rows.

    Examples
    --------
    >>> checked_codes([0, 1, 1], 3, noise=False)
    array([0, 1, 1])
    >>> checked_codes([0, 1, 1], 4, noise=False)
    Traceback (most recent call last):
    AssertionError: it returned an array of shape (3,) for 4 rows
    """
    codes = np.asarray(found)
    if codes.shape != (m,):
        raise AssertionError(f"it returned an array of shape {codes.shape} for {m} rows")
    if codes.dtype.kind not in "iu":
        raise AssertionError(f"it returned {codes.dtype}, not whole numbers")
    least = -1 if noise else 0
    if codes.min() < least:
        raise AssertionError(f"it returned {codes.min()}; clusters are numbered from 0")
    return codes.astype(np.int64)


def check_clusters(codes: IntArray, k: int | None, bounds: Sequence[Bound], weights: Weights | None) -> None:
    """Make sure that there are k clusters, within the bounds, and contiguous where weights are given."""
    from regionalize.run.verify import verify

    partition = Partition.canonical(np.where(codes < 0, LEFT_OUT, codes))
    rows = np.flatnonzero(codes >= 0)
    verify(partition, partition.k if k is None else k, bounds, rows, weights)


def check_findings(method: Method, findings: Findings, codes: IntArray, levels: Sequence[int]) -> None:
    """Make sure that a function told what its row says it does, and notes in words."""
    from regionalize.run.verify import verify_nested

    for is_said, name in (
        (method.tree, "tree"),
        (method.nested, "merges"),
        (method.center == "medoid", "medoids"),
    ):
        if is_said and getattr(findings, name) is None:
            raise AssertionError(f"it left findings.{name} empty")
    if not all(isinstance(note, str) for note in findings.notes):
        raise AssertionError("findings.notes are not all text")
    if method.center == "medoid" and not np.array_equal(codes[findings.medoids], np.arange(codes.max() + 1)):
        raise AssertionError("findings.medoids are not a row of each cluster")
    for number in levels:
        if number not in findings.levels:
            raise AssertionError(f"it left findings.levels[{number}] empty")
        coarser = checked_codes(findings.levels[number], len(codes), noise=method.noise)
        check_clusters(coarser, number, (), None)
        verify_nested((Partition(coarser + 1), Partition(codes + 1)))
