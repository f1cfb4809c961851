"""Lets tests of methods import what they share by its name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    import geopandas
    import numpy as np

    from regionalize.model.weights import Weights


def load(name: str) -> None:
    """Import a module of this folder, which pytest does not put on the path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


load("enumeration")
load("layouts")


class Departments(NamedTuple):
    """Guerry's departments of France: all columns, six variables (85, 6), and queen contiguity."""

    frame: geopandas.GeoDataFrame
    values: np.ndarray
    weights: Weights


@pytest.fixture(scope="session")
def departments(shared_data):
    """What the reference runs of GeoDa were made on."""
    import geopandas

    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    frame = geopandas.read_file(shared_data("guerry/Guerry.shp"))
    values = frame[["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]].to_numpy(float)
    return Departments(frame, values, build_weights(Layer.from_frame(frame), "queen"))
