"""Smooth variables over each unit's neighbourhood, H hops far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError, nearest
from regionalize.model.job import CHOICES
from regionalize.model.weights import Weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SMOOTH_MODES = CHOICES["smooth_mode"]
MOST_HOPS = 10_000
"""Long before, every unit has the mean of all that it is linked with."""
_SCIPY_PAYS = 20_000_000
"""Link × column × hop products (10 ns each saved) above which loading SciPy (0.2 s) is earned back."""
_HOLDS_DISTANCES = ".gwt"
"""Such files hold distances: taken as weights, the farthest neighbour would count most."""
_DEGREE_EFFECT = 0.3
"""Correlation of neighbour count and length above which smoothing is said to depend on the count."""


def smooth(
    values: NDArray[np.floating],
    weights: Weights,
    hops: int = 1,
    alpha: float = 0.5,
    mode: str = "mean",
    *,
    coordinates: FloatArray | None = None,
    sphere: bool = False,
) -> NDArray[np.floating]:
    """Mix every unit's values with its neighbours', `hops` times over.

    One hop is ``x(h) = alpha x(h-1) + (1 - alpha) sum_j a_ij x_j(h-1)`` over the neighbours j of i, with

    ========  =====================================================================================
    mean      a_ij = w_ij / sum_j w_ij (the plain mean for contiguity and k nearest neighbours)
    sum       a_ij = w_ij, not normalised: the formula to the letter; values grow with the neighbours
    idw       a_ij proportional to 1 / d_ij; where neighbours coincide with i they alone count, which is
              the limit of small distances
    gaussian  a_ij proportional to exp(-(d_ij / b)² / 2), b the mean distance over all links
    ========  =====================================================================================

    w_ij is the weight of the link, one for each neighbour listed in a ``.gwt`` file (whose numbers are
    distances). A unit without neighbours keeps its value; ``hops=0`` or ``alpha=1`` change nothing.

    Parameters
    ----------
    values : (n, p) float
        Variables on a common scale.
    weights : Weights
        n units.
    hops : int
        How many times, 0 or more.
    alpha : float
        Share a unit keeps of its own value at each hop, 0 … 1.
    mode : {"mean", "sum", "idw", "gaussian"}
        How neighbours are combined.
    coordinates : (n, 2) float64, optional
        Where units are; needed by "idw" and "gaussian".
    sphere : bool
        `coordinates` are longitude and latitude in degrees, and distances run along great circles.

    Returns
    -------
    (n, p) float32 or float64
        Of the type of `values`; never the same array.

    Raises
    ------
    UsageError
        An unknown mode, a negative number of hops, alpha outside 0 … 1.

    Examples
    --------
    >>> path = Weights.from_links(3, np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), kind="path")
    >>> smooth(np.array([[0.0], [6.0], [0.0]]), path, hops=1, alpha=0.5)[:, 0].tolist()
    [3.0, 3.0, 3.0]
    """
    check_smoothing(hops, alpha, mode)
    source = np.asarray(values)
    kind = source.dtype if source.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    out = np.array(source, dtype=kind, order="C")
    if not hops or alpha == 1 or not weights.n_links:
        return out
    share, kept = mixing(weights, alpha, mode, coordinates=coordinates, sphere=sphere)
    if weights.n_links * out.shape[1] * hops > _SCIPY_PAYS:
        return _hop_scipy(out, weights, share.astype(kind), kept.astype(kind), hops)
    return _hop_numpy(out, weights, share.astype(kind), kept.astype(kind), hops)


def check_smoothing(hops: int, alpha: float, mode: str) -> None:
    """Raise a `UsageError` for an unknown mode, a negative number of hops, or alpha outside 0 … 1."""
    if mode not in SMOOTH_MODES:
        raise UsageError(
            f"unknown mode '{mode}' of smoothing",
            advice=nearest(mode, SMOOTH_MODES) or f"use {', '.join(SMOOTH_MODES)}",
        )
    if hops > MOST_HOPS:
        raise UsageError(f"--hops {hops} is more than {MOST_HOPS:,}", advice="a few hops go far")
    if hops < 0:
        raise UsageError(f"--hops {hops} is negative", advice="use 0 for no smoothing")
    if not 0 <= alpha <= 1:
        raise UsageError(f"--alpha {alpha} is not between 0 and 1", advice="alpha is the share a unit keeps")


def mixing(
    weights: Weights,
    alpha: float,
    mode: str,
    *,
    coordinates: FloatArray | None = None,
    sphere: bool = False,
    mean_length: float | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return what one hop takes from each neighbour, and what each unit keeps.

    Parameters
    ----------
    weights, alpha, mode, coordinates, sphere
        As `smooth` takes them.
    mean_length : float, optional
        Mean of `link_lengths` over all links there are, where `weights` are only some of them.

    Returns
    -------
    share : (m,) float64
        Of each link.
    kept : (n,) float64
        Of each unit; 1 without a neighbour that counts.
    """
    share = _shares(weights, mode, coordinates, sphere, mean_length)
    lonely = _lonely(weights, share)
    kept = np.where(lonely, 1.0, alpha)
    share = share * (1 - alpha)
    if np.any(lonely):
        share = np.where(lonely[weights.row], 0.0, share)
    return share, kept


def _hop_numpy(
    x: NDArray[Any], weights: Weights, share: NDArray[Any], kept: NDArray[Any], hops: int
) -> NDArray[Any]:
    linked = weights.degree > 0
    start = weights.indptr[:-1][linked]
    for _ in range(hops):
        around = np.add.reduceat(x[weights.indices] * share[:, None], start, axis=0)
        x = x * kept[:, None]
        x[linked] += around
    return x


def _hop_scipy(
    x: NDArray[Any], weights: Weights, share: NDArray[Any], kept: NDArray[Any], hops: int
) -> NDArray[Any]:
    import scipy.sparse

    n = len(weights)
    small = np.int32 if max(n, weights.n_links) < 2**31 else np.int64
    matrix = scipy.sparse.csr_array(
        (share, weights.indices.astype(small), weights.indptr.astype(small)), shape=(n, n)
    )
    for _ in range(hops):
        around = matrix @ x
        x *= kept[:, None]
        x += around
        del around
    return x


def _shares(
    weights: Weights,
    mode: str,
    coordinates: FloatArray | None,
    sphere: bool,
    mean_length: float | None,
) -> FloatArray:
    """Return what each neighbour contributes, shape (m,); summing to one per unit but for "sum"."""
    if mode in {"mean", "sum"}:
        share = (
            np.ones(weights.n_links) if weights.kind.lower().endswith(_HOLDS_DISTANCES) else weights.values
        )
        if mode == "sum":
            return share
    else:
        if coordinates is None:
            raise ValueError(f"mode {mode!r} needs coordinates")
        distance = link_lengths(weights, coordinates, sphere)
        shortest = _per_unit(np.minimum, distance, weights)[weights.row]
        if mode == "idw":  # relative to the nearest, so that no inverse overflows
            with np.errstate(divide="ignore", invalid="ignore"):  # np.where takes the other side there
                share = np.where(shortest > 0, shortest / distance, (distance == 0).astype(np.float64))
        else:
            scale = (float(distance.mean()) if mean_length is None else mean_length) or 1.0
            share = np.exp(((shortest / scale) ** 2 - (distance / scale) ** 2) / 2)
    total = _per_unit(np.add, share, weights)[weights.row]
    with np.errstate(divide="ignore", invalid="ignore"):  # here too: no share of nothing
        return np.where(total > 0, share / total, 0.0)


def _per_unit(combine: np.ufunc, per_link: FloatArray, weights: Weights) -> FloatArray:
    """Combine a number per link into one per unit (0 without neighbours)."""
    out = np.zeros(len(weights))
    linked = weights.degree > 0
    out[linked] = combine.reduceat(per_link, weights.indptr[:-1][linked])
    return out


def _lonely(weights: Weights, share: FloatArray) -> NDArray[np.bool_]:
    """Units without a neighbour that counts."""
    lonely: NDArray[np.bool_] = _per_unit(np.add, np.abs(share), weights) == 0
    return lonely


def link_lengths(weights: Weights, coordinates: FloatArray, sphere: bool) -> FloatArray:
    """Return the length of each link, shape (m,): plane units, or radians along a great circle."""
    start, end = coordinates[weights.row], coordinates[weights.indices]
    if not sphere:
        return np.hypot(end[:, 0] - start[:, 0], end[:, 1] - start[:, 1])
    (lon1, lat1), (lon2, lat2) = np.radians(start).T, np.radians(end).T
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    length: FloatArray = 2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return length


def smoothing_notes(
    before: NDArray[np.floating], after: NDArray[np.floating], weights: Weights, mode: str
) -> tuple[str, ...]:
    """Say how smoothing changed the spread, and warn when the number of neighbours shows in the result.

    Parameters
    ----------
    before, after : (n, p) float
        Variables before and after.
    weights : Weights
        What they were smoothed with.
    mode : str
        How.

    Examples
    --------
    >>> path = Weights.from_links(3, np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), kind="path")
    >>> x = np.array([[0.0], [6.0], [0.0]])
    >>> smoothing_notes(x, smooth(x, path, 1), path, "mean")
    ('smoothing over path weights changed the mean standard deviation of the variables from 2.828 to 0',)
    """
    spread = [
        float(np.mean([np.std(column, dtype=np.float64) for column in table.T])) for table in (before, after)
    ]
    length = np.sqrt(np.einsum("ij,ij->i", after, after))
    degree = weights.degree.astype(np.float64)
    correlation = 0.0
    if np.ptp(degree) > 0 and np.ptp(length) > 0:
        correlation = float(np.corrcoef(degree, length)[0, 1])
    lonely = int(np.count_nonzero(degree == 0))
    return effect_notes(weights.kind, spread, lonely, len(weights), correlation, mode)


def effect_notes(
    kind: str, spread: Sequence[float], lonely: int, n: int, correlation: float, mode: str
) -> tuple[str, ...]:
    """Say what smoothing did.

    Parameters
    ----------
    kind : str
        Of the weights.
    spread : (2,) sequence of float
        Mean standard deviation of the variables before and after.
    lonely, n : int
        Units without neighbours, and units.
    correlation : float
        Of the number of neighbours and the length of what a unit has after it.
    mode : str
        How it was smoothed.

    Examples
    --------
    >>> effect_notes("queen", (1.0, 0.5), 1, 3, 0.0, "mean")[1]
    '1 of 3 units have no neighbour and keep their values'
    """
    notes = [
        f"smoothing over {kind} weights changed the mean standard deviation of the variables "
        f"from {spread[0]:.4g} to {spread[1]:.4g}"
    ]
    if lonely:
        notes.append(f"{lonely} of {n} units have no neighbour and keep their values")
    if mode == "sum":
        notes.append(
            f"mode sum adds neighbours up instead of averaging them, so values grow with their number "
            f"(correlation of number and length {correlation:.2f}); use mode mean to compare units"
        )
    elif abs(correlation) > _DEGREE_EFFECT:
        notes.append(
            f"smoothed values depend on the number of neighbours (correlation of number and length "
            f"{correlation:.2f}): units with many neighbours are smoothed more than those with few"
        )
    return tuple(notes)


def restricted(weights: Weights, rows: IntArray) -> Weights:
    """Return the weights among `rows` alone, renumbered in their order.

    Examples
    --------
    >>> path = Weights.from_links(3, np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), kind="path")
    >>> restricted(path, np.array([1, 2])).indices.tolist()
    [1, 0]
    """
    if len(rows) == len(weights):
        return weights
    place = np.full(len(weights), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    start, end = place[weights.row], place[weights.indices]
    inside = (start >= 0) & (end >= 0)
    return Weights.from_links(
        len(rows), start[inside], end[inside], weights.values[inside], kind=weights.kind, notes=weights.notes
    )
