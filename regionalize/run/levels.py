"""Several numbers of clusters on one page: a map each, like clusters in like colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from regionalize.model.layer import Layer
    from regionalize.run.solve import Solution

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """One number of clusters.

    Attributes
    ----------
    k : int
        The number.
    labels : (n,) int64
        Clusters from 1, 0 for noise, negative for rows left out.
    bss_tss : float or None
        Share of the sum of squares of the attributes between clusters.
    pieces : int or None
        Connected pieces of all clusters; None where nothing is known of neighbours.
    """

    k: int
    labels: Labels
    bss_tss: float | None = None
    pieces: int | None = None

    @property
    def words(self) -> str:
        """What is said of it over its map."""
        said = [] if self.bss_tss is None else [f"BSS/TSS {self.bss_tss:.4f}"]
        if self.pieces is not None:
            clusters = len(np.unique(self.labels[self.labels > 0]))
            said.append("contiguous" if self.pieces == clusters else f"{self.pieces} pieces")
        return ", ".join(said)


def levels_of(solution: Solution) -> list[Level]:
    """Return the numbers of clusters that a solution has, rising."""
    from regionalize.measure.fragmentation import measure_fragmentation

    weights = solution.weights
    return [
        Level(
            found["k"],
            partition.labels,
            found["bss_tss_attributes"],
            None if weights is None else measure_fragmentation(partition.labels, weights).subclusters,
        )
        for found, partition in zip(solution.report.extra["levels"], solution.partitions, strict=True)
    ]


def draw_levels(
    layer: Layer,
    levels: Sequence[Level],
    base: int,
    target: Path | IO[bytes],
    suffix: str,
    *,
    title: str,
    footer: str,
    subtitle: str = "",
    dissolve_lines: bool = False,
) -> tuple[str, ...]:
    """Draw a map of each number of clusters on one page.

    Parameters
    ----------
    layer : Layer
        n rows.
    levels : sequence of Level
        Rising.
    base : int
        The one, of these numbers, whose clusters keep their own numbers and so their colours; clusters of
        the others have those of the clusters they share most units with.
    target, suffix
        Where to write, and the ending of the format.
    title, footer, subtitle : str
        Lines above and below.
    dissolve_lines : bool
        Outline the clusters.

    Returns
    -------
    tuple of str
        What the person should know, also which numbers there was no room for.
    """
    from regionalize.maps.multiples import MOST_PANELS, Panel, draw_maps
    from regionalize.maps.picture import format_of

    shown = chosen_levels([level.k for level in levels], base, MOST_PANELS)
    kept = in_like_colours([level for level in levels if level.k in shown], base)
    left_out = [str(level.k) for level in levels if level.k not in shown]
    legend = f"Numbers and colours are those of k = {base}; elsewhere, of the cluster that is most alike."
    notes = (f"the map has room for {MOST_PANELS} numbers of clusters, without {', '.join(left_out)}",)
    return (notes if left_out else ()) + draw_maps(
        layer.geometry,
        [Panel(level.labels, f"k = {level.k}", level.words) for level in kept],
        target,
        file_format=format_of(suffix),
        title=title,
        subtitle=" ".join([subtitle, legend] if len(kept) > 1 else [subtitle]),
        footer=footer,
        crs=layer.crs,
        dissolve_lines=dissolve_lines,
    )


def chosen_levels(numbers: Sequence[int], base: int, most: int) -> set[int]:
    """Choose up to `most` numbers evenly, the first, the last and `base` among them.

    Examples
    --------
    >>> sorted(chosen_levels([2, 3, 4, 5, 6, 7, 8], 4, 4))
    [2, 4, 6, 8]
    >>> sorted(chosen_levels(range(2, 12), 5, 4))
    [2, 5, 8, 11]
    >>> sorted(chosen_levels([2, 3, 4, 5, 6, 7, 8], 3, 4))
    [2, 3, 6, 8]
    """
    if len(numbers) <= most:
        return set(numbers)
    place = np.rint(np.linspace(0, len(numbers) - 1, most)).astype(np.int64)
    at = list(numbers).index(base)
    if at not in place:
        place[1 + np.argmin(np.abs(place[1:-1] - at))] = at
    return {numbers[one] for one in place.tolist()}


def in_like_colours(levels: Sequence[Level], base: int) -> list[Level]:
    """Give the clusters of all levels the numbers of those of `base` they are most alike.

    Going up and down from there, each level is matched to the one before, so that a cluster keeps its number
    from map to map as long as most of it stays together; what is new has a new number.
    """
    from regionalize.measure.agreement import match_labels

    at = [level.k for level in levels].index(base)
    found = list(levels)
    for places in (range(at + 1, len(found)), range(at - 1, -1, -1)):
        before = at
        for place in places:
            labels = match_labels(found[before].labels, found[place].labels)
            found[place] = replace(found[place], labels=labels)
            before = place
    return found
