"""What tests of damage share: modules of this folder by their name, and how long the long ones may search."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest


def load(name: str) -> None:
    """Import a module of this folder, which pytest does not put on the path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


collect_ignore = ["explore.py"]
"""A program, for which atheris need not be there."""

for name in ("mutation", "seeds", "targets", "content", "warm_jobs", "layers", "damaged"):
    load(name)


@pytest.fixture
def seconds():
    """How long each reader and format is tried; `make test-fuzz` says longer."""
    return float(os.environ.get("FUZZ_SECONDS", "10"))


@pytest.fixture
def seed():
    """What draws of the long tests begin with; another one finds other things."""
    return os.environ.get("FUZZ_SEED", "1")
