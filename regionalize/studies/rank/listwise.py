"""A listwise loss: how likely the lists are that users chose from, given linear scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionalize.kernels.threads import at_most

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LEAST, _MOST = 0.01, 10_000.0
"""Sharpness of a score that is looked for: the logits between its 0 and its 1."""


@dataclass(frozen=True)
class Lists:
    """Lists of items that users chose from: m rows of U lists, one after another.

    Attributes
    ----------
    features : (m, F) float64
        What scores are sums of.
    target : (m,) float64
        Share of each item in what its user chose: sums to 1 over every list.
    starts : (U,) int64
        Where the lists start.
    offset : (m,) float64
        Logarithm of how many items each row stands for.
    """

    features: FloatArray
    target: FloatArray
    starts: IntArray
    offset: FloatArray

    def loss(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the mean cross entropy of the lists, and its gradient.

        With scores ``s = features @ theta`` and shares ``y`` of what a user chose, the loss of a list is
        ``-sum_i y_i log(exp(s_i) / sum_j exp(s_j))``: the top-one probabilities of ListNet (Cao et al.,
        2007), or of Plackett and Luce's first choice. Where ListNet makes shares of labels by their
        exponentials, these are in proportion to labels, so that the many items that nobody chose have none.

        References
        ----------
        Cao, Z., Qin, T., Liu, T.-Y., Tsai, M.-F., Li, H. (2007). Learning to rank: from pairwise approach to
        listwise approach. ICML, 129–136.

        Examples
        --------
        >>> lists = Lists(np.array([[1.0], [0.0]]), np.array([1.0, 0.0]), np.array([0]), np.zeros(2))
        >>> value, slope = lists.loss(np.zeros(1))
        >>> round(value, 4), slope.tolist()
        (0.6931, [-0.5])
        """
        sizes = np.diff(np.append(self.starts, len(self.target)))
        logit = self.features @ theta + self.offset
        logit -= np.repeat(np.maximum.reduceat(logit, self.starts), sizes)
        chance = np.exp(logit)
        total = np.add.reduceat(chance, self.starts)
        chance /= np.repeat(total, sizes)
        value = float(np.log(total).sum() - self.target @ logit) / len(sizes)
        return value, (chance - self.target) @ self.features / len(sizes)


def sharpest(lists: Lists, theta: FloatArray) -> float:
    """Return the number that `theta` is best multiplied by: how sharply users follow the score as it is.

    Examples
    --------
    >>> features, target = np.array([[1.0], [0.0]]), np.array([0.75, 0.25])
    >>> round(sharpest(Lists(features, target, np.array([0]), np.zeros(2)), np.ones(1)), 3)
    1.099
    """
    from scipy.optimize import minimize_scalar

    with at_most(1):
        found = minimize_scalar(
            lambda power: lists.loss(math.exp(power) * theta)[0],
            bounds=(math.log(_LEAST), math.log(_MOST)),
            method="bounded",
            options={"xatol": 1e-6},
        )
    return math.exp(float(found.x))


def fitted(
    lists: Lists, start: FloatArray, unit: FloatArray, lower: FloatArray, penalty: float = 0.1
) -> FloatArray:
    """Return the weights of features that make the lists most likely, by L-BFGS-B.

    What is least is ``loss + penalty / 2U * sum(((theta - start) / unit)²)``: a normal prior round the start,
    of three units' standard deviation by default. The sum is convex, with one minimum.

    Parameters
    ----------
    lists : Lists
        U lists of F features.
    start, unit, lower : (F,) float64
        Weights that the penalty draws to, what it takes for a step from there, and the least allowed.
    penalty : float
        Above 0.

    Returns
    -------
    (F,) float64

    Examples
    --------
    >>> lists = Lists(np.array([[1.0], [0.0]]), np.array([1.0, 0.0]), np.array([0]), np.zeros(2))
    >>> fitted(lists, np.zeros(1), np.ones(1), np.full(1, -np.inf), 1.0).round(3).tolist()
    [0.401]
    """
    from scipy.optimize import minimize

    share = penalty / len(lists.starts)

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value, slope = lists.loss(theta)
        step = (theta - start) / unit
        return value + share / 2 * float(step @ step), slope + share * step / unit

    with at_most(1):
        found = minimize(
            objective,
            np.maximum(start, lower),
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(lower, np.full(len(lower), np.inf), strict=True)),
            options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-9},
        )
    return np.asarray(found.x, dtype=np.float64)
