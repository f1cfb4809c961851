"""New rows on the scale that some centres are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError, listed, nearest
from regionalize.features.build import positions_for_smoothing, smoothed, with_geometry
from regionalize.features.columns import read_columns, select_columns
from regionalize.features.transforms import Scaling
from regionalize.model.features import Features, weighted

if TYPE_CHECKING:
    from regionalize.model.centers import Recipe, Variable
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights


def apply_features(layer: Layer, recipe: Recipe, job: Job, weights: Weights | None = None) -> Features:
    """Read, scale, smooth and weigh the rows of a layer as a recipe says.

    Parameters
    ----------
    layer : Layer
        n rows.
    recipe : Recipe
        Columns, with what their transforms came to elsewhere.
    job : Job
        ``missing`` and ``id`` are used, and as the recipe has them ``project`` and the options of smoothing.
    weights : Weights, optional
        Of all n rows; needed where the recipe smooths.

    Returns
    -------
    Features

    Raises
    ------
    UsageError
        Columns that the layer lacks.
    DataError
        As `read_columns` and `centroids`, and rows without geometry where centroids are needed.
    """
    names = tuple(variable.name for variable in recipe.variables)
    refuse_missing_columns(layer, names)
    names, _ = select_columns(layer, names)
    columns = read_columns(layer, names, job.missing, job.id)
    notes = columns.notes
    xy = None
    if recipe.coordinates:
        from regionalize.features.centroids import centroids

        xy, placed = centroids(layer, job.project, job.id)
        columns, dropped = with_geometry(columns, xy, layer, job)
        notes += placed + dropped
    raw = columns.raw
    scaled = scaling_of(recipe.variables).apply(raw)
    blocks: list[NDArray[np.floating]] = [scaled]
    if recipe.hops:
        where = positions_for_smoothing(layer, job, columns.rows, xy)
        blocks[0], said = smoothed(scaled, columns.rows, job, weights, where)
        notes += said
    coordinates = None
    if xy is not None:
        coordinates = np.ascontiguousarray(xy[columns.rows], dtype=np.float64)
        blocks.append(scaling_of(recipe.coordinates).apply(coordinates))
    unweighted = np.hstack(blocks) if len(blocks) > 1 else blocks[0]
    each = np.array([variable.weight for variable in recipe.columns])
    share = each[len(names) :].sum() / each.sum() if recipe.coordinates else 0.0
    return Features(
        rows=columns.rows,
        names=names,
        raw=raw,
        scaled=scaled,
        X=weighted(unweighted, each, recipe.distance),
        unweighted=unweighted,
        coordinates=coordinates,
        coordinate_share=float(share),
        column_weights=each,
        metric=recipe.distance,
        attributes_only=recipe.attributes_only,
        notes=notes,
    )


def scaling_of(variables: tuple[Variable, ...]) -> Scaling:
    """Return the scaling of some variables."""
    return Scaling(
        np.array([variable.offset for variable in variables]),
        np.array([variable.scale for variable in variables]),
    )


def refuse_missing_columns(layer: Layer, names: tuple[str, ...]) -> None:
    """Name every column that the centres have and the layer lacks, each with the nearest there is."""
    missing = [name for name in names if name not in layer.column_names]
    if missing:
        hints = {name: nearest(name, layer.column_names) for name in missing}
        shown = [f"'{name}' ({hint})" if hint else f"'{name}'" for name, hint in hints.items()]
        raise UsageError(
            f"the centres are of columns the layer lacks: {listed(shown, 20)}",
            advice="rename the columns of the layer, or those of the file of centres",
        )
