"""What is true of every method of the catalog."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import scipy.cluster.hierarchy

from regionalize.errors import RegionalizeError, UsageError
from regionalize.model.bounds import Bound
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.partition import Partition
from regionalize.model.weights import Weights

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(11)
    return np.concatenate([rng.normal(4 * m, 1, size=(15, 3)) for m in range(4)])


def call(method, X, k, **options):
    """Run a method; where clusters are contiguous, on a graph that constrains nothing.

    One that finds k is told how many units make a region, so that there is room for k of them; or, where it
    goes by distance, one that leaves k groups apart.
    """
    if method.contiguous:
        options["weights"] = complete(len(X))
    if any(param.name == "iterations" for param in method.params):
        options["iterations"] = 2000
    if method.places:
        options |= {"eps": distance_between(X, k), "min_samples": 2}
        k = None
    elif not method.takes_k:
        options["bounds"] = (Bound("units", np.ones(len(X)), lower=len(X) // (k + 1) + 1),)
        k = None
    return method.load()(X, k, **options)


def distance_between(X, k):
    """Half way from where single linkage has k groups left to where it has one fewer."""
    heights = scipy.cluster.hierarchy.linkage(X, "single")[::-1, 2]
    return heights[[k - 2, k - 1]].mean() if k > 1 else 2 * heights[0]


def complete(n):
    """Everybody is everybody's neighbour: contiguity constrains nothing."""
    first, second = np.triu_indices(n, 1)
    return Weights.from_links(n, first, second, kind="complete")


@every_method
def test_catalog_defaults_are_the_functions_own(method):
    parameters = inspect.signature(method.load()).parameters
    for param in method.params:
        assert parameters[param.name].default == param.default
        if isinstance(param.kind, tuple):
            assert param.default in param.kind
    assert {"seed", "bounds", "jobs", "progress", "findings"} <= set(parameters)


@every_method
def test_it_gives_exactly_k_clusters_and_repeats_itself(method, blobs):
    for k in (1, 2, 4, 7):
        codes = call(method, blobs, k, seed=5)
        assert codes.shape == (60,)
        assert codes.dtype == np.int64
        found = set(codes[codes >= 0].tolist())
        assert found == set(range(len(found) if method.noise else k))
        assert method.noise or (codes >= 0).all()
        assert np.array_equal(call(method, blobs, k, seed=5), codes)


@every_method
def test_plain_blobs_are_found_whatever_the_order_of_rows(method, blobs):
    truth = Partition.canonical(np.repeat(np.arange(4), 15)).labels
    order = np.random.default_rng(0).permutation(60)
    codes = call(method, blobs[order], 4)
    back = np.empty(60, dtype=np.int64)
    back[order] = codes
    assert np.array_equal(Partition.canonical(back).labels, truth)


@every_method
def test_scaling_and_shifting_all_variables_changes_nothing(method, blobs):
    plain = Partition.canonical(call(method, blobs, 5, seed=3)).labels
    moved = call(method, blobs * 1024 + 4096, 5, seed=3)
    assert np.array_equal(Partition.canonical(moved).labels, plain)


@every_method
def test_an_impossible_k_is_one_line(method, blobs):
    if not method.takes_k:
        return
    for k in (0, -1, 61):
        with pytest.raises(RegionalizeError) as caught:
            call(method, blobs, k)
        assert "\n" not in str(caught.value)


def test_a_wrong_method_suggests_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'kmeans'"):
        find_method("kmean")
