"""`Features`: the matrix that is clustered, and what is needed to tell what it meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.model.method import Metric

FloatArray = NDArray[np.float64]


def weighted(values: NDArray[np.floating], weights: FloatArray, metric: Metric) -> NDArray[Any]:
    """Multiply columns so that their weights count once in a distance: in its square, if it is Euclidean.

    Examples
    --------
    >>> ones, weights = np.ones((1, 2)), np.array([1.0, 4.0])
    >>> weighted(ones, weights, "euclidean").tolist(), weighted(ones, weights, "manhattan").tolist()
    ([[1.0, 2.0]], [[1.0, 4.0]])
    """
    factors = weights if metric == "manhattan" else np.sqrt(weights)
    product: NDArray[Any] = values * factors.astype(values.dtype, copy=False)
    return product


@dataclass(frozen=True)
class Places:
    """What distances between rows of X are where these are places.

    Attributes
    ----------
    metres : float or None
        In one unit of X; None where that is not known.
    sphere : bool
        X are points in space, (m, 3) in metres, on a sphere of the Earth's size, and straight lines between
        them stand for the great circles above.
    """

    metres: float | None
    sphere: bool = False


@dataclass(frozen=True)
class Features:
    """Variables of the rows that take part, ready to cluster and to report.

    Attributes
    ----------
    rows : (m,) int64
        Row numbers in the layer of the m rows used (all of them unless missing values were dropped).
    names : tuple of str
        Names of the p attribute variables.
    raw : (m, p) float64 or float32
        Attributes in original units, missing values filled in if that was asked; as all of the variables, in
        single precision if that was asked.
    scaled : (m, p) float64 or float32
        Attributes transformed, before smoothing and weighting: what fit is measured on.
    X : (m, p) or (m, p + 2) float64 or float32
        What is clustered: transformed, smoothed, embedded, coordinates appended, and `weighted`.
    unweighted : (m, p) or (m, p + 2)
        The same without the weights: fit "over all variables" is measured on it.
    coordinates : (m, 2) float64 or None
        Centroids in map units when they are among the variables.
    coordinate_share : float
        Share of all weight that the two coordinates carry (0 without them).
    column_weights : (p or p + 2,) float64
        Weight of each clustered column in squared Euclidean, or in Manhattan distance.
    metric : {"euclidean", "manhattan"}
        Which of the two: it tells what X is multiplied by.
    attributes_only : bool
        True when `--centroid-weight` was given: TSS, WSS and centres then speak of attributes alone.
    notes : tuple of str
        What was noticed, for the person.
    """

    rows: NDArray[np.int64]
    names: tuple[str, ...]
    raw: NDArray[Any]
    scaled: NDArray[Any]
    X: NDArray[np.floating]
    unweighted: NDArray[Any]
    coordinates: FloatArray | None
    coordinate_share: float
    column_weights: FloatArray
    attributes_only: bool
    metric: Metric = "euclidean"
    coordinate_names: tuple[str, str] = ("X", "Y")
    anisotropy: float | None = None
    """East-west over north-south standard deviation of the centroids."""
    attribute_weights: FloatArray | None = None
    """What `--column-weights` asks of each attribute, (p,), before any share goes to the coordinates; under
    `--embed`, 1 for each variable that takes their place."""
    embedded: tuple[str, ...] = ()
    """Under `--embed`, what the q variables are called that take the place of the p in X and unweighted."""
    stands_for: float | None = None
    """Under `--embed`, how many columns these weigh together as."""
    places: Places | None = None
    """Where X are places, what their distances are."""
    notes: tuple[str, ...] = ()

    @property
    def clustered_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        names = self.embedded or self.names
        return names if self.coordinates is None else (*names, *self.coordinate_names)

    @staticmethod
    def none(n: int, notes: tuple[str, ...] = ()) -> Features:
        """Return the features of n rows of which no variable is known, so that there is no fit to report."""
        nothing = np.empty((n, 0))
        return Features(
            rows=np.arange(n),
            names=(),
            raw=nothing,
            scaled=nothing,
            X=nothing,
            unweighted=nothing,
            coordinates=None,
            coordinate_share=0.0,
            column_weights=np.empty(0),
            attributes_only=False,
            notes=notes,
        )
