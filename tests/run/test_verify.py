"""The check after a run catches every way to be wrong."""

import numpy as np
import pytest

from regionalize.model.bounds import Bound
from regionalize.model.partition import Partition
from regionalize.model.weights import Weights
from regionalize.run.verify import verify

PATH = Weights.from_links(6, np.arange(5), np.arange(1, 6), kind="path")
ROWS = np.arange(6)


def judge(codes, k, bounds=(), rows=ROWS):
    verify(Partition.canonical(np.array(codes)), k, bounds, rows, PATH)


def test_what_is_right_passes():
    judge([0, 0, 0, 1, 1, 1], 2, (Bound("units", np.ones(6), 3, 3),))
    judge([0, 0, -1, 1, 1, 1], 2, (Bound("units", np.ones(5), 2, 3),), np.array([0, 1, 3, 4, 5]))


@pytest.mark.parametrize(
    ("codes", "k", "bounds", "said"),
    [
        ([0, 0, 0, 1, 1, 1], 3, (), "2 regions were made, not 3"),
        ([0, 0, 1, 1, 0, 0], 2, (), "region 1 is in 2 pieces"),
        ([0, 0, 0, 0, 1, 1], 2, (Bound("pop", np.ones(6), lower=3),), "region 2 holds 2 pop"),
        ([0, 0, 0, 0, 1, 1], 2, (Bound("pop", np.ones(6), upper=3),), "region 1 holds 4 pop"),
    ],
)
def test_what_is_wrong_does_not(codes, k, bounds, said):
    with pytest.raises(AssertionError, match=said):
        judge(codes, k, bounds)
