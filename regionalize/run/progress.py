"""How far a run is: told to whoever listens, and timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from regionalize.model.progress import Told

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is: 0 where nobody knows.

Where what is being done is empty, nothing more is to be shown.
"""


def told(stage: str, progress: Progress | None) -> Told | None:
    """Return what a search calls to tell how far it is, None where nobody listens."""
    return None if progress is None else (lambda done, total: progress(stage, done, total))


def within(search: Told | None) -> Progress | None:
    """Return progress that tells a search whatever any stage inside it tells; None where nobody listens.

    Examples
    --------
    >>> inside = within(lambda done, total: print(f"{done} of {total}"))
    >>> inside("kmeans", 0, 0)
    >>> inside("kmeans", 3, 12)
    3 of 12
    """
    return None if search is None else (lambda _stage, done, total: search(done, total) if total else None)


def announce(stage: str, progress: Progress | None) -> None:
    """Tell whoever listens that a stage begins of which nobody knows how long it takes."""
    if progress is not None:
        progress(stage, 0, 0)


def announce_file(path: Path, progress: Progress | None) -> None:
    """Tell whoever listens which file is being made; where that is standard output, to be silent."""
    announce("" if str(path) == "-" else f"writing {path.name}", progress)


class Stopwatch:
    """Seconds per stage; whoever shows progress is told when one begins."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to stage `name`."""
        announce(name, self.progress)
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start
