"""The Python call: a GeoDataFrame in, labels on its index out."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import UsageError
from regionalize.model.partition import LEFT_OUT
from regionalize.run.options import make_job

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.partition import Partition
    from regionalize.model.report import Report
    from regionalize.model.weights import Weights
    from regionalize.run.solve import Solution


class Picture(bytes):
    """A PNG that notebooks show."""

    def _repr_png_(self) -> bytes:
        return bytes(self)


@dataclass(frozen=True)
class Result:
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

    def to_frame(self, label_column: str = "cluster") -> geopandas.GeoDataFrame:
        """Return a copy of the frame with the labels appended: one column, or one per number of regions."""
        from regionalize.run.files import label_names

        names = label_names(label_column, self.solution.job)
        for name in names:
            if name in self.frame.columns:
                raise UsageError(
                    f"the frame already has a column '{name}'", advice="choose another label_column"
                )
        columns = zip(names, self.solution.partitions, strict=True)
        return self.frame.assign(**{name: label_series(one, self.frame.index) for name, one in columns})

    def plot(self, path: str | Path | None = None) -> Path | Picture:
        """Draw the map: into `path` (PNG, SVG or PDF by its ending), or as a picture a notebook shows."""
        from regionalize.io.atomic import replacing
        from regionalize.run.files import MAP_FORMATS, draw_solution

        if path is None:
            drawn = BytesIO()
            draw_solution(self.solution, drawn, ".png")
            return Picture(drawn.getvalue())
        path = Path(path)
        if path.suffix.lower() not in MAP_FORMATS:
            raise UsageError(
                f"a map cannot be written as '{path.suffix}'", advice=f"use {', '.join(MAP_FORMATS)}"
            )
        with replacing(path) as target:
            draw_solution(self.solution, target, path.suffix)
        return path


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
    import pandas as pd

    from regionalize.model.layer import Layer
    from regionalize.run.solve import solve

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"the first argument is a {type(frame).__name__}, not a GeoDataFrame")
    names = frame.columns.map(str)
    if not names.is_unique:
        raise UsageError(f"several columns are called '{names[names.duplicated()][0]}'", advice="rename them")
    for name in ("layer", "where", "encoding"):
        if options.get(name) is not None:
            raise UsageError(f"'{name}' is for reading a file", advice="use read_layer, or filter the frame")
    ready = None if weights is None or isinstance(weights, str) else weights_of_rows(weights, frame.index)
    job = make_job(method, {**options, "weights": weights if ready is None else None})
    solution = solve(Layer.from_frame(frame), job, weights=ready)
    return Result(
        labels=label_series(solution.partition, frame.index),
        report=solution.report,
        notes=solution.notes,
        weights=solution.weights,
        frame=frame,
        solution=solution,
    )


def label_series(partition: Partition, index: pd.Index[Any]) -> pd.Series[Any]:
    """Labels on an index, missing where a row was left out."""
    import pandas as pd

    codes = pd.array(partition.labels, dtype="Int64")
    left_out = partition.labels == LEFT_OUT
    codes[left_out] = pd.NA
    labels = pd.Series(codes, index=index, name="cluster")
    return labels if left_out.any() else labels.astype("int64")


def weights_of_rows(weights: Weights | libpysal.graph.Graph, index: pd.Index[Any]) -> Weights:
    """Return weights in row order; a graph's units are matched to the frame's index by name."""
    from regionalize.model.weights import Weights

    if isinstance(weights, Weights):
        return weights
    if not hasattr(weights, "adjacency"):
        raise UsageError(
            f"weights is a {type(weights).__name__}", advice="give text, Weights or a libpysal.graph.Graph"
        )
    ids = weights.unique_ids
    if ids.equals(index):
        return Weights.from_graph(weights)
    if not index.is_unique or len(ids) != len(index) or not ids.isin(index).all():
        raise UsageError(
            f"the graph's {len(ids)} units are not the {len(index)} of the frame's index",
            advice="build the graph from the frame",
        )
    row = index.get_indexer(ids)
    links = Weights.from_graph(weights)
    return Weights.from_links(
        len(index), row[links.row], row[links.indices], links.values, kind=links.kind, notes=links.notes
    )
