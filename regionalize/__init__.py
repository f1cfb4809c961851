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
    from regionalize.model.method import Method, Param
    from regionalize.model.record import RunRecord
    from regionalize.model.weights import Weights
    from regionalize.run.api import Result, Validation, regionalize, validate
    from regionalize.run.api_files import FileResult, regionalize_file
    from regionalize.run.assign import assign
    from regionalize.run.batch.api import BatchResult, batch
    from regionalize.run.check_method import check_method
    from regionalize.studies.choose_api import KChoice, choose_k
    from regionalize.studies.comparison_api import Comparison, compare
    from regionalize.studies.rank.api import RankResult, rank
    from regionalize.studies.stability_api import StabilityResult, stability
    from regionalize.weights.build import build_weights

_WHERE = {
    "BatchResult": "regionalize.run.batch.api",
    "Comparison": "regionalize.studies.comparison_api",
    "FileResult": "regionalize.run.api_files",
    "KChoice": "regionalize.studies.choose_api",
    "Layer": "regionalize.model.layer",
    "Method": "regionalize.model.method",
    "Param": "regionalize.model.method",
    "RankResult": "regionalize.studies.rank.api",
    "RegionalizeError": "regionalize.errors",
    "Regionalizer": "regionalize.estimator",
    "Result": "regionalize.run.api",
    "RunRecord": "regionalize.model.record",
    "StabilityResult": "regionalize.studies.stability_api",
    "Validation": "regionalize.run.api",
    "Weights": "regionalize.model.weights",
    "assign": "regionalize.run.assign",
    "batch": "regionalize.run.batch.api",
    "build_weights": "regionalize.weights.build",
    "check_method": "regionalize.run.check_method",
    "choose_k": "regionalize.studies.choose_api",
    "compare": "regionalize.studies.comparison_api",
    "rank": "regionalize.studies.rank.api",
    "read_layer": "regionalize.io.read",
    "regionalize": "regionalize.run.api",
    "regionalize_file": "regionalize.run.api_files",
    "smooth": "regionalize.features.smoothing",
    "stability": "regionalize.studies.stability_api",
    "validate": "regionalize.run.api",
    "write_layer": "regionalize.io.write",
}

__all__ = [
    "BatchResult",
    "Comparison",
    "FileResult",
    "KChoice",
    "Layer",
    "Method",
    "Param",
    "RankResult",
    "RegionalizeError",
    "Regionalizer",
    "Result",
    "RunRecord",
    "StabilityResult",
    "Validation",
    "Weights",
    "assign",
    "batch",
    "build_weights",
    "check_method",
    "choose_k",
    "compare",
    "rank",
    "read_layer",
    "regionalize",
    "regionalize_file",
    "smooth",
    "stability",
    "validate",
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
