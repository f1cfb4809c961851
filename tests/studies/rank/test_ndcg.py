"""NDCG beside the mean over every order that a list may come in."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pytest

from regionalize.studies.rank.ndcg import ndcg


def by_orders(score, gain, k):
    """Return the mean over all orders of items in which no score rises, over the best of all orders."""
    orders = list(permutations(range(len(score))))
    gained = [sum(gain[i] / math.log2(2 + at) for at, i in enumerate(order[:k])) for order in orders]
    falling = [
        total
        for order, total in zip(orders, gained, strict=True)
        if all(score[a] >= score[b] for a, b in pairwise(order))
    ]
    return sum(falling) / len(falling) / max(gained)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("k", [1, 3, 10])
def test_beside_all_orders(seed, k):
    rng = np.random.default_rng(seed)
    score, gain = rng.integers(0, 3, 6).astype(float), rng.integers(0, 4, 6).astype(float)
    gain[0] += 1  # something is wanted
    assert ndcg(score, gain, k) == pytest.approx(by_orders(score.tolist(), gain.tolist(), k), rel=1e-12)


def test_best_and_worst_order():
    gain = np.array([3.0, 2.0, 0.0])
    assert ndcg(gain, gain) == 1
    by_hand = (0 + 2 / math.log2(3) + 3 / 2) / (3 + 2 / math.log2(3))
    assert ndcg(-gain, gain) == pytest.approx(by_hand, rel=1e-12)


def test_all_tied_is_the_mean_gain_at_every_rank():
    gain = np.array([0.0, 0.0, 0.0, 1.0])
    assert ndcg(np.zeros(4), gain, 2) == pytest.approx((1 + 1 / math.log2(3)) / 4, rel=1e-12)


def test_the_head_of_a_longer_list():
    score, gain = np.array([9.0, 8.0, 7.0, 1.0]), np.array([0.0, 1.0, 0.0, 5.0])
    assert ndcg(score[:2], gain[:2], 2, wanted=gain) == ndcg(score, gain, 2)


def test_nothing_wanted_or_nothing_listed():
    assert math.isnan(ndcg(np.array([1.0, 2.0]), np.zeros(2)))
    assert math.isnan(ndcg(np.empty(0), np.empty(0)))
    assert ndcg(np.empty(0), np.empty(0), wanted=np.ones(1)) == 0
