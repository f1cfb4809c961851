"""Scores from memberships of zones."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from regionalize.keras.base import PlaceLayer, fixed


@keras.saving.register_keras_serializable(package="regionalize")
class GeospatialScoreRanking(PlaceLayer):
    """Score items by the zones they belong to: the nearer, the higher.

    Parameters
    ----------
    name, dtype, trainable
        As of every Keras layer. There are no others: nothing is embedded.

    Notes
    -----
    (batch, items, zones) becomes (batch, items); memberships of one user, (items, zones), become (items,).
    The score is the sum over zones of membership times the zone's weight. The weights begin at 1 for the
    first zone and fall evenly to 0 for the last, so that scores of memberships are in 0 to 1 and fall with
    distance before any training; training learns which zones are liked.

    The first call settles the number of weights. Memberships of another number of zones are scored by
    weights read off between them.

    Examples
    --------
    >>> import numpy as np
    >>> from keras.ops import convert_to_numpy
    >>> memberships = np.array([[[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]])
    >>> convert_to_numpy(GeospatialScoreRanking()(memberships)).tolist()
    [[1.0, 0.25]]
    """

    def __init__(self, *, name: str | None = None, dtype: Any = None, trainable: bool = True) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    def build(self, input_shape: Any) -> None:
        """Make a weight for each zone."""
        zones = _number_of_zones(input_shape)
        falling = np.linspace(1.0, 0.0, zones)
        self.zone_weights = self.add_weight(shape=(zones,), initializer=fixed(falling), name="zone_weights")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return (batch, items) scores."""
        between = _read_off(_number_of_zones(inputs.shape), self.zone_weights.shape[0])
        weights = self.numbers(self.zone_weights)
        if between is not None:
            weights = ops.matmul(ops.convert_to_tensor(between, dtype=self.real), weights)
        return ops.sum(self.numbers(inputs) * weights, axis=-1)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return shape and type of the scores."""
        _number_of_zones(inputs.shape)
        return keras.KerasTensor(inputs.shape[:-1], dtype=self.real)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same layer again; without it, older Keras forgets the name."""
        return dict(super().get_config())


def _number_of_zones(shape: Any) -> int:
    if len(shape) < 2 or shape[-1] is None:
        raise ValueError(f"memberships have the shape {tuple(shape)}; it is (batch, items, zones)")
    return int(shape[-1])


def _read_off(wanted: int, there: int) -> Any:
    """Return the (wanted, there) matrix that reads off between evenly spaced values; None for as many."""
    if wanted == there:
        return None
    places, places_there = np.linspace(0.0, 1.0, wanted), np.linspace(0.0, 1.0, there)
    return np.stack([np.interp(places, places_there, unit) for unit in np.eye(there)], axis=1)
