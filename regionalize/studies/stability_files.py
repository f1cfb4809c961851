"""Stability with files at both ends."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from regionalize.errors import located
from regionalize.studies.stability import RUNS, SHARE, Stability, measure_stability

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
    from regionalize.io.atomic import replacing
    from regionalize.io.read import read_layer
    from regionalize.run.progress import Stopwatch
    from regionalize.run.refusals import refuse_outputs
    from regionalize.studies.stability_report import write_stability

    inputs, added = (source, *job.files), (outputs.label_column, column)
    refuse_outputs(outputs, inputs, None, added)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        notes = refuse_outputs(outputs, inputs, layer, added)
        found = measure_stability(layer, job, runs=runs, resample=resample, progress=progress)
    with watch.stage("write"), ExitStack() as pending:
        if outputs.report is not None:
            write_stability(pending.enter_context(replacing(outputs.report)), found, outputs.report.suffix)
        if outputs.map is not None:
            target = pending.enter_context(replacing(outputs.map))
            notes += draw_stability(found, target, outputs.map.suffix)
        if outputs.output is not None and str(outputs.output) != "-":
            notes += write_shares(found, outputs, column)
    if str(outputs.output) == "-":  # last, and not among the others: its reader may go away at any time
        notes += write_shares(found, outputs, column)
    seconds = {"read": watch.seconds["read"], **found.seconds, "write": watch.seconds["write"]}
    return replace(found, notes=tuple(dict.fromkeys((*found.notes, *notes))), seconds=seconds)


def write_shares(found: Stability, outputs: Outputs, column: str) -> tuple[str, ...]:
    """Write the layer with the labels of the reference and the stability of every unit."""
    import pyarrow as pa

    from regionalize.io.write import write_layer
    from regionalize.run.outputs import label_array

    assert outputs.output is not None
    return write_layer(
        found.layer,
        outputs.output,
        added={
            outputs.label_column: label_array(found.partition),
            column: pa.array(found.share, mask=np.isnan(found.share)),
        },
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
    )


def draw_stability(found: Stability, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw a map of the stability of every unit, with the borders of the regions where they hang together."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.shades import draw_shares
    from regionalize.model.catalog import find_method
    from regionalize.run.pictures import source_line

    way = "with other seeds" if found.resample is None else f"on {100 * found.resample:g} % of the units"
    mean = "" if found.whole.mean is None else f" (mean {found.whole.mean:.3f})"
    job = found.job
    whole = find_method(job.method).contiguous or job.make_contiguous or job.centroid_weight == "auto"
    areas = any(kind.endswith("Polygon") for kind in found.layer.geometry_kinds)
    lines = " Black lines bound the regions of all units." if whole and areas else ""
    return draw_shares(
        found.layer.geometry,
        found.share,
        target,
        file_format=format_of(suffix),
        title=f"Stability of {found.job.method}, k = {found.partition.k}: "
        f"{', '.join(found.variables)}".removesuffix(": "),
        subtitle=f"Share of {len(found.regions)} runs {way} in which a unit keeps its region{mean}.{lines}",
        footer=source_line(found.layer, job),
        crs=found.layer.crs,
        regions=found.partition.labels if whole else None,
    )
