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
from regionalize.run.batch.waiting import WaitingItems

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


class Worker:
    """A process of its own that does items."""

    def __init__(self, threads: int) -> None:
        limits = {name: str(threads) for name in _ONE_EACH if name not in os.environ}
        boot = _BOOT.format(path=ascii(sys.path))
        # in a group of its own: an interrupt at the terminal is for whoever started it, who tells it
        apart = {"creationflags": 0x200} if os.name == "nt" else {"process_group": 0}
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-P", "-c", boot],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **limits},
                **apart,  # type: ignore[call-overload]  # other keys on other systems
            )
        except (
            OSError,
            ValueError,
            TypeError,
        ) as error:  # TypeError: an embedded Python does not know itself
            raise RegionalizeError(
                f"no worker process can be started: {error}", advice="check the installation of Python"
            ) from error

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
        self.waiting = WaitingItems(items, in_order=workers == 1)
        self.answers: SimpleQueue[tuple[int, Finished] | BaseException | None] = SimpleQueue()
        self.lock = threading.Lock()
        self.ended = False
        self.workers: list[Worker] = []
        self.cut_short: list[Item] = []
        """Items whose worker died: it may have left something behind."""
        self.threads = [threading.Thread(target=self._lead, daemon=True) for _ in range(workers)]

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
        try:
            while (at := self.waiting.take(at)) is not None:
                if worker is None and (worker := self._start()) is None:
                    return
                start = monotonic()
                try:
                    found = worker.ask(self.items[at], self.terms)
                except WorkerDiedError as death:
                    worker = None
                    self.cut_short.append(self.items[at])
                    found = died(self.items[at], str(death), monotonic() - start)
                if self.ended:
                    return
                if found.status == "failed" and self.fail_fast:
                    self.waiting.close()
                self.answers.put((at, found))
        except BaseException as error:  # raised again where somebody can see it
            self.answers.put(error)
        finally:
            if worker is not None:
                worker.dismiss()
            self.answers.put(None)

    def _start(self) -> Worker | None:
        """Start a worker that is ready; None where no more are wanted.

        Raises
        ------
        RegionalizeError
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
        raise RegionalizeError(
            f"a worker process ended before it could begin ({how})",
            advice="check the installation of regionalize",
        )

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


def died(item: Item, how: str, seconds: float) -> Finished:
    """Say of an item that its worker died."""
    said = RegionalizeError(
        f"the process at work on it was ended from outside or crashed ({how})",
        advice="if memory ran out, use fewer --jobs",
        file=item.source,
    )
    return Finished(item=item, status="failed", seconds=seconds, error=str(said))
