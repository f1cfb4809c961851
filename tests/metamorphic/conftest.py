"""A small layer for all of them."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def small():
    """A layer that every method is run on in a fraction of a second."""
    from country import country

    return country(90, 0)
