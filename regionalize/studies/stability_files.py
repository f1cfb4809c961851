"""Stability with files at both ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from regionalize.errors import located
from regionalize.studies.stability import RUNS, SHARE, Stability, check_study, measure_stability

if TYPE_CHECKING:
    from regionalize.model.job import Job, Outputs
    from regionalize.run.progress import Progress


def stability_files(
    source: str | None,
    job: Job,
    outputs: Outputs,
    *,
    runs: int = RUNS,
    resample: float | None = SHARE,
    column: str = "stability",
    progress: Progress | None = None,
) -> Stability:
    """Read, repeat the run and write; nothing is written unless everything can be.

    Parameters
    ----------
    source : str or None
        What `regionalize.io.read.read_layer` takes.
    job, runs, resample
        As `measure_stability` takes them.
    outputs : Outputs
        Its layer, with labels and stability, its map and its report are written.
    column : str
        Name of the column of stability.
    progress : callable, optional
        Told of stages and runs.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.io.read import read_layer
    from regionalize.run.outputs import write_files
    from regionalize.run.progress import Stopwatch
    from regionalize.run.refusals import refuse_outputs
    from regionalize.run.task import check_task
    from regionalize.studies.commands import stability_command
    from regionalize.studies.stability_report import write_stability

    check_study(job, runs, resample)  # before the layer is read
    check_task(job)
    inputs, added = (source, *job.files), (outputs.label_column, column)
    refuse_outputs(outputs, inputs, None, added)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        notes = refuse_outputs(outputs, inputs, layer, added)
        found = measure_stability(layer, job, runs=runs, resample=resample, progress=progress)
    command = stability_command(job, runs=runs, resample=resample, column=column)
    found = replace(found, command=command.line(source, outputs))
    with watch.stage("write"):
        paths = outputs.paths()
        makers = {
            "report": lambda target: write_stability(
                target, found, paths["report"].suffix, dissolve_lines=outputs.dissolve_lines
            ),
            "map": lambda target: draw_stability(
                found, target, paths["map"].suffix, dissolve_lines=outputs.dissolve_lines
            ),
        }
        notes += write_files(paths, makers, lambda: write_shares(found, outputs, column), progress)
    seconds = {"read": watch.seconds["read"], **found.seconds, "write": watch.seconds["write"]}
    return replace(found, notes=tuple(dict.fromkeys((*found.notes, *notes))), seconds=seconds)


def write_shares(found: Stability, outputs: Outputs, column: str) -> tuple[str, ...]:
    """Write the layer with the labels of the reference and the stability of every unit."""
    import pyarrow as pa

    from regionalize.io.write import write_layer
    from regionalize.run.outputs import label_array
    from regionalize.run.record import run_record
    from regionalize.run.styles import labels_style, share_styles
    from regionalize.studies.stability_report import stability_document

    assert outputs.output is not None
    document = stability_document(found)
    document["settings"] |= {"runs": found.runs, "resample": found.resample}
    made = (outputs.label_column, column)
    title = f"{found.job.method}, k = {found.partition.k}: {', '.join(found.variables)}".removesuffix(": ")
    labels = labels_style(found.layer, found.partition.labels, outputs.label_column, title)
    title = f"stability of {title}"
    return write_layer(
        found.layer,
        outputs.output,
        added={
            outputs.label_column: label_array(found.partition),
            column: pa.array(found.share, mask=np.isnan(found.share)),
        },
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
        styles=[*share_styles(found.layer, column, title), *([] if labels is None else [labels])],
        qml=outputs.qml,
        record=run_record("stability", made, document, ("stability", "least", "below_half")),
    )


def draw_stability(
    found: Stability, target: Path | IO[bytes], suffix: str, *, dissolve_lines: bool = False
) -> tuple[str, ...]:
    """Draw a map of the stability of every unit, with the outlines of the regions.

    They are drawn where regions hang together by the way they were made, and elsewhere if asked for.
    """
    from regionalize.maps.picture import format_of
    from regionalize.maps.shades import draw_shares
    from regionalize.model.catalog import find_method
    from regionalize.run.pictures import source_line
    from regionalize.run.web import PAGE
    from regionalize.studies.pages import draw_stability_page

    way = "with other seeds" if found.resample is None else f"on {100 * found.resample:g} % of the units"
    mean = "" if found.whole.mean is None else f" (mean {found.whole.mean:.3f})"
    job = found.job
    whole = find_method(job.method).contiguous or job.make_contiguous or job.centroid_weight == "auto"
    areas = any(kind.endswith("Polygon") for kind in found.layer.geometry_kinds)
    outlined = dissolve_lines or (whole and areas)
    page = suffix.lower() == PAGE  # where lines are white at night
    kind = "Strong" if page else "Black"
    lines = f" {kind} lines bound the regions of all units." if outlined and areas else ""
    title = f"Stability of {job.method}, k = {found.partition.k}: {', '.join(found.variables)}"
    words = {
        "title": title.removesuffix(": "),
        "subtitle": f"Share of {len(found.regions)} runs {way} in which a unit keeps its region"
        f"{mean}.{lines}",
        "footer": source_line(found.layer, job, found.variables),
    }
    if page:
        return draw_stability_page(found, target, **words, outlined=outlined)
    return draw_shares(
        found.layer.geometry,
        found.share,
        target,
        file_format=format_of(suffix),
        **words,
        crs=found.layer.crs,
        regions=found.partition.labels if outlined else None,
    )
