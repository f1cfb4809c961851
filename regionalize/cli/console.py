"""Words for the person at the terminal: what goes to standard output and what to standard error."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rich.console

    from regionalize.model.report import Report

Progress = Callable[[str, int, int], None]

PATIENCE = 1.0
"""Seconds before a progress bar is shown."""
NARROWEST = 40


class Console:
    """Results to standard output; notes, progress and errors to standard error."""

    def __init__(self, quiet: bool = False, verbose: bool = False, color: bool | None = None) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.color = color

    def say(self, text: str) -> None:
        """Write one line to standard error, unless asked to be quiet."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)  # noqa: T201  # this is where words are printed

    def say_sample(self, source: str | None) -> None:
        """Say that the bundled sample stands in for a missing INPUT."""
        if source is None:
            self.say("note: no INPUT given: using the bundled sample, 159 counties of Georgia (USA)")

    def notes(self, notes: Iterable[str]) -> None:
        """Write what was noticed."""
        for note in notes:
            self.say(f"note: {note}")

    def fault(self, text: str) -> None:
        """Write one fault to standard error, quiet or not."""
        print(f"fault: {printable(text)}", file=sys.stderr)  # noqa: T201  # as above

    def timing(self, seconds: dict[str, float]) -> None:
        """Write how long each stage took."""
        stages = ", ".join(f"{stage} {value:.3f} s" for stage, value in seconds.items())
        print(f"timing: {stages}, in all {sum(seconds.values()):.3f} s", file=sys.stderr)  # noqa: T201  # as above

    def written(self, paths: dict[str, Path]) -> None:
        """Say which files were written."""
        for option, path in paths.items():
            if str(path) != "-":
                what = "layer" if option == "output" else option.removeprefix("save-")
                self.say(f"{what} written to {path}")

    def json(self, document: Any) -> None:
        """Print one JSON document."""
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=ascii_only, default=str) + "\n")

    def report(self, report: Report, *, as_json: bool = False) -> None:
        """Print a report, as tables that fit the terminal or as JSON."""
        from regionalize.io.reports import report_document

        if as_json:
            self.json(report_document(report))
            return
        from regionalize.cli.report import show_report

        show_report(self.rich(), report)

    def rich(self) -> rich.console.Console:
        """Make the rich console for standard output."""
        from rich.console import Console as RichConsole

        no_color = None if self.color is None else not self.color
        console = RichConsole(markup=False, highlight=False, emoji=False, no_color=no_color)
        console.width = max(console.width, NARROWEST)
        return console

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """Give a function that is told of stages; on a terminal, a bar shows them after about a second."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        bar = Bar(None if self.color is None else not self.color)
        try:
            yield bar.show
        finally:
            bar.stop()


class Bar:
    """A progress bar that appears once the work has taken a while, and vanishes when it is done."""

    def __init__(self, no_color: bool | None) -> None:
        self.no_color = no_color
        self.lock = threading.Lock()
        self.now: tuple[str, int, int | None] = ("", 0, None)
        self.bar: Any = None
        self.timer = threading.Timer(PATIENCE, self.start)
        self.timer.daemon = True
        self.timer.start()

    def show(self, stage: str, done: int, total: int) -> None:
        """Take note of what is being done; a total of 0 means that nobody knows how long it takes."""
        with self.lock:
            self.now = (stage, done, total or None)
            self.draw()

    def draw(self) -> None:
        """Bring the bar up to date, if there is one."""
        if self.bar is not None:
            stage, done, total = self.now
            self.bar.update(self.bar.task_ids[0], description=stage, completed=done, total=total)

    def start(self) -> None:
        """Show the bar."""
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        console = RichConsole(stderr=True, no_color=self.no_color)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with self.lock:
            self.bar = RichProgress(*columns, console=console, transient=True)
            self.bar.add_task("")
            self.draw()
            self.bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        self.timer.cancel()
        self.timer.join()
        if self.bar is not None:
            self.bar.stop()


def printable(text: str) -> str:
    r"""Replace control characters, so that a name in a file cannot drive the terminal.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a�[31mb'
    """
    return "".join(letter if letter.isprintable() else "�" for letter in text)
