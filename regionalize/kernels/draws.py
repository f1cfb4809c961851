"""Random numbers inside kernels: the same in machine code and in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LARGEST = 2147483562
"""Of the first generator's states; the second's end a little earlier."""


def initial_state(seed: Sequence[int]) -> NDArray[np.int64]:
    """Return the state (2,) from which `draw` begins with a seed.

    Examples
    --------
    >>> bool((initial_state((1, 0)) != initial_state((1, 1))).any())
    True
    """
    return np.random.default_rng(seed).integers(1, 2147483399, size=2)


def draw(state: NDArray[np.int64]) -> float:
    """Draw a number between 0 and 1 by two multiplicative generators together (L'Ecuyer 1988).

    Products stay below 2^47, so that no integer overflows. `state` (2,) holds numbers from 1 to 2147483398.

    Examples
    --------
    >>> state = np.array([1, 1])
    >>> first, second = draw(state), draw(state)
    >>> bool(0 < first < 1 and 0 < second < 1 and first != second)
    True
    """
    state[0] = state[0] * 40014 % 2147483563
    state[1] = state[1] * 40692 % 2147483399
    number = state[0] - state[1]
    if number < 1:
        number += LARGEST
    return float(number / 2147483563.0)
