"""`Findings`: what a method found besides the regions; it fills them in, the run shows and writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.model.centers import Centers


@dataclass
class Findings:
    """Empty when a method is called; it leaves here what it has to tell.

    Attributes
    ----------
    facts : dict
        Plain numbers and words for the report: iterations made, what the start was worth …
    notes : list of str
        Sentences for the person.
    levels : dict of int to (n,) int64
        Coarser regions, by their number, of a method that nests them.
    merges : (m, 3) float64 or None
        Joins of a hierarchy in their order: two nodes and a height. Units are nodes 0 … n - 1, and join i
        makes node n + i. Fewer than n - 1 where components are apart.
    tree : (t, 2) int64 or None
        Links of the spanning forest that was cut.
    medoids : (k,) int64 or None
        The row of X that stands for each cluster 0 … k - 1.
    columns : dict of str to (n,) array
        What is known of every unit besides its cluster: how likely it is there, how far outside …
    centers : Centers or None
        Centres that were given and not found, with the recipe that rows were scaled by.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    levels: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    merges: NDArray[np.float64] | None = None
    tree: NDArray[np.int64] | None = None
    medoids: NDArray[np.int64] | None = None
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    centers: Centers | None = None
