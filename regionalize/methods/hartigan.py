"""Single-unit moves (Hartigan 1975): what Lloyd's iteration leaves on the table."""

from __future__ import annotations

import numpy as np

from regionalize.kernels.compiler import compiled
from regionalize.kernels.lloyd import move_units
from regionalize.methods.lloyd import IntArray, Rows, cluster_sums, iterate, uses_kernel

GAIN = 1e-12
"""Least gain, relative to the total sum of squares, for a move to count: below it is rounding."""
MAX_ROUNDS = 1000


def improve_by_moves(rows: Rows, labels: IntArray, k: int) -> tuple[IntArray, float]:
    """Move single units between clusters until no move lowers the within sum of squares.

    Moving unit x from cluster a (n_a members, mean m_a) to b changes the sum by
    ``n_b / (n_b + 1) |x - m_b|² - n_a / (n_a - 1) |x - m_a|²``: a unit may move although its own mean is
    nearer, which is why a Lloyd optimum is often not one here. The last member of a cluster stays.

    Parameters
    ----------
    rows : Rows
        The data.
    labels : (n,) int
        Clusters 0 … k - 1, none empty.
    k : int
        Number of clusters.

    Returns
    -------
    labels : (n,) int
        Clusters after the moves.
    within : float
        Their within sum of squares.
    """
    labels = labels.copy()
    least = -GAIN * max(rows.total, np.finfo(np.float64).tiny)
    move = compiled(move_units) if uses_kernel(rows, k) else move_units
    for _ in range(MAX_ROUNDS):
        sums = cluster_sums(rows, labels[None], k)[0]  # afresh: no rounding is carried along
        centers = sums[:, :-1] / sums[:, -1:]
        drawn = iterate(rows, centers[None], 1, labels[None])[2][0]
        if not move(rows.X, np.flatnonzero(drawn != labels), labels, sums, least):
            break
    difference = rows.X - centers[labels]
    return labels, float(np.einsum("ij,ij->", difference, difference))
