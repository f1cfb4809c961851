"""What holds for every searching method on any graph."""

from __future__ import annotations

import faulthandler
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import layouts, linked, pieces, triangulated, within

from regionalize.errors import InfeasibleError, RegionalizeError, UsageError
from regionalize.kernels.compiler import compiled
from regionalize.methods import maxp as maxp_module
from regionalize.methods import recombination
from regionalize.methods.azp import azp
from regionalize.methods.balance import balance
from regionalize.methods.maxp import maxp
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.weights import Weights

LONGEST = 300
"""Seconds after which a test hangs, and ends the process: a kernel cannot be interrupted."""
few = settings(max_examples=20)


@pytest.fixture(autouse=True)
def _a_hang_fails():
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def units(n, lower=-np.inf, upper=np.inf):
    return Bound("units", np.ones(n), lower=lower, upper=upper)


def run(name, X, k, weights, *, bounds=(), **options):
    """Call a method by name; where it takes no k, or a bound of its own, that is made from k."""
    if name == "azp":
        return azp(X, k, weights=weights, bounds=bounds, **options)
    if name == "maxp":
        least = units(len(X), lower=max(1, len(X) // (2 * k)))
        return maxp(X, weights=weights, bounds=(least, *bounds), **options)
    return balance(X, k, weights=weights, bounds=bounds, tolerance=0.6, **options)


def whole(labels, X, weights):
    """Connected regions 0, 1, … of all units."""
    assert labels.shape == (len(X),)
    assert labels.dtype == np.int64
    k = int(labels.max()) + 1
    assert set(labels.tolist()) == set(range(k))
    assert pieces(labels, weights) == k
    return k


every_method = pytest.mark.parametrize("name", ["azp", "maxp", "balance"])
cases = {"case": layouts(60), "k": st.integers(1, 20), "seed": st.integers(0, 1000)}


@every_method
@given(**cases)
@few
def test_regions_are_connected_and_repeat_themselves(name, case, k, seed):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    options = {"iterations": 60, "seed": seed, "restarts": 2}
    try:
        labels = run(name, X, k, weights, jobs=1, **options)
    except InfeasibleError:
        assert name != "azp"
        with pytest.raises(InfeasibleError):
            run(name, X, k, weights, jobs=2, **options)
        return
    assert whole(labels, X, weights) == k or name == "maxp"
    again = run(name, X, k, weights, jobs=2, **options)
    assert again.tobytes() == labels.tobytes()


@every_method
@given(**cases)
@few
def test_plain_and_compiled_kernels_agree(name, case, k, seed):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    answers = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recombination, "MOST_TO_BOUNDS", 10)  # plain Python takes long
        patch.setattr(maxp_module, "UNITS_PACKED", (300, 300))
        for as_it_runs in (compiled, lambda kernel: kernel):
            for module in (recombination, maxp_module):
                patch.setattr(module, "compiled", as_it_runs)
            try:
                answers.append(run(name, X, k, weights, iterations=10, seed=seed).tolist())
            except InfeasibleError as refused:
                answers.append(str(refused))
    assert answers[0] == answers[1]


@every_method
@given(**cases, power=st.sampled_from([-20, -3, 1, 12]))
@few
def test_the_unit_of_measurement_does_not_matter(name, case, k, seed, power):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    try:
        labels = run(name, X, k, weights, iterations=60, seed=seed)
    except InfeasibleError:
        return
    assert np.array_equal(run(name, X * 2.0**power, k, weights, iterations=60, seed=seed), labels)


@every_method
@given(**cases)
@few
def test_more_iterations_and_more_restarts_are_never_worse(name, case, k, seed):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    costs, counts = [], []
    for iterations, restarts in ((1, 1), (7, 1), (50, 1), (400, 1), (400, 3)):
        try:
            labels = run(name, X, k, weights, iterations=iterations, restarts=restarts, seed=seed)
        except InfeasibleError:
            assert not costs  # what was found once is found again
            continue
        costs.append(within(X, labels))
        counts.append(len(np.unique(labels)))
    rounding = 1e-9 * within(X, np.zeros(len(X)))
    for (cost, count), (next_cost, next_count) in zip(
        zip(costs, counts, strict=True), [*zip(costs, counts, strict=True)][1:], strict=False
    ):
        assert next_count > count or (next_count == count and next_cost <= cost + rounding)


@given(**cases, start=st.sampled_from(["schc", "skater", "redcap", "random"]))
@few
def test_azp_is_never_worse_than_its_start_and_tells_both(case, k, seed, start):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    findings = Findings()
    labels = azp(X, k, weights=weights, start=start, iterations=30, seed=seed, findings=findings)
    told = findings.facts["search"]
    total = within(X, np.zeros(len(X)))
    assert told["bss_tss"] >= told["bss_tss_start"] - 1e-9
    if total > 0:
        assert told["bss_tss"] == pytest.approx(1 - within(X, labels) / total, abs=1e-9)
    plan = azp(X, k, weights=weights, start="random", iterations=1, seed=seed)
    bound = units(len(X), lower=np.bincount(plan).min(), upper=np.bincount(plan).max())
    labels = azp(X, k, weights=weights, start=plan, bounds=(bound,), iterations=30, findings=findings)
    assert within(X, labels) <= within(X, plan) + 1e-9 * total
    if total > 0:
        start = findings.facts["search"]["bss_tss_start"]
        assert start == pytest.approx(1 - within(X, plan) / total, abs=1e-9)


@given(**cases, lower=st.integers(1, 6), upper=st.integers(2, 20), seldom=st.booleans())
@settings(max_examples=30)
def test_bounds_are_kept_or_refused(case, k, seed, lower, upper, seldom):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    rng = np.random.default_rng(seed)
    amount = rng.integers(0, 4, size=len(X)).astype(float) if seldom else np.ones(len(X))
    bounds = (Bound("pop", amount, lower=lower, upper=lower + upper),)
    for method in (azp, balance, maxp):
        given_k = () if method is maxp else (k,)
        try:
            labels = method(X, *given_k, weights=weights, bounds=bounds, iterations=300, seed=seed)
        except (InfeasibleError, UsageError):
            continue
        found = whole(labels, X, weights)
        assert found == k or method is maxp
        held = np.bincount(labels, amount)
        assert lower <= held.min()
        assert held.max() <= lower + upper
        if method is balance:
            sizes = np.bincount(labels)
            assert sizes.min() >= min(len(X) / k * 0.95, len(X) // k)
            assert sizes.max() <= max(len(X) / k * 1.05, -(-len(X) // k))


@given(**cases, share=st.sampled_from([0.1, 0.5, 1.0]))
@settings(max_examples=30)
def test_locked_units_keep_their_region_whatever_the_start(case, k, seed, share):
    X, weights = case.X, case.weights
    k = min(weights.n_components + k - 1, len(X))
    plan = azp(X, k, weights=weights, start="random", iterations=1, seed=seed)
    locked = np.random.default_rng(seed).random(len(X)) < share
    labels = azp(X, k, weights=weights, start=plan, locked=locked, iterations=200, seed=seed)
    assert whole(labels, X, weights) == k
    assert np.array_equal(labels[locked][:, None] == labels[locked], plan[locked][:, None] == plan[locked])
    if share == 1.0:
        assert np.array_equal(labels[:, None] == labels, plan[:, None] == plan)


@every_method
def test_iterations_made_in_a_time_limit_repeat_it(name):
    rng = np.random.default_rng(8)
    points = rng.random((300, 2))
    weights = linked(300, triangulated(points))
    X = points + rng.normal(scale=0.1, size=(300, 2))
    for limit in (0.0, 0.2):
        findings = Findings()
        labels = run(name, X, 9, weights, time_limit=limit, seed=3, findings=findings)
        made = findings.facts["search"]["iterations"]
        assert made > 0
        again = run(name, X, 9, weights, iterations=made, seed=3)
        assert again.tobytes() == labels.tobytes()


def shapes():
    """Graphs at the edges of what is allowed: name → units, links."""
    n = 9
    return {
        "one unit": (1, []),
        "two apart": (2, []),
        "two": (2, [(0, 1)]),
        "without links": (n, []),
        "complete": (n, [(a, b) for b in range(n) for a in range(b)]),
        "star": (n, [(0, arm) for arm in range(1, n)]),
        "path": (n, [(unit, unit + 1) for unit in range(n - 1)]),
        "cycle": (n, [(unit, (unit + 1) % n) for unit in range(n)]),
        "pairs": (n, [(0, 1), (2, 3), (4, 5), (6, 7)]),
        "twins": (10, [(a + half, b + half) for half in (0, 5) for b in range(5) for a in range(b)]),
    }


def variables(n):
    """Values at the edges of what is allowed."""
    rng = np.random.default_rng(2)
    huge = rng.normal(size=(n, 2))
    huge[0] = 1e12
    return {
        "one column": rng.normal(size=(n, 1)),
        "constant": np.full((n, 2), 7.0),
        "zero": np.zeros((n, 1)),
        "a huge value": huge,
        "tiny": rng.normal(size=(n, 2)) * 1e-150,
        "vast": rng.normal(size=(n, 2)) * 1e140,
        "far off": rng.normal(size=(n, 2)) + 1e6,
        "many columns": rng.normal(size=(n, 40)),
        "whole numbers": rng.integers(0, 9, size=(n, 2)),
    }


@every_method
@pytest.mark.parametrize("shape", shapes())
def test_any_graph_and_any_values(name, shape):
    n, links = shapes()[shape]
    weights = linked(n, links)
    one_way = Weights.from_links(
        n, np.array([a for a, _ in links], int), np.array([b for _, b in links], int), kind="one way"
    )
    for X in variables(n).values():
        for k in sorted({1, min(2, n), n // 2 or 1, n - 1 or 1, n}):
            answers = []
            for each in (weights, one_way):
                try:
                    labels = run(name, X, k, each, iterations=40)
                except InfeasibleError:
                    assert k < weights.n_components or name != "azp"
                    continue
                assert whole(labels, X, weights) == k or name == "maxp"
                answers.append(labels.tolist())
            assert answers[:1] == answers[1:]


@pytest.mark.parametrize("values", variables(12))
def test_extreme_values_are_grouped_as_well_as_can_be(values):
    """On a path every partition is a choice of cuts."""
    from itertools import combinations

    X, k = variables(12)[values].astype(float), 3
    weights = linked(12, [(unit, unit + 1) for unit in range(11)])
    unit = np.abs(X - X.mean(axis=0)).max() or 1.0
    scaled = (X - X.mean(axis=0)) / unit
    every = [np.searchsorted(cuts, np.arange(12), side="right") for cuts in combinations(range(1, 12), k - 1)]
    least = min(within(scaled, labels) for labels in every)
    labels = azp(X, k, weights=weights, iterations=3000)
    assert within(scaled, labels) == pytest.approx(least, abs=1e-9 * within(scaled, np.zeros(12)))


@every_method
def test_what_cannot_be_asked_is_refused(name):
    path = linked(4, [(0, 1), (1, 2), (2, 3)])
    X = np.arange(4.0)[:, None]
    if name != "maxp":
        for k in (0, -1, 5):
            with pytest.raises(UsageError):
                run(name, X, k, path)
        with pytest.raises(InfeasibleError, match="2 components"):
            run(name, X, 1, linked(4, [(0, 1), (2, 3)]))
        with pytest.raises(UsageError, match="no start 'north'"):
            run(name, X, 2, path, start="north")
        with pytest.raises(InfeasibleError, match="not contiguous"):
            run(name, X, 2, path, start=np.array([0, 1, 0, 1]))
        with pytest.raises(InfeasibleError, match="has 3 regions, not 2"):
            run(name, X, 2, path, start=np.array([0, 1, 1, 2]))
    with pytest.raises(RegionalizeError):
        run(name, X, 2, path, bounds=(units(4, lower=5),))
    with pytest.raises(RegionalizeError):
        run(name, X, 2, path, bounds=(Bound("pop", np.array([1.0, 9, 1, 1]), upper=8),))


def test_a_graph_with_hardly_a_border_ends():
    """A long path and many islands: hardly any link joins two regions."""
    n = 2000
    links = [(unit, unit + 1) for unit in range(999)]
    weights = linked(n, links)
    X = np.random.default_rng(4).normal(size=(n, 2))
    assert whole(azp(X, 1002, weights=weights, iterations=50), X, weights) == 1002
