"""Soft zones of distance."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from regionalize.keras.base import PlaceLayer, either, fixed, real_number, whole_number

DEFAULT_ZONES = 5


@keras.saving.register_keras_serializable(package="regionalize")
class SpatialFeatureClustering(PlaceLayer):
    """Turn distances into memberships of zones: near ones, middling ones, far ones.

    Parameters
    ----------
    num_clusters : int
        How many zones; also called `n_clusters`.
    max_km : float, optional
        Zones of fixed size: their centres are spread evenly over 0 to `max_km` kilometres. Without it the
        zones of a user go as far as that user's farthest item, so that all are used on any scale.
    name, dtype, trainable
        As of every Keras layer.

    Notes
    -----
    (batch, items) becomes (batch, items, zones), nearest zone first; memberships are from 0 to 1 and sum to
    1. With centre c of a zone, distance d and half the mean gap s between neighbouring centres, a membership
    is exp(-(d - c)² / 2s²), divided by the sum over zones. The argmax is the nearest zone. Beyond `max_km`
    distances count for less and less, so that the order of items is kept however far away they are.

    The centres are weights: zone 1 is where training moves it. They begin on the even scale, without chance;
    `adapt` puts them where distances are dense.

    Examples
    --------
    >>> import numpy as np
    >>> from keras.ops import convert_to_numpy
    >>> zones = SpatialFeatureClustering(num_clusters=3, max_km=60)
    >>> zones.centers_km.tolist()
    [10.0, 30.0, 50.0]
    >>> print(convert_to_numpy(zones(np.array([[5.0, 30.0, 45.0]]))).round(2))
    [[[0.95 0.05 0.  ]
      [0.11 0.79 0.11]
      [0.   0.27 0.73]]]
    """

    def __init__(
        self,
        num_clusters: int = DEFAULT_ZONES,
        max_km: float | None = None,
        *,
        n_clusters: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        zones = either("num_clusters", num_clusters, DEFAULT_ZONES, "n_clusters", n_clusters)
        self.num_clusters = whole_number("num_clusters", zones)
        self.max_km = None if max_km is None else real_number("max_km", max_km, positive=True)

    def build(self, input_shape: Any = None) -> None:
        """Make the centres, as shares of the scale, and the scale: 0 means each user's farthest item."""
        even = (np.arange(self.num_clusters) + 0.5) / self.num_clusters
        self.centers = self.add_weight(shape=even.shape, initializer=fixed(even), name="centers")
        scale = 0.0 if self.max_km is None else self.max_km
        self.scale_km = self.add_weight(
            shape=(), initializer=fixed(np.array(scale)), trainable=False, name="scale_km"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return (batch, items, zones) memberships."""
        km = self.numbers(inputs)
        scale, centers = self.numbers(self.scale_km), self.numbers(self.centers)
        known = ops.where(ops.isfinite(km), km, 0.0)
        farthest = ops.max(known, axis=-1, keepdims=True)
        scale = ops.where(scale > 0, scale, farthest)
        share = km / ops.where(scale > 0, scale, 1.0)
        # Beyond the scale ever slower, and never by more than ten zones, where memberships are not yet 0.
        most = 10.0 / self.num_clusters
        excess = ops.clip(share - 1.0, 0.0, 1e6)
        share = ops.minimum(share, 1.0) + excess * most / (excess + most)
        if self.num_clusters == 1:
            return ops.expand_dims(1.0 + 0.0 * share, -1)
        offset = (ops.expand_dims(share, -1) - centers) / self._width(centers)
        return ops.softmax(-0.5 * ops.square(offset), axis=-1)

    def _width(self, centers: Any) -> Any:
        """Return half the mean gap between neighbouring centres."""
        gap = (ops.max(centers) - ops.min(centers)) / (self.num_clusters - 1)
        return ops.maximum(gap / 2.0, 1e-6)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return shape and type of the memberships."""
        if not inputs.shape:
            raise ValueError("distances are (batch, items)")
        return keras.KerasTensor((*inputs.shape, self.num_clusters), dtype=self.real)

    def adapt(self, distances: Any) -> None:
        """Put the centres where distances are dense: by k-means, as the command line's bands.

        Parameters
        ----------
        distances : array of kilometres
            Of any shape. From then on zones are of fixed size, the same for all users.
        """
        from regionalize.studies.rank.breaks import best_breaks

        km = np.asarray(ops.convert_to_numpy(distances), dtype=np.float64).ravel()
        values, counts = np.unique(km[np.isfinite(km)], return_counts=True)
        if (values < 0).any():
            raise ValueError(f"a distance is {values[0]:g} km; distances are not negative")
        if len(values) < self.num_clusters or not values.any():
            raise ValueError(
                f"{self.num_clusters} zones need as many different distances, and one above 0; "
                f"there are {len(values)}"
            )
        centers, _ = best_breaks(values, counts, self.num_clusters)
        if not self.built:
            self.build()
        self.scale_km.assign(values[-1])
        self.centers.assign(centers / values[-1])

    @property
    def centers_km(self) -> NDArray[np.float64] | None:
        """Return the centres in kilometres; None where zones go as far as a user's farthest item."""
        if not self.built:
            self.build()
        scale = float(ops.convert_to_numpy(self.scale_km))
        shares = np.asarray(ops.convert_to_numpy(self.centers), dtype=np.float64)
        return np.round(shares * scale, 4) if scale > 0 else None

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same layer again."""
        return {**super().get_config(), "num_clusters": self.num_clusters, "max_km": self.max_km}
