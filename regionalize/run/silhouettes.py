"""Silhouettes of the units of a solution: measured, written as a table, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError

if TYPE_CHECKING:
    from regionalize.model.report import Silhouettes
    from regionalize.run.solve import Solution


@dataclass(frozen=True)
class UnitSilhouettes:
    """Silhouettes of units in clusters: all of them, or a random sample where they are too many.

    Attributes
    ----------
    summary : Silhouettes or None
        None where there are not two clusters, one of them with two units.
    rows : (u,) int64
        Rows of the layer.
    labels : (u,) int64
        Clusters of these units.
    values : (u,) float64
        Their silhouettes.
    nearest : (u,) int64
        Their nearest other clusters.
    """

    summary: Silhouettes | None
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    values: NDArray[np.float64]
    nearest: NDArray[np.int64]

    def columns(self, names: Mapping[int, Any]) -> dict[str, list[Any]]:
        """Return cluster, silhouette and nearest cluster; clusters as `names` has them, or by number."""
        from regionalize.run.existing import shown_labels

        shown = shown_labels(names)
        return {
            "cluster": [shown.get(label, label) for label in self.labels.tolist()],
            "silhouette": self.values.tolist(),
            "nearest": [shown.get(label, label) if label > 0 else None for label in self.nearest.tolist()],
        }


def measure_units(solution: Solution) -> UnitSilhouettes:
    """Measure silhouettes on the transformed attributes; of too many units, those of a random sample."""
    from regionalize.measure.silhouette import LIMIT, sample_units, silhouettes, summarize_silhouettes

    features, k = solution.features, solution.partition.k
    labels = solution.partition.labels[features.rows]
    sample = sample_units([labels], limit=LIMIT)
    units = np.flatnonzero(labels > 0) if sample is None else sample
    values, nearest = silhouettes(features.scaled[units], labels[units])
    summary = summarize_silhouettes(values, labels[units], k=k, sampled=sample is not None)
    if not features.names:  # units that nothing is known of are all alike
        summary = None
    return UnitSilhouettes(summary, features.rows[units], labels[units], values, nearest)


def with_silhouettes(solution: Solution) -> Solution:
    """Return the solution with the silhouettes of its units, which its report then tells of.

    Raises
    ------
    InfeasibleError
        Where nothing has a silhouette.
    """
    found = solution.silhouettes or measure_units(solution)
    if found.summary is None:
        need = "two clusters, one of them with two units" if solution.features.names else "variables"
        raise InfeasibleError(f"silhouettes need {need}", advice="leave out --silhouettes")
    report = replace(solution.report, silhouettes=found.summary)
    return replace(solution, report=report, silhouettes=found)


def silhouettes_to(solution: Solution, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw the silhouettes, or write a row of each unit: what `suffix` asks for."""
    solution = with_silhouettes(solution)
    if suffix.lower() == ".csv":
        assert isinstance(target, Path)
        write_units(solution, target)
        return ()
    return draw_plot(solution, target, suffix)


def write_units(solution: Solution, target: Path) -> None:
    """Write a CSV row per unit."""
    from regionalize.io.silhouettes import write_silhouettes

    found = solution.silhouettes
    assert found is not None
    names = solution.layer.names(solution.job.id)[found.rows]
    write_silhouettes(target, names, found.columns(solution.label_values))


def draw_plot(solution: Solution, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw the silhouette plot."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.silhouettes import draw_silhouettes
    from regionalize.run.existing import shown_names
    from regionalize.run.pictures import plot_captions

    found = solution.silhouettes
    assert found is not None
    assert found.summary is not None
    title, footer = plot_captions(solution)
    clustered = int(solution.partition.sizes.sum())
    of = f"{found.summary.units:,} units"
    if found.summary.sampled:
        of = f"a random sample of {found.summary.units:,} of {clustered:,} units"
    below = found.summary.negative
    return draw_silhouettes(
        found.values,
        found.labels,
        target,
        file_format=format_of(suffix),
        title=title,
        subtitle=f"Silhouettes of {of}, mean {found.summary.mean:.4f}, {below:,} below 0. "
        "The line in each cluster is its own mean.",
        footer=footer,
        sizes=dict(enumerate(solution.partition.sizes.tolist(), 1)),
        names=shown_names(solution.label_values),
    )
