"""A folder that becomes read-only."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

import pytest


@pytest.fixture
def read_only_folder(small_disk):
    """Return `with read_only_folder as (folder, seal)`: write into folder, then call seal."""

    @contextmanager
    def make():
        with small_disk("8m") as folder:
            remount = ["mount", "-o", "remount,ro", str(folder)]
            yield folder, lambda: subprocess.run(remount, check=True)

    return make()
