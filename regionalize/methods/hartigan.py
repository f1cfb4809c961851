"""Single-unit moves (Hartigan 1975): what Lloyd's iteration leaves on the table."""

from __future__ import annotations

import numpy as np

from regionalize.methods.lloyd import FloatArray, IntArray, Rows, cluster_sums, relative_distances

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
    sums = cluster_sums(rows, labels[:, None], k)[0]
    for _ in range(MAX_ROUNDS):
        candidates = promising(rows, labels, sums, least)
        moved = 0
        for unit in candidates:
            moved += move_if_better(rows, unit, labels, sums, least)
        if not moved:
            break
        sums = cluster_sums(rows, labels[:, None], k)[0]  # afresh: no rounding is carried along
    centers = sums[:, :-1] / sums[:, -1:]
    difference = rows.X - centers[labels]
    return labels, float(np.einsum("ij,ij->", difference, difference))


def promising(rows: Rows, labels: IntArray, sums: FloatArray, least: float) -> IntArray:
    """Units whose best move lowers the sum under the present means, best first."""
    k = len(sums)
    counts = sums[:, -1]
    centers = sums[:, :-1] / sums[:, -1:]
    found, gains = [], []
    size = max(256, (1 << 18) // k)
    for start in range(0, len(rows), size):
        block = slice(start, start + size)
        own = labels[block]
        line = np.arange(len(own))
        distance = relative_distances(rows, centers[None], block)[:, 0, :] + rows.norms[block, None]
        leave = distance[line, own] * (counts / np.maximum(counts - 1.0, 1.0))[own]
        leave[counts[own] <= 1] = 0.0
        distance *= counts / (counts + 1.0)
        distance[line, own] = np.inf
        gain = distance.min(axis=1) - leave
        better = np.flatnonzero(gain < least)
        found.append(better + start)
        gains.append(gain[better])
    order = np.argsort(np.concatenate(gains), kind="stable")
    return np.concatenate(found)[order]


def move_if_better(rows: Rows, unit: int, labels: IntArray, sums: FloatArray, least: float) -> bool:
    """Make the best move of one unit if it still lowers the sum; `labels` and `sums` are updated."""
    own = labels[unit]
    counts = sums[:, -1]
    if counts[own] <= 1:
        return False
    difference = sums[:, :-1] / sums[:, -1:] - rows.X[unit]
    distance = np.einsum("kp,kp->k", difference, difference)
    leave = distance[own] * counts[own] / (counts[own] - 1.0)
    distance *= counts / (counts + 1.0)
    distance[own] = np.inf
    target = int(distance.argmin())
    if distance[target] - leave >= least:
        return False
    sums[own] -= rows.sums[unit]
    sums[target] += rows.sums[unit]
    labels[unit] = target
    return True
