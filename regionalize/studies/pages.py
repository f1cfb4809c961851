"""Interactive maps of studies: several labelings of the same units, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from regionalize.maps.multiples import Panel
    from regionalize.run.levels import Level
    from regionalize.studies.choose import Numbers
    from regionalize.studies.compare import Compared
    from regionalize.studies.stability import Stability


def draw_stability_page(
    found: Stability, target: Path | IO[bytes], *, title: str, subtitle: str, footer: str, outlined: bool
) -> tuple[str, ...]:
    """Write a map of the stability of every unit, and of the regions of all units."""
    from regionalize.maps.web.page import Coloring, draw_page
    from regionalize.run.web import units_of

    layer, labels = found.layer, found.partition.labels
    shares = [None if np.isnan(share) else float(share) for share in found.share]
    return draw_page(
        layer.geometry,
        [
            Coloring.of_shares(
                "stability", found.share, legend_title="stability", regions=labels if outlined else None
            ),
            Coloring.of_clusters(f"{found.job.method}, k = {found.partition.k}", labels),
        ],
        target,
        title=title,
        subtitle=subtitle,
        footer=footer,
        units=units_of(layer, found.job.id, found.variables, {"stability": shares}),
        crs=layer.crs,
    )


def draw_comparison_page(
    compared: Compared,
    panels: Sequence[Panel],
    target: Path | IO[bytes],
    *,
    title: str,
    subtitle: str,
    footer: str,
    dissolve_lines: bool,
) -> tuple[str, ...]:
    """Write a map of every labeling; clusters go by their own names, in the colours of `panels`."""
    from regionalize.maps.web.page import draw_page
    from regionalize.run.existing import shown_names
    from regionalize.run.web import like, units_of

    layer = compared.layer
    colorings = [
        like(
            one.labels,
            np.asarray(panel.labels),
            panel.title,
            panel.subtitle,
            shown_names(one.values),
        )
        for one, panel in zip(compared.labelings, panels, strict=True)
    ]
    variables = compared.features.names if compared.features is not None else ()
    return draw_page(
        layer.geometry,
        colorings,
        target,
        title=title,
        subtitle=subtitle,
        footer=footer,
        units=units_of(layer, compared.job.id, variables),
        crs=layer.crs,
        dissolve_lines=dissolve_lines,
    )


def draw_numbers_page(
    numbers: Numbers,
    levels: Sequence[Level],
    target: Path | IO[bytes],
    *,
    title: str,
    subtitle: str,
    footer: str,
    dissolve_lines: bool,
) -> tuple[str, ...]:
    """Write a map of every k, the suggested one shown first."""
    from regionalize.maps.web.page import draw_page
    from regionalize.run.web import level_colorings, units_of

    layer, k = numbers.layer, numbers.chosen.k
    return draw_page(
        layer.geometry,
        level_colorings(levels, k),
        target,
        title=title,
        subtitle=subtitle,
        footer=footer,
        units=units_of(layer, numbers.job.id, numbers.variables),
        crs=layer.crs,
        shown=[level.k for level in levels].index(k),
        dissolve_lines=dissolve_lines,
    )
