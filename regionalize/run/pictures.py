"""Pictures of a solution: what is drawn, and the words around it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.run.solve import Solution


def draw_solution(solution: Solution, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw the map of a solution: title with method, k and variables, source line with the settings."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.static import draw_map

    report = solution.report
    spatial = report.fragmentation
    title, footer = captions(solution)
    found = (
        [f"BSS/TSS {report.fit.ratio:.4f}"] if report.fit is not None and report.fit.ratio is not None else []
    )
    if spatial is not None:
        found.append("contiguous" if spatial.contiguous else f"{spatial.subclusters} pieces")
    return draw_map(
        solution.layer.geometry,
        solution.partition.labels,
        target,
        file_format=format_of(suffix),
        title=title,
        subtitle=", ".join(found),
        footer=footer,
        crs=solution.layer.crs,
        names={label: str(value) for label, value in solution.label_values.items()} or None,
    )


def draw_joins(
    solution: Solution, target: Path | IO[bytes], suffix: str, truncate: int | None = None
) -> tuple[str, ...]:
    """Draw the dendrogram of a method that nests regions."""
    from regionalize.maps.dendrogram import draw_dendrogram
    from regionalize.maps.picture import format_of
    from regionalize.model.thresholds import clusters_at

    merges, job, rows = solution.findings.merges, solution.job, solution.features.rows
    assert merges is not None, f"{job.method} did not tell its joins"
    title, footer = captions(solution)
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
    """Say what is shown, and what it was made from: a picture's title and its last line."""
    report = solution.report
    return (
        f"{solution.job.method}, k = {report.k}: {', '.join(report.variables)}".removesuffix(": "),
        source_line(solution.layer, solution.job),
    )


def source_line(layer: Layer, job: Job) -> str:
    """Say what a picture was made from: its last line."""
    from regionalize import __version__

    file = Path(layer.origin.file or "layer").name
    return f"{file}, transform {job.transform}, seed {job.seed}, regionalize {__version__}"
