"""What Python calls are given, as the rest of the package takes it; and labels on the index of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regionalize.errors import UsageError
from regionalize.model.partition import LEFT_OUT

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.layer import Layer
    from regionalize.model.partition import Partition
    from regionalize.model.weights import Weights


def layer_of(frame: geopandas.GeoDataFrame, options: Mapping[str, Any]) -> Layer:
    """Take a frame as a layer; refuse what is none, and options that are for reading a file."""
    import pandas as pd

    from regionalize.model.layer import Layer

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"the first argument is a {type(frame).__name__}, not a GeoDataFrame")
    names = frame.columns.map(str)
    if not names.is_unique:
        raise UsageError(f"several columns are called '{names[names.duplicated()][0]}'", advice="rename them")
    for name in ("layer", "where", "encoding"):
        if options.get(name) is not None:
            raise UsageError(f"'{name}' is for reading a file", advice="use read_layer, or filter the frame")
    return Layer.from_frame(frame)


def weights_given(
    weights: str | Weights | libpysal.graph.Graph | None, index: pd.Index[Any]
) -> tuple[str | None, Weights | None]:
    """Return weights in words, or weights made elsewhere, in the order of the rows; the other is None."""
    if weights is None or isinstance(weights, str):
        return weights, None
    return None, weights_of_rows(weights, index)


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


def label_series(partition: Partition, index: pd.Index[Any]) -> pd.Series[Any]:
    """Labels on an index, missing where a row was left out."""
    import pandas as pd

    codes = pd.array(partition.labels, dtype="Int64")
    left_out = partition.labels == LEFT_OUT
    codes[left_out] = pd.NA
    labels = pd.Series(codes, index=index, name="cluster")
    return labels if left_out.any() else labels.astype("int64")
