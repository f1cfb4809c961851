"""How well a ranking puts first what is wanted: normalized discounted cumulative gain."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def ndcg(score: FloatArray, gain: FloatArray, k: int = 10, *, wanted: FloatArray | None = None) -> float:
    """Return the discounted gain of the first k of a list over that of the best order, 0 to 1.

    With g_i the gain at rank i, ``DCG = sum of g_i / log2(1 + i)`` over ranks 1 … k (Järvelin and Kekäläinen,
    2002, with the logarithm of one rank more that is usual since Burges et al., 2005, so that rank 1 counts
    above rank 2). Items that score alike may come in any order: each has the mean gain of them, which is what
    all their orders give on average (McSherry and Najork, 2008).

    Parameters
    ----------
    score : (n,) float64
        The highest comes first.
    gain : (n,) float64
        What each item is worth, 0 or more.
    k : int
        Ranks that count.
    wanted : (m,) float64, optional
        Gains of everything that might have been found, where the list is only the head of a longer one; those
        of the list by default.

    Returns
    -------
    float
        NaN where nothing is wanted.

    References
    ----------
    Järvelin, K., Kekäläinen, J. (2002). Cumulated gain-based evaluation of IR techniques. ACM Transactions on
    Information Systems 20(4), 422–446.

    Burges, C. et al. (2005). Learning to rank using gradient descent. ICML, 89–96.

    McSherry, F., Najork, M. (2008). Computing information retrieval performance measures efficiently in the
    presence of tied scores. ECIR, 414–421.

    Examples
    --------
    >>> round(ndcg(np.array([3.0, 2.0, 1.0]), np.array([0.0, 1.0, 0.0])), 4)
    0.6309
    >>> ndcg(np.array([5.0, 5.0]), np.array([1.0, 0.0])) == (1 + 0.6309297535714575) / 2
    True
    """
    best = _discounted(np.sort(gain if wanted is None else wanted)[::-1], k)
    if not best > 0:
        return math.nan
    order = np.argsort(-score, kind="stable")
    score, gain = score[order], gain[order]
    starts = np.flatnonzero(np.concatenate([[True], score[1:] != score[:-1]])) if len(score) else order
    sizes = np.diff(np.append(starts, len(score)))
    shared = np.repeat(np.add.reduceat(gain, starts) / sizes, sizes) if len(score) else gain
    return _discounted(shared, k) / best


def _discounted(gain: FloatArray, k: int) -> float:
    first = gain[:k]
    return float((first / np.log2(np.arange(2, len(first) + 2))).sum())
