"""Words for the person at the terminal: what goes to standard output and what to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import rich.console

    from regionalize.model.report import Report
    from regionalize.run.progress import Progress

NARROWEST = 40
"""Columns that tables have at least."""
PIPED = 80
"""Columns of what does not go to a terminal, unless COLUMNS says otherwise."""

WRITTEN = {
    "output": "layer",
    "dissolve": "regions",
    "qml": "style",
    "dissolve --qml": "style of the regions",
    "settings of --dissolve": "settings of the regions",
}
"""What a file is called, where its option does not say."""


class Console:
    """Results to standard output; notes, progress and errors to standard error."""

    def __init__(self, quiet: bool = False, verbose: bool = False, color: bool | None = None) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.color = color

    def say(self, text: str) -> None:
        """Write one line to standard error, unless asked to be quiet."""
        if not self.quiet:
            try:
                print(printable(text), file=sys.stderr)  # noqa: T201  # this is where words are printed
            except OSError:  # a log on a full disk, or nobody listens: what is asked for is done all the same
                unheard(sys.stderr)

    def say_sample(self, source: str | None) -> None:
        """Say that the bundled sample stands in for a missing INPUT."""
        if source is None:
            from regionalize.io.sample import INSTEAD

            self.notes([INSTEAD])

    def notes(self, notes: Iterable[str]) -> None:
        """Write what was noticed."""
        for note in notes:
            self.say(f"note: {note}")

    def fault(self, text: str) -> None:
        """Write one fault to standard error, quiet or not."""
        print(f"fault: {printable(text)}", file=sys.stderr)  # noqa: T201  # as above

    def timing(self, seconds: dict[str, float], asked: bool) -> None:
        """Write how long each stage took, if that was asked here or with --verbose."""
        if not (asked or self.verbose):
            return
        stages = ", ".join(f"{stage} {value:.3f} s" for stage, value in seconds.items())
        print(f"timing: {stages}, in all {sum(seconds.values()):.3f} s", file=sys.stderr)  # noqa: T201  # as above

    def written(self, paths: dict[str, Path]) -> None:
        """Say which files were written."""
        for option, path in paths.items():
            if str(path) != "-":
                what = WRITTEN.get(option, option.removeprefix("save-"))
                self.say(f"{what} written to {path}")

    def json(self, document: Any) -> None:
        """Print one JSON document."""
        from regionalize.io.documents import json_text

        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        sys.stdout.write(json_text(document, ascii_only=ascii_only))

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

        class Results(RichConsole):
            def on_broken_pipe(self) -> None:
                """Let whoever runs the command know, too: rich would end the process here and now."""
                raise  # noqa: PLE0704  # called while the error is handled

        no_color = None if self.color is None else not self.color
        console = Results(markup=False, highlight=False, emoji=False, no_color=no_color)
        piped = not console.is_terminal and not os.environ.get("COLUMNS", "").isdecimal()
        console.width = PIPED if piped else max(console.width, NARROWEST)
        return console

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """Give a function that is told of stages; on a terminal, a bar shows them after about a second."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        from regionalize.cli.bar import Bar

        bar = Bar(None if self.color is None else not self.color)
        try:
            yield bar.show
        finally:
            bar.stop()


def unheard(stream: TextIO) -> None:
    """Let what is still to be written to a stream go nowhere, so that closing it does not fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def printable(text: str) -> str:
    r"""Replace control characters, so that a name in a file cannot drive the terminal.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a�[31mb'
    """
    return "".join(letter if letter.isprintable() else "�" for letter in text)
