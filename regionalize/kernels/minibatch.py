"""Steps of k-means that go over the rows once: to their nearest centres, and centres to their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BLOCK = 256
"""Rows whose distances are held at once: few enough for the nearest cache."""


def transpose_block(X: NDArray[np.floating[Any]], columns: FloatArray) -> None:
    """Copy a few rows (m, p) into `columns` (p, `BLOCK`): a variable per row.

    Examples
    --------
    >>> columns = np.zeros((2, 3))
    >>> transpose_block(np.array([[1.0, 2.0], [3.0, 4.0]]), columns)
    >>> columns.tolist()
    [[1.0, 3.0, 0.0], [2.0, 4.0, 0.0]]
    """
    m, p = X.shape
    for row in range(m):
        for variable in range(p):
            columns[variable, row] = X[row, variable]


def squared_distances(columns: FloatArray, m: int, center: FloatArray, distance: FloatArray) -> None:
    """Fill `distance` with the squared distances of m rows, a variable per row of `columns`, from a centre.

    Differences are taken before they are squared, so that a large common offset costs no digits.

    Examples
    --------
    >>> distance = np.empty(2)
    >>> squared_distances(np.array([[0.0, 3.0], [1.0, 5.0]]), 2, np.array([0.0, 1.0]), distance)
    >>> distance.tolist()
    [0.0, 25.0]
    """
    distance[:m] = 0.0
    for variable in range(len(center)):
        place = center[variable]
        values = columns[variable]
        for row in range(m):
            difference = values[row] - place
            distance[row] += difference * difference


def nearest_of_block(
    X: NDArray[np.floating[Any]],
    centers: FloatArray,
    columns: FloatArray,
    distance: FloatArray,
    least: FloatArray,
    labels: NDArray[np.int64],
) -> None:
    """Find the nearest centre of a few rows, of several equally near the first.

    Parameters
    ----------
    X : (m, p) float
        At most `BLOCK` rows.
    centers : (k, p) float64
        Centres.
    columns : (p, BLOCK) float64
        Worked in: the rows, a variable per row, so that the innermost loop is over rows.
    distance, least : (BLOCK,) float64
        Worked in; in the end `least` holds squared distances to the nearest centre.
    labels : (m,) int64
        Filled with the number of the nearest centre.

    Examples
    --------
    >>> labels, least = np.empty(2, np.int64), np.empty(BLOCK)
    >>> X, centers = np.array([[0.0], [3.0]]), np.array([[2.0], [4.0], [2.0]])
    >>> nearest_of_block(X, centers, np.empty((1, BLOCK)), np.empty(BLOCK), least, labels)
    >>> labels.tolist(), least[:2].tolist()
    ([0, 0], [4.0, 1.0])
    """
    m = len(X)
    transpose_block(X, columns)
    for cluster in range(len(centers)):
        squared_distances(columns, m, centers[cluster], distance)
        if cluster == 0:
            labels[:] = 0
            least[:m] = distance[:m]
        else:
            for row in range(m):
                if distance[row] < least[row]:
                    least[row] = distance[row]
                    labels[row] = cluster


def update_centers(
    X: NDArray[np.floating[Any]], batch_size: int, centers: FloatArray, counts: FloatArray
) -> None:
    """Pass once over rows in batches: each centre becomes the mean of all rows it was nearest to so far.

    Parameters
    ----------
    X : (n, p) float
        Rows, in the order they are taken.
    batch_size : int
        Rows that go to their nearest centres before the centres move.
    centers : (k, p) float64
        Updated.
    counts : (k,) float64
        Rows each centre stands for; updated.

    Examples
    --------
    >>> centers, counts = np.array([[0.0], [10.0]]), np.array([1.0, 1.0])
    >>> update_centers(np.array([[2.0], [10.0], [4.0]]), 2, centers, counts)
    >>> centers.tolist(), counts.tolist()
    ([[2.0], [10.0]], [3.0, 2.0])
    """
    n, p = X.shape
    k = len(centers)
    columns = np.empty((p, BLOCK))
    distance = np.empty(BLOCK)
    least = np.empty(BLOCK)
    labels = np.empty(BLOCK, np.int64)
    moves = np.empty((k, p))
    joined = np.empty(k)
    for start in range(0, n, batch_size):
        stop = min(start + batch_size, n)
        moves[:] = 0.0
        joined[:] = 0.0
        for first in range(start, stop, BLOCK):
            rows = X[first : min(first + BLOCK, stop)]
            nearest_of_block(rows, centers, columns, distance, least, labels[: len(rows)])
            for row in range(len(rows)):
                own = labels[row]
                joined[own] += 1.0
                for variable in range(p):
                    moves[own, variable] += rows[row, variable] - centers[own, variable]
        for cluster in range(k):
            if joined[cluster] > 0.0:
                counts[cluster] += joined[cluster]
                for variable in range(p):
                    centers[cluster, variable] += moves[cluster, variable] / counts[cluster]


def nearest_rows(
    X: NDArray[np.floating[Any]], centers: FloatArray, labels: NDArray[np.int64], squared: FloatArray
) -> None:
    """Fill `labels` (n,) with the nearest centre of every row, and `squared` (n,) with the distance squared.

    Examples
    --------
    >>> labels, squared = np.empty(3, np.int64), np.empty(3)
    >>> nearest_rows(np.array([[0.0], [1.0], [7.0]]), np.array([[0.0], [6.0]]), labels, squared)
    >>> labels.tolist(), squared.tolist()
    ([0, 0, 1], [0.0, 1.0, 1.0])
    """
    n, p = X.shape
    columns = np.empty((p, BLOCK))
    distance = np.empty(BLOCK)
    least = np.empty(BLOCK)
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        nearest_of_block(X[first:last], centers, columns, distance, least, labels[first:last])
        squared[first:last] = least[: last - first]


def add_gains(
    X: NDArray[np.floating[Any]], squared: FloatArray, places: FloatArray, gains: FloatArray
) -> None:
    """Add to `gains` (m,) what the sum of squared distances loses with one more centre at each of the places.

    Parameters
    ----------
    X : (n, p) float
        Rows.
    squared : (n,) float64
        Squared distance of each from its centre.
    places : (m, p) float64
        Where a centre might be.
    gains : (m,) float64
        Updated, row by row, so that cutting the rows changes nothing.

    Examples
    --------
    >>> gains = np.zeros(2)
    >>> add_gains(np.array([[0.0], [5.0]]), np.array([1.0, 9.0]), np.array([[5.0], [9.0]]), gains)
    >>> gains.tolist()
    [9.0, 0.0]
    """
    n, p = X.shape
    columns = np.empty((p, BLOCK))
    distance = np.empty(BLOCK)
    for first in range(0, n, BLOCK):
        size = min(BLOCK, n - first)
        transpose_block(X[first : first + size], columns)
        for place in range(len(places)):
            squared_distances(columns, size, places[place], distance)
            gain = gains[place]
            for row in range(size):
                if distance[row] < squared[first + row]:
                    gain += squared[first + row] - distance[row]
            gains[place] = gain
