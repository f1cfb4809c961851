"""Each layer by itself, against formulas in NumPy."""

from __future__ import annotations

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

LAYERS = [
    GeospatialScoreRanking,
    HaversineGeospatialDistance,
    SpatialFeatureClustering,
    lambda **given: ThresholdBasedMasking(1.0, **given),
    TopKRecommendationSelector,
]
NEW_YORK = np.array([40.7128]), np.array([-74.0060])


def some(*cases):
    """Return the cases; for JAX the first alone, since it compiles every operation anew for every shape."""
    return cases[:1] if keras.backend.backend() == "jax" else cases


def numpy_of(layer, *inputs):
    """Call a layer with one tensor, or with a list of them, and return NumPy."""
    inputs = [np.asarray(one, dtype=np.float64) for one in inputs]
    out = layer(inputs if len(inputs) > 1 else keras.ops.convert_to_tensor(inputs[0]))
    return tuple(map(convert_to_numpy, out)) if isinstance(out, tuple) else convert_to_numpy(out)


def on_sphere(lat, lon):
    lat, lon = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def angle_km(user_lat, user_lon, item_lats, item_lons, radius=6371.0):
    """Return the angle between two vectors, from their cross and dot product, in kilometres."""
    user = on_sphere(np.reshape(user_lat, (-1, 1)), np.reshape(user_lon, (-1, 1)))
    item = on_sphere(np.asarray(item_lats), np.asarray(item_lons))
    user, item = np.broadcast_arrays(user, item)
    return radius * np.arctan2(np.linalg.norm(np.cross(user, item), axis=-1), (user * item).sum(axis=-1))


def even_memberships(km, zones, scale):
    """Return the memberships of zones spread evenly over 0 to `scale`, of distances within it."""
    centers = (np.arange(zones) + 0.5) / zones * scale
    half_gap = scale / zones / 2
    shares = np.exp(-((km[..., None] - centers) ** 2) / (2 * half_gap**2))
    return shares / shares.sum(axis=-1, keepdims=True)


def spearman(one, two):
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (one, two)]
    return np.corrcoef(*ranks)[0, 1]


class TestDistance:
    def test_cities(self):
        cities = np.array([[34.0522, 41.8781, 39.9526]]), np.array([[-118.2437, -87.6298, -75.1652]])
        km = numpy_of(HaversineGeospatialDistance(earth_radius_km=6371), *NEW_YORK, *cities)
        np.testing.assert_allclose(km, [[3935.8, 1144.3, 129.6]], atol=0.1)

    @pytest.mark.parametrize("users", some((32,), (32, 1)))
    @pytest.mark.parametrize("items", some((32, 100), (100,), (1, 100)))
    def test_shapes_and_values(self, users, items):
        rng = np.random.default_rng(3)
        places = [rng.uniform(-90, 90, users), rng.uniform(-180, 180, users)]
        places += [rng.uniform(-90, 90, items), rng.uniform(-180, 180, items)]
        km = numpy_of(HaversineGeospatialDistance(), *places)
        assert km.shape == (32, 100)
        np.testing.assert_allclose(km, angle_km(*places), rtol=1e-5, atol=0.01)

    @pytest.mark.parametrize(
        ("user", "item"),
        [
            ((0.0, 179.9), (0.0, -179.9)),  # over the antimeridian
            ((90.0, 0.0), (90.0, 120.0)),  # a pole has any longitude
            ((90.0, 13.0), (-90.0, 77.0)),
            ((10.0, 20.0), (-10.0, -160.0)),  # antipodes
            ((45.0, 45.0), (45.0, 45.0)),
            ((45.0, 45.0), (45.0, 405.0)),
            ((45.0, 45.0), (45.00001, 45.0)),
        ],
    )
    def test_extremes(self, user, item):
        places = [
            np.array([user[0]]),
            np.array([user[1]]),
            np.full((1, 3), item[0]),
            np.full((1, 3), item[1]),
        ]
        km = numpy_of(HaversineGeospatialDistance(), *places)
        np.testing.assert_allclose(km, angle_km(*places), atol=0.003)  # of degrees in float32

    def test_same_place_is_exactly_zero(self):
        assert not numpy_of(
            HaversineGeospatialDistance(), *NEW_YORK, *([[one[0]] * 3] for one in NEW_YORK)
        ).any()

    @pytest.mark.parametrize("latitude", [90.1, -91.0, np.nan, np.inf])
    def test_no_place_has_no_distance(self, latitude):
        km = numpy_of(HaversineGeospatialDistance(), *NEW_YORK, [[40.0, latitude, 40.0]], [[-74.0] * 3])
        assert np.isnan(km).tolist() == [[False, True, False]]

    def test_radius(self):
        half = numpy_of(HaversineGeospatialDistance(100.0), [0.0], [0.0], [[0.0] * 3], [[180.0] * 3])
        np.testing.assert_allclose(half, [[100 * np.pi] * 3], rtol=1e-6)
        assert HaversineGeospatialDistance(earth_radius=5).earth_radius_km == 5.0

    @pytest.mark.parametrize("radius", [0, -1.0, np.nan, np.inf, "far", True])
    def test_refuses_radius(self, radius):
        with pytest.raises(ValueError, match="earth_radius_km is"):
            HaversineGeospatialDistance(earth_radius_km=radius)

    @pytest.mark.parametrize(
        ("shapes", "words"),
        [
            ([(2,), (2,), (3, 4), (3, 4)], "do not go together"),
            ([(2,), (2,), (2, 4), (2, 5)], "do not go together"),
            ([(2, 3), (2, 3), (2, 4), (2, 4)], "users have the shape"),
            ([(2,), (2,), (2, 4, 1), (2, 4, 1)], "items have the shape"),
            ([(2,), (2,), (2, 4)], "the inputs are"),
        ],
    )
    def test_refuses_shapes(self, shapes, words):
        with pytest.raises(ValueError, match=words):
            HaversineGeospatialDistance()([np.zeros(shape, "float32") for shape in shapes])

    @pytest.mark.parametrize("longitude", [np.nan, np.inf])
    def test_no_longitude_has_no_distance(self, longitude):
        km = numpy_of(HaversineGeospatialDistance(), [40.0], [longitude], [[40.0] * 3], [[-74.0] * 3])
        assert np.isnan(km).all()

    def test_half_precision_is_not_used(self):
        layer = HaversineGeospatialDistance(dtype="mixed_float16")
        km = numpy_of(layer, *NEW_YORK, [[40.7138] * 3], [[-74.0060] * 3])
        np.testing.assert_allclose(km, [[0.1112] * 3], atol=0.001)


class TestClustering:
    @pytest.mark.parametrize("farthest", [100, 200, 500])
    @pytest.mark.parametrize("zones", some(5, 1, 2, 3, 10, 50))
    def test_every_zone_is_used_on_any_scale(self, zones, farthest):
        km = np.random.default_rng(zones).uniform(0, farthest, (32, 100))
        memberships = numpy_of(SpatialFeatureClustering(num_clusters=zones), km)
        assert memberships.shape == (32, 100, zones)
        assert memberships.min() >= 0
        np.testing.assert_allclose(memberships.sum(axis=-1), 1, atol=1e-6)
        assert len(np.unique(memberships.argmax(axis=-1))) == zones
        expected = np.stack([even_memberships(row, zones, row.max()) for row in km])
        np.testing.assert_allclose(memberships, expected, atol=2e-4)

    def test_fixed_zones(self):
        km = np.random.default_rng(0).uniform(0, 80, (32, 100))
        memberships = numpy_of(SpatialFeatureClustering(num_clusters=5, max_km=80), km)
        np.testing.assert_allclose(memberships, even_memberships(km, 5, 80), atol=1e-5)
        others_near = np.concatenate([km[:, :1], km[:, 1:] / 2], axis=1)
        again = numpy_of(SpatialFeatureClustering(num_clusters=5, max_km=80), others_near)
        np.testing.assert_array_equal(again[:, 0], memberships[:, 0])

    def test_items_are_told_apart_and_their_order_does_not_matter(self):
        km = np.random.default_rng(1).uniform(0, 80, (32, 100))
        order = np.random.default_rng(2).permutation(100)
        layer = SpatialFeatureClustering()
        np.testing.assert_array_equal(numpy_of(layer, km[:, order]), numpy_of(layer, km)[:, order])

    @pytest.mark.parametrize("km", [[0.0, 0.0, 0.0], [7.0, 7.0, 7.0], [1.0, np.inf, 2.0], [1.0, 1e30, 2.0]])
    def test_odd_rows_have_memberships(self, km):
        memberships = numpy_of(SpatialFeatureClustering(), [km])
        np.testing.assert_allclose(memberships.sum(axis=-1), 1, atol=1e-6)

    def test_no_distance_has_no_membership_and_harms_no_other(self):
        memberships = numpy_of(SpatialFeatureClustering(), [[1.0, np.nan, 4.0]])
        assert np.isnan(memberships).all(axis=-1).tolist() == [[False, True, False]]
        whole = numpy_of(SpatialFeatureClustering(), [[1.0, 2.0, 4.0]])
        np.testing.assert_array_equal(memberships[:, ::2], whole[:, ::2])

    def test_adapt_finds_what_is_dense(self):
        rng = np.random.default_rng(5)
        places = np.array([2.0, 9.0, 40.0, 150.0, 300.0])
        km = (places + rng.uniform(-0.5, 0.5, (640, 5))).reshape(32, 100)
        layer = SpatialFeatureClustering()
        assert layer.centers_km is None
        layer.adapt(km)
        np.testing.assert_allclose(layer.centers_km, places, atol=0.1)
        nearest = np.abs(km[..., None] - layer.centers_km).argmin(axis=-1)
        assert np.mean(numpy_of(layer, km).argmax(axis=-1) == nearest) > 0.999

    @pytest.mark.parametrize("km", [[1.0, 1.0, 2.0], [np.nan, 1.0, 3.0], [-1.0, 2.0, 3.0]])
    def test_adapt_refuses(self, km):
        with pytest.raises(ValueError, match=r"different distances|not negative"):
            SpatialFeatureClustering(3).adapt(np.array(km))

    @pytest.mark.parametrize("zones", [0, -1, 2.5, "5", True, None])
    def test_refuses_number(self, zones):
        with pytest.raises(ValueError, match="num_clusters is"):
            SpatialFeatureClustering(num_clusters=zones)

    @pytest.mark.parametrize("scale", [0, -5, np.nan])
    def test_refuses_scale(self, scale):
        with pytest.raises(ValueError, match="max_km is"):
            SpatialFeatureClustering(max_km=scale)

    def test_other_name(self):
        assert SpatialFeatureClustering(n_clusters=7).num_clusters == 7
        with pytest.raises(TypeError, match="another name of num_clusters"):
            SpatialFeatureClustering(num_clusters=3, n_clusters=7)


class TestRanking:
    def test_sum_of_memberships_and_falling_weights(self):
        memberships = np.random.default_rng(0).normal(size=(32, 100, 5))
        scores = numpy_of(GeospatialScoreRanking(), memberships)
        np.testing.assert_allclose(scores, memberships @ [1, 0.75, 0.5, 0.25, 0], atol=1e-5)

    def test_one_user_without_a_batch(self):
        memberships = np.random.default_rng(0).uniform(size=(100, 5))
        ranking = GeospatialScoreRanking()
        alone = numpy_of(ranking, memberships)
        assert alone.shape == (100,)
        np.testing.assert_allclose(numpy_of(ranking, memberships[None])[0], alone, atol=1e-6)

    def test_other_numbers_of_zones_read_between_the_weights(self):
        ranking = GeospatialScoreRanking()
        numpy_of(ranking, np.zeros((1, 1, 3)))
        ranking.zone_weights.assign([1.0, 0.2, 0.4])
        wider = numpy_of(ranking, np.eye(5)[None])
        np.testing.assert_allclose(wider, [[1.0, 0.6, 0.2, 0.3, 0.4]], atol=1e-6)
        np.testing.assert_allclose(numpy_of(ranking, np.ones((1, 1, 1))), [[1.0]])

    @pytest.mark.parametrize("zones", some(5, 50, 2, 3, 10))
    @pytest.mark.parametrize("scale", [None, 30, 1000])
    def test_scores_fall_with_distance(self, zones, scale):
        km = np.random.default_rng(zones).uniform(0, 100, (32, 100))
        zone_layer = SpatialFeatureClustering(num_clusters=zones, max_km=scale)
        scores = numpy_of(GeospatialScoreRanking(), numpy_of(zone_layer, km))
        assert min(spearman(*pair) for pair in zip(scores, -km, strict=True)) >= 0.99
        assert scores.min() >= 0
        assert scores.max() <= 1 + 1e-6

    def test_scores_fall_over_adapted_zones(self):
        km = np.random.default_rng(1).lognormal(3, 1.5, (32, 100))
        zone_layer = SpatialFeatureClustering(num_clusters=5)
        zone_layer.adapt(km)
        scores = numpy_of(GeospatialScoreRanking(), numpy_of(zone_layer, km))
        assert min(spearman(*pair) for pair in zip(scores, -km, strict=True)) >= 0.99

    def test_refuses_what_has_no_zones(self):
        with pytest.raises(ValueError, match="memberships have the shape"):
            numpy_of(GeospatialScoreRanking(), np.zeros(3))


class TestMasking:
    VALUES = np.array([[10.0, 50.0, 50.5, np.nan, np.inf, -np.inf]])

    def test_low_side_by_default(self):
        assert numpy_of(ThresholdBasedMasking(threshold=50), self.VALUES).tolist() == [[1, 1, 0, 0, 0, 1]]

    def test_type_of_scores_is_kept(self):
        assert numpy_of(ThresholdBasedMasking(50), self.VALUES, self.VALUES).dtype == np.float32

    def test_high_side(self):
        mask = numpy_of(ThresholdBasedMasking(50, keep="high"), self.VALUES)
        assert mask.tolist() == [[0, 1, 1, 0, 1, 0]]

    def test_scores_by_distance(self):
        scores = np.array([[0.1, 0.9, 0.5, 0.2, 0.3, 0.4]], dtype="float32")
        left = numpy_of(ThresholdBasedMasking(50), scores, self.VALUES)
        kept = np.array([[True, True, False, False, False, True]])
        np.testing.assert_array_equal(left, np.where(kept, scores, -np.inf))

    def test_refuses(self):
        with pytest.raises(TypeError, match="threshold"):
            ThresholdBasedMasking()
        with pytest.raises(ValueError, match="threshold is nan"):
            ThresholdBasedMasking(float("nan"))
        with pytest.raises(ValueError, match="keep is 'near'"):
            ThresholdBasedMasking(1, keep="near")
        with pytest.raises(ValueError, match="different shapes"):
            numpy_of(ThresholdBasedMasking(1), np.zeros((2, 3)), np.zeros((2, 4)))


class TestSelector:
    @pytest.mark.parametrize("k", some(10, 150, 1, 5, 100))
    def test_best_first(self, k):
        scores = np.random.default_rng(k).normal(size=(32, 100)).astype("float32")
        indices, best = numpy_of(TopKRecommendationSelector(k=k), scores)
        order = np.argsort(-scores, axis=1)[:, :k]
        assert indices.dtype == np.int32
        np.testing.assert_array_equal(indices, order)
        np.testing.assert_array_equal(best, np.take_along_axis(scores, order, axis=1))

    def test_equal_scores_in_the_order_of_items(self):
        scores = np.random.default_rng(0).integers(0, 3, (32, 100)).astype(float)
        indices, _ = numpy_of(TopKRecommendationSelector(k=60), scores)
        np.testing.assert_array_equal(indices, np.argsort(-scores, axis=1, kind="stable")[:, :60])

    def test_masked_items_are_never_returned(self):
        rng = np.random.default_rng(0)
        scores, mask = rng.normal(size=(32, 100)), rng.integers(0, 2, (32, 100))
        mask[0], mask[1] = 0, 1
        indices, best = numpy_of(TopKRecommendationSelector(k=60), scores, mask)
        for row, (chosen, kept) in enumerate(zip(indices, mask, strict=True)):
            expected = [item for item in np.argsort(-scores[row]) if kept[item]][:60]
            assert chosen.tolist() == expected + [-1] * (60 - len(expected))
            assert np.isneginf(best[row]).tolist() == (chosen < 0).tolist()

    def test_nan_and_minus_infinity_are_masked(self):
        indices, best = numpy_of(TopKRecommendationSelector(4), [[np.nan, 1.0, -np.inf, -2.0]])
        assert indices.tolist() == [[1, 3, -1, -1]]
        assert best.tolist() == [[1.0, -2.0, -np.inf, -np.inf]]

    @pytest.mark.parametrize("k", [0, -3, 2.0, "3", False])
    def test_refuses(self, k):
        with pytest.raises(ValueError, match="k is"):
            TopKRecommendationSelector(k=k)

    def test_other_name(self):
        assert TopKRecommendationSelector(top_k=3).k == 3
        with pytest.raises(TypeError, match="another name of k"):
            TopKRecommendationSelector(k=4, top_k=3)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("unknown", ["foo", "embedding_dim", "input_dim"])
def test_unknown_keywords_are_refused(make, unknown):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{unknown}'"):
        make(**{unknown: 1})


@pytest.mark.parametrize("make", LAYERS)
def test_config_makes_the_same_layer(make):
    layer = make(name="mine", trainable=False)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert again.name == "mine"
    assert not again.trainable
