"""One writer at a time for a file, however many processes there are."""

from __future__ import annotations

import hashlib
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
_LONG = 40
"""Letters of a name that stay as they are."""


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
    lock = lock_of(target)
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


def lock_of(target: Path) -> Path:
    """Return the file that is locked by whoever writes another: one for each, however long the name.

    Examples
    --------
    >>> lock_of(Path("out/states.gpkg")).name
    '.states.gpkg.lock'
    """
    if len(target.name) <= _LONG:
        return target.with_name(f".{target.name}.lock")
    # cut, as it could be more than a file system takes with our marks; but two that begin alike, written in
    # one run, must not wait for each other
    whole = hashlib.blake2b(target.name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return target.with_name(f".{target.name[:_LONG]}.{whole}.lock")


def remove_lock(target: Path) -> None:
    """Remove what a writer that was killed has left, unless somebody holds it."""
    lock = lock_of(target)
    with suppress(OSError):
        file = os.open(lock, os.O_RDWR)
        try:
            stale = _take(file) and _is_there(file, lock)
            if stale and sys.platform != "win32":
                lock.unlink()
        finally:
            os.close(file)
        if stale and sys.platform == "win32":  # what is open cannot be removed there
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
