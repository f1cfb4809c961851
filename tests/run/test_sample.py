"""K-means of a sample, carried over to all rows, beside k-means of all rows."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import regionalize as rz
from regionalize.errors import InfeasibleError, UsageError
from regionalize.methods.carry_over import carry_over, means_of
from regionalize.methods.kmeans import kmeans
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.findings import Findings
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.run.options import make_job
from regionalize.run.sample import call_on_sample, check_sample, rows_of
from regionalize.run.solve import solve

KMEANS = find_method("kmeans")


def within(X, labels):
    return sum(
        ((X[labels == label] - X[labels == label].mean(axis=0)) ** 2).sum() for label in np.unique(labels)
    )


def table(X):
    return Layer(pa.table({f"v{j}": column for j, column in enumerate(X.T)}), None, None)


KINDS = {
    "blobs": lambda rng, n: 4 * rng.normal(size=(10, 2))[rng.integers(10, size=n)] + rng.normal(size=(n, 2)),
    "correlated": lambda rng, n: rng.normal(size=(n, 5)) @ rng.normal(size=(5, 5)),
    "skewed": lambda rng, n: rng.lognormal(size=(n, 2)),
    "heavy tails": lambda rng, n: rng.standard_t(3, size=(n, 3)),
    "one variable": lambda rng, n: rng.normal(size=(n, 1)),
    "one large cluster": lambda rng, n: np.concatenate(
        [rng.normal(size=(n - 60, 2)), rng.normal(50, 1, size=(60, 2))]
    ),
    "sorted": lambda rng, n: np.sort(rng.normal(size=(n, 2)), axis=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_fit_is_within_2_percent_of_that_of_all_rows(kind):
    X = KINDS[kind](np.random.default_rng(len(kind)), 30_000)
    full = within(X, kmeans(X, 10, seed=1))
    found = [within(X, call_on_sample(KMEANS, X, 10, sample="1%", seed=seed)) for seed in range(3)]
    assert np.median(found) <= 1.02 * full


def test_what_a_sample_misses_is_found_among_all_rows():
    """Three far rows among thirty thousand: hardly any sample has one, and each is worth a centre."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30_000, 2))
    X[[5, 777, 20_000]] = [[3e3, 0], [0, 3e3], [-3e3, 0]]
    labels = call_on_sample(KMEANS, X, 5, sample="500", seed=2)
    assert np.sort(np.bincount(labels))[:3].tolist() == [1, 1, 1]


def test_of_england(shared_data):
    import pyogrio

    file = shared_data("england/lsoa_imd2019.gpkg")
    frame = pyogrio.read_dataframe(file, read_geometry=False).select_dtypes("number")
    frame = frame.loc[:, frame.nunique() > 100].iloc[:, :6]
    X = ((frame - frame.mean()) / frame.std()).to_numpy(float)
    full = within(X, kmeans(X, 10, seed=1))
    for sample in ("1%", "10%"):
        assert within(X, call_on_sample(KMEANS, X, 10, sample=sample, seed=1)) <= 1.02 * full


def test_of_brazil(shared_data):
    import pyogrio

    columns = ["t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc"]
    file = shared_data("brazil/municipalities.gpkg")
    frame = pyogrio.read_dataframe(file, columns=columns, read_geometry=False)[columns].dropna()
    X = ((frame - frame.mean()) / frame.std()).to_numpy(float)
    full = within(X, kmeans(X, 12, seed=1))
    found = [within(X, call_on_sample(KMEANS, X, 12, sample="2000", seed=seed)) for seed in range(5)]
    assert np.median(found) <= 1.02 * full


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(12, 200), st.booleans())
@settings(max_examples=40)
def test_every_cluster_has_rows_and_steps_only_improve(seed, k, count, repeated):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, size=(300, 2)).astype(float) if repeated else rng.standard_t(2, size=(300, 2))
    labels = call_on_sample(KMEANS, X, k, sample=str(count), seed=seed)
    assert sorted(np.unique(labels)) == list(range(k))
    start = X[rng.choice(300, k, replace=False)]
    joined = ((X[:, None] - start[None]) ** 2).sum(axis=2)
    carried = carry_over(X, start, np.random.default_rng(seed))
    assert within(X, carried) <= joined.min(axis=1).sum() + 1e-9
    assert len(np.unique(carried)) == min(k, len(np.unique(X, axis=0)))


def test_the_same_seed_gives_the_same_labels_on_any_number_of_threads():
    X = np.random.default_rng(3).normal(size=(30_000, 3))
    one, two, other = (
        call_on_sample(KMEANS, X, 6, sample="50%", seed=seed, jobs=jobs)
        for seed, jobs in ((4, 1), (4, 2), (5, 1))
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_sample_of_all_rows_is_the_plain_run():
    X = np.random.default_rng(5).normal(size=(900, 2))
    found = Findings()
    labels = call_on_sample(KMEANS, X, 4, sample="1%", seed=9, findings=found)
    assert np.array_equal(labels, kmeans(X, 4, seed=9))
    assert found.facts["sample"] == {"rows": 900, "of": 900}
    assert "all 900 rows" in found.notes[0]


def test_options_of_the_method_hold_for_the_sample():
    X = np.random.default_rng(6).normal(size=(20_000, 2))
    told = []
    call_on_sample(
        KMEANS, X, 4, sample="1000", seed=9, search="starts", n_init=7, progress=lambda *at: told.append(at)
    )
    assert told[-1] == (7, 7)


def test_rows_of_a_sample():
    assert rows_of("1%", 1_000_000, 10) == 10_000
    assert rows_of("0.00001%", 1_000_000, 10) == 5000
    assert rows_of("1%", 1_000_000, 200) == 20_000
    assert rows_of("1%", 300, 10) == 300
    assert rows_of("50", 300, 10) == 50
    assert rows_of("5000", 300, 10) == 300
    with pytest.raises(
        UsageError, match=r"--sample 9 is fewer rows than there are clusters, 10; give at least"
    ):
        rows_of("9", 300, 10)


def test_a_sample_that_holds_too_few_kinds_of_rows_is_enlarged():
    X = np.zeros((20_000, 2))
    X[[3, 9_000, 19_999]] = [[1, 0], [0, 1], [5, 5]]
    labels = call_on_sample(KMEANS, X, 4, sample="10", seed=1)
    assert within(X, labels) == 0
    with pytest.raises(InfeasibleError, match="k is 5, but the 20000 rows hold only 4 distinct"):
        call_on_sample(KMEANS, X, 5, sample="10", seed=1)


def test_few_rows_a_cluster_are_noted():
    X = np.random.default_rng(7).normal(size=(3000, 2))
    few, enough = Findings(), Findings()
    call_on_sample(KMEANS, X, 5, sample="40", seed=1, findings=few)
    call_on_sample(KMEANS, X, 5, sample="500", seed=1, findings=enough)
    assert few.notes == [
        "found on 40 of 3,000 rows drawn at random, carried over to all; 500 would tell more of 5 clusters"
    ]
    assert enough.notes == ["found on 500 of 3,000 rows drawn at random, carried over to all"]


@pytest.mark.parametrize(
    ("count", "advice"), [(40, "; 159 would tell more of 6 clusters"), (100, "")], ids=["few", "most of them"]
)
def test_no_more_rows_are_advised_than_there_are(count, advice):
    X = np.random.default_rng(7).normal(size=(159, 2))
    found = Findings()
    call_on_sample(KMEANS, X, 6, sample=str(count), seed=1, findings=found)
    assert found.notes == [f"found on {count} of 159 rows drawn at random, carried over to all{advice}"]
    with pytest.raises(UsageError, match="fewer rows than there are clusters, 6; give at least 159"):
        call_on_sample(KMEANS, X, 6, sample="5", seed=1)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "kmeans"])
def test_other_methods_are_refused(name):
    with pytest.raises(UsageError, match=f"--sample is for k-means, and {name} needs all rows at once"):
        check_sample(find_method(name), Job(method=name, k=3, sample="1%"))


@pytest.mark.parametrize(
    "bound", [{"min_size": 3}, {"max_size": 30}, {"min_bound": "pop=5%"}, {"max_bound": "pop=90%"}]
)
def test_bounds_are_refused(frame, bound):
    option = next(iter(bound)).replace("_", "-")
    with pytest.raises(UsageError, match=f"--sample and --{option} exclude each other"):
        rz.regionalize(frame, "kmeans", k=3, sample="10", **bound)


def test_statistics_of_the_transform_and_the_report_are_those_of_all_rows():
    rng = np.random.default_rng(8)
    X = rng.lognormal(size=(4000, 2)) * [1, 1e6]
    solution = solve(table(X), Job(k=5, sample="700"))
    full = solve(table(X), Job(k=5))
    assert np.array_equal(solution.features.X, full.features.X)
    report = solution.report
    assert sum(report.sizes) == 4000
    assert list(report.sizes) == sorted(report.sizes, reverse=True)
    assert report.extra["sample"] == {"rows": 700, "of": 4000}
    assert report.settings["sample"] == "700"
    labels = solution.partition.labels
    assert report.fit.wss == pytest.approx(within(full.features.X, labels), rel=1e-9)
    assert report.fit.wss <= 1.02 * full.report.fit.wss
    for cluster, center in enumerate(report.centers, 1):
        assert center == pytest.approx(X[labels == cluster].mean(axis=0), rel=1e-9)
    assert any("700 of 4,000 rows" in note for note in solution.notes)


def grid(n, rng):
    """Squares beside each other, with two variables that vary over the map and a value that is missing."""
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(n), np.arange(n)))
    a = np.sin(x / 5) + 0.3 * rng.normal(size=n * n)
    a[7] = math.nan
    b = pa.array(np.cos(y / 4) + 0.3 * rng.normal(size=n * n))
    boxes = shapely.box(1000 * x, 1000 * y, 1000 * x + 1000, 1000 * y + 1000)
    return Layer(pa.table({"a": pa.array(a, from_pandas=True), "b": b}), None, "EPSG:32633", shapes=boxes)


@pytest.mark.parametrize(
    "options",
    [
        {"missing": "drop"},
        {"missing": "mean", "with_centroids": True},
        {"missing": "mean", "centroid_weight": 0.4, "dtype": "float32"},
        {"missing": "median", "hops": 2},
        {"missing": "drop", "make_contiguous": True},
        {"missing": "mean", "column_weights": "a=3", "transform": "robust"},
    ],
)
def test_it_goes_with_what_makes_the_variables(options):
    layer = grid(30, np.random.default_rng(9))
    found = solve(layer, make_job("kmeans", {"k": 4, "sample": "200", **options}))
    full = solve(layer, make_job("kmeans", {"k": 4, **options}))
    assert found.partition.k == 4
    assert np.array_equal(found.partition.labels > 0, full.partition.labels > 0)
    if not options.get("make_contiguous"):
        X, rows = full.features.X.astype(float), full.features.rows
        assert within(X, found.partition.labels[rows]) <= 1.1 * within(X, full.partition.labels[rows])


def test_python_takes_it_too(frame):
    found = rz.regionalize(frame, "kmeans", k=3, sample="12")
    assert len(found.labels) == 25
    assert sorted(found.labels.unique()) == [1, 2, 3]


def test_means_of_clusters_lose_nothing_to_an_offset():
    rng = np.random.default_rng(10)
    X, labels = rng.normal(size=(1000, 2)), rng.integers(3, size=1000)
    expected = np.stack([X[labels == label].mean(axis=0) for label in range(3)])
    found = means_of(X + 1e9, labels, np.full((4, 2), 1e9))
    np.testing.assert_allclose(found[:3] - 1e9, expected, atol=2e-7)
    assert found[3].tolist() == [1e9, 1e9]
