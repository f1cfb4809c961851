"""Keep what is near, or what is good."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from regionalize.keras.base import PlaceLayer, real_number
from regionalize.keras.clustering import SpatialFeatureClustering
from regionalize.keras.ranking import GeospatialScoreRanking

SIDES = ("low", "high")


@keras.saving.register_keras_serializable(package="regionalize")
class ThresholdBasedMasking(PlaceLayer):
    """Keep the items on one side of a threshold; by default the low side, which is the near one.

    Parameters
    ----------
    threshold : float
        Values equal to it are kept.
    keep : {"low", "high"}
        "low" keeps values up to the threshold: distances. "high" keeps those from the threshold on: scores.
    name, dtype, trainable
        As of every Keras layer.

    Notes
    -----
    Values alone become a mask of the same shape: 1 where an item is kept, 0 elsewhere. A list ``[scores,
    distances]`` becomes scores: those of items that `distances` keeps, and -inf for the others, which
    ``TopKRecommendationSelector`` never returns. NaN is not kept.

    Scores tell no kilometres. In a functional model, a layer that keeps the low side and is given the scores
    of ``GeospatialScoreRanking`` over ``SpatialFeatureClustering`` takes them with the distances that they
    came from, as if it had been given both. Outside such a model scores alone are compared as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from keras.ops import convert_to_numpy
    >>> near = ThresholdBasedMasking(threshold=50.0)
    >>> convert_to_numpy(near(np.array([[20.0, 50.0, 80.0]]))).tolist()
    [[1.0, 1.0, 0.0]]
    >>> convert_to_numpy(near([np.array([[0.5, 0.25, 0.75]]), np.array([[20.0, 50.0, 80.0]])])).tolist()
    [[0.5, 0.25, -inf]]
    >>> convert_to_numpy(ThresholdBasedMasking(0.5, keep="high")(np.array([[0.4, 0.9]]))).tolist()
    [[0.0, 1.0]]
    """

    def __init__(
        self,
        threshold: float,
        keep: str = "low",
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        if keep not in SIDES:
            raise ValueError(f"keep is {keep!r}; it is 'low' or 'high'")
        self.threshold = real_number("threshold", threshold)
        self.keep = keep

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Take scores of a functional model together with the distances behind them."""
        if self.keep == "low":
            distances = _distances_behind(inputs)
            if distances is not None:
                inputs = [inputs, distances]
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Nothing is learned."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return a mask, or scores where there are two inputs."""
        if not isinstance(inputs, (list, tuple)):
            return ops.cast(self._is_kept(inputs), self.real)
        scores, distances = _pair(inputs)
        scores = self.numbers(scores)
        return ops.where(self._is_kept(distances), scores, float("-inf"))

    def _is_kept(self, values: Any) -> Any:
        values = self.numbers(values)
        return values <= self.threshold if self.keep == "low" else values >= self.threshold

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return shape and type, which are those of the first input."""
        first = _pair(inputs)[0] if isinstance(inputs, (list, tuple)) else inputs
        return keras.KerasTensor(first.shape, dtype=self.real)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same layer again."""
        return {**super().get_config(), "threshold": self.threshold, "keep": self.keep}


def _pair(inputs: Any) -> Any:
    if len(inputs) != 2:
        raise ValueError("the inputs are values, or [scores, distances]")
    shapes = [tuple(tensor.shape) for tensor in inputs]
    known = [(one, two) for one, two in zip(*shapes, strict=False) if one is not None and two is not None]
    if len(shapes[0]) != len(shapes[1]) or any(one != two for one, two in known):
        raise ValueError(f"scores and distances have different shapes: {shapes[0]} and {shapes[1]}")
    return inputs


def _distances_behind(scores: Any) -> Any:
    """Return the symbolic distances from which scores of our layers were made, or None."""
    memberships = _input_of(scores, GeospatialScoreRanking)
    return None if memberships is None else _input_of(memberships, SpatialFeatureClustering)


def _input_of(tensor: Any, layer: type) -> Any:
    """Return what a layer of this kind was given to make a symbolic tensor; None of any other tensor."""
    # how a functional model is put together; Keras has no public way from a tensor to the layer that made it
    made = getattr(tensor, "_keras_history", None)
    if made is None or not isinstance(made.operation, layer):
        return None
    operation: Any = made.operation
    return operation._inbound_nodes[made.node_index].input_tensors[0]
