"""What results of Python calls write: reports and plots, into files or for a notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from regionalize.errors import UsageError

if TYPE_CHECKING:
    from regionalize.run.solve import Solution


class Picture(bytes):
    """A PNG that notebooks show."""

    def _repr_png_(self) -> bytes:
        return bytes(self)


def written_to(path: str | Path, write: Callable[[Path, str], object]) -> Path:
    """Write a report into a file, whole or not at all; `write` is given where to, and the ending."""
    from regionalize.io.atomic import replacing
    from regionalize.run.reports import REPORTS

    path = Path(path)
    if path.suffix.lower() not in REPORTS:
        raise UsageError(f"a report cannot be written as '{path.suffix}'", advice=f"use {', '.join(REPORTS)}")
    with replacing(path) as target:
        write(target, path.suffix)
    return path


def drawn_to(
    path: str | Path | None,
    draw: Callable[[Path | IO[bytes], str], object],
    endings: tuple[str, ...] | None = None,
) -> Path | Picture:
    """Draw into a file, or as a picture where there is none; `draw` is given where to, and the ending.

    `endings` are the formats there are: of pictures, if they are not told.
    """
    from regionalize.io.atomic import replacing
    from regionalize.run.side_files import PICTURES

    if path is None:
        drawn = BytesIO()
        draw(drawn, ".png")
        return Picture(drawn.getvalue())
    path = Path(path)
    endings = endings or PICTURES
    if path.suffix.lower() not in endings:
        raise UsageError(
            f"a picture cannot be written as '{path.suffix}'", advice=f"use {', '.join(endings)}"
        )
    with replacing(path) as target:
        draw(target, path.suffix)
    return path


class Drawable:
    """What holds a solution, and so can tell of it and draw its units and clusters.

    Every plot goes into `path` (PNG, SVG or PDF by its ending), or is a picture that a notebook shows.
    """

    solution: Solution

    def write_report(self, path: str | Path, *, dissolve_lines: bool = False) -> Path:
        """Write the report into `path`: JSON, CSV, Markdown or a page (``.html``), by its ending.

        `dissolve_lines` outlines the clusters on the map of the page.
        """
        from regionalize.run.reports import write_solution

        def write(target: Path, suffix: str) -> None:
            write_solution(self.solution, target, suffix, dissolve_lines=dissolve_lines)

        return written_to(path, write)

    def scatter(self, path: str | Path | None = None, *, axes: str | Sequence[str] = ()) -> Path | Picture:
        """Draw the units as points, by the two columns `axes` or by principal components, with centres."""
        from regionalize.run.plots import draw_units

        return drawn_to(path, partial(draw_units, self.solution, axes=axes))

    def parallel(self, path: str | Path | None = None) -> Path | Picture:
        """Draw the clusters over all variables, as parallel coordinates."""
        from regionalize.run.plots import draw_variables

        return drawn_to(path, partial(draw_variables, self.solution))

    def profile(self, time_columns: str | Sequence[str], path: str | Path | None = None) -> Path | Picture:
        """Draw mean and standard deviation of every cluster over columns that are steps of time.

        `time_columns` is a range such as ``"d1-d40"``, or a list of names. CSV is the figures of the plot.
        """
        from regionalize.run.plots import profile_to
        from regionalize.run.side_files import FIGURES

        return drawn_to(path, partial(profile_to, self.solution, columns=time_columns), FIGURES)

    def plot_silhouettes(self, path: str | Path | None = None) -> Path | Picture:
        """Draw the silhouettes of the units, longest first within their clusters; CSV is a row per unit."""
        from regionalize.run.side_files import FIGURES
        from regionalize.run.silhouettes import silhouettes_to

        return drawn_to(path, partial(silhouettes_to, self.solution), FIGURES)
