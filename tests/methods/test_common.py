"""What is true of every method of the catalog."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from regionalize.errors import RegionalizeError, UsageError
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.partition import Partition

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(11)
    return np.concatenate([rng.normal(4 * m, 1, size=(15, 3)) for m in range(4)])


@every_method
def test_catalog_defaults_are_the_functions_own(method):
    parameters = inspect.signature(method.load()).parameters
    for param in method.params:
        assert parameters[param.name].default == param.default
        if isinstance(param.kind, tuple):
            assert param.default in param.kind
    assert {"seed", "bounds", "jobs", "progress"} <= set(parameters)


@every_method
def test_it_gives_exactly_k_clusters_and_repeats_itself(method, blobs):
    run = method.load()
    for k in (1, 2, 4, 7):
        codes = run(blobs, k, seed=5)
        assert codes.shape == (60,)
        assert codes.dtype == np.int64
        assert set(codes.tolist()) == set(range(k))
        assert np.array_equal(run(blobs, k, seed=5), codes)


@every_method
def test_plain_blobs_are_found_whatever_the_order_of_rows(method, blobs):
    truth = Partition.canonical(np.repeat(np.arange(4), 15)).labels
    order = np.random.default_rng(0).permutation(60)
    codes = method.load()(blobs[order], 4)
    back = np.empty(60, dtype=np.int64)
    back[order] = codes
    assert np.array_equal(Partition.canonical(back).labels, truth)


@every_method
def test_scaling_and_shifting_all_variables_changes_nothing(method, blobs):
    run = method.load()
    plain = Partition.canonical(run(blobs, 5, seed=3)).labels
    assert np.array_equal(Partition.canonical(run(blobs * 1024 + 4096, 5, seed=3)).labels, plain)


@every_method
def test_an_impossible_k_is_one_line(method, blobs):
    for k in (0, -1, 61):
        with pytest.raises(RegionalizeError) as caught:
            method.load()(blobs, k)
        assert "\n" not in str(caught.value)


def test_a_wrong_method_suggests_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'kmeans'"):
        find_method("kmean")
