"""A cluster of two processes for all tests of Dask, and parts of rows on it that it can make again."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed", reason="needs Dask, which is not installed (regionalize[dask])")


@pytest.fixture(scope="session")
def client():
    """A client of two workers of one thread."""
    from regionalize.run.dask.cluster import connected

    with connected(jobs=2) as found:
        yield found
