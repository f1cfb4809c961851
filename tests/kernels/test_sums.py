"""Sums that keep what rounding would lose, beside sums of fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from regionalize.kernels.compiler import compiled
from regionalize.kernels.sums import add_rows_exactly


@pytest.mark.parametrize("add", [add_rows_exactly, compiled(add_rows_exactly)], ids=["plain", "compiled"])
@pytest.mark.parametrize("seed", range(5))
def test_sums_and_rest_are_the_exact_sums_of_rows_that_have_a_cluster(add, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 3)) * 10.0 ** rng.integers(-8, 9, size=(200, 3))
    labels = rng.integers(-1, 3, size=200)
    sums, rest = np.zeros((3, 4)), np.zeros((3, 4))
    add(X[:90], labels[:90], sums, rest)
    add(X[90:], labels[90:], sums, rest)
    for cluster in range(3):
        own = X[labels == cluster]
        assert sums[cluster, 3] + rest[cluster, 3] == len(own)
        for variable in range(3):
            exact = sum(map(Fraction, own[:, variable].tolist()))
            found = Fraction(sums[cluster, variable]) + Fraction(rest[cluster, variable])
            assert abs(found - exact) <= Fraction(np.abs(own[:, variable]).sum()) * Fraction(2) ** -95
