"""Settings in words, for tables, pictures and pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def setting_text(name: str, value: Any) -> str:
    """Write an option and its value as they are typed, without the dashes.

    Examples
    --------
    >>> setting_text("with_centroids", True), setting_text("min_bound", ("pop", "10%"))
    ('with-centroids', 'min-bound pop=10%')
    >>> setting_text("column_weights", {"pop": 2.0, "gini": 0.5}), setting_text("weights", "/maps/queen.gal")
    ('column-weights pop=2,gini=0.5', 'weights queen.gal')
    """
    option = name.replace("_", "-")
    if value is True:
        return option
    if isinstance(value, Mapping):
        value = ",".join(f"{key}={one:g}" for key, one in value.items())
    elif isinstance(value, tuple | list):
        value = ("=" if name.endswith("bound") else ",").join(map(str, value))
    elif name in {"weights", "distances"}:  # a file goes by its name: its folder was said on the command line
        value = Path(value).name
    return f"{option} {value}"
