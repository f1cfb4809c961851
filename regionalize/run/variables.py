"""Variables that a report is the better for, and can do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regionalize.errors import RegionalizeError
from regionalize.model.features import Features

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights


def features_if_any(
    layer: Layer, job: Job, weights: Weights | None = None, *, unknown: str = "the fit"
) -> Features:
    """Build the variables; where none were named and none can be used, none of them, with a note.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Columns, transform and whatever else makes variables.
    weights : Weights, optional
        Of the n rows, for smoothing.
    unknown : str
        What is not known without variables, for the note.

    Raises
    ------
    RegionalizeError
        Columns that were named cannot be used; a wrong ``job.id``.
    """
    from regionalize.features.build import build_features

    layer.names(job.id)
    try:
        return build_features(layer, job, weights)
    except RegionalizeError as error:
        if job.columns:
            raise
        return Features.none(len(layer), (f"{unknown} is not known: {error}",))
