"""Islands and separate components: named, joined or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, listed
from regionalize.model.job import CHOICES
from regionalize.model.layer import Layer
from regionalize.model.weights import Weights
from regionalize.weights.gaps import ways_across

POLICIES = CHOICES["islands"]
Names = NDArray[np.object_]


def join_islands(layer: Layer, weights: Weights, policy: str, names: Names) -> Weights:
    """Treat units without neighbours, and components apart from the rest, as `--islands` says.

    Parameters
    ----------
    layer : Layer
        n rows.
    weights : Weights
        Of the same rows.
    policy : str
        ``"keep"``: leave them, and name them in the notes. ``"nearest"``: link every component but the
        largest to its nearest unit of another component, until all is one; every link is listed in `added`
        and named in the notes. Distance is between geometries, in map units, or great-circle metres for a
        geographic layer. ``"error"``: refuse.
    names : (n,) array of str
        What to call the rows.

    Raises
    ------
    DataError
        Under ``"error"`` when there is more than one component.
    UsageError
        When the policy is none of these.
    """
    if policy not in POLICIES:
        raise UsageError(f"'{policy}' is not a way to treat islands", advice=f"use {', '.join(POLICIES)}")
    apart = component_notes(weights, names)
    if not apart:
        return weights
    if policy == "error":
        raise DataError(" and ".join(apart), advice="use --islands nearest to join them or --islands keep")
    if policy == "keep":
        return replace(weights, notes=weights.notes + apart)
    return _joined(layer, weights, names)


def component_notes(weights: Weights, names: Names) -> tuple[str, ...]:
    """Say in sentences which units are islands and which components there are; nothing when all is one."""
    if weights.n_components <= 1:
        return ()
    notes = []
    islands = weights.islands
    if len(islands):
        units = "unit has" if len(islands) == 1 else "units have"
        notes.append(f"{len(islands)} {units} no neighbours: {listed(names[islands])}")
    sizes = np.bincount(weights.component)
    apart = np.flatnonzero(sizes > 1)
    apart = apart[np.lexsort((apart, -sizes[apart]))][1:]
    if len(apart) or len(islands) > 1:
        text = f"the weights fall into {len(sizes)} separate components"
        if len(apart):
            members = [names[weights.component == number] for number in apart[:4]]
            parts = [f"{len(part)} units ({listed(part, limit=3)})" for part in members]
            text += (
                f"; apart from the largest of {sizes.max()} units: {listed([*parts, *apart[4:]], limit=4)}"
            )
        notes.append(text)
    return tuple(notes)


def _joined(layer: Layer, weights: Weights, names: Names) -> Weights:
    """Add the shortest ways across until one component is left."""
    geometry = layer.geometry
    present = np.flatnonzero(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))
    added: list[tuple[int, int, float]] = []
    joined = weights
    while True:
        component = np.unique(joined.component[present], return_inverse=True)[1].astype(np.int64)
        if not len(present) or component.max() == 0:
            break
        ways = ways_across(geometry[present], component, geographic=layer.is_geographic)
        ends = present[ways.first], present[ways.second]
        links = sorted(
            {
                (int(min(a, b)), int(max(a, b))): float(d)
                for a, b, d in zip(*ends, ways.distance, strict=True)
            }.items()
        )
        added += [(*pair, distance) for pair, distance in links]
        joined = _with_links(weights, added)
    unit = "m" if layer.is_geographic else "map units"
    notes = [f"joined {names[a]} and {names[b]}, {distance:.6g} {unit} apart" for a, b, distance in added]
    lost = len(weights) - len(present)
    if lost and joined.n_components > 1:
        notes.append(f"{lost} rows without a geometry could not be joined to anything")
    return replace(joined, notes=weights.notes + tuple(notes))


def _with_links(weights: Weights, added: list[tuple[int, int, float]]) -> Weights:
    """Return the weights with links in both directions added, each with the weight of a link like others."""
    first, second = np.array([a for a, _, _ in added]), np.array([b for _, b, _ in added])
    value = 1.0 if not weights.n_links else float(np.median(weights.values))
    return Weights.from_links(
        len(weights),
        np.concatenate([weights.row, first, second]),
        np.concatenate([weights.indices, second, first]),
        np.concatenate([weights.values, np.full(2 * len(added), value)]),
        kind=weights.kind,
        notes=weights.notes,
        added=(*weights.added, *added),
    )
