"""How far a run is: told to whoever listens, and timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def told(stage: str, progress: Progress | None) -> Callable[[int, int], None] | None:
    """Return what a search calls to tell how far it is, None where nobody listens."""
    return None if progress is None else (lambda done, total: progress(stage, done, total))


class Stopwatch:
    """Seconds per stage; whoever shows progress is told when one begins."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to stage `name`."""
        if self.progress is not None:
            self.progress(name, 0, 0)
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start
