"""Worker processes: started, given items, waited for, and replaced when they die."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from regionalize.errors import RegionalizeError
from regionalize.run.batch.attempt import Terms
from regionalize.run.batch.items import Finished, Item
from regionalize.run.batch.processes import NoWorkerError, Worker, WorkerDiedError
from regionalize.run.batch.waiting import First, WaitingItems

if TYPE_CHECKING:
    from regionalize.run.batch.fork_server import ForkServer

GRACE = 5.0
"""Seconds in which a worker that is told to end may tidy up."""
_WAKE = 0.5
"""Seconds after which whoever waits looks up: not every system interrupts a wait."""
_TRIES = 2
"""How often a worker is started that ends before it can begin: the first may have been ended from outside."""


class Pool:
    """Workers, and a thread for each that hands it items and waits for what comes of them.

    Used as a context: when the block raises, the workers are told to end, and ended where they do not.
    """

    def __init__(
        self,
        items: Sequence[Item],
        terms: Terms,
        workers: int,
        *,
        fail_fast: bool = False,
        server: ForkServer | None = None,
    ) -> None:
        self.items = items
        self.terms = terms
        self.fail_fast = fail_fast
        self.server = server
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
            with suppress(MemoryError):  # it ends by itself: there is nobody any more who asks
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
                worker = Worker(self.terms.threads, self.server)
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
        if self.server is not None:  # first: somebody may wait for it to fork
            self.server.end()
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
