"""Files written beside the layer: a row for each kind, with its endings and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.run.solve import Solution

PICTURES = (".png", ".svg", ".pdf")


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
    """

    option: str
    endings: tuple[str, ...]
    write: Callable[[Solution, Path, Outputs], tuple[str, ...]]


def write_report(solution: Solution, target: Path, outputs: Outputs) -> tuple[str, ...]:
    """Write the report."""
    from regionalize.io.reports import write_report

    assert outputs.report is not None
    write_report(target, solution.report, outputs.report.suffix)
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
    return draw_solution(solution, target, outputs.map.suffix)


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


SIDE_FILES = (
    SideFile("report", (".json", ".csv", ".md"), write_report),
    SideFile("centers", (".csv",), write_centers),
    SideFile("map", PICTURES, write_map),
    SideFile("outliers", (".csv",), write_outliers),
    SideFile("dendrogram", PICTURES, write_dendrogram),
    SideFile("linkage", (".npy", ".csv"), write_linkage),
)
"""In the order in which they are written."""
