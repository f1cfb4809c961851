"""What is said about variables: by a run in memory, and by one that only knows their statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, listed, quoted
from regionalize.model.job import Job


def constant_notes(
    names: Sequence[str], constant: NDArray[np.bool_], with_centroids: bool
) -> tuple[str, ...]:
    """Say which attributes have one value only, or refuse to cluster nothing else.

    Parameters
    ----------
    names : (p,) sequence of str
    constant : (p,) bool
    with_centroids : bool
        Whether there are centroids to cluster.

    Raises
    ------
    DataError

    Examples
    --------
    >>> constant_notes(["a", "b"], np.array([True, False]), False)
    ('constant, so without effect: a',)
    """
    if constant.all() and not with_centroids:
        raise DataError(
            f"every column is constant, so there is nothing to cluster: {listed(names)}",
            advice="use other columns",
        )
    if not constant.any():
        return ()
    which = listed([name for name, same in zip(names, constant, strict=True) if same], 20)
    return (f"constant, so without effect: {which}",)


def refuse_too_few_rows(used: int, rows: int, where: str | None) -> None:
    """Refuse to group fewer than two rows.

    Parameters
    ----------
    used, rows : int
        How many can be used, of how many.
    where : str or None
        The filter that chose them.

    Raises
    ------
    DataError

    Examples
    --------
    >>> refuse_too_few_rows(1, 1, None)
    Traceback (most recent call last):
    regionalize.errors.DataError: there is a single unit, and grouping takes at least 2; leave this layer out
    """
    if used >= 2:
        return
    advice = "choose more rows" if where else "see which rows --missing drop leaves out"
    if used == rows == 1:
        found = f"there is a single unit{f' that satisfies --where {quoted(where)}' if where else ''}"
        advice = advice if where else "leave this layer out"
    else:
        chosen = f" that satisfy --where {quoted(where)}" if where else ""
        found = f"{used} of {rows} rows{chosen} can be used"
    raise DataError(f"{found}, and grouping takes at least 2", advice=advice)


def coordinate_notes(share: float, anisotropy: float | None, job: Job) -> tuple[str, ...]:
    """Say what centroids count, and how they spread.

    Parameters
    ----------
    share : float
        Of all weight that the two coordinates carry.
    anisotropy : float or None
        Standard deviation east-west over that north-south, None when all lie on one parallel.
    job : Job

    Examples
    --------
    >>> coordinate_notes(0.5, 2.0, Job(centroid_scale="isotropic"))[1]
    'centroids spread 2.00 times as far east-west as north-south'
    """
    notes = []
    if job.centroid_weight != "auto":
        notes.append(f"the two coordinates carry {100 * share:.1f} % of the weight")
    if anisotropy is not None:
        scale = " (each axis is scaled by itself; --centroid-scale isotropic keeps directions alike)"
        notes.append(
            f"centroids spread {anisotropy:.2f} times as far east-west as north-south"
            + ("" if job.centroid_scale == "isotropic" else scale)
        )
    if job.transform == "raw":
        notes.append(
            "--transform raw with centroids lets map units drown or be drowned by the attributes; "
            "use --transform z instead"
        )
    return tuple(notes)


def compactness_notes(weight: float) -> tuple[str, ...]:
    """Say what `--compactness` weighs.

    Examples
    --------
    >>> compactness_notes(0.25)[0].partition(":")[0]
    'compactness counts 25 %'
    """
    return (
        f"compactness counts {100 * weight:g} %: the centroids' moment of inertia within regions; "
        f"the attributes' sum of squares within regions, {100 * (1 - weight):g} %",
    )
