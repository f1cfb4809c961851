"""Which number of clusters the figures speak for, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regionalize.model.report import Silhouettes

STRUCTURE = ((0.71, "a strong structure"), (0.51, "a reasonable structure"), (0.26, "a weak structure"))
"""What a mean silhouette of at least so much speaks for (Kaufman and Rousseeuw 1990, table 2.4)."""
NO_STRUCTURE = "no substantial structure"
SAME = 1e-9
"""Silhouettes that differ by less, and points nearer to the chord (as a share of it), are taken as equal."""


@dataclass(frozen=True)
class Candidate:
    """One number of clusters that was tried.

    Attributes
    ----------
    k : int
        Number of clusters.
    grid : dict
        Settings it was tried with, where several were: ``hops``, ``alpha``, ``centroid_weight``.
    reason : str or None
        Why there are no such clusters; the rest is None then.
    wss : float
        Within sum of squares over the transformed attributes.
    bss_tss : float or None
        Share of the total sum of squares between clusters, over the same.
    gap : float or None
        What the next k of the same settings adds to it.
    pseudo_f : float or None
        Caliński and Harabasz's index.
    silhouettes : Silhouettes or None
        Over the same attributes; None for one cluster.
    subclusters : int or None
        Connected pieces of all clusters; None for a table without geometry.
    contiguous : bool or None
        Whether every cluster is in one piece.
    join_count_ratio : float or None
        Share of neighbour links that stay inside clusters.
    coordinate_share : float
        Share of all weight that the coordinates carry.
    """

    k: int
    grid: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    wss: float | None = None
    bss_tss: float | None = None
    gap: float | None = None
    pseudo_f: float | None = None
    silhouettes: Silhouettes | None = None
    subclusters: int | None = None
    contiguous: bool | None = None
    join_count_ratio: float | None = None
    coordinate_share: float = 0.0

    @property
    def silhouette(self) -> float | None:
        """Mean silhouette."""
        return None if self.silhouettes is None else self.silhouettes.mean


def find_elbow(wss: Mapping[int, float], tss: float) -> int | None:
    """Return the k at which a curve of within sums of squares bends most.

    That is the point farthest below the straight line from the first to the last, both axes scaled to one
    (Satopää, Albrecht, Irwin and Raghavan 2011, without smoothing). A curve that begins with k = 2 is begun
    with k = 1, whose sum is the total, so that the elbow can be at 2.

    Parameters
    ----------
    wss : mapping of int to float
        Within sum of squares by k, rising.
    tss : float
        Total sum of squares.

    Returns
    -------
    int or None
        The smallest of equally far ones; None where no point is below the line.

    Examples
    --------
    >>> find_elbow({1: 100.0, 2: 60.0, 3: 20.0, 4: 15.0, 5: 10.0}, 100.0)
    3
    >>> find_elbow({1: 30.0, 2: 20.0, 3: 10.0}, 30.0) is None
    True
    """
    curve = {1: tss, **wss} if min(wss, default=0) == 2 else dict(wss)
    ks, sums = np.array(list(curve), dtype=float), np.array(list(curve.values()))
    if len(ks) < 3 or not sums[0] > sums[-1]:
        return None
    below = (ks[-1] - ks) / (ks[-1] - ks[0]) - (sums - sums[-1]) / (sums[0] - sums[-1])
    at = int(np.argmax(below >= below.max() - SAME))
    return int(ks[at]) if below[at] > SAME else None


def best_pseudo_f(candidates: Sequence[Candidate]) -> int | None:
    """Return the k of the highest pseudo-F, the smaller of equal ones; None where there is none."""
    measured = [one for one in candidates if one.pseudo_f is not None]
    return max(measured, key=lambda one: (one.pseudo_f or 0.0, -one.k)).k if measured else None


def suggest(candidates: Sequence[Candidate], tss: float) -> tuple[Candidate, str]:
    """Choose the candidate with the highest mean silhouette, and say why.

    Parameters
    ----------
    candidates : sequence of Candidate
        By settings, and k rising; those with a reason are passed over. At least one has clusters.
    tss : float
        Total sum of squares of the attributes.

    Returns
    -------
    chosen : Candidate
        The smallest k of equal ones. Where nothing has a silhouette, the elbow, or else the smallest k.
    reason : str
        One sentence on k, and where there is a grid one more on its settings.

    References
    ----------
    Rousseeuw (1987), Silhouettes. Kaufman and Rousseeuw (1990), Finding Groups in Data. Caliński and Harabasz
    (1974), A dendrite method for cluster analysis.

    Examples
    --------
    >>> def tried(k, wss, mean):
    ...     found = Silhouettes(mean, (mean,) * k, 0, (0,) * k, 9, False)
    ...     return Candidate(k, wss=wss, pseudo_f=mean, silhouettes=found)
    >>> suggest([tried(2, 50.0, 0.4), tried(3, 10.0, 0.8), tried(4, 9.0, 0.6)], 100.0)[1]
    'k = 3: the highest mean silhouette, 0.800 (a strong structure); the elbow and pseudo-F agree'
    """
    made = [one for one in candidates if one.reason is None]
    measured = [one for one in made if one.silhouette is not None]
    if not measured:
        return _without_silhouettes(made, tss)
    highest = max(one.silhouette or 0.0 for one in measured)
    best = [one for one in measured if (one.silhouette or 0.0) >= highest - SAME]
    chosen = min(best, key=lambda one: one.k)
    alike = [one for one in made if one.grid == chosen.grid]
    place = f" with {settings_text(chosen.grid)}" if chosen.grid else ""
    text = (
        f"k = {chosen.k}{place}: the highest mean silhouette, {highest:.3f} ({structure(highest)})"
        f"{_others(chosen.k, find_elbow(_curve(alike), tss), best_pseudo_f(alike))}"
    )
    if structure(highest) == NO_STRUCTURE:
        text += "; no number of clusters stands out, so let what the clusters are for decide"
    return chosen, text + _trade(chosen, made)


def structure(silhouette: float) -> str:
    """Say what a mean silhouette speaks for.

    Examples
    --------
    >>> structure(0.55), structure(0.25)
    ('a reasonable structure', 'no substantial structure')
    """
    return next((words for least, words in STRUCTURE if round(silhouette, 2) >= least), NO_STRUCTURE)


def settings_text(grid: Mapping[str, Any]) -> str:
    """Write settings of a grid.

    Examples
    --------
    >>> settings_text({"hops": 1, "alpha": 0.5, "centroid_weight": 0.25})
    'hops 1, alpha 0.5, centroid-weight 0.25'
    """
    shown = {name.replace("_", "-"): value for name, value in grid.items() if value is not None}
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in shown.items()
    )


def _curve(candidates: Sequence[Candidate]) -> dict[int, float]:
    return {one.k: one.wss for one in candidates if one.wss is not None}


def elbow_of(candidates: Sequence[Candidate], tss: float) -> int | None:
    """Return the elbow of candidates with the same settings, those without clusters passed over."""
    return find_elbow(_curve(candidates), tss)


def _others(k: int, elbow: int | None, pseudo_f: int | None) -> str:
    """Tell whether the elbow and the highest pseudo-F are where the silhouette is highest."""
    others = {"the elbow": elbow, "pseudo-F": pseudo_f}
    known = {name: at for name, at in others.items() if at is not None}
    agree = [name for name, at in known.items() if at == k]
    parts = []
    if agree:
        parts.append(f"{' and '.join(agree)} {'agrees' if len(agree) == 1 else 'agree'}")
    elsewhere = {name: at for name, at in known.items() if at != k}
    if len(set(elsewhere.values())) == 1 and len(elsewhere) == 2:
        parts.append(f"the elbow and the highest pseudo-F are at {elbow}")
    else:
        names = {"the elbow": "the elbow is at", "pseudo-F": "pseudo-F is highest at"}
        parts += [f"{names[name]} {at}" for name, at in elsewhere.items()]
    return f"; {', '.join(parts)}" if parts else ""


def _without_silhouettes(made: Sequence[Candidate], tss: float) -> tuple[Candidate, str]:
    for one in made:
        if elbow_of([other for other in made if other.grid == one.grid], tss) == one.k:
            return one, f"k = {one.k}: the elbow of the within sums of squares; there are no silhouettes"
    least = min(made, key=lambda one: one.k)
    return least, f"k = {least.k}: the smallest number; there are no silhouettes to choose by"


def _trade(chosen: Candidate, made: Sequence[Candidate]) -> str:
    """Tell which settings of the grid give the fewest pieces at the same k, and what that costs in fit.

    Silhouettes and BSS/TSS are of the attributes as they are, and so smoothing and coordinates can only lower
    them: what they are for is fewer pieces.
    """
    others = [
        one for one in made if one.k == chosen.k and one.subclusters is not None and one.bss_tss is not None
    ]
    if not chosen.grid or len(others) < 2:
        return ""
    fewest = min(others, key=lambda one: (one.subclusters or 0, -(one.bss_tss or 0.0)))
    if chosen.subclusters is None or (fewest.subclusters or 0) >= chosen.subclusters:
        return f". No other settings give it fewer pieces than {chosen.subclusters}"
    return (
        f". The fewest pieces at this k are {fewest.subclusters} in place of {chosen.subclusters}, with "
        f"{settings_text(fewest.grid)}; BSS/TSS is {fewest.bss_tss:.4f} there, and {chosen.bss_tss:.4f} here"
    )
