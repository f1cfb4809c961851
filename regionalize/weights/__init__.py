"""Who neighbours whom: a layer in, `Weights` out."""

from regionalize.weights.build import build_weights
from regionalize.weights.describe import describe_weights, symmetrize
from regionalize.weights.islands import component_notes, join_islands
from regionalize.weights.spec import WeightsSpec, default_spec, parse_spec

__all__ = [
    "WeightsSpec",
    "build_weights",
    "component_notes",
    "default_spec",
    "describe_weights",
    "join_islands",
    "parse_spec",
    "symmetrize",
]
