"""The schedule of the recombining search: cycles, rounds, and what is kept of them."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import grid, linked, pieces, within

from regionalize.methods import recombination
from regionalize.methods.recombination import Recombination
from regionalize.methods.search import make_problem
from regionalize.methods.starts import random_regions


@pytest.fixture
def search():
    n, links = grid(8, 8)
    weights = linked(n, links)
    X = np.random.default_rng(4).normal(size=(n, 2))
    return Recombination(make_problem(X, 6, weights), random_regions(6, weights, (1,)), (1,)), X, weights


def to_the_end_of_its_cycle(search):
    search.run(search.stop - search.done)
    return search.labels.copy(), -search.standing[1]


def test_every_cycle_is_twice_as_long_and_begins_at_the_best(search):
    search, X, weights = search
    lengths, best = [], []
    for _ in range(3):
        lengths.append(search.stop - search.start)
        labels, fit = to_the_end_of_its_cycle(search)
        best.append(fit)
        assert np.array_equal(labels, search.best)
        assert pieces(labels, weights) == 6
        total = ((X - X.mean(axis=0)) ** 2).sum()
        assert fit == pytest.approx(1 - within(X, labels) / total)
    assert lengths == [lengths[0] * 2**cycle for cycle in range(3)]
    assert best == sorted(best)


def test_a_round_begins_at_the_start_and_the_best_of_all_is_kept(search, monkeypatch):
    search, X, _ = search
    search.run(1)
    start = search.first.copy()
    monkeypatch.setattr(recombination, "ROUND", 0)  # every cycle is a round
    begun, best, reached = [search.stop], [], []
    for _ in range(6):
        labels, fit = to_the_end_of_its_cycle(search)
        assert np.array_equal(labels, start)
        begun.append(search.stop)
        best.append(fit)
        search.run(1)  # a sweep from the start again
        reached.append(within(X, search.lead))
    assert len(set(np.diff(begun))) == 1  # no cycle is longer than the first
    assert best == sorted(best)
    assert min(reached) > within(X, search.best)  # a round knows nothing of the one before


def test_a_longer_cycle_begins_hotter_and_none_cooler(search):
    search, _, _ = search
    search.run(1)
    share = []
    usual = search.problem.default_iterations
    for length in (usual // 4, usual // 2, 2 * usual, 8 * usual):
        search.start, search.stop = 0, length
        search._heat()
        share.append(search.hot / search.cold)
    assert share[0] == share[1]
    assert share[2] == pytest.approx(2 * share[0])  # four times as long as half the usual
    assert share[3] == pytest.approx(4 * share[0])
