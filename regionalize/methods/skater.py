"""SKATER: the minimum spanning tree of contiguous units, cut where it helps most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.methods.contiguous_links import check_regions, contiguous_links
from regionalize.methods.mended_cuts import cut_within
from regionalize.methods.tree_cuts import spanning_trees
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.job import DEFAULT_SEED

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BLOCK = 1 << 16
"""Links whose differences are held at one time."""


def skater(
    X: NDArray[np.floating[Any]],
    k: int,
    *,
    weights: Weights,
    seed: int = DEFAULT_SEED,
    bounds: Sequence[Bound] = (),
    jobs: int | None = None,
    progress: Any = None,
    findings: Findings | None = None,
) -> NDArray[np.int64]:
    """Group units into k contiguous regions by cutting their minimum spanning tree.

    Parameters
    ----------
    X : (n, p) float
        Variables, already scaled and weighted.
    k : int
        Number of regions: at least the number of connected components, at most n.
    weights : Weights
        Neighbours of the n units; a link counts in both directions.
    seed : int
        Of the search for regions within the bounds, asked where no cuts of the tree keep them.
    bounds : sequence of Bound
        What every region must hold at least or at most.
    jobs, progress
        Taken for the sake of the other methods: nothing here takes long.
    findings : Findings, optional
        Told the tree, and whether regions had to leave it.

    Returns
    -------
    (n,) int64
        Region of each unit, 0 … k - 1.

    Raises
    ------
    UsageError
        k is not between 1 and n.
    InfeasibleError
        Fewer regions than components, or bounds that cannot be kept.

    References
    ----------
    Assunção, Neves, Câmara and da Costa Freitas (2006), Efficient regionalization techniques for
    socio-economic geographical units using minimum spanning trees.

    Examples
    --------
    Six units in a row; the third and fourth differ most.

    >>> from regionalize.model.weights import Weights
    >>> row = np.arange(5)
    >>> path = Weights.from_links(6, row, row + 1, kind="example")
    >>> skater(np.array([[0.0], [1], [2], [9], [10], [11]]), 2, weights=path).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    check_regions(len(X), k, weights)
    for bound in bounds:
        bound.check_possible(k)
    values = np.asarray(X, dtype=np.float64)
    first, second = contiguous_links(weights)
    units, size, links = spanning_trees(len(values), first, second, lengths(values, first, second))
    if findings is not None:
        findings.tree = np.stack([first[links], second[links]], axis=1)
    return cut_within(values, units, size, k, weights=weights, bounds=bounds, seed=seed, findings=findings)


def lengths(values: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    """Return how far apart the ends of links are in the variables, shape (m,); a block of them at a time."""
    found = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        block = slice(start, start + BLOCK)
        difference = values[first[block]] - values[second[block]]
        found[block] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return found
