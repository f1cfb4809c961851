"""What the map tests share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vision():
    """Return the module that measures colours as people see them."""
    path = Path(__file__).with_name("color_vision.py")
    spec = importlib.util.spec_from_file_location("color_vision", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def svg():
    """Return the module that reads plots."""
    path = Path(__file__).with_name("svg.py")
    spec = importlib.util.spec_from_file_location("svg", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
