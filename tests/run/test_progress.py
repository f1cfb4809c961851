"""What whoever waits is told: stages in their order, and shares that only rise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.io.read import read_layer
from regionalize.methods import kmeans_range, kmedians, kmedoids, race
from regionalize.model.catalog import METHODS
from regionalize.model.progress import part
from regionalize.run.options import make_job
from regionalize.run.solve import solve
from regionalize.studies.choose import choose_number
from regionalize.studies.compare import compare_words
from regionalize.studies.labelings import read_words
from regionalize.studies.stability import measure_stability

VARIABLES = ["pct_rural", "pct_pov"]
OWN = {
    "maxp": {"min_bound": "tot_pop=5%"},
    "dbscan": {"eps": 0.4},
    "hdbscan": {"min_cluster_size": 6},
}


@pytest.fixture(scope="module")
def sample():
    return read_layer(None)


class Listener:
    """Keeps what it is told, stage by stage, and objects to shares that fall."""

    def __init__(self):
        self.stages = []
        self.shares = {}

    def __call__(self, stage, done, total):
        assert 0 <= done <= max(total, 0)
        if stage not in self.stages:
            self.stages.append(stage)
        if total:
            known = self.shares.setdefault(stage, [])
            assert not known or done / total >= known[-1]
            known.append(done / total)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_tells_of_all_stages(method, sample):
    told = Listener()
    options = {"columns": VARIABLES, **({"k": 4} if METHODS[method].takes_k else {}), **OWN.get(method, {})}
    if method in {"dbscan", "optics", "hdbscan"}:
        options.pop("k", None)
    solve(sample, make_job(method, options), progress=told)
    assert told.stages == ["weights", "features", method, "measure"]
    assert set(told.shares) <= {method}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("kmeans", {"search": "starts", "n_init": 5}),
        ("kmeans", {"centroid_weight": "auto"}),
        ("kmedoids", {}),
        ("kmedians", {}),
        ("azp", {"iterations": 300}),
        ("maxp", OWN["maxp"]),
        ("balance", {}),
    ],
)
def test_searches_tell_how_far_they_are(method, options, sample):
    told = Listener()
    k = {} if method == "maxp" else {"k": 3}
    solve(sample, make_job(method, {"columns": VARIABLES, **k, **options}), progress=told)
    assert any(shares[-1] > 0.2 for shares in told.shares.values())


def test_searches_of_samples_tell_how_far_they_are(monkeypatch):
    """Small samples of few rows, so that it takes no time."""
    X = np.random.default_rng(4).normal(size=(400, 2))
    for module in (kmedoids, kmedians):
        monkeypatch.setattr(module, "MANY_UNITS", 200)
        monkeypatch.setattr(module, "SAMPLE_SIZE", 50)
    monkeypatch.setattr(kmedoids, "NEAR_MEDOIDS", 20)
    monkeypatch.setattr(kmedoids, "AT_RANDOM", 20)
    monkeypatch.setattr(kmeans_range, "MANY_ROWS", 200)
    monkeypatch.setattr("regionalize.methods.kmeans.MANY_ROWS", 200)
    for module in (kmeans_range, race):
        monkeypatch.setattr(module, "SAMPLE", 50)
    for search in (
        lambda told: METHODS["kmedoids"].load()(X, 3, progress=told),
        lambda told: METHODS["kmedians"].load()(X, 3, progress=told),
        lambda told: METHODS["kmeans"].load()(X, 3, progress=told),
        lambda told: kmeans_range.kmeans_range(X, [2, 3, 4], progress=told),
    ):
        listener = Listener()
        search(lambda done, total, listener=listener: listener("search", done, total))
        assert len(set(listener.shares["search"])) > 8
        assert listener.shares["search"][-1] >= 0.8


@pytest.mark.parametrize("method", ["kmeans", "kmeans:search=starts,n-init=4", "schc", "kmedoids"])
def test_choosing_k_is_one_search_over_the_whole_grid(method, sample):
    told = Listener()
    choose_number(sample, method, "2-4", {"columns": VARIABLES, "hops": "0,1"}, progress=told)
    name = method.partition(":")[0]
    assert told.stages == ["weights", "features", name, "measure", "silhouettes"]
    assert told.shares[name][0] == 0.0
    assert told.shares["silhouettes"][-1] == 1.0
    assert max(share for share in told.shares[name] if share < 1) > 0.5


def test_stability_counts_runs_and_what_is_done_of_each(sample):
    told = Listener()
    job = make_job("azp", {"columns": VARIABLES, "k": 4, "iterations": 100})
    measure_stability(sample, job, runs=4, progress=told)
    assert told.stages == ["weights", "features", "azp", "runs"]
    shares = told.shares["runs"]
    assert {0.0, 0.25, 0.5, 0.75} <= set(shares)
    assert len(set(shares)) > 5  # between the runs, too


def test_a_comparison_calls_runs_by_their_names(sample):
    told = Listener()
    common = {"columns": VARIABLES, "k": 4}
    words = ("kmeans:search=starts,n-init=3", "azp:iterations=50")
    compare_words(sample, read_words(words, "cluster", common)[1], common, progress=told)
    assert told.stages == ["weights", "features", *words, "measure"]


@given(st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=5).map(sorted), min_size=1, max_size=6))
def test_parts_make_up_the_whole(parts):
    told = Listener()
    for place, steps in enumerate(parts):
        search = part(lambda done, total: told("whole", done, total), place, len(parts))
        assert told.shares["whole"][-1] == place / len(parts)
        for step in steps:
            search(step, 20)
            assert told.shares["whole"][-1] == pytest.approx((place + step / 20) / len(parts))
    assert part(None, 1, 2) is None
