"""Worker processes: started, given items, waited for, and replaced when they die."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from regionalize.errors import RegionalizeError
from regionalize.run.batch.attempt import Terms
from regionalize.run.batch.items import Finished, Item
from regionalize.run.batch.waiting import First, WaitingItems

GRACE = 5.0
"""Seconds in which a worker that is told to end may tidy up."""
_WAKE = 0.5
"""Seconds after which whoever waits looks up: not every system interrupts a wait."""
_BOOT = "import sys; sys.path[:] = {path}; from regionalize.run.batch.worker import main; main()"
"""What a worker runs: it finds modules where this process does, and nowhere else."""
_ONE_EACH = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Read by libraries of linear algebra when they are loaded."""
_TRIES = 2
"""How often a worker is started that ends before it can begin: the first may have been ended from outside."""


class WorkerDiedError(Exception):
    """A worker ended in the middle of an item, or before it could begin; the text says how."""


class NoWorkerError(Exception):
    """A worker cannot be started; the text says why."""


class Worker:
    """A process of its own that does items."""

    def __init__(self, threads: int) -> None:
        limits = {name: str(threads) for name in _ONE_EACH if name not in os.environ}
        boot = _BOOT.format(path=ascii(sys.path))
        # in a group of its own: an interrupt at the terminal is for whoever started it, who tells it
        apart: dict[str, int] = {"process_group": 0}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, *interpreter_flags(), "-P", "-c", boot],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **limits},
                **apart,  # type: ignore[call-overload]  # other keys on other systems
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
    >>> ending(-9), ending(3)
    ('SIGKILL', 'exit code 3')
    """
    with suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"


class Pool:
    """Workers, and a thread for each that hands it items and waits for what comes of them.

    Used as a context: when the block raises, the workers are told to end, and ended where they do not.
    """

    def __init__(self, items: Sequence[Item], terms: Terms, workers: int, *, fail_fast: bool = False) -> None:
        self.items = items
        self.terms = terms
        self.fail_fast = fail_fast
        first: First = "smallest" if fail_fast else "given" if workers == 1 else "largest"
        self.waiting = WaitingItems(items, first=first)
        self.answers: SimpleQueue[tuple[int, Finished] | BaseException | None] = SimpleQueue()
        self.lock = threading.Lock()
        self.ended = False
        self.workers: list[Worker] = []
        self.cut_short: dict[int, Item] = {}
        """Items that a worker is at, or that it died of: it may have left something behind."""
        self.missing: list[str] = []
        """Why there are fewer workers than were asked for."""
        self.threads = [threading.Thread(target=self._lead, daemon=True) for _ in range(workers)]
        self.leading = workers

    def __enter__(self) -> Pool:
        try:
            for thread in self.threads:
                thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._end()
        for thread in self.threads:
            thread.join()

    def results(self) -> Iterator[tuple[int, Finished]]:
        """Give what came of each item, with its place, as it is finished."""
        at_work = len(self.threads)
        while at_work:
            try:
                answer = self.answers.get(timeout=_WAKE)
            except Empty:
                continue
            if isinstance(answer, BaseException):
                raise answer
            if answer is None:
                at_work -= 1
            else:
                yield answer

    def _lead(self) -> None:
        """Hand items to one worker after the other: to the same, unless it dies."""
        worker: Worker | None = None
        at: int | None = None
        reason = ""
        try:
            while self.waiting.are_left():
                if worker is None and (worker := self._start()) is None:
                    return
                if (at := self.waiting.take(at)) is None:
                    return
                start = monotonic()
                self.cut_short[at] = self.items[at]
                try:
                    found = worker.ask(self.items[at], self.terms)
                    del self.cut_short[at]
                except WorkerDiedError as death:
                    worker = None
                    found = died(self.items[at], str(death), monotonic() - start)
                if self.ended:
                    return
                self._tell(at, found)
        except NoWorkerError as error:
            reason = str(error)
        except BaseException as error:  # raised again where somebody can see it
            self.answers.put(error)
        finally:
            if worker is not None:
                worker.dismiss()
            self._leave(reason)

    def _tell(self, at: int, found: Finished) -> None:
        """Pass on what came of an item."""
        if found.status == "failed" and self.fail_fast:
            self.waiting.close()
        self.answers.put((at, found))

    def _leave(self, reason: str) -> None:
        """Be a thread less; whoever has no worker for a `reason` leaves what waits to the others, if any."""
        with self.lock:
            self.leading -= 1
            alone = not self.leading
        if reason and not alone:
            self.missing.append(reason)
        while reason and alone and (at := self.waiting.take(None)) is not None:
            self._tell(at, without_worker(self.items[at], reason))
        self.answers.put(None)

    def _start(self) -> Worker | None:
        """Start a worker that is ready; None where no more are wanted.

        Raises
        ------
        NoWorkerError
            If it cannot be started, or ends before it can begin.
        """
        how = ""
        for _ in range(_TRIES):
            with self.lock:  # so that whoever ends all workers knows all
                if self.ended:
                    return None
                worker = Worker(self.terms.threads)
                self.workers.append(worker)
            try:
                worker.begin()
            except WorkerDiedError as death:
                how = str(death)
            else:
                return worker
        raise NoWorkerError(f"it ended before it could begin: {how}")

    def _end(self) -> None:
        """Tell all workers to end, and end those that do not."""
        self.waiting.close()
        with self.lock:
            self.ended = True
        running = [worker.process for worker in self.workers if worker.process.poll() is None]
        for process in running:
            process.terminate()
        limit = monotonic() + GRACE
        try:
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(limit - monotonic(), 0))
        finally:  # at once, when asked again
            for process in running:
                process.kill()
            for process in running:  # so that it holds nothing any more
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_WAKE)


def without_worker(item: Item, reason: str) -> Finished:
    """Say of an item that there is no worker for it."""
    said = RegionalizeError(
        f"no worker process can be started ({reason})",
        advice="use fewer --jobs, or check the installation",
        file=item.source,
    )
    return Finished(item=item, status="failed", error=str(said))


def died(item: Item, how: str, seconds: float) -> Finished:
    """Say of an item that its worker died."""
    said = RegionalizeError(
        f"the process at work on it was ended from outside or crashed ({how})",
        advice="if memory ran out, use fewer --jobs",
        file=item.source,
    )
    return Finished(item=item, status="failed", seconds=seconds, error=str(said))
