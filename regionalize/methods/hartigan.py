"""Single-unit moves (Hartigan 1975): what Lloyd's iteration leaves on the table."""

from __future__ import annotations

import numpy as np

from regionalize.kernels.compiler import compiled
from regionalize.kernels.lloyd import move_units
from regionalize.methods.lloyd import IntArray, Rows, cluster_sums, iterate, uses_kernel

GAIN = 1e-12
"""Least gain, relative to the total sum of squares, for a move to count: below it is rounding."""
MAX_ROUNDS = 1000


def improve_by_moves(rows: Rows, labels: IntArray, k: int) -> IntArray:
    """Move single units between clusters until no move lowers the within sum of squares.

    Moving unit x from cluster a (n_a members, mean m_a) to b changes the sum by
    ``n_b / (n_b + 1) |x - m_b|² - n_a / (n_a - 1) |x - m_a|²``: a unit may move although its own mean is
    nearer, which is why a Lloyd optimum is often not one here. The last member of a cluster stays.

    Parameters
    ----------
    rows : Rows
        The data.
    labels : (candidates, n) int
        Clusters 0 … k - 1, none empty.
    k : int
        Number of clusters.

    Returns
    -------
    (candidates, n) int
        Clusters after the moves.
    """
    labels = labels.copy()
    least = -GAIN * max(rows.total, np.finfo(np.float64).tiny)
    move = compiled(move_units) if uses_kernel(rows, k) else move_units
    moving = list(range(len(labels)))
    for _ in range(MAX_ROUNDS):
        sums = cluster_sums(rows, labels, k)  # afresh: no rounding is carried along
        drawn = iterate(rows, sums[:, :, :-1] / sums[:, :, -1:], 1, labels)[2] != labels
        moving = [
            one for one in moving if move(rows.X, np.flatnonzero(drawn[one]), labels[one], sums[one], least)
        ]
        if not moving:
            break
    return labels
