"""`Centers`: what stands for the clusters of a run, with all that new rows need to be compared with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionalize.model.features import weighted
from regionalize.model.method import Metric

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SETTINGS = "settings"
"""Last column of a file of centres: how they were made, as JSON in its first row."""


@dataclass(frozen=True)
class Variable:
    """One column of what was clustered: ``(x - offset) / scale``, `weighted`.

    Attributes
    ----------
    name : str
        Its column.
    offset, scale : float
        What its transform came to on the rows the centres were made of; a constant column, which
        becomes zero, has an infinite scale.
    weight : float
        What it counts in squared Euclidean, or in Manhattan distance.
    centers : tuple of float or None
        Where cluster 1, 2, … has its centre once the variable is transformed and smoothed; None where that
        follows from the centre in original units.
    """

    name: str
    offset: float = 0.0
    scale: float = 1.0
    weight: float = 1.0
    centers: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Recipe:
    """How rows become points among centres.

    Attributes
    ----------
    method : str
        What made the clusters.
    distance : {"euclidean", "manhattan"}
        What nearest means.
    transform : str
        Transform of the variables, by name.
    variables : tuple of Variable
        Attributes.
    coordinates : tuple of Variable
        X and Y of the centroid, or nothing.
    crs : str or None
        The plane system that centroids were measured in.
    attributes_only : bool
        Fit is told of the attributes alone.
    hops, alpha, smooth_mode, weights
        Smoothing, and the neighbours it went over, by the options of the same names.
    agreement : float
        Share of the units the centres were made of whose nearest centre is that of their own cluster.
    mean_distance, farthest : float
        Distance of these units from their nearest centre: on average, and at most.
    """

    method: str
    distance: Metric
    transform: str
    variables: tuple[Variable, ...]
    coordinates: tuple[Variable, ...] = ()
    crs: str | None = None
    attributes_only: bool = False
    hops: int = 0
    alpha: float = 0.5
    smooth_mode: str = "mean"
    weights: str | None = None
    agreement: float = 1.0
    mean_distance: float = 0.0
    farthest: float = 0.0

    @property
    def columns(self) -> tuple[Variable, ...]:
        """Attributes, then coordinates."""
        return (*self.variables, *self.coordinates)


@dataclass(frozen=True)
class Centers:
    """Centres of k clusters.

    Attributes
    ----------
    numbers : (k,) int64
        Number of each cluster, from 1.
    names : tuple of str
        Columns that the centres are told in.
    values : (k, len(names)) float64
        Centres in original units.
    sizes : (k,) int64
        Members of each cluster; 0 where the file does not say.
    recipe : Recipe or None
        None where the file does not say.
    """

    numbers: IntArray
    names: tuple[str, ...]
    values: FloatArray
    sizes: IntArray
    recipe: Recipe | None = None

    def points(self, recipe: Recipe) -> FloatArray:
        """Return the centres on the scale of a recipe, weights included, shape (k, variables).

        Examples
        --------
        >>> two = Centers(np.array([1, 2]), ("a",), np.array([[3.0], [7.0]]), np.array([5, 4]))
        >>> two.points(Recipe("kmeans", "euclidean", "z", (Variable("a", 5.0, 2.0, weight=4.0),))).tolist()
        [[-2.0], [2.0]]
        """
        found = np.empty((len(self.numbers), len(recipe.columns)))
        for at, column in enumerate(recipe.columns):
            if column.centers is None:
                place = (self.values[:, self.names.index(column.name)] - column.offset) / column.scale
            else:
                place = np.array(column.centers)[self.numbers - 1]
            found[:, at] = place
        return weighted(found, np.array([column.weight for column in recipe.columns]), recipe.distance)
