"""Series embedded: SciPy's and scikit-learn's components, lines and waves found again, edges refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from regionalize.errors import DataError, UsageError
from regionalize.features.build import build_features, reweight
from regionalize.features.embedding import embed, series_features
from regionalize.features.transforms import transform
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.model.weights import Weights

N, P = 40, 12
STEPS = tuple(f"d{step}" for step in range(1, P + 1))


@pytest.fixture
def series():
    """Return 40 series of 12 steps, correlated in time."""
    rng = np.random.default_rng(3)
    return np.cumsum(rng.normal(size=(N, P)), axis=1) * rng.uniform(1, 50, P)


def layer_of(series, **more):
    points = np.random.default_rng(8).uniform(0, 1000, (len(series), 2))
    table = pa.table(dict(zip(STEPS, series.T, strict=False)) | more)
    return Layer(table, None, "EPSG:3035", shapes=shapely.points(points))


class TestComponents:
    @pytest.mark.parametrize("count", [1, 3, 11, 12])
    def test_are_those_of_scikit_learn(self, series, count):
        found = embed(series, f"pca:{count}", STEPS)
        model = PCA(count, svd_solver="full").fit(series)
        expected = model.transform(series)
        signs = np.sign(np.sum(found.values * expected, axis=0))
        assert np.allclose(found.values, expected * signs, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
        share = 100 * model.explained_variance_ratio_.sum()
        assert found.notes == (
            f"pca:{count}: of 12 columns {count} component{'s' * (count > 1)}, "
            f"with {share:.1f} % of their variance",
        )

    def test_distances_are_those_of_the_best_approximation(self, series):
        away = series - series.mean(axis=0)
        left, strengths, right = np.linalg.svd(away, full_matrices=False)
        approximation = left[:, :4] * strengths[:4] @ right[:4]
        assert np.allclose(pdist(embed(series, "pca:4", STEPS).values), pdist(approximation))

    def test_the_largest_loading_is_positive(self, series):
        found = embed(series, "pca:12", STEPS).values
        away = series - series.mean(axis=0)
        loadings = np.linalg.lstsq(found, away, rcond=None)[0]  # (q, p): what each component is made of
        assert (loadings[np.arange(P), np.abs(loadings).argmax(axis=1)] > 0).all()

    def test_signs_of_columns_change_no_distance(self, series):
        flips = np.where(np.arange(P) % 3 == 0, -1.0, 1.0)
        plain, flipped = (embed(rows, "pca:3", STEPS).values for rows in (series, series * flips))
        assert np.allclose(pdist(plain), pdist(flipped))

    def test_equal_rows_stay_equal_to_the_last_bit(self, series):
        rows = np.tile(series, (7, 1))
        found = embed(rows, "pca:5", STEPS).values
        assert (found == np.tile(found[:N], (7, 1))).all()

    def test_more_columns_than_rows(self):
        series = np.random.default_rng(1).normal(size=(4, P))
        found = embed(series, "pca:12", STEPS)
        assert found.values.shape == (4, P)
        assert np.allclose(pdist(found.values), pdist(series))


class TestLinesAndWaves:
    @pytest.fixture
    def made(self):
        """Return 30 units of a level, a slope, and a wave of 7 steps: coefficients, (30, 4), and series."""
        told = np.random.default_rng(5).normal(size=(30, 4))
        step = np.arange(24)
        terms = [np.ones(24), step - 11.5, np.cos(2 * np.pi * step / 7), np.sin(2 * np.pi * step / 7)]
        return told, told @ np.stack(terms)

    @pytest.mark.parametrize("offset", [0.0, 1e6])
    def test_what_series_were_made_of_is_found_again(self, made, offset):
        told, series = made
        names, found = series_features(series + offset, "season:7")
        assert names == ("mean", "slope", "amplitude", "cosine", "sine")
        assert np.allclose(found[:, 0], told[:, 0] + offset, rtol=1e-14, atol=1e-12)
        assert np.allclose(found[:, [1, 3, 4]], told[:, 1:], atol=1e-14 * max(offset, 100))
        assert np.allclose(found[:, 2], np.hypot(*told[:, 2:].T), atol=1e-14 * max(offset, 100))

    def test_a_trend_is_that_of_polyfit(self, series):
        names, found = series_features(series, "trend")
        slope, start = np.polyfit(np.arange(P), series.T, 1)
        left = series - start[:, None] - slope[:, None] * np.arange(P)
        expected = np.stack([series.mean(axis=1), slope, np.sqrt((left**2).sum(axis=1) / (P - 2))], axis=1)
        assert names == ("mean", "slope", "spread")
        assert np.allclose(found, expected)

    def test_features_count_alike(self, series):
        for how in ("trend", "season:4"):
            found = embed(series, how, STEPS).values
            assert np.allclose(found, transform(series_features(series, how)[1], "z"))
            assert np.allclose(found.std(axis=0, ddof=1), 1)

    def test_rounding_is_no_variable(self):
        """Lines of one slope leave no spread, and do not differ in slope but for rounding."""
        level = np.random.default_rng(2).uniform(1e3, 1e4, 50)
        series = level[:, None] + 0.1 * np.arange(P)
        found = embed(series, "trend", STEPS).values
        assert np.allclose(found[:, 0], (level - level.mean()) / level.std(ddof=1))
        assert (found[:, 1:] == 0).all()


class TestFeatures:
    def test_the_columns_stay_those_of_the_report(self, series):
        plain = build_features(layer_of(series), Job(columns=STEPS))
        found = build_features(layer_of(series), Job(columns=STEPS, embed="pca:3"))
        assert found.names == STEPS
        assert (found.raw == plain.raw).all()
        assert (found.scaled == plain.scaled).all()
        assert found.X.shape == (N, 3)
        assert found.clustered_names == ("component 1", "component 2", "component 3")
        assert np.allclose(pdist(found.X), pdist(PCA(3).fit_transform(plain.scaled)))

    def test_is_of_what_was_smoothed(self, series):
        here = np.arange(N)
        ring = Weights.from_links(
            N, np.tile(here, 2), np.concatenate([(here + 1) % N, (here - 1) % N]), kind="ring"
        )
        smooth = build_features(layer_of(series), Job(columns=STEPS, hops=2), ring)
        found = build_features(layer_of(series), Job(columns=STEPS, hops=2, embed="pca:4"), ring)
        assert np.allclose(pdist(found.X), pdist(PCA(4).fit_transform(smooth.X)))

    @pytest.mark.parametrize(
        "options",
        [
            {"with_centroids": True},
            {"with_centroids": True, "centroid_weight": 0.3},
            {"compactness": 0.4, "method": "azp"},
        ],
    )
    def test_all_components_are_no_embedding_whatever_is_beside_them(self, series, options):
        job = {"columns": STEPS, **options}
        plain = build_features(layer_of(series), Job(**job))
        found = build_features(layer_of(series), Job(**job, embed=f"pca:{P}"))
        assert np.allclose(pdist(found.X), pdist(plain.X))
        assert found.coordinate_share == pytest.approx(plain.coordinate_share)
        first = build_features(layer_of(series), Job(**job, embed="pca:2"))
        assert (first.X[:, -2:] == found.X[:, -2:]).all() or "compactness" in options
        assert first.clustered_names[2:] == ("X", "Y")

    def test_reweighting_is_as_building(self, series):
        job = Job(columns=STEPS, with_centroids=True, centroid_weight=0.3, embed="pca:4")
        built = build_features(layer_of(series), job)
        other = build_features(layer_of(series), Job(columns=STEPS, with_centroids=True, embed="pca:4"))
        assert np.allclose(reweight(other, 0.3).X, built.X)

    def test_the_order_of_time_is_that_of_the_columns(self, series):
        ahead = build_features(layer_of(series), Job(columns=("d1-d12",), transform="raw", embed="trend"))
        back = build_features(layer_of(series), Job(columns=STEPS[::-1], transform="raw", embed="trend"))
        assert ahead.names == STEPS
        assert np.allclose(ahead.X * [1, -1, 1], back.X)

    def test_a_constant_column_has_no_part_in_components(self, series):
        flat = series.copy()
        flat[:, 4] = 7.0
        found = build_features(layer_of(flat), Job(columns=STEPS, embed="pca:5"))
        others = np.delete(build_features(layer_of(flat), Job(columns=STEPS)).X, 4, axis=1)
        assert np.allclose(pdist(found.X), pdist(PCA(5).fit_transform(others)))

    @pytest.mark.parametrize("missing", ["drop", "mean", "median"])
    def test_missing_values_are_settled_first(self, series, missing):
        holes = series.copy()
        holes[[2, 9], [3, 5]] = np.nan
        job = {"columns": STEPS, "missing": missing}
        plain = build_features(layer_of(holes), Job(**job))
        found = build_features(layer_of(holes), Job(**job, embed="pca:3"))
        assert len(found.X) == len(plain.X) == (N - 2 if missing == "drop" else N)
        assert np.allclose(pdist(found.X), pdist(PCA(3).fit_transform(plain.X)))
        with pytest.raises(DataError, match="missing"):
            build_features(layer_of(holes), Job(columns=STEPS, embed="pca:3"))

    def test_single_precision(self, series):
        found = build_features(layer_of(series), Job(columns=STEPS, embed="pca:3", dtype="float32"))
        plain = build_features(layer_of(series), Job(columns=STEPS, embed="pca:3"))
        assert found.X.dtype == np.float32
        assert np.allclose(found.X, plain.X, atol=1e-5)


@pytest.mark.parametrize(
    ("how", "columns", "says"),
    [
        ("pca:13", 12, "asks for 13 components of 12 columns; give at most pca:12"),
        ("pca:2", 1, "asks for 2 components of 1 column; give at most pca:1"),
        ("trend", 2, "trend needs at least 3 columns, and there are 2; name more steps"),
        ("season:3", 3, "season:3 needs at least 4 columns, and there are 3"),
        ("season:12.5", 12, "season:12.5 needs at least 13 columns, and there are 12"),
    ],
)
def test_too_few_columns(series, how, columns, says):
    with pytest.raises(UsageError, match=says):
        embed(series[:, :columns], how, STEPS[:columns])
