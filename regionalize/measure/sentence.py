"""The plain sentences of the report."""

from __future__ import annotations

from regionalize.errors import listed
from regionalize.model.report import Fragmentation


def contiguity_sentence(fragmentation: Fragmentation) -> str:
    """Say whether the clusters are contiguous.

    Parameters
    ----------
    fragmentation : Fragmentation
        As measured.

    Returns
    -------
    str
        One sentence, with its full stop.

    Examples
    --------
    >>> from regionalize.measure.fragmentation import measure_fragmentation
    >>> from regionalize.model.weights import Weights
    >>> import numpy as np
    >>> path = Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "example")
    >>> contiguity_sentence(measure_fragmentation(np.array([1, 2, 2, 1]), path))
    'Not contiguous: 2 clusters in 3 pieces; 1 cluster is whole (2).'
    """
    k = len(fragmentation.clusters)
    if not k:
        return "There is no cluster: every unit is noise or left out."
    clusters = "1 cluster" if k == 1 else f"{k} clusters"
    if fragmentation.contiguous:
        return (
            "Contiguous: every cluster is one piece."
            if k > 1
            else "Contiguous: the one cluster is one piece."
        )
    whole = [shape.label for shape in fragmentation.clusters if shape.subclusters == 1]
    if not whole:
        kept = "no cluster is whole"
    elif len(whole) == 1:
        kept = f"1 cluster is whole ({whole[0]})"
    else:
        kept = f"{len(whole)} clusters are whole ({listed(whole, limit=12)})"
    return f"Not contiguous: {clusters} in {fragmentation.subclusters} pieces; {kept}."


def noise_sentence(units: int) -> str:
    """Say what noise is, of at least one unit.

    Examples
    --------
    >>> noise_sentence(2)
    '2 units are noise, label 0: in no cluster, and in no measure.'
    """
    count = "1 unit is noise" if units == 1 else f"{units} units are noise"
    return f"{count}, label 0: in no cluster, and in no measure."
