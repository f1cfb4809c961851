"""Labelings beside each other on one plane: units in the colours of each, and the means of its clusters."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from regionalize.model.partition import NOISE
from regionalize.studies.compare import Compared


def draw_planes(compared: Compared, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw a panel for every labeling, by what all are measured by; like clusters in like colours.

    Raises
    ------
    DataError
        No variables are known to draw units by.
    """
    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.scatter import Cloud, draw_scatter
    from regionalize.model.features import Features
    from regionalize.run.pictures import source_line
    from regionalize.run.planes import plane_of
    from regionalize.studies.comparison_files import panel_words, values_of

    features = compared.features or Features.none(len(compared.layer))
    plane = plane_of(features)
    clouds = []
    for (title, subtitle), matched in zip(panel_words(compared), compared.matched, strict=True):
        labels = matched[features.rows]
        means = {
            int(label): plane.places[labels == label].mean(axis=0).tolist()
            for label in np.unique(labels[labels > 0])
        }
        clouds.append(Cloud(labels, title, subtitle, means))
    first = compared.labelings[0]
    values = {} if first.is_plain else values_of(np.concatenate(compared.matched), first)
    return draw_scatter(
        plane.places,
        clouds,
        target,
        file_format=format_of(suffix),
        axes=plane.axes,
        alike=plane.components is not None,
        title=", ".join(features.names),
        subtitle="Clusters have the colours of those in the first panel that they match; white marks are "
        "their means. ARI is to the first.",
        footer=source_line(
            compared.layer, compared.job, features.names, {**compared.job.settings(), "method": "compare"}
        ),
        names={code: str(value) for code, value in values.items() if code != NOISE} or None,
    )
