"""Progress on a terminal: what is being done, how much of it is done, and how long the rest will take."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any

from regionalize.cli.console import printable

if TYPE_CHECKING:
    import rich.console

PATIENCE = 1.0
"""Seconds before the bar is shown."""
FRAMES = 8
"""Pictures of it in a second."""
WIDEST, NARROWEST = 40, 6
"""Cells of the bar itself; where there is less room it is left out."""
MARGIN = 4
"""Cells left free at the end of the line, so that the ^C of an interrupt does not break it."""
ENOUGH_SHARE, ENOUGH_SECONDS = 0.02, 1.0
"""How much must be done, and how long it must have taken, to tell how long the rest will take."""

WORDS = {
    "read": "reading",
    "weights": "finding neighbours",
    "features": "preparing variables",
    "measure": "measuring",
    "contiguous": "making clusters contiguous",
    "assign": "finding nearest centres",
    "silhouettes": "measuring silhouettes",
    "write": "writing",
}
"""What stages are called here; any other goes by its own name."""


@dataclass
class Pace:
    """How far one stage is.

    Attributes
    ----------
    begun : float
        When, in seconds of a clock.
    share : float or None
        What is done of it, 0 … 1; None where nobody can tell.
    told : float
        When that was told.
    left_at : float
        When another stage began.
    """

    begun: float
    share: float | None = None
    told: float = 0.0
    left_at: float = 0.0

    def resume(self, now: float) -> None:
        """Go on after other stages, whose time is not this one's."""
        away = now - self.left_at
        self.begun, self.told = self.begun + away, self.told + away

    def tell(self, done: int, total: int, now: float) -> None:
        """Take note of how much is done; a share never falls, and a total of 0 says nothing."""
        share = min(done / total, 1.0) if total else None
        if share is not None and (self.share is None or share > self.share):
            self.share, self.told = share, now

    def left(self, now: float) -> float | None:
        """Return the seconds the rest will take at the pace so far, None where that cannot be told.

        Examples
        --------
        >>> pace = Pace(begun=100.0)
        >>> pace.tell(1, 4, now=110.0)
        >>> pace.left(now=110.0), pace.left(now=115.0), pace.left(now=145.0) is None
        (30.0, 25.0, True)
        """
        spent = self.told - self.begun
        if self.share is None or self.share < ENOUGH_SHARE or spent < ENOUGH_SECONDS:
            return None
        left = spent * (1 - self.share) / self.share - (now - self.told)
        return left if left > 0 else None


class Bar:
    """A progress bar that appears once the work has taken a while, and vanishes when it is done."""

    def __init__(self, no_color: bool | None) -> None:
        self.no_color = no_color
        self.lock = threading.Lock()
        self.stage = ""
        self.pace = Pace(monotonic())
        self.paces: dict[str, Pace] = {}
        self.live: Any = None
        self.timer = threading.Timer(PATIENCE, self.start)
        self.timer.daemon = True
        self.timer.start()

    def show(self, stage: str, done: int, total: int) -> None:
        """Take note of what is being done; a total of 0 means that nobody knows how long it takes.

        Without a stage the bar is taken away.
        """
        if not stage:
            self.stop()
            return
        now = monotonic()
        with self.lock:
            if stage != self.stage:
                self.pace.left_at = now
                self.stage, self.pace = stage, self.paces.setdefault(stage, Pace(now, left_at=now))
                self.pace.resume(now)
            self.pace.tell(done, total, now)

    def start(self) -> None:
        """Show the bar."""
        from rich.console import Console as RichConsole
        from rich.live import Live

        console = RichConsole(stderr=True, no_color=self.no_color, markup=False, highlight=False, emoji=False)
        live = Live(
            console=console,
            get_renderable=lambda: self.line(console.width),
            refresh_per_second=FRAMES,
            transient=True,
            redirect_stdout=False,  # what is written there meanwhile is a result
        )
        with self.lock:
            self.live = live
        live.start()

    def stop(self) -> None:
        """Take the bar away."""
        self.timer.cancel()
        self.timer.join()
        if self.live is not None:
            self.live.stop()

    def line(self, width: int) -> rich.console.RenderableType:
        """Draw one picture, not wider than `width` cells."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = monotonic()
        with self.lock:
            stage, share, left = self.stage, self.pace.share, self.pace.left(now)
            spent = now - self.pace.begun
        words = time_text(spent, left) if share is None else f"{share:4.0%} {time_text(spent, left)}"
        if len(words) > width - 14:  # the least that says that something goes on
            words = time_text(spent, None)
        name = Text(printable(WORDS.get(stage, stage)))
        room = max(width - MARGIN - len(words) - 2, 1)
        name.truncate(max(room - NARROWEST, min(room, NARROWEST)), overflow="ellipsis")
        cells = min(room - name.cell_len, WIDEST)
        parts: list[rich.console.RenderableType] = [name, Text(words)]
        if cells >= NARROWEST:
            parts.insert(1, ProgressBar(1.0, share or 0.0, width=cells, pulse=share is None))
        line = Table.grid(padding=(0, 1))
        for _ in parts:
            line.add_column(no_wrap=True)
        line.add_row(*parts)
        return line


def time_text(spent: float, left: float | None) -> str:
    """Write how long it has taken, and how long the rest will take if that is known.

    Examples
    --------
    >>> time_text(12.4, None), time_text(12.4, 65.1), time_text(4000.0, 7300.0)
    ('0:12', '0:12, 1:06 left', '1:06:40, 2:01:40 left')
    """
    return clock(int(spent)) if left is None else f"{clock(int(spent))}, {clock(ceil(left))} left"


def clock(seconds: int) -> str:
    """Write whole seconds as hours, minutes and seconds.

    Examples
    --------
    >>> clock(7), clock(75), clock(3675)
    ('0:07', '1:15', '1:01:15')
    """
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
