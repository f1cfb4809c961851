"""What azp and maxp reach on published layers."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import pieces, within

from regionalize.methods.azp import azp
from regionalize.methods.maxp import maxp
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings


def whole(labels, X, weights):
    """Number of regions, each connected."""
    k = len(np.unique(labels))
    assert pieces(labels, weights) == k
    return k


GUERRY = {3: 0.32236, 4: 0.38496, 5: 0.44530, 6: 0.48653, 8: 0.54943, 10: 0.60566}
"""BSS/TSS of the best partitions known; GeoDa's best at five regions is 0.4303."""


@pytest.fixture(scope="module")
def guerry(departments):
    from regionalize.features.transforms import transform

    frame, values, weights = departments
    return transform(values, "z"), weights, frame["Pop1831"]


@pytest.mark.parametrize("k", [3, 5, 10])
def test_azp_on_guerry_reaches_the_best_known(guerry, k):
    X, weights, _ = guerry
    labels = azp(X, k, weights=weights)
    assert whole(labels, X, weights) == k
    assert 1 - within(X, labels) / 504 > GUERRY[k] - 5e-6


@pytest.mark.slow
@pytest.mark.parametrize("k", GUERRY)
def test_azp_on_guerry_reaches_the_best_known_from_every_seed(guerry, k):
    X, weights, _ = guerry
    reached = [1 - within(X, azp(X, k, weights=weights, seed=seed)) / 504 for seed in range(20)]
    assert min(reached) > GUERRY[k] - 5e-6


def test_azp_and_maxp_do_better_than_geoda_under_the_same_bounds(guerry, shared_reference):
    """As many regions as its longest run made or more, and a better fit for equal numbers of regions."""
    X, weights, population = guerry
    theirs: dict[int, float] = {}
    for reference in shared_reference["results"]:
        params = reference["params"]
        if reference["method"].startswith("maxp") and params.get("min_bound") == 3236.67:
            p = len(set(reference["labels"]))
            theirs[p] = max(theirs.get(p, 0.0), reference["ratio"])
    bound = Bound("Pop1831", population.to_numpy(float), lower=3236.67)
    findings = Findings()
    labels = maxp(X, weights=weights, bounds=(bound,), findings=findings)
    p = whole(labels, X, weights)
    assert findings.facts["regions"] == p >= max(theirs)
    assert np.bincount(labels, bound.amount).min() >= bound.lower
    if p in theirs:
        assert 1 - within(X, labels) / 504 > theirs[p]
    for k, ratio in theirs.items():
        labels = azp(X, k, weights=weights, bounds=(bound,), iterations=20_000)
        assert np.bincount(labels, bound.amount).min() >= bound.lower
        assert 1 - within(X, labels) / 504 > ratio


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_azp_on_natregimes_by_default(shared_data, seed):
    import geopandas

    from regionalize.features.transforms import transform
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    frame = geopandas.read_file(shared_data("natregimes/natregimes.shp"))
    names = ["HR90", "RD90", "PS90", "UE90", "DV90", "MA90", "FH90", "GI89"]
    X = transform(frame[names].to_numpy(float), "z")
    weights = build_weights(Layer.from_frame(frame), "queen")
    labels = azp(X, 12, weights=weights, seed=seed)
    assert whole(labels, X, weights) == 12
    assert 1 - within(X, labels) / within(X, np.zeros(len(X))) >= 0.43


@pytest.mark.slow
def test_azp_on_ceara_reaches_the_best_known(shared_data):
    from regionalize.features.build import build_features
    from regionalize.io.read import read_layer
    from regionalize.model.job import Job
    from regionalize.weights import build_weights

    layer = read_layer(str(shared_data("brazil/municipalities.gpkg")), where="ufn = 'Ceará'")
    names = ("t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc")
    X, weights = build_features(layer, Job(columns=names)).X, build_weights(layer, "queen")
    labels = azp(X, 12, weights=weights, iterations=500_000)  # eight times the default
    assert whole(labels, X, weights) == 12
    assert 1 - within(X, labels) / within(X, np.zeros(len(X))) > 0.5610 - 5e-5
