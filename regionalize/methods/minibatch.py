"""Mini-batch k-means, for rows that come in pieces: every few of them move the centres a little."""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled, compiles
from regionalize.kernels.minibatch import add_gains, nearest_rows, update_centers
from regionalize.model.job import DEFAULT_SEED

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Rows = NDArray[np.floating[Any]]

COMPILED = 1 << 16
"""Rows times centres from which the compiled kernel is used, if there is a compiler."""
CELLS = 1 << 22
"""Distances held at once where it is not."""
PIECE = 1 << 16
"""Rows assigned at once."""
WAITED = 10
"""Rows for every centre that go by before one that was nearest to none is given another place."""


class MiniBatchKMeans:
    """Centres that are the means of the rows they were given, batch by batch, in one pass over the rows.

    A batch goes to its nearest centres, and then each centre becomes the mean of all rows it was given so
    far: it moves by a rate of one over their count. So what a row counts does not depend on when it comes,
    but a row stays where it was put: the rows should come in random order, after a start from a random
    sample. Over rows sorted by place or by value the centres run after the rows.

    A centre that was nearest to no row, once `WAITED` rows for every centre have gone by, moves to a row of
    the last batch, drawn as k-means++ draws one, so that the farther are the likelier. One with few rows
    stays: far rows of a skewed variable have a centre to themselves, and it is the sum of squares that pays
    where they lose it.

    Parameters
    ----------
    centers : (k, p) float
        Where the centres begin: best found by k-means on a random sample of the rows.
    counts : (k,) float, optional
        Rows each stands for already, such as those of that sample. None by default: then the first batch
        that has rows for a centre replaces it.
    seed : int
        Of the places for centres that are nearest to no row.

    Attributes
    ----------
    centers : (k, p) float64
        Where the centres are.
    counts : (k,) float64
        Rows each stands for.

    References
    ----------
    Sculley (2010), Web-scale k-means clustering.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(20_000, 1)) + rng.choice([0.0, 9.0], size=(20_000, 1))
    >>> model = MiniBatchKMeans(np.array([[1.0], [8.0]]))
    >>> model.update(X[:10_000], 256)
    >>> model.update(X[10_000:], 256)
    >>> np.abs(model.centers.round(1)).ravel().tolist(), model.counts.sum().tolist()
    ([0.0, 9.0], 20000.0)
    """

    def __init__(
        self, centers: Rows, counts: NDArray[Any] | None = None, *, seed: int = DEFAULT_SEED
    ) -> None:
        self.centers = np.array(centers, dtype=np.float64, order="C")
        if self.centers.ndim != 2 or len(self.centers) == 0:
            raise ValueError(f"centres of shape {self.centers.shape}")
        self.counts = np.zeros(len(self.centers)) if counts is None else np.array(counts, dtype=np.float64)
        if self.counts.shape != (len(self.centers),):
            raise ValueError(f"counts of shape {self.counts.shape} for {len(self.centers)} centres")
        self._rng = np.random.default_rng(seed)
        self._waited = 0

    def update(self, X: Rows, batch_size: int) -> None:
        """Pass once over rows in batches, in the order given.

        Parameters
        ----------
        X : (m, p) float
            Finite values, on the scale of the centres.
        batch_size : int
            Rows that go to their nearest centres before these move; the last batch may have fewer.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}")
        X = _plain(X, self.centers)
        start = 0
        while start < len(X) and not self.counts.all():
            batch = X[start : start + batch_size]
            _update(batch, batch_size, self.centers, self.counts)
            start += len(batch)
            self._waited += len(batch)
            if self._waited >= WAITED * len(self.centers):
                self._move_unused(batch)
                self._waited = 0
        _update(X[start:], batch_size, self.centers, self.counts)

    def _move_unused(self, batch: Rows) -> None:
        """Put centres that no row was nearest to on rows of a batch, far from the others."""
        for unused in np.flatnonzero(self.counts == 0):
            _, squared = nearest_centers(batch, self.centers)
            total = squared.sum()
            if not total > 0:  # every row of the batch has a centre to itself
                return
            self.centers[unused] = batch[self._rng.choice(len(batch), p=squared / total)]


def assign(X: Rows, centers: Rows) -> tuple[IntArray, float]:
    """Find the nearest centre of every row; of several equally near the first.

    Works block by block, so that beside the labels it takes no memory that grows with the rows. Differences
    are taken before they are squared, so that a large common offset costs no digits.

    Parameters
    ----------
    X : (m, p) float
        Finite values.
    centers : (k, p) float
        Centres on the same scale.

    Returns
    -------
    labels : (m,) int64
        0 … k - 1.
    within : float
        Sum of squared distances to that centre.

    Examples
    --------
    >>> labels, within = assign(np.array([[0.0], [3.0], [5.0]]), np.array([[1.0], [5.0]]))
    >>> labels.tolist(), within
    ([0, 0, 1], 5.0)
    """
    places = np.array(centers, dtype=np.float64, order="C")
    labels = np.empty(len(X), dtype=np.int64)
    sums = []
    for first in range(0, len(X), PIECE):
        labels[first : first + PIECE], squared = nearest_centers(X[first : first + PIECE], places)
        sums.append(float(squared.sum()))
    return labels, fsum(sums)


def _plain(X: Rows, centers: FloatArray) -> Rows:
    """Return rows as the kernels take them."""
    values = np.asarray(X)
    if values.ndim != 2 or values.shape[1] != centers.shape[1]:
        raise ValueError(f"rows of shape {values.shape} for centres of shape {centers.shape}")
    kind = values.dtype if values.dtype == np.float32 else np.float64
    return np.ascontiguousarray(values, dtype=kind)


def _compiles(X: Rows, centers: FloatArray) -> bool:
    """Tell whether the compiled kernel does the work: what comes of it is the same to the last bit."""
    return len(X) * len(centers) >= COMPILED and compiles()


def nearest_centers(X: Rows, centers: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the nearest centre of every row (m,), of equally near ones the first, and its distance squared.

    Differences are taken before they are squared, so that a large common offset costs no digits.
    """
    X, centers = _plain(X, centers), np.ascontiguousarray(centers)
    labels, squared = np.zeros(len(X), dtype=np.int64), np.empty(len(X))
    if _compiles(X, centers):
        compiled(nearest_rows)(X, centers, labels, squared)
        return labels, squared
    step = max(CELLS // len(centers), 1)
    for first in range(0, len(X), step):
        columns = X[first : first + step].T.astype(np.float64)
        distance = np.zeros((len(centers), columns.shape[1]))
        for values, center in zip(columns, centers.T, strict=True):
            difference = values - center[:, None]
            distance += difference * difference
        labels[first : first + step] = distance.argmin(axis=0)
        squared[first : first + step] = distance.min(axis=0)
    return labels, squared


def gains_of_places(X: Rows, squared: FloatArray, places: FloatArray) -> FloatArray:
    """Return what the sum of squared distances (m,) loses with one more centre at each of some places."""
    X, gains = _plain(X, places), np.zeros(len(places))
    if _compiles(X, places):
        compiled(add_gains)(X, squared, places, gains)
        return gains
    for number, place in enumerate(places):
        _, there = nearest_centers(X, place[None])
        gain = np.maximum(squared - there, 0.0)
        gains[number] = np.cumsum(gain)[-1]  # in the order of the rows, as the kernel adds them
    return gains


def _update(X: Rows, batch_size: int, centers: FloatArray, counts: FloatArray) -> None:
    """Move centres by batch after batch."""
    if _compiles(X, centers):
        compiled(update_centers)(X, batch_size, centers, counts)
        return
    for first in range(0, len(X), batch_size):
        batch = X[first : first + batch_size]
        labels, _ = nearest_centers(batch, centers)
        moves, joined = np.zeros(centers.shape), np.bincount(labels, minlength=len(centers))
        np.add.at(moves, labels, batch - centers[labels])
        counts += joined
        given = joined > 0
        centers[given] += moves[given] / counts[given, None]
