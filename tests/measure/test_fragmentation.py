"""Fragmentation and joins against a slow, literal count, and what must always hold."""

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError
from regionalize.measure.fragmentation import measure_fragmentation
from regionalize.measure.sentence import contiguity_sentence
from regionalize.model.weights import Weights


@st.composite
def labelled_graphs(draw):
    n = draw(st.integers(1, 16))
    unit = st.integers(0, n - 1)
    links = draw(st.lists(st.tuples(unit, unit), max_size=30))
    if draw(st.booleans()):
        links += [(b, a) for a, b in links]
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    labels = draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n))
    return np.array(labels), Weights.from_links(n, ends[:, 0], ends[:, 1], kind="drawn")


def flood(weights, labels, cluster):
    """Return the pieces of a cluster as sets, by walking."""
    touching = {row: set() for row in range(len(labels))}
    for row, other in zip(weights.row.tolist(), weights.indices.tolist(), strict=True):
        if labels[row] == labels[other]:
            touching[row].add(other)
            touching[other].add(row)
    left, found = {row for row in range(len(labels)) if labels[row] == cluster}, []
    while left:
        piece, frontier = set(), [min(left)]
        while frontier:
            row = frontier.pop()
            if row not in piece:
                piece.add(row)
                frontier += touching[row]
        found.append(piece)
        left -= piece
    return found


def diversity(counts):
    shares = [count / sum(counts) for count in counts]
    return -sum(p * math.log(p) for p in shares), sum(p * p for p in shares)


@given(labelled_graphs())
def test_every_figure_equals_a_literal_count(case):
    labels, weights = case
    found = measure_fragmentation(labels, weights)
    present = sorted({label for label in labels.tolist() if label > 0})
    n = int((labels > 0).sum())
    links = list(zip(weights.row.tolist(), weights.indices.tolist(), strict=True))
    assert [shape.label for shape in found.clusters] == present
    for shape in found.clusters:
        parts = [len(piece) for piece in flood(weights, labels, shape.label)]
        assert (shape.members, shape.subclusters) == (sum(parts), len(parts))
        assert (shape.smallest, shape.largest) == (min(parts), max(parts))
        assert shape.mean_size == pytest.approx(np.mean(parts))
        assert shape.subcluster_ratio == pytest.approx(len(parts) / sum(parts))
        assert shape.fraction == pytest.approx(sum(parts) / n)
        if len(parts) == 1:
            assert {shape.entropy, shape.entropy_normalized, shape.simpson, shape.simpson_normalized} == {
                None
            }
        else:
            entropy, simpson = diversity(parts)
            assert shape.entropy == pytest.approx(entropy)
            assert shape.entropy_normalized == pytest.approx(entropy / math.log(len(parts)))
            assert shape.simpson == pytest.approx(simpson)
            assert shape.simpson_normalized == pytest.approx(simpson * len(parts))
        from_here = [(a, b) for a, b in links if labels[a] == shape.label]
        assert shape.neighbors == len(from_here)
        assert shape.joins == sum(labels[a] == labels[b] for a, b in from_here)
        assert shape.join_count_ratio == (shape.joins / shape.neighbors if shape.neighbors else None)
    sizes = [shape.members for shape in found.clusters]
    assert found.subclusters == sum(shape.subclusters for shape in found.clusters)
    assert found.contiguous == (found.subclusters == len(present))
    assert found.neighbors == sum(shape.neighbors for shape in found.clusters)
    assert found.joins == sum(shape.joins for shape in found.clusters)
    if sizes:
        entropy, simpson = diversity(sizes)
        assert found.subcluster_ratio == pytest.approx(found.subclusters / n)
        assert found.entropy == pytest.approx(entropy, abs=1e-15)
        assert found.simpson == pytest.approx(simpson)
        assert found.simpson_normalized == pytest.approx(simpson * len(sizes))
    if len(sizes) > 1:
        assert found.entropy_normalized == pytest.approx(entropy / math.log(len(sizes)))
    else:
        assert found.entropy_normalized is None


@given(labelled_graphs())
def test_the_order_of_units_does_not_matter(case):
    labels, weights = case
    turn = np.arange(len(labels))[::-1]
    turned = Weights.from_links(len(labels), turn[weights.row], turn[weights.indices], kind=weights.kind)
    one, other = measure_fragmentation(labels, weights), measure_fragmentation(labels[turn], turned)
    assert [astuple(shape)[:2] for shape in one.clusters] == [astuple(shape)[:2] for shape in other.clusters]
    assert figures(one) == pytest.approx(figures(other), nan_ok=True)


def figures(found):
    """Return every figure of a fragmentation in one list, NaN for what is not measured."""
    values = [value for shape in found.clusters for value in astuple(shape)] + list(astuple(found)[:10])
    return [math.nan if value is None else float(value) for value in values]


def test_noise_is_a_neighbour_but_in_no_cluster(path_of_four):
    found = measure_fragmentation(np.array([1, 0, 0, 2]), path_of_four)
    assert found.contiguous
    assert [(shape.neighbors, shape.joins) for shape in found.clusters] == [(1, 0), (1, 0)]
    assert [shape.fraction for shape in found.clusters] == [0.5, 0.5]
    assert found.subcluster_ratio == 1.0


def test_only_noise(path_of_four):
    found = measure_fragmentation(np.array([0, 0, -1, 0]), path_of_four)
    assert (found.clusters, found.subclusters, found.join_count_ratio) == ((), 0, None)
    assert contiguity_sentence(found) == "There is no cluster: every unit is noise or left out."


def test_an_island_has_no_join_count_ratio():
    alone = Weights(np.array([0, 0]), np.zeros(0, dtype=np.int64), np.zeros(0), "queen")
    found = measure_fragmentation(np.array([1]), alone)
    assert found.contiguous
    assert found.clusters[0].join_count_ratio is None


def test_one_way_links_join_pieces_but_count_once():
    """Nearest neighbours: 0 → 1 without return. One piece, one link, one join."""
    one_way = Weights(np.array([0, 1, 1]), np.array([1]), np.ones(1), "knn:1")
    found = measure_fragmentation(np.array([1, 1]), one_way)
    assert (found.contiguous, found.neighbors, found.joins) == (True, 1, 1)


def test_labels_must_match_weights(path_of_four):
    with pytest.raises(DataError, match="3 labels for the 4 units"):
        measure_fragmentation(np.array([1, 1, 1]), path_of_four)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([1, 1, 2, 2], "Contiguous: every cluster is one piece."),
        ([1, 1, 1, 1], "Contiguous: the one cluster is one piece."),
        ([1, 2, 1, 2], "Not contiguous: 2 clusters in 4 pieces; no cluster is whole."),
        ([1, 2, 2, 1], "Not contiguous: 2 clusters in 3 pieces; 1 cluster is whole (2)."),
        ([1, 2, 3, 1], "Not contiguous: 3 clusters in 4 pieces; 2 clusters are whole (2, 3)."),
        ([1, 0, 1, 0], "Not contiguous: 1 cluster in 2 pieces; no cluster is whole."),
    ],
)
def test_the_sentence(labels, sentence, path_of_four):
    assert contiguity_sentence(measure_fragmentation(np.array(labels), path_of_four)) == sentence


def test_entropy_of_one_cluster_is_zero_without_a_sign():
    path = Weights.from_links(3, np.arange(2), np.arange(1, 3), kind="example")
    assert math.copysign(1, measure_fragmentation(np.ones(3, dtype=int), path).entropy) == 1
