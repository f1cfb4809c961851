"""Group places into regions.

Names are resolved on first use, so that ``import regionalize`` and ``regionalize --help`` load nothing heavy.

Examples
--------
>>> import regionalize as rz
>>> rz.read_layer(None).column_names[:2]
['name', 'fips']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from regionalize.errors import RegionalizeError
    from regionalize.estimator import Regionalizer
    from regionalize.features.smoothing import smooth
    from regionalize.io.read import read_layer
    from regionalize.io.write import write_layer
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights
    from regionalize.run.api import Result, regionalize
    from regionalize.weights.build import build_weights

_WHERE = {
    "Layer": "regionalize.model.layer",
    "RegionalizeError": "regionalize.errors",
    "Regionalizer": "regionalize.estimator",
    "Result": "regionalize.run.api",
    "Weights": "regionalize.model.weights",
    "build_weights": "regionalize.weights.build",
    "read_layer": "regionalize.io.read",
    "regionalize": "regionalize.run.api",
    "smooth": "regionalize.features.smoothing",
    "write_layer": "regionalize.io.write",
}

__all__ = [
    "Layer",
    "RegionalizeError",
    "Regionalizer",
    "Result",
    "Weights",
    "build_weights",
    "read_layer",
    "regionalize",
    "smooth",
    "write_layer",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'regionalize' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
