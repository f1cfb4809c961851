"""The checker against clusters broken on purpose."""

import numpy as np
import pytest

from regionalize.errors import DataError, UsageError
from regionalize.measure.checks import check_partition, find_faults, parse_requirements
from regionalize.model.weights import Weights


def rows_of(check):
    return {label: [rows.tolist() for rows in pieces] for label, pieces in check.pieces.items()}


def test_a_sound_partition_has_nothing_against_it(path_of_four):
    check = check_partition(np.array([1, 1, 2, 2]), path_of_four, k=2)
    assert (check.sizes, check.missing, check.pieces, check.contiguous, check.k) == (
        {1: 2, 2: 2},
        (),
        {},
        True,
        2,
    )


def test_pieces_come_largest_first():
    path = np.arange(6)
    weights = Weights.from_links(7, path, path + 1, kind="one way")
    check = check_partition(np.array([1, 2, 1, 1, 2, 1, 1]), weights)
    assert rows_of(check) == {1: [[2, 3], [5, 6], [0]], 2: [[1], [4]]}


def test_missing_numbers_noise_and_rows_left_out_are_counted(path_of_four):
    check = check_partition(np.array([4, 0, -1, 1]), path_of_four, k=5)
    assert (check.missing, check.noise, check.left_out, check.k) == ((2, 3, 5), 1, 1, 2)
    assert check.contiguous


def test_nothing_at_all():
    check = check_partition(
        np.zeros(0, dtype=int), Weights.from_links(0, *np.zeros((2, 0), dtype=int), kind="none")
    )
    assert (check.sizes, check.missing, check.contiguous) == ({}, (), True)


def test_every_broken_cluster_of_guerry_is_found(shared_reference, guerry_queen):
    expected = shared_reference["validation"][1]
    labels = np.array(expected["labels"])
    check = check_partition(labels, guerry_queen, k=6)
    counts = sorted(len(pieces) for pieces in check.pieces.values())
    assert counts == sorted(row["n"] for row in expected["cluster_fragmentation"] if row["n"] > 1)
    for label, pieces in check.pieces.items():
        np.testing.assert_array_equal(np.sort(np.concatenate(pieces)), np.flatnonzero(labels == label))
    for number in (0, 2, 3):
        assert check_partition(
            np.array(shared_reference["validation"][number]["labels"]), guerry_queen
        ).contiguous


def test_labels_must_match_weights(path_of_four):
    with pytest.raises(DataError, match="1 labels for the 4 units"):
        check_partition(np.array([1]), path_of_four)


NAMES = np.array(["Ain", "Aisne", "Allier", "Ardèche"], dtype=object)


@pytest.mark.parametrize(
    ("labels", "required", "faults"),
    [
        ([1, 1, 2, 2], "contiguous,k=2,min-size=2,max-size=2", []),
        ([1, 2, 2, 1], "contiguous", ["Cluster 1 (2 units) is in 2 pieces: 1 (Ain), 1 (Ardèche)."]),
        ([1, 1, 2, 2], "k=3", ["There are 2 clusters, not 3."]),
        ([1, 1, 0, -1], "k=2", ["There is 1 cluster, not 2."]),
        ([1, 1, 1, 2], "min-size=2", ["Cluster 2 has 1 unit, fewer than 2: Ardèche."]),
        ([1, 1, 1, 2], "max-size=2", ["Cluster 1 has 3 units, more than 2: Ain, Aisne, Allier."]),
        ([1, 1, 1, 1], "max-size=3", ["Cluster 1 has 4 units, more than 3: Ain, Aisne, Allier and 1 more."]),
        (
            [1, 2, 1, 2],
            "k=1,contiguous",
            [
                "There are 2 clusters, not 1.",
                "Cluster 1 (2 units) is in 2 pieces: 1 (Ain), 1 (Allier).",
                "Cluster 2 (2 units) is in 2 pieces: 1 (Aisne), 1 (Ardèche).",
            ],
        ),
    ],
)
def test_faults_name_cluster_counts_and_units(labels, required, faults, path_of_four):
    assert find_faults(np.array(labels), path_of_four, parse_requirements(required), NAMES) == faults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contigous", "did you mean 'contiguous'"),
        ("population=3", "cannot be required"),
        ("min-size", "needs a whole number"),
        ("min-size=", "needs a whole number"),
        ("min-size=ten", "needs a whole number"),
        ("min-size=0", "needs a whole number"),
        ("k=-3", "needs a whole number"),
        ("contiguous=1", "takes no number"),
        (" , ", "nothing is required"),
    ],
)
def test_a_requirement_that_cannot_be_meant_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_requirements(text)


@pytest.mark.parametrize("requirements", [{"min-size": None}, {"wealth": 3}])
def test_a_mapping_that_cannot_be_meant_is_refused(requirements, path_of_four):
    with pytest.raises(UsageError):
        find_faults(np.array([1, 1, 2, 2]), path_of_four, requirements, NAMES)
