"""The best k of a row."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from regionalize.keras.base import PlaceLayer, either, whole_number

DEFAULT_K = 10


@keras.saving.register_keras_serializable(package="regionalize")
class TopKRecommendationSelector(PlaceLayer):
    """Pick the k items with the highest scores.

    Parameters
    ----------
    k : int
        How many; also called `top_k`. Where there are fewer items, all of them are returned.
    name, dtype, trainable
        As of every Keras layer.

    Notes
    -----
    (batch, items) scores become ``(indices, scores)``, both (batch, k), best first; equal scores in the order
    of the items. A list ``[scores, mask]`` leaves out the items whose mask is 0; so does a score of -inf or
    NaN. Where fewer than k are left, what remains of a row is filled with the index -1 and the score -inf: an
    item that is masked is never returned.

    Examples
    --------
    >>> import numpy as np
    >>> from keras.ops import convert_to_numpy
    >>> scores, mask = np.array([[0.2, 0.9, 0.5]]), np.array([[1, 0, 1]])
    >>> indices, best = TopKRecommendationSelector(k=2)([scores, mask])
    >>> print(convert_to_numpy(indices), convert_to_numpy(best))
    [[2 0]] [[0.5 0.2]]
    """

    def __init__(
        self,
        k: int = DEFAULT_K,
        *,
        top_k: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.k = whole_number("k", either("k", k, DEFAULT_K, "top_k", top_k))

    def build(self, input_shape: Any = None) -> None:
        """Nothing is learned."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the indices and the scores."""
        scores, mask = _scores_and_mask(inputs)
        scores = self.numbers(scores)
        is_kept = scores > float("-inf")  # NaN is above nothing
        if mask is not None:
            is_kept = ops.logical_and(is_kept, self.numbers(mask) > 0)
        scores = ops.where(is_kept, scores, float("-inf"))
        best = _order(-scores)[..., : self.k]
        kept = ops.take_along_axis(is_kept, best, axis=-1)
        indices = ops.where(kept, best, -1)
        return ops.cast(indices, "int32"), ops.take_along_axis(scores, best, axis=-1)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return shapes and types of the indices and the scores."""
        shape = _scores_and_mask(inputs)[0].shape
        if not shape:
            raise ValueError("scores are (batch, items)")
        few = None if shape[-1] is None else min(self.k, shape[-1])
        chosen = (*shape[:-1], few)
        return keras.KerasTensor(chosen, dtype="int32"), keras.KerasTensor(chosen, dtype=self.real)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same layer again."""
        return {**super().get_config(), "k": self.k}


def _scores_and_mask(inputs: Any) -> Any:
    if not isinstance(inputs, (list, tuple)):
        return inputs, None
    if len(inputs) != 2:
        raise ValueError("the inputs are scores, or [scores, mask]")
    return inputs


def _order(values: Any) -> Any:
    """Return the ascending order of each row, equal values as they come."""
    if keras.backend.backend() == "numpy":  # whose sort in Keras may swap equal values
        return np.argsort(values, axis=-1, kind="stable").astype("int32")
    return ops.argsort(values, axis=-1)
