"""A tiny file system of its own, for full disks and read-only folders."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(folder, size):
    """Mount a file system in memory on `folder`, or skip where that is not allowed."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        made = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """Return `with small_disk(size) as folder`."""
    return lambda size: mounted(tmp_path / "disk", size)


@pytest.fixture
def read_only_folder(tmp_path):
    """Return `with read_only_folder as (folder, seal)`: write into folder, then call seal."""

    @contextmanager
    def make():
        with mounted(tmp_path / "sealed", "8m") as folder:
            remount = ["mount", "-o", "remount,ro", str(folder)]
            yield folder, lambda: subprocess.run(remount, check=True)

    return make()
