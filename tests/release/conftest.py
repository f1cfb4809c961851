"""What the files around the package say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def repository():
    """Return the folder of the checkout, or of the unpacked source distribution."""
    return REPOSITORY


@pytest.fixture(scope="session")
def metadata():
    """Return the table [project] of pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
