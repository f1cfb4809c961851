"""The Python call: a GeoDataFrame in, labels on its index out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import UsageError, listed
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import check_option_names
from regionalize.run.drawable import Drawable, Picture, drawn_to
from regionalize.run.frames import label_series, layer_of, weights_given
from regionalize.run.large import refuse_files_only
from regionalize.run.options import make_job

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from regionalize.model.record import RunRecord
    from regionalize.model.report import Report
    from regionalize.model.weights import Weights
    from regionalize.run.solve import Solution


VALIDATE_OPTIONS = ("columns", "exclude", "missing", "transform", "snap", "islands", "id")
"""What changes how labels that exist are measured, weights apart."""


@dataclass(frozen=True)
class Result(Drawable):
    """What `regionalize` found.

    Attributes
    ----------
    labels : pandas.Series
        Cluster of every row on the frame's index: 1 … k by falling size, 0 for noise, missing where a row
        was left out.
    report : Report
        Fit, fragmentation and centres.
    notes : tuple of str
        What the command line would have said on standard error.
    weights : Weights or None
        The weights used; ``weights.to_graph()`` gives a `libpysal.graph.Graph`.
    frame : geopandas.GeoDataFrame
        The rows that were grouped.
    solution : Solution
        All that was found, with what it was found from.
    """

    labels: pd.Series[Any]
    report: Report
    notes: tuple[str, ...]
    weights: Weights | None
    frame: geopandas.GeoDataFrame
    solution: Solution

    @property
    def levels(self) -> pd.DataFrame:
        """Labels for every number of regions that was asked for, a column each, rising."""
        import pandas as pd

        partitions = self.solution.partitions
        return pd.DataFrame({one.k: label_series(one, self.frame.index) for one in partitions})

    @property
    def record(self) -> RunRecord:
        """How the labels were made, as it is kept with a layer: what `write_layer` takes as ``record``."""
        from regionalize.run.outputs import label_names
        from regionalize.run.record import solution_record

        return solution_record(self.solution, label_names("cluster", self.solution.job))

    @property
    def outliers(self) -> pd.DataFrame:
        """Units of noise on the frame's index, the remotest first: as `--outliers` lists them."""
        import pandas as pd

        from regionalize.run.outliers import list_outliers

        columns = list_outliers(self.solution)
        rows = [row - 1 for row in columns.pop("row")]
        return pd.DataFrame(columns, index=self.frame.index[rows])

    def to_frame(self, label_column: str = "cluster") -> geopandas.GeoDataFrame:
        """Return a copy of the frame with the labels appended: one column, or one per number of regions."""
        from regionalize.run.outputs import label_names

        names = label_names(label_column, self.solution.job)
        for name in names:
            if name in self.frame.columns:
                raise UsageError(
                    f"the frame already has a column '{name}'", advice="choose another label_column"
                )
        columns = zip(names, self.solution.partitions, strict=True)
        return self.frame.assign(**{name: label_series(one, self.frame.index) for name, one in columns})

    def dissolve(
        self,
        aggregate: str | Mapping[str, str | Sequence[str]] | None = None,
        *,
        label_column: str = "cluster",
    ) -> geopandas.GeoDataFrame:
        """Return the regions, a row each in the order of their labels, as ``--dissolve`` writes them.

        Parameters
        ----------
        aggregate : mapping of str to str or list of str, or str, optional
            What columns come to in each region: ``{"pop": "sum", "income": ["mean", "sd"]}``, or text
            ``"pop:sum,income:mean"``; ``sum``, ``mean``, ``median``, ``min``, ``max`` or ``sd``.
        label_column : str
            Name of the column of labels.

        Returns
        -------
        geopandas.GeoDataFrame
            The label; ``n``, the number of units; ``area`` in square metres on the ground, where there are
            polygons; a column for every aggregate; and the union of the units. Rows in no region are
            left out.
        """
        from regionalize.run.aggregate import check_aggregates, parse_aggregates
        from regionalize.run.dissolve import region_layer

        asked = parse_aggregates(aggregate) if aggregate is not None else ()
        check_aggregates(self.solution.layer, asked)
        regions, _ = region_layer(self.solution, self.solution.partition, label_column, asked)
        return regions.to_frame()

    @property
    def linkage(self) -> NDArray[np.float64]:
        """Joins of ``"hierarchical"``, shape (n - 1, 4), as SciPy has them; rows left out are no units."""
        from regionalize.io.linkage import linkage_matrix

        if self.solution.findings.merges is None or not find_method(self.solution.job.method).linkage_matrix:
            raise UsageError(f"{self.solution.job.method} has no linkage matrix", advice="use hierarchical")
        return linkage_matrix(self.solution.findings.merges)

    def plot(self, path: str | Path | None = None, *, dissolve_lines: bool = False) -> Path | Picture:
        """Draw the map: into `path` (PNG, SVG, PDF or HTML by its ending), or as a picture a notebook shows.

        `dissolve_lines` outlines the regions over the units. Several numbers of regions get a map each. HTML
        is the interactive map.
        """
        from regionalize.run.pictures import draw_solution
        from regionalize.run.side_files import MAPS

        return drawn_to(path, partial(draw_solution, self.solution, dissolve_lines=dissolve_lines), MAPS)

    silhouettes = Drawable.plot_silhouettes

    def dendrogram(self, path: str | Path | None = None, *, truncate: int | None = None) -> Path | Picture:
        """Draw the joins of a method that nests regions, as `plot` draws the map."""
        from regionalize.run.pictures import draw_joins

        if self.solution.findings.merges is None:
            nesting = [name for name, method in METHODS.items() if method.nested]
            raise UsageError(f"{self.solution.job.method} joins nothing", advice=f"use {listed(nesting)}")
        return drawn_to(path, lambda target, suffix: draw_joins(self.solution, target, suffix, truncate))


def regionalize(
    frame: geopandas.GeoDataFrame,
    method: str = "kmeans",
    *,
    weights: str | Weights | libpysal.graph.Graph | None = None,
    **options: Any,
) -> Result:
    """Group the rows of a GeoDataFrame into regions.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        n rows; a DataFrame without geometry can be clustered by its attributes.
    method : str
        A command of the catalog, such as ``"kmeans"``.
    weights : str, Weights or libpysal.graph.Graph, optional
        ``"queen"``, ``"knn:6"``, a weights file, or ready-made weights in row order.
    **options
        Every option of the command line, with underscores: ``k=12``, ``columns=["a", "b"]``,
        ``with_centroids=True``, ``centroid_weight="auto"``, ``hops=2``, ``seed=1`` …

    Returns
    -------
    Result

    Raises
    ------
    RegionalizeError
        With one line on what is wrong and what to do.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> found = rz.regionalize(counties, "kmeans", k=4, columns=["pct_rural", "pct_pov"])
    >>> sorted(found.labels.unique().tolist())
    [1, 2, 3, 4]
    """
    from regionalize.run.solve import solve

    refuse_files_only(options)
    layer = layer_of(frame, options)
    words, ready = weights_given(weights, frame.index)
    job = make_job(method, {**options, "weights": words})
    return result_of(solve(layer, job, weights=ready), frame)


@dataclass(frozen=True)
class Validation(Drawable):
    """What `validate` measured.

    Attributes
    ----------
    report : Report
        Fit, silhouettes, fragmentation and centres. Clusters are numbered as in the column where it holds
        whole numbers from 1 without gaps; else ``report.extra["labels"]`` tells what each number stands for.
    faults : tuple of str
        How the labels break what is required of them.
    silhouettes : pandas.DataFrame
        ``cluster``, ``silhouette`` and ``nearest``, the nearest other cluster, on the frame's index: a row
        per unit that was measured, every unit in a cluster or a sample of 20,000. Silhouettes are missing
        where there are not two clusters.
    notes : tuple of str
        What the command line would have said on standard error.
    solution : Solution
        All that was measured, with what it was measured from.
    """

    report: Report
    faults: tuple[str, ...]
    silhouettes: pd.DataFrame
    notes: tuple[str, ...]
    solution: Solution


def validate(
    frame: geopandas.GeoDataFrame,
    label_column: str = "cluster",
    *,
    require: str = "",
    weights: str | Weights | libpysal.graph.Graph | None = None,
    **options: Any,
) -> Validation:
    """Measure labels that exist already: a column of a GeoDataFrame.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        n rows.
    label_column : str
        Column that holds the labels: numbers or text. 0 is noise, a missing value no label.
    require : str
        What must hold: ``"k=4,min-size=10,contiguous"``.
    weights : str, Weights or libpysal.graph.Graph, optional
        As in `regionalize`.
    **options
        ``columns``, ``exclude``, ``missing``, ``transform``, ``snap``, ``islands``, ``id``.

    Returns
    -------
    Validation

    Raises
    ------
    RegionalizeError
        With one line on what is wrong and what to do.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> counties["kind"] = ["large" if people > 50_000 else "small" for people in counties["tot_pop"]]
    >>> found = rz.validate(counties, "kind", columns=["pct_rural", "pct_pov"], require="k=3")
    >>> found.report.sizes, round(found.report.silhouettes.mean, 3), found.faults
    ((30, 129), 0.336, ('There are 2 clusters, not 3.',))
    """
    import pandas as pd

    from regionalize.measure.checks import parse_requirements
    from regionalize.run.validate import validate_layer

    check_option_names(options, VALIDATE_OPTIONS)
    layer = layer_of(frame, options)
    words, ready = weights_given(weights, frame.index)
    job = make_job("kmeans", {**options, "weights": words})
    requirements = parse_requirements(require) if require else {}
    found = validate_layer(layer, job, label_column, requirements, ready)
    units = found.solution.silhouettes
    assert units is not None
    return Validation(
        report=found.solution.report,
        faults=tuple(found.faults),
        silhouettes=pd.DataFrame(units.columns(found.values), index=frame.index[units.rows]),
        notes=found.solution.notes,
        solution=found.solution,
    )


def result_of(solution: Solution, frame: geopandas.GeoDataFrame) -> Result:
    """Give a solution the index of the frame it was found for."""
    return Result(
        labels=label_series(solution.partition, frame.index),
        report=solution.report,
        notes=solution.notes,
        weights=solution.weights,
        frame=frame,
        solution=solution,
    )
