"""Time profiles: the mean of every step, and a standard deviation about it, cluster by cluster."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.maps.classes import cluster_entries
from regionalize.maps.colors import cluster_color, cluster_turn
from regionalize.maps.picture import FileFormat, check_format, drawing, save_page
from regionalize.maps.plots.axes import (
    Scale,
    line,
    numbers_text,
    round_values,
    rules_across,
    sorted_out,
    ticks_below,
)
from regionalize.maps.plots.panels import Key, Panels, columns_for
from regionalize.maps.sheet import GREY, Words
from regionalize.maps.text import clean, fonts_for, unknown_letters
from regionalize.maps.units import DASHES, name_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform

FloatArray = NDArray[np.float64]

PANEL = (170.0, 100.0)
INSET = 6.0
LEFT, BELOW = 36.0, 22.0
MOST_COLUMNS = 5
MOST_PANELS = 60
"""Clusters on one page."""
LONGEST_STEP = 42.0
"""Room for the name of a step."""
BEYOND = 5.0
"""By how much names may reach over the end of an axis, towards those of the next panel."""
DOTTED = 40
"""Steps that each have a dot on the line."""


def draw_profile(
    means: FloatArray,
    deviations: FloatArray,
    target: pathlib.Path | IO[bytes],
    *,
    file_format: FileFormat,
    steps: Sequence[str],
    sizes: Mapping[int, int],
    title: str,
    subtitle: str = "",
    footer: str = "",
    of_all: FloatArray | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[str, ...]:
    """Draw a panel for every cluster: a line through its means, and a ribbon of a standard deviation.

    All panels have the same axes.

    Parameters
    ----------
    means, deviations : (g, t) float64
        Of every cluster and step; NaN where there is none, which leaves a gap.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    steps : sequence of str
        Names of the t steps.
    sizes : mapping of int to int
        Units by label, in the order of the rows: clusters from 1, 0 for noise.
    title, subtitle, footer : str
        Lines above and below.
    of_all : (t,) float64, optional
        Means of all units, a grey line in every panel.
    names : mapping of int to str, optional
        What clusters are called where that is not their number.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        No cluster has a value.
    UsageError
        Another file format.

    Examples
    --------
    >>> import io
    >>> means, deviations = np.array([[1.0, 2.0]]), np.array([[0.5, 0.1]])
    >>> said = {"steps": ["d1", "d2"], "sizes": {1: 7}, "title": "k-means"}
    >>> draw_profile(means, deviations, io.BytesIO(), file_format="svg", **said)
    ()
    """
    check_format(file_format, "plot")
    if not np.isfinite(means).any():
        raise DataError("there is nothing to draw: no step has a value", advice="leave the profile out")
    entries = cluster_entries(sizes, names or {})
    row = {label: place for place, label in enumerate(sizes)}
    shown = entries[:MOST_PANELS]
    steps = [clean(step) for step in steps]
    said = clean(title), clean(subtitle), clean(footer)
    with drawing():
        families, unknown = fonts_for([*said, *steps, *(entry.text for entry in shown)])
        columns = columns_for(len(shown), PANEL[0] + 16, PANEL[1] + BELOW + 16, MOST_COLUMNS)
        heads = [[Key(entry.label, entry.text, entry.count or 0)] for entry in shown]
        page = Panels(families, said, heads, PANEL, left=LEFT, below=BELOW, columns=columns)
        figure, points = page.blank()
        order = [row[entry.label] for entry in shown]
        plot = _Plot(page, steps, means[order], deviations[order], of_all)
        artists, words = sorted_out(
            thing for place in range(len(shown)) for thing in plot.panel(place, shown[place].label, points)
        )
        page.fill(figure, artists, words, points, "lines")
        save_page(figure, target, file_format, said[0])
    notes = [unknown_letters(unknown)] if unknown else []
    if len(entries) > len(shown):
        notes.append(f"the profile shows {len(shown)} of {len(entries)} clusters, the first")
    return tuple(notes)


class _Plot:
    """What is in the panels."""

    def __init__(
        self,
        page: Panels,
        steps: Sequence[str],
        means: FloatArray,
        deviations: FloatArray,
        of_all: FloatArray | None,
    ) -> None:
        self.page, self.steps, self.means, self.of_all = page, steps, means, of_all
        away = np.where(np.isfinite(deviations), deviations, 0.0)
        self.low, self.high = means - away, means + away
        least, most = float(np.nanmin(self.low)), float(np.nanmax(self.high))
        self.ticks = round_values(least, most, 4)
        self.ends = min(self.ticks[0], least), max(self.ticks[-1], most)

    def panel(self, place: int, label: int, points: Transform) -> Iterator[Artist | Words]:
        """Axes, ribbon and line of one cluster."""
        from matplotlib.lines import Line2D

        (left, bottom), (wide, high) = self.page.corners[place], self.page.size
        across = Scale(0.0, len(self.steps) - 1.0, left + INSET, wide - 2 * INSET)
        up = Scale(*self.ends, bottom, high)
        heights = [up.place(tick) for tick in self.ticks]
        texts = numbers_text(self.ticks) if self.page.starts_row(place) else [""] * len(heights)
        for thing in rules_across(heights, texts, (left, left + wide), self.page.small, points):
            if not isinstance(thing, Words) or thing.text:
                yield thing
        yield line([left, left + wide], [bottom, bottom], points, GREY, 2)
        if self.page.ends_column(place):
            yield from self._names(across, left, bottom, points)
        xs = [across.place(step) for step in range(len(self.steps))]
        if self.of_all is not None:
            yield Line2D(
                xs,
                _heights(up, self.of_all),
                transform=points,
                color="#a6a6a6",
                lw=0.8,
                zorder=2,
                gid="of-all",
            )
        ribbon = _ribbon(xs, _heights(up, self.low[place]), _heights(up, self.high[place]))
        if ribbon is not None:
            yield _filled(ribbon, label, points)
        dash: Any = DASHES[cluster_turn(label) % len(DASHES)]
        yield Line2D(
            xs,
            _heights(up, self.means[place]),
            transform=points,
            color=cluster_color(label),
            linestyle=dash,
            lw=1.5,
            marker="o" if len(xs) <= DOTTED else "",
            ms=2.6,
            zorder=3,
            gid=f"mean-{name_of(label)}",
        )

    def _names(
        self, across: Scale, left: float, bottom: float, points: Transform
    ) -> Iterator[Artist | Words]:
        """Name as many steps as there is room for, evenly, the first always."""
        small = self.page.small
        texts = self.steps
        if max(map(small.width, texts)) > LONGEST_STEP:
            texts = [small.fit(step, LONGEST_STEP) for step in without_beginning(texts)]
        longest = max(map(small.width, texts))
        inwards = max(longest / 2 - INSET - BEYOND, 0.0)
        pitch = across.length / max(len(texts) - 1, 1)
        every = max(int(np.ceil((longest + inwards + 5) / pitch)), 1)
        least, most = left - BEYOND, left + self.page.size[0] + BEYOND
        for step in range(0, len(texts), every):
            for thing in ticks_below([across.place(step)], [texts[step]], bottom, small, points):
                if isinstance(thing, Words):
                    yield replace(thing, x=max(min(thing.x, most - small.width(thing.text)), least))
                else:
                    yield thing


def without_beginning(names: Sequence[str]) -> list[str]:
    """Return names without the words or letters that all begin with: the end tells one step from another.

    Examples
    --------
    >>> without_beginning(["income_per_head_2010", "income_per_head_2020"])
    ['…2010', '…2020']
    >>> without_beginning(["visits2010", "visits2011"]), without_beginning(["before", "after"])
    (['…2010', '…2011'], ['before', 'after'])
    """
    first, last = (min(names), max(names)) if len(names) > 1 else ("", "")
    alike = next((at for at in range(len(first)) if last[at : at + 1] != first[at]), len(first))
    shared = first[:alike]
    whole_words = re.sub(r"[^\W_]+$", "", shared)
    beginning = len(whole_words or re.sub(r"\d+$", "", shared))
    return [f"…{name[beginning:]}" if beginning > 1 and name[beginning:] else name for name in names]


def _heights(up: Scale, values: FloatArray) -> list[float]:
    """Return where values are; NaN stays NaN, which leaves a gap."""
    return [up.place(value) if np.isfinite(value) else float("nan") for value in values.tolist()]


def _ribbon(
    xs: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> list[list[tuple[float, float]]] | None:
    """Return the outline of every run of steps that have values; a step by itself is a narrow bar."""
    there = [not (np.isnan(a) or np.isnan(b)) for a, b in zip(low, high, strict=True)]
    runs: list[list[int]] = []
    for step, has in enumerate(there):
        if has and step and there[step - 1]:
            runs[-1].append(step)
        elif has:
            runs.append([step])
    outlines = []
    for run in runs:
        if len(run) == 1:
            at = run[0]
            sides = [(xs[at] - 1.2, at), (xs[at] + 1.2, at)]
        else:
            sides = [(xs[at], at) for at in run]
        outlines.append([(x, low[at]) for x, at in sides] + [(x, high[at]) for x, at in reversed(sides)])
    return outlines or None


def _filled(outlines: list[list[tuple[float, float]]], label: int, points: Transform) -> Artist:
    """Return the ribbon of a cluster."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    path = Path.make_compound_path(*(Path([*outline, outline[0]], closed=True) for outline in outlines))
    return PathPatch(
        path,
        transform=points,
        facecolor=cluster_color(label),
        edgecolor="none",
        alpha=0.3,
        zorder=2,
        gid=f"sd-{name_of(label)}",
    )
