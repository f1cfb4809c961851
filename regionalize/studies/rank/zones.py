"""Zones that items belong to: distance bands, centres, or regions of an earlier run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError, counted
from regionalize.studies.rank.breaks import best_breaks, distance_values, shares
from regionalize.studies.rank.distances import PlaceIndex, great_circle_km, rough_km, sphere_points
from regionalize.weights.places import from_sphere, on_sphere

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NO_ZONE = -1
_FEW_CENTERS = 32
"""Centres up to which all distances cost less than a tree."""
_PIECE = 1 << 16


@dataclass(frozen=True)
class Zones:
    """K zones.

    Attributes
    ----------
    kind : {"bands", "centers", "labels"}
        Distance bands round the user; places; or regions that items are labelled with.
    names : tuple of str
        K names.
    centers : (K,) or (K, 2) float64
        Kilometres from the user, rising, or latitude and longitude in degrees.
    edges : (K - 1,) float64, optional
        Of bands, the upper end of every one but the last.
    parents : (K,) int64, optional
        Of nested bands, the band of the level before that each lies in.
    labels : (n,) int64, optional
        Of labels, each item's zone from 0; -1 for none.
    """

    kind: Literal["bands", "centers", "labels"]
    names: tuple[str, ...]
    centers: FloatArray
    edges: FloatArray | None = None
    parents: IntArray | None = None
    labels: IntArray | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def of_items(self) -> bool:
        """Whether an item's zone is the same for every user."""
        return self.kind != "bands"

    @property
    def width(self) -> float:
        """Half the mean distance between neighbouring centres, in kilometres; 1 where there is none."""
        if self.kind == "bands":
            return half_gap(self.centers)
        if len(self) < 2:
            return 1.0
        km = great_circle_km(self.centers, self.centers)
        np.fill_diagonal(km, np.inf)
        return float(km.min(axis=1).mean()) / 2 or 1.0

    def codes(self, km: FloatArray, places: FloatArray, rows: IntArray | None = None) -> IntArray:
        """Return the zone of items, from 0.

        Parameters
        ----------
        km : (…, m) float64
            Their distances from users.
        places : (m, 2) float64
            Latitude and longitude.
        rows : (m,) int64, optional
            Which items they are; all by default.

        Returns
        -------
        (…, m) int64 for bands, else (m,)
            The band of the distance, the nearest centre (the first of equals), or the item's label.
        """
        if self.kind == "bands":
            return np.searchsorted(self._edges, km, side="left")
        if self.labels is not None:
            return self.labels if rows is None else self.labels[rows]
        return nearest_center(places, self.centers)

    def apart(self, km: FloatArray, places: FloatArray) -> FloatArray:
        """Return how far items are from the centres, in kilometres, as `codes` takes them.

        Of bands it is the difference of distances, shape (…, m, K), and infinite for those of another band of
        the level before; else (m, K).
        """
        if self.kind != "bands":
            return np.ascontiguousarray(rough_km(sphere_points(self.centers), sphere_points(places)).T)
        found = np.abs(km[..., None] - self.centers)
        if self.parents is not None:
            own = self.parents[np.searchsorted(self._edges, km, side="left")]
            found[self.parents != own[..., None]] = np.inf
        return found

    def belonging(
        self, kind: str, km: FloatArray, places: FloatArray, rows: IntArray | None = None
    ) -> FloatArray:
        """Return the memberships of items, as `codes` takes them: shape (…, m, K) for bands, else (m, K).

        Hard ones are those of `codes`; an item without a label belongs to the nearest centre.
        """
        if kind != "hard":
            return memberships(self.apart(km, places), kind, self.width)
        codes = self.codes(km, places, rows)
        lost = codes == NO_ZONE
        if lost.any():
            codes = codes.copy()
            codes[lost] = nearest_center(places[lost], self.centers)
        return np.asarray(codes[..., None] == np.arange(len(self)), dtype=np.float64)

    def away(self, users: FloatArray) -> FloatArray:
        """Return the distance from users, shape (u, 2), to the zones: (u, K) kilometres."""
        if self.kind == "bands":
            return np.broadcast_to(self.centers, (len(users), len(self)))
        return great_circle_km(users, self.centers)

    @property
    def _edges(self) -> FloatArray:
        assert self.edges is not None
        return self.edges


def memberships(apart: FloatArray, kind: str = "gaussian", width: float = 1.0) -> FloatArray:
    """Return how much things belong to zones, from their distances to the centres.

    - gaussian: in proportion to exp(-d² / 2s²), s the width
    - fuzzy: in proportion to 1 / d², as fuzzy c-means with m = 2; at a centre to it alone
    - hard: to the nearest, the first of equals

    Parameters
    ----------
    apart : (…, K) float64
        Distances, 0 or more; some of a row may be infinite.
    kind : {"gaussian", "fuzzy", "hard"}
    width : float
        As `Zones.width`.

    Returns
    -------
    (…, K) float64
        0 to 1; rows sum to 1.

    Examples
    --------
    >>> memberships(np.array([[1.0, 2.0], [0.0, 5.0]]), "fuzzy").tolist()
    [[0.8, 0.2], [1.0, 0.0]]
    """
    if kind == "hard":
        return np.asarray(
            np.argmin(apart, axis=-1)[..., None] == np.arange(apart.shape[-1]), dtype=np.float64
        )
    least = apart.min(axis=-1, keepdims=True)
    if kind == "gaussian":
        # the least is taken off first: far from all centres every exponential would be 0
        found = apart - least
        found *= apart + least
        found *= -0.5 / width / width
        np.exp(found, out=found)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (least / apart) ** 2
        found[apart == 0] = 1.0
    found /= found.sum(axis=-1, keepdims=True)
    return np.asarray(found)


def nearest_center(places: FloatArray, centers: FloatArray) -> IntArray:
    """Return which centre is nearest to each place, shape (n,), the first of equals; some places at a time.

    Examples
    --------
    >>> nearest_center(np.array([[0.0, 2.0], [0.0, 5.0]]), np.array([[0.0, 0.0], [0.0, 10.0]])).tolist()
    [0, 0]
    """
    found = np.empty(len(places), dtype=np.int64)
    few = len(centers) <= _FEW_CENTERS
    tree = None if few else PlaceIndex(centers)
    step = max(1, _PIECE // len(centers)) if few else _PIECE
    for start in range(0, len(places), step):
        part = places[start : start + step]
        near = (
            great_circle_km(part, centers).argmin(axis=1) if tree is None else tree.nearest(part, 1)[0][:, 0]
        )
        found[start : start + step] = near
    return found


def half_gap(centers: FloatArray) -> float:
    """Return half the mean gap between rising numbers; 1 where there is none."""
    return float(np.diff(centers).mean()) / 2 or 1.0 if len(centers) > 1 else 1.0


def band_zones(
    users: FloatArray,
    items: FloatArray,
    bands: Sequence[int],
    *,
    nested: bool = False,
    block: int = 1 << 20,
    km: FloatArray | None = None,
) -> tuple[Zones, ...]:
    """Make distance bands, a level for each number of them: k-means of the distances of all users.

    Parameters
    ----------
    users, items : (u, 2), (n, 2) float64
        Latitude and longitude in degrees.
    bands : sequence of int
        How many; rising where they are nested.
    nested : bool
        Whether every band lies within one of the level before, which are split one by one: the number of
        bands is shared out by their spread.
    block : int
        Pairs that are held at a time.
    km : (u, n) float64, optional
        The distances, where they are known already.

    Raises
    ------
    UsageError
        More bands than there are distances.

    Examples
    --------
    >>> line = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 9.0]])
    >>> band_zones(np.zeros((1, 2)), line, [2])[0].centers.round().tolist()
    [167.0, 1001.0]
    """
    values, counts = distance_values(users, items, block, km)
    found: list[Zones] = []
    for number in bands:
        if number > len(values):
            raise UsageError(
                f"{number} bands cannot be made of {counted(len(values), 'distance')}",
                advice=f"use at most {len(values)}" if len(values) else "give items and places",
            )
        if nested and found:
            found.append(_split(found[-1], values, counts, number))
        else:
            centers, edges = best_breaks(values, counts, number)
            found.append(_bands(centers, edges))
    return tuple(found)


def _split(coarse: Zones, values: FloatArray, counts: IntArray, number: int) -> Zones:
    """Split every band of a level into some."""
    assert coarse.edges is not None
    cuts = np.searchsorted(values, coarse.edges, side="right")
    groups = list(zip(np.split(values, cuts), np.split(counts, cuts), strict=True))
    spread = np.array([float(c @ (v - c @ v / c.sum()) ** 2) for v, c in groups])
    each = shares(spread, np.array([len(v) for v, _ in groups]), number)
    parts = [best_breaks(v, c, int(k)) for (v, c), k in zip(groups, each, strict=True)]
    ends = [*coarse.edges[:, None], np.empty(0)]
    edges = [np.append(inner, end) for (_, inner), end in zip(parts, ends, strict=True)]
    centers = np.concatenate([centers for centers, _ in parts])
    return _bands(centers, np.concatenate(edges), np.repeat(np.arange(len(coarse)), each))


def _bands(centers: FloatArray, edges: FloatArray, parents: IntArray | None = None) -> Zones:
    return Zones("bands", tuple(str(at) for at in range(1, len(centers) + 1)), centers, edges, parents)


def center_zones(names: Sequence[str], places: FloatArray) -> Zones:
    """Make zones of places, shape (K, 2), with their names: an item's zone is the nearest.

    Examples
    --------
    >>> zones = center_zones(["west", "east"], np.array([[0.0, -9.0], [0.0, 9.0]]))
    >>> zones.codes(np.empty(1), np.array([[3.0, 1.0]])).tolist()
    [1]
    """
    names = tuple(map(str, names))
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"two zones are called '{twice[0]}'", advice="give every zone a name of its own")
    if not names:
        raise UsageError("there are no centres of zones", advice="give one or more")
    return Zones("centers", names, np.asarray(places, dtype=np.float64))


def label_zones(labels: IntArray, names: Sequence[str], places: FloatArray) -> Zones:
    """Make zones of regions that items are labelled with; their centres are the means of items on the sphere.

    Parameters
    ----------
    labels : (n,) int64
        0 … K - 1, each used; negative for none.
    names : sequence of str
        K names.
    places : (n, 2) float64
        Latitude and longitude of the items.

    Examples
    --------
    >>> places = np.array([[0.0, 179.0], [0.0, -179.0], [8.0, 0.0]])
    >>> zones = label_zones(np.array([0, 0, 1]), ["a", "b"], places)
    >>> np.abs(zones.centers).round(6).tolist()
    [[0.0, 180.0], [8.0, 0.0]]
    """
    known = np.flatnonzero(labels >= 0)
    code = labels[known]
    points = on_sphere(places[known][:, ::-1])
    sums: FloatArray = np.column_stack([np.bincount(code, axis, len(names)) for axis in points.T])
    centers = from_sphere(sums)[:, ::-1].copy()
    # items that cancel out, such as antipodes, have no mean: the first stands for it
    size = np.bincount(code, minlength=len(names))
    lost = np.linalg.norm(sums, axis=1) <= 1e-9 * size
    for zone in np.flatnonzero(lost):
        centers[zone] = places[known[np.argmax(code == zone)]]
    return Zones("labels", tuple(map(str, names)), centers, labels=np.where(labels >= 0, labels, NO_ZONE))
