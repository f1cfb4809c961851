"""Kilometres between users and items."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from regionalize.keras.base import PlaceLayer, either, real_number

MEAN_RADIUS = 6371.0


@keras.saving.register_keras_serializable(package="regionalize")
class HaversineGeospatialDistance(PlaceLayer):
    """Great-circle distances in kilometres between users and items.

    Parameters
    ----------
    earth_radius_km : float
        Radius of the sphere; also called `earth_radius`.
    name, dtype, trainable
        As of every Keras layer. In float32, which is the default, degrees are exact to about a metre.

    Notes
    -----
    It is called with a list ``[user_lat, user_lon, item_lats, item_lons]``, in degrees. Users are (batch,) or
    (batch, 1); items (batch, items), or one list for all users as (items,) or (1, items). What comes back is
    (batch, items). Longitudes may run past ±180. Where a latitude is beyond ±90 or a number is missing there
    is no place: the distance is NaN, and the other layers never select it.

    Tiny distances and antipodes are as exact as any other: both legs of the arctangent are sums of squares.

    Examples
    --------
    >>> import numpy as np
    >>> from keras.ops import convert_to_numpy
    >>> layer = HaversineGeospatialDistance()
    >>> km = layer([np.array([0.0]), np.array([179.5]), np.array([[0.0, 0.0]]), np.array([[-179.5, 179.5]])])
    >>> print(convert_to_numpy(km).round(1))
    [[111.2   0. ]]
    """

    def __init__(
        self,
        earth_radius_km: float = MEAN_RADIUS,
        *,
        earth_radius: float | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        radius = either("earth_radius_km", earth_radius_km, MEAN_RADIUS, "earth_radius", earth_radius)
        self.earth_radius_km = real_number("earth_radius_km", radius, positive=True)

    def build(self, input_shape: Any) -> None:
        """Check the shapes of the four inputs."""
        _shape_of_distances(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return (batch, items) kilometres."""
        _shape_of_distances([tensor.shape for tensor in inputs])
        user_lat, user_lon, item_lat, item_lon = (self.numbers(tensor) for tensor in inputs)
        user_lat, user_lon, is_user = _places(ops.reshape(user_lat, (-1, 1)), ops.reshape(user_lon, (-1, 1)))
        item_lat, item_lon, is_item = _places(item_lat, item_lon)
        east = item_lon - user_lon
        east = east - 360.0 * ops.round(east / 360.0)  # the short way round, without loss of digits
        half_east, half_north = _radians(east / 2.0), _radians((item_lat - user_lat) / 2.0)
        half_sum = _radians((item_lat + user_lat) / 2.0)
        across, along = ops.square(ops.sin(half_east)), ops.square(ops.cos(half_east))
        # sin² and cos² of half the angle; written so that neither is a difference of nearly equal numbers
        near = ops.square(ops.sin(half_north)) * along + ops.square(ops.cos(half_sum)) * across
        far = ops.square(ops.cos(half_north)) * along + ops.square(ops.sin(half_sum)) * across
        km = 2.0 * self.earth_radius_km * ops.arctan2(_root(near), _root(far))
        return ops.where(ops.logical_and(is_user, is_item), km, float("nan"))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return shape and type of the distances."""
        shape = _shape_of_distances([tensor.shape for tensor in inputs])
        return keras.KerasTensor(shape, dtype=self.real)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same layer again."""
        return {**super().get_config(), "earth_radius_km": self.earth_radius_km}


def _places(lat: Any, lon: Any) -> Any:
    """Return latitudes and longitudes, 0 where there is no such place, and where there is one."""
    is_place = ops.logical_and(ops.abs(lat) <= 90.0, ops.isfinite(lon))
    return ops.where(is_place, lat, 0.0), ops.where(is_place, lon, 0.0), is_place


def _radians(degrees: Any) -> Any:
    return degrees * 0.017453292519943295


def _root(square: Any) -> Any:
    """Return the root; at 0, where it has no slope, the gradient is 0 and not infinite."""
    above = square > 0
    return ops.where(above, ops.sqrt(ops.where(above, square, 1.0)), 0.0)


def _shape_of_distances(shapes: Any) -> tuple[int | None, int | None]:
    """Return (batch, items), where the four shapes go together."""
    if len(shapes) != 4 or any(shape is None or isinstance(shape, int) for shape in shapes):
        raise ValueError("the inputs are [user_lat, user_lon, item_lats, item_lons]")
    user_lat, user_lon, item_lat, item_lon = (tuple(shape) for shape in shapes)
    for shape in (user_lat, user_lon):
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(f"users have the shape {shape}; it is (batch,) or (batch, 1)")
    for shape in (item_lat, item_lon):
        if len(shape) not in {1, 2}:
            raise ValueError(f"items have the shape {shape}; it is (batch, items), or (items,) for all users")
    sizes = [user_lat[:1] or (1,), user_lon[:1] or (1,), item_lat[:-1] or (1,), item_lon[:-1] or (1,)]
    batches = {size for (size,) in sizes} - {1, None}
    items = {item_lat[-1], item_lon[-1]} - {None}
    if len(batches) > 1 or len(items) > 1:
        raise ValueError(
            f"users and items do not go together: {user_lat}, {user_lon}, {item_lat}, {item_lon}"
        )
    known = batches.pop() if batches else None if (None,) in sizes else 1
    return known, items.pop() if items else None
