"""A worker's process, as whoever hands it items sees it: started, asked, and gone."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from regionalize.run.batch.attempt import Terms
from regionalize.run.batch.items import Finished, Item

if TYPE_CHECKING:
    from regionalize.run.batch.fork_server import Forked, ForkServer

WORK = "from regionalize.run.batch.worker import main; main()"
UNKNOWN = 255
"""Exit code of a process that whoever forked it can tell nothing of, having ended itself."""
_ONE_EACH = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Read by libraries of linear algebra when they are loaded."""
_QUIET = (
    "sys.excepthook = lambda kind, *more: issubclass(kind, MemoryError) or sys.__excepthook__(kind, *more)"
)


class WorkerDiedError(Exception):
    """A worker ended in the middle of an item, or before it could begin; the text says how."""


class NoWorkerError(Exception):
    """A worker cannot be started; the text says why."""


class Worker:
    """A process of its own that does items: forked by a server, or started where there is none.

    Raises
    ------
    NoWorkerError
        If there can be none.
    """

    def __init__(self, threads: int, server: ForkServer | None = None) -> None:
        code = here(WORK)
        forked = None if server is None else server.fork(code)
        self.process: subprocess.Popen[bytes] | Forked
        try:
            self.process = forked or start_python(
                code, threads=threads, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except (OSError, ValueError, TypeError) as error:  # TypeError: an embedded Python
            raise NoWorkerError(str(error)) from error

    def begin(self) -> None:
        """Wait until it says that it is ready.

        Raises
        ------
        WorkerDiedError
            If the process ends before.
        """
        self._answer()

    def ask(self, item: Item, terms: Terms) -> Finished:
        """Have an item done.

        Raises
        ------
        WorkerDiedError
            If the process ends before it answers.
        """
        assert self.process.stdin is not None
        message = pickle.dumps((item, terms))
        with suppress(OSError):  # what became of it is read below
            self.process.stdin.write(message)
            self.process.stdin.flush()
        found: Finished = self._answer()
        return replace(found, item=item)

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        try:
            return pickle.load(self.process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self.process.kill()
            raise WorkerDiedError(ending(self.dismiss())) from error

    def dismiss(self) -> int:
        """Say that there are no more items, wait until the process has ended, and return its exit code."""
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not sent cannot be
                pipe.close()
        return self.process.wait()


def here(code: str) -> str:
    """Return code that finds modules where this process does, and nowhere else.

    Where there is no memory for it, it ends quietly: whoever waits for an answer says that there is none.
    """
    return f"import sys; sys.path[:] = {sys.path!a}; {_QUIET}; {code}"


def start_python(code: str, *, threads: int, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    """Start an interpreter like this one, for code that takes so many threads.

    Where it cannot even begin, for want of memory say, its own words would be a traceback: what it says is
    heard from the first line of the code on.
    """
    # in a group of its own: an interrupt at the terminal is for whoever started it, who tells it
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with ExitStack() as ends:
        if sys.platform != "win32":  # where files are not handed on by number
            with suppress(OSError):  # standard error is closed
                said = os.dup(2)
                ends.callback(os.close, said)
                apart |= {"stderr": subprocess.DEVNULL, "pass_fds": (said,)}
                code = f"import os; os.dup2({said}, 2); os.close({said}); {code}"
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, *interpreter_flags(), "-P", "-c", code],
            stdin=stdin,
            stdout=stdout,
            env={**os.environ, **limits(threads)},
            **apart,
        )
    return process


def limits(threads: int) -> dict[str, str]:
    """Return what holds linear algebra to so many threads, unless the environment says how many."""
    return {name: str(threads) for name in _ONE_EACH if name not in os.environ}


def interpreter_flags() -> list[str]:
    """Return the flags of this interpreter that change what a run does or says."""
    known = {
        "-I": sys.flags.isolated,
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-B": sys.flags.dont_write_bytecode,
        "-O": sys.flags.optimize == 1,
        "-OO": sys.flags.optimize > 1,
        "-Xdev": sys.flags.dev_mode,
        f"-Xutf8={sys.flags.utf8_mode}": True,
    }
    return [*(flag for flag, is_set in known.items() if is_set), *(f"-W{text}" for text in sys.warnoptions)]


def ending(code: int) -> str:
    """Say how a process ended.

    Examples
    --------
    >>> ending(-9), ending(3), ending(UNKNOWN)
    ('SIGKILL', 'exit code 3', 'how is not known')
    """
    if code == UNKNOWN:
        return "how is not known"
    with suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"
