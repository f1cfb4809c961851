"""Labels made contiguous: against GeoDa, a slow reading of the same rules, and what must hold anyhow."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from regionalize.errors import InfeasibleError, UsageError
from regionalize.kernels.compiler import compiled
from regionalize.methods import make_contiguous as module
from regionalize.methods import mend as mending
from regionalize.methods import recombination
from regionalize.methods.make_contiguous import make_contiguous, split_into_pieces
from regionalize.methods.mend import mend
from regionalize.model.weights import Weights


def links_of(n, pairs):
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    return Weights.from_links(n, np.r_[first, second], np.r_[second, first], kind="example")


def grid_pairs(rows, columns):
    cell = np.arange(rows * columns).reshape(rows, columns)
    across = np.stack([cell[:, :-1].ravel(), cell[:, 1:].ravel()], axis=1)
    down = np.stack([cell[:-1].ravel(), cell[1:].ravel()], axis=1)
    return np.concatenate([across, down])


@st.composite
def maps(draw, broken=False):
    """A grid or the triangulation of random points, with labels in patches; perhaps with links taken away."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    if draw(st.booleans()):
        rows, columns = draw(st.integers(1, 7)), draw(st.integers(2, 7))
        n, pairs = rows * columns, grid_pairs(rows, columns)
    else:
        n = draw(st.integers(4, 45))
        corners = Delaunay(rng.random((n, 2))).simplices
        pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    if broken:
        pairs = pairs[rng.random(len(pairs)) < draw(st.sampled_from([0.9, 0.6, 0.3]))]
    weights = links_of(n, pairs)
    k = draw(st.integers(1, 6))
    labels = rng.choice(k, n, p=rng.dirichlet(np.full(k, 2.0))) * 3 + 2
    for _ in range(draw(st.integers(0, 2))):  # patches instead of noise
        for unit in rng.permutation(n):
            near = neighbours(weights, unit)
            if near and rng.random() < 0.5:
                labels[unit] = labels[rng.choice(near)]
    return labels, weights


def neighbours(weights, unit):
    return weights.indices[weights.indptr[unit] : weights.indptr[unit + 1]].tolist()


def pieces(labels, weights):
    """Connected piece of every unit, by SciPy."""
    row = np.repeat(np.arange(len(labels)), np.diff(weights.indptr))
    same = np.asarray(labels)[row] == np.asarray(labels)[weights.indices]
    links = scipy.sparse.csr_array(
        (np.ones(same.sum()), (row[same], weights.indices[same])), shape=(len(labels),) * 2
    )
    return scipy.sparse.csgraph.connected_components(links, directed=False)[1]


class Piece:
    """Some units of one cluster that hang together when the merging begins."""

    def __init__(self, label, units):
        self.label, self.units = label, units

    def __len__(self):
        return len(self.units)


class MakeSpatial:
    """GeoDa's rules, step by step over lists; `tied` tells that they left a choice open.

    Every choice is made anew from the whole state, nothing is remembered between two turns. Where units fall
    into components, none loses its last core.
    """

    def __init__(self, labels, near, component=None):
        labels = [int(label) for label in labels]
        self.component = [0] * len(labels) if component is None else component
        self.near, self.tied = near, False
        self.owner = [None] * len(labels)
        sizes = Counter(labels)
        self.order = sorted(sizes, key=lambda label: (-sizes[label], label))
        self.pieces = {label: [] for label in self.order}
        for start, label in enumerate(labels):
            if self.owner[start] is not None:
                continue
            piece = Piece(label, [])
            waiting = deque([start])
            self.owner[start] = piece
            while waiting:
                unit = waiting.popleft()
                piece.units.append(unit)
                for other in near[unit]:
                    if labels[other] == label and self.owner[other] is None:
                        self.owner[other] = piece
                        waiting.append(other)
            self.pieces[label].append(piece)
        self.core = {label: max(found, key=len) for label, found in self.pieces.items()}
        self.run()
        self.labels = [piece.label for piece in self.owner]

    def fragments(self, label, size=None):
        found = [piece for piece in self.pieces[label] if piece is not self.core[label]]
        return [piece for piece in found if size is None or len(piece) == size]

    def run(self):
        for label in self.order:
            for piece in self.fragments(label, 1):
                around = {self.owner[other].label for other in self.near[piece.units[0]]}
                if len(around) == 1 and len(piece) == 1 and piece is not self.core[label]:
                    self.move(piece)
        while any(self.fragments(label) for label in self.order):
            least = min(len(piece) for label in self.order for piece in self.fragments(label))
            able = [label for label in self.order if self.fragments(label, least)]
            cores = sorted(len(self.core[label]) for label in able)
            self.tied |= len(cores) > 1 and cores[0] == cores[1]
            turn = min(able, key=lambda label: len(self.core[label]))
            for piece in self.fragments(turn, least):
                if piece in self.pieces[turn] and len(piece) == least and piece is not self.core[turn]:
                    self.move(piece)

    def move(self, piece):
        met = [
            self.owner[other]
            for unit in piece.units
            for other in self.near[unit]
            if self.owner[other] is not piece
        ]
        target = max(met, key=len)  # the first of the largest
        self.tied |= sum(len(one) == len(target) for one in {id(one): one for one in met}.values()) > 1
        self.pieces[piece.label].remove(piece)
        target.units += piece.units
        for unit in piece.units:
            self.owner[unit] = target
        core = self.core[target.label]
        where = self.place(core)
        others = [self.place(each) for label, each in self.core.items() if label != target.label]
        if len(target) > len(core) and (self.place(target) == where or where in others):
            self.core[target.label] = target

    def place(self, piece):
        return self.component[piece.units[0]]


def same_partition(one, two):
    return len({*zip(one, two, strict=True)}) == len({*one}) == len({*two})


@pytest.fixture(scope="module")
def guerry(shared_data):
    from regionalize.io.read import read_layer
    from regionalize.weights import build_weights

    return build_weights(read_layer(str(shared_data("guerry/Guerry.shp"))), "queen")


def test_the_labels_of_geoda(guerry, shared_reference):
    pair = shared_reference["make_spatial"]
    assert make_contiguous(np.array(pair["input"]), guerry).tolist() == pair["output"]


def test_pygeoda_on_random_labels(guerry, shared_data):
    """Equal wherever the rules leave no choice: with cores of the same size pygeoda's order is its own."""
    pygeoda = pytest.importorskip("pygeoda", reason="pygeoda comes with the bench extra only")
    theirs = pygeoda.queen_weights(pygeoda.open(str(shared_data("guerry/Guerry.shp"))))
    near = [list(theirs.get_neighbors(unit)) for unit in range(85)]
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(250):
        k = int(rng.integers(2, 6))
        labels = rng.choice(np.arange(1, k + 1), 85, p=rng.dirichlet(np.full(k, 3.0)))
        for _ in range(int(rng.integers(0, 4))):
            labels = np.array([labels[rng.choice([*near[unit], unit])] for unit in range(85)])
        sizes = np.bincount(labels)
        if len(np.unique(sizes[1:])) < k or MakeSpatial(labels, near).tied:
            continue
        found = make_contiguous(labels, guerry).tolist()
        assert same_partition(found, list(pygeoda.make_spatial(labels.tolist(), theirs)))
        compared += 1
    assert compared > 80


@given(maps())
@settings(max_examples=250)
def test_every_step_is_that_of_the_rules(case):
    labels, weights = case
    near = [neighbours(weights, unit) for unit in range(len(labels))]
    assert make_contiguous(labels, weights).tolist() == MakeSpatial(labels, near).labels


@st.composite
def trees(draw):
    """Several trees of a few units each, with labels at random."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    sizes = rng.integers(2, 11, draw(st.integers(2, 4)))
    starts = np.cumsum(sizes) - sizes
    above = [rng.integers(max(0, unit - 3), unit) for size in sizes for unit in range(1, size)]
    pairs = [(start + unit) for start, size in zip(starts, sizes, strict=True) for unit in range(1, size)]
    first = np.repeat(starts, sizes - 1)
    weights = links_of(sizes.sum(), np.stack([first + above, pairs], axis=1))
    return rng.integers(0, len(sizes) + draw(st.integers(0, 2)), sizes.sum()), weights


@example((np.array([2, 1, 1, 2, 0, 1, 2]), links_of(7, [(0, 1), (2, 3), (3, 4), (4, 5), (5, 6)])))
@example(
    (
        np.array([1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1]),
        links_of(11, [(unit, unit + 1) for unit in range(10) if unit != 4]),
    )
)
@given(trees())
@settings(max_examples=60)
def test_no_component_loses_its_last_core(case):
    """By the rules, from the largest pieces on where these leave no component without a core."""
    labels, weights = case
    near = [neighbours(weights, unit) for unit in range(len(labels))]
    component = pieces(np.zeros(len(labels)), weights).tolist()
    piece = pieces(labels, weights)
    size = np.bincount(piece)
    largest = [max(piece[labels == label], key=lambda each: size[each]) for label in np.unique(labels)]
    if {component[np.argmax(piece == each)] for each in largest} == set(component):
        found = make_contiguous(labels, weights).tolist()
        assert found == MakeSpatial(labels, near, component).labels
        assert pieces(found, weights).max() + 1 == len(set(labels.tolist()))


def possible(labels, weights):
    """Whether every component can keep a cluster of its own, by SciPy's matching."""
    component = pieces(np.zeros(len(labels)), weights)
    _, code = np.unique(labels, return_inverse=True)
    pairs = np.unique(np.stack([component, code]), axis=1)
    present = scipy.sparse.csr_array((np.ones(pairs.shape[1]), pairs))
    match = scipy.sparse.csgraph.maximum_bipartite_matching(present, perm_type="column")
    return bool((match >= 0).all())


@given(maps(broken=True))
@settings(max_examples=300)
def test_any_graph_ends_in_whole_clusters_or_in_words(case):
    labels, weights = case
    if not possible(labels, weights):
        with pytest.raises(InfeasibleError, match="no region can span") as caught:
            make_contiguous(labels, weights)
        assert "islands nearest" in str(caught.value)
        return
    found = make_contiguous(labels, weights)
    assert set(found.tolist()) == set(labels.tolist())
    assert pieces(found, weights).max() + 1 == len(set(labels.tolist()))
    if pieces(labels, weights).max() + 1 == len(set(labels.tolist())):
        assert np.array_equal(found, labels)
    assert np.array_equal(make_contiguous(found, weights), found)


def test_a_cluster_alone_on_an_island_stays_there():
    """Its larger piece on the mainland goes to the others, because nobody else can have the island."""
    weights = links_of(8, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)])  # and unit 7 alone
    labels = np.array([1, 1, 2, 2, 2, 3, 3, 2])
    found = make_contiguous(labels, weights)
    assert found[7] == 2
    assert set(found[:7].tolist()) == {1, 3}
    assert found[[0, 1]].tolist() == [1, 1]
    assert found[[5, 6]].tolist() == [3, 3]


def test_islands_of_one_cluster_are_named():
    weights = links_of(6, [(0, 1), (1, 2), (2, 3)])
    with pytest.raises(InfeasibleError) as caught:
        make_contiguous(np.array([1, 1, 2, 3, 1, 1]), weights, name=lambda unit: f"unit {unit}")
    assert "2 components that no region can span hold only 1 cluster" in str(caught.value)
    assert "unit 4, unit 5" in str(caught.value)
    with pytest.raises(
        InfeasibleError, match=r"2 clusters, but the units fall into 3 components \(2 of them"
    ):
        make_contiguous(np.array([1, 1, 2, 2, 1, 2]), weights)


def test_one_way_links_count_both_ways():
    path = Weights.from_links(5, np.arange(4), np.arange(1, 5), kind="one way")
    back = Weights.from_links(5, np.arange(1, 5), np.arange(4), kind="the other way")
    labels = np.array([1, 1, 2, 1, 2])
    assert np.array_equal(make_contiguous(labels, path), make_contiguous(labels, back))


def test_lengths_must_agree():
    path = links_of(3, [(0, 1), (1, 2)])
    with pytest.raises(UsageError, match="2 labels"):
        make_contiguous(np.array([1, 2]), path)
    with pytest.raises(UsageError, match="2 rows of variables"):
        mend(np.zeros((2, 1)), np.array([1, 2, 1]), path)


@given(maps(broken=True))
@settings(max_examples=60)
def test_splitting_gives_every_piece_a_number(case):
    labels, weights = case
    assert same_partition(split_into_pieces(labels, weights).tolist(), pieces(labels, weights).tolist())


def within(X, labels):
    return sum(((X[labels == c] - X[labels == c].mean(axis=0)) ** 2).sum() for c in np.unique(labels))


@given(maps(broken=True), st.integers(0, 1000))
@settings(max_examples=120)
def test_mended_clusters_are_whole_and_no_border_move_helps(case, seed):
    labels, weights = case
    X = np.random.default_rng(seed).normal(size=(len(labels), 2))
    k = len(set(labels.tolist()))
    if pieces(np.zeros(len(labels)), weights).max() + 1 > k:
        with pytest.raises(InfeasibleError, match="no region can span"):
            mend(X, labels, weights, iterations=300)
        return
    found = mend(X, labels, weights, iterations=300)
    assert set(found.tolist()) == set(labels.tolist())
    assert pieces(found, weights).max() + 1 == k
    assert np.array_equal(mend(X, labels, weights, iterations=300), found)
    if pieces(labels, weights).max() + 1 == k:
        assert np.array_equal(found, labels)
        return
    now = within(X, found)
    for unit in range(len(labels)):
        for label in {int(found[other]) for other in neighbours(weights, unit)} - {int(found[unit])}:
            moved = found.copy()
            moved[unit] = label
            whole = len(set(moved.tolist())) == k == pieces(moved, weights).max() + 1
            assert not whole or within(X, moved) > now * (1 - 1e-6)


def test_mended_labels_go_to_the_regions_that_share_most_with_them(monkeypatch):
    """Of all ways to give each region one of the old labels; tried one by one."""
    from itertools import permutations

    rng = np.random.default_rng(5)
    weights = links_of(36, grid_pairs(6, 6))
    for _ in range(20):
        labels, X = rng.integers(0, 4, 36), rng.normal(size=(36, 2))
        found = mend(X, labels, weights, iterations=300)
        kept = [np.sum(np.array(names)[found] == labels) for names in permutations(range(4))]
        assert np.sum(found == labels) == max(kept)
        monkeypatch.setattr(mending, "MOST_MATCHED", 0)
        by_pairs = mend(X, labels, weights, iterations=300)
        assert same_partition(by_pairs.tolist(), found.tolist())
        assert set(by_pairs.tolist()) == set(labels.tolist())
        assert max(kept) / 2 <= np.sum(by_pairs == labels) <= max(kept)  # greedy matchings have at least half
        monkeypatch.undo()


@pytest.mark.parametrize("rows", [12, 40])
def test_plain_and_compiled_agree(rows, monkeypatch):
    """On broken maps too, and for every kernel there is."""
    rng = np.random.default_rng(rows)
    pairs = grid_pairs(rows, 20)
    weights = links_of(rows * 20, pairs[rng.random(len(pairs)) < 0.97])
    labels, X = rng.integers(0, 30, rows * 20), rng.normal(size=(rows * 20, 3))
    found = []
    for least, as_it_runs in ((10**9, lambda kernel: kernel), (0, compiled)):
        monkeypatch.setattr(module, "COMPILED_UNITS", least)
        monkeypatch.setattr(recombination, "compiled", as_it_runs)
        mended = mend(X, labels, weights, iterations=20)
        found.append((make_contiguous(labels, weights).tolist(), mended.tolist()))
    assert found[0] == found[1]


REAL = {
    "georgia": ("sample", "pct_*", 6),
    "guerry": ("guerry/Guerry.shp", "Crm_prs,Crm_prp,Litercy,Donatns,Infants,Suicids", 5),
    "natregimes": ("natregimes/natregimes.shp", "HR90,RD90,PS90,UE90,DV90,MA90,FH90,GI89", 12),
}


@pytest.mark.parametrize("name", REAL)
def test_the_variables_make_a_difference(name, shared_data):
    """Clusters of k-means, mended, lose clearly less than when their fragments are joined unseen."""
    from regionalize.io.read import read_layer
    from regionalize.run.options import make_job
    from regionalize.run.solve import solve

    file, columns, k = REAL[name]
    layer = read_layer(None if file == "sample" else str(shared_data(file)))
    found = solve(layer, make_job("kmeans", {"k": k, "columns": columns}))
    X, weights, labels = found.features.X, found.weights, found.partition.labels
    total = ((X - X.mean(axis=0)) ** 2).sum()
    blind, seeing = (
        1 - within(X, way) / total for way in (make_contiguous(labels, weights), mend(X, labels, weights))
    )
    assert seeing > blind + 0.03
