"""What the layers share: how numbers are checked, and in which precision they compute."""

from __future__ import annotations

import math
import operator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class PlaceLayer(keras.layers.Layer):
    """A layer that never computes in half precision: kilometres and degrees have too many digits for it."""

    def __init__(self, *, name: str | None, dtype: Any, trainable: bool) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable, autocast=False)

    @property
    def real(self) -> str:
        """Return the type of its numbers: float64 where that was asked for, else float32."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def numbers(self, tensor: Any) -> Any:
        """Return a tensor in that type."""
        return keras.ops.cast(tensor, self.real)


def fixed(values: NDArray[np.float64]) -> Any:
    """Return an initializer that gives these values."""
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(values, dtype=dtype)


def whole_number(name: str, value: Any) -> int:
    """Return a keyword's value if it is a whole number from 1.

    Examples
    --------
    >>> whole_number("k", 0)
    Traceback (most recent call last):
    ...
    ValueError: k is 0; it is a whole number from 1
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} is {value!r}; it is a whole number from 1")
    return number


def real_number(name: str, value: Any, *, positive: bool = False) -> float:
    """Return a keyword's value if it is a finite number, and above 0 where it must be.

    Examples
    --------
    >>> real_number("threshold", 50)
    50.0
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or (positive and number <= 0):
        raise ValueError(f"{name} is {value!r}; it is a number{' above 0' if positive else ''}")
    return number


def either(name: str, value: Any, default: Any, alias: str, other: Any) -> Any:
    """Return the value of a keyword that has two names, of which one may be given.

    Examples
    --------
    >>> either("k", 10, 10, "top_k", 3)
    3
    """
    if other is None:
        return value
    if value != default:
        raise TypeError(f"{alias} is another name of {name}: give one of them")
    return other
