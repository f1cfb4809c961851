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
from regionalize.io.signals import signals_held

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
    held: int | None = None
    end = time.monotonic() + LONGEST
    try:
        while held is None:
            try:
                with signals_held():  # so that a lock made is a lock known
                    held = hold(lock, os.O_RDWR | os.O_CREAT)
            except OSError:
                break  # there are no locks here
            if held is None:
                _pause(end, target)
        yield
    finally:
        if held is not None:
            with signals_held():
                _let_go(held, lock)


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
        if lock.exists() and (held := hold(lock, os.O_RDWR)) is not None:
            _let_go(held, lock)


def hold(path: Path, flags: int) -> int | None:
    """Open a file or folder and lock it; None if another process has it, or has just removed it.

    Raises
    ------
    OSError
        Where it cannot be opened or locked, as on some network drives; folders on Windows.
    """
    # a link is not followed: whoever may write to the folder could have another file made, or held, with it
    file = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        if _take(file) and _is_there(file, path):
            return file
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def _let_go(held: int, lock: Path) -> None:
    """Remove a lock that is held."""
    with suppress(OSError):  # before it is let go of: whoever waits for it then sees that it is gone
        lock.unlink()
    os.close(held)
    if sys.platform == "win32":  # what is open cannot be removed there
        with suppress(OSError):
            lock.unlink()


def _pause(end: float, target: Path) -> None:
    """Wait a little for another writer, unless it has been long."""
    if time.monotonic() > end:
        raise OutputError(
            "another process has been writing it for long", file=str(target), advice="write to another file"
        )
    time.sleep(PAUSE)


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
