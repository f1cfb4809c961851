"""Pictures of a solution: what is drawn, and the words around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from regionalize.run.settings import setting_text

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.report import Report
    from regionalize.run.solve import Solution


def draw_solution(
    solution: Solution, target: Path | IO[bytes], suffix: str, *, dissolve_lines: bool = False
) -> tuple[str, ...]:
    """Draw the map of a solution, or one for each number of regions it has.

    Title with method, k and variables, source line with all that the map was made from.
    """
    from regionalize.maps.picture import format_of
    from regionalize.maps.static import draw_map
    from regionalize.run.existing import shown_names
    from regionalize.run.levels import draw_levels, levels_of
    from regionalize.run.web import PAGE, draw_solution_page

    if suffix.lower() == PAGE:
        return draw_solution_page(solution, target, dissolve_lines=dissolve_lines)
    layer, report = solution.layer, solution.report
    title, footer = captions(solution)
    if solution.levels:
        return draw_levels(
            layer,
            levels_of(solution),
            solution.partition.k,
            target,
            suffix,
            title=title,
            footer=footer,
            dissolve_lines=dissolve_lines,
        )
    return draw_map(
        layer.geometry,
        solution.partition.labels,
        target,
        file_format=format_of(suffix),
        title=title,
        subtitle=worth(report),
        footer=footer,
        crs=layer.crs,
        names=shown_names(solution.label_values),
        dissolve_lines=dissolve_lines,
    )


def worth(report: Report) -> str:
    """Say in one line how good a solution is."""
    fit, spatial = report.fit, report.fragmentation
    said = [f"BSS/TSS {fit.ratio:.4f}"] if fit is not None and fit.ratio is not None else []
    if spatial is not None:
        said.append("contiguous" if spatial.contiguous else f"{spatial.subclusters} pieces")
    return ", ".join(said)


def draw_joins(
    solution: Solution, target: Path | IO[bytes], suffix: str, truncate: int | None = None
) -> tuple[str, ...]:
    """Draw the dendrogram of a method that nests regions."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.dendrogram import draw_dendrogram
    from regionalize.model.thresholds import clusters_at

    merges, job, rows = solution.findings.merges, solution.job, solution.features.rows
    assert merges is not None, f"{job.method} did not tell its joins"
    title, footer = plot_captions(solution)
    cut: float | None = None if job.k is not None else job.params["cut"]
    k = job.k if cut is None else clusters_at(merges[:, 2], cut)
    assert k is not None
    units = solution.layer.names(job.id)[rows].tolist()
    names = units if job.id is not None else [f"no. {number}" for number in units]
    notes: tuple[str, ...] = draw_dendrogram(
        merges,
        target,
        file_format=format_of(suffix),
        units=len(rows),
        k=k,
        title=title,
        footer=footer,
        cut=cut,
        truncate=truncate,
        names=names,
    )
    if job.make_contiguous:
        notes += ("the dendrogram shows the clusters as they were before they were made contiguous",)
    return notes


def captions(solution: Solution) -> tuple[str, str]:
    """Say what is shown, and what it was made from and how: a picture's title and its last line."""
    report = solution.report
    numbers = ", ".join(str(one.k) for one in solution.partitions)
    return (
        f"{report.settings['method']}, k = {numbers}: {', '.join(report.variables)}".removesuffix(": "),
        source_line(solution.layer, solution.job, report.variables, report.settings),
    )


def plot_captions(solution: Solution) -> tuple[str, str]:
    """Return the captions of what shows one number of regions: of several the most."""
    return captions(replace(solution, levels={}))


def source_line(
    layer: Layer, job: Job, variables: Sequence[str] = (), settings: Mapping[str, Any] | None = None
) -> str:
    """Say what a picture was made from and how, so that the file alone tells: its last line.

    Parameters
    ----------
    layer : Layer
        What was read.
    job : Job
        What was done.
    variables : sequence of str
        What it was done with.
    settings : mapping, optional
        Settings as a report has them, where they tell more than the job's own.

    Examples
    --------
    >>> from regionalize.io.read import read_layer
    >>> from regionalize.model.job import Job
    >>> source_line(read_layer(None), Job(k=4, with_centroids=True, seed=1), ["pop"])
    'georgia.gpkg; kmeans, k 4, seed 1, transform z, with-centroids; variables pop; regionalize ...'
    """
    from regionalize import __version__

    told = job.settings() if settings is None else dict(settings)
    ks = told.pop("k", None), *told.pop("levels", ())
    hidden = {"columns", "exclude"} if variables else set()
    parts = [
        Path(layer.origin.file or "layer").name,
        ", ".join(
            [
                str(told.pop("method", job.method)),
                *([f"k {','.join(map(str, sorted(k for k in ks if k)))}"] if any(ks) else []),
                *(setting_text(name, value) for name, value in told.items() if name not in hidden),
            ]
        ),
        *([f"variables {', '.join(variables)}"] if variables else []),
        f"regionalize {__version__}",
    ]
    return "; ".join(parts)
