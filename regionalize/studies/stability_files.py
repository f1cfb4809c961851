"""Stability with files at both ends, and from Python: a frame in, a share per unit out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import UsageError, located
from regionalize.studies.stability import RUNS, SHARE, Stability, measure_stability

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.job import Job, Outputs
    from regionalize.model.weights import Weights
    from regionalize.run.api import Picture
    from regionalize.run.progress import Progress


def read_method(text: str, options: Mapping[str, Any]) -> Job:
    """Read a method, with its own options or without, and options beside it.

    Raises
    ------
    UsageError
        No such method or option, or one that the method does not take, in either place.

    Examples
    --------
    >>> job = read_method("kmeans:n-init=10", {"k": 4})
    >>> job.k, job.params
    (4, {'n_init': 10})
    """
    from regionalize.run.options import make_job
    from regionalize.run.recipes import read_recipe

    make_job(text.partition(":")[0], options)  # a recipe passes over what its method does not take
    return read_recipe(text, options)


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
    from regionalize.run.files import refuse_outputs
    from regionalize.run.progress import Stopwatch
    from regionalize.studies.stability_report import write_stability

    inputs, added = (source, job.weights_file), (outputs.label_column, column)
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
    from regionalize.run.files import label_array

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
    from regionalize.maps.shades import draw_shares
    from regionalize.model.catalog import find_method
    from regionalize.run.reporting import versions

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
        file_format=suffix.lower().lstrip("."),  # type: ignore[arg-type]  # checked before any work
        title=f"Stability of {found.job.method}, k = {found.partition.k}: {', '.join(found.variables)}",
        subtitle=f"Share of {len(found.regions)} runs {way} in which a unit keeps its region{mean}.{lines}",
        footer=f"{Path(found.layer.origin.file or 'layer').name}, transform {found.job.transform}, "
        f"seed {found.job.seed}, regionalize {versions()['regionalize']}",
        crs=found.layer.crs,
        regions=found.partition.labels if whole else None,
    )


@dataclass(frozen=True)
class StabilityResult:
    """What `stability` found.

    Attributes
    ----------
    stability : pandas.Series
        Share of the runs in which each row keeps its region, 0 … 1, on the frame's index; NaN where a row
        took part in none.
    labels : pandas.Series
        Regions of the run on all rows, as `regionalize` gives them.
    report : dict
        What the command line prints with ``--json``: stability of every region, and of the whole.
    notes : tuple of str
        What the command line would have said on standard error.
    """

    stability: pd.Series[Any]
    labels: pd.Series[Any]
    report: dict[str, Any]
    notes: tuple[str, ...]
    found: Stability

    def plot(self, path: str | Path | None = None) -> Path | Picture:
        """Draw the map: into `path` (PNG, SVG or PDF by its ending), or as a picture a notebook shows."""
        from regionalize.io.atomic import replacing
        from regionalize.run.api import Picture
        from regionalize.run.files import MAP_FORMATS

        if path is None:
            drawn = BytesIO()
            draw_stability(self.found, drawn, ".png")
            return Picture(drawn.getvalue())
        path = Path(path)
        if path.suffix.lower() not in MAP_FORMATS:
            raise UsageError(
                f"a map cannot be written as '{path.suffix}'", advice=f"use {', '.join(MAP_FORMATS)}"
            )
        with replacing(path) as target:
            draw_stability(self.found, target, path.suffix)
        return path


def stability(
    frame: geopandas.GeoDataFrame,
    method: str = "kmeans",
    *,
    runs: int = RUNS,
    resample: float | str = SHARE,
    reseed: bool = False,
    weights: str | Weights | libpysal.graph.Graph | None = None,
    **options: Any,
) -> StabilityResult:
    """Measure how often every row keeps its region when the run is repeated.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        n rows.
    method : str
        A command of the catalog, also with options, such as ``"kmeans:n-init=10"``.
    runs : int
        How many.
    resample : float or str
        Share of the rows in each run, 0.8 or "80%".
    reseed : bool
        All rows, and other seeds, instead.
    weights : str, Weights or libpysal.graph.Graph, optional
        As `regionalize` takes them.
    **options
        Those of the method, as `regionalize` takes them.

    Returns
    -------
    StabilityResult

    Raises
    ------
    RegionalizeError
        With one line on what is wrong and what to do.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> found = rz.stability(counties, "skater", k=4, columns=["pct_rural", "pct_pov"], runs=20)
    >>> len(found.stability), bool(found.stability.between(0, 1).all())
    (159, True)
    """
    import pandas as pd

    from regionalize.run.api import label_series, layer_of, ready_made
    from regionalize.run.options import share, whole_number
    from regionalize.studies.stability_report import stability_document

    layer = layer_of(frame, options)
    ready = ready_made(weights, frame.index)
    job = read_method(method, {**options, "weights": weights if ready is None else None})
    found = measure_stability(
        layer,
        job,
        runs=whole_number("runs", runs, 1),
        resample=None if reseed else share("resample", resample),
        weights=ready,
    )
    return StabilityResult(
        stability=pd.Series(found.share, index=frame.index, name="stability"),
        labels=label_series(found.partition, frame.index),
        report=stability_document(found),
        notes=found.notes,
        found=found,
    )
