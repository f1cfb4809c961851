"""The one scikit-learn shell around every method of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regionalize.errors import UsageError
from regionalize.model.bounds import Bound
from regionalize.model.catalog import find_method
from regionalize.model.job import DEFAULT_SEED, check_option_names
from regionalize.model.partition import Partition
from regionalize.model.weights import Weights
from regionalize.run.call import call
from regionalize.run.options import checked_params, whole_number


class Regionalizer:
    """A clusterer with scikit-learn's manners: `fit`, `fit_predict`, `labels_`, `get_params`.

    Data are taken as they are: scale them before, as with any scikit-learn estimator.

    Parameters
    ----------
    method : str
        A name of the catalog.
    n_clusters : int
        Number of clusters; without effect where the method finds it, or a parameter stands in its place.
    connectivity : (n, n) sparse array, Weights or None
        Neighbours, for methods that make contiguous clusters; a link counts in both directions.
    seed : int or None
        Seed of every draw (the command line's default when None).
    bounds : sequence of Bound
        What every cluster must hold at least or at most.
    **params
        The method's own options; a start plan is an (n,) int array, -1 for rows without a region.

    Attributes
    ----------
    labels_ : (n,) int64
        Clusters 0 … k - 1 by falling size, as scikit-learn numbers from 0; -1 for noise.

    Examples
    --------
    >>> import numpy as np
    >>> Regionalizer("kmeans", n_clusters=2).fit_predict(np.array([[0.0], [0.1], [0.2], [9.0]])).tolist()
    [0, 0, 0, 1]
    """

    labels_: NDArray[np.int64]
    _named = ("method", "n_clusters", "connectivity", "seed", "bounds")

    def __init__(
        self,
        method: str = "kmeans",
        n_clusters: int = 8,
        connectivity: Any = None,
        seed: int | None = None,
        bounds: Sequence[Bound] = (),
        **params: Any,
    ) -> None:
        self.method = method
        self.n_clusters = n_clusters
        self.connectivity = connectivity
        self.seed = seed
        self.bounds = bounds
        self.params = params

    def fit(self, X: ArrayLike, y: object = None) -> Regionalizer:
        """Group the rows of X (n, p); `y` is ignored."""
        try:
            values = np.asarray(X, dtype=np.float64)
        except (TypeError, ValueError):
            raise UsageError("X does not hold numbers") from None
        if values.ndim != 2:
            raise UsageError(f"X has {values.ndim} dimensions; it must be a table of rows and columns")
        if not np.isfinite(values).all():
            raise UsageError("X holds missing or infinite values", advice="fill or drop them first")
        row = find_method(self.method)
        check_option_names(self.params, tuple(param.name for param in row.params))
        plans = {name: value for name, value in self.params.items() if isinstance(value, np.ndarray)}
        params = checked_params(row, {k: v for k, v in self.params.items() if k not in plans}) | plans
        told = row.takes_k and params.get(row.instead_of_k) is None
        k = whole_number("n_clusters", self.n_clusters, 1) if told else None
        seed = DEFAULT_SEED if self.seed is None else whole_number("seed", self.seed, 0)
        if row.contiguous:
            params["weights"] = self._weights(len(values))
        codes = call(row, values, k, seed=seed, bounds=tuple(self.bounds), **params)
        self.labels_ = np.maximum(Partition.canonical(codes).labels - 1, -1)
        return self

    def _weights(self, n: int) -> Weights:
        """Return `connectivity` as weights of n units."""
        if self.connectivity is None:
            raise UsageError(f"{self.method} needs connectivity, who is whose neighbour")
        if isinstance(self.connectivity, Weights):
            weights = self.connectivity
        else:
            import scipy.sparse

            links = scipy.sparse.coo_array(self.connectivity)
            given = links.data != 0
            weights = Weights.from_links(links.shape[0], links.row[given], links.col[given], kind="given")
        if len(weights) != n:
            raise UsageError(f"connectivity is of {len(weights)} units, but X has {n} rows")
        return weights

    def fit_predict(self, X: ArrayLike, y: object = None) -> NDArray[np.int64]:
        """Fit and return `labels_`."""
        return self.fit(X, y).labels_

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, as `sklearn.base.clone` asks for them."""
        return {**{name: getattr(self, name) for name in self._named}, **self.params}

    def set_params(self, **params: Any) -> Regionalizer:
        """Change parameters in place and return self; an unknown one is refused, and nothing changed."""
        own = {name: value for name, value in params.items() if name in self._named}
        others = {name: value for name, value in params.items() if name not in own}
        row = find_method(own.get("method", self.method))
        check_option_names(others, (*self._named, *(param.name for param in row.params)))
        for name, value in own.items():
            setattr(self, name, value)
        self.params = {**self.params, **others}
        return self

    def __repr__(self) -> str:
        """Return the call that makes an equal estimator."""
        return f"Regionalizer({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"
