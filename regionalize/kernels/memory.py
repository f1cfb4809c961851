"""How much memory there is, asked before a large table is made."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

UNKNOWN = 8 * 2**30
"""What is taken to be there where the system does not say."""
LINEAR_ALGEBRA = 3 * 2**26
"""Bytes that its buffers and threads take, measured with OpenBLAS."""
SYSTEM = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Return how many bytes a process can still take without others being pushed out.

    On Linux what the kernel calls available, or less where a container, `ulimit -v` or `ulimit -d` allows
    less; elsewhere all memory of the machine.

    Examples
    --------
    >>> available_memory() > 0
    True
    """
    limits = [limit for limit in (_of_system(), _of_group(), _of_process()) if limit is not None]
    return max(min(limits, default=UNKNOWN), 0)


def _of_system() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in SYSTEM.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _of_group() -> int | None:
    """Return what a control group leaves, as containers set it; files held in memory can be given up."""
    with suppress(OSError, ValueError, KeyError):
        most = (GROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((GROUP / "memory.current").read_text(encoding="ascii"))
        lines = (GROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        held = dict(line.split(maxsplit=1) for line in lines)
        return int(most) - used + int(held["inactive_file"])  # "max" is no limit, and no number
    return None


def _of_process() -> int | None:
    """Return what `ulimit -v` leaves of the address space, or `ulimit -d` of what can be written to."""
    left = []
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        used = [int(pages) for pages in Path("/proc/self/statm").read_text(encoding="ascii").split()]
        for limit, pages in ((resource.RLIMIT_AS, used[0]), (resource.RLIMIT_DATA, used[5])):
            most = resource.getrlimit(limit)[0]
            if most != resource.RLIM_INFINITY:
                left.append(most - pages * resource.getpagesize())
    return min(left, default=None)


def room_for_linear_algebra() -> None:
    """Refuse to load a library of linear algebra that has no room for its buffers: it would try for ever.

    Raises
    ------
    MemoryError
    """
    left = _of_process()
    if left is not None and left < LINEAR_ALGEBRA:
        raise MemoryError
