"""Cut trees within bounds; where no cuts keep them, change regions until they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError
from regionalize.methods.feasible import check_bounds
from regionalize.methods.recombination import keep_bounds
from regionalize.methods.search import make_problem
from regionalize.methods.tree_cuts import cut_trees
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def cut_within(
    X: FloatArray,
    units: IntArray,
    size: IntArray,
    k: int,
    *,
    weights: Weights,
    bounds: Sequence[Bound] = (),
    seed: int,
    findings: Findings | None = None,
) -> IntArray:
    """Cut a forest into k regions within bounds, or mend the cuts by a search.

    Parameters
    ----------
    X, units, size, k, bounds
        As for `cut_trees`.
    weights : Weights
        Neighbours, of which the forest's links are some.
    seed : int
        Of the search, which is asked only where no cuts keep the bounds.
    findings : Findings, optional
        Told if it was.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    InfeasibleError
        The bounds cannot be kept, or no regions that keep them were found.

    Examples
    --------
    Of a square of four units the tree 0 - 1 - 2, 1 - 3 has no half of two; the square has.

    >>> from regionalize.model.weights import Weights
    >>> square = Weights.from_links(4, np.array([0, 1, 1, 2]), np.array([1, 2, 3, 3]), kind="example")
    >>> units, size = np.array([0, 1, 3, 2]), np.array([4, 3, 1, 1])
    >>> two = Bound("units", np.ones(4), lower=2)
    >>> labels = cut_within(np.zeros((4, 1)), units, size, 2, weights=square, bounds=(two,), seed=1)
    >>> np.bincount(labels).tolist()
    [2, 2]
    """
    try:
        return cut_trees(X, units, size, k, bounds)
    except InfeasibleError:
        if not bounds:
            raise
        check_bounds(k, weights, bounds)
        cut = cut_trees(X, units, size, k)
        regions, broken = keep_bounds(make_problem(X, k, weights, bounds), cut, (seed, 0))
        if broken:
            raise  # what is known of the tree says more than that nothing was found
    if findings is not None:
        findings.notes.append("no cuts of the tree keep the bounds: its regions were changed until they do")
    return regions
