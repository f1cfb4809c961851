"""The Python call: a GeoDataFrame in, a share of the runs per row out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.studies.stability import RUNS, SHARE, Stability, measure_stability

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.weights import Weights
    from regionalize.run.drawable import Picture


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
    found : Stability
        All that was measured, with what it was measured from.
    """

    stability: pd.Series[Any]
    labels: pd.Series[Any]
    report: dict[str, Any]
    notes: tuple[str, ...]
    found: Stability

    def write_report(self, path: str | Path, *, dissolve_lines: bool = False) -> Path:
        """Write the report into `path`: JSON, CSV, Markdown or a page (``.html``), by its ending.

        `dissolve_lines` outlines the clusters on the map of the page.
        """
        from regionalize.run.drawable import written_to
        from regionalize.studies.stability_report import write_stability

        def write(target: Path, suffix: str) -> None:
            write_stability(target, self.found, suffix, dissolve_lines=dissolve_lines)

        return written_to(path, write)

    def plot(self, path: str | Path | None = None, *, dissolve_lines: bool = False) -> Path | Picture:
        """Draw the map: into `path` (PNG, SVG, PDF or HTML by its ending), or as a picture a notebook shows.

        `dissolve_lines` outlines the clusters also where they are not contiguous by the way they are made.
        """
        from regionalize.run.drawable import drawn_to
        from regionalize.run.side_files import MAPS
        from regionalize.studies.stability_files import draw_stability

        return drawn_to(path, partial(draw_stability, self.found, dissolve_lines=dissolve_lines), MAPS)


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

    from regionalize.run.frames import label_series, layer_of, weights_given
    from regionalize.run.options import share, whole_number
    from regionalize.run.recipes import read_single
    from regionalize.studies.commands import stability_command
    from regionalize.studies.stability_report import stability_document

    layer = layer_of(frame, options)
    words, ready = weights_given(weights, frame.index)
    job = read_single(method, {**options, "weights": words})
    runs = whole_number("runs", runs, 1)
    part = None if reseed else share("resample", resample)
    found = measure_stability(layer, job, runs=runs, resample=part, weights=ready)
    command = stability_command(job, runs=runs, resample=part, weights=ready)
    found = replace(found, command=command.line())
    return StabilityResult(
        stability=pd.Series(found.share, index=frame.index, name="stability"),
        labels=label_series(found.partition, frame.index),
        report=stability_document(found),
        notes=found.notes,
        found=found,
    )
