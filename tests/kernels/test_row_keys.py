"""Numbers of rows, mixed, beside the published sequence of SplitMix64, whose mixer is the same."""

from __future__ import annotations

import numpy as np

from regionalize.kernels.row_keys import STEP, mixed


def test_as_splitmix64_begins_with_seed_0():
    numbers = mixed(np.arange(1, 4, dtype=np.uint64) * STEP)
    assert [hex(number) for number in numbers.tolist()] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]
