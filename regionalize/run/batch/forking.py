"""Code that runs in a fork of this process: it begins with all that is loaded here."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from regionalize.io.signals import INTERRUPTS, signals_held
from regionalize.run.absent import is_ours

UNKNOWN = 255
"""Exit code of a process that whoever forked it can tell nothing of, having ended itself."""


def is_light(heavy: Iterable[str]) -> bool:
    """Whether this process forks safely: it is ours, has one thread, and none of the packages is loaded."""
    loaded = any(name.partition(".")[0] in sys.modules for name in heavy)
    return is_ours() and threading.active_count() == 1 and not loaded


def run(code: str, files: Sequence[int] = ()) -> NoReturn:
    """Run code, with the files as standard input and output, as a process of its own would, and end."""
    ended: Any = 1
    try:
        for standard, file in enumerate(files):
            os.dup2(file, standard)
            os.close(file)
        exec(code, {"__name__": "__main__"})
        ended = 0
    except SystemExit as end:
        ended = 0 if end.code is None else end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(ended if isinstance(ended, int) else 1)


class Twin:
    """A fork of this process that runs code, with what is used of `subprocess.Popen`.

    It is in a process group of its own: an interrupt at the terminal is for whoever forked it.

    Parameters
    ----------
    code : str
    stdin : int
        A file that it has as its standard input; its standard output is nothing.
    environment : mapping
        What its environment has besides.

    Raises
    ------
    OSError
        If there can be no more processes.
    """

    def __init__(self, code: str, stdin: int, environment: Mapping[str, str]) -> None:
        self.returncode: int | None = None
        if sys.stderr is not None:
            sys.stderr.flush()
        with signals_held():  # what a handler raised in the fork would be raised in its parent's callers
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    leave_parent(stdin)
                    os.environ.update(environment)
                    run(code)
                finally:
                    os._exit(1)
        with suppress(OSError):  # it has done so itself, or has ended
            os.setpgid(self.pid, 0)

    def kill(self) -> None:
        """End it."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def leave_parent(stdin: int) -> None:
    """Give up what a fork shares with its parent: files, the process group, what signals do."""
    os.setpgid(0, 0)
    os.dup2(stdin, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if sys.__stderr__ is None:  # it was closed, and its number may be that of another file now
        os.dup2(1, 2)
    for file in map(int, os.listdir("/proc/self/fd")):  # a line to the parent would never be seen to end
        if file > 2:
            with suppress(OSError):  # the list itself, which is closed
                os.close(file)
    for name in INTERRUPTS:
        if signal.getsignal(number := getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
