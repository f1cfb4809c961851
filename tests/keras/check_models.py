"""The layers together: symbolic models, saved and loaded, trained."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from regionalize.keras import (
    GeospatialScoreRanking,
    HaversineGeospatialDistance,
    SpatialFeatureClustering,
    ThresholdBasedMasking,
    TopKRecommendationSelector,
)

LEARNS = keras.backend.backend() != "numpy"


@cache
def pipeline(items, user_shape=(1,), near=50.0, given_distances=False):
    """Return a model from places to chosen items, and the kilometres of all."""
    inputs = [keras.Input(user_shape, name="user_lat"), keras.Input(user_shape, name="user_lon")]
    inputs += [keras.Input((items,), name="item_lats"), keras.Input((items,), name="item_lons")]
    km = HaversineGeospatialDistance(earth_radius_km=6371)(inputs)
    memberships = SpatialFeatureClustering(num_clusters=5)(km)
    scores = GeospatialScoreRanking()(memberships)
    mask = ThresholdBasedMasking(threshold=near)
    left = mask([scores, km]) if given_distances else mask(scores)
    return keras.Model(inputs, [*TopKRecommendationSelector(k=10)(left), km, memberships, scores])


def places(users, items, spread=0.5):
    rng = np.random.default_rng(users)
    about = np.full((users, 1), 40.7128, "float32"), np.full((users, 1), -74.0060, "float32")
    return [*about, *((one + rng.normal(0, spread, (users, items))).astype("float32") for one in about)]


@pytest.mark.parametrize(("users", "items"), [(1, 10), (32, 10), (32, 100), (1, None)])
def test_shapes_and_choice(users, items):
    model = pipeline(items)
    few = items and min(10, items)
    assert [tuple(one.shape) for one in model.outputs] == [
        (None, few),
        (None, few),
        (None, items),
        (None, items, 5),
        (None, items),
    ]
    indices, best, km, memberships, scores = model.predict(places(users, items or 40), verbose=0)
    assert indices.shape == best.shape == (users, 10)
    np.testing.assert_allclose(memberships.sum(axis=-1), 1, atol=1e-6)
    for row in range(users):
        near = [item for item in np.argsort(km[row], kind="stable") if km[row, item] <= 50][:10]
        assert indices[row].tolist() == near + [-1] * (10 - len(near))
        np.testing.assert_array_equal(best[row, : len(near)], scores[row, near])


def test_nothing_in_reach_gives_no_item():
    indices, best, *_ = pipeline(10, near=0.001).predict(places(1, 10), verbose=0)
    assert (indices == -1).all()
    assert np.isneginf(best).all()


def test_distances_may_be_given_and_are_found_otherwise():
    found = pipeline(10).predict(places(32, 10), verbose=0)
    given = pipeline(10, given_distances=True).predict(places(32, 10), verbose=0)
    np.testing.assert_array_equal(found[0], given[0])


def test_high_side_compares_the_scores_themselves():
    km = keras.Input((20,))
    scores = GeospatialScoreRanking()(SpatialFeatureClustering()(km))
    mask = ThresholdBasedMasking(0.5, keep="high")(scores)
    values = np.random.default_rng(0).uniform(0, 90, (3, 20)).astype("float32")
    shown, kept = keras.Model(km, [scores, mask]).predict(values, verbose=0)
    np.testing.assert_array_equal(kept, shown >= 0.5)


def test_users_without_a_second_dimension():
    model = pipeline(10, user_shape=())
    user_lat, user_lon, *items = places(32, 10)
    flat = model.predict([user_lat[:, 0], user_lon[:, 0], *items], verbose=0)
    np.testing.assert_array_equal(flat[0], pipeline(10).predict(places(32, 10), verbose=0)[0])


def test_two_models_are_alike():
    made = pipeline(10), pipeline.__wrapped__(10)
    one, two = (model.predict(places(32, 10), verbose=0) for model in made)
    for first, second in zip(one, two, strict=True):
        assert first.tobytes() == second.tobytes()


def test_saved_and_loaded(tmp_path):
    model = pipeline.__wrapped__(10)
    zones = next(layer for layer in model.layers if isinstance(layer, SpatialFeatureClustering))
    zones.adapt(np.random.default_rng(0).lognormal(3, 1, 500))
    ranking = next(layer for layer in model.layers if isinstance(layer, GeospatialScoreRanking))
    ranking.zone_weights.assign([0.9, 0.8, 0.5, 0.2, 0.1])
    before = model.predict(places(32, 10), verbose=0)
    model.save(tmp_path / "rank.keras")
    after = keras.saving.load_model(tmp_path / "rank.keras").predict(places(32, 10), verbose=0)
    assert len(before) == len(after) == 5
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first, second)


def loss_of(km, wanted, centers, weights):
    """Return the mean squared error of scores, in float64."""
    half_gap = (centers.max() - centers.min()) / (len(centers) - 1) / 2
    shares = km / km.max(axis=1, keepdims=True)
    parts = np.exp(-((shares[..., None] - centers) ** 2) / (2 * half_gap**2))
    scores = (parts / parts.sum(axis=-1, keepdims=True)) @ weights
    return np.mean((scores - wanted) ** 2)


@pytest.mark.skipif(not LEARNS, reason="Keras does not train on the NumPy backend")
def test_one_step_goes_down_the_gradient_of_centres_and_weights():
    rng = np.random.default_rng(0)
    km, wanted = rng.uniform(1, 90, (16, 12)), rng.uniform(0, 1, (16, 12))
    zones, ranking = SpatialFeatureClustering(4), GeospatialScoreRanking()
    inputs = keras.Input((12,))
    model = keras.Model(inputs, ranking(zones(inputs)))
    before = [convert_to_numpy(one).astype(float) for one in (zones.centers, ranking.zone_weights)]
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(km.astype("float32"), wanted.astype("float32"), batch_size=16, verbose=0)
    after = [convert_to_numpy(one) for one in (zones.centers, ranking.zone_weights)]
    for which in (0, 1):
        slopes = []
        for place in range(4):
            ends = []
            for step in (-1e-5, 1e-5):
                moved = [values.copy() for values in before]
                moved[which][place] += step
                ends.append(loss_of(km, wanted, *moved))
            slopes.append((ends[1] - ends[0]) / 2e-5)
        np.testing.assert_allclose(before[which] - after[which], slopes, rtol=1e-3, atol=1e-5)
        assert np.abs(slopes).min() > 0


@pytest.mark.skipif(not LEARNS, reason="Keras does not train on the NumPy backend")
def test_places_can_be_learned():
    """The gradient stays finite where a user stands on an item."""

    @keras.saving.register_keras_serializable(package="tests")
    class Shift(keras.layers.Layer):
        def build(self, shape):
            self.north = self.add_weight(shape=(1,), initializer="zeros")

        def call(self, latitude):
            return latitude + self.north

    inputs = [keras.Input((1,)), keras.Input((1,)), keras.Input((2,)), keras.Input((2,))]
    shift = Shift()
    km = HaversineGeospatialDistance()([shift(inputs[0]), *inputs[1:]])
    model = keras.Model(inputs, km)
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    user = np.array([[10.0]], "float32"), np.array([[20.0]], "float32")
    items = np.array([[10.0, 11.0]], "float32"), np.array([[20.0, 20.0]], "float32")
    model.fit([*user, *items], np.zeros((1, 2), "float32"), verbose=0)
    assert 0 < float(convert_to_numpy(shift.north)[0]) < 1
