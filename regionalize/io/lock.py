"""One writer at a time for a file, however many processes there are."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regionalize.errors import OutputError

LONGEST = 600.0
"""Seconds to wait for another writer."""
PAUSE = 0.02
"""Seconds between two looks."""


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Wait until no other process is here with the same file, and keep others out until the block is over.

    A hidden file beside the target is locked; the system lets go of it when a process ends in whatever way.
    Where files cannot be locked, as on some network drives, or the folder cannot be written, nobody waits.

    Raises
    ------
    OutputError
        If another process does not come to an end with it.
    """
    lock = target.with_name(f".{target.name[:40]}.lock")
    held = _wait(lock, target)
    try:
        yield
    finally:
        if held is not None:
            with suppress(OSError):  # before it is let go of: whoever waits for it then sees that it is gone
                lock.unlink()
            os.close(held)
            if sys.platform == "win32":
                with suppress(OSError):
                    lock.unlink()


def _wait(lock: Path, target: Path) -> int | None:
    """Return the lock, opened and held; None where there are no locks."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        try:
            file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            return None
        try:
            taken = _take(file)
        except OSError:
            os.close(file)
            return None
        if taken and _is_there(file, lock):
            return file
        os.close(file)
        if not taken:
            time.sleep(PAUSE)
    raise OutputError(
        "another process has been writing it for long", file=str(target), advice="write to another file"
    )


def _is_there(file: int, lock: Path) -> bool:
    """Tell whether an open file is still what stands in the folder: whoever had it before removes it."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(lock))
    except OSError:
        return False


def _take(file: int) -> bool:
    """Lock an open file, or tell that another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
