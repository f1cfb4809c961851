"""Merging, splitting and settling regions against recomputation from their units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from groupings import breaches, cases, drawn, graph_of, near, pieces_of, sums_of, within_sums
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels import random_trees
from regionalize.kernels import recombine as kernels
from regionalize.kernels.draws import initial_state
from regionalize.kernels.regions import Graph, Limits, Regions, Units, count_up, room_to_walk

few = settings(max_examples=30)


def plan(number, k):
    """Regions of a grid, put together along links in random order."""
    rng = np.random.default_rng(number)
    cell = np.arange(16).reshape(4, 4)
    first = np.concatenate([cell[:, :-1].ravel(), cell[:-1].ravel()])
    second = np.concatenate([cell[:, 1:].ravel(), cell[1:].ravel()])
    labels = np.arange(16)
    for link in rng.permutation(len(first)):
        if len(np.unique(labels)) == k:
            break
        labels[labels == labels[second[link]]] = labels[first[link]]
    return graph_of(16, first, second), np.unique(labels, return_inverse=True)[1].astype(np.int64), rng


def plans():
    """Three to six regions of a grid, and those of other graphs."""
    return st.one_of(cases(sides=4), *[st.builds(plan, st.integers(0, 100_000), st.integers(3, 6))] * 3)


problems = given(plans(), st.integers(1, 2), st.integers(0, 2))


class Task(NamedTuple):
    """Regions of a random case, and all that kernels work in."""

    units: Units
    graph: Graph
    limits: Limits
    regions: Regions
    tree: random_trees.Tree
    diary: kernels.Diary
    queue: kernels.Queue
    k: int
    rng: np.random.Generator

    @property
    def labels(self):
        return self.regions.labels

    def stands_at(self):
        """Within sum of squares, and breach."""
        within = within_sums(self.labels, self.units.X, self.k).sum()
        return np.array([within, breaches(self.labels, self.units, self.limits, self.k).sum()])

    def adds_up(self):
        """What is kept of regions is what their units sum up to; where they are fixed is nobody's matter."""
        np.testing.assert_allclose(self.regions.sums, sums_of(self.labels, self.units.X, self.k), atol=1e-9)
        held = sums_of(self.labels, self.units.amount, self.k)
        np.testing.assert_allclose(self.regions.held, held, atol=1e-9)
        return self.regions.size.tolist() == np.bincount(self.labels, minlength=self.k).tolist()

    def noted(self, start, since, until):
        """Whether the diary, read backwards, leads from the labels of now to those of then."""
        labels = self.labels.copy()
        for note in range(until - 1, since - 1, -1):
            assert self.diary.was[note] != labels[self.diary.unit[note]]
            labels[self.diary.unit[note]] = self.diary.was[note]
        return np.array_equal(labels, start)


def task(case, p, b, penalty=10.0, spare=0):
    """A task, with some regions more that have no units yet."""
    graph, labels, rng = case
    n, k = len(labels), int(labels.max()) + 1 + spare
    units, limits = drawn(rng, n, p, b, penalty)
    fixed = units.fixed & (rng.random(n) < rng.choice([0.0, 0.0, 0.3, 1.0]))
    units = units._replace(X=units.X / max(np.sqrt((units.X**2).sum()), 1e-9), fixed=fixed)
    diary = kernels.Diary(np.empty(4 * n, dtype=np.int64), np.empty(4 * n, dtype=np.int64), np.zeros(2))
    queue = kernels.Queue(np.empty(n, dtype=np.int64), np.zeros(n, dtype=bool), np.zeros(k, dtype=bool))
    tree = random_trees.room_for_tree(units, graph)
    return Task(units, graph, limits, count_up(labels, units, k), tree, diary, queue, k, rng)


def single_moves(task):
    """Within sum and breach after every move of a unit to a region beside it that is allowed."""
    labels, (_, broken) = task.labels, task.stands_at()
    for unit in np.flatnonzero(~task.units.fixed):
        for region in {*labels[near(unit, task.graph)].tolist()} - {int(labels[unit])}:
            moved = labels.copy()
            moved[unit] = region
            whole = pieces_of(moved, task.graph) == pieces_of(labels, task.graph)
            if whole and (labels == labels[unit]).sum() > 1:
                left = breaches(moved, task.units, task.limits, task.k).sum()
                if left <= broken + 1e-12:
                    yield within_sums(moved, task.units.X, task.k).sum(), left


def nothing_gains(task):
    """No single move that is allowed costs less, breaches included."""
    now = task.stands_at() @ [1.0, task.limits.penalty]
    for within, left in single_moves(task):
        assert within + task.limits.penalty * left >= now - 1e-9


@few
@problems
def test_all_units_of_a_merged_region_change_their_name(case, p, b):
    own = task(case, p, b)
    start = own.labels.copy()
    unit = int(own.rng.integers(len(start)))
    a, other = int(own.rng.integers(own.k)), int(start[unit])
    if a == other:
        return
    noted = kernels.merge(unit, a, other, own.units, own.graph, own.regions, own.tree, own.diary)
    assert own.labels.tolist() == np.where(start == other, a, start).tolist()
    assert noted == (start == other).sum()
    assert own.adds_up()
    assert own.noted(start, 0, noted)
    assert (own.tree.place == -1).all()


@settings(max_examples=50)
@given(plans(), st.integers(1, 2), st.integers(0, 2), st.booleans())
def test_the_sides_of_a_cut_are_named_so_that_few_units_change(case, p, b, alone):
    """Of two regions or, `alone`, of one that is cut in two."""
    own = task(case, p, b, spare=1)
    start, rng = own.labels.copy(), own.rng
    unit = int(rng.integers(len(start)))
    first = second = int(start[unit])
    if not alone and len(near(unit, own.graph)):
        second = int(start[rng.choice(near(unit, own.graph))])
    second = own.k - 1 if first == second else second
    found = kernels.gather(unit, first, second, start, own.graph, own.tree)
    kernels.grow(found, own.graph, own.tree, initial_state((int(rng.integers(1000)),)))
    kernels.sum_subtrees(found, first, second, start, own.units, own.tree)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random_trees, "ANY_CUT", 1.0)
        cut = kernels.choose_cut(found, own.tree, own.limits, initial_state((int(rng.integers(1000)),)))
    if cut < 0:
        return
    off = own.tree.members[own.tree.order[[at for at in range(found) if hangs_on(cut, at, own.tree)]]]
    noted = kernels.assign_cut(cut, found, first, second, own.regions, own.tree, own.diary, 3)
    side = np.isin(own.tree.members[:found], off)
    names = own.labels[own.tree.members[:found]]
    assert ({*names[side]}, {*names[~side]}) in [({first}, {second}), ({second}, {first})]
    untouched = np.setdiff1d(np.arange(len(start)), own.tree.members[:found])
    assert np.array_equal(own.labels[untouched], start[untouched])
    assert own.adds_up()
    assert own.noted(start, 3, noted)
    changed = noted - 3
    assert changed == (own.labels != start).sum()
    fixed = own.units.fixed & np.isin(start, [first, second])
    assert np.array_equal(own.labels[fixed], start[fixed])
    assert changed <= found - changed or fixed.any()


@pytest.mark.parametrize("cut", range(1, 5))
def test_the_larger_side_keeps_the_name(cut):
    """A path of five units from one end, cut anywhere."""
    own = path([0] * 5, X=[0.0, 1, 2, 3, 4], spare=1)
    assert kernels.gather(0, 0, 0, own.labels, own.graph, own.tree) == 5
    own.tree.order[:], own.tree.parent[:] = np.arange(5), np.arange(-1, 4)
    kernels.sum_subtrees(5, 0, 0, own.labels, own.units, own.tree)
    kernels.assign_cut(cut, 5, 0, 1, own.regions, own.tree, own.diary, 0)
    before, behind = (0, 1) if cut >= 3 else (1, 0)
    assert own.labels.tolist() == [before] * cut + [behind] * (5 - cut)


def hangs_on(cut, position, tree):
    """Whether the way from a position to the root leads over the cut."""
    while position > cut:
        position = tree.parent[position]
    return position == cut


@few
@problems
def test_settled_regions_are_bettered_by_no_single_move(case, p, b):
    own = task(case, p, b)
    before, whole = own.stands_at(), pieces_of(own.labels, own.graph)
    fixed = own.labels[own.units.fixed]
    walk = room_to_walk(own.graph)
    kernels.settle_all(own.units, own.graph, own.limits, own.regions, walk, own.diary, own.queue)
    after = own.stands_at()
    assert after[1] <= before[1] + 1e-9
    assert own.limits.penalty * (after - before)[1] + (after - before)[0] <= 1e-9
    np.testing.assert_allclose(own.diary.gain, before - after, atol=1e-9)
    assert own.adds_up()
    assert np.array_equal(own.labels[own.units.fixed], fixed)
    assert pieces_of(own.labels, own.graph) == whole
    assert len(np.unique(own.labels)) == own.k
    nothing_gains(own)


@pytest.mark.parametrize(("number", "k"), [(365, 4), (389, 4), (430, 5)])
def test_units_are_settled_again_when_a_single_one_has_moved(number, k):
    """The last move of all opens a way for a unit far from it."""
    own = task(plan(number, k), 2, 0)
    walk = room_to_walk(own.graph)
    kernels.settle_all(own.units, own.graph, own.limits, own.regions, walk, own.diary, own.queue)
    nothing_gains(own)


@few
@problems
def test_queued_units_and_neighbours_of_those_moved_settle(case, p, b):
    own = task(case, p, b)
    start, before = own.labels.copy(), own.stands_at()
    changed = own.rng.permutation(len(start))[:3]
    own.diary.unit[: len(changed)] = changed
    queued = kernels.queue_around(len(changed), own.graph, own.diary, own.queue)
    expected = sorted({*changed.tolist()}.union(*(near(unit, own.graph).tolist() for unit in changed)))
    assert sorted(own.queue.units[:queued].tolist()) == expected
    assert np.flatnonzero(own.queue.waits).tolist() == expected
    walk, most = room_to_walk(own.graph), int(own.rng.integers(4 * len(start)))
    short = own.diary._replace(unit=own.diary.unit[: most + 3])  # it ends where the diary is full
    since = min(3, most)
    noted = kernels.settle(
        queued, own.queue, own.units, own.graph, own.limits, own.regions, walk, short, since
    )
    assert since <= noted <= most + 3
    assert own.noted(start, since, noted)
    assert own.adds_up()
    assert not own.queue.waits.any()
    np.testing.assert_allclose(own.diary.gain, before - own.stands_at(), atol=1e-9)


def test_a_full_diary_ends_the_moves_and_empties_the_queue():
    """A path of units that belong to the other end one after the other: each that moves queues the next."""
    graph = graph_of(6, np.arange(5), np.arange(1, 6))
    own = task((graph, np.array([0, 1, 1, 1, 1, 1]), np.random.default_rng(0)), 1, 0)
    X = np.array([[-1.0], [-1], [-1], [-1], [2], [2]])
    own = own._replace(units=Units(X, own.units.amount, np.zeros(6, dtype=bool)))
    for room in range(5):
        regions = count_up(np.array([0, 1, 1, 1, 1, 1]), own.units, 2)
        own.queue.units[0], own.queue.waits[1] = 1, True
        diary = own.diary._replace(unit=own.diary.unit[:room])
        walk = room_to_walk(graph)
        noted = kernels.settle(1, own.queue, own.units, graph, own.limits, regions, walk, diary, 0)
        assert noted == min(room, 3)
        assert own.diary.unit[:noted].tolist() == [1, 2, 3][:noted]
        assert regions.labels.tolist() == [0] * (noted + 1) + [1] * (5 - noted)
        assert not own.queue.waits.any()


def test_borders_are_drawn_by_their_units(monkeypatch):
    """Each unit as likely, then each of its links; what is no border is drawn again."""
    graph = graph_of(5, np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3]))  # and a unit alone
    labels, state, trials = np.array([0, 0, 1, 0, 0]), initial_state((1,)), 4000
    seen = [kernels.draw_border(labels, graph, state) for _ in range(trials)]
    chance = {(0, 2): 1 / 2, (1, 2): 1 / 2, (2, 0): 1 / 3, (2, 1): 1 / 3, (2, 3): 1 / 3, (3, 2): 1}
    assert {*seen} == chance.keys()
    for border, share in chance.items():
        expected = trials * share / sum(chance.values())
        assert abs(seen.count(border) - expected) < 5 * np.sqrt(expected)
    monkeypatch.setattr(kernels, "MOST_DRAWS", 0)
    path = graph_of(5, np.arange(4), np.arange(1, 5))
    labels = np.array([1, 0, 0, 0, 0])
    seen = [kernels.draw_border(labels, path, state) for _ in range(200)]
    assert {*seen} == {(0, 1), (1, 0)}
    assert 10 < seen.count((1, 0)) < 80  # from this unit alone; behind the last comes the first


def search(own, moves, temperature=0.0, tolerance=(1.0,), stop=False, seed=1):
    """Search on from a task's regions; return the best, where it stands, and the moves made."""
    best, standing = own.labels.copy(), np.array([np.inf, np.inf])
    temperatures, tolerance = np.full(moves, temperature), np.array(tolerance)
    state = initial_state((seed,))
    made = kernels.recombine(
        own.labels,
        best,
        standing,
        state,
        temperatures,
        tolerance,
        stop,
        own.units,
        own.graph,
        own.limits,
        own.k,
    )
    return best, standing, made


@settings(max_examples=50)
@given(plans(), st.integers(1, 2), st.integers(0, 2), st.sampled_from([0.0, 0.01, 1.0]), st.booleans())
def test_the_best_is_kept_and_stands_where_it_says(case, p, b, temperature, stop):
    own = task(case, p, b)
    start, before = own.labels.copy(), own.stands_at()
    if not any((start[near(unit, own.graph)] != start[unit]).any() for unit in range(len(start))):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "SPLIT_ANOTHER", own.rng.choice([kernels.SPLIT_ANOTHER, 1.0]))
        best, standing, made = search(own, 12, temperature, stop=stop)
    overall = (own.units.X**2).sum()
    for labels in (best, own.labels):
        assert pieces_of(labels, own.graph) == own.k == len(np.unique(labels))
        fixed = own.units.fixed
        assert np.array_equal(labels[fixed], start[fixed])
    found = own._replace(regions=count_up(best, own.units, own.k))
    after = found.stands_at()
    nothing_gains(found)
    assert standing == pytest.approx([after[1], after[0] - overall], abs=1e-9)
    assert after[1] <= before[1] + 1e-9
    assert after[1] < before[1] - 1e-9 or after[0] <= before[0] + 1e-9
    assert made == 12 or (stop and standing[0] <= 1e-9)
    if temperature == 0.0 and b == 0:
        now = own.stands_at()
        assert now[0] <= before[0] + 1e-9


@pytest.fixture
def bare(monkeypatch):
    """Moves as they are drawn: any cut, and no settling after it."""
    monkeypatch.setattr(random_trees, "ANY_CUT", 1.0)
    monkeypatch.setattr(kernels, "SETTLED", 0.0)
    monkeypatch.setattr(kernels, "SETTLED_IN_BREACH", 0.0)
    return monkeypatch


def path(start, X=(0.0, 0.48, 1.0), amount=None, lower=0.0, upper=np.inf, spare=0):
    """Regions of a path of units, perhaps with bounds on what they hold."""
    n, X = len(start), np.array(X)[:, None] - np.mean(X)
    graph = graph_of(n, np.arange(n - 1), np.arange(1, n))
    own = task((graph, np.array(start), np.random.default_rng(0)), 1, 0, spare=spare)
    held = np.array(amount, dtype=float)[:, None] if amount else np.empty((n, 0))
    units = Units(X / np.sqrt((X**2).sum()), held, np.zeros(n, dtype=bool))
    limits = Limits(np.full(held.shape[1], lower), np.full(held.shape[1], upper), 10.0)
    return own._replace(units=units, limits=limits)


def share_taken(trials=200, moves=1, **options):
    """How often a search from two and one of three units ends with one and two."""
    taken = 0
    for seed in range(trials):
        own = path([0, 0, 1], **options.get("layout", {}))
        search(own, moves, options.get("temperature", 0.0), options.get("tolerance", (1.0,)), seed=seed)
        assert own.labels[[0, 2]].tolist() == [0, 1]  # as few units as can be change their region
        taken += own.labels[1]
    return taken / trials


def test_a_costly_move_is_kept_up_to_temperature_times_tolerance(bare):
    """Half of the cuts are the costly one."""
    one, other = path([0, 0, 1]).stands_at(), path([0, 1, 1]).stands_at()
    rise = (other - one)[0]
    assert share_taken(30, temperature=0.999 * rise) == 0.0
    assert 0.4 < share_taken(temperature=1.001 * rise) < 0.6
    assert 0.18 < share_taken(temperature=1.001 * rise / 2, tolerance=(0.0, 1.0, 2.0, 3.0)) < 0.32
    bare.setattr(kernels, "SETTLED", 1.0)  # single units go back to where they cost least
    assert share_taken(30, temperature=1.001 * rise) == 0.0


def test_what_costs_as_much_is_kept_but_no_single_unit_moves_for_it(bare):
    layout = {"X": (0.0, 0.5, 1.0)}
    assert 0.4 < share_taken(layout=layout) < 0.6
    assert share_taken(30, moves=0, layout=layout) == 0.0


def test_what_breaches_bounds_more_is_kept_by_that_alone(bare):
    """In breach by 0.4 in all; the other cut is in breach by 1.2."""
    layout = {"amount": [1, 1, 2], "lower": 2.2}
    assert share_taken(30, layout=layout, tolerance=(0.79 / kernels.BREACH_HEAT,)) == 0.0
    assert 0.4 < share_taken(layout=layout, tolerance=(0.81 / kernels.BREACH_HEAT,)) < 0.6
    bare.setattr(kernels, "SETTLED_IN_BREACH", 1.0)
    assert share_taken(30, layout=layout, tolerance=(0.81 / kernels.BREACH_HEAT,)) == 0.0


def test_a_breach_that_stays_may_open_a_way(bare):
    """Both cuts are in breach as much: some are made whatever they cost."""
    layout = {"amount": [1, 0, 1], "lower": 3.0}
    assert abs(share_taken(layout=layout) - kernels.LEVEL / 2) < 0.06
    bare.setattr(kernels, "LEVEL", 0.0)
    assert share_taken(30, layout=layout) == 0.0
    assert 0.4 < share_taken(layout=layout, temperature=9.0) < 0.6


def test_seldom_a_way_leads_out_of_bounds(bare):
    """The other cut breaches a bound that was kept; cost does not matter."""
    layout = {"amount": [1, 1, 2], "upper": 2.5}
    for share in (0.0, 0.5, 1.0):
        bare.setattr(kernels, "DETOURS", share)
        assert abs(share_taken(layout=layout, temperature=9.0) - share / 2) < 0.1


def cut_at(*cuts):
    """Regions of a path of six units as the sets of units between cuts."""
    return tuple(tuple(part.tolist()) for part in np.split(np.arange(6), cuts))


def after_one_move(seed):
    """What a move makes of three times two units of a path, whatever it costs."""
    own = path([0, 0, 1, 1, 2, 2], X=[0.0, 0.1, 1, 1.1, 2, 2.1])
    search(own, 1, 99.0, seed=seed)
    assert len({*own.labels.tolist()}) == 3
    return cut_at(*np.flatnonzero(np.diff(own.labels)) + 1)


def test_two_regions_are_merged_and_the_cut_falls_where_they_were_or_in_a_third(bare):
    """The chances of all that one move can make; without a third, and with one at every move."""
    bare.setattr(kernels, "SPLIT_ANOTHER", 0.0)
    paired = {cut_at(2, 4), cut_at(1, 4), cut_at(3, 4), cut_at(2, 3), cut_at(2, 5)}
    assert {after_one_move(seed) for seed in range(40)} == paired
    bare.setattr(kernels, "SPLIT_ANOTHER", 1.0)
    expected = dict.fromkeys(paired, 1 / 9) | {cut_at(2, 4): 2 / 9, cut_at(4, 5): 1 / 6, cut_at(1, 2): 1 / 6}
    assert sum(expected.values()) == pytest.approx(1)
    trials = 450
    seen = [after_one_move(seed) for seed in range(trials)]
    assert {*seen} == expected.keys()
    missed = [(seen.count(cuts) - trials * share) ** 2 / (trials * share) for cuts, share in expected.items()]
    assert sum(missed) < 28  # chi-squared, 6 degrees of freedom: p = 1e-4


def test_two_regions_with_fixed_units_are_never_merged(bare):
    """But one with such units and one without as often as any, and the fixed ones keep their name."""
    bare.setattr(kernels, "SPLIT_ANOTHER", 1.0)
    trials = 200
    for fixed, share in (([0], 1 / 6), ([2], 1 / 6), ([0, 2], 0), ([0, 1, 3], 0)):
        merged = 0
        for seed in range(trials):
            own = path([0, 0, 1, 1, 2, 2], X=[0.0, 0.1, 1, 1.1, 2, 2.1])
            own.units.fixed[fixed] = True
            search(own._replace(regions=count_up(own.labels, own.units, 3)), 1, 99.0, seed=seed)
            assert own.labels[fixed].tolist() == [0 if unit < 2 else 1 for unit in fixed]
            merged += len({*own.labels[:4].tolist()}) == 1
        assert abs(merged / trials - share) <= share / 4


def test_the_best_is_settled_at_once(monkeypatch):
    """Few units may all move whenever a move finds something better, and not beside what it changed alone."""
    monkeypatch.setattr(kernels, "SETTLED", 0.0)
    better = 0
    for number in range(40):
        own = task(plan(number, 5), 2, 0)
        _, begun, _ = search(own, 0)
        best, standing, _ = search(own, 1, seed=number)
        nothing_gains(own._replace(regions=count_up(best, own.units, own.k)))
        better += standing[1] < begun[1]
    assert better > 5


def test_more_moves_find_more():
    better = 0
    for number in range(5):
        _, one, _ = search(task(plan(number, 5), 2, 0), 1)
        _, many, _ = search(task(plan(number, 5), 2, 0), 25)
        better += many[1] < one[1]
    assert better >= 3


def test_of_two_that_are_merged_the_smaller_one_loses_its_name(bare):
    bare.setattr(kernels, "SPLIT_ANOTHER", 1.0)
    for seed in range(60):
        own = path([0, 1, 1, 1, 2, 2], X=[0.0, 1, 1, 1, 2, 2.1])
        search(own, 1, 99.0, seed=seed)
        if own.labels[0] == own.labels[1] == own.labels[3]:
            assert own.labels[0] == 1
            assert sorted(own.labels[4:].tolist()) == [0, 2]


@pytest.mark.parametrize("share", ["SETTLED", "SETTLED_IN_BREACH", "SPLIT_ANOTHER", "LEVEL", "DETOURS"])
def test_no_kind_of_move_is_always_or_never_made(share):
    assert 0 < getattr(kernels, share) < 1


def test_a_search_for_bounds_ends_where_they_are_kept():
    """Before any move, when settled units keep them."""
    assert search(path([0, 0, 1], amount=[1, 1, 2], lower=2.0), 9, stop=True)[2] == 0
    assert search(path([0, 1, 1], amount=[1, 1, 2], lower=2.0), 9, stop=True)[2] == 0
    assert search(path([0, 1, 1], amount=[1, 1, 2], lower=2.0), 9)[2] == 9
    assert search(path([0, 0, 1], amount=[1, 1, 2], lower=2.2), 9, stop=True)[2] == 9
