"""The Python call: a GeoDataFrame in, a share of the runs per row out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.studies.stability import RUNS, SHARE, Stability, measure_stability

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.weights import Weights
    from regionalize.run.api import Picture


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
        from regionalize.run.api import drawn_to
        from regionalize.studies.stability_files import draw_stability

        return drawn_to(path, lambda target, suffix: draw_stability(self.found, target, suffix))


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
    from regionalize.run.recipes import read_single
    from regionalize.studies.stability_report import stability_document

    layer = layer_of(frame, options)
    ready = ready_made(weights, frame.index)
    job = read_single(method, {**options, "weights": weights if ready is None else None})
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
