"""Files written beside the layer: a row for each kind, with its endings and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.run.reports import REPORTS
from regionalize.run.web import PAGE

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.run.solve import Solution

PICTURES = (".png", ".svg", ".pdf")
FIGURES = (*PICTURES, ".csv")
"""What is drawn, or written in figures."""
MAPS = (*PICTURES, PAGE)


@dataclass(frozen=True)
class SideFile:
    """A kind of file.

    Attributes
    ----------
    option : str
        As it is typed, without the dashes: a key of `regionalize.model.job.Outputs.paths`.
    endings : tuple of str
        What a file may end in; the ending decides the form.
    write : callable
        Given the solution, where to write, and all that is written; returns notes.
    word : str
        What to say of a word that is typed in the place of a file, if another option takes it.
    """

    option: str
    endings: tuple[str, ...]
    write: Callable[[Solution, Path, Outputs], tuple[str, ...]]
    word: str = ""


def write_report(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Write the report."""
    from regionalize.run.reports import write_solution

    assert outputs.report is not None
    write_solution(solution, target, outputs.report.suffix, dissolve_lines=outputs.dissolve_lines)
    return ()


def write_centers(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Write what stands for each cluster, and how to scale other rows like these."""
    from regionalize.io.centers import write_centers
    from regionalize.run.centers import centers_of
    from regionalize.run.outputs import label_names

    named = label_names(outputs.label_column, solution.job)[-1]
    write_centers(target, centers_of(solution), label_column=named, overwrite=True)
    return ()


def write_map(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Draw the map."""
    from regionalize.run.pictures import draw_solution

    assert outputs.map is not None
    return draw_solution(solution, target, outputs.map.suffix, dissolve_lines=outputs.dissolve_lines)


def write_outliers(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """List the units of noise."""
    from regionalize.run.outliers import write_outliers

    write_outliers(solution, target)
    return ()


def write_dendrogram(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Draw the joins."""
    from regionalize.run.pictures import draw_joins

    assert outputs.dendrogram is not None
    return draw_joins(solution, target, outputs.dendrogram.suffix, outputs.truncate)


def write_linkage(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Write the joins as SciPy has them."""
    from regionalize.io.linkage import write_linkage

    assert outputs.save_linkage is not None
    assert solution.findings.merges is not None
    write_linkage(target, solution.findings.merges, outputs.save_linkage.suffix)
    return ()


def write_plot(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Draw the units by two axes."""
    from regionalize.run.plots import draw_units

    assert outputs.plot is not None
    return draw_units(solution, target, outputs.plot.suffix, outputs.axes or ())


def write_parallel(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Draw the clusters over all variables."""
    from regionalize.run.plots import draw_variables

    assert outputs.parallel is not None
    return draw_variables(solution, target, outputs.parallel.suffix)


def write_profile(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Draw the clusters over time, or write the figures that are drawn."""
    from regionalize.run.plots import profile_to

    assert outputs.profile is not None
    return profile_to(solution, target, outputs.profile.suffix, outputs.time_columns)


def write_silhouettes(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Draw the silhouettes of the units, or write a row of each."""
    from regionalize.run.silhouettes import silhouettes_to

    assert outputs.silhouettes is not None
    return silhouettes_to(solution, target, outputs.silhouettes.suffix)


SIDE_FILES = (
    SideFile("report", REPORTS, write_report),
    SideFile("centers", (".csv",), write_centers),
    SideFile("map", MAPS, write_map),
    SideFile("outliers", (".csv",), write_outliers),
    SideFile("dendrogram", PICTURES, write_dendrogram),
    SideFile("linkage", (".npy", ".csv"), write_linkage, word="how clusters are joined is --method"),
    SideFile("plot", PICTURES, write_plot),
    SideFile("parallel", PICTURES, write_parallel),
    SideFile("profile", FIGURES, write_profile),
    SideFile("silhouettes", FIGURES, write_silhouettes),
)
"""In the order in which they are written."""
