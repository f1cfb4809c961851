"""The dendrogram: which clusters were joined, in which order and how different they were, as a picture."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.maps.colors import NOISE_COLOR, cluster_color
from regionalize.maps.picture import FileFormat, blank_page, check_format, drawing, fill_page, save_page
from regionalize.maps.plots.axes import Scale, rules_up, sorted_out
from regionalize.maps.plots.branches import MOST_LEAVES, Branches, Join, select_branches
from regionalize.maps.sheet import GAP, GREY, INK, MARGIN, Surround, Words
from regionalize.maps.text import Font, clean, fonts_for, unknown_letters

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

PLOT_WIDTH = 400.0
PITCHES = ((60, 12.0), (120, 8.0), (10**9, 5.5))
"""Points from leaf to leaf, by how many there are at most."""
TRUNK = "#4d4d4d"
SHORT = 32
"""Letters of a unit's name that are shown."""
MARKS = 300
"""Places along the axis where joins that are not drawn are marked."""
BAR_WIDTH = 5.0


def draw_dendrogram(
    merges: NDArray[np.float64],
    target: pathlib.Path | IO[bytes],
    *,
    file_format: FileFormat,
    units: int,
    k: int,
    title: str,
    footer: str,
    cut: float | None = None,
    truncate: int | None = None,
    names: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Draw the last joins of a hierarchy, coloured as the map is, and where it was cut.

    Heights are on the axis. A join less different than one before it (that happens where only neighbours may
    be joined, and with centroid and median linkage) is drawn a hair above that one, with a ring at its own
    height, and counted in a note: joins stay in their order, and the line of the cut crosses k branches. What
    was joined before the branches that are drawn is one wedge with its number of units, and a mark for every
    join. Components that are apart are trees apart.

    Parameters
    ----------
    merges : (m, 3) float64
        Two nodes and a height of each join: units are nodes 0 … n - 1, and join i makes node n + i.
    target : Path or binary file
        Where to write. A path is overwritten as it is: the caller sees to safe replacement.
    file_format : {"png", "svg", "pdf"}
        What to write.
    units : int
        How many were joined, n.
    k : int
        Clusters: the last joins above them are grey, those below in the cluster's colour.
    title, footer : str
        Lines above and below.
    cut : float, optional
        The height that leaves k clusters, where the line is to be.
    truncate : int, optional
        Branches to draw: 40 unless given, always at least k, and at most 200.
    names : sequence of str, optional
        What the n units are called; numbers from 1 unless given.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Raises
    ------
    DataError
        When nothing was joined, or fewer than k clusters can be cut off.
    UsageError
        For another file format.

    Examples
    --------
    >>> import io
    >>> merges = np.array([[0.0, 1, 1.0], [2, 3, 4.0]])
    >>> draw_dendrogram(merges, io.BytesIO(), file_format="svg", units=3, k=2, title="SCHC", footer="")
    ()
    """
    check_format(file_format, "dendrogram")
    if not len(merges):
        raise DataError("there is nothing to draw: no units were joined", advice="leave the dendrogram out")
    if not units - len(merges) <= k <= units:
        raise DataError(
            f"a hierarchy of {len(merges)} joins of {units} units cannot be cut into {k} clusters"
        )
    branches = select_branches(np.asarray(merges, dtype=np.float64), units, k, cut=cut, most=truncate)
    title, footer = clean(title), clean(footer)
    beside = [_name(leaf.node, leaf.units, names) for leaf in branches.leaves]
    with drawing():
        families, unknown = fonts_for([title, footer, *beside])
        page = _Page(branches, beside, families, title, footer)
        save_page(page.draw(), target, file_format, title)
    return tuple(_notes(branches, k, truncate, unknown))


def _name(node: int, units: int, names: Sequence[str] | None) -> str:
    """Say what a branch starts from: a unit, or the number of those that are joined before."""
    if units > 1:
        return f"({units:,} units)"
    name = f"no. {node + 1}" if names is None else clean(names[node])
    return name if len(name) <= SHORT else f"{name[: SHORT - 1]}…"


def _notes(branches: Branches, k: int, truncate: int | None, unknown: str) -> Iterator[str]:
    if branches.falling:
        many = branches.falling > 1
        yield (
            f"{branches.falling} {'joins' if many else 'join'} in the dendrogram {'are' if many else 'is'} "
            "of clusters less different than some joined before, and drawn just above those; rings are at "
            f"{'their' if many else 'its'} own height{'s' if many else ''}"
        )
    if branches.cut is None:
        yield f"the dendrogram has room for the last {len(branches.leaves)} branches, not for {k} clusters"
    if truncate is not None and truncate < k <= len(branches.leaves):
        yield f"the dendrogram begins with {len(branches.leaves)} branches, not {truncate}: one per cluster"
    if truncate is not None and truncate > len(branches.leaves) >= MOST_LEAVES:
        yield f"the dendrogram begins with {len(branches.leaves)} branches, not {truncate}: the most that fit"
    if branches.beyond:
        yield "the cut is beyond the dendrogram's end, and its line is drawn there"
    if branches.left_out:
        yield f"the dendrogram leaves out {branches.left_out:,} components"
    if unknown:
        yield unknown_letters(unknown)


class _Page:
    """Where everything is, in points from the lower left corner."""

    def __init__(
        self, branches: Branches, names: list[str], families: list[str], title: str, footer: str
    ) -> None:
        self.branches, self.names = branches, names
        self.pitch = next(pitch for most, pitch in PITCHES if len(branches.leaves) <= most)
        self.small = Font(families, min(7.0, 0.8 * self.pitch))
        self.bold = Font(families, min(7.5, 0.85 * self.pitch), bold=True)
        self.axis_font = Font(families, 7.0)

        wide = max(self.small.width(name) for name in self.names)
        self.numbers = self._runs()
        number = max((self.bold.width(str(cluster)) for cluster, _, _ in self.numbers), default=0.0)
        inside = number + 4 + BAR_WIDTH + 6 + wide + 4 + PLOT_WIDTH + 10
        around = Surround.of(families, title, "", footer, inside)
        self.left = MARGIN + number + 4 + BAR_WIDTH + 6 + wide + 4
        self.bottom = MARGIN + around.under + (GAP / 2 if around.below else 0.0) + 26
        self.plot_height = self.pitch * len(branches.leaves)
        top = self.bottom + self.plot_height
        self.width = float(np.ceil(inside + 2 * MARGIN))
        over = around.over + (GAP * 0.6 if around.above else 0.0)
        self.height = float(np.ceil(top + over + MARGIN))
        ends = [join.height for join in branches.joins] + [leaf.height for leaf in branches.leaves]
        self.longest = max(*ends, branches.cut or 0.0) * 1.02 or 1.0

        self.words = [*around.head(self.height), *around.foot()]

    def x(self, height: float) -> float:
        """Return where a height is."""
        return self.left + height / self.longest * PLOT_WIDTH

    def y(self, place: float) -> float:
        """Return where a leaf is; the first is on top."""
        return self.bottom + self.plot_height - (place + 0.5) * self.pitch

    def _runs(self) -> list[tuple[int, int, int]]:
        """Cluster, first and last leaf of every run of leaves of one cluster."""
        runs: list[tuple[int, int, int]] = []
        for place, leaf in enumerate(self.branches.leaves):
            if runs and runs[-1][0] == leaf.cluster:
                runs[-1] = (leaf.cluster, runs[-1][1], place)
            elif leaf.cluster:
                runs.append((leaf.cluster, place, place))
        return runs

    def draw(self) -> Figure:
        """Put everything on the page."""
        figure, points = blank_page(self.width, self.height)
        # drawing the shapes finds what words go beside them
        artists = [*self._axis(points), *self._joins(points), *self._leaves(points), *self._cut(points)]
        fill_page(figure, artists, self.words, points)
        return figure

    def _axis(self, points: Transform) -> Iterator[Artist]:
        """Light lines at round heights, with their numbers below."""
        heights = Scale(0.0, self.longest, self.left, PLOT_WIDTH)
        ticks = heights.rounded(6)
        ends = self.bottom, self.bottom + self.plot_height
        texts = [f"{tick:g}" for tick in ticks]
        artists, words = sorted_out(
            rules_up([heights.place(tick) for tick in ticks], texts, ends, self.axis_font, points)
        )
        yield from artists
        self.words += words
        name = "difference of the clusters joined"
        self.words.append(Words(self.left, self.bottom - 20, name, self.axis_font, GREY))

    def _joins(self, points: Transform) -> Iterator[Artist]:
        """One path per colour: what is above the cut first, then cluster by cluster."""
        lines: dict[int, list[list[tuple[float, float]]]] = {}
        for join in self.branches.joins:
            corners = [
                (self.x(join.low_height), self.y(join.low)),
                (self.x(join.height), self.y(join.low)),
                (self.x(join.height), self.y(join.high)),
                (self.x(join.high_height), self.y(join.high)),
            ]
            lines.setdefault(join.cluster, []).append(corners)
        for stem in self.branches.stems:
            ends = [(self.x(height), self.y(stem.place)) for height in (stem.begin, stem.end)]
            lines.setdefault(stem.cluster, []).append(ends)
        for cluster in sorted(lines):
            name = f"cluster-{cluster}" if cluster else "above-the-cut"
            yield _strokes(lines[cluster], cluster, points, 1.3 if cluster else 0.9, name)
        yield from (self._ring(join, points) for join in self.branches.joins if join.own is not None)

    def _ring(self, join: Join, points: Transform) -> Artist:
        """Mark the own height of a join that is drawn above it."""
        from matplotlib.patches import Circle

        assert join.own is not None
        return Circle(
            (self.x(join.own), self.y((join.low + join.high) / 2)),
            2.0,
            transform=points,
            facecolor="white",
            edgecolor=cluster_color(join.cluster) if join.cluster else TRUNK,
            linewidth=0.9,
            gid="own-height",
            zorder=3,
        )

    def _leaves(self, points: Transform) -> Iterator[Artist]:
        """Wedges with marks for what is not drawn join by join; names, and a bar beside each cluster."""
        from matplotlib.patches import Polygon, Rectangle

        for place, (leaf, name) in enumerate(zip(self.branches.leaves, self.names, strict=True)):
            y, color = self.y(place), cluster_color(leaf.cluster) if leaf.cluster else NOISE_COLOR
            self.words.append(
                Words(self.left - 4, y - 0.35 * self.small.size, name, self.small, GREY, right=True)
            )
            if leaf.units > 1:
                half, end = 0.36 * self.pitch, max(self.x(leaf.height), self.left + 1.0)
                corners = [(self.left, y - half), (self.left, y + half), (end, y)]
                yield Polygon(
                    corners,
                    transform=points,
                    facecolor=color,
                    alpha=0.35,
                    edgecolor="none",
                    zorder=3,
                    gid="joined-before",
                )
                marks = sorted({round(height / self.longest * MARKS) for height in leaf.held})
                across = [
                    [(x, y - 0.7 * half), (x, y + 0.7 * half)]
                    for x in (self.left + mark * PLOT_WIDTH / MARKS for mark in marks)
                ]
                yield _strokes(across, leaf.cluster, points, 0.7, f"joins-before-{place + 1}")
        bar = MARGIN + max((self.bold.width(str(one)) for one, _, _ in self.numbers), default=0.0) + 4
        for cluster, first, last in self.numbers:
            low, high = self.y(last) - 0.4 * self.pitch, self.y(first) + 0.4 * self.pitch
            yield Rectangle(
                (bar, low),
                BAR_WIDTH,
                high - low,
                transform=points,
                facecolor=cluster_color(cluster),
                edgecolor="none",
                gid=f"bar-cluster-{cluster}",
            )
            middle = (low + high) / 2 - 0.35 * self.bold.size
            self.words.append(Words(bar - 4, middle, str(cluster), self.bold, INK, right=True))

    def _cut(self, points: Transform) -> Iterator[Artist]:
        """Draw the line that crosses as many branches as there are clusters."""
        from matplotlib.lines import Line2D

        if self.branches.cut is None:
            return
        x = self.x(self.branches.cut)
        top = self.bottom + self.plot_height
        yield Line2D(
            [x, x],
            [self.bottom, top],
            transform=points,
            color=INK,
            lw=0.9,
            linestyle=(0, (4, 3)),
            zorder=4,
            gid="cut",
        )


def _strokes(
    lines: list[list[tuple[float, float]]], cluster: int, points: Transform, width: float, name: str
) -> Artist:
    """Make one path of several lines, in the colour of their cluster."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = [code for line in lines for code in (Path.MOVETO, *[Path.LINETO] * (len(line) - 1))]
    return PathPatch(
        Path(np.concatenate(lines), codes),
        transform=points,
        facecolor="none",
        edgecolor=cluster_color(cluster) if cluster else TRUNK,
        linewidth=width,
        joinstyle="miter",
        capstyle="butt",
        gid=name,
        zorder=4 if name.startswith("joins") else 2,
    )
