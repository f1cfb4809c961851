"""Lets tests of kernels import what they share by its name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def load(name: str) -> None:
    """Import a module of this folder, which pytest does not put on the path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


load("groupings")
