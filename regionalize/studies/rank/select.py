"""The best of scored items: order, ties, masks, top k and caps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_REACH = 8
"""Times as many candidates as are wanted, where a cap may leave some out."""


def select(
    score: FloatArray,
    km: FloatArray,
    kept: BoolArray | None = None,
    *,
    top: int | None = None,
    zones: IntArray | None = None,
    most: int | None = None,
    precedence: Callable[[], IntArray] | None = None,
) -> tuple[IntArray, IntArray]:
    """Return each user's best items, the best first.

    The highest score comes first, then the nearest, then the first in the order of ids.

    Parameters
    ----------
    score, km : (u, n) float64
    kept : (u, n) bool, optional
        Others are not returned.
    top : int, optional
        At most so many per user.
    zones : (u, n) or (n,) int64, optional
        Zone of every item; negative for none.
    most : int, optional
        At most so many of one zone per user; the next best fill up.
    precedence : callable, optional
        Returns the items' places in the order of ids, shape (n,); asked only where items tie. Their rows by
        default.

    Returns
    -------
    user, item : (m,) int64
        Users rising.

    Examples
    --------
    >>> score, km = np.array([[0.5, 0.9, 0.9, 0.1]]), np.array([[3.0, 2.0, 1.0, 9.0]])
    >>> select(score, km, top=3)[1].tolist()
    [2, 1, 0]
    >>> select(score, km, top=3, zones=np.array([0, 1, 1, 0]), most=1)[1].tolist()
    [2, 0]
    """
    users, n = score.shape
    capped = most is not None and zones is not None
    reach = top if top is None or not capped else _REACH * top
    while True:
        user, item = _candidates(score, kept, reach)
        order = _order(user, item, score[user, item], km[user, item], precedence)
        user, item = user[order], item[order]
        if capped:
            assert zones is not None
            assert most is not None
            zone = np.broadcast_to(zones, score.shape)[user, item]
            few = (zone < 0) | (_occurrence(user, zone) < most)
            user, item = user[few], item[few]
        if top is None or reach is None:
            return user, item
        first = position(user) < top
        user, item = user[first], item[first]
        # the best few may be enough of different zones; if not for all, look further down
        if not capped or reach >= n or (np.bincount(user, minlength=users) == top).all():
            return user, item
        reach *= _REACH


def position(user: IntArray) -> IntArray:
    """Return the place of each row among those of its user, from 0; users rising.

    Examples
    --------
    >>> position(np.array([0, 0, 3, 3, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    if not len(user):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], user[1:] != user[:-1]]))
    return np.arange(len(user)) - np.repeat(starts, np.diff(np.append(starts, len(user))))


def _candidates(score: FloatArray, kept: BoolArray | None, top: int | None) -> tuple[IntArray, IntArray]:
    """Return pairs of users and items that may be among the best, users rising."""
    users, n = score.shape
    if top is not None and top < n:
        open_scores = score if kept is None else np.where(kept, score, -np.inf)
        last = np.partition(open_scores, n - top, axis=1)[:, n - top, None]
        wanted = open_scores >= last  # with all that score as the last does
        user, item = np.nonzero(wanted if kept is None else wanted & kept)
    elif kept is not None:
        user, item = np.nonzero(kept)
    else:
        user, item = np.repeat(np.arange(users), n), np.tile(np.arange(n), users)
    return user, item


def _order(
    user: IntArray,
    item: IntArray,
    score: FloatArray,
    km: FloatArray,
    precedence: Callable[[], IntArray] | None,
) -> IntArray:
    """Order rows by user, falling score, rising distance and precedence."""
    users = int(user[-1]) + 1 if len(user) else 1
    if len(user) and (np.bincount(user) == len(user) // users).all():  # as many of each: row by row is faster
        rows = np.argsort(-score.reshape(users, -1), axis=1)
        order = (rows + (len(user) // users) * np.arange(users)[:, None]).ravel()
    else:
        order = np.lexsort((-score, user))
    user, score = user[order], score[order]
    ties = (score[1:] == score[:-1]) & (user[1:] == user[:-1])
    if ties.any():  # seldom: the keys of the rest are not needed
        tied = np.flatnonzero(np.append(ties, False) | np.concatenate([[False], ties]))
        group = np.cumsum(np.concatenate([[True], ~ties]))[tied]
        rows = order[tied]
        place = item[rows] if precedence is None else precedence()[item[rows]]
        order[tied] = rows[np.lexsort((place, km[rows], group))]
    return order


def _occurrence(user: IntArray, zone: IntArray) -> IntArray:
    """Return how many rows before each are of the same user and zone."""
    order = np.lexsort((zone, user))
    alike = user[order] * (int(zone.max(initial=0)) + 2) + zone[order] + 1
    found = np.empty(len(user), dtype=np.int64)
    found[order] = position(alike)
    return found
