"""Agreement of labelings: counted over pairs and permutations, by scikit-learn, and from printed sizes."""

import math
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError
from regionalize.measure.agreement import (
    adjusted_rand,
    contingency,
    entropy,
    match_labels,
    measure_agreement,
)


def pairs_of_labelings(most_units, most_labels=4, lowest=1):
    def columns(n):
        column = st.lists(st.integers(lowest, most_labels), min_size=n, max_size=n).map(np.array)
        return st.tuples(column, column)

    return st.integers(1, most_units).flatmap(columns)


def rand_by_pairs(a, b):
    """Adjusted Rand index from the four kinds of pairs, as the book writes it (all of them whole numbers)."""
    kinds = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for i, j in combinations(range(len(a)), 2):
        kinds[bool(a[i] == a[j]), bool(b[i] == b[j])] += 1
    n11, n10, n01, n00 = kinds.values()
    below = (n00 + n01) * (n01 + n11) + (n00 + n10) * (n10 + n11)
    return Fraction(2 * (n00 * n11 - n01 * n10), below) if below else Fraction(1)


def information(a, b):
    """Mutual information from the shares of labels and of pairs of labels."""
    n = len(a)
    total = 0.0
    for x, y in set(zip(a.tolist(), b.tolist(), strict=True)):
        both = np.mean((a == x) & (b == y))
        total += both * math.log(both / (np.mean(a == x) * np.mean(b == y)))
    assert n
    return total


@given(pairs_of_labelings(9))
def test_adjusted_rand_counts_pairs(case):
    a, b = case
    assert adjusted_rand(a, b) == pytest.approx(float(rand_by_pairs(a, b)), abs=1e-15)


@given(pairs_of_labelings(6, 3))
def test_adjusted_information_is_corrected_by_the_mean_over_all_permutations(case):
    a, b = case
    chance = np.mean([information(a, np.array(shuffled)) for shuffled in permutations(b.tolist())])
    most = (information(a, a) + information(b, b)) / 2
    # no permutation changes anything where both are one cluster, or both leave every unit alone
    expected = (information(a, b) - chance) / (most - chance) if most - chance > 1e-12 else 1.0
    assert measure_agreement(a, b).adjusted_mutual_information == pytest.approx(expected, abs=1e-12)


@given(pairs_of_labelings(40, 8))
def test_all_measures_equal_scikit_learns(case):
    from sklearn import metrics

    a, b = case
    found = measure_agreement(a, b)
    exact = {"abs": 1e-12, "rel": 0}
    information = metrics.mutual_info_score(a, b)
    assert found.units == len(a)
    assert found.adjusted_rand == pytest.approx(metrics.adjusted_rand_score(a, b), **exact)
    assert found.mutual_information == pytest.approx(information, **exact)
    assert found.normalized_mutual_information == pytest.approx(
        metrics.normalized_mutual_info_score(a, b), **exact
    )
    if not is_alone(a) or not is_alone(b):  # there scikit-learn divides rounding errors by each other
        assert found.adjusted_mutual_information == pytest.approx(
            metrics.adjusted_mutual_info_score(a, b, average_method="arithmetic"), **exact
        )
    top = max(metrics.mutual_info_score(a, a), metrics.mutual_info_score(b, b))
    distance = 1 - information / top if top > 0 else 0.0
    assert found.normalized_information_distance == pytest.approx(distance, **exact)


def is_alone(labels):
    """Whether every unit is a cluster by itself."""
    return len(set(labels.tolist())) == len(labels)


@given(pairs_of_labelings(30, 5))
def test_order_and_numbering_do_not_matter(case):
    a, b = case
    one, other = measure_agreement(a, b), measure_agreement(b, a)
    renumbered = np.array([0, 7, 3, 9, 1, 4])[a]
    again = measure_agreement(renumbered, b)
    for name in (
        "adjusted_rand",
        "adjusted_mutual_information",
        "normalized_mutual_information",
        "normalized_information_distance",
    ):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-13)
        assert getattr(again, name) == pytest.approx(getattr(one, name), abs=1e-13)
    assert measure_agreement(a, renumbered).adjusted_mutual_information == 1.0
    assert 0 <= one.normalized_mutual_information <= 1
    assert 0 <= one.normalized_information_distance <= 1


@given(st.lists(st.tuples(*[st.integers(1, 4)] * 3), min_size=1, max_size=20))
def test_the_information_distance_is_a_metric(rows):
    a, b, c = np.array(rows).T
    pairs = ((a, b), (b, c), (a, c))
    ab, bc, ac = (measure_agreement(*pair).normalized_information_distance for pair in pairs)
    assert ac <= ab + bc + 1e-12


@given(pairs_of_labelings(25, 4, lowest=-1))
def test_units_without_a_cluster_count_in_neither(case):
    a, b = case
    both = (a > 0) & (b > 0)
    if not both.any():
        with pytest.raises(DataError, match="no unit"):
            measure_agreement(a, b)
        return
    found = measure_agreement(a, b)
    assert found == measure_agreement(a[both], b[both])
    assert found.units == both.sum()


def test_what_one_cluster_and_units_alone_come_to():
    one, alone, half = np.ones(4, dtype=int), np.arange(1, 5), np.array([1, 1, 2, 2])
    for labels in (one, alone, half):
        same = measure_agreement(labels, labels)
        assert (same.adjusted_rand, same.adjusted_mutual_information) == (1.0, 1.0)
        assert (same.normalized_mutual_information, same.normalized_information_distance) == (1.0, 0.0)
    for other in (alone, half):  # one cluster tells nothing of any other
        found = measure_agreement(one, other)
        assert (found.adjusted_rand, found.mutual_information) == (0.0, 0.0)
        assert found.adjusted_mutual_information == pytest.approx(0.0, abs=1e-15)
        assert (found.normalized_mutual_information, found.normalized_information_distance) == (0.0, 1.0)
    single = measure_agreement(np.array([3]), np.array([5]))
    assert (single.units, single.adjusted_rand, single.adjusted_mutual_information) == (1, 1.0, 1.0)


def test_pairs_of_ten_million_units_are_counted_exactly():
    n = 10_000_000
    a = np.repeat(np.array([1, 2], dtype=np.int8), n // 2)
    b = np.roll(a, n // 4)  # every cell holds a quarter: 2.5 million units
    quarter, half = math.comb(n // 4, 2), math.comb(n // 2, 2)
    chance = Fraction((2 * half) ** 2, math.comb(n, 2))
    expected = (4 * quarter - chance) / (2 * half - chance)
    assert adjusted_rand(a, b) == float(expected)
    assert measure_agreement(a, b).mutual_information == pytest.approx(0.0, abs=1e-15)


def test_large_clusters_lose_nothing_by_leaving_out_what_cannot_happen():
    from sklearn.metrics import adjusted_mutual_info_score

    rng = np.random.default_rng(5)
    a = rng.choice([1, 2, 3, 4], 60_000, p=[0.9, 0.09, 0.009, 0.001])
    for b in (rng.integers(1, 40, 60_000), np.where(rng.random(60_000) < 0.01, a, 1)):
        expected = adjusted_mutual_info_score(a, b)
        assert measure_agreement(a, b).adjusted_mutual_information == pytest.approx(expected, abs=1e-9)


SIZES_OF = {
    "K-Means": "kmeans",
    "SCHC": "SCHC ward",
    "SKATER": "SKATER",
    "REDCAP": "REDCAP fullorder-ward",
    "AZP (SA)": "AZP SA cooling=0.8 maxit=5",
    "AZP-initial": "AZP SA cooling=0.8 maxit=5 init=SCHC",
    "max-p 12": "max-p SA pop>=5% (422619)",
}
"""What the book calls a method where it prints the entropy, and where the sizes."""


@pytest.mark.parametrize("method", SIZES_OF)
def test_entropy_of_printed_sizes(method, published):
    """The book prints the sizes of Ceará's twelve clusters by seven methods, and in a table their entropy."""
    six = "mobility;environ;housing;sanitation;infra;gdpcap"
    book = {
        (row["method"], row["metric"]): row["value"]
        for row in reversed(published)  # of several runs of a method, the first is the one compared
        if row["dataset"].startswith("ceara") and row["variables"] == six and " book " in row["source"]
    }
    sizes, value = book[SIZES_OF[method], "sizes"], book[method, "entropy"]
    labels = np.repeat(np.arange(1, 13), [int(size) for size in sizes.split(";")])
    assert entropy(labels) == pytest.approx(float(value), abs=5e-5)


@given(pairs_of_labelings(30, 5, lowest=-1))
def test_contingency_counts_every_unit_in_clusters_of_both_once(case):
    a, b = case
    table = contingency(a, b)
    assert table.shape == (max(a.max(), 0), max(b.max(), 0))
    for x in range(1, table.shape[0] + 1):
        for y in range(1, table.shape[1] + 1):
            assert table[x - 1, y - 1] == ((a == x) & (b == y)).sum()


@given(pairs_of_labelings(14, 4))
def test_matching_shares_as_many_units_as_any_renumbering(case):
    reference, labels = case
    matched = match_labels(reference, labels)
    shared = (matched == reference).sum()
    table = contingency(reference, labels)
    side = max(table.shape)
    square = np.zeros((side, side), dtype=int)
    square[: table.shape[0], : table.shape[1]] = table
    most = max(sum(square[x, y] for y, x in enumerate(order)) for order in permutations(range(side)))
    assert shared == most
    assert measure_agreement(labels, matched).normalized_information_distance == 0.0  # the same clusters


def test_clusters_left_over_are_numbered_by_falling_size():
    reference = np.array([1, 1, 1, 1, 1, 1, 2, 2, 2, 0])
    labels = np.array([5, 5, 5, 4, 1, 1, 2, 2, -1, 7])
    # 5 and 2 are matched; of those left over 1 has two units, 4 and 7 one each
    assert match_labels(reference, labels).tolist() == [1, 1, 1, 4, 3, 3, 2, 2, -1, 5]


def test_no_cluster_is_given_the_number_of_one_it_shares_nothing_with():
    reference, labels = np.array([1, 1, 2, 0]), np.array([1, 1, 1, 2])
    assert match_labels(reference, labels).tolist() == [1, 1, 1, 3]
    nothing = np.zeros(4, dtype=int)
    assert match_labels(nothing, labels).tolist() == [1, 1, 1, 2]
    assert match_labels(reference, nothing).tolist() == [0, 0, 0, 0]


def test_lengths_must_be_the_same():
    for measure in (measure_agreement, adjusted_rand, contingency, match_labels):
        with pytest.raises(DataError, match="2 labels to compare with 3"):
            measure(np.array([1, 2]), np.array([1, 2, 3]))


def test_entropy_of_equal_clusters():
    assert entropy(np.repeat([1, 4, 9], 5)) == pytest.approx(math.log(3))
    assert math.copysign(1, entropy(np.array([2, 2, 0, -1]))) == 1.0
    assert entropy(np.array([0, -1])) == 0.0
