"""Great-circle kilometres: of all pairs, or of the nearest."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.weights.places import EARTH_RADIUS, on_sphere

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RADIUS_KM = EARTH_RADIUS / 1000
ROUNDING = 1e-12, 1e-15
"""Relative and absolute width within which chords of two formulas may be one."""
_HALF_RADIAN = np.pi / 360
_CACHED = 1 << 14
_SPARE = 8
"""At most so many places are asked for beyond the nearest, where some may be as near."""
SAMPLE = 4096
"""Items that stand for all in a typical distance."""


def great_circle_km(users: FloatArray, items: FloatArray) -> FloatArray:
    """Return the distance from every user to every item.

    The haversine, of differences taken in degrees, so that tiny distances keep their digits. Beyond a quarter
    of the globe it is half the globe less the distance from the user's antipode, where the haversine of
    nearly opposite places would lose half of them.

    Parameters
    ----------
    users : (u, 2) float64
        Latitude and longitude in degrees.
    items : (n, 2) float64

    Returns
    -------
    (u, n) float64

    Examples
    --------
    >>> new_york, los_angeles = np.array([[40.7128, -74.006]]), np.array([[34.0522, -118.2437]])
    >>> great_circle_km(new_york, los_angeles).round(1).tolist()
    [[3935.8]]
    """
    found = np.empty((len(users), len(items)))
    cosines, others = _cosine(users[:, 0])[:, None], _cosine(items[:, 0])
    places, goods = users[:, None, :], items[None, :, :]
    few = max(1, _CACHED // max(len(items), 1))  # so much at a time that it stays near the processor
    for first in range(0, len(users), few):
        some = slice(first, first + few)
        for start in range(0, len(items), _CACHED):
            part = slice(start, start + _CACHED)
            found[some, part] = _km(places[some], goods[:, part], cosines[some] * others[part])
    return found


def rough_km(users: FloatArray, items: FloatArray) -> FloatArray:
    """Return the distance from every user to every item by chords: many times faster than `great_circle_km`.

    Right to a micrometre up to a quarter of the globe, and to a metre near antipodes.

    Parameters
    ----------
    users : (3, u) float64
        Points on the unit sphere.
    items : (3, n) float64

    Returns
    -------
    (u, n) float64

    Examples
    --------
    >>> axes = np.eye(3)
    >>> rough_km(axes[:, :1], axes).round(3).tolist()
    [[0.0, 10007.557, 10007.557]]
    """
    found = np.empty((users.shape[1], items.shape[1]))
    few = max(1, _CACHED // max(items.shape[1], 1))
    for first in range(0, users.shape[1], few):
        for start in range(0, items.shape[1], _CACHED):
            part = slice(start, start + _CACHED)
            km = found[first : first + few, part]
            some = users[:, first : first + few, None]
            np.subtract(items[0, part], some[0], out=km)
            km *= km
            for axis in (1, 2):
                apart = items[axis, part] - some[axis]
                apart *= apart
                km += apart
            np.sqrt(km, out=km)
            km *= 0.5
            np.minimum(km, 1.0, out=km)
            np.arcsin(km, out=km)
            km *= 2 * RADIUS_KM
    return found


def sphere_points(places: FloatArray) -> FloatArray:
    """Return latitudes and longitudes, shape (n, 2), as points on the unit sphere: (3, n).

    Examples
    --------
    >>> sphere_points(np.array([[0.0, 90.0]])).round(9).tolist()
    [[0.0], [1.0], [0.0]]
    """
    return np.ascontiguousarray(on_sphere(places[:, ::-1]).T)


def paired_km(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the distance of places, shapes (…, 2) that fit each other: shape (…), one axis or more.

    Examples
    --------
    >>> pole = np.array([90.0, 0.0])
    >>> paired_km(pole, np.array([[90.0, 77.0], [-90.0, 12.0]])).round(3).tolist()
    [0.0, 20015.114]
    """
    return _km(first, second, _cosine(first[..., 0]) * _cosine(second[..., 0]))


def _km(first: FloatArray, second: FloatArray, cosines: FloatArray) -> FloatArray:
    """Return the distance of places, given the products of the cosines of their latitudes."""
    latitude, longitude = first[..., 0], first[..., 1]
    latitudes, longitudes = second[..., 0], second[..., 1]
    over = (180 - np.abs(longitude)) + (180 - np.abs(longitudes))  # by way of the antimeridian
    across = np.minimum(np.abs(longitude - longitudes), over)
    square = _haversine(latitude - latitudes, across, cosines)
    far = square > 0.5
    angle = np.arcsin(np.sqrt(np.minimum(square, 0.5)))
    if far.any():
        opposite = _haversine((latitude + latitudes)[far], 180 - across[far], cosines[far])
        angle[far] = np.pi / 2 - np.arcsin(np.sqrt(opposite))
    angle *= 2 * RADIUS_KM
    return np.asarray(angle)


def _cosine(latitude: FloatArray) -> FloatArray:
    """Return the cosine by the sine of what is left to the pole: exactly 0 there."""
    return np.asarray(np.sin(np.radians(90 - np.abs(latitude))))


def _haversine(along: FloatArray, across: FloatArray, cosines: FloatArray) -> FloatArray:
    """Return the squared sine of half the angle, of differences in degrees."""
    found = np.sin(across * _HALF_RADIAN)
    found *= found
    found *= cosines
    square = np.sin(along * _HALF_RADIAN)
    square *= square
    square += found
    return np.asarray(square)


def typical_km(users: FloatArray, items: FloatArray) -> FloatArray:
    """Return the median distance of each user's items, shape (u,).

    Of more than 4,096 items so many stand for all, spread evenly over them from south to north: the same ones
    for every user, and in whatever order the items come. Where most items are at the user's own place it is
    the mean, and where all are, 1.

    Examples
    --------
    >>> typical_km(np.array([[0.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 4.0]])).round(1).tolist()
    [222.4]
    """
    sample = spread_sample(items)
    step = max(1, (1 << 20) // max(len(sample), 1))
    parts = [
        middle_km(great_circle_km(users[start : start + step], sample))
        for start in range(0, max(len(users), 1), step)
    ]
    return np.concatenate(parts)


def middle_km(km: FloatArray) -> FloatArray:
    """Return the median of each row, shape (u,); where it is 0 the mean, and where that is, 1."""
    if not km.size:
        return np.ones(len(km))
    middle = np.median(km, axis=1)
    if (middle > 0).all():
        return np.asarray(middle)
    middle = np.where(middle > 0, middle, np.sort(km, axis=1).mean(axis=1))
    return np.where(middle > 0, middle, 1.0)


def spread_sample(items: FloatArray, size: int = SAMPLE) -> FloatArray:
    """Return at most `size` of the places, spread evenly over them from south to north."""
    if len(items) <= size:
        return items
    # a breath of longitude tells places of one latitude apart, so that the order of the items is no matter
    order = np.argsort(items[:, 0] + 1e-7 * items[:, 1])
    return items[order[((np.arange(size) + 0.5) * len(items) / size).astype(np.int64)]]


class PlaceIndex:
    """A k-d tree of items on the unit sphere, for the nearest of many.

    Parameters
    ----------
    items : (n, 2) float64
        Latitude and longitude in degrees.
    precedence : (n,) int64, optional
        Items as far as each other go by it; by their row otherwise.

    Examples
    --------
    >>> index = PlaceIndex(np.array([[0.0, 10.0], [0.0, 1.0], [0.0, 1.0]]))
    >>> rows, km = index.nearest(np.array([[0.0, 0.0]]), 2)
    >>> rows.tolist(), km.round(1).tolist()
    ([[1, 2]], [[111.2, 111.2]])
    """

    def __init__(self, items: FloatArray, precedence: IntArray | None = None) -> None:
        self.items = items
        self.precedence = np.arange(len(items)) if precedence is None else precedence
        # the tree holds every place once, so that a crowd at one place cannot swamp a search
        order = np.lexsort((items[:, 1], items[:, 0]))
        moved = (np.diff(items[order], axis=0) != 0).any(axis=1)
        self._rows = order
        self._starts = np.concatenate([[0], np.flatnonzero(moved) + 1, [len(order)]]) if len(order) else order

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import KDTree

        return KDTree(on_sphere(self.items[self._rows[self._starts[:-1]]][:, ::-1]))

    def build(self) -> PlaceIndex:
        """Build the tree now rather than when it is first asked."""
        if len(self.items):
            _ = self._tree
        return self

    def nearest(
        self, users: FloatArray, k: int, max_km: float | None = None, *, threads: int = -1
    ) -> tuple[IntArray, FloatArray]:
        """Return each user's k nearest items, the nearest first.

        Parameters
        ----------
        users : (u, 2) float64
            Latitude and longitude in degrees.
        k : int
            At least 1.
        max_km : float, optional
            Items farther are left out.
        threads : int
            -1 takes all processors.

        Returns
        -------
        rows : (u, k) int64
            -1 where there are fewer.
        km : (u, k) float64
            As `great_circle_km` gives them; infinite where there are fewer.
        """
        found = np.full((len(users), k), -1, dtype=np.int64), np.full((len(users), k), np.inf)
        if not len(self.items) or not len(users):
            return found
        user, row = self._candidates(users, k, threads)
        km = paired_km(users[user], self.items[row])
        if max_km is not None:
            near = km <= max_km
            user, row, km = user[near], row[near], km[near]
        order = np.lexsort((self.precedence[row], km, user))
        user, row, km = user[order], row[order], km[order]
        place = np.arange(len(user)) - np.searchsorted(user, np.arange(len(users)))[user]
        kept = place < k
        rows, distances = found
        rows[user[kept], place[kept]] = row[kept]
        distances[user[kept], place[kept]] = km[kept]
        return found

    def _candidates(self, users: FloatArray, k: int, threads: int) -> tuple[IntArray, IntArray]:
        """Return pairs of users and items: each user's k nearest, and all that may be as near.

        k places hold k items or more. Where the list of places ends among those as near as the last that is
        needed, as far as chords can tell, all as near are fetched.
        """
        points = on_sphere(users[:, ::-1])
        places = len(self._starts) - 1
        asked = min(k + min(k, _SPARE), places)
        chords, near = self._tree.query(points, k=np.arange(1, asked + 1), workers=threads)
        # k items fill this many places or fewer
        filled = np.cumsum(np.diff(self._starts)[near], axis=1)
        last = np.minimum((filled < k).sum(axis=1), asked - 1)
        limit = chords[np.arange(len(users)), last] * (1 + ROUNDING[0]) + ROUNDING[1]
        wanted = chords <= limit[:, None]
        user, column = np.nonzero(wanted)
        place = near[user, column]
        cut = np.flatnonzero(wanted[:, -1]) if asked < places else np.empty(0, dtype=np.int64)
        if len(cut):
            balls = self._tree.query_ball_point(points[cut], limit[cut], workers=threads)
            sizes = np.fromiter(map(len, balls), dtype=np.int64, count=len(balls))
            kept = ~np.isin(user, cut)
            user = np.concatenate([user[kept], np.repeat(cut, sizes)])
            fetched = [np.asarray(ball, dtype=np.int64) for ball in balls]
            place = np.concatenate([place[kept], *fetched])
        size = np.diff(self._starts)[place]
        first = np.repeat(self._starts[place] - np.cumsum(size) + size, size)
        return np.repeat(user, size), self._rows[first + np.arange(size.sum())]
