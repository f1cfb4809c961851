"""`--distances`: a table of distances that clusters are made of, in place of the layer's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regionalize.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights


def read_given(
    layer: Layer, job: Job, weights: Weights | None, file: str
) -> tuple[Features, NDArray[np.float64], tuple[str, ...]]:
    """Read what a method is given in place of variables, and the variables to report on.

    Returns
    -------
    features : Features
        Of the m rows used; without any variable where the layer has none that can be measured by.
    distances : (m (m - 1) / 2,) float64
        Of all pairs of these rows.
    notes : tuple of str
        What was noticed, for the person.

    Raises
    ------
    RegionalizeError
        Columns that were named, or the file, cannot be used.
    """
    from regionalize.io.distances import read_distances
    from regionalize.model.distances import distances_among
    from regionalize.run.variables import features_if_any

    if job.centroid_weight == "auto":
        raise UsageError(
            "--centroid-weight auto weighs variables, and --distances takes their place",
            advice="give one of them",
        )
    if job.embed is not None:
        raise UsageError(
            "--embed makes variables, and --distances takes their place", advice="give one of them"
        )
    ids = None if job.id is None else layer.names(job.id)
    condensed, units, notes = read_distances(file, len(layer), ids)
    features = features_if_any(layer, job, weights)
    said = "clusters come from --distances; variables are only reported on"
    notes = (*((said,) if features.names else ()), *notes)
    return features, distances_among(condensed, len(layer), units[features.rows]), notes
