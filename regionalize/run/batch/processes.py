"""A worker's process, as whoever hands it items sees it: started, asked, and gone."""

from __future__ import annotations

import pickle
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from regionalize.run.batch.attempt import Terms
from regionalize.run.batch.forking import UNKNOWN
from regionalize.run.batch.interpreter import here, start_python
from regionalize.run.batch.items import Finished, Item

if TYPE_CHECKING:
    from regionalize.run.batch.fork_server import Forked, ForkServer

WORK = "from regionalize.run.batch.worker import main; main()"


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
